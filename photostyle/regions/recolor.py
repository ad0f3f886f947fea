"""A change of colour for each region, applied to a whole photograph: Σ_c m_c · map_c(I), band by band."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from photostyle.regions.counted import counted
from photostyle.regions.regions import Regions

ColorMap = Callable[[Tensor], Tensor]
"""Colours 3×n → colours 3×n, each by itself."""

_SAMPLE = 2**20  # colours of a photograph that are looked at: of 24 megapixels every fifth row and column
_BAND = 2**18  # pixels recoloured at a time, so that memory does not grow with the photograph


def sample(image: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
    """An even grid of about a million pixels of a photograph (3×H×W) and its masks (K×H×W): views, not copies.

    A small photograph is its own sample. Nothing is averaged, so the colours are those of the photograph.
    """
    stride = math.ceil(math.sqrt(image[0].numel() / _SAMPLE))
    return image[:, ::stride, ::stride], masks[:, ::stride, ::stride]


def paired_colors(content: Tensor, style: Tensor, regions: Regions) -> list[tuple[Tensor, Tensor] | None]:
    """For each region its colours in samples of content and style, 3×n and 3×m.

    Of the pixels that are `counted`; None where a region has none on one side.
    """
    sides = [
        (image, counted(masks)) for image, masks in (sample(content, regions.content), sample(style, regions.style))
    ]
    pairs: list[tuple[Tensor, Tensor] | None] = []
    for k in range(len(regions.names)):
        x, y = (image[:, inside[k]] for image, inside in sides)
        pairs.append((x, y) if x.shape[1] and y.shape[1] else None)
    return pairs


def match_colors(
    content: Tensor, style: Tensor, regions: Regions, find_map: Callable[[Tensor, Tensor], ColorMap]
) -> Tensor:
    """The content (3×H×W), the colours of each region by the map found for it from content's and style's; in [0, 1].

    `find_map` is given the colours of a region on both sides, 3×n and 3×m.
    """
    maps = [pair and find_map(*pair) for pair in paired_colors(content, style, regions)]
    return recolor(content, regions.content, maps).clamp_(0, 1)


def recolor(image: Tensor, masks: Tensor, maps: Sequence[ColorMap | None]) -> Tensor:
    """The photograph (3×H×W) with each region's colours mapped, blended by the masks (K×H×W, adding up to 1).

    None leaves a region's colours as they are. What the maps take out of [0, 1] stays there.
    """
    result = torch.zeros_like(image)
    rows = max(1, _BAND // image.shape[2])
    for old, new, m in zip(image.split(rows, 1), result.split(rows, 1), masks.split(rows, 1), strict=True):
        for mask, change in zip(m, maps, strict=True):
            if mask.any():
                new += mask * (change(old.flatten(1)).view_as(old) if change else old)
    return result
