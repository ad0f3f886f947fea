"""Who is told what happens to a clip."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from photostyle.jobs import report
from photostyle.jobs.report import Report

Tick = Callable[[int, int], None]
"""Told how many frames are done, and of how many (0: nobody knows)."""


class ClipReport(Report, Protocol):
    """A `Report` that counts frames too."""

    def counting(self, stage: str) -> AbstractContextManager[Tick]:
        """Within it the frames of a stage are counted."""


class Silence(report.Silence):
    """Nobody is told."""

    @contextmanager
    def counting(self, stage: str) -> Iterator[Tick]:
        """Counted by nobody."""
        yield lambda done, of: None
