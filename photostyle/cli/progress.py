"""What a command tells while it works, on stderr: one bar on a terminal, elsewhere a line now and then."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import AbstractContextManager, contextmanager
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

from rich import progress as rich
from rich.console import Console, RenderableType
from rich.text import Text

from photostyle import cached_path, fetch_weights, finish

if TYPE_CHECKING:
    from photostyle import Step

T = TypeVar("T")

Show = Callable[[str, int, int, str], None]
"""A stage, how much of it is done, of how much (0: nobody knows), and what else there is to say."""

_PAUSE = 5.0  # seconds between two plain lines of a stage


class Report:
    """Progress and notices of one command; `quiet` keeps all of it back, `verbose` adds the energies of its steps."""

    def __init__(self, quiet: bool = False, verbose: bool = False) -> None:
        self._verbose = verbose
        self._console = Console(stderr=True, quiet=quiet, highlight=False, soft_wrap=True)
        self._bars = self._console.is_terminal and not quiet

    def note(self, sentence: str) -> None:
        """One line that the user should see."""
        self._console.print(sentence, markup=False)

    def follow(self, steps: Generator[Step, None, T], watch: Callable[[Step], None] | None = None) -> T:
        """Run a recipe to its end: show each step, then hand it to `watch`; returns what it does."""
        with self._shown() as show:

            def both(step: Step) -> None:
                show(step.stage, step.iteration, step.of, equation(step) if self._verbose else "")
                if watch:
                    watch(step)

            return finish(steps, both)

    @contextmanager
    def counting(self, stage: str) -> Generator[Callable[[int, int], None], None, None]:
        """Within it frames are counted: call it with how many are done, and of how many (0: nobody knows)."""
        first, began = 0, monotonic()
        with self._shown() as show:

            def tick(done: int, of: int) -> None:
                nonlocal first, began
                if not first:  # those before were made in another run
                    first, began = done, monotonic()
                elif done > first:
                    show(stage, done, of, f"{(done - first) / (monotonic() - began):.1f} frames/s")

            yield tick

    def fetch(self, backbone: str) -> str:
        """`fetch_weights` with progress; returns where the weights are."""
        folder = cached_path(backbone).parent
        self.note(f"Fetching and verifying the weights {backbone} into {folder} …")
        with rich.Progress(console=self._console, disable=not self._bars, transient=True) as bars:
            task = bars.add_task(backbone, total=None)
            return str(fetch_weights(backbone, lambda done, total: bars.update(task, completed=done, total=total)))

    def _shown(self) -> AbstractContextManager[Show]:
        return _bars(self._console) if self._bars else _lines(self._console)


def equation(step: Step) -> str:
    """The energy of a step and its parts: `energy 0.7 = style 0.6 + matting 0.1`."""
    parts = " + ".join(f"{name} {value:.3g}" for name, value in step.parts.items())
    return f"energy {step.energy:.3g} = {parts}" if parts else ""


class _Bars(rich.Progress):
    """The bar of the stage that runs, and below it what else there is to say."""

    words = ""

    def get_renderables(self) -> Iterable[RenderableType]:
        yield from super().get_renderables()
        if self.words:
            yield Text(self.words, style="dim")


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

        def show(stage: str, done: int, of: int, words: str) -> None:
            if not bars.tasks or bars.tasks[-1].description != stage:
                complete()
                bars.add_task(stage, total=of or None)
            bars.update(bars.tasks[-1].id, completed=done)
            bars.words = words

        def complete() -> None:
            """A stage may end before its last step."""
            if bars.tasks:
                bars.update(bars.tasks[-1].id, total=bars.tasks[-1].completed, visible=False)

        yield show
        complete()


@contextmanager
def _lines(console: Console) -> Generator[Show, None, None]:
    now, first, began, seen, spoken = "", 0, monotonic(), monotonic(), 0.0

    def show(stage: str, done: int, of: int, words: str) -> None:
        nonlocal now, first, began, seen, spoken
        if stage != now:
            now, first, began, spoken = stage, done - 1, seen, seen
        seen = monotonic()
        if seen - spoken >= _PAUSE or done == of:
            spent = seen - began
            left = spent / (done - first) * max(0, of - done)
            where = ", ".join(filter(None, (f"{done}/{of}" if of else f"{done}", words)))
            console.print(f"{stage}: {where} ({spent:.0f} s, {left:.0f} s left)", markup=False)
            spoken = seen

    yield show
