"""How a command says that something is wrong. Light: it is imported before PyTorch."""

from __future__ import annotations

import typer

from photostyle import PhotostyleError


def tell(error: PhotostyleError) -> None:
    """One line on stderr about what the user can mend."""
    typer.echo(f"Error: {' '.join(str(error).split())}", err=True)
