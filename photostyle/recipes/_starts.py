"""What a descent starts from: noise of several kinds, or a photograph in other colours."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from photostyle.color.transport import matrix_power
from photostyle.image import resize
from photostyle.recipes.pitie2007 import linear_map

_CANDIDATES = 24  # pixels of the style that are drawn for each of the output
_SHARP = 20.0  # how much less a candidate counts whose map differs: e^−20 for one channel from 0 to 1


def recolored(image: Tensor, model: Tensor) -> Tensor:
    """The image (C×H×W) moved linearly to the mean and covariance of the model's colours (C×h×w)."""
    x = image.flatten(1)
    return linear_map(x, model.flatten(1))(x).view_as(image)


def finer(coarse: Tensor, first: Tensor) -> Tensor:
    """An image (3×h×w) enlarged to the size of `first` (3×H×W), with what is finer in that than it could hold."""
    held = resize(resize(first, coarse.shape[1:]), first.shape[1:])
    return resize(coarse, first.shape[1:]) + first - held


def gray_noise(like: Tensor, seed: int) -> Tensor:
    """A mid-grey image with a trace of white noise, of the size of `like`, the same on every device."""
    generator = torch.Generator().manual_seed(seed)
    return (0.45 + 1e-3 * torch.randn(like.shape, generator=generator)).to(like)


def white_noise(like: Tensor, seed: int) -> Tensor:
    """White noise over all colours, of the size of `like`, the same on every device."""
    return torch.rand(like.shape, generator=torch.Generator().manual_seed(seed)).to(like)


def mixed_colors(S: Sequence[Tensor], b: Sequence[float]) -> tuple[Tensor, Tensor]:
    """Mean (3) and covariance (3×3) of the styles' colours, mixed in the shares b."""
    colors = [s.flatten(1) for s in S]  # 3×n_i each
    μ = torch.stack([b_i * x.mean(1) for b_i, x in zip(b, colors, strict=True)]).sum(0)
    square = torch.stack([b_i * (x @ x.T) / x.shape[1] for b_i, x in zip(b, colors, strict=True)]).sum(0)
    return μ, square - torch.outer(μ, μ)


def colored_noise(like: Tensor, S: Sequence[Tensor], b: Sequence[float], seed: int) -> Tensor:
    """Gaussian noise with mean and covariance of the styles' colours, mixed in the shares b; of the size of `like`."""
    μ, Σ = mixed_colors(S, b)
    white = torch.randn(like.shape, generator=torch.Generator().manual_seed(seed)).to(like)
    return μ.view(3, 1, 1) + torch.tensordot(matrix_power(Σ, 0.5), white, dims=1)


def mapped_noise(like: Tensor, S: Tensor, M_S: Tensor, M_O: Tensor, seed: int) -> Tensor:
    """Each pixel the mean of some that are drawn from the style S, those that count whose map is like its own.

    Of the size of `like` (3×H×W). M_S (K×…) is the map of S (3×h×w) and M_O (K×…) that of the result.
    """
    there, here = (resize(M, image.shape[1:]).flatten(1).T for M, image in ((M_S, S), (M_O, like)))  # pixels × K
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randint(len(there), (len(here), _CANDIDATES), generator=generator).to(S.device)
    unlike = torch.stack([(there[i] - here).square().sum(1) for i in drawn.T])
    shares = torch.softmax(-_SHARP * unlike, dim=0)
    colors = S.flatten(1)
    return torch.stack([p * colors[:, i] for p, i in zip(shares, drawn.T, strict=True)]).sum(0).view_as(like)
