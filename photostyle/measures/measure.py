"""The measures of a result. Pure functions of images; `measure` takes them all, those of `faults` too.

All are taken at long side 448 (tints at 320), with the `vgg16-hed` network whatever network made the result, so that
figures can be compared between results, papers and versions.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from photostyle.color.spaces import lab_from_srgb
from photostyle.color.transport import directions
from photostyle.errors import ImageError, RegionsError
from photostyle.image import exact, fit, fit_size, resize, same_proportions, shrink
from photostyle.matting.laplacian import matting_laplacian
from photostyle.measures.faults import contrast, gain, lipschitz, tint
from photostyle.network.hed import EdgeDetector
from photostyle.network.vgg import VGG
from photostyle.network.weights import Weights
from photostyle.regions.regions import Regions
from photostyle.terms.gram import regional_grams

LONG_SIDE = 448
STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
_TINT_SIDE = 320
_MIN_SHARE = 0.002  # smaller regions are left out of both regional measures
_DIRECTIONS, _QUANTILES = 64, 256


@dataclass(frozen=True)
class Measures:
    """How much of the style arrived, how much of the photograph stayed, and the faults that an eye finds.

    Style: `style_distance` and `color_distance`, lower is better. Photograph: `matting_energy`, lower is better, and
    `edge_ssim`, 1 is best. Faults (module `faults`): `tint`, and `plain_tint` in plain areas, in ΔE; `contrast`, 1 is
    best; `gain` and `lipschitz`, lower is better.
    """

    style_distance: float
    matting_energy: float
    edge_ssim: float
    color_distance: float
    tint: float
    plain_tint: float
    contrast: float
    gain: float
    lipschitz: float


def measure(content: Tensor, style: Tensor, output: Tensor, regions: Regions, weights: Weights) -> Measures:
    """All measures of `output` (any size, the content's proportions); images 3×H×W sRGB in [0, 1].

    `weights` must be those of `vgg16-hed`. Raises ImageError if the output has other proportions.
    """
    (H, W), (h, w) = content.shape[1:], output.shape[1:]
    if not same_proportions(output, content):
        raise ImageError(f"The output ({w}×{h}) does not have the proportions of the content ({W}×{H}).")
    I = fit(content, LONG_SIDE, enlarge=True)
    S = fit(style, LONG_SIDE, enlarge=True)
    size = I.shape[1:]
    # torch's "area" as it is: the published figures this project compares itself with were taken so
    O = resize(output, size) if w <= size[1] else F.interpolate(output[None], size, mode="area")[0]
    regions = regions.fit(I, S)
    tints = tint(*(shrink(x, fit_size(size[0], size[1], _TINT_SIDE)) for x in (O, I, regions.content)))
    edges = EdgeDetector(weights, I.device)
    with torch.no_grad():
        return Measures(
            style_distance=style_distance(O, S, regions, VGG(weights)),
            matting_energy=matting_energy(O, I),
            edge_ssim=ssim(edges(I), edges(O)),
            color_distance=color_distance(O, S, regions),
            tint=tints[0],
            plain_tint=tints[1],
            contrast=contrast(O, I, S, regions.content, regions.style),
            gain=gain(O, I, regions.content),
            lipschitz=lipschitz(O, I, regions.content),
        )


def style_distance(output: Tensor, style: Tensor, regions: Regions, vgg: VGG) -> float:
    """Mean over relu1_1 … relu5_1 of Σ_c ‖G_c(O) − G_c(S)‖² / Σ_c ‖G_c(S)‖², with regional Gram matrices."""
    content_masks, style_masks = _large(regions)
    features, target = vgg(output, STYLE_LAYERS), vgg(style, STYLE_LAYERS)
    distances = []
    for layer in STYLE_LAYERS:
        G = regional_grams(features[layer], shrink(content_masks, features[layer].shape[1:]))
        T = regional_grams(target[layer], shrink(style_masks, target[layer].shape[1:]))
        distances.append(float((G - T).square().sum() / T.square().sum()))
    return sum(distances) / len(distances)


def matting_energy(output: Tensor, content: Tensor) -> float:
    """Σ_c vec(O_c)ᵀ M_I vec(O_c) / (3·H·W·var(O)), ε = 1e-5; images of one size 3×H×W."""
    O = exact(output)
    variance = float(O.var()) * O.numel()
    return float(matting_laplacian(exact(content), epsilon=1e-5).quadratic(O)) / max(variance, 1e-12)


def ssim(a: Tensor, b: Tensor) -> float:
    """Structural similarity (Wang et al. 2004) of two H×W images in [0, 1]: 11×11 Gaussian, σ = 1.5, no padding."""
    x = torch.arange(11, dtype=torch.float64) - 5
    g = torch.exp(-(x**2) / (2 * 1.5**2))
    g = (g / g.sum()).view(1, 1, 1, -1)
    a, b = exact(a), exact(b)
    planes = torch.stack([a, b, a * a, b * b, a * b]).unsqueeze(1)  # 5×1×H×W
    μa, μb, aa, bb, ab = torch.conv2d(torch.conv2d(planes, g), g.mT).squeeze(1)
    c1, c2 = 0.01**2, 0.03**2
    luminance = (2 * μa * μb + c1) / (μa**2 + μb**2 + c1)
    structure = (2 * (ab - μa * μb) + c2) / (aa - μa**2 + bb - μb**2 + c2)
    return float((luminance * structure).mean())


def color_distance(output: Tensor, style: Tensor, regions: Regions) -> float:
    """Sliced Wasserstein-1 distance between the Lab colours of matching regions.

    Mean over 64 fixed directions and 256 quantiles, then over regions weighted by their share of the output.
    """
    content_masks, style_masks = _large(regions)
    d = directions(_DIRECTIONS, dtype=torch.float64)
    O, S = (lab_from_srgb(exact(image).clamp(0, 1)) for image in (output, style))
    q = (torch.arange(_QUANTILES, dtype=torch.float64) + 0.5) / _QUANTILES
    total = weight = 0.0
    for here, there in zip(content_masks, style_masks, strict=True):
        a, b = (d @ lab[:, mask > 0.5] for lab, mask in ((O, here), (S, there)))  # 64×n
        if a.shape[1] and b.shape[1]:
            share = float(here.mean())
            total += share * float((torch.quantile(a, q, dim=1) - torch.quantile(b, q, dim=1)).abs().mean())
            weight += share
    return total / max(weight, 1e-12)


def _large(regions: Regions) -> tuple[Tensor, Tensor]:
    """The masks of the regions that cover at least 0.2 % of both photographs; RegionsError if none does."""
    keep = [min(shares) >= _MIN_SHARE for shares in regions.shares]
    if not any(keep):
        raise RegionsError(f"No region covers {_MIN_SHARE:.1%} of both photographs: there is nothing to measure.")
    return regions.content[keep], regions.style[keep]
