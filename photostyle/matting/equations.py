"""The equations of a matte, L_UU α_U = −L_UK α_K: the matting Laplacian among unknown pixels, and what is known."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from photostyle.matting.laplacian import AHEAD, window_weights

_CHUNK = 1 << 16  # windows looked at together


@dataclass(frozen=True)
class Unknown:
    """L_UU: the matting Laplacian among n unknown pixels. `L @ v` takes n numbers.

    `weights[k]` (n) couples each of them to the pixel at `AHEAD[k]` from it, which is number `ahead[k]` (n) of them,
    or n if it is none of them; the diagonal (n) counts all neighbours.
    """

    diagonal: Tensor
    weights: Tensor
    ahead: Tensor

    def __matmul__(self, v: Tensor) -> Tensor:
        product = F.pad(self.diagonal * v, (0, 1))  # number n: what is known has been brought to the other side
        padded = F.pad(v, (0, 1))
        for w, there in zip(self.weights, self.ahead, strict=True):
            product[:-1].addcmul_(w, padded.index_select(0, there), value=-1)
            product.index_add_(0, there, w * v, alpha=-1)
        return product[:-1]


def equations(I: Tensor, known: Tensor, epsilon: float) -> tuple[Unknown, Tensor]:
    """L_UU and −L_UK α_K (n), from the windows that hold an unknown pixel, a part of them at a time."""
    H, W = known.shape
    unknown = known.isnan()
    n = int(unknown.sum())
    pixels = unknown.flatten().nonzero()[:, 0]
    number = torch.full((H * W,), n, device=I.device).index_copy_(0, pixels, torch.arange(n, device=I.device))
    fixed = known.flatten().nan_to_num(0.0)

    # a place more for what windows say about known pixels, never looked at
    weights, diagonal, b = I.new_zeros(len(AHEAD), n + 1), I.new_zeros(n + 1), I.new_zeros(n + 1)
    touched = F.max_pool2d(unknown[None].float(), 3, 1)[0] > 0  # windows by their first pixel
    y, x = touched.nonzero().T
    for corner in (y * W + x).split(_CHUNK):
        window = [corner + dy * W + dx for dy in range(3) for dx in range(3)]
        D = torch.stack([I.flatten(1).index_select(1, at) for at in window])[:, :, None]  # 9×3×1×windows
        here, α = ([x.index_select(0, at) for at in window] for x in (number, fixed))
        total, pull = torch.zeros(2, 9, len(corner)).to(D)
        for (y1, x1), (y2, x2), A in window_weights(D, epsilon):
            i, j, w = 3 * y1 + x1, 3 * y2 + x2, A[0]
            weights[AHEAD.index((y2 - y1, x2 - x1))].index_add_(0, here[i], w)
            total[i] += w
            total[j] += w
            pull[i].addcmul_(w, α[j])
            pull[j].addcmul_(w, α[i])
        for i in range(9):
            diagonal.index_add_(0, here[i], total[i])
            b.index_add_(0, here[i], pull[i])

    numbers = F.pad(number.view(H, W), (2, 2, 0, 2), value=n)
    ahead = torch.stack([numbers[dy : dy + H, 2 + dx : 2 + dx + W][unknown] for dy, dx in AHEAD])
    return Unknown(diagonal[:-1], weights[:, :-1].contiguous(), ahead), b[:-1].clone()
