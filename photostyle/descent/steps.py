"""What a descent, or any recipe, yields: its steps, and how they are followed to the end."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from torch import Tensor

T = TypeVar("T")


@dataclass(frozen=True)
class Step:
    """One step of a recipe: `image` is 3×H×W sRGB, a live view that whoever keeps it copies.

    `parts` maps each energy term's name to its weighted value; `of` is the number of steps planned
    for the stage (it may end sooner), 0 where nobody knows.
    """

    stage: str
    iteration: int
    of: int
    image: Tensor
    parts: Mapping[str, float] = field(default_factory=dict)

    @property
    def energy(self) -> float:
        return sum(self.parts.values())


Steps = Generator[Step, None, Tensor]
"""Yields every step, returns the final image."""


def finish(steps: Generator[Step, None, T], watch: Callable[[Step], object] | None = None) -> T:
    """Run a recipe to its end, hand each step to `watch`; returns what it returns, the final image or a look.

    >>> import torch
    >>> def two_steps() -> Steps:
    ...     yield Step("first", 1, 2, torch.zeros(3, 1, 1), {"style": 0.5})
    ...     yield Step("first", 2, 2, torch.ones(3, 1, 1), {"style": 0.1})
    ...     return torch.ones(3, 1, 1)
    >>> finish(two_steps(), watch=lambda step: print(step.iteration, step.energy)).shape
    1 0.5
    2 0.1
    torch.Size([3, 1, 1])
    """
    while True:
        try:
            step = next(steps)
        except StopIteration as stop:
            result: T = stop.value
            return result
        if watch:
            watch(step)
