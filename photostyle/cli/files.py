"""Where results go: checked before the work starts. Light: the commands import it before PyTorch."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import typer

from photostyle import ImageError, PhotostyleError


def keep_inputs(outputs: Iterable[Path], inputs: Iterable[Path]) -> None:
    """Raises ImageError if an output is one of the input files, under whatever name."""
    there = [path for path in inputs if path.exists()]
    for output in outputs:
        if output.exists() and any(path.samefile(output) for path in there):
            raise ImageError(f"{output} is one of the input files: name another output.")


def make_folder(folder: Path) -> None:
    """Raises ImageError if pictures cannot be written there."""
    from photostyle import check_writable

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImageError(f"The folder {folder} cannot be made ({error.strerror}): choose another.") from error
    check_writable(folder / "picture.jpg")


def tell(error: PhotostyleError) -> None:
    """One line on stderr about what the user can mend."""
    typer.echo(f"Error: {' '.join(str(error).split())}", err=True)
