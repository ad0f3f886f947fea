"""What an eye rejects in a result, as numbers: tints without a cause, washed or gritty contrast, amplified noise.

Pure functions of images of one size, 3×h×w sRGB in [0, 1], and of the masks of regions, K×h×w. `measures` says at which
size they are taken.
"""

from __future__ import annotations

import torch
from torch import Tensor

from photostyle.color.spaces import lab_from_srgb
from photostyle.image import exact
from photostyle.matting.guided import window_mean

_TINT_WINDOW, _CONTRAST_WINDOW = 0.025, 0.02  # of the long side
_PLAIN = 2.0  # ΔE: a window whose colours in the content spread less is plain ground
_STEP = 1 / 255  # a difference of colour below it is rounding
_INSIDE = 0.99  # of a window's pixels are the region's where a slope is within it
_PAIRS, _FAR = 50_000, 0.05  # random pairs of pixels, and the difference of colour from which one counts


def tint(output: Tensor, content: Tensor, masks: Tensor) -> tuple[float, float]:
    """ΔE of chroma that neither colour nor height explains: over the picture, and over its plain grounds.

    In each region a*b* of the output less their projection, by least squares, onto 1, L, a, b, all products of two of
    these, y and y² (Lab of the content, y the height), then a mean over windows of 2.5 % of the long side, so that
    texture does not count; root mean square. The untouched photograph has 0. The second number is 0 where there is no
    plain ground: no window in which the content's own Lab spreads by less than 2.
    """
    _, h, w = output.shape
    lab, I = (lab_from_srgb(exact(x).clamp(0, 1)) for x in (output, content))
    L, a, b = (x.flatten() / 50 for x in I)
    y = torch.linspace(-1, 1, h, dtype=torch.float64)[:, None].expand(h, w).flatten()
    X = torch.stack([torch.ones_like(L), L, a, b, L * L, L * a, L * b, a * a, a * b, b * b, y, y * y])  # 12×n
    rest = torch.zeros(2, h * w, dtype=torch.float64)
    for mask in exact(masks).flatten(1):
        G = (X * mask) @ X.T + 1e-9 * mask.sum() * torch.eye(len(X), dtype=torch.float64)
        if float(mask.sum()) > 0:
            rest += mask * (lab[1:].flatten(1) - (lab[1:].flatten(1) * mask) @ X.T @ torch.linalg.inv(G) @ X)
    radius = max(1, round(_TINT_WINDOW * max(h, w) / 2))
    slow = window_mean(rest.view(2, h, w), radius).square().sum(0)
    plain = _spread(I, radius) < _PLAIN
    return float(slow.mean().sqrt()), float(slow[plain].mean().sqrt()) if bool(plain.any()) else 0.0


def contrast(output: Tensor, content: Tensor, style: Tensor, masks: Tensor, style_masks: Tensor) -> float:
    """The local contrast of light beside the range from the content's to the style's: 1 within it, less is washed.

    Per region the mean, by mask, of the standard deviation of L* in windows of 2 % of the long side; its ratio to the
    nearer end of the range; the geometric mean over regions by area. Above 1 the picture is gritty. A ratio to the
    style's alone would call a result washed that keeps the detail of a smooth photograph, and gritty one that keeps a
    rich one's under a smooth style.
    """
    logs, weight = 0.0, 0.0
    spreads = []
    for image in (output, content, style):
        L = lab_from_srgb(exact(image).clamp(0, 1))[:1]
        spreads.append(_spread(L, max(1, round(_CONTRAST_WINDOW * max(L.shape) / 2))))
    for here, there in zip(exact(masks), exact(style_masks), strict=True):
        if float(here.sum()) > 0 and float(there.sum()) > 0:
            ours, before, model = (
                (s * m).sum() / m.sum() + 1e-3 for s, m in zip(spreads, (here, here, there), strict=True)
            )
            nearest = ours.clamp(min=min(before, model), max=max(before, model))
            logs += float(here.mean() * (ours / nearest).log())
            weight += float(here.mean())
    return float(torch.tensor(logs / max(weight, 1e-12)).exp())


def gain(output: Tensor, content: Tensor, masks: Tensor) -> float:
    """The 99.9th percentile of how much small differences of colour grow within regions: noise, haze, blocks of JPEG.

    The ratio of the standard deviations of all channels together in windows of 5×5 pixels, of the output and of the
    content, over windows that lie in one region. What rounding to 8 bits adds is taken off.
    """
    O, I = (_spread(exact(x), 2) for x in (output, content))
    inside = window_mean(exact(masks), 2).amax(0) > _INSIDE
    slope = (O.square() - _STEP**2 / 4).clamp(min=0).sqrt() / I.clamp(min=_STEP)
    return float(torch.quantile(slope[inside], 0.999)) if bool(inside.any()) else 0.0


def lipschitz(output: Tensor, content: Tensor, masks: Tensor) -> float:
    """The largest ‖O_i − O_j‖ / ‖I_i − I_j‖ of 50,000 random pairs of pixels in one region, always the same.

    Pairs of nearly one colour (‖I_i − I_j‖ < 0.05) are left out: there the ratio is that of noise.
    """
    n = output[0].numel()
    i, j = torch.randint(n, (2, _PAIRS), generator=torch.Generator().manual_seed(0))
    region = masks.argmax(0).flatten()
    O, I = exact(output).flatten(1), exact(content).flatten(1)
    before = (I[:, i] - I[:, j]).norm(dim=0)
    counts = (region[i] == region[j]) & (before >= _FAR)
    ratio = (O[:, i] - O[:, j]).norm(dim=0)[counts] / before[counts]
    return float(ratio.max()) if ratio.numel() else 0.0


def _spread(x: Tensor, radius: int) -> Tensor:
    """Standard deviation of all channels together in the window around each pixel: C×h×w → h×w."""
    mean = window_mean(x, radius)
    return (window_mean(x.square(), radius) - mean.square()).sum(0).clamp(min=0).sqrt()
