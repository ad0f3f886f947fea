"""Who is told what happens in a job: a command line, a page, a journal."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import Protocol, TypeVar

from photostyle import Step, fetch_weights, finish, is_cached

T = TypeVar("T")


class Report(Protocol):
    """What a job says while it runs."""

    def note(self, sentence: str) -> None:
        """One line that the user should see."""

    def follow(self, steps: Generator[Step, None, T], watch: Callable[[Step], None] | None = None) -> T:
        """`finish`, in the user's sight."""

    def fetch(self, backbone: str) -> str:
        """`fetch_weights` in the user's sight; returns where the weights are."""


class Silence:
    """A `Report` that tells nobody."""

    def note(self, sentence: str) -> None:
        """Kept back."""

    def follow(self, steps: Generator[Step, None, T], watch: Callable[[Step], None] | None = None) -> T:
        """`finish`."""
        return finish(steps, watch)

    def fetch(self, backbone: str) -> str:
        """`fetch_weights`."""
        return str(fetch_weights(backbone))


def tell(notes: Iterable[str], report: Report) -> None:
    """Sentences about what is out of the ordinary, but no mistake."""
    for note in notes:
        report.note(f"Note: {note}")


def have_weights(report: Report, *backbones: str) -> None:
    """Fetch those weights that are not in the cache yet, in the user's sight: it takes a while."""
    for backbone in backbones:
        if not is_cached(backbone):
            report.fetch(backbone)
