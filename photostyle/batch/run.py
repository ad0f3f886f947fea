"""Hands tasks to an engine, tries again what may help, and keeps the journal."""

from __future__ import annotations

import shutil
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

from photostyle.batch import storage
from photostyle.batch.journal import Journal, Record
from photostyle.batch.plan import Task
from photostyle.batch.work import Outcome

PART = ".photostyle-part"
"""Folder in the output folder: what is not whole yet."""

THREADS = 2
"""For each worker, if nothing is said: more of them make one photograph hardly faster."""


class Engine(Protocol):
    """Who does the tasks: here, in processes, or on a cluster; `threads` of each worker are 0 where nobody set them."""

    workers: int
    threads: int

    @property
    def free(self) -> bool:
        """Whether `start` may be called."""

    def start(self, task: Task) -> None:
        """Begin a task."""

    def wait(self) -> tuple[Task, Outcome]:
        """The next task that comes to an end, and how."""

    def close(self) -> None:
        """End whatever is still at work."""


@dataclass
class Progress:
    """How far a batch is."""

    total: int
    reused: int = 0
    done: int = 0
    failed: int = 0
    began: float = field(default_factory=monotonic)

    @property
    def left(self) -> int:
        """Tasks that are not at their end."""
        return self.total - self.reused - self.done - self.failed

    @property
    def rate(self) -> float:
        """Tasks per second, of those that were not there before."""
        return (self.done + self.failed) / max(monotonic() - self.began, 1e-3)

    @property
    def seconds_left(self) -> float | None:
        """What the rest will take, if the rate stays; None before there is one."""
        return self.left / self.rate if self.rate else None


Tell = Callable[[Record, Progress], None]


def unfinished(tasks: Sequence[Task], last: dict[str, Record]) -> list[Task]:
    """The tasks that are to be done: all but those that were done with the same key and whose result is still there."""
    return [task for task in tasks if not _is_done(task, last.get(task.output))]


def _is_done(task: Task, record: Record | None) -> bool:
    if record is None or record["state"] != "done" or record["key"] != task.key:
        return False
    return record.get("size") == storage.size(task.target)


def run(
    tasks: Sequence[Task],
    todo: Sequence[Task],
    engine: Engine,
    journal: Journal,
    part: Path | None,
    *,
    retries: int = 2,
    tell: Tell = lambda record, progress: None,
) -> dict[str, Any]:
    """Do the tasks of `todo`, out of all `tasks`, and report on all; `tell` is given each task as it ends.

    A task whose failure another try may mend gets at most `retries` more, after the others. `part` is the folder
    of what is not whole yet, None if the results are elsewhere. The report, ready for JSON: `counts` (done, reused,
    failed), `seconds`, `rate` (per second), `peak_memory_mb` (of the largest worker, 10⁶ bytes), and `tasks`:
    `output`, `content`, `state`, `attempts`, `seconds`, `reason`, `notes`.
    """
    rows = {task.output: _row(task, "reused") for task in tasks}
    progress, attempts, memory = Progress(len(tasks), len(tasks) - len(todo)), Counter[str](), 0
    if part:
        shutil.rmtree(part, ignore_errors=True)  # of a run that was killed
        todo = [replace(task, part=str(part)) for task in todo]
    queue, running = deque(todo), 0
    try:
        while queue or running:
            while queue and engine.free:
                task = queue.popleft()
                attempts[task.key] += 1
                journal.write(_row(task, "started", attempts[task.key]))
                engine.start(task)
                running += 1
            task, outcome = engine.wait()
            running -= 1
            memory = max(memory, outcome.memory)
            record = _row(task, "failed" if outcome.error else "done", attempts[task.key])
            record |= {"seconds": round(outcome.seconds, 3), "size": outcome.size, "notes": list(outcome.notes)}
            again = outcome.again and attempts[task.key] <= retries
            record |= {"reason": outcome.error, "again": again}
            journal.write(record)
            if again:
                queue.append(task)
            else:
                progress.done += not outcome.error
                progress.failed += bool(outcome.error)
            rows[task.output] = record
            tell(record, progress)
    finally:
        engine.close()
        if part:
            shutil.rmtree(part, ignore_errors=True)
    return {
        "counts": {"done": progress.done, "reused": progress.reused, "failed": progress.failed},
        "seconds": round(monotonic() - progress.began, 3),
        "rate": round(progress.rate, 4),
        "peak_memory_mb": memory / 1e6,
        "tasks": list(rows.values()),
    }


def _row(task: Task, state: str, attempts: int = 0) -> Record:
    return {
        "output": task.output,
        "content": task.files["content"],
        "state": state,
        "attempts": attempts,
        "key": task.key,
    }


def share(cores: int, most: int, workers: int | None, threads: int | None, cards: int = 0) -> tuple[int, int]:
    """Workers, at most `most`, and threads for each: what is not given follows from the cores and graphics `cards`."""
    workers = min(workers or cards or max(1, cores // (threads or THREADS)), max(1, most))
    return workers, threads or max(1, cores // workers)
