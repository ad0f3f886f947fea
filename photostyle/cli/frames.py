"""One look on many frames, from files to files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from photostyle import (
    ImageError,
    Look,
    PhotostyleError,
    __version__,
    check_writable,
    fade,
    load_look,
    load_photograph,
    save_photograph,
)
from photostyle.files import keep_inputs, make_folder


def apply_look(
    path: Path,
    photos: Sequence[Path],
    output: Path,
    tell: Callable[[str], None],
    *,
    strength: float,
    saving: Mapping[str, Any],
    most_pixels: float | None,
) -> Iterator[Path | PhotostyleError]:
    """Each photograph with the look in a file: yields, in their order, where it is, or why it is not.

    `output` is the file of a single photograph, or the folder of all; `tell` gets notices. Raises
    PhotostyleError for what concerns them all, before any work.
    """
    files = _outputs(photos, output)
    keep_inputs(files, [path, *photos])
    look = load_look(path)
    if files != [output]:
        make_folder(output)
    limits = {} if most_pixels is None else {"most_pixels": most_pixels}
    for photo, file in zip(photos, files, strict=True):
        try:
            check_writable(file)
            photograph = load_photograph(photo, **limits)
            before = photograph.pixels
            note = {"look": path.name, "content": photo.name, "strength": strength, "version": __version__}
            after = fade(before, _apply(look, before, photo), strength)
            made = note | {"made": look.facts}
            for said in (*photograph.notes, *save_photograph(after, file, like=photograph, note=made, **saving)):
                tell(f"Note: {said}")
            yield file
        except PhotostyleError as error:
            yield error


def _apply(look: Look, before: Tensor, photo: Path) -> Tensor:
    try:
        return look.apply(before)
    except ImageError as error:
        raise ImageError(f"{photo}: {error}") from error


def _outputs(photos: Sequence[Path], output: Path) -> list[Path]:
    """The file to write for each photograph."""
    if output.suffix and not output.is_dir():
        if len(photos) > 1:
            raise ImageError(f"{output} would be one file for {len(photos)} photographs: name a folder.")
        return [output]
    names = [photo.name for photo in photos]
    for name in names:
        if names.count(name) > 1:
            raise ImageError(f"Two of the photographs are called {name}: apply the look into a folder for each.")
    return [output / name for name in names]
