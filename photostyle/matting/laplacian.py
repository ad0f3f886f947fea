"""Levin, Lischinski & Weiss, "A Closed-Form Solution to Natural Image Matting" (PAMI 2008).

In each 3×3 window k of a photograph I, an image V is asked to be an affine function of colour,
V_i ≈ aᵀI_i + b. What no choice of a and b explains, summed over the windows, is the energy VᵀLV, and

    L_ij = Σ_{k ∋ i,j} ( δ_ij − (1 + (I_i − μ_k)ᵀ (Σ_k + ε/9·𝟙)⁻¹ (I_j − μ_k)) / 9 )      (their eq. 12)

L reaches only two pixels in each direction, is symmetric and takes constants to zero. So it is stored
as one image of weights for each of the 12 neighbours "ahead" of a pixel, and applied as differences:

    (L V)_i = Σ_j w_ij (V_i − V_j),        VᵀLV = Σ_{pairs} w_ij (V_i − V_j)²,        w_ij = −L_ij.

No matrix, any device, exact on constants, and several times faster than SciPy's sparse product
(docs/performance.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from photostyle.errors import ImageError
from photostyle.image import exact

Offset = tuple[int, int]
# the twelve neighbours ahead of a pixel in reading order; the other twelve follow by symmetry
AHEAD: tuple[Offset, ...] = tuple((dy, dx) for dy in range(3) for dx in range(-2, 3) if (dy, dx) > (0, 0))
_WINDOW: tuple[Offset, ...] = tuple((dy, dx) for dy in range(3) for dx in range(3))


@dataclass(frozen=True)
class MattingLaplacian:
    """The matting Laplacian L of an H×W photograph; `L @ V` and `L.quadratic(V)` take C×H×W tensors.

    `weights[dy, dx]` (H×W) couples each pixel to the one dy rows below and dx columns right of it.
    """

    weights: dict[Offset, Tensor]

    def __matmul__(self, V: Tensor) -> Tensor:
        """L V, channel by channel."""
        product = torch.zeros_like(V)
        for w, here, there in self._pairs():
            flow = V[:, *here] - V[:, *there]
            flow *= w
            product[:, *here] += flow
            product[:, *there] -= flow
        return product

    def quadratic(self, V: Tensor) -> Tensor:
        """Σ_c V_cᵀ L V_c ≥ 0, a 0-dimensional tensor, with the exact gradient 2 L V."""
        value: Tensor = _Quadratic.apply(V, self)  # type: ignore[no-untyped-call]
        return value

    def diagonal(self) -> Tensor:
        """L_ii as an H×W image."""
        diagonal = torch.zeros_like(self.weights[0, 1])
        for w, here, there in self._pairs():
            diagonal[here] += w
            diagonal[there] += w
        return diagonal

    def _pairs(self) -> Iterator[tuple[Tensor, tuple[slice, slice], tuple[slice, slice]]]:
        """Per offset: the weights of all pairs, and where their two pixels lie."""
        H, W = self.weights[0, 1].shape
        for (dy, dx), w in self.weights.items():
            here = slice(0, H - dy), slice(max(0, -dx), W - max(0, dx))
            there = slice(dy, H), slice(max(0, dx), W + min(0, dx))
            yield w[here], here, there


class _Quadratic(torch.autograd.Function):
    """VᵀLV; the product L V found on the way forward is half the gradient."""

    @staticmethod
    def forward(ctx: Any, V: Tensor, L: MattingLaplacian) -> Tensor:
        LV = L @ V
        ctx.save_for_backward(LV)
        return (V * LV).sum()

    @staticmethod
    def backward(ctx: Any, *grad: Tensor) -> tuple[Tensor, None]:
        (LV,) = ctx.saved_tensors
        return 2 * grad[0] * LV, None


def matting_laplacian(image: Tensor, epsilon: float = 1e-7, windows: Tensor | None = None) -> MattingLaplacian:
    """The matting Laplacian of a 3×H×W photograph in [0, 1], H and W ≥ 3, with 3×3 windows.

    `epsilon` is Levin's ε on the windows' covariance: the larger, the less colour may explain. `windows`,
    (H−2)×(W−2), is how much each window counts, by its first pixel; all count 1 if None.
    Computed in float64 (flat windows are ill-conditioned), kept in the image's own type.
    Raises ImageError for an image that holds no 3×3 window.
    """
    _, H, W = image.shape
    if H < 3 or W < 3:
        raise ImageError(f"A matting Laplacian needs at least 3×3 pixels, not {W}×{H}: work at a larger size.")
    I = exact(image)
    D = torch.stack([I[:, dy : H - 2 + dy, dx : W - 2 + dx] for dy, dx in _WINDOW])  # 9×3×h×w, h = H − 2
    counted = torch.ones(()).to(I) if windows is None else exact(windows)
    weights = {offset: torch.zeros(H, W).to(I) for offset in AHEAD}
    for (y, x), (v, u), A in window_weights(D, epsilon):
        # window by window, the weight of a pair lands on its first pixel
        weights[v - y, u - x][y : y + H - 2, x : x + W - 2] += A * counted
    return MattingLaplacian({offset: w.to(image) for offset, w in weights.items()})


def window_weights(D: Tensor, epsilon: float) -> Iterator[tuple[Offset, Offset, Tensor]]:
    """What each window adds to w_ij, for the 36 pairs of its pixels: the places of i and j in it (j later), and h×w.

    D, 9×3×h×w in float64, holds the colours of h·w windows in reading order; it is changed in place.
    """
    D -= D.mean(0)
    Σ = torch.einsum("nchw,ndhw->cdhw", D, D) / 9
    Σ += epsilon / 9 * torch.eye(3).to(D)[:, :, None, None]
    Z = _whiten(Σ, D)
    for i, here in enumerate(_WINDOW):
        for j, there in enumerate(_WINDOW[i + 1 :], start=i + 1):
            yield here, there, (1 + (Z[i] * Z[j]).sum(0)) / 9


def _whiten(Σ: Tensor, D: Tensor) -> Tensor:
    """Z with Zᵀ Z = Dᵀ Σ⁻¹ D: forward substitution by the Cholesky factor, unrolled. Σ 3×3×h×w, D n×3×h×w.

    An explicit inverse loses ε beside a variance of rank one, as every gray window has.
    """
    a = Σ[0, 0].sqrt()
    p, q = Σ[1, 0] / a, Σ[2, 0] / a
    b = (Σ[1, 1] - p * p).sqrt()
    r = (Σ[2, 1] - p * q) / b
    c = (Σ[2, 2] - q * q - r * r).sqrt()
    x = D[:, 0] / a
    y = (D[:, 1] - p * x) / b
    z = (D[:, 2] - q * x - r * y) / c
    return torch.stack([x, y, z], dim=1)
