"""Ways to divide two photographs into regions, in few and in many: every region is on both sides.

Cells are joined into a tree by their traits (Ward 1963, in the small); a cut of the tree into K clusters is the start
of K means. That is done twice. With the cells of both photographs together, one mean for both is what matches their
regions: the sky of both is one cluster. And with each photograph alone, where what is one thing in it need not
resemble its partner, such as a white ground and a black one: then the clusters are paired that are most alike in what
they show and where they are. One more way is the classes of a scene that both show: sky and sky, plants and plants.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.optimize import linear_sum_assignment

from photostyle.segment.cells import Cells, Floats
from photostyle.segment.parsing import CLASSES
from photostyle.segment.traits import Traits

Labels = NDArray[np.int64]
"""Of N cells: 0 … K − 1."""

MOST = 8  # regions
_COLOR = 0.3  # scale of colour, beside what is shown
_PLACE, _OWN_PLACE = (0.2, 0.3), (0.4, 0.3)  # scales of height and depth: of both photographs, and of one alone
_OWN_MOST = 5  # regions of photographs divided alone: of more, too many are paired wrongly
_LEAST_SHOWN = 0.05  # of its photograph: a class of which one shows less is not common to both
_STRIDE = 2  # cells, between those that the tree is made of
_ROUNDS = 5  # of K means
_SMALLEST = 0.01  # of its photograph: a smaller region is noise


def partitions(sides: Sequence[Cells], traits: Sequence[Traits], most: int = MOST) -> Iterator[list[Labels]]:
    """Labels of the cells of both sides, two of them to `most`, the same on both; not all need differ."""
    if any(side.plain for side in sides):
        return
    yield from _together(sides, [t.weighed(_COLOR, *_PLACE).T for t in traits], most)
    yield from _by_classes(traits)
    alike = [t.weighed(0, *_OWN_PLACE).T for t in traits]
    yield from _alone(sides, [t.weighed(_COLOR, *_OWN_PLACE).T for t in traits], alike)


def sky_and_rest(traits: Sequence[Traits]) -> list[Labels] | None:
    """Labels of the cells of both sides, 1 where they show sky; None unless both show some, and something else."""
    labels = [(t.scene.argmax(0) == CLASSES.index("sky")).astype(np.int64) for t in traits]
    return labels if all(_LEAST_SHOWN <= side.mean() <= 1 - _LEAST_SHOWN for side in labels) else None


def regions_in(labels: Sequence[Labels]) -> int:
    """How many regions the labels of both sides tell apart."""
    return 1 + int(max(side.max() for side in labels))


def least_share(labels: Sequence[Labels]) -> float:
    """What part of its photograph the smallest region of either side is."""
    return float(_least_shares(labels, regions_in(labels)).min())


def _together(sides: Sequence[Cells], points: Sequence[Floats], most: int) -> Iterator[list[Labels]]:
    """Clusters of both sides' points (N×D each)."""
    for means in _cuts(np.concatenate([x[_sparse(side.grid)] for x, side in zip(points, sides, strict=True)]), most):
        labels = _means(points, means)
        if labels[0].any():
            yield labels


def _by_classes(traits: Sequence[Traits]) -> Iterator[list[Labels]]:
    """The classes of a scene that both show, and one region of the rest; hardly a rest on one side is shared out."""
    classes = [t.scene.argmax(0) for t in traits]
    known = len(traits[0].scene)
    shares = np.stack([np.bincount(side, minlength=known) / len(side) for side in classes])
    common = np.flatnonzero(shares.min(0) >= _LEAST_SHOWN)
    if len(common) and 1 - shares[:, common].sum(1).max() < _LEAST_SHOWN:
        labels = [t.scene[common].argmax(0) for t in traits]
    else:
        region = np.full(known, len(common))
        region[common] = np.arange(len(common))
        labels = [region[side] for side in classes]
    if all(len(np.unique(side)) == regions_in(labels) > 1 for side in labels):
        yield labels


def _alone(sides: Sequence[Cells], points: Sequence[Floats], alike: Sequence[Floats]) -> Iterator[list[Labels]]:
    """Clusters of each side's points (N×D), paired where those of `alike` (N×D′) are; of two, both ways round."""
    cuts = [_cuts(x[_sparse(side.grid)], _OWN_MOST) for x, side in zip(points, sides, strict=True)]
    for both in zip(*cuts, strict=False):
        here, there = (_means([x], means)[0] for x, means in zip(points, both, strict=True))
        count = regions_in([here])
        if count != regions_in([there]) or count == 1:
            continue
        a, b = (np.stack([x[l == k].mean(0) for k in range(count)]) for x, l in zip(alike, (here, there), strict=True))
        _, partner = linear_sum_assignment(((a - b[:, None]) ** 2).sum(2))  # of each region there, one here
        yield [here, partner[there]]
        if count == 2:
            yield [here, 1 - partner[there]]


def _cuts(few: Floats, most: int) -> Iterator[Floats]:
    """Means (K×D) of the clusters that the tree of these points (n×D) is cut into, K from 2 to `most`."""
    if len(few) < 2:
        return
    tree = linkage(few, "ward")
    for count in range(2, most + 1):
        cluster = fcluster(tree, count, "maxclust")
        yield np.stack([few[cluster == k].mean(0) for k in range(1, cluster.max() + 1)])


def _sparse(grid: tuple[int, int]) -> NDArray[np.bool_]:
    """Every second cell of every second row."""
    chosen = np.zeros(grid, bool)
    chosen[::_STRIDE, ::_STRIDE] = True
    return chosen.ravel()


def _means(x: Sequence[Floats], means: Floats) -> list[Labels]:
    """K means over the points N×D of all sides; a cluster that one of them hardly has goes, the smallest first."""
    together = np.concatenate(x)
    while True:
        for _ in range(_ROUNDS):
            labels = [_nearest(points, means) for points in x]
            member = np.concatenate(labels) == np.arange(len(means))[:, None]  # K×N
            counts = member.sum(1, keepdims=True)
            means = np.where(counts > 0, member.astype(float) @ together / np.maximum(counts, 1), means)
        labels = [_nearest(points, means) for points in x]
        least = _least_shares(labels, len(means))
        if len(means) == 1 or least.min() >= _SMALLEST:
            return labels
        means = np.delete(means, least.argmin(), axis=0)


def _least_shares(labels: Sequence[Labels], count: int) -> Floats:
    """Of each region, what part of that side it is where it is the smaller part."""
    shares: Floats = np.min([np.bincount(side, minlength=count) / len(side) for side in labels], axis=0)
    return shares


def _nearest(points: Floats, means: Floats) -> Labels:
    labels: Labels = ((means**2).sum(1) - 2 * points @ means.T).argmin(1)
    return labels
