"""`photostyle batch`: thousands of photographs, on this machine or on many."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from photostyle.cli.options import (
    Backbone,
    Bits,
    Dial,
    Drop,
    JpegQuality,
    Match,
    MostPixels,
    Pooling,
    Profile,
    Quiet,
    RegionsModel,
    StripMetadata,
    WeightsPath,
    given,
    pixels,
    saving,
)

if TYPE_CHECKING:
    from photostyle.batch.run import Progress, Tell
    from photostyle.cli.progress import Report

_PAUSE = 5.0  # seconds between two plain lines


def batch(
    ctx: typer.Context,
    jobs: Annotated[
        str,
        typer.Argument(
            metavar="JOBS",
            help="A folder of photographs, or a .csv or .jsonl with one line for each.",
            show_default=False,
        ),
    ],
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="DIR", help="Folder for the results.", show_default=False)
    ],
    style: Annotated[
        str | None, typer.Option(metavar="FILE", help="The style of all photographs that name none.")
    ] = None,
    look: Annotated[
        str | None, typer.Option(metavar="FILE", help="A look or a table for all photographs, instead of a style.")
    ] = None,
    engine: Annotated[
        Literal["local", "ray"], typer.Option(help="Processes on this machine, or Ray on one machine or many.")
    ] = "local",
    workers: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help="Photographs at a time; 0 does them one by one in this process."),
    ] = None,
    threads: Annotated[int | None, typer.Option(min=1, metavar="N", help="Threads of each worker.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue an earlier run: do what is missing, failed or changed.")
    ] = False,
    retries: Annotated[
        int,
        typer.Option(
            min=0, metavar="N", help="How often to try again after a crash, or an error of a disk or a network."
        ),
    ] = 2,
    shard: Annotated[
        str | None, typer.Option(metavar="I/N", help="Do part I of N; the other parts are for other machines.")
    ] = None,
    address: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="The Ray cluster; auto finds one on this machine.")
    ] = None,
    gpus: Annotated[
        float | None, typer.Option(min=0, metavar="X", help="Graphics cards, or a part of one, for each Ray worker.")
    ] = None,
    journal: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The journal; by default journal.jsonl in the output folder.")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write a report on all photographs as JSON.")
    ] = None,
    extension: Annotated[
        Literal["jpg", "png", "tif", "webp", "avif", "heic"] | None,
        typer.Option("--format", help="Format of the results; by default each photograph's own."),
    ] = None,
    recipe: Annotated[
        str | None, typer.Option(metavar="NAME", help="The recipe; `photostyle recipes` lists them.")
    ] = None,
    quality: Dial = None,
    strength: Annotated[
        float | None,
        typer.Option(min=0, max=1, metavar="X", help="How far to go from the content (0) to the result (1)."),
    ] = None,
    regions: Annotated[
        Literal["auto", "learned", "none"] | None, typer.Option(help="How to find what belongs together.")
    ] = None,
    regions_model: RegionsModel = None,
    match: Match = None,
    drop: Drop = None,
    backbone: Backbone = None,
    weights_path: WeightsPath = None,
    pooling: Pooling = None,
    device: Annotated[str, typer.Option(metavar="auto|cpu|cuda|mps", help="Where to compute.")] = "auto",
    jpeg_quality: JpegQuality = None,
    bits: Bits = None,
    profile: Profile = None,
    strip_metadata: StripMetadata = False,
    most_pixels: MostPixels = None,
    quiet: Quiet = False,
) -> None:
    """Give a look to every photograph of a folder or a list, and survive crashes on the way.

    The columns of a list are content and style, and optionally content_regions, style_regions, look, output and any
    setting; a line's own values take precedence over the options here. Paths are relative to the list. A journal in
    the output folder records what is done: after a crash, the same command with --resume does the rest. Failures are
    listed at the end, with exit code 1; all other photographs are done.
    """
    from photostyle import SettingsError, __version__
    from photostyle.batch import storage
    from photostyle.batch.start import Batch, Machines
    from photostyle.cli.progress import Report
    from photostyle.files import check_file, make_folder
    from photostyle.wording import json_bytes

    if style and look:
        raise SettingsError("--style and --look are two ways: give one.")
    if json_file:
        make_folder(json_file.parent)
        check_file(json_file)
    values = given(recipe=recipe, quality=quality, strength=strength, regions=regions, regions_model=regions_model)
    values |= given(match=match, drop=drop, backbone=backbone, pooling=pooling) | ctx.meta["settings"]
    planned = {
        "style": style and storage.local_path(style),
        "look": look and storage.local_path(look),
        "options": values,
        "extension": extension and f".{extension}",
        "saving": saving(jpeg_quality, bits, profile, strip_metadata),
        "most_pixels": pixels(most_pixels),
        "weights_path": str(weights_path) if weights_path else None,
    }
    machines = Machines(engine, workers, threads, address, gpus, device)
    job, report = Batch(jobs, output, planned, machines, journal, resume, _shard(shard), retries), Report(quiet)
    results = job.run(report, lambda total: _told(report, total, quiet))
    if json_file:
        facts = {"version": __version__, "command": shlex.join(["photostyle", *sys.argv[1:]])}
        json_file.write_bytes(json_bytes(facts | results, indent=2) + b"\n")
    _conclude(results, storage.local_path(output), quiet)


def _shard(text: str | None) -> tuple[int, int] | None:
    from photostyle import SettingsError

    if text is None:
        return None
    found = re.fullmatch(r"(\d+)/(\d+)", text)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise SettingsError(f"--shard should be as in 2/20, the second part of twenty, not {text!r}.")
    return int(found[1]), int(found[2])


@contextmanager
def _told(report: Report, total: int, quiet: bool) -> Generator[Tell, None, None]:
    """A bar on a terminal, elsewhere a line now and then; what is tried again is told at once."""
    from rich import progress as rich
    from rich.console import Console

    console = Console(stderr=True)
    columns = (
        rich.TextColumn("{task.description}"),
        rich.BarColumn(),
        rich.MofNCompleteColumn(),
        rich.TextColumn("{task.fields[words]}"),
    )
    bars = rich.Progress(*columns, console=console, disable=quiet or not console.is_terminal)
    spoken = monotonic()

    with bars:
        bar = bars.add_task("Photographs", total=total, words="")

        def tell(record: dict[str, Any], progress: Progress) -> None:
            nonlocal spoken
            bars.update(bar, completed=total - progress.left, words=_pace(progress))
            if record.get("again"):
                report.note(f"{record['output']} will be tried again: {record['reason']}")
            elif bars.disable and (monotonic() - spoken >= _PAUSE or not progress.left):
                report.note(f"{total - progress.left}/{total} photographs, {_pace(progress)}")
                spoken = monotonic()

        yield tell


def _pace(progress: Progress) -> str:
    """How fast it goes and how long it will last."""
    seconds = progress.seconds_left
    left = "" if seconds is None else f", {timedelta(seconds=round(seconds))} left"
    failed = f", {progress.failed} failed" if progress.failed else ""
    return f"{60 * progress.rate:.1f} per minute{left}{failed}"


def _conclude(results: dict[str, Any], output: str, quiet: bool) -> None:
    """What failed and why, then how many there are; exit code 1 if some failed."""
    counts = results["counts"]
    for row in results["tasks"]:
        if row["state"] == "failed":
            typer.echo(f"Error: {row['output']}: {row['reason']}", err=True)
    if not quiet:
        before = f", {counts['reused']} were there" if counts["reused"] else ""
        failed = f", {counts['failed']} failed" if counts["failed"] else ""
        pace = f" in {results['seconds']:.1f} s, {60 * results['rate']:.1f} per minute" if counts["done"] else ""
        typer.echo(f"Wrote {counts['done']} photographs into {output}{before}{failed}{pace}.")
    if counts["failed"]:
        raise typer.Exit(1)
