"""Regions of two photographs from a network's own features: nothing to train, nothing to download.

Dark photographs are brightened first. Both photographs are cut in two together, and a region again where more are
asked for. A cut has three steps:

1.  z = (F − mean F) / std F, channel by channel, in each photograph on its own. Means and variances of
    features are the style (Li et al. 2017, arXiv 1701.01036): without them, sky by day and sky by night
    look alike.
2.  A soft two-means over z and the place in the photograph, both photographs in one. It is started from
    top against bottom and from border against centre: sky over land, or an object on its ground. This is
    what matches the regions of the two sides: one mean for both.
3.  In each photograph the border moves to where the photograph itself has one. With r the membership of
    step 2 and A the likeness of neighbouring cells (D its sums over rows), the walk from r (Grady, CVPR 2005)
    is

        (D − A + λ I) q = λ r

    and q is cut at the threshold of least normalised cut (Shi & Malik 2000; sweep: Andersen et al. 2006).

Of the starts, the one whose borders cut least is kept. All of it happens on a grid of 8×8 pixels at
long side 448.

How many regions? The cost of the cheapest cut tells photographs with a border in common from those without.
Beyond that it tells nothing: further cuts that part what people part cost as much as those that do
not. So there are two regions or one, and more only if `count` says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sparse
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse.linalg import splu
from torch import Tensor

from photostyle.color.spaces import adapted, lab_from_srgb
from photostyle.errors import SettingsError
from photostyle.image import fit, shrink
from photostyle.network.vgg import VGG, normalised
from photostyle.regions.regions import Regions

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
Bools = NDArray[np.bool_]

MOST = 8  # regions

_SIZE = 448  # long side that the network sees, pixels
_CELL = 8  # pixels of it per cell: the stride of _MEANING
_MEANING, _EDGES = "relu4_3", "relu3_3"  # the layers that tell kinds of things, and their borders
_PLACE = 0.4  # scale of height and of depth, standard deviation 1 each, beside features of power 1 together
_SOFTNESS = 0.1  # of the two-means, in mean squared distances to the means
_ITERATIONS = 20
_WALKS = (0.0003, 0.001, 0.003, 0.01)  # λ: how far the walk looks; the best cut decides
_ROUNDS = 2  # of two-means and cut
_SMALLEST = 0.01  # of its photograph: a smaller region, or a smaller island of one, is noise
_CLEAR = 0.035  # normalised cut, both sides together: a dearer one follows no border
_PLAIN = 1.0  # ΔE: a photograph whose colours spread less has nothing to cut


def cluster_regions(content: Tensor, style: Tensor, vgg: VGG, *, count: int | None = None) -> Regions:
    """The regions of two photographs (3×H×W and 3×H′×W′, sRGB in [0, 1]); same number, same kind of thing.

    By default two, or one where the photographs have no clear border in common. `count` (1 to 8) asks for
    so many; there are fewer where no cut leaves something on both sides, and `notes` says so. As a region
    is always cut on both sides at once, none lacks a partner. Masks are hard, cover every pixel of both
    sides and have the photographs' own sizes; "region 1" has the largest area, both sides together.
    Deterministic.

    Raises SettingsError for a count out of range.
    """
    if count is not None and not 1 <= count <= MOST:
        raise SettingsError(f"Regions are counted from 1 to {MOST}, not {count}.")
    sides = [_look(image, vgg) for image in (content, style)]
    labels = _divide(sides, count or 2, dearest=np.inf if count else _CLEAR)
    found = int(labels[0].max()) + 1
    masks = [_enlarge(l, side, found) for l, side in zip(labels, sides, strict=True)]
    return _named(masks, count)


@dataclass(frozen=True)
class _Side:
    """One photograph on a grid of h×w = N cells."""

    grid: tuple[int, int]
    seen: tuple[int, int]  # H×W of the image that the network saw
    size: tuple[int, int]  # H×W of the photograph
    z: Floats  # C×N, normalised features
    A: Any  # N×N, sparse, symmetric: likeness of neighbours in [0, 1]
    plain: bool  # nothing to cut


@torch.no_grad()
def _look(photograph: Tensor, vgg: VGG) -> _Side:
    (H, W), image = photograph.shape[1:], adapted(fit(photograph, _SIZE).to(vgg.device))
    features = vgg(image, {_MEANING, _EDGES})
    h, w = grid = features[_MEANING].shape[1:]
    lab = lab_from_srgb(shrink(image, grid)).flatten(1).cpu().double().numpy()
    z, e = (normalised(shrink(features[l], grid)).numpy() for l in (_MEANING, _EDGES))
    return _Side(
        grid=(h, w),
        seen=(image.shape[1], image.shape[2]),
        size=(H, W),
        z=z,
        A=_likeness([lab, e], (h, w)),
        plain=bool(lab.std(1).max() < _PLAIN),
    )


def _likeness(looks: Sequence[Floats], grid: tuple[int, int]) -> Any:
    """A_ij = exp(−Σ ‖x_i − x_j‖² / mean of it) / |i − j| over the eight neighbours, summed over the `looks` x."""
    h, w = grid
    cell = np.arange(h * w).reshape(h, w)
    pairs, lengths = [], []
    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
        here = cell[: h - dy, max(0, -dx) : w - max(0, dx)].ravel()
        there = cell[dy:, max(0, dx) : w + min(0, dx)].ravel()
        pairs.append(np.stack([here, there]))
        lengths.append(np.full(here.size, np.hypot(dy, dx)))
    i, j = np.concatenate(pairs, axis=1)
    difference = np.zeros(len(i))
    for x in looks:
        d = ((x[:, i] - x[:, j]) ** 2).sum(0)
        difference += d / max(float(d.mean()) if d.size else 0.0, 1e-12)
    weight = (np.exp(-difference) + 1e-4) / np.concatenate(lengths)
    half = sparse.coo_array((weight, (i, j)), shape=(h * w, h * w)).tocsr()
    return half + half.T


# --- cuts ----------------------------------------------------------------------------------------------


def _divide(sides: Sequence[_Side], count: int, dearest: float) -> list[Labels]:
    """Labels 0 … K − 1 of the cells of each side, K ≤ count, by cuts of at most that cost, the cheapest first.

    Every label is on both sides.
    """
    labels: list[Labels] = [np.zeros(side.grid[0] * side.grid[1], np.int64) for side in sides]
    cuts = {0: _cut(sides, [l == 0 for l in labels])}
    for new in range(1, count):
        best = min((cut for cut in cuts.values() if cut), key=lambda cut: cut.cost, default=None)
        if best is None or best.cost > dearest:
            break
        for l, mask in zip(labels, best.masks, strict=True):
            l[mask] = new
        (old,) = (label for label, cut in cuts.items() if cut is best)
        if new + 1 < count:
            cuts |= {label: _cut(sides, [l == label for l in labels]) for label in (old, new)}
    return labels


@dataclass(frozen=True, eq=False)
class _Cut:
    cost: float  # normalised cut, the sum of both sides
    masks: tuple[Bools, ...]  # per side, the cells (of N) of one half


def _cut(sides: Sequence[_Side], inside: Sequence[Bools]) -> _Cut | None:
    """The best cut in two of one region (its cells on each side), or None if no cut leaves two on both sides."""
    if any(side.plain or mask.sum() < 2 for side, mask in zip(sides, inside, strict=True)):
        return None
    places = [_places(side.grid, mask) for side, mask in zip(sides, inside, strict=True)]
    graphs = [_Graph(side.A[mask][:, mask]) for side, mask in zip(sides, inside, strict=True)]
    x = np.concatenate(
        [
            _meaning([side.z[:, mask] for side, mask in zip(sides, inside, strict=True)]),
            _PLACE * np.concatenate(places, axis=1),
        ]
    )  # D×n, both sides
    begin = [places[0].shape[1]]  # where the second side begins
    best: _Cut | None = None
    for start in (0, 1):  # height, depth
        r = np.concatenate([_ranks(place[start]) for place in places])
        for _ in range(_ROUNDS):
            parts = np.split(_two_means(x, r), begin)
            halves, costs = zip(*(graph.cut(part) for graph, part in zip(graphs, parts, strict=True)), strict=True)
            r = np.concatenate(halves).astype(float)
        large = (
            min(half.sum(), (~half).sum()) >= max(1, _SMALLEST * mask.size)
            for half, mask in zip(halves, inside, strict=True)
        )
        if all(large) and (best is None or sum(costs) < best.cost):
            masks = [mask.copy() for mask in inside]
            for mask, half in zip(masks, halves, strict=True):
                mask[mask] = half
            best = _Cut(sum(costs), tuple(masks))
    return best


def _meaning(z: Sequence[Floats]) -> Floats:
    """Features of one region's cells (C×n each side) as C×n: mean 0 on each side, power 1 together."""
    f = np.concatenate([side - side.mean(1, keepdims=True) for side in z], axis=1)
    return f / max(np.sqrt((f**2).sum(0).mean()), 1e-12)


