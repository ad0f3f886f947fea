"""Unbalanced optimal transport between two clouds of points, with entropy.

    OT(x, y) = min_P  Σ P_ij C_ij + ε KL(P | a bᵀ) + τ KL(P𝟙 | a) + τ KL(Pᵀ𝟙 | b)

Points may be left where they are: what the other cloud has no room for costs at most τ, and need not travel. (Chizat,
Peyré, Schmitzer & Vialard, "Scaling Algorithms for Unbalanced Optimal Transport", 2018; Séjourné, Feydy, Vialard,
Trouvé & Peyré, "Sinkhorn Divergences for Unbalanced Optimal Transport", 2019.) Points are columns, all of equal weight;
C is the squared distance, plus what a caller adds to it. In float64 on the processor: the clouds are small, and
exp(−C/ε) needs the range.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

_ITERATIONS = 30
_ITERATIONS_OF_ONE = 15  # of a cloud with itself, which converges at once


def squared_distances(x: Tensor, y: Tensor) -> Tensor:
    """‖x_i − y_j‖² of points d×n and d×m: n×m."""
    return torch.cdist(x.T, y.T).square()


def plan(C: Tensor, ε: float, τ: float | None) -> tuple[Tensor, Tensor, Tensor]:
    """The plan P (n×m) for costs C, and the potentials f (n) and g (m) of its two sides; τ None: nothing stays.

    With r = τ / (τ + ε):  u ← (1 / K (v/m))^r,  v ← (1 / Kᵀ (u/n))^r,  K = exp(−C/ε),  f = ε log u,  g = ε log v.
    """
    n, m = C.shape
    r = 1.0 if τ is None else τ / (τ + ε)
    K = (-C / ε).exp()
    u, v = C.new_ones(n), C.new_ones(m)
    for _ in range(_ITERATIONS):
        u = (K @ v / m).clamp(min=1e-300) ** -r
        v = (u @ K / n).clamp(min=1e-300) ** -r
    return u[:, None] * K * v / (n * m), ε * u.log(), ε * v.log()


def self_plan(C: Tensor, ε: float, τ: float | None) -> tuple[Tensor, Tensor]:
    """`plan` of a cloud with itself, symmetric: P (n×n) and its one potential f (n). Feydy et al. 2019, eq. 30."""
    n = len(C)
    r = 1.0 if τ is None else τ / (τ + ε)
    K = (-C / ε).exp()
    u = C.new_ones(n)
    for _ in range(_ITERATIONS_OF_ONE):
        u = (u * (K @ u / n).clamp(min=1e-300) ** -r).sqrt()
    return u[:, None] * K * u / (n * n), ε * u.log()


def targets(x: Tensor, y: Tensor, extra: Tensor, own: Tensor, ε: float, τ: float | None) -> tuple[Tensor, Tensor]:
    """Where the points x (d×n) are drawn to among y (d×m), d×n, and how strongly each (n, sums to 1).

    Each goes to the mean of its partners, less what the entropy alone would move it (debiased): if y is x, nothing
    moves. `extra` (n×m) is added to the costs, `own` (n×n) to those of x with itself.
    """
    P, _, _ = plan(squared_distances(x, y) + extra, ε, τ)
    Q, _ = self_plan(squared_distances(x, x) + own, ε, τ)
    weight = P.sum(1)
    there, here = (z @ R.T / R.sum(1).clamp(min=1e-30) for z, R in ((y, P), (x, Q)))
    return x + there - here, weight / weight.sum()


def self_cost(x: Tensor, own: Tensor, ε: float, τ: float) -> float:
    """OT(x, x) of points d×n, `own` (n×n) added to the costs."""
    P, f = self_plan(squared_distances(x, x) + own, ε, τ)
    return float(_dual(P, [f, f], ε, τ))


def half_divergence(x: Tensor, y: Tensor, extra: Tensor, own: Tensor, ε: float, τ: float) -> Tensor:
    """OT(x, y) − ½ OT(x, x), 0-dimensional, with its slope in x (d×n).

    Less ½ OT(y, y), which is the caller's to find once (`self_cost`), it is the Sinkhorn divergence of Séjourné et al.:
    zero if x is y. y (d×m), `extra` (n×m) and `own` (n×n), added to the costs, are float64 on the processor.
    """
    value: Tensor = _Divergence.apply(x, y, extra, own, ε, τ)  # type: ignore[no-untyped-call]
    return value


def _dual(P: Tensor, potentials: list[Tensor], ε: float, τ: float) -> Tensor:
    """The value of the transport from its potentials: −τ Σ_sides mean(e^(−f/τ) − 1) − ε (Σ P − 1)."""
    sides = torch.stack([torch.expm1(-f / τ).mean() for f in potentials])
    return -τ * sides.sum() - ε * (P.sum() - 1)


class _Divergence(torch.autograd.Function):
    """By the envelope theorem the slope is that of the costs under the plans held still."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor, extra: Tensor, own: Tensor, ε: float, τ: float) -> Tensor:
        X = x.detach().to("cpu", torch.float64)
        P, f, g = plan(squared_distances(X, y) + extra, ε, τ)
        Q, h = self_plan(squared_distances(X, X) + own, ε, τ)
        slope = 2 * (P.sum(1) * X - y @ P.T) - 2 * (Q.sum(1) * X - X @ Q)
        ctx.save_for_backward(slope.to(x))
        return (_dual(P, [f, g], ε, τ) - 0.5 * _dual(Q, [h, h], ε, τ)).to(x)

    @staticmethod
    def backward(ctx: Any, *grad: Tensor) -> tuple[Tensor, None, None, None, None, None]:
        (slope,) = ctx.saved_tensors
        return grad[0] * slope, None, None, None, None, None
