"""Where a photograph shows the sky: a reading of what the feature network sees, as simple as can be.

With e what is seen in a cell, ē the mean of it around the cell, and ê its mean over the photograph,

    P(sky) = σ(own · e + near · ē + whole · ê + bias)

The numbers were fitted to photographs of free licences, in their own light and in others (`benchmarks/sky`).
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

_POWERS = {"relu3_3": 11.04, "relu4_3": 3.753, "relu5_3": 13.4}  # root mean squares over those photographs
_AROUND = 2  # cells, to each side
_FILE = Path(__file__).with_name("sky.safetensors")


@torch.no_grad()
def sky_of(features: Features, image: Tensor) -> Tensor:
    """How likely each cell of relu4_3 shows the sky, h×w in [0, 1].

    `features` are those of relu3_3, relu4_3 and relu5_3, pooled by maximum, of the image (3×H×W, sRGB in [0, 1], dark
    ones brightened). The numbers are for `vgg16-hed`: what a network of other widths sees they cannot read, and find no
    sky in it.
    """
    e = evidence(features, image)
    w = _numbers()
    if len(e) != len(w["own"]):
        return e.new_zeros(e.shape[1:])
    around = F.avg_pool2d(e[None], 2 * _AROUND + 1, 1, _AROUND, count_include_pad=False)[0]
    logit = sum(torch.tensordot(w[name], x, 1) for name, x in (("own", e), ("near", around), ("whole", e.mean((1, 2)))))
    return torch.sigmoid(logit + w["bias"])


def evidence(features: Features, image: Tensor) -> Tensor:
    """What is seen in each cell, 1287×h×w: features in logarithms, height and distance from the middle, colour."""
    h, w = size = features["relu4_3"].shape[1:]
    deep = [torch.log1p(_to(features[layer], size).cpu().float() / power) for layer, power in _POWERS.items()]
    rgb = shrink(image, size).cpu().float()
    light = rgb.mean(0)
    color = torch.stack([light, rgb[0] - rgb[1], rgb[2] - rgb[1], light - light.mean(), rgb.std(0, correction=0)])
    y, x = (2 * (torch.arange(n) + 0.5) / n - 1 for n in (h, w))
    place = torch.stack([y[:, None].expand(h, w), x.abs().expand(h, w)])
    return torch.cat([*deep, place, 2 * color])


def _to(x: Tensor, size: torch.Size) -> Tensor:
    """C×h×w at another size: finer layers averaged, coarser ones enlarged."""
    if x.shape[1] >= size[0]:
        return shrink(x, size)
    return F.interpolate(x[None], size, mode="bilinear", align_corners=False)[0]


@cache
def _numbers() -> dict[str, Tensor]:
    return read_tensors(_FILE)[1]
