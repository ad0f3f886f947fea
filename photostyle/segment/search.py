"""The regions of two photographs from a network's own features: nothing further to download.

Both photographs are divided, together and each alone, in few regions and in many (`partitions`); a judge says of each
way how near to the style it brings the content (`judge`). The best is taken, two regions of it joined where that is no
loss. Where it gains enough, the next best are joined likewise: many regions, one pair of which is wrong, may be the
best few. Where it does not, sky and sky, the rest and the rest may. Where looks of their own gain nothing, regions may
still tell in which proportions the style counts (`proportions`). Else there are none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from operator import itemgetter

import torch
from torch import Tensor

from photostyle.errors import SettingsError
from photostyle.network.hed import EdgeDetector
from photostyle.network.lite import Lite
from photostyle.network.weights import Weights
from photostyle.regions.regions import Regions
from photostyle.segment.cells import Cells, look
from photostyle.segment.judge import Judge
from photostyle.segment.masks import masks_of, named
from photostyle.segment.partitions import MOST, Labels, least_share, partitions, regions_in, sky_and_rest
from photostyle.segment.proportions import in_other_proportions
from photostyle.segment.traits import Traits, find_traits

Judged = tuple[list[Labels], float]
"""Labels of both sides' cells, and what they cost, ΔE."""

_FEW = 5  # regions: if no count is asked for, more gain nothing
_OTHERS = 2  # ways of more than two regions in which regions are joined, beside the best way: more take time
_SKIES_ALIKE = 0.84  # likeness: of sky and sky the rest may be less so than of any other regions
_LEAST = 0.05  # of its photograph: a smaller region is not worth the risk that it is none

_NO_GAIN = "Regions of their own would bring the photographs hardly nearer: they are taken as a whole."
_ONE_LIGHT = "Both photographs are in one light: regions share one look, and only tell how much of the style counts."
_NOTHING = "No regions are common to both photographs: they are taken as a whole."


def common_regions(
    content: Tensor,
    style: Tensor,
    things: Weights,
    edges: Weights,
    *,
    count: int | None = None,
    needed: bool = False,
    device: torch.device | str = "cpu",
) -> Regions:
    """The regions of two photographs (3×H×W and 3×H′×W′, sRGB in [0, 1]); same number, same kind of thing.

    As many as the result gains by, from one to five; at least two where they are `needed`. In one light they may share
    one look (`Regions.one_look`). `count` (1 to 8) asks for so many; there are fewer where no more are on both sides.
    `notes` says what was decided. Masks are hard, cover every pixel of
    both sides and have the photographs' own sizes; "region 1" has the largest area, both sides together. `things` are
    the weights of `efficientnet-lite2`, `edges` those of `vgg16-hed`. Deterministic.

    Raises SettingsError for a count out of range, WeightsError for other networks.
    """
    if count is not None and not 1 <= count <= MOST:
        raise SettingsError(f"Regions are counted from 1 to {MOST}, not {count}.")
    if count == 1:
        return Regions.whole(content, style)
    networks = Lite(things, device), EdgeDetector(edges, device)
    sides = [look(image, *networks) for image in (content, style)]
    traits = find_traits(sides)
    ways = list(partitions(sides, traits, count or _FEW))
    if count:
        most = max((regions_in(way) for way in ways if regions_in(way) <= count), default=1)
        ways = [way for way in ways if regions_in(way) == most]
    elif not needed:
        ways = [way for way in ways if least_share(way) >= _LEAST]
    if not ways:
        said = f"Found 1 of {count} regions: no more are common to both photographs." if count else _NOTHING
        return _whole(content, style, said)
    judge = Judge(sides, traits)
    first, *others = sorted(((way, judge.divided(way)) for way in ways), key=itemgetter(1))
    if count:
        return _regions(first[0], sides, (content, style), count)
    first = _joined(*first, judge)
    if not judge.gains(*first):
        skies = _skies(traits, judge)
        if skies:
            return _regions(skies, sides, (content, style))
        if not needed:
            one_light = in_other_proportions(ways, sides, judge.sliders)
            if one_light is None:
                return _whole(content, style, _NO_GAIN)
            found = _regions(one_light, sides, (content, style))
            return replace(found, one_look=True, notes=(*found.notes, _ONE_LIGHT))
    best, _ = _least(first, others, judge)
    return _regions(best, sides, (content, style))


def _skies(traits: Sequence[Traits], judge: Judge) -> list[Labels] | None:
    """Sky and sky, and the rest and the rest, if that gains: they are of a kind even where little of the rest is."""
    skies = sky_and_rest(traits)
    return skies if skies and judge.gains(skies, judge.divided(skies), _SKIES_ALIKE) else None


def _least(first: Judged, others: Sequence[Judged], judge: Judge) -> Judged:
    """What costs least, of the first way and of the best others of more than two regions, these joined, that gain.

    Whether there are regions at all is not theirs to say: of many that are tried one costs little by chance.
    """
    several = [(way, cost) for way, cost in others if regions_in(way) > 2]
    joined = [_joined(way, cost, judge) for way, cost in several[:_OTHERS]]
    return min([first, *(way for way in joined if judge.gains(*way))], key=itemgetter(1))


def _joined(labels: list[Labels], cost: float, judge: Judge) -> Judged:
    """Two regions made one, again and again, while that costs less; two are left at least."""
    while (count := regions_in(labels)) > 2:
        ways = [_one(labels, a, b) for a, b in combinations(range(count), 2)]
        best, least = min(((way, judge.divided(way)) for way in ways), key=itemgetter(1))
        if least >= cost:
            break
        labels, cost = best, least
    return labels, cost


def _one(labels: Sequence[Labels], a: int, b: int) -> list[Labels]:
    """Region b becomes part of a < b, and those after it move up."""
    return [side - (side > b) + (a - b) * (side == b) for side in labels]


def _regions(
    labels: Sequence[Labels], sides: Sequence[Cells], photographs: Sequence[Tensor], count: int | None = None
) -> Regions:
    """The regions of both photographs, at their sizes, by the labels of their cells."""
    masks = [masks_of(l, side, image.shape[1:]) for l, side, image in zip(labels, sides, photographs, strict=True)]
    return named(masks, count)


def _whole(content: Tensor, style: Tensor, said: str) -> Regions:
    return replace(Regions.whole(content, style), notes=(said,))
