"""L-BFGS (Nocedal & Wright, "Numerical Optimization", algorithm 7.4), of our own for one reason.

Nearly all time goes into evaluations of the energy, and a backtracking search takes a single one per step where the
usual strong-Wolfe search takes two or more. It cannot diverge: a step is taken only if it lowers the energy enough
(Armijo), and only pairs of positive curvature enter the memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from photostyle.descent.place import Evaluate, Memory, Place, Point, finite

_MEMORY = 20  # pairs of curvature kept by L-BFGS
_ARMIJO = 1e-4  # sufficient decrease, as a part of what the slope promises
_BACKTRACKS = 12
Metric = Callable[[Tensor], Tensor]
"""A slope → the direction of steepest ascent, of its shape: a symmetric, positive operator, exact or nearly so."""


def lbfgs(
    evaluate: Evaluate, place: Place, picture: Tensor | None, first: float, metric: Metric
) -> Iterator[tuple[Place, Point]]:
    """Steps from a place for as long as one leads down: yields where each ends, and the energy there.

    `first` is the largest change of the first step; `metric` is what is taken for the inverse of the Hessian, up to a
    factor, until the pairs know better.
    """
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
                finite(point, picture)
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
