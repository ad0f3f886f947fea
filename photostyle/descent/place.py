"""Where a descent has got to, as a value, and who keeps it."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from photostyle.errors import DescentError

Memory = tuple[tuple[Tensor, Tensor, float], ...]


@dataclass(frozen=True)
class Place:
    """Where a descent has got to: all that its next step depends on. Its tensors never change.

    `slope` is that of the energy, `value`, at the unknown `x`; both of one shape. `memory` holds what steps taught, the
    oldest first: for L-BFGS s, y and sᵀy, for Adam the means of slope and squared slope and their number.
    `energies` are those after each of the last eleven steps.
    """

    x: Tensor
    value: float
    slope: Tensor
    memory: Memory = ()
    iteration: int = 0
    energies: tuple[float, ...] = ()
    ended: bool = False


class Keeper(Protocol):
    """Who keeps places so that the descents of a recipe, one after another, can go on in another process."""

    def begin(self, x: Tensor) -> Place | None:
        """The next descent starts: where it had got to, on the device of `x`, or None."""

    def keep(self, place: Place, *, now: bool = False) -> None:
        """The descent is there; unless `now`, the keeper may wait for a later place."""


KEEPER: ContextVar[Keeper | None] = ContextVar("keeper", default=None)
"""Whom `descend` asks and tells, in this context."""


@dataclass(frozen=True)
class Point:
    """The energy at an unknown: its value, slope and parts, and the picture there."""

    value: float
    slope: Tensor
    parts: dict[str, float]
    picture: Tensor


Evaluate = Callable[[Tensor], Point]


def finite(point: Point, good: Tensor | None) -> Point:
    """The point; raises DescentError, with the last `good` picture, if its energy or slope is not finite."""
    if not abs(point.value) < float("inf") or not bool(torch.isfinite(point.slope).all()):
        culprits = ", ".join(name for name, part in point.parts.items() if not abs(part) < float("inf"))
        raise DescentError(
            f"The energy is not finite ({culprits or 'its gradient'}): lower the weights or check the images.",
            good,
        )
    return point
