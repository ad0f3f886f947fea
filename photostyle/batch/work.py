"""One task, from its files to its result. `python -m photostyle.batch.work` does one after the other for `local`.

A line of JSON in for each task, a line out for its outcome; when the input ends, so does the process: who has
lost the one that hands out the tasks has no reason to go on.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from threading import Thread
from time import monotonic
from typing import Any

import torch

from photostyle import (
    PhotostyleError,
    SettingsError,
    __version__,
)
from photostyle.batch import storage
from photostyle.batch.plan import Task
from photostyle.bench.task import peak_memory
from photostyle.jobs import memory
from photostyle.jobs.apply import Apply, load_grade
from photostyle.jobs.pair import Pair
from photostyle.jobs.report import Silence
from photostyle.jobs.transfer import Transfer
from photostyle.network.network import Network


@dataclass(frozen=True)
class Outcome:
    """What became of a task: an `error` in a sentence, or the `size` of the result in bytes.

    `again` says that another try may help: the error is not the user's. `memory` is the most that the process has
    held so far, bytes; `notes` are what the user would have been told.
    """

    error: str = ""
    again: bool = False
    size: int = 0
    seconds: float = 0.0
    memory: int = 0
    notes: tuple[str, ...] = ()


def perform(task: Task) -> Outcome:
    """Make the result of a task. Whatever happens is an outcome: the other tasks go on."""
    began, report = monotonic(), _Notes()
    error, again, size = "", False, 0
    try:
        with memory.explained():
            size = _perform(task, report)
    except PhotostyleError as mistake:
        error, again = str(mistake), _passing(mistake.__cause__)
    except Exception as failure:
        error, again = f"{type(failure).__name__}: {failure}", _passing(failure)
    return Outcome(
        " ".join(error.split()), again, size, monotonic() - began, peak_memory(), tuple(dict.fromkeys(report.notes))
    )


def _passing(error: BaseException | None) -> bool:
    """Whether an error may be gone at the next try: a disk, a network or memory, but not a file that is not there."""
    lasting = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError)
    if isinstance(error, OSError):
        return error.errno is not None and not isinstance(error, lasting)  # Pillow's own have no number
    return isinstance(error, MemoryError | torch.OutOfMemoryError)


def _perform(task: Task, report: _Notes) -> int:
    if task.version != __version__:
        raise SettingsError(f"photostyle is {__version__} here and {task.version} where the batch was planned.")
    with TemporaryDirectory(prefix="photostyle-batch-") as copies:
        files = {role: storage.fetch(path, Path(copies) / role) for role, path in task.files.items()}
        place = Path(task.part or copies) / task.key
        place.mkdir(parents=True, exist_ok=True)
        made = place / Path(task.output).name
        folder = storage.parent(task.target)
        try:
            (_apply if "look" in files else _transfer)(task, files, made, report)
        except PhotostyleError as error:
            # the last good image of a descent, which `Transfer` keeps beside its output
            words = str(error).replace(str(place), folder)
            raise type(error)(words) from error.__cause__
        else:
            size = made.stat().st_size
            storage.put(made, task.target)
            return size
        finally:
            for file in place.glob("*-partial.*"):
                storage.put(file, storage.join(folder, file.name))
            shutil.rmtree(place, ignore_errors=True)


def _transfer(task: Task, files: dict[str, Path], made: Path, report: _Notes) -> None:
    options = dict(task.options)
    match, drop = options.pop("match"), options.pop("drop")
    labels = files.get("content_regions"), files.get("style_regions")
    pair = Pair(files["content"], [files["style"]], *labels, match, drop)
    network = Network(*(options.pop(name) for name in ("backbone", "weights_path", "pooling", "device")))
    Transfer(pair, made, network=network, strengths=(options.pop("strength"),), **options).run(report)


def _apply(task: Task, files: dict[str, Path], made: Path, report: _Notes) -> None:
    names = {role: task.files[role] for role in ("look", "content")}
    grade = load_grade(files["look"], report)
    Apply(**task.options).to_file(grade, files["content"], made, report, names)


class _Notes(Silence):
    """A `Report` that keeps what is said, and shows no progress."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, sentence: str) -> None:
        self.notes.append(sentence)


def serve() -> None:
    """Tasks in, outcomes out, until the input ends."""
    for name in (signal.SIGINT, signal.SIGTERM):  # which reach all processes of a terminal or of a cluster's job
        signal.signal(name, signal.SIG_IGN)  # who starts them decides
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print is no outcome
    tasks: SimpleQueue[dict[str, Any]] = SimpleQueue()

    def listen() -> None:
        for line in sys.stdin:
            tasks.put(json.loads(line))
        os._exit(0)  # also in the middle of a task

    Thread(target=listen, daemon=True).start()
    while True:
        print(json.dumps(asdict(perform(Task(**tasks.get())))), file=answers, flush=True)


if __name__ == "__main__":
    serve()
