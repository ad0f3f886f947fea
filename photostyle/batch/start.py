"""A batch from its list to its results: planned, weighed against memory, and handed to an engine."""

from __future__ import annotations

import glob
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import torch
from torch.cuda import device_count

from photostyle import Look, PhotostyleError, SettingsError, find_device, load_look
from photostyle.batch import storage
from photostyle.batch.journal import Journal
from photostyle.batch.lines import read_lines
from photostyle.batch.local import Here, Local
from photostyle.batch.plan import Task, heaviest, plan
from photostyle.batch.ray import Ray
from photostyle.batch.run import PART, Engine, Tell, run, share, unfinished
from photostyle.bench.worker import cores
from photostyle.files import make_folder
from photostyle.jobs.memory import free_memory, gigabytes
from photostyle.jobs.report import Report, have_weights

Told = Callable[[int], AbstractContextManager[Tell]]
"""Shows the progress of so many photographs."""


@dataclass(frozen=True)
class Machines:
    """Who does the work: an engine, and how many `workers` at a time with how many `threads` each (None: as fits).

    `address` and `gpus` are those of a Ray cluster.
    """

    engine: Literal["local", "ray"] = "local"
    workers: int | None = None
    threads: int | None = None
    address: str | None = None
    gpus: float | None = None
    device: str = "auto"

    def check(self) -> None:
        """Raises SettingsError for what does not go together."""
        if self.engine == "local" and (self.address or self.gpus is not None):
            raise SettingsError("--address and --gpus are for --engine ray.")
        if self.engine == "ray" and self.workers == 0:
            raise SettingsError("--workers 0 means this very process: leave --engine ray out.")
        if not self.address:
            find_device(self.device)

    def start(self, todo: Sequence[Task], report: Report) -> Engine:
        """The engine for these tasks, no more of them at a time than memory holds."""
        if not todo or self.workers == 0:
            return Here()
        # of a cluster elsewhere it is not known what it has
        room = len(todo)
        if not self.address:
            room = min(room, max(1, int(free_memory(torch.device("cpu")) / heaviest(todo))))
        chosen = self._engine(room)
        if self.workers and chosen.workers < min(self.workers, len(todo)):
            each = f"{gigabytes(heaviest(todo))} each"
            report.note(f"Note: --workers {self.workers} need more memory than is free ({each}): lowered to {room}.")
        return chosen

    def _engine(self, most: int) -> Engine:
        if self.engine == "ray":
            shape: dict[str, Any] = {"workers": self.workers, "threads": self.threads, "gpus": self.gpus}
            return Ray(self.address, most, device=self.device, cores=cores(), **shape)
        cards = device_count() if self.device in ("auto", "cuda") else 0
        return Local(*share(cores(), most, self.workers, self.threads, cards), cards)


@dataclass(frozen=True)
class Batch:
    """A look for every photograph of a list (`jobs`: a folder, or a .csv or .jsonl) into the folder `output`.

    `planned` holds what `plan` takes besides. The `journal` (in the output folder, unless named) remembers what is
    done; with `resume` the rest is done. `shard` (i, n) is the i-th of n parts, whose others are for other machines;
    what fails for a reason that may pass is tried `retries` more times.
    """

    jobs: str
    output: str
    planned: Mapping[str, Any] = field(default_factory=dict)
    machines: Machines = field(default_factory=Machines)
    journal: Path | None = None
    resume: bool = False
    shard: tuple[int, int] | None = None
    retries: int = 2

    def run(self, report: Report, told: Told) -> dict[str, Any]:
        """Do it; returns the results as `batch.run` has them, and who did the work. Raises PhotostyleError."""
        self.machines.check()
        jobs, output = storage.local_path(self.jobs), storage.local_path(self.output)
        target = output if storage.is_url(output) else str(Path(output).absolute())
        part_of = self.shard or (1, 1)
        tasks = plan(
            read_lines(jobs, output, report.note), target, shard=part_of, device=self.machines.device, **self.planned
        )
        suffix = f"-{part_of[0]}-of-{part_of[1]}" if self.shard else ""
        part = None
        if not storage.is_url(output):
            make_folder(Path(output))
            part = Path(output).absolute() / (PART + suffix)
        elif not self.journal:
            raise SettingsError(
                f"{output} cannot hold a journal, to which lines are added: name a local --journal FILE."
            )
        first = self.journal or Path(output) / "journal.jsonl"
        others = first.parent.glob(f"{glob.escape(first.stem)}-*-of-*{glob.escape(first.suffix)}")
        with Journal(first.with_stem(first.stem + suffix), [first, *others]) as book:
            if not self.resume:
                _check_fresh(tasks, book.last.keys(), output)
            todo = unfinished(tasks, book.last)
            looks = {task.files["look"] for task in todo if "look" in task.files}
            networks = _networks_of(looks).union(*(task.networks for task in todo))
            have_weights(report, *sorted(networks))  # once, here, rather than in every worker
            engine = self.machines.start(todo, report)
            threads = f", {engine.threads} thread{'s' * (engine.threads > 1)} each" if engine.threads else ""
            report.note(f"{len(todo)} of {len(tasks)} photographs to do, {engine.workers} at a time{threads}.")
            with told(len(tasks)) as tell:
                try:
                    results = run(tasks, todo, engine, book, part, retries=self.retries, tell=tell)
                except KeyboardInterrupt:
                    report.note("Stopped: the same command with --resume continues from here.")
                    raise
        return {"engine": self.machines.engine, "workers": engine.workers, "threads": engine.threads, **results}


def _check_fresh(tasks: Sequence[Task], known: Collection[str], output: str) -> None:
    """Without `resume` nothing that is there is touched."""
    for task in tasks:
        if task.output in known or storage.size(task.target) is not None:
            raise SettingsError(
                f"{output} has {task.output} or its journal knows of it: --resume continues an earlier run (and "
                "writes over what has changed), or name another folder."
            )


def _networks_of(looks: Collection[str]) -> set[str]:
    """What the regions of these looks, in files, are found by in other scenes; whether there are any is not known."""
    found: set[str] = set()
    with TemporaryDirectory(prefix="photostyle-batch-") as copies:
        for number, path in enumerate(looks):
            with suppress(PhotostyleError):  # what is wrong with it, its tasks will say; and tables have no regions
                look = load_look(storage.fetch(path, Path(copies) / str(number)))
                found.update(look.networks if isinstance(look, Look) else ())
    return found
