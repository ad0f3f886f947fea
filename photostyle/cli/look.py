"""`photostyle look`: what can be done with a look in a file. What the commands import, they import when they run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from photostyle.cli.options import MostPixels, Quiet, TableSpace, pixels

if TYPE_CHECKING:
    from photostyle import Look

_HELP = "Learn looks, show and mix them, and take them to other programs."

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help=_HELP)


@app.callback(help=_HELP)
def _group() -> None:
    pass


@app.command()
def export(
    look: Annotated[
        Path,
        typer.Argument(metavar="LOOK", help="A look, or a table to convert.", show_default=False),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="One table: .cube, .3dl, or .png for a Hald image."),
    ] = None,
    pack: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="A new folder for a table and a mask for each region, with instructions."),
    ] = None,
    photo: Annotated[
        Path | None,
        typer.Option(metavar="PHOTO", help="The photograph that the tables should suit; by default the look's own."),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Nodes along each axis: 17 to 65 (default 33); for a Hald image 64 (default), 81, 100, 121 or 144.",
        ),
    ] = None,
    space: TableSpace = None,
    bits: Annotated[Literal["8", "16"], typer.Option(help="Bits per channel of a Hald image.")] = "16",
    title: Annotated[
        str | None, typer.Option(metavar="TEXT", help="The title in a .cube; by default the look's name.")
    ] = None,
    most_pixels: MostPixels = None,
    quiet: Quiet = False,
) -> None:
    """Write a LOOK as tables for other programs, and report how much of it they hold."""
    from photostyle.cli.exporting import Form, export_look
    from photostyle.cli.progress import Report

    if not output and not pack:
        raise typer.BadParameter("name a file for one table, or a --pack.", param_hint="--output")
    if pack and not photo:
        raise typer.BadParameter("its masks are made for a photograph: name it.", param_hint="--photo")

    form = Form(size, space or "srgb", 8 if bits == "8" else 16, title if title is not None else look.stem)
    for sentence in export_look(look, output, pack, photo, Report(quiet), form=form, most_pixels=pixels(most_pixels)):
        if not quiet:
            typer.echo(sentence)


LookFile = Annotated[Path, typer.Argument(metavar="LOOK", help="A look, from --save-look.", show_default=False)]
NewLook = Annotated[
    Path, typer.Option("--output", "-o", metavar="FILE", help="The look to write, .safetensors.", show_default=False)
]


@app.command()
def show(
    look: LookFile,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Draw a chart too: a picture, .png or .jpg.")
    ] = None,
) -> None:
    """Describe what a LOOK does, region by region, and draw it."""
    from photostyle import check_writable, describe_look, draw_look, save_image
    from photostyle.files import keep_inputs

    if output:
        check_writable(output)
        keep_inputs([output], [look])
    found = _load(look)
    for line in describe_look(found):
        typer.echo(line)
    if output:
        save_image(draw_look(found), output)
        typer.echo(f"Wrote {output}.")


@app.command()
def check(look: LookFile) -> None:
    """Check a LOOK for gain, folds and clipping: each of its maps, on the colours of its own photograph.

    The exit code is 1 if one of them is doubtful.
    """
    from photostyle.looks.chart import region_colors
    from photostyle.tables.soundness import examine

    found = _load(look)
    doubts = []
    for name, map, mask in zip(found.names, found.maps, found.scene.masks, strict=True):
        sound = examine(map, region_colors(found.scene.before, mask))
        typer.echo(f"{name}: gain {sound.gain:.1f}, folds {sound.folds:.1%}, clipped {sound.clipped:.0%}")
        doubts += sound.doubts(name)
    for doubt in doubts:
        typer.echo(f"Note: {doubt}")
    if doubts:
        raise typer.Exit(1)


@app.command()
def blend(
    first: LookFile,
    second: Annotated[Path, typer.Argument(metavar="OTHER", help="The other look.", show_default=False)],
    output: NewLook,
    weight: Annotated[float, typer.Option(min=0, max=1, metavar="X", help="The share of the other look.")] = 0.5,
) -> None:
    """Mix two looks, colour by colour, into a new one."""
    from photostyle import blend_looks

    _save(blend_looks(_load(first), _load(second), weight), output, [first, second])


@app.command()
def adjust(
    look: LookFile,
    output: NewLook,
    strength: Annotated[
        float, typer.Option(min=0, max=1, metavar="X", help="How far to go from no change (0) to the look (1).")
    ] = 1.0,
    exposure: Annotated[float, typer.Option(min=-3, max=3, metavar="X", help="Stops of light.")] = 0.0,
    warmth: Annotated[float, typer.Option(min=-1, max=1, metavar="X", help="From blue (-1) to red (1).")] = 0.0,
    contrast: Annotated[float, typer.Option(min=-1, max=1, metavar="X", help="Black and white stay.")] = 0.0,
    saturation: Annotated[float, typer.Option(min=-1, max=1, metavar="X", help="-1 is grey.")] = 0.0,
    keep_skin: Annotated[
        float, typer.Option(min=0, max=1, metavar="X", help="How much what has the colours of skin keeps them.")
    ] = 0.0,
    region: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=X", help="The strength of one region; again for each.", show_default=False),
    ] = None,
) -> None:
    """Make a look that does more or less than a LOOK: its strength, light, warmth, contrast and saturation."""
    from photostyle import Adjustment, adjust_look

    regions = dict(_strength(pair) for pair in region or ())
    adjustment = Adjustment(strength, exposure, warmth, contrast, saturation, keep_skin, regions)
    _save(adjust_look(_load(look), adjustment), output, [look])


def _strength(pair: str) -> tuple[str, float]:
    """A region's name and its strength, of NAME=X."""
    name, _, number = pair.rpartition("=")
    try:
        return name, float(number)
    except ValueError as error:
        raise typer.BadParameter(f"it should be as in sky=0.5, not {pair!r}.", param_hint="--region") from error


