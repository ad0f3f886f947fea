"""What a way to divide two photographs is worth: how near to the style it brings the content, kind by kind.

Each region gets the simplest map that takes its colours to its partner's, the linear one of Monge and Kantorovich;
photographs taken as a whole get the sliders of an editor. Then

    cost = √D + price of each region beyond the second + price of what the maps change, beside the sliders
              + prices of partners at other heights, of such as look more like others, and of doubtful ones (`doubts`)
              + prices of borders where the photographs have none, and of classes that are divided

D is the Sinkhorn divergence of the content, as it is then, from the style, both as clouds of points in colour and in
what is shown (unbalanced: a thing that only one photograph has stays out, for a bounded price). Regions that pair the
wrong things bring a sky's colour to where no sky is shown, and D tells; and their maps change much for little. Where
one change of exposure and balance explains the style, D has nothing to gain. Costs are differences of colour, ΔE.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from photostyle.color.spaces import lab_from_srgb
from photostyle.color.transport import covariance, transport_matrix
from photostyle.maps.grade import COUNT, slide
from photostyle.recipes.grading import LAB, LIKENESS, Samples, first_sliders
from photostyle.segment.cells import Cells, Floats
from photostyle.segment.doubts import doubts
from photostyle.segment.parsing import CELL
from photostyle.segment.partitions import Labels, regions_in
from photostyle.segment.traits import Traits
from photostyle.solvers.sinkhorn import half_divergence, self_cost
from photostyle.terms.colors import Extras, kind_extras

_FURTHER = 0.5  # ΔE: the price of each region beyond the second
_APART = 0.05  # the price of a ΔE that regions' maps change the content by, beside the sliders
_GAIN = 250.0  # ΔE³: the least gain of regions, times the distances before and after the sliders
ALIKE = 0.885  # likeness: partners less alike than that are not of a kind
_HEIGHT = 4.0  # ΔE: the price of partners of which one is at the top and one at the bottom
_LOOK = 10.0  # ΔE: the price of partners that look more like others, by a cosine of 1
_BORDERS = 20.0, 5.0  # ΔE: the price of borders across which cells are as alike as any; the style's are not seen
_DIVIDED = 2.5  # ΔE, times the share of cells that are not where most of their class are
_DOUBT = 1.0  # ΔE: the price of each doubtful pair
_KIND = 0.5  # what it costs to go to another kind of thing, times 1 − cosine
_ENTROPY, _LEAVE = 0.01, 0.4  # ε and τ of the transport
_STRIDE = 18  # pixels between samples
_ROUGH = 1e-3  # a variance of colour that any region has
_STEEPEST = 3.0  # slope of a region's map


class Judge:
    """Judges divisions of two photographs; `sliders` are those that bring them near each other as a whole."""

    def __init__(self, sides: Sequence[Cells], traits: Sequence[Traits]) -> None:
        (self._x, self._here), (self._y, self._there) = (_samples(side) for side in sides)
        cells = self._here, self._there
        z, ζ = (torch.from_numpy(t.meaning)[:, seen] for t, seen in zip(traits, cells, strict=True))
        self._extra, self._own, own = kind_extras(z, ζ, _KIND)
        self._goal = _lab(self._y)
        self._constant = 0.5 * self_cost(self._goal, own, _ENTROPY, _LEAVE)
        z, ζ = (torch.from_numpy(side.kinds)[:, seen] for side, seen in zip(sides, cells, strict=True))
        self._places = [_heights(side) for side in sides]
        self._near = [side.likeness.tocoo() for side in sides]
        self._scenes = [t.scene for t in traits]
        self.sliders = self._find_sliders(kind_extras(z, ζ, LIKENESS))
        self._slid = slide(self._x.float(), self.sliders).double()
        self.untouched, self.whole = self._distance(self._x), self._distance(self._slid)

    def divided(self, labels: Sequence[Labels]) -> float:
        """The cost of regions, two or more, ΔE, by the labels of both sides' cells; each has some on both sides."""
        here, there = (torch.from_numpy(l)[cells] for l, cells in zip(labels, (self._here, self._there), strict=True))
        count = regions_in(labels)
        result = self._x.clone()
        for k in range(count):
            inside, partner = here == k, there == k
            if inside.any() and partner.any():
                result[:, inside] = _mapped(self._x[:, inside], self._y[:, partner])
        apart = LAB * float((_lab(result) - _lab(self._slid)).norm(dim=0).mean())
        borders = sum(price * _across(*side) for price, *side in zip(_BORDERS, labels, self._near, strict=True))
        prices = _FURTHER * (count - 2) + _APART * apart + borders + self._parted(labels)
        return self._distance(result) + prices + self._doubt(labels, count)

    def gains(self, labels: Sequence[Labels], cost: float, least: float = ALIKE) -> bool:
        """Whether regions of this cost are better than none; `least` is how alike partners must be, 0 to 1.

        The less there is to gain, the more of it they must gain: photographs that are near each other, or that sliders
        bring near each other, differ in what they show rather than in its light. And partners must be of a kind. What
        divided classes cost does not count here: it is for the choice among ways.
        """
        gain = self.whole - (cost - self._parted(labels))
        return self._alike(labels) > least and gain * self.whole * self.untouched > _GAIN

    def _alike(self, labels: Sequence[Labels]) -> float:
        """How alike partners are in what they show: 1 where they are the same."""
        members = _members(labels, regions_in(labels))
        return float(_shares(members).mean(0) @ self._likeness(members).diagonal())

    def _parted(self, labels: Sequence[Labels]) -> float:
        """What it costs that cells of one class are in several regions, ΔE: windows and walls of one town."""
        joint = [p @ m.T / p.shape[1] for p, m in zip(self._scenes, _members(labels, regions_in(labels)), strict=True)]
        return _DIVIDED * float(np.mean([1 - shares.max(1).sum() for shares in joint]))

    def _doubt(self, labels: Sequence[Labels], count: int) -> float:
        """What it costs that partners may not be the same kind of thing, ΔE."""
        members = _members(labels, count)
        shares = _shares(members)
        heights = np.stack([m @ h / m.sum(1) for m, h in zip(members, self._places, strict=True)])
        likeness = self._likeness(members)
        own = likeness.diagonal()
        others = likeness - 2 * np.eye(count)
        unlike = np.maximum(np.maximum(others.max(0), others.max(1)) - own, 0)
        share = shares.mean(0)
        doubtful = sum(doubt is not None for doubt in doubts(shares, heights, likeness))
        return float(_HEIGHT * share @ abs(heights[0] - heights[1]) + _LOOK * share @ unlike) + _DOUBT * doubtful

    def _likeness(self, members: Sequence[Floats]) -> Floats:
        """How alike the classes are that regions of the content and of the style show, Σ √(p q), K×K."""
        looks = [np.sqrt(p @ m.T / m.sum(1)) for p, m in zip(self._scenes, members, strict=True)]
        likeness: Floats = looks[0].T @ looks[1]
        return likeness

    def _find_sliders(self, extras: Extras) -> Tensor:
        """Those of an editor that bring the content's samples near the style's."""
        colors = self._x.float()
        unused = colors.new_zeros(colors.shape[1], COUNT)
        return first_sliders([Samples(colors, unused, self._y.float(), self._goal, extras, 1.0)])

    def _distance(self, colors: Tensor) -> float:
        half = half_divergence(_lab(colors), self._goal, self._extra, self._own, _ENTROPY, _LEAVE)
        return LAB * max(float(half) - self._constant, 0.0) ** 0.5


