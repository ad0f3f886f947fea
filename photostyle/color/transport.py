"""Optimal transport of Gaussian colour distributions, and directions for sliced distances."""

from __future__ import annotations

import torch
from torch import Tensor


def linear_transport(x: Tensor, y: Tensor, ridge: float = 1e-4) -> tuple[Tensor, Tensor]:
    """The affine map (A 3×3, b 3) that takes the Gaussian of the colours x (3×n) to that of y (3×m).

    A = Σx^{-½} (Σx^{½} Σy Σx^{½})^{½} Σx^{-½}, the linear Monge–Kantorovich map (Pitié & Kokaram 2007,
    eq. 9). `ridge` is added to both variances: a flat region must not be stretched into noise.
    """
    μx, μy = x.mean(1), y.mean(1)
    A = transport_matrix(covariance(x, ridge), covariance(y, ridge))
    return A, μy - A @ μx


def transport_matrix(Σx: Tensor, Σy: Tensor) -> Tensor:
    """That A of two covariances (d×d), symmetric."""
    root, inverse = matrix_power(Σx, 0.5), matrix_power(Σx, -0.5)
    return inverse @ matrix_power(root @ Σy @ root, 0.5) @ inverse


def directions(count: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    """`count` fixed directions in colour space, evenly spread in expectation: count×3, of length 1."""
    d = torch.randn(count, 3, generator=torch.Generator().manual_seed(seed), dtype=dtype)
    return d / d.norm(dim=1, keepdim=True)


def covariance(x: Tensor, ridge: float) -> Tensor:
    """Covariance of the columns of x (d×n) plus `ridge` on the diagonal: d×d."""
    centred = x - x.mean(1, keepdim=True)
    return centred @ centred.T / x.shape[1] + ridge * torch.eye(len(x)).to(x)


def matrix_power(M: Tensor, exponent: float) -> Tensor:
    """Power of a symmetric positive matrix by its eigenvalues."""
    values, vectors = torch.linalg.eigh(M)
    return vectors * values.clamp(min=1e-12) ** exponent @ vectors.T
