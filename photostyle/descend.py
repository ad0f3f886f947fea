"""Descent: an image follows an energy downhill, one `Step` at a time. Knows no style and no network.

L-BFGS (Nocedal & Wright, "Numerical Optimization", algorithm 7.4) is our own for one reason: nearly
all time goes into evaluations of the energy, and a backtracking search takes a single one per step
where the usual strong-Wolfe search takes two or more. It cannot diverge: a step is taken only if it
lowers the energy enough (Armijo), and only pairs of positive curvature enter the memory.

Adam (Kingma & Ba, arXiv 1412.6980, algorithm 1) is our own so that its state is a value like that of L-BFGS:
a descent that is kept between two steps (`Keeper`) goes on from there to the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal, Protocol

import torch
from torch import Tensor

from photostyle.energy import Energy, Extract
from photostyle.errors import DescentError

Optimizer = Literal["lbfgs", "adam"]
Point = tuple[float, Tensor, dict[str, float]]
Evaluate = Callable[[Tensor], Point]

_MEMORY = 20  # pairs of curvature kept by L-BFGS
_ARMIJO = 1e-4  # sufficient decrease, as a part of what the slope promises
_BACKTRACKS = 12
_BETA_1, _BETA_2 = 0.9, 0.99  # how long Adam's two means remember
_TINY = 1e-8  # Adam's ε
_RECENT = 11  # energies that are compared: ten steps lie between the first and the last


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


def finish(steps: Steps, watch: Callable[[Step], object] | None = None) -> Tensor:
    """Run a recipe to its end, hand each step to `watch`; returns the final image, 3×H×W."""
    while True:
        try:
            step = next(steps)
        except StopIteration as stop:
            result: Tensor = stop.value
            return result
        if watch:
            watch(step)


@dataclass(frozen=True)
class Place:
    """Where a descent has got to: all that its next step depends on. Its tensors never change.

    `slope` is that of the energy, `value`, at the `image`; both 3×H×W. `memory` holds what steps taught, the
    oldest first: for L-BFGS s, y and sᵀy, for Adam the means of slope and squared slope and their number.
    `energies` are those after each of the last eleven steps.
    """

    image: Tensor
    value: float
    slope: Tensor
    memory: tuple[tuple[Tensor, Tensor, float], ...] = ()
    iteration: int = 0
    energies: tuple[float, ...] = ()
    ended: bool = False


class Keeper(Protocol):
    """Who keeps places so that the descents of a recipe, one after another, can go on in another process."""

    def begin(self, image: Tensor) -> Place | None:
        """The next descent starts: where it had got to, on the device of `image`, or None."""

    def keep(self, place: Place, *, now: bool = False) -> None:
        """The descent is there; unless `now`, the keeper may wait for a later place."""


KEEPER: ContextVar[Keeper | None] = ContextVar("keeper", default=None)
"""Whom `descend` asks and tells, in this context."""


def descend(
    energy: Energy,
    extract: Extract,
    image: Tensor,
    *,
    stage: str,
    steps: int,
    optimizer: Optimizer = "lbfgs",
    rate: float = 0.02,
    tolerance: float = 0.0,
) -> Steps:
    """Minimise `energy` over the pixels of `image` (3×H×W), which is not changed itself.

    Stops after `steps` iterations, or when ten of them together lowered the energy by less than the
    part `tolerance`, or at a point from which no direction leads down. `rate` is Adam's learning rate.
    Raises DescentError, with the last good image, when the energy is not finite.
    """

    if not any(term.weight for term in energy.terms):
        return image

    def evaluate(x: Tensor) -> Point:
        x = x.detach().requires_grad_()
        parts = energy.parts(extract(x, energy.reads))
        total = torch.stack(list(parts.values())).sum()
        (slope,) = torch.autograd.grad(total, x)
        # contiguous, as a kept place is: the order in memory decides how sums are rounded
        slope = slope.contiguous()
        return float(total.detach()), slope, {name: float(part.detach()) for name, part in parts.items()}

    keeper = KEEPER.get()
    place = keeper.begin(image) if keeper else None
    if place is None:
        image = image.contiguous()
        value, slope, _ = _finite(evaluate(image), None)
        place = Place(image, value, slope)
    if place.ended:
        return place.image
    method = _lbfgs if optimizer == "lbfgs" else partial(_adam, rate=rate)
    walk = method(evaluate, place)
    try:
        while place.iteration < steps and not _stalls(place.energies, tolerance):
            taken = next(walk, None)
            if taken is None:
                break
            at, parts = taken
            energies = (*place.energies, at.value)[-_RECENT:]
            place = replace(at, iteration=place.iteration + 1, energies=energies)
            if keeper:
                keeper.keep(place)
            yield Step(stage, place.iteration, steps, place.image, parts)
        place = replace(place, memory=(), ended=True)
    finally:  # ended, closed or interrupted
        if keeper:
            keeper.keep(place, now=True)
    return place.image


def _stalls(energies: tuple[float, ...], tolerance: float) -> bool:
    return len(energies) == _RECENT and energies[0] - energies[-1] <= tolerance * abs(energies[0])


def _lbfgs(evaluate: Evaluate, place: Place) -> Iterator[tuple[Place, dict[str, float]]]:
    x, value, g, pairs = place.image, place.value, place.slope, place.memory
    while g.abs().max() > 0:
        p = -_inverse_hessian(g, pairs)
        slope = float(torch.sum(g * p))
        if slope >= 0:  # rounding spoilt the memory: forget it
            if not pairs:
                return  # the slope itself is lost in rounding
            pairs = ()
            continue
        # Without curvature the first step has no scale of its own: a twentieth of the range of pixels.
        t = 1.0 if pairs else 0.05 / float(g.abs().max())
        for _ in range(_BACKTRACKS):
            y_value, y_g, parts = evaluate(x + t * p)
            if y_value <= value + _ARMIJO * t * slope and bool(torch.isfinite(y_g).all()):
                break
            t *= _shrink(value, slope * t, y_value)
        else:
            if not pairs:
                _finite((y_value, y_g, parts), x)
                return  # downhill by slope, yet no step lowers it: as low as the numbers can tell
            pairs = ()
            continue
        s, y = t * p, y_g - g
        sy = float(torch.sum(s * y))
        if sy > 1e-10 * float(torch.sum(y * y)):
            pairs = (*pairs, (s, y, sy))[-_MEMORY:]
        x, value, g = x + s, y_value, y_g
        yield Place(x, value, g, pairs), parts


def _inverse_hessian(g: Tensor, pairs: tuple[tuple[Tensor, Tensor, float], ...]) -> Tensor:
    """H g by the two-loop recursion over pairs (s, y, sᵀy), oldest first."""
    q, α = g.clone(), []
    for s, y, sy in reversed(pairs):
        α.append(float(torch.sum(s * q)) / sy)
        q -= α[-1] * y
    if pairs:
        s, y, sy = pairs[-1]
        q *= sy / float(torch.sum(y * y))
    for (s, y, sy), a in zip(pairs, reversed(α), strict=True):
        q += (a - float(torch.sum(y * q)) / sy) * s
    return q


def _shrink(value: float, slope: float, there: float) -> float:
    """By how much to shorten a step that failed: the minimum of the parabola through what is known."""
    if not abs(there) < float("inf"):
        return 0.1
    return min(max(-slope / (2 * (there - value - slope)), 0.1), 0.5)


def _adam(evaluate: Evaluate, place: Place, rate: float) -> Iterator[tuple[Place, dict[str, float]]]:
    x, g = place.image, place.slope
    m, v, n = place.memory[0] if place.memory else (torch.zeros_like(g), torch.zeros_like(g), 0.0)
    while True:
        m, v, n = _BETA_1 * m + (1 - _BETA_1) * g, _BETA_2 * v + (1 - _BETA_2) * g.square(), n + 1
        m_hat, v_hat = m / (1 - _BETA_1**n), v / (1 - _BETA_2**n)
        y = x - rate * m_hat / (v_hat.sqrt() + _TINY)
        value, g, parts = _finite(evaluate(y), x)
        x = y
        yield Place(x, value, g, ((m, v, n),)), parts


def _finite(point: Point, good: Tensor | None) -> Point:
    value, slope, parts = point
    if not abs(value) < float("inf") or not bool(torch.isfinite(slope).all()):
        culprits = ", ".join(name for name, part in parts.items() if not abs(part) < float("inf"))
        raise DescentError(
            f"The energy is not finite ({culprits or 'its gradient'}): lower the weights or check the images.",
            good,
        )
    return point
