"""Where a photograph shows the sky: a reading of what the feature network sees, as simple as can be.

With e what is seen in a cell, ē the mean of it around the cell, and ê its mean over the photograph,

    P(sky) = σ(own · e + near · ē + whole · ê + bias)

The numbers are fitted to photographs of free licences, in their own light and in others (`benchmarks/sky`, `sky.md`).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from photostyle.image import shrink
from photostyle.tensors import read_tensors
from photostyle.terms.energy import Features

NUMBERS = Path(__file__).with_name("sky.safetensors")
"""The file of `weight` (3×1287: own, near and whole) and `bias`."""

_POWERS = {"relu3_3": 11.04, "relu4_3": 3.753, "relu5_3": 13.4}  # root mean squares over those photographs
_AROUND = 2  # cells, to each side

LAYERS = tuple(_POWERS)
"""The layers that are read: of VGG-16, pooled by maximum."""


@torch.no_grad()
def sky_of(features: Features, image: Tensor) -> Tensor:
    """How likely each cell of relu4_3 shows the sky, h×w in [0, 1], on the processor.

    `features` are those of `LAYERS` (C×h×w each) of the image (3×H×W, sRGB in [0, 1], dark ones brightened:
    `photostyle.color.spaces.adapted`). The numbers are for the default network: what one of other widths sees they
    cannot read, and find no sky in it.
    """
    seen = evidence(features, image)
    if seen.shape[1] != _numbers()["weight"].shape[1]:
        return seen.new_zeros(seen.shape[2:])
    return reading(seen)


def reading(seen: Tensor) -> Tensor:
    """σ(weight · seen + bias) of `evidence`: h×w in [0, 1]."""
    numbers = _numbers()
    return torch.sigmoid(torch.tensordot(numbers["weight"], seen, 2) + numbers["bias"])


def evidence(features: Features, image: Tensor) -> Tensor:
    """What is seen in each cell, around it and in the whole photograph, 3×1287×h×w: (e, ē, ê).

    e are features in logarithms (256 + 512 + 512), height and distance from the middle, and five of colour.
    """
    h, w = size = features["relu4_3"].shape[1:]
    deep = [torch.log1p(_to(features[layer], size).cpu().float() / power) for layer, power in _POWERS.items()]
    rgb = shrink(image, size).cpu().float()
    light = rgb.mean(0)
    color = torch.stack([light, rgb[0] - rgb[1], rgb[2] - rgb[1], light - light.mean(), rgb.std(0, correction=0)])
    y, x = (2 * (torch.arange(n) + 0.5) / n - 1 for n in (h, w))
    place = torch.stack([y[:, None].expand(h, w), x.abs().expand(h, w)])
    e = torch.cat([*deep, place, 2 * color])
    around = F.avg_pool2d(e, 2 * _AROUND + 1, 1, _AROUND, count_include_pad=False)
    return torch.stack([e, around, e.mean((1, 2), keepdim=True).expand_as(e)])


def _to(x: Tensor, size: torch.Size) -> Tensor:
    """C×h×w at another size: finer layers averaged, coarser ones enlarged."""
    if x.shape[1] >= size[0]:
        return shrink(x, size)
    return F.interpolate(x[None], size, mode="bilinear", align_corners=False)[0]


@cache
def _numbers() -> dict[str, Tensor]:
    return read_tensors(NUMBERS)[1]
