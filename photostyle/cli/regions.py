"""`photostyle regions`: see what belongs together, and correct it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from photostyle.cli.commands import Content, Drop, Match, Quiet, RegionsModel, Style, names, pairs


def regions(
    content: Content,
    style: Style,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the files.")],
    method: Annotated[
        Literal["auto", "learned"],
        typer.Option(help="By the default network's features, or by a model that names what it sees."),
    ] = "auto",
    model: RegionsModel = None,
    count: Annotated[
        int | None,
        typer.Option("--count", "-k", min=1, max=8, metavar="N", help="How many regions; if not given, 1 or 2."),
    ] = None,
    match: Match = None,
    drop: Drop = None,
    device: Annotated[str, typer.Option(metavar="auto|cpu|cuda|mps", help="Where to compute.")] = "auto",
    quiet: Quiet = False,
) -> None:
    """Find what belongs together in two photographs, and write it down to look at and to correct.

    Into the folder go two label images, content_regions.png and style_regions.png (correct them in any
    editor and give them to `photostyle transfer`), overlay.png for the eye, and regions.json: names,
    colours and areas.
    """
    from photostyle import (
        DEFAULT_BACKBONE,
        find_device,
        label_colors,
        load_weights,
        save_image,
        save_regions,
    )
    from photostyle.cli.progress import Report
    from photostyle.files import make_folder
    from photostyle.jobs import memory
    from photostyle.jobs.job import Job, doubt, find, given, have_weights
    from photostyle.jobs.sheet import contact_sheet, overlay
    from photostyle.wording import json_bytes, percent

    if model and method != "learned":
        raise typer.BadParameter("it is for --method learned.", param_hint="--model")
    if count is not None and method == "learned":
        raise typer.BadParameter("a learned model finds as many as there are.", param_hint="--count")
    report = Report(quiet)
    job = Job(content, style)
    photographs = job.load(report)
    I, S = photographs[0].filled(), photographs[1].filled()
    for image in (I, S):
        memory.check_room("regions", image.shape[1:], find_device(device))
    make_folder(output)
    asked = {"match": pairs(match), "drop": names(drop)} | given(model=model, count=count)
    found = find(I, S, method, report, device=device, **asked).seen(photographs[1].alpha)
    have_weights(DEFAULT_BACKBONE, report)
    doubts = doubt(I, S, found, report, load_weights())

    save_regions(found, output / "content_regions.png", output / "style_regions.png")
    colors = label_colors(len(found.names) + 1)
    sides = {"content": overlay(I, found.content, colors), "style": overlay(S, found.style, colors)}
    shares = zip(found.names, found.shares, strict=True)
    figures = [(name, f"{percent(here)} / {percent(there)}", "of content and style") for name, (here, there) in shares]
    save_image(contact_sheet(sides, figures), output / "overlay.png")
    facts = [
        {"name": name, "color": "#{:02x}{:02x}{:02x}".format(*color), "content": here, "style": there}
        for name, color, (here, there) in zip(found.names, colors, found.shares, strict=False)
    ]
    text = json_bytes({"regions": facts, "notes": [*found.notes, *doubts]}, indent=2)
    (output / "regions.json").write_bytes(text + b"\n")
    if not quiet:
        typer.echo(f"Wrote content_regions.png, style_regions.png, overlay.png and regions.json into {output}.")
