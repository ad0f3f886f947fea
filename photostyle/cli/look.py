"""`photostyle look`: what can be done with a look in a file. What the commands import, they import when they run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from photostyle.cli.commands import MostPixels, Quiet, TableSpace, pixels

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Take a look to other programs.")


@app.callback()
def _group() -> None:
    """Take a look to other programs."""


@app.command()
def export(
    look: Annotated[
        Path,
        typer.Argument(metavar="LOOK", help="A look, or a table that is wanted in another form.", show_default=False),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="One table: .cube, .3dl, or .png for a Hald image."),
    ] = None,
    pack: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="A table and a mask for each region, and how to stack them."),
    ] = None,
    photo: Annotated[
        Path | None,
        typer.Option(metavar="PHOTO", help="The photograph that matters: the look's own if not given."),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Nodes along each axis: 17 to 65, or 64, 81, 100, 121, 144 of a Hald image. 33 or 64 if not given.",
        ),
    ] = None,
    space: TableSpace = None,
    bits: Annotated[Literal["8", "16"], typer.Option(help="Bits per channel of a Hald image.")] = "16",
    title: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What a .cube calls itself: the look's name.")
    ] = None,
    most_pixels: MostPixels = None,
    quiet: Quiet = False,
) -> None:
    """Write a LOOK as tables for other programs, and say how much of it they hold."""
    from photostyle.cli.exporting import Form, export_look

    if not output and not pack:
        raise typer.BadParameter("name a file for one table, or a --pack.", param_hint="--output")
    if pack and not photo:
        raise typer.BadParameter("its masks are made for a photograph: name it.", param_hint="--photo")

    def note(sentence: str) -> None:
        if not quiet:
            typer.echo(sentence, err=True)

    form = Form(size, space or "srgb", 8 if bits == "8" else 16, title if title is not None else look.stem)
    for sentence in export_look(look, output, pack, photo, note, form=form, most_pixels=pixels(most_pixels)):
        if not quiet:
            typer.echo(sentence)
