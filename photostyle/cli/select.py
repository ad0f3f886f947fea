"""`photostyle select`: regions by pointing at things."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from photostyle.cli.options import Quiet, given


def select(
    photograph: Annotated[
        Path, typer.Argument(metavar="PHOTO", help="The photograph to find regions in.", show_default=False)
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="PNG", help="The label image.", show_default=False)],
    region: Annotated[
        list[str],
        typer.Option(
            "--region",
            "-r",
            metavar='"X,Y [not X,Y] [box X,Y,X,Y]"',
            help="One region: points inside of it, points that are not, a box around it, in pixels from the left and "
            "the top. Once for each region.",
            show_default=False,
        ),
    ],
    method: Annotated[
        Literal["wand", "learned"],
        typer.Option(help="How: by what hangs together in colour and between edges, or by a model that knows things."),
    ] = "wand",
    model: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The model, of the kind SAM 2: a name on the hub, or a folder."),
    ] = None,
    device: Annotated[str, typer.Option(metavar="auto|cpu|cuda|mps", help="Where to compute.")] = "auto",
    quiet: Quiet = False,
) -> None:
    """Make a label image of a photograph by pointing at the things in it.

    The first region is blue, the next green, and so on in the paper's colours; what belongs to none has the next one.
    Do the same for the style, with the regions in the same order, and give both to `photostyle transfer`.
    """
    from photostyle.cli.progress import Report
    from photostyle.jobs.select import Select, read_prompt

    if model and method != "learned":
        raise typer.BadParameter("it is for --method learned.", param_hint="--model")
    prompts = [read_prompt(text) for text in region]
    sentence = Select(photograph, output, prompts, method, given(model=model), device).run(Report(quiet))
    if not quiet:
        typer.echo(sentence)