def _members(labels: Sequence[Labels], count: int) -> list[Floats]:
    """Which cells each region has, K×N on both sides, 0 or 1."""
    return [(l == np.arange(count)[:, None]).astype(float) for l in labels]


def _shares(members: Sequence[Floats]) -> Floats:
    """What part of each side each region is, 2×K."""
    return np.stack([m.sum(1) / m.sum() for m in members])


def _samples(side: Cells) -> tuple[Tensor, Tensor]:
    """Pixels on an even grid: their colours (3×n, sRGB), and their cells (n)."""
    H, W = side.seen.shape[1:]
    rows, columns = (torch.arange(min(_STRIDE // 2, n - 1), n, _STRIDE) for n in (H, W))
    y, x = (place.flatten() for place in torch.meshgrid(rows, columns, indexing="ij"))
    return side.seen[:, y, x].double(), (y // CELL) * side.grid[1] + x // CELL


def _heights(side: Cells) -> Floats:
    """Of each cell, N: 0 at the bottom, 1 at the top."""
    rows, columns = side.grid
    return np.repeat(1 - (np.arange(rows) + 0.5) / rows, columns)


def _across(labels: Labels, near: Any) -> float:
    """How alike neighbours are across borders, beside how alike neighbours are; `near` is their likeness, N×N."""
    across = labels[near.row] != labels[near.col]
    return float(near.data[across].mean() / near.data.mean()) if across.any() else 0.0


def _lab(colors: Tensor) -> Tensor:
    return lab_from_srgb(colors.clamp(0, 1)) / LAB


def _mapped(x: Tensor, y: Tensor) -> Tensor:
    """Colours x (3×n) by the linear map to those of y (3×m), nowhere steeper than `_STEEPEST`."""
    A = transport_matrix(covariance(x, _ROUGH), covariance(y, _ROUGH))
    slopes, axes = torch.linalg.eigh(A)
    gentle = axes * slopes.clamp(max=_STEEPEST) @ axes.T
    return gentle @ (x - x.mean(1, keepdim=True)) + y.mean(1, keepdim=True)
