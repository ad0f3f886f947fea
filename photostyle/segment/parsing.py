"""What each part of a photograph shows: scene parsing (Zhou et al., ADE20K, CVPR 2017), as simple as can be.

With e what is seen in a cell, ē the mean of it around the cell, and ê its mean over the photograph,

    P = softmax(own · e + near · ē + whole · ê + bias)

over seven classes. What is seen comes from a network that was trained to tell things; the numbers are fitted to
photographs of free licences, in their own light and in others (`benchmarks/parsing`, `parsing.md`).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from photostyle.errors import WeightsError
from photostyle.image import exact, shrink
from photostyle.network.backbones import SCENE_BACKBONE
from photostyle.tensors import read_tensors
from photostyle.terms.energy import Features

CLASSES = ("sky", "water", "plants", "land", "built", "thing", "ground")
"""What is told apart. Ground is a plain backdrop, wall, floor or cloth behind a thing; land is rock, sand and snow."""

LAYERS = ("block10", "block14", "block19")
"""The blocks that are read: of EfficientNet-Lite2, at strides 16, 16 and 32."""

CELL = 8  # pixels along each side
NUMBERS = Path(__file__).with_name("parsing.safetensors")
"""The file of `weight` (3×7×423: own, near and whole) and `bias` (7)."""

_AROUND = 2  # cells, to each side
_FURTHER = 7  # of evidence: place and colour


def parse_scene(features: Features, image: Tensor) -> Tensor:
    """How likely each cell shows each of `CLASSES`: 7×h×w, sums of 1, in float64 and on the processor.

    The image is 3×H×W, sRGB in [0, 1], at a long side of 448 pixels, brightened if dark and half of its cast taken
    out (`adapted` and then `balanced` of `photostyle.color.spaces`); `features` are what `photostyle.network.lite.Lite`
    has of it in `LAYERS`, C×h×w each. There are ⌈H/8⌉×⌈W/8⌉ cells.

    Raises WeightsError for features of another network.
    """
    return parse_cells(on_cells(features, image), image)


@torch.no_grad()
def on_cells(features: Features, image: Tensor) -> Tensor:
    """The features of `LAYERS` of an image, enlarged to its cells: C×h×w in float32, on the processor."""
    size = [-(-n // CELL) for n in image.shape[1:]]
    enlarged = [
        F.interpolate(features[layer][None].cpu().float(), size, mode="bilinear", align_corners=False)[0]
        for layer in LAYERS
    ]
    return torch.cat(enlarged)


def parse_cells(deep: Tensor, image: Tensor) -> Tensor:
    """`parse_scene` of features that are `on_cells` already."""
    expected = _numbers()["weight"].shape[2] - _FURTHER
    if len(deep) != expected:
        raise WeightsError(
            f"Scenes are read in {expected} channels, and this network has {len(deep)}: "
            f"use the weights {SCENE_BACKBONE!r}."
        )
    return classes_of(evidence(deep, image))


def classes_of(e: Tensor) -> Tensor:
    """softmax(own · e + near · ē + whole · ê + bias) of `evidence`: 7×h×w in float64."""
    numbers = _numbers()
    own, near, whole = torch.einsum("pkc,chw->pkhw", numbers["weight"], e)
    # means are linear: they are taken of seven numbers rather than of hundreds
    logits = own + around(near) + whole.mean((1, 2), keepdim=True) + numbers["bias"][:, None, None]
    return exact(logits).softmax(0)


def evidence(deep: Tensor, image: Tensor) -> Tensor:
    """e, what is seen in each cell: features `on_cells`, height and distance from the middle, and five of colour."""
    h, w = size = deep.shape[1:]
    y, x = (2 * (torch.arange(n) + 0.5) / n - 1 for n in (h, w))
    place = torch.stack([y[:, None].expand(h, w), x.abs().expand(h, w)])
    rgb = shrink(image, size).cpu().float()
    light = rgb.mean(0)
    color = torch.stack([light, rgb[0] - rgb[1], rgb[2] - rgb[1], light - light.mean(), rgb.std(0, correction=0)])
    return torch.cat([deep, place, 2 * color])


def around(x: Tensor) -> Tensor:
    """The mean of C×h×w over the 5×5 cells around each, as far as the photograph reaches."""
    return F.avg_pool2d(x, 2 * _AROUND + 1, 1, _AROUND, count_include_pad=False)


@cache
def _numbers() -> dict[str, Tensor]:
    return read_tensors(NUMBERS)[1]
