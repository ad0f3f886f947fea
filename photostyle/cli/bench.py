"""`photostyle bench`: how good the recipes are, how fast, and how far ahead of published results."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from rich.table import Table


def bench(
    ctx: typer.Context,
    pairs: Annotated[Path, typer.Argument(metavar="PAIRS_DIR", help="The folder of pairs.", show_default=False)],
    recipe: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A recipe to run; may be repeated.", show_default=False)
    ] = None,
    quality: Annotated[
        Literal["draft", "standard", "best"], typer.Option(help="The quality of the recipes.")
    ] = "standard",
    regions: Annotated[
        Literal["painted", "auto", "none"],
        typer.Option(help="What guides the recipes: label images, regions found automatically, or nothing."),
    ] = "painted",
    only: Annotated[
        str | None, typer.Option(metavar="IDS", help="Only these pairs: names separated by commas.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, metavar="N", help="Processes, which share the cores.")] = 1,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the results.")] = Path(
        "out/bench"
    ),
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write all figures and their summary as JSON.")
    ] = None,
    html_file: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page with all pictures and figures.")
    ] = None,
    backbone: Annotated[str | None, typer.Option(metavar="NAME", help="The network of the recipes.")] = None,
    device: Annotated[str, typer.Option(metavar="auto|cpu|cuda|mps", help="Where the recipes compute.")] = "auto",
) -> None:
    """Run recipes over a folder of pairs, and measure and time them.

    A pair is a folder with content.png and style.png (or .jpg), optionally content_regions.png and
    style_regions.png, and optionally authors_result.png, the published result to compare with. Every setting of a
    recipe is an option too. Results that were computed in the same way before are reused. Seconds and CPU seconds are
    those of the transfer alone; peak memory is that of its whole process.
    """
    from dataclasses import asdict

    from photostyle import DEFAULT_BACKBONE, DEFAULT_RECIPE, find_recipe, make_settings
    from photostyle.bench.page import page
    from photostyle.bench.run import Plan, find_pairs, run
    from photostyle.cli.progress import Report
    from photostyle.files import check_file, make_folder
    from photostyle.jobs.report import have_weights
    from photostyle.network.backbones import FINDERS
    from photostyle.network.network import Network
    from photostyle.wording import json_bytes, legible

    found = find_pairs(pairs, [name.strip() for name in only.split(",") if name.strip()] if only else [])
    names = dict.fromkeys(recipe or [DEFAULT_RECIPE])
    recipes = {name: asdict(make_settings(find_recipe(name), ctx.meta["settings"], quality)) for name in names}
    report, backbone = Report(), backbone or DEFAULT_BACKBONE
    Network(backbone, device=device).check()
    make_folder(output)
    for file in (json_file, html_file):
        if file:
            make_folder(file.parent)
            check_file(file)
    finders = FINDERS if regions == "auto" else ()
    have_weights(report, backbone, DEFAULT_BACKBONE, *finders)  # once, here, rather than in every process

    plan = Plan(found, recipes, backbone, device, output, jobs, regions)
    command = shlex.join(["photostyle", *sys.argv[1:]])
    results = {"command": command, **run(plan, lambda row: report.note(_line(row)))}
    _print(_table(results))
    if json_file:
        json_file.write_bytes(json_bytes(results, indent=2) + b"\n")
    if html_file:
        html_file.write_text(legible(page(results, found, output)), encoding="utf-8")
    failed = [row for row in results["rows"] if row.get("error")]
    for row in failed:
        typer.echo(f"Error: {row['pair']} {row['recipe']}: {row['error']}", err=True)
    if failed:
        raise typer.Exit(1)


def _line(row: dict[str, Any]) -> str:
    """What is said of a row as soon as it is there."""
    if row.get("error"):
        outcome = "failed"
    elif row["reused"]:
        outcome = "as before"
    else:
        outcome = f"{row['seconds']:.1f} s" if row.get("seconds") is not None else "measured"
    return f"{row['pair']} {row['recipe']}: {outcome}"


def _table(results: dict[str, Any]) -> Table:
    """A row for each pair and recipe, bold where it is ahead of the published result; then what sums them up."""
    from rich.table import Table
    from rich.text import Text

    from photostyle.bench.summary import COSTS, FIGURES, winners
    from photostyle.measures.figures import MEASURES

    rows, summary = results["rows"], results["summary"]
    won = winners(rows)
    heads = {name: f"{figure.title} {figure.arrow}" for name, figure in MEASURES.items()}
    table = Table(box=None, pad_edge=False, collapse_padding=True)
    for title in ("pair", "recipe"):
        table.add_column(title, no_wrap=True)
    for title in (heads | {name: figure.title for name, figure in COSTS.items()}).values():
        table.add_column(title, justify="right", min_width=max(map(len, title.split())))
    for i, row in enumerate(rows):
        cells = [
            Text(figure.show(row.get(name)), "bold green" if (row["pair"], row["recipe"], name) in won else "")
            for name, figure in FIGURES.items()
        ]
        last = i + 1 == len(rows) or rows[i + 1]["pair"] != row["pair"]
        table.add_row(Text(row["pair"]), row["recipe"], *(["failed"] if row.get("error") else cells), end_section=last)
        if last:
            table.add_row()
    for kind in ("mean", "median"):
        for recipe, facts in summary.items():
            table.add_row(kind, recipe, *(figure.show(facts[kind].get(name)) for name, figure in FIGURES.items()))
    for recipe, facts in summary.items():
        if facts.get("compared"):
            table.add_row("wins", recipe, *(f"{facts['wins'][name]}/{facts['compared']}" for name in MEASURES))
    return table


def _print(table: Table) -> None:
    from rich.console import Console

    console = Console()
    if not console.is_terminal:  # in a file or a pipe nothing needs to be cut off
        console.width = 200
    console.print(table)
