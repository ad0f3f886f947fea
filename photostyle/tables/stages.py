"""What tables are made of: a curve for each channel, and a lattice with tetrahedral interpolation.

Both go over a box of colours, and hold what lies outside at its border, as the programs do that tables come from and
go to. (`lattice.ColorMap`, which looks are made of, is trilinear and goes on outside: it is differentiated.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


class Stage(Protocol):
    """A step of a table: colours 3×n → 3×n."""

    def __call__(self, colors: Tensor) -> Tensor: ...

    def to(self, other: Tensor) -> Stage:
        """The same on the device, and in the type, of `other`."""


@dataclass(frozen=True, eq=False)
class Curves:
    """A curve for each channel: `values` 3×M, M ≥ 2, evenly spaced from `low` to `high` (3 each), straight between."""

    values: Tensor
    low: Tensor
    high: Tensor

    def __call__(self, colors: Tensor) -> Tensor:
        """3×n → 3×n."""
        last = self.values.shape[1] - 1
        t = _within(colors, self.low, self.high) * last
        left = t.floor().clamp(max=last - 1)
        index = left.long()
        return torch.lerp(self.values.gather(1, index), self.values.gather(1, index + 1), t - left)

    def to(self, other: Tensor) -> Curves:
        """The same on the device, and in the type, of `other`."""
        return Curves(self.values.to(other), self.low.to(other), self.high.to(other))


@dataclass(frozen=True, eq=False)
class Lattice:
    """A 3-D table: `nodes` 3×N×N×N, N ≥ 2, the axes red, green and blue, evenly from `low` to `high` (3 each)."""

    nodes: Tensor
    low: Tensor
    high: Tensor

    @property
    def size(self) -> int:
        """N."""
        return self.nodes.shape[-1]

    def __call__(self, colors: Tensor) -> Tensor:
        """3×n → 3×n, by tetrahedra."""
        index, weights = corners(_within(colors, self.low, self.high), self.size)
        flat = self.nodes.flatten(1)
        mapped = torch.zeros_like(colors)
        for i, weight in zip(index, weights, strict=True):
            mapped += weight * flat[:, i]
        return mapped

    def to(self, other: Tensor) -> Lattice:
        """The same on the device, and in the type, of `other`."""
        return Lattice(self.nodes.to(other), self.low.to(other), self.high.to(other))


def corners(colors: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """The four nodes about each colour (3×n in [0, 1]) in a lattice of `size`: places in N³, and weights, 4×n each.

    A cell is cut into six tetrahedra about its grey diagonal; the way to a colour goes from the cell's darkest corner
    along the axis on which it has farthest to go, then the next (Kasson, Nin, Plouffe & Hafner, "Performing color
    space conversions with three-dimensional linear interpolation", 1995). Greys mix with greys only.
    """
    t = colors * (size - 1)
    cell = t.floor().clamp(max=size - 2)
    way, axes = (t - cell).sort(dim=0, descending=True)
    strides = torch.tensor([size * size, size, 1], device=colors.device)
    first = (strides[:, None] * cell.long()).sum(0, keepdim=True)
    index = torch.cat([first, first + strides[axes].cumsum(0)])
    ends = torch.cat([torch.ones_like(way[:1]), way, torch.zeros_like(way[:1])])
    return index, ends[:-1] - ends[1:]


def _within(colors: Tensor, low: Tensor, high: Tensor) -> Tensor:
    return ((colors - low[:, None]) / (high - low)[:, None]).clamp(0, 1)
