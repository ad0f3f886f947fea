"""Ways to divide two photographs into regions, in few and in many: every region is on both sides.

Cells of both photographs are joined into a tree by their traits (Ward 1963, in the small); a cut of the tree into K
clusters is the start of K means over all cells. One mean for both photographs is what matches their regions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage

from photostyle.segment.cells import Cells, Floats
from photostyle.segment.traits import Traits

Labels = NDArray[np.int64]
"""Of N cells: 0 … K − 1."""

MOST = 8  # regions
_PLACES = ((0.2, 0.3), (0.4, 0.3), (0.2, 0.6))  # scales of height and depth: where one tells little, another does
_STRIDE = 2  # cells, between those that the tree is made of
_ROUNDS = 5  # of K means
_SMALLEST = 0.01  # of its photograph: a smaller region is noise


def partitions(sides: Sequence[Cells], traits: Sequence[Traits]) -> Iterator[list[Labels]]:
    """Labels of the cells of both sides, 2 to 8 of them, the same on both; not all need differ."""
    if any(side.plain for side in sides):
        return
    for height, depth in _PLACES:
        x = [t.placed(height, depth).T for t in traits]  # N×D each
        few = np.concatenate([points[_sparse(side.grid)] for points, side in zip(x, sides, strict=True)])
        if len(few) < 2:
            continue
        tree = linkage(few, "ward")
        for count in range(2, MOST + 1):
            cluster = fcluster(tree, count, "maxclust")
            labels = _means(x, np.stack([few[cluster == k].mean(0) for k in range(1, cluster.max() + 1)]))
            if labels[0].any():
                yield labels


def regions_in(labels: Sequence[Labels]) -> int:
    """How many regions the labels of both sides tell apart."""
    return 1 + int(max(side.max() for side in labels))


def _sparse(grid: tuple[int, int]) -> NDArray[np.bool_]:
    """Every second cell of every second row."""
    chosen = np.zeros(grid, bool)
    chosen[::_STRIDE, ::_STRIDE] = True
    return chosen.ravel()


def _means(x: Sequence[Floats], means: Floats) -> list[Labels]:
    """K means over the points N×D of both sides; a cluster that either hardly has goes, the smallest first."""
    together = np.concatenate(x)
    while True:
        for _ in range(_ROUNDS):
            labels = [_nearest(points, means) for points in x]
            member = np.concatenate(labels) == np.arange(len(means))[:, None]  # K×N
            counts = member.sum(1, keepdims=True)
            means = np.where(counts > 0, member.astype(float) @ together / np.maximum(counts, 1), means)
        labels = [_nearest(points, means) for points in x]
        least = np.min([np.bincount(l, minlength=len(means)) / len(l) for l in labels], axis=0)
        if len(means) == 1 or least.min() >= _SMALLEST:
            return labels
        means = np.delete(means, least.argmin(), axis=0)


def _nearest(points: Floats, means: Floats) -> Labels:
    labels: Labels = ((means**2).sum(1) - 2 * points @ means.T).argmin(1)
    return labels
