"""What a way to divide two photographs is worth: how near to the style it brings the content, kind by kind.

Each region gets the simplest map that takes its colours to its partner's, the linear one of Monge and Kantorovich;
photographs taken as a whole get the sliders of an editor. Then, whatever the regions,

    cost = √D + price of the regions

D is the Sinkhorn divergence of the content, as it is then, from the style, both as clouds of points in colour and in
what is shown (unbalanced: a thing that only one photograph has stays out, for a bounded price). Regions that pair the
wrong things bring a sky's colour to where no sky is shown, and D tells. Where one change of exposure and balance
explains the style, D has nothing to gain. Costs are differences of colour, ΔE.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from photostyle.color.spaces import lab_from_srgb
from photostyle.color.transport import covariance, transport_matrix
from photostyle.maps.grade import slide
from photostyle.network.vgg import VGG
from photostyle.recipes.grading import first_sliders, take_samples
from photostyle.regions.regions import Regions
from photostyle.segment.cells import CELL, Cells, Floats
from photostyle.segment.partitions import Labels, regions_in
from photostyle.segment.traits import Traits
from photostyle.solvers.sinkhorn import half_divergence, self_cost
from photostyle.terms.colors import kind_extras

_DIVIDED, _FURTHER = 2.5, 1.0  # ΔE: the price of two regions, and of each one more
_KIND = 0.5  # what it costs to go to another kind of thing, times 1 − cosine
_ENTROPY, _LEAVE = 0.01, 0.4  # ε and τ of the transport
_LAB = 50.0  # L*a*b* in this unit
_STRIDE = 18  # pixels between samples
_ROUGH = 1e-3  # a variance of colour that any region has
_STEEPEST = 3.0  # slope of a region's map


class Judge:
    """Judges divisions of two photographs."""

    def __init__(self, sides: Sequence[Cells], traits: Sequence[Traits]) -> None:
        self._images = [side.seen for side in sides]
        (self._x, self._here, z), (self._y, self._there, ζ) = (
            _samples(side, t.shown) for side, t in zip(sides, traits, strict=True)
        )
        self._extra, self._own, own = kind_extras(z, ζ, _KIND)
        self._goal = _lab(self._y)
        self._constant = 0.5 * self_cost(self._goal, own, _ENTROPY, _LEAVE)

    def whole(self, vgg: VGG) -> float:
        """The cost of not dividing them at all, ΔE; the network is asked which colours are of one kind."""
        I, S = self._images
        sliders = first_sliders(take_samples(I, S, Regions.whole(I, S), vgg))
        return self._distance(slide(self._x.float(), sliders).double())

    def divided(self, labels: Sequence[Labels]) -> float:
        """The cost of regions, two or more, ΔE, by the labels of both sides' cells; each has some on both sides."""
        here, there = (torch.from_numpy(l)[cells] for l, cells in zip(labels, (self._here, self._there), strict=True))
        count = regions_in(labels)
        result = self._x.clone()
        for k in range(count):
            inside, partner = here == k, there == k
            if inside.any() and partner.any():
                result[:, inside] = _mapped(self._x[:, inside], self._y[:, partner])
        return self._distance(result) + _DIVIDED + _FURTHER * (count - 2)

    def _distance(self, colors: Tensor) -> float:
        half = half_divergence(_lab(colors), self._goal, self._extra, self._own, _ENTROPY, _LEAVE)
        return _LAB * max(float(half) - self._constant, 0.0) ** 0.5


def _samples(side: Cells, shown: Floats) -> tuple[Tensor, Tensor, Tensor]:
    """Pixels on an even grid: their colours (3×n, sRGB), their cells (n), what is shown there (D×n, unit vectors)."""
    H, W = side.seen.shape[1:]
    rows, columns = (torch.arange(min(_STRIDE // 2, n - 1), n, _STRIDE) for n in (H, W))
    y, x = (place.flatten() for place in torch.meshgrid(rows, columns, indexing="ij"))
    cells = (y // CELL) * side.grid[1] + x // CELL
    z = F.normalize(torch.from_numpy(np.ascontiguousarray(shown)), dim=0)
    return side.seen[:, y, x].double(), cells, z[:, cells]


def _lab(colors: Tensor) -> Tensor:
    return lab_from_srgb(colors.clamp(0, 1)) / _LAB


def _mapped(x: Tensor, y: Tensor) -> Tensor:
    """Colours x (3×n) by the linear map to those of y (3×m), nowhere steeper than `_STEEPEST`."""
    A = transport_matrix(covariance(x, _ROUGH), covariance(y, _ROUGH))
    slopes, axes = torch.linalg.eigh(A)
    gentle = axes * slopes.clamp(max=_STEEPEST) @ axes.T
    return gentle @ (x - x.mean(1, keepdim=True)) + y.mean(1, keepdim=True)
