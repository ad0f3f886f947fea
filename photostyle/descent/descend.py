"""Descent: an unknown follows an energy downhill, one `Step` at a time. Knows no style and no network.

The unknown is an image, or whatever an image is computed from: `extract` tells the features of the one as of the other.

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
from typing import Literal, Protocol, TypeVar

import torch
from torch import Tensor

from photostyle.errors import DescentError
from photostyle.terms.energy import Energy, Extract, Features

Optimizer = Literal["lbfgs", "adam"]
T = TypeVar("T")

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


def finish(steps: Generator[Step, None, T], watch: Callable[[Step], object] | None = None) -> T:
    """Run a recipe to its end, hand each step to `watch`; returns what it returns, the final image or a look."""
    while True:
        try:
            step = next(steps)
        except StopIteration as stop:
            result: T = stop.value
            return result
        if watch:
            watch(step)


Memory = tuple[tuple[Tensor, Tensor, float], ...]

Metric = Callable[[Tensor], Tensor]
"""A slope → the direction of steepest ascent, of its shape: a symmetric, positive operator, exact or nearly so."""


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
class _Point:
    """The energy at an unknown: its value, slope and parts, and the picture there."""

    value: float
    slope: Tensor
    parts: dict[str, float]
    picture: Tensor


Evaluate = Callable[[Tensor], _Point]


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
    metric: Metric | None = None,
) -> Steps:
    """Minimise `energy` over the pixels of `image` (3×H×W), which is not changed itself; `walk` without its memory."""
    place = yield from walk(
        energy,
        extract,
        image,
        stage=stage,
        steps=steps,
        optimizer=optimizer,
        rate=rate,
        tolerance=tolerance,
        metric=metric,
    )
    return place.x


def walk(
    energy: Energy,
    extract: Extract,
    x: Tensor,
    *,
    stage: str,
    steps: int,
    optimizer: Optimizer = "lbfgs",
    rate: float = 0.02,
    tolerance: float = 0.0,
    first: float = 0.05,
    memory: Memory | None = None,
    metric: Metric | None = None,
    picture_of: Callable[[Tensor, Features], Tensor] | None = None,
) -> Generator[Step, None, Place]:
    """Minimise `energy` over the unknown `x`, which is not changed itself; returns the place where it ends.

    Stops after `steps` iterations, or when ten of them together lowered the energy by less than the
    part `tolerance`, or at a point from which no direction leads down. `rate` is Adam's learning rate, `first` the
    largest change of the first step of L-BFGS. A `memory` (which may be empty), what another descent in the same
    unknown has learned, is gone on with and returned; without (None) it is forgotten at the end, for it may be large.
    `metric` is what L-BFGS takes for the inverse of the Hessian, up to a factor, until it knows better; minima do not
    depend on it. Adam, which has a measure of its own for each pixel, takes none.
    `picture_of` x and its features is the picture that a step shows; x itself if None.
    Raises DescentError, with the last good picture, when the energy is not finite; ValueError for Adam with a metric.
    """
    if metric and optimizer == "adam":
        raise ValueError("Adam has a measure of its own for each pixel, and takes no metric.")

    def evaluate(x: Tensor) -> _Point:
        x = x.detach().requires_grad_()
        features = extract(x, energy.reads)
        parts = energy.parts(features)
        total = torch.stack([part.to(x.device) for part in parts.values()]).sum()
        (slope,) = torch.autograd.grad(total, x)
        # contiguous, as a kept place is: the order in memory decides how sums are rounded
        slope = slope.contiguous()
        numbers = {name: float(part.detach()) for name, part in parts.items()}
        picture = picture_of(x, features) if picture_of else x
        return _Point(float(total.detach()), slope, numbers, picture.detach())

    if not any(term.weight for term in energy.terms):
        return Place(x, 0.0, torch.zeros_like(x), ended=True)
    keeper = KEEPER.get()
    place, picture = keeper.begin(x) if keeper else None, None
    if place is None:
        x = x.contiguous()
        start = _finite(evaluate(x), None)
        place, picture = Place(x, start.value, start.slope, memory or ()), start.picture
    if place.ended:
        return place
    if optimizer == "lbfgs":
        path = _lbfgs(evaluate, place, picture, first, metric or _pixels)
    else:
        path = _adam(evaluate, place, picture, rate)
    try:
        while place.iteration < steps and not _stalls(place.energies, tolerance):
            taken = next(path, None)
            if taken is None:
                break
            at, point = taken
            energies = (*place.energies, at.value)[-_RECENT:]
            place = replace(at, iteration=place.iteration + 1, energies=energies)
            if keeper:
                keeper.keep(place)
            yield Step(stage, place.iteration, steps, point.picture, point.parts)
        place = replace(place, memory=() if memory is None else place.memory, ended=True)
    finally:  # ended, closed or interrupted
        if keeper:
            keeper.keep(place, now=True)
    return place


def _stalls(energies: tuple[float, ...], tolerance: float) -> bool:
    return len(energies) == _RECENT and energies[0] - energies[-1] <= tolerance * abs(energies[0])


def _pixels(g: Tensor) -> Tensor:
    """The metric to which all pixels are alike."""
    return g


def _lbfgs(
    evaluate: Evaluate, place: Place, picture: Tensor | None, first: float, metric: Metric
) -> Iterator[tuple[Place, _Point]]:
    x, value, g, pairs = place.x, place.value, place.slope, place.memory
    while g.abs().max() > 0:
        p = -_inverse_hessian(g, pairs, metric)
        slope = float(torch.sum(g * p))
        if slope >= 0:  # rounding spoilt the memory: forget it
            if not pairs:
                return  # the slope itself is lost in rounding
            pairs = ()
            continue
        # Without curvature the first step has no scale of its own.
        t = 1.0 if pairs else first / float(p.abs().max())
        for _ in range(_BACKTRACKS):
            point = evaluate(x + t * p)
            if point.value <= value + _ARMIJO * t * slope and bool(torch.isfinite(point.slope).all()):
                break
            t *= _shrink(value, slope * t, point.value)
        else:
            if not pairs:
                _finite(point, picture)
                return  # downhill by slope, yet no step lowers it: as low as the numbers can tell
            pairs = ()
            continue
        s, y = t * p, point.slope - g
        sy = float(torch.sum(s * y))
        if sy > 1e-10 * float(torch.sum(y * y)):
            pairs = (*pairs, (s, y, sy))[-_MEMORY:]
        x, value, g, picture = x + s, point.value, point.slope, point.picture
        yield Place(x, value, g, pairs), point


def _inverse_hessian(g: Tensor, pairs: Memory, metric: Metric) -> Tensor:
    """H g by the two-loop recursion over pairs (s, y, sᵀy), oldest first, from the metric in the scale of the last."""
    q, α = g.clone(), []
    for s, y, sy in reversed(pairs):
        α.append(float(torch.sum(s * q)) / sy)
        q -= α[-1] * y
    q = metric(q)
    if pairs:
        _, y, sy = pairs[-1]
        q *= sy / float(torch.sum(y * metric(y)))
    for (s, y, sy), a in zip(pairs, reversed(α), strict=True):
        q += (a - float(torch.sum(y * q)) / sy) * s
    return q


def _shrink(value: float, slope: float, there: float) -> float:
    """By how much to shorten a step that failed: the minimum of the parabola through what is known."""
    if not abs(there) < float("inf"):
        return 0.1
    return min(max(-slope / (2 * (there - value - slope)), 0.1), 0.5)


def _adam(evaluate: Evaluate, place: Place, picture: Tensor | None, rate: float) -> Iterator[tuple[Place, _Point]]:
    x, g = place.x, place.slope
    m, v, n = place.memory[0] if place.memory else (torch.zeros_like(g), torch.zeros_like(g), 0.0)
    while True:
        m, v, n = _BETA_1 * m + (1 - _BETA_1) * g, _BETA_2 * v + (1 - _BETA_2) * g.square(), n + 1
        m_hat, v_hat = m / (1 - _BETA_1**n), v / (1 - _BETA_2**n)
        x = x - rate * m_hat / (v_hat.sqrt() + _TINY)
        point = _finite(evaluate(x), picture)
        g, picture = point.slope, point.picture
        yield Place(x, point.value, g, ((m, v, n),)), point


def _finite(point: _Point, good: Tensor | None) -> _Point:
    if not abs(point.value) < float("inf") or not bool(torch.isfinite(point.slope).all()):
        culprits = ", ".join(name for name, part in point.parts.items() if not abs(part) < float("inf"))
        raise DescentError(
            f"The energy is not finite ({culprits or 'its gradient'}): lower the weights or check the images.",
            good,
        )
    return point
