"""`photostyle regions`: see what belongs together, and correct it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from photostyle.cli.options import Content, Drop, Match, Quiet, RegionsModel, Style, given


def regions(
    content: Content,
    style: Style,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the files.")],
    method: Annotated[
        Literal["auto", "learned"],
        typer.Option(help="How: by what two networks see, or by a model that names what it sees."),
    ] = "auto",
    model: RegionsModel = None,
    count: Annotated[
        int | None,
        typer.Option("--count", "-k", min=1, max=8, metavar="N", help="How many regions; by default as many as gain."),
    ] = None,
    match: Match = None,
    drop: Drop = None,
    device: Annotated[str, typer.Option(metavar="auto|cpu|cuda|mps", help="Where to compute.")] = "auto",
    quiet: Quiet = False,
) -> None:
    """Find what belongs together in two photographs, and write it down to view and correct.

    The folder gets two label images, content_regions.png and style_regions.png (correct them in any editor and give
    them to `photostyle transfer`), an overlay.png to look at, and regions.json: names, colours, areas, and whether
    they share one look.
    """
    from photostyle import DEFAULT_BACKBONE, find_device, load_weights
    from photostyle.cli.progress import Report
    from photostyle.jobs import memory
    from photostyle.jobs.pair import Pair
    from photostyle.jobs.regions import FILES, check_folder, doubt, find, write_regions
    from photostyle.jobs.report import have_weights
    from photostyle.regions.corrections import read_match, read_names

    if model and method != "learned":
        raise typer.BadParameter("it is for --method learned.", param_hint="--model")
    if count is not None and method == "learned":
        raise typer.BadParameter("a learned model finds as many as there are.", param_hint="--count")
    check_folder(output, [content, style])
    report = Report(quiet)
    loaded = Pair(content, [style]).load(report)
    I, S = loaded.content, loaded.styles[0]
    for image in (I, S):
        memory.check_room("regions", image.shape[1:], find_device(device))
    asked = {"match": read_match(match or ""), "drop": read_names(drop or "")} | given(model=model, count=count)
    have_weights(report, DEFAULT_BACKBONE)  # which doubts what is found
    found = find(I, S, method, report, device=device, **asked).seen(loaded.models[0].alpha)
    doubts = doubt(I, S, found, report, load_weights())
    write_regions(output, I, S, found, doubts)
    if not quiet:
        *first, last = FILES
        typer.echo(f"Wrote {', '.join(first)} and {last} into {output}.")
