"""Descent: an image follows an energy downhill, one `Step` at a time. Knows no style and no network.

L-BFGS (Nocedal & Wright, "Numerical Optimization", algorithm 7.4) is our own for one reason: nearly
all time goes into evaluations of the energy, and a backtracking search takes a single one per step
where the usual strong-Wolfe search takes two or more. It cannot diverge: a step is taken only if it
lowers the energy enough (Armijo), and only pairs of positive curvature enter the memory.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Literal

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
        return float(total.detach()), slope, {name: float(part.detach()) for name, part in parts.items()}

    method = _lbfgs(evaluate, image) if optimizer == "lbfgs" else _adam(evaluate, image, rate)
    history: deque[float] = deque(maxlen=11)
    x = image
    for iteration, (x, parts) in zip(range(1, steps + 1), method, strict=False):
        yield Step(stage, iteration, steps, x, parts)
        history.append(sum(parts.values()))
        if len(history) == history.maxlen and history[0] - history[-1] <= tolerance * abs(history[0]):
            break
    return x


def _lbfgs(evaluate: Evaluate, x: Tensor) -> Generator[tuple[Tensor, dict[str, float]], None, None]:
    pairs: deque[tuple[Tensor, Tensor, float]] = deque(maxlen=_MEMORY)
    value, g, parts = _finite(evaluate(x), None)
    while g.abs().max() > 0:
        p = -_inverse_hessian(g, pairs)
        slope = float(torch.sum(g * p))
        if slope >= 0:  # rounding spoilt the memory: forget it
            if not pairs:
                return  # the slope itself is lost in rounding
            pairs.clear()
            continue
        # Without curvature the first step has no scale of its own: a twentieth of the range of pixels.
        t = 1.0 if pairs else 0.05 / float(g.abs().max())
        for _ in range(_BACKTRACKS):
            y_value, y_g, y_parts = evaluate(x + t * p)
            if y_value <= value + _ARMIJO * t * slope and bool(torch.isfinite(y_g).all()):
                break
            t *= _shrink(value, slope * t, y_value)
        else:
            if not pairs:
                _finite((y_value, y_g, y_parts), x)
                return  # downhill by slope, yet no step lowers it: as low as the numbers can tell
            pairs.clear()
            continue
        s, y = t * p, y_g - g
        sy = float(torch.sum(s * y))
        if sy > 1e-10 * float(torch.sum(y * y)):
            pairs.append((s, y, sy))
        x, value, g, parts = x + s, y_value, y_g, y_parts
        yield x, parts


def _inverse_hessian(g: Tensor, pairs: deque[tuple[Tensor, Tensor, float]]) -> Tensor:
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


def _adam(evaluate: Evaluate, x: Tensor, rate: float) -> Generator[tuple[Tensor, dict[str, float]], None, None]:
    x = x.clone()
    _, x.grad, _ = _finite(evaluate(x), None)
    adam = torch.optim.Adam([x], lr=rate, betas=(0.9, 0.99))
    while True:
        good = x.clone()
        adam.step()
        _, x.grad, parts = _finite(evaluate(x), good)
        yield x, parts


def _finite(point: Point, good: Tensor | None) -> Point:
    value, slope, parts = point
    if not abs(value) < float("inf") or not bool(torch.isfinite(slope).all()):
        culprits = ", ".join(name for name, part in parts.items() if not abs(part) < float("inf"))
        raise DescentError(
            f"The energy is not finite ({culprits or 'its gradient'}): lower the weights or check the images.",
            good,
        )
    return point
