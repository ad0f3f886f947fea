"""`photostyle batch`: thousands of photographs, on this machine or on many."""

from __future__ import annotations

import glob
import re
import shlex
import sys
from collections.abc import Collection, Generator, Sequence
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
    pixels,
    saving,
)

if TYPE_CHECKING:
    from photostyle.batch.plan import Task
    from photostyle.batch.run import Engine, Progress, Tell
    from photostyle.cli.progress import Report

_PAUSE = 5.0  # seconds between two plain lines


def batch(
    ctx: typer.Context,
    jobs: Annotated[
        str,
        typer.Argument(
            metavar="JOBS", help="A folder of photographs, or a .csv or .jsonl with a line each.", show_default=False
        ),
    ],
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="DIR", help="Folder for the results.", show_default=False)
    ],
    style: Annotated[str | None, typer.Option(metavar="FILE", help="The style of all that name none.")] = None,
    look: Annotated[str | None, typer.Option(metavar="FILE", help="Or the look, or the table, of all.")] = None,
    engine: Annotated[
        Literal["local", "ray"], typer.Option(help="Processes on this machine, or Ray on one or many.")
    ] = "local",
    workers: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help="Photographs at a time; 0 does one after the other in this process."),
    ] = None,
    threads: Annotated[int | None, typer.Option(min=1, metavar="N", help="Threads of each worker.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with an earlier run: do what is missing, failed or changed.")
    ] = False,
    retries: Annotated[
        int, typer.Option(min=0, metavar="N", help="More tries after a crash, or an error of a disk or a network.")
    ] = 2,
    shard: Annotated[
        str | None, typer.Option(metavar="I/N", help="Do the I-th of N parts: the others are for other machines.")
    ] = None,
    address: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="The Ray cluster; auto finds one on this machine.")
    ] = None,
    gpus: Annotated[
        float | None, typer.Option(min=0, metavar="X", help="Graphics cards, or a part of one, for each Ray worker.")
    ] = None,
    journal: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The journal: journal.jsonl in the output folder if not given.")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write a report of all photographs as JSON.")
    ] = None,
    extension: Annotated[
        Literal["jpg", "png", "tif", "webp", "avif", "heic"] | None,
        typer.Option("--format", help="Of the results: that of each photograph if not given."),
    ] = None,
    recipe: Annotated[str | None, typer.Option(metavar="NAME", help="How to do it: see `photostyle recipes`.")] = None,
    quality: Dial = None,
    strength: Annotated[
        float | None, typer.Option(min=0, max=1, metavar="X", help="From the content (0) to the result (1).")
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
    """Give a look to every photograph of a folder, or of a list, and survive whatever happens.

    A list names content and style, and perhaps content_regions, style_regions, look, output and any setting, by
    columns; a line's own values go before the options here. Paths in it are relative to it. A journal
    in the output folder remembers what is done: after a crash, the same command with --resume does the rest. What
    fails is told at the end, with exit code 1; the others are done.
    """
    import torch

    from photostyle import SettingsError, __version__, find_device
    from photostyle.batch import storage
    from photostyle.batch.journal import Journal
    from photostyle.batch.lines import read_lines
    from photostyle.batch.plan import heaviest, plan
    from photostyle.batch.run import PART, run, unfinished
    from photostyle.cli.options import given
    from photostyle.cli.progress import Report
    from photostyle.files import make_folder
    from photostyle.jobs.memory import free_memory, gigabytes
    from photostyle.jobs.report import have_weights
    from photostyle.wording import json_bytes

    if style and look:
        raise SettingsError("--style and --look are two ways: give one.")
    if engine == "local" and (address or gpus is not None):
        raise SettingsError("--address and --gpus are for --engine ray.")
    if engine == "ray" and workers == 0:
        raise SettingsError("--workers 0 means this very process: leave --engine ray out.")
    if not address:
        find_device(device)
    part_of, report = _shard(shard), Report(quiet)
    jobs, output = storage.local_path(jobs), storage.local_path(output)
    tasks = plan(
        read_lines(jobs, output, report.note),
        output if storage.is_url(output) else str(Path(output).absolute()),
        style=style and storage.local_path(style),
        look=look and storage.local_path(look),
        options=given(
            recipe=recipe,
            quality=quality,
            strength=strength,
            regions=regions,
            regions_model=regions_model,
            match=match,
            drop=drop,
            backbone=backbone,
            pooling=pooling,
        )
        | ctx.meta["settings"],
        extension=extension and f".{extension}",
        saving=saving(jpeg_quality, bits, profile, strip_metadata),
        most_pixels=pixels(most_pixels),
        weights_path=str(weights_path) if weights_path else None,
        device=device,
        shard=part_of,
    )
    suffix = f"-{part_of[0]}-of-{part_of[1]}" if shard else ""
    part = None
    if not storage.is_url(output):
        make_folder(Path(output))
        part = Path(output).absolute() / (PART + suffix)
    elif not journal:
        raise SettingsError(f"{output} cannot hold a journal, to which lines are added: name a local --journal FILE.")
    first = journal or Path(output) / "journal.jsonl"
    others = first.parent.glob(f"{glob.escape(first.stem)}-*-of-*{glob.escape(first.suffix)}")
    if json_file:
        make_folder(json_file.parent)

    with Journal(first.with_stem(first.stem + suffix), [first, *others]) as book:
        if not resume:
            _check_fresh(tasks, book.last.keys(), output)
        todo = unfinished(tasks, book.last)
        for network in sorted(set().union(*(task.networks for task in todo))):
            have_weights(network, report)  # once, here, rather than in every worker
        # of a cluster elsewhere it is not known what it has
        room = len(todo) if address else min(len(todo), max(1, int(free_memory(torch.device("cpu")) / heaviest(todo))))
        chosen = _engine(
            engine if todo else "none", room, device, workers=workers, threads=threads, address=address, gpus=gpus
        )
        if workers and chosen.workers < min(workers, len(todo)):
            each = f"{gigabytes(heaviest(todo))} each"
            report.note(f"Note: --workers {workers} need more memory than is free ({each}): lowered to {room}.")
        threads_each = f", {chosen.threads} threads each" if chosen.threads else ""
        report.note(f"{len(todo)} of {len(tasks)} photographs to do, {chosen.workers} at a time{threads_each}.")
        with _told(report, len(tasks), quiet) as tell:
            try:
                results = run(tasks, todo, chosen, book, part, retries=retries, tell=tell)
            except KeyboardInterrupt:
                report.note("Stopped: the same command with --resume goes on from here.")
                raise
    facts: dict[str, Any] = {
        "version": __version__,
        "command": shlex.join(["photostyle", *sys.argv[1:]]),
        "engine": engine,
    }
    facts |= {"workers": chosen.workers, "threads": chosen.threads}
    if json_file:
        json_file.write_bytes(json_bytes(facts | results, indent=2) + b"\n")
    _conclude(results, output, quiet)


def _shard(text: str | None) -> tuple[int, int]:
    from photostyle import SettingsError

    if text is None:
        return 1, 1
    found = re.fullmatch(r"(\d+)/(\d+)", text)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise SettingsError(f"--shard should be as in 2/20, the second part of twenty, not {text!r}.")
    return int(found[1]), int(found[2])


def _check_fresh(tasks: Sequence[Task], known: Collection[str], output: str) -> None:
    """Without --resume nothing that is there is touched."""
    from photostyle import SettingsError
    from photostyle.batch import storage

    for task in tasks:
        if task.output in known or storage.size(task.target) is not None:
            raise SettingsError(
                f"{output} has {task.output} or its journal knows of it: --resume goes on with an earlier run (and "
                "writes over what has changed), or name another folder."
            )


def _engine(
    name: str,
    most: int,
    device: str,
    *,
    workers: int | None,
    threads: int | None,
    address: str | None,
    gpus: float | None,
) -> Engine:
    """Who does the work: at most `most` photographs at a time."""
    from torch.cuda import device_count

    from photostyle.batch.local import Here, Local
    from photostyle.batch.ray import Ray
    from photostyle.batch.run import share
    from photostyle.bench.worker import cores

    if name == "none" or workers == 0:
        return Here()
    if name == "ray":
        return Ray(address, most, workers=workers, threads=threads, gpus=gpus, device=device, cores=cores())
    cards = device_count() if device in ("auto", "cuda") else 0
    return Local(*share(cores(), most, workers, threads, cards), cards)


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