@app.command()
def invert(look: LookFile, output: NewLook) -> None:
    """Make the look that undoes a LOOK, as far as that is possible."""
    from photostyle import invert_look

    _save(invert_look(_load(look)), output, [look])


@app.command()
def learn(
    photos: Annotated[
        list[Path],
        typer.Argument(metavar="BEFORE AFTER", help="A photograph before and after, or several such pairs in a row."),
    ],
    output: NewLook,
    most_pixels: MostPixels = None,
    quiet: Quiet = False,
) -> None:
    """Learn the look of any editor, or of a camera, from photographs BEFORE and AFTER."""
    from photostyle import check_look_path, learn_look, load_photograph
    from photostyle.files import keep_inputs

    if len(photos) % 2:
        raise typer.BadParameter("photographs come in pairs, before and after.", param_hint="BEFORE AFTER")
    check_look_path(output)
    keep_inputs([output], photos)
    loaded = [load_photograph(path, most_pixels=pixels(most_pixels)).opaque() for path in photos]
    facts = {"before": photos[0].name, "after": photos[1].name}
    found, said = learn_look(list(zip(loaded[::2], loaded[1::2], strict=True)), facts)
    _save(found, output, photos)
    if not quiet:
        for sentence in said:
            typer.echo(sentence)


def _load(path: Path) -> Look:
    """A look of colour maps, as these commands are for."""
    from photostyle import ImageError, LocalLook, load_look

    found = load_look(path)
    if isinstance(found, LocalLook):
        raise ImageError(
            f"{path} holds what was done at each place of one photograph, and no colour maps: make it with the recipe "
            "photo, or learn it from before and after."
        )
    return found


def _save(look: Look, output: Path, inputs: list[Path]) -> None:
    from photostyle import save_look
    from photostyle.files import keep_inputs

    keep_inputs([output], inputs)
    save_look(look, output)
    typer.echo(f"Wrote {output}.")
