"""`photostyle evaluate` and `photostyle demo`: how good a result is."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from photostyle.cli.options import Content, ContentRegions, Json, Quiet, SoftMasks, Style, StyleRegions
from photostyle.cli.table import table


def evaluate(
    content: Content,
    style: Style,
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help="The result to judge.", show_default=False)],
    content_regions: ContentRegions = None,
    style_regions: StyleRegions = None,
    soft_masks: SoftMasks = False,
    as_json: Json = False,
) -> None:
    """Measure how much of the style arrived and how much of the content stayed."""
    from photostyle.cli.progress import Report
    from photostyle.jobs import evaluate as job
    from photostyle.jobs.pair import Pair
    from photostyle.measures.figures import MEASURES

    pair = Pair(content, [style], content_regions, style_regions, soft=soft_masks)
    figures = asdict(job.evaluate(pair, output, Report()))
    if as_json:
        typer.echo(json.dumps(figures, indent=2))
        return
    rows = [(m.title, f"{figures[name]:.4f}", m.arrow) for name, m in MEASURES.items()]
    table(("Measure", "Value", "Better"), rows)


def demo(
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the pictures.")] = Path(
        "out"
    ),
    quiet: Quiet = False,
) -> None:
    """Bring a palace by day into the light of a bridge by night."""
    from photostyle.cli.progress import Report
    from photostyle.jobs.evaluate import demonstrate

    sentence, sheet = demonstrate(output, Report(quiet))
    if not quiet:
        typer.echo(f"{sentence}\nWrote {sheet}: input, style and result, and their measures.")
