"""Screened Poisson equations with varying coefficients, ψ u − div(φ ∇u) = ψ f, solved by multigrid.

The solution is the image u that minimises ∫ ψ (u − f)² + φ |∇u|²: near f where ψ is large, smooth where
φ is. On the grid of pixels, with φ_pq ≥ 0 on the edge between neighbours p and q (none at the border),

    (A u)_p = ψ_p u_p + Σ_q φ_pq (u_p − u_q).

Conjugate gradients see to convergence whatever the coefficients; one V-cycle (Trottenberg, Oosterlee &
Schüller, "Multigrid", sections 2.4 and 7.6: cell-centred, damped Jacobi) for each of their steps keeps
those steps few however large the image.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from photostyle.solvers.cg import conjugate_gradients

_DAMPING = 0.8  # of Jacobi's iteration; 4/5 smooths best on a five-point stencil
_COARSEST = 4  # pixels: on the short side of a grid that is not made coarser
_SWEEPS = 30  # of Jacobi on the coarsest grid


@dataclass(frozen=True)
class ScreenedPoisson:
    """The operator A: `psi` is H×W, `across` (φ of horizontal edges) H×(W−1), `down` (φ of vertical ones) (H−1)×W."""

    psi: Tensor
    across: Tensor
    down: Tensor

    def __matmul__(self, u: Tensor) -> Tensor:
        """A u for an H×W image."""
        product = self.psi * u
        flow = self.across * (u[:, 1:] - u[:, :-1])
        product[:, 1:] += flow
        product[:, :-1] -= flow
        flow = self.down * (u[1:] - u[:-1])
        product[1:] += flow
        product[:-1] -= flow
        return product

    def diagonal(self) -> Tensor:
        """A_pp as an H×W image."""
        diagonal = self.psi.clone()
        diagonal[:, 1:] += self.across
        diagonal[:, :-1] += self.across
        diagonal[1:] += self.down
        diagonal[:-1] += self.down
        return diagonal

    def coarse(self) -> ScreenedPoisson:
        """The same equation on pixels twice as wide: ψ adds up; of φ two edges add up, twice as long."""
        return ScreenedPoisson(
            _add_up(self.psi, (2, 2)),
            _add_up(self.across[:, 1::2], (2, 1)) / 2,
            _add_up(self.down[1::2], (1, 2)) / 2,
        )


def solve(A: ScreenedPoisson, f: Tensor, tolerance: float = 1e-3, most: int = 50) -> Tensor:
    """The u (H×W) with A u = ψ f, by preconditioned conjugate gradients from u = 0.

    Stops when the residual is `tolerance` of ψ f in the Euclidean norm, or after `most` steps. Where ψ
    is zero throughout a connected part, u is zero.
    """
    grids = [A]
    while min(grids[-1].psi.shape) > _COARSEST:
        grids.append(grids[-1].coarse())
    inverses = [1 / grid.diagonal().clamp(min=1e-30) for grid in grids]

    return conjugate_gradients(A, A.psi * f, lambda r: _v_cycle(grids, inverses, r), tolerance, most)


def _v_cycle(grids: list[ScreenedPoisson], inverses: list[Tensor], b: Tensor) -> Tensor:
    """About A⁻¹ b: smooth, correct on the coarser grid, smooth. Symmetric and positive, as it must be."""
    (A, *coarser), (inverse, *rest) = grids, inverses
    u = _DAMPING * inverse * b
    if not coarser:
        for _ in range(_SWEEPS):
            u += _DAMPING * inverse * (b - A @ u)
        return u
    correction = _v_cycle(coarser, rest, _add_up(b - A @ u, (2, 2)))
    H, W = b.shape
    u += correction.repeat_interleave(2, 0).repeat_interleave(2, 1)[:H, :W]
    u += (b - A @ u).mul_(inverse).mul_(_DAMPING)
    return u


def _add_up(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Sums over blocks of that many rows and columns, those at the end cut short."""
    return F.avg_pool2d(x[None], size, ceil_mode=True, divisor_override=1)[0]
