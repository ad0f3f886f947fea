"""One thread that does one job at a time, in the order in which they came."""

from __future__ import annotations

import secrets
import threading
from collections import deque
from collections.abc import Callable, Generator, Hashable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Literal, TypeVar

from photostyle import PhotostyleError, Step, fetch_weights, finish
from photostyle.studio.pixels import jpeg
from photostyle.studio.words import spoken

T = TypeVar("T")

State = Literal["waiting", "running", "done", "failed", "cancelled"]
Spent = list[tuple[str, float]]
"""The stages of a job and the seconds each took."""

_LIVE_SIZE = 480  # long side of the pictures shown while a job runs
_LIVE_PAUSE = 0.7  # seconds between two of them
_CANCELLED = "Cancelled."
_BY_PIXELS = {"reading the photographs", "finishing"}  # stages that take longer the larger the photograph is
_SURE = 0.95  # of a stage, which the clock alone never takes for done


@dataclass(frozen=True)
class Pace:
    """Of which kind a job is: equal ones take about the same time, those of a family do but for their size."""

    family: Hashable
    facts: Hashable = None
    pixels: float = 0.0  # of the photograph, 0 where it makes no difference


class Cancelled(Exception):
    """The user no longer wants it."""


@dataclass(eq=False)
class Task:
    """A job, and the `photostyle.jobs.report.Report` of its work: what it tells is read while it runs."""

    kind: str
    work: Callable[[Task], dict[str, Any]]
    pace: Pace | None = None
    order: object = None  # tasks that are equal in this make the same picture
    id: str = field(default_factory=lambda: secrets.token_urlsafe(9))
    state: State = "waiting"
    stage: str = ""
    iteration: int = 0
    of: int = 0
    notes: list[str] = field(default_factory=list)
    error: str = ""
    outcome: dict[str, Any] = field(default_factory=dict)
    live: bytes = b""
    live_number: int = 0
    expected: list[float] = field(default_factory=list)  # seconds of each stage, from a task like this one
    spent: Spent = field(default_factory=list)
    _began: float = 0.0
    _stage_began: float = 0.0
    _ended: float = 0.0
    _unwanted: threading.Event = field(default_factory=threading.Event)

    @property
    def is_over(self) -> bool:
        return self.state in ("done", "failed", "cancelled")

    def cancel(self) -> None:
        """A task that waits never starts; one that runs ends at its next step."""
        self._unwanted.set()

    def check(self) -> None:
        """Raises Cancelled if it was."""
        if self._unwanted.is_set():
            raise Cancelled

    def enter(self, stage: str) -> None:
        """A new part of the work begins."""
        self.check()
        now = monotonic()
        if self.stage:
            self.spent.append((self.stage, now - self._stage_began))
        self.stage, self.iteration, self.of, self._stage_began = stage, 0, 0, now

    def note(self, sentence: str) -> None:
        """A sentence for the user."""
        self.notes.append(sentence)

    def follow(self, steps: Generator[Step, None, T], watch: Callable[[Step], None] | None = None) -> T:
        """Run a recipe to its end and return its image; raises Cancelled, and closes the recipe, if it is unwanted."""
        shown = monotonic()

        def show(step: Step) -> None:
            nonlocal shown
            if step.stage != self.stage:
                self.enter(step.stage)
            self.check()
            self.iteration, self.of = step.iteration, step.of
            if monotonic() - shown >= _LIVE_PAUSE:
                self.live = jpeg(step.image, _LIVE_SIZE)
                self.live_number += 1
                shown = monotonic()
            if watch:
                watch(step)

        try:
            return finish(steps, show)
        finally:
            steps.close()

    def fetch(self, backbone: str) -> str:
        """`fetch_weights`, with its progress as this task's."""
        self.enter(f"fetching the network {backbone}")

        def progress(done: int, total: int | None) -> None:
            self.check()
            self.iteration, self.of = done, total or 0

        return str(fetch_weights(backbone, progress))

    def run(self) -> None:
        """Do the work; whatever it raises becomes the task's state."""
        self.state, self._began = "running", monotonic()
        try:
            self.check()
            self.outcome = self.work(self)
            self.enter("")
            self.state = "done"
        except Cancelled:
            self.state, self.error = "cancelled", _CANCELLED
        except PhotostyleError as error:
            self.state, self.error = "failed", spoken(str(error))
        except MemoryError:
            self.state, self.error = "failed", "There is not enough memory: choose a smaller photograph or size."
        except Exception as error:
            # a fault of ours must not end the thread that everybody waits for
            self.state, self.error = "failed", f"An error that should not happen: {type(error).__name__}: {error}"
        finally:
            self._ended = monotonic()

    def left(self) -> tuple[float, float | None]:
        """The part that is done, in [0, 1], and the seconds that are left, None as long as nobody knows.

        Without a task like it to compare with, only the part of this stage is known.
        """
        if self.state != "running":
            return float(self.state == "done"), None
        part = self.iteration / self.of if self.of else 0.0
        at, total = len(self.spent), sum(self.expected)
        if not total or at >= len(self.expected):
            return part, None
        now, stage = monotonic(), self.expected[at]
        if not self.of:
            part = min(_SURE, (now - self._stage_began) / stage) if stage else _SURE
        done = sum(self.expected[:at]) + part * stage
        pace = (now - self._began) / done if self.of and done > 0.1 * total else 1.0
        return done / total, max(0.0, pace * (total - done))

    def facts(self, place: int) -> dict[str, Any]:
        """The task as JSON; `place` is how many go before it."""
        part, seconds = self.left()
        return {
            "id": self.id,
            "kind": self.kind,
            "state": self.state,
            "before": place,
            "stage": self.stage,
            "iteration": self.iteration,
            "of": self.of,
            "part": round(part, 4),
            "whole": bool(self.expected),  # the part is that of the whole job, not of its stage
            "seconds_left": None if seconds is None else round(seconds, 1),
            "live": self.live_number,
            "notes": self.notes,
            "error": self.error,
            "seconds": round((self._ended or monotonic()) - self._began, 1) if self._began else 0,
            "outcome": self.outcome,
        }


