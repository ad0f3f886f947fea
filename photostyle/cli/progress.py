"""What a command tells while it works, on stderr: bars on a terminal, elsewhere a line now and then."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

from rich import progress as rich
from rich.console import Console, RenderableType
from rich.text import Text

from photostyle import cached_path, fetch_weights, finish

if TYPE_CHECKING:
    from photostyle import Step

T = TypeVar("T")

Show = Callable[["Step"], None]

_PAUSE = 5.0  # seconds between two plain lines of a stage


class Report:
    """Progress and notices of one command; `quiet` keeps all of it back."""

    def __init__(self, quiet: bool = False) -> None:
        self._console = Console(stderr=True, quiet=quiet, highlight=False, soft_wrap=True)
        self._bars = self._console.is_terminal and not quiet

    def note(self, sentence: str) -> None:
        """One line that the user should see."""
        self._console.print(sentence, markup=False)

    def follow(self, steps: Generator[Step, None, T], watch: Show | None = None) -> T:
        """Run a recipe to its end: show each step, then hand it to `watch`; returns what it does."""
        with _bars(self._console) if self._bars else _lines(self._console) as show:

            def both(step: Step) -> None:
                show(step)
                if watch:
                    watch(step)

            return finish(steps, both)

    def fetch(self, backbone: str) -> str:
        """`fetch_weights` with progress; returns where the weights are."""
        folder = cached_path(backbone).parent
        self.note(f"Fetching and verifying the weights {backbone} into {folder} …")
        with rich.Progress(console=self._console, disable=not self._bars, transient=True) as bars:
            task = bars.add_task(backbone, total=None)
            return str(fetch_weights(backbone, lambda done, total: bars.update(task, completed=done, total=total)))


def equation(step: Step) -> str:
    """The energy of a step and its parts: `energy 0.7 = style 0.6 + matting 0.1`."""
    parts = " + ".join(f"{name} {value:.3g}" for name, value in step.parts.items())
    return f"energy {step.energy:.3g} = {parts}" if parts else ""


class _Bars(rich.Progress):
    """A bar for each stage, and below them the energy."""

    energy = ""

    def get_renderables(self) -> Iterable[RenderableType]:
        yield from super().get_renderables()
        if self.energy:
            yield Text(self.energy, style="dim")


@contextmanager
def _bars(console: Console) -> Generator[Show, None, None]:
    columns = (
        rich.TextColumn("{task.description}"),
        rich.BarColumn(),
        rich.MofNCompleteColumn(),
        rich.TimeElapsedColumn(),
        rich.TimeRemainingColumn(),
        rich.TextColumn("left", style="progress.remaining"),
    )
    with _Bars(*columns, console=console) as bars:

        def show(step: Step) -> None:
            if not bars.tasks or bars.tasks[-1].description != step.stage:
                complete()
                bars.add_task(step.stage, total=step.of or None)
            bars.update(bars.tasks[-1].id, completed=step.iteration)
            bars.energy = equation(step)

        def complete() -> None:
            """A stage may end before its last step."""
            if bars.tasks:
                bars.update(bars.tasks[-1].id, total=bars.tasks[-1].completed)

        yield show
        complete()


@contextmanager
def _lines(console: Console) -> Generator[Show, None, None]:
    stage, began, seen, spoken = "", monotonic(), monotonic(), 0.0

    def show(step: Step) -> None:
        nonlocal stage, began, seen, spoken
        if step.stage != stage:
            stage, began, spoken = step.stage, seen, seen
        seen = monotonic()
        if seen - spoken >= _PAUSE or step.iteration == step.of:
            spent = seen - began
            left = spent / step.iteration * max(0, step.of - step.iteration)
            of = f"/{step.of}" if step.of else ""
            where = ", ".join(filter(None, (f"{step.iteration}{of}", equation(step))))
            console.print(f"{stage}: {where} ({spent:.0f} s, {left:.0f} s left)", markup=False)
            spoken = seen

    yield show