def _places(grid: tuple[int, int], inside: Bools) -> Floats:
    """Height and depth (distance from the region's border) of a region's n cells: 2×n, mean 0, variance 1."""
    h, w = grid
    y = np.repeat(np.arange(h), w)[inside]
    if inside.all():  # the nearest side of the frame, in its own proportions
        Y, X = np.mgrid[:h, :w]
        depth = -np.maximum(abs((2 * Y + 1) / h - 1), abs((2 * X + 1) / w - 1)).ravel()
    else:
        depth = ndimage.distance_transform_edt(np.pad(inside.reshape(h, w), 1))[1:-1, 1:-1].ravel()[inside]
    places = np.stack([y, depth]).astype(float)
    places -= places.mean(1, keepdims=True)
    return places / np.maximum(places.std(1, keepdims=True), 1e-12)


def _ranks(x: Floats) -> Floats:
    """Each value's rank, in [0, 1)."""
    ranks = np.empty(len(x))
    ranks[np.argsort(x, kind="stable")] = np.arange(len(x)) / len(x)
    return ranks


def _two_means(x: Floats, r: Floats) -> Floats:
    """Soft two-means of the columns of x (D×n) from memberships r (n, of the second mean): memberships."""
    total, power = x.sum(1), (x**2).sum()
    for _ in range(_ITERATIONS):
        n = np.maximum([len(r) - r.sum(), r.sum()], 1e-12)
        one = x @ r
        means = np.stack([total - one, one]) / n[:, None]  # 2×D
        squares = (means**2).sum(1)
        scatter = (power - n @ squares) / len(r)  # mean squared distance to the means
        nearer = 2 * (means[1] - means[0]) @ x - (squares[1] - squares[0])  # d_0 − d_1
        r = 1 / (1 + np.exp(-np.clip(nearer / max(_SOFTNESS * scatter, 1e-12), -50, 50)))
    return r


