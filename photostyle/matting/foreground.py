"""The colours of which a photograph is mixed, and mixtures of others: I = α F + (1 − α) B."""

from __future__ import annotations

import torch
from torch import Tensor

from photostyle.image import check_image, check_size, half

_SWEEPS, _LAST_SWEEPS = 8, 2  # of Jacobi's, at each size of the pyramid of colours up to a megapixel, and above


def find_foreground(image: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
    """The colours F and B, 3×H×W in [0, 1] each, of which the photograph is the mixture α F + (1 − α) B.

    They nearly minimise, over pixels i and pairs of neighbours ij,

        Σ_i |α F + (1 − α) B − I|² + Σ_ij w_ij (|F_i − F_j|² + |B_i − B_j|²),    w_ij = 10⁻⁵ + 0.1·|α_i − α_j|.

    From two pixels up, each size starts from the one before and makes a few steps of Jacobi's method. `image` is 3×H×W
    and `alpha` H×W, in [0, 1]. Raises ImageError if sizes differ.
    """
    check_image(image, "The photograph")
    check_size(image, alpha, "alpha matte")
    pyramid = [(image, alpha[None].to(image))]
    while max(pyramid[-1][1].shape) > 2:
        pyramid.append((half(pyramid[-1][0]), half(pyramid[-1][1])))
    foreground = background = image.mean((1, 2), keepdim=True)
    for I, (α,) in reversed(pyramid):
        # one channel after the other: the sums for all three at once would take three times the memory
        channels = [_relax(i, α, _twice(f, α), _twice(b, α)) for i, f, b in zip(I, foreground, background, strict=True)]
        foreground, background = (torch.stack(planes) for planes in zip(*channels, strict=True))
    return foreground.clamp_(0, 1), background.clamp_(0, 1)


def composite(foreground: Tensor, alpha: Tensor, background: Tensor) -> Tensor:
    """α F + (1 − α) B: the foreground (3×H×W) by its alpha (H×W) over a background (3×H×W, or 3×1×1 of one colour).

    In sRGB as stored, in which alpha was found. Raises ImageError if sizes differ.

    >>> white, black = torch.ones(3, 1, 1), torch.zeros(3, 1, 1)
    >>> composite(white, torch.tensor([[0.25]]), black).flatten()
    tensor([0.2500, 0.2500, 0.2500])
    """
    check_image(foreground, "The foreground")
    check_image(background, "The background")
    check_size(foreground, alpha, "alpha matte")
    if background.shape[1:] != (1, 1):
        check_size(foreground, background, "background")
    return torch.lerp(background.expand_as(foreground), foreground, alpha)


def _twice(x: Tensor, like: Tensor) -> Tensor:
    """h×w at twice the size, cut to that of `like`: what `half` took together is all the same."""
    H, W = like.shape
    return x.repeat_interleave(2, 0)[:H].repeat_interleave(2, 1)[:, :W]


def _relax(I: Tensor, α: Tensor, foreground: Tensor, background: Tensor) -> tuple[Tensor, Tensor]:
    """A few of Jacobi's steps for one channel; all are H×W.

    Where F̄ and B̄ are the neighbours' means, weighted by w, and s is the sum of these weights, a pixel's two
    equations have the solution F = F̄ + α r / d, B = B̄ + (1 − α) r / d, with r = I − α F̄ − (1 − α) B̄ and
    d = s + α² + (1 − α)².
    """
    β = 1 - α
    down, across = (1e-5 + 0.1 * α.diff(dim=dim).abs() for dim in (0, 1))
    s = _neighbours(torch.ones_like(α), down, across).clamp_(min=1e-12)  # one pixel alone has no neighbours
    d = s + α.square() + β.square()
    for _ in range(_SWEEPS if α.numel() <= 1_000_000 else _LAST_SWEEPS):
        foreground, background = (_neighbours(x, down, across).div_(s) for x in (foreground, background))
        r = (I - α * foreground).sub_(β * background).div_(d)
        foreground.addcmul_(α, r)
        background.addcmul_(β, r)
    return foreground, background


def _neighbours(x: Tensor, down: Tensor, across: Tensor) -> Tensor:
    """Σ_j w_ij x_j over the four neighbours; `down` and `across` are the weights of vertical and horizontal pairs."""
    total = torch.zeros_like(x)
    total[1:].addcmul_(down, x[:-1])
    total[:-1].addcmul_(down, x[1:])
    total[:, 1:].addcmul_(across, x[:, :-1])
    total[:, :-1].addcmul_(across, x[:, 1:])
    return total
