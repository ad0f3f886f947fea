"""Who is told what happens to a clip."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, TypeVar

from photostyle import Step, fetch_weights, finish
from photostyle.jobs.job import Report

T = TypeVar("T")
Tick = Callable[[int, int], None]
"""Told how many frames are done, and of how many (0: nobody knows)."""


class ClipReport(Report, Protocol):
    """A `Report` that counts frames too."""

    def counting(self, stage: str) -> AbstractContextManager[Tick]:
        """Within it the frames of a stage are counted."""


class Silence:
    """Nobody is told."""

    def note(self, sentence: str) -> None:
        """Kept back."""

    def follow(self, steps: Generator[Step, None, T], watch: Callable[[Step], None] | None = None) -> T:
        """`finish`."""
        return finish(steps, watch)

    def fetch(self, backbone: str) -> str:
        """`fetch_weights`."""
        return str(fetch_weights(backbone))

    @contextmanager
    def counting(self, stage: str) -> Iterator[Tick]:
        """Counted by nobody."""
        yield lambda done, of: None
