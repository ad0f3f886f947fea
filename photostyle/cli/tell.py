"""How a command says that something is wrong, or worth knowing. Light: it is imported before PyTorch."""

from __future__ import annotations

from collections.abc import Callable

import typer

from photostyle import PhotostyleError


def tell(error: PhotostyleError) -> None:
    """One line on stderr about what the user can mend."""
    typer.echo(f"Error: {' '.join(str(error).split())}", err=True)


def teller(quiet: bool) -> Callable[[str], None]:
    """Says notices on stderr, one line each, or keeps them back."""

    def note(sentence: str) -> None:
        if not quiet:
            typer.echo(sentence, err=True)

    return note
