"""A run that may end early: what is shown on the way, what is kept, and where it goes on."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Generator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from torch import Tensor

from photostyle import DescentError, Step, save_image
from photostyle.descent.checkpoint import Checkpoint
from photostyle.jobs.report import Report

T = TypeVar("T")

_LONGEST_NAME = 255  # bytes, on nearly all file systems


@dataclass(frozen=True)
class Kept:
    """The folder of a checkpoint, if there is to be one, and whether the job goes on from there (`resume`)."""

    folder: Path | None = None
    resume: bool = False


@dataclass
class Run:
    """How a recipe is followed to its end.

    `save` writes the best image so far into the file `partial`; `watch` sees every step; with a `keeper` the descents
    are kept, and go on from where it had got to.
    """

    report: Report
    partial: Path
    save: Callable[[Tensor], None]
    watch: Callable[[Step], None] | None = None
    keeper: Checkpoint | None = None

    def follow(self, steps: Generator[Step, None, T]) -> T:
        """`Report.follow`; before a DescentError or a KeyboardInterrupt goes on to the caller, the best is saved."""
        best: Tensor | None = None

        def see(step: Step) -> None:
            nonlocal best
            best = step.image
            if self.watch:
                self.watch(step)

        try:
            with self.keeper.keeping() if self.keeper else nullcontext():
                return self.report.follow(steps, see)
        except DescentError as error:
            if error.image is None:
                raise
            self.save(error.image)
            raise DescentError(f"{error} The last good image is in {self.partial}.", error.image) from error
        except KeyboardInterrupt:
            steps.close()
            if best is not None:
                self.save(best)
                self.report.note(f"The best so far is in {self.partial}.")
            if self.keeper:
                folder = self.keeper.folder
                self.report.note(f"To continue from here, repeat the command with --checkpoint {folder} --resume.")
            raise


def settle(
    values: dict[str, Any],
    size: int | None,
    kept: Kept,
    facts: Callable[[], Mapping[str, object]],
    report: Report,
) -> tuple[dict[str, Any], Checkpoint | None]:
    """The settings `values` with the `size` that memory allows, and the checkpoint of the job, if it is kept.

    `facts` tells what else its result depends on; it is asked only where the job is kept, for hashes take a moment. The
    user is told of a size that is lowered, and if there is nothing to go on from. Raises SettingsError as `Checkpoint`
    does.
    """
    keeper, asked = None, values.get("size")
    if kept.folder:
        keeper = Checkpoint(kept.folder, {**facts(), **values}, resume=kept.resume, choices={"size": size})
        if kept.resume and not keeper.found:
            report.note(f"Note: there is no checkpoint in {kept.folder} yet; this is the beginning.")
        size = keeper.choices["size"]  # the descents go on at the size that they began with
    if size == asked:
        return values, keeper
    report.note(f"Note: --size {asked} needs more memory than is free; it is lowered to {size}.")
    return values | {"size": size}, keeper


def partial_of(output: Path) -> Path:
    """Where the best image of a run that ends early is kept: beside its output."""
    if str(output) == "-":
        return Path("partial.png")
    ending = f"-partial{output.suffix}"
    stem = output.stem
    while len(os.fsencode(stem + ending)) > _LONGEST_NAME:
        stem = stem[:-1]
    return output.with_name(stem + ending)


@dataclass
class Previews:
    """Saves the image of every n-th step into a folder."""

    folder: Path
    every: int
    _seen: int = 0

    def __call__(self, step: Step) -> None:
        self._seen += 1
        if self._seen % self.every == 0:
            stage = re.sub(r"\W+", "-", step.stage)
            save_image(step.image, self.folder / f"{self._seen:04d}-{stage}.jpg")
