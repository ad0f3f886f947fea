"""Local affine maps of colour: the guided filter (He, Sun & Tang, PAMI 2013), and smooth fields of such maps."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from photostyle.image import exact


def _inverse(Σ: Tensor) -> Tensor:
    """Inverse of symmetric 3×3 matrices laid out 3×3×h×w: its rows are the cross products over the determinant.

    A twentieth of the time of a batched solver on a third of a million windows.
    """
    r, s, t = Σ
    adjugate = torch.stack([torch.linalg.cross(*pair, dim=0) for pair in ((s, t), (t, r), (r, s))])
    return adjugate / (r * adjugate[0]).sum(0)


def smooth_local_affine(
    output: Tensor, image: Tensor, radius: int = 15, edge: float = 0.01, ridge: float = 1e-3 / 9
) -> Tensor:
    """Redraw `output` as a smooth field of affine colour maps of `image` (both 3×H×W, [0, 1]).

    Around each pixel the map that takes the 3×3 colours of `image` to those of `output` is found by
    least squares (`ridge` on how far its linear part is from no change); the maps are averaged by a joint bilateral
    filter guided by `image` (σ = radius/3 pixels in space, σ = `edge` in colour, root mean square of the channels in
    [0, 1]) and applied. This is the post-processing of Luan et al. 2017 (their supplement and code, where the ridge is
    on the linear part itself, so that plain ground loses its texture, and 10⁻³ is added to sums
    over nine pixels), in O(H·W·radius²).
    """
    unchanged = torch.eye(3, 4).to(image)[:, :, None, None].expand(3, 4, *image.shape[1:])
    maps = local_affine(image, output, ridge, prior=unchanged)
    σ = max(radius / 3, 1e-6)
    total = torch.zeros_like(maps)
    weight = torch.zeros_like(image[0])
    guide = F.pad(image[None], [radius] * 4, mode="replicate")[0]
    padded = F.pad(maps.flatten(0, 1)[None], [radius] * 4)[0].unflatten(0, (3, 4))
    inside = F.pad(torch.ones_like(image[0]), [radius] * 4)
    H, W = image.shape[1:]
    for dy in range(-radius, radius + 1):
        for dx in range(-radius, radius + 1):
            there = slice(radius + dy, radius + dy + H), slice(radius + dx, radius + dx + W)
            difference = (guide[:, *there] - image).square().mean(0)
            w = inside[there] * torch.exp(-(dy * dy + dx * dx) / (2 * σ**2) - difference / (2 * edge**2))
            total.addcmul_(padded[..., *there], w)
            weight += w
    return apply_affine(total / weight, image).clamp(0, 1)


def local_affine(image: Tensor, output: Tensor, ridge: float, radius: int = 1, prior: Tensor | None = None) -> Tensor:
    """Per pixel, the affine map [A | b] that best takes `image` to `output` in the window around it.

    min_{A,b} Σ_i ‖A I_i + b − O_i‖² / |ω| + ridge·‖A − A₀‖² over windows ω of (2·radius + 1)² pixels,
    cut at the borders; `prior` (C×4×H×W) holds A₀, zero if None. `image` is 3×H×W and `output` C×H×W; returns
    C×4×H×W, rows by output channel. (He, Sun & Tang, "Guided Image Filtering", eq. 14, for all outputs at once.)
    """
    I, O = exact(image), exact(output)
    μ, ν = window_mean(I, radius), window_mean(O, radius)
    covariance = window_mean(I[:, None] * I, radius) - μ[:, None] * μ  # 3×3×H×W
    cross = window_mean(O[:, None] * I, radius) - ν[:, None] * μ
    covariance = covariance + ridge * torch.eye(3).to(I)[:, :, None, None]
    if prior is not None:
        cross = cross + ridge * prior[:, :3].to(I)
    A = torch.einsum("ochw,cdhw->odhw", cross, _inverse(covariance))
    b = ν - (A * μ).sum(1)
    return torch.cat([A, b[:, None]], dim=1).to(image)


def guided_maps(output: Tensor, image: Tensor, radius: int, ridge: float, prior: Tensor | None = None) -> Tensor:
    """The guided filter's affine maps from `image` (3×H×W) to `output` (C×H×W), C×4×H×W.

    Those of `local_affine`, averaged over all windows that a pixel belongs to (He, Sun & Tang, eq. 16);
    `apply_affine(guided_maps(O, I, …), I)` is O filtered with guide I.
    """
    return window_mean(local_affine(image, output, ridge, radius, prior), radius)


def window_mean(x: Tensor, radius: int) -> Tensor:
    """Mean over the window of (2·radius + 1)² pixels around each pixel of …×H×W, cut at the borders.

    By differences of running sums, rows then columns: a wide window costs no more than a narrow one.
    """
    means = exact(x)
    for dim in (-1, -2):
        n, i = means.shape[dim], torch.arange(means.shape[dim], device=means.device)
        first, last = (i - radius).clamp(min=0), (i + radius + 1).clamp(max=n)
        sums = F.pad(means.transpose(dim, -1).cumsum(-1), (1, 0))
        means = ((sums[..., last] - sums[..., first]) / (last - first)).transpose(dim, -1)
    return means.to(x)


def apply_affine(maps: Tensor, image: Tensor) -> Tensor:
    """A I + b at each pixel: maps C×4×H×W, image 3×H×W → C×H×W."""
    return (maps[:, :3] * image).sum(1) + maps[:, 3]
