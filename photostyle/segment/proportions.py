"""Two photographs in one light that show the same kinds of things, one more of this and the other more of that.

Where an edit brings one to the light of the other, regions need no look of their own, and would be harmed by it: they
differ by what they happen to show. But what the edit is depends on what is compared with what. Of a photograph that is
half sky and a style that is nearly all sky the light of the sky would go to the land. Two regions prevent that: they
say how much each part of the style counts (`Regions.in_proportion`).

Whether they do is told by `need`: how much of the style is left that sliders do not explain, in each region by itself
but with the same sliders for both. Where it falls clearly short of what is left of the photographs as a whole, it was
the proportions. All of that is asked of as many samples in each region, or few would look like a poor match.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from photostyle.color.spaces import lab_from_srgb
from photostyle.maps.grade import COUNT
from photostyle.recipes.grading import LAB, LIKENESS, Samples, nearest_sliders, need
from photostyle.segment.cells import Cells
from photostyle.segment.parsing import CELL
from photostyle.segment.partitions import Labels, regions_in
from photostyle.terms.colors import kind_extras

_TRIED = 4  # ways, those of the most different proportions
_DIFFERENT = 0.1  # part of a photograph that is another region than in the other photograph
_SHORT = 0.88  # of the need of the whole
_ONE_LIGHT = 0.7  # of `need`: from 1 on sliders do not explain the style
_SAMPLES = 150  # of a region
_LEAVE, _ROUNDS = 0.3, 2  # of a fit of sliders that goes on from those of the whole


def in_other_proportions(ways: Sequence[list[Labels]], sides: Sequence[Cells], sliders: Tensor) -> list[Labels] | None:
    """Of ways to divide both photographs in two the one that tells best in which proportions they show the same things.

    `sliders` (8) are those that bring the photographs near each other as a whole. None where they are not in one light,
    or where no way tells anything.
    """
    twofold = {tuple(side.tobytes() for side in way): way for way in ways if regions_in(way) == 2}
    tried = [way for way in sorted(twofold.values(), key=_difference)[-_TRIED:] if _difference(way) >= _DIFFERENT]
    if not tried:
        return None
    least, best = min(((_need(way, sides, sliders), way) for way in tried), key=lambda judged: judged[0])
    whole = [np.zeros_like(side) for side in best]
    return best if least < min(_ONE_LIGHT, _SHORT * _need(whole, sides, sliders)) else None


def _difference(labels: Sequence[Labels]) -> float:
    """What part of one photograph would have to be the other region for the other photograph's proportions."""
    here, there = (side.mean() for side in labels)
    return float(abs(here - there))


def _need(labels: Sequence[Labels], sides: Sequence[Cells], sliders: Tensor) -> float:
    samples = _samples(labels, sides)
    return need(samples, nearest_sliders(samples, sliders, _LEAVE, _ROUNDS))


def _samples(labels: Sequence[Labels], sides: Sequence[Cells]) -> list[Samples]:
    """Of each region; without a basis, since there are no modes."""
    found = []
    for k in range(regions_in(labels)):
        (x, z), (y, ζ) = (_side(label == k, side) for label, side in zip(labels, sides, strict=True))
        extras = kind_extras(z, ζ, LIKENESS)
        share = float((labels[0] == k).mean())
        found.append(Samples(x, x.new_zeros(x.shape[1], COUNT), y, lab_from_srgb(y).double() / LAB, extras, share))
    return found


def _side(inside: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], side: Cells) -> tuple[Tensor, Tensor]:
    """Of the cells that are inside (N) pixels, spread evenly: their colours 3×n and what is shown there, C×n."""
    H, W = side.seen.shape[1:]
    cells = torch.arange(len(inside)).view(side.grid)
    cells = cells.repeat_interleave(CELL, 0).repeat_interleave(CELL, 1)[:H, :W]
    own = torch.from_numpy(inside)[cells]
    stride = max(1, int((float(own.sum()) / _SAMPLES) ** 0.5))
    y, x = own[stride // 2 :: stride, stride // 2 :: stride].nonzero().T * stride + stride // 2
    chosen = torch.linspace(0, len(y) - 1, min(_SAMPLES, len(y))).round().long()
    y, x = y[chosen], x[chosen]
    return side.seen[:, y, x], torch.from_numpy(side.kinds)[:, cells[y, x]]
