"""Matches that look wrong: regions whose two sides differ in size, in height or in what the network sees there.

With z what is shown in each cell (`vgg.kinds`), what a region shows is the mean of z over it; two regions are alike by
the cosine of theirs. Where people paired regions by hand, a region is as a rule more like its partner than like any
other region.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from photostyle.image import exact, fit, shrink
from photostyle.network.vgg import KINDS, VGG, kinds
from photostyle.network.weights import Weights
from photostyle.regions.regions import Regions
from photostyle.segment.cells import Floats

_UNLIKE_SIZE = 6  # times as large a part of one photograph as of the other
_UNLIKE_HEIGHT = 0.4  # of a photograph's height, between the centres of mass
_UNLIKE_LOOK = 0.3  # by so much the cosine to another region is above that to its partner
_TELLING = 0.02  # of its photograph: what a smaller region shows is chance
_SIZE = 224  # long side that the network sees, pixels


def doubtful_matches(content: Tensor, style: Tensor, regions: Regions, weights: Weights | None) -> tuple[str, ...]:
    """A sentence for each region whose two sides are probably not the same kind of thing. Some doubts are unfounded.

    Photographs 3×H×W and 3×H′×W′, sRGB in [0, 1], and regions that fit them. `weights` are those of the network that
    compares them; without it (None) only sizes and heights are compared.
    """
    likeness = _likeness(content, style, regions, VGG(weights)) if weights and len(regions.names) > 1 else None
    shares = np.array(regions.shares).T
    heights = np.array([[_height(mask) for mask in masks] for masks in (regions.content, regions.style)])
    found = []
    for k, (name, doubt) in enumerate(zip(regions.names, doubts(shares, heights, likeness), strict=True)):
        if doubt == "size":
            here, there = shares[:, k]
            found.append(f"Region {name} covers {here:.0%} of the content and {there:.0%} of the style: no match?")
        elif doubt == "height":
            places = ("above", "below") if heights[0, k] > heights[1, k] else ("below", "above")
            found.append(f"Region {name} lies {places[0]} in the content and {places[1]} in the style: no match?")
        elif doubt is not None:
            other = regions.names[doubt]
            found.append(f"Region {name} of the content looks more like {other} in the style: no match?")
    return tuple(found)


def doubts(shares: Floats, heights: Floats, likeness: Floats | None) -> list[Literal["size", "height"] | int | None]:
    """Of each of K regions what is doubtful: its size, its height, or that it looks more like another one, which is it.

    `shares` and `heights` (0 at the bottom, 1 at the top) are 2×K, content and style; `likeness` K×K, cosines.
    """
    found: list[Literal["size", "height"] | int | None] = []
    for k, (share, height) in enumerate(zip(shares.T, heights.T, strict=True)):
        best = k if likeness is None or share.min() < _TELLING else int(likeness[k].argmax())
        if share.max() > _UNLIKE_SIZE * share.min():
            found.append("size")
        elif abs(height[0] - height[1]) > _UNLIKE_HEIGHT:
            found.append("height")
        elif likeness is not None and likeness[k, best] > likeness[k, k] + _UNLIKE_LOOK:
            found.append(best)
        else:
            found.append(None)
    return found


@torch.no_grad()
def _likeness(content: Tensor, style: Tensor, regions: Regions, vgg: VGG) -> Floats:
    """Cosine between what each region shows in the content and each in the style, K×K; regions too small −1."""
    looks = []
    for image, masks in ((content, regions.content), (style, regions.style)):
        F = vgg(fit(image, _SIZE).to(vgg.device), {KINDS})[KINDS]
        m = shrink(masks.to(F), F.shape[1:]).flatten(1)
        z = kinds(F).to(F).flatten(1)
        looks.append(torch.nn.functional.normalize(m @ z.T / m.sum(1, keepdim=True).clamp(min=1e-6)))
    likeness = looks[0] @ looks[1].T
    small = torch.tensor([share[1] < _TELLING for share in regions.shares], device=likeness.device)
    return exact(likeness.masked_fill(small, -1.0)).cpu().numpy()


def _height(mask: Tensor) -> float:
    """Of the centre of mass of an H×W mask: 0 at the bottom, 1 at the top."""
    rows = mask.sum(1)
    y = (torch.arange(len(rows)).to(rows) + 0.5) / len(rows)
    return 1 - float((rows * y).sum() / rows.sum())