class Worker:
    """The queue and its thread."""

    def __init__(self, most: int = 128) -> None:
        self._most = most
        self._waiting: deque[Task] = deque()
        self._running: Task | None = None
        self._paces: dict[Pace, Spent] = {}
        self._wake = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="studio-worker", daemon=True)
        self._thread.start()

    def submit(self, task: Task) -> None:
        """Queue a task; raises PhotostyleError if too many wait already."""
        with self._wake:
            if len(self._waiting) >= self._most:
                raise PhotostyleError(f"{self._most} jobs are waiting already: try again when some are done.")
            task.expected = self._expected(task.pace)
            self._waiting.append(task)
            self._wake.notify()

    def cancel(self, task: Task) -> None:
        """End a task, whether it waits or runs."""
        task.cancel()
        with self._wake:
            if task in self._waiting:
                self._waiting.remove(task)
                task.state, task.error = "cancelled", _CANCELLED

    def learn(self, pace: Pace | None, spent: Spent) -> None:
        """So long a job of that kind has taken."""
        if pace:
            self._paces.pop(pace, None)  # the newest is the last
            self._paces[pace] = spent

    def _expected(self, pace: Pace | None) -> list[float]:
        if pace is None:
            return []
        if pace in self._paces:
            return [seconds for _, seconds in self._paces[pace]]
        for known, spent in reversed(self._paces.items()):
            if known.family == pace.family:
                scale = pace.pixels / known.pixels if known.pixels else 1.0
                return [seconds * (scale if stage in _BY_PIXELS else 1.0) for stage, seconds in spent]
        return []

    def place(self, task: Task) -> int:
        """How many tasks go before this one."""
        with self._wake:
            if task not in self._waiting:
                return 0
            return self._waiting.index(task) + (self._running is not None)

    def close(self) -> None:
        """Cancel everything and wait for the thread."""
        with self._wake:
            self._closed = True
            for task in (*self._waiting, *([self._running] if self._running else [])):
                task.cancel()
            self._wake.notify()
        self._thread.join(timeout=30)

    def _work(self) -> None:
        while True:
            with self._wake:
                while not self._waiting and not self._closed:
                    self._wake.wait()
                if not self._waiting:
                    return
                task = self._running = self._waiting.popleft()
            task.run()
            with self._wake:
                self._running = None
                if task.state == "done":
                    self.learn(task.pace, task.spent)