class _Graph:
    """The cells of one region in one photograph, and how alike neighbours are."""

    def __init__(self, A: Any) -> None:
        self._degree = np.asarray(A.sum(1)).ravel()
        edges = sparse.triu(A).tocoo()
        self._i, self._j = edges.row, edges.col
        self._weight: Floats = edges.data
        L = sparse.diags_array(self._degree) - A
        self._walks = [(l, splu((L + l * sparse.eye_array(len(self._degree))).tocsc())) for l in _WALKS]

    def cut(self, r: Floats) -> tuple[Bools, float]:
        """The half of the cells that memberships r (n) point to, and its normalised cut (2 at worst)."""
        best = r > 0.5, 2.0
        for l, system in self._walks:
            half, cost = self._sweep(system.solve(l * r), r)
            if cost < best[1]:
                best = half, cost
        return best

    def _sweep(self, q: Floats, r: Floats) -> tuple[Bools, float]:
        """q cut where the normalised cut is least, between the mean of q in one half and that in the other."""
        n = len(q)
        order = np.argsort(q, kind="stable")
        rank = np.empty(n, int)
        rank[order] = np.arange(n)
        first, last = np.minimum(rank[self._i], rank[self._j]), np.maximum(rank[self._i], rank[self._j])
        # the pair (i, j) is cut by every threshold from the rank of one to just below that of the other
        cut = np.cumsum(np.bincount(first, self._weight, n) - np.bincount(last, self._weight, n))
        below = np.cumsum(self._degree[order])
        above = below[-1] - below
        low, high = np.average(q, weights=1 - r + 1e-12), np.average(q, weights=r + 1e-12)
        allowed = (q[order] >= low) & (q[order] < high) & (above > 1e-12 * below[-1])
        if not allowed.any():
            return r > 0.5, 2.0
        cost = np.where(allowed, cut / np.maximum(below, 1e-12) + cut / np.maximum(above, 1e-12), np.inf)
        threshold = int(cost.argmin())
        return rank > threshold, float(cost[threshold])


# --- back to pixels ------------------------------------------------------------------------------------


def _enlarge(labels: Labels, side: _Side, count: int) -> Tensor:
    """Labels of N cells → `count` soft masks at the photograph's own size, smooth borders, islands gone."""
    h, w = side.grid
    clean = _without_islands(labels.reshape(h, w))
    masks = torch.from_numpy(np.stack([clean == k for k in range(count)]).astype(np.float32))[None]
    cells = F.interpolate(masks, (h * _CELL, w * _CELL), mode="bilinear", align_corners=False)
    seen = cells[:, :, : side.seen[0], : side.seen[1]]  # the last cells reach beyond the image
    return F.interpolate(seen, side.size, mode="bilinear", align_corners=False)[0]


def _without_islands(labels: Labels) -> Labels:
    """Every patch that is neither large nor its label's largest takes the label of the nearest other cell."""
    island = np.zeros(labels.shape, bool)
    for label in np.unique(labels):
        patches, _ = ndimage.label(labels == label)
        areas = np.bincount(patches.ravel())
        areas[0] = labels.size
        small = areas < _SMALLEST * labels.size
        small[1 + areas[1:].argmax()] = False
        island |= small[patches]
    nearest = ndimage.distance_transform_edt(island, return_distances=False, return_indices=True)
    return labels[tuple(nearest)]


def _named(masks: Sequence[Tensor], wanted: int | None) -> Regions:
    """Hard masks of what is on both sides, largest first; a note if there are fewer than wanted."""
    labels = [side.argmax(0) for side in masks]
    count = len(masks[0])
    both = [k for k in range(count) if all((side == k).any() for side in labels)]
    if len(both) < count:  # a sliver fell between two pixels
        labels = [torch.tensor(both)[side[both].argmax(0)] for side in masks]
    both.sort(key=lambda k: -sum(float((side == k).float().mean()) for side in labels))
    content, style = (torch.stack([side == k for k in both]).float() for side in labels)
    names = tuple(f"region {n}" for n in range(1, len(both) + 1))
    if len(names) >= (wanted or 2):
        notes: tuple[str, ...] = ()
    elif wanted:
        notes = (f"Found {len(names)} of {wanted} regions: no more borders are common to both photographs.",)
    else:
        notes = ("No clear border is common to both photographs: they are taken as a whole.",)
    return Regions(names, content, style, notes)
