"""A look as a map of colour: a lattice of N×N×N colours over the cube of sRGB, trilinear between its nodes.

It is what colourists call a 3-D table. A region of a photograph is given one; where regions lie, and how their maps
are blended, is another matter (`blend`). Light and colour may also follow the height within the region, as a sky does
towards its horizon: then an affine function of colour is added in proportion to the height.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from photostyle.color.path import between
from photostyle.color.spaces import chroma, lab_from_srgb, luma, srgb_from_lab
from photostyle.maps.tone import Tone

SIZE = 17  # nodes along an axis: between the modes of a grade, of nine nodes, nothing is lost
_SWEEPS = 40  # over the edges of a lattice whose slopes are limited


@dataclass(frozen=True, eq=False)
class ColorMap:
    """Colours to colours, sRGB in [0, 1]: T(x, h) = trilinear(nodes, x) + h · (A x + b).

    `nodes` is 3×N×N×N, N ≥ 2, the axes red, green and blue of the colour that goes in; `tilt` is 3×4, [A | b], zero
    for a map that does not follow the height h ∈ [−1 at the top, 1 at the bottom]. What comes out may leave [0, 1].
    """

    nodes: Tensor
    tilt: Tensor

    @classmethod
    def of(cls, nodes: Tensor) -> ColorMap:
        """The map of these nodes that does not follow the height."""
        return cls(nodes, nodes.new_zeros(3, 4))

    @classmethod
    def identity(cls, size: int = SIZE) -> ColorMap:
        """The map that changes nothing."""
        return cls.of(cube(size))

    @classmethod
    def affine(cls, A: Tensor, b: Tensor, size: int = 2) -> ColorMap:
        """x → A x + b (3×3 and 3), exactly: a lattice of two nodes is enough.

        >>> halve = ColorMap.affine(0.5 * torch.eye(3), torch.zeros(3))
        >>> halve(torch.tensor([1.0, 0.5, 0.2]))
        tensor([0.5000, 0.2500, 0.1000])
        """
        return cls.of(torch.tensordot(A, cube(size).to(A), dims=1) + b.view(3, 1, 1, 1))

    @property
    def size(self) -> int:
        """N."""
        return self.nodes.shape[-1]

    def __call__(self, colors: Tensor, height: Tensor | None = None) -> Tensor:
        """Colours 3×… → 3×…, at heights that broadcast with them (None: h = 0). Differentiable in both and the nodes.

        Beyond the cube a map goes on as a shift, with slope 1: the identity stays the identity there.
        """
        mapped = interpolate(self.nodes, colors.reshape(1, 3, 1, -1))[0].view(colors.shape)
        if height is None or not bool(self.tilt.any()):
            return mapped
        return mapped + height * self.slant(colors)

    def slant(self, colors: Tensor) -> Tensor:
        """What a unit of height adds: A x + b, 3×…"""
        A, b = self.tilt[:, :3], self.tilt[:, 3]
        return torch.tensordot(A, colors, dims=1) + b.view(3, *[1] * (colors.ndim - 1))

    def lerp(self, other: ColorMap, t: float) -> ColorMap:
        """From this map (t = 0) to the other (1), colour by colour on the way of `path.between`.

        That is the blend of two looks and, from the identity on, the strength of one.
        """
        if t in (0, 1):
            return other if t else self
        size = max(SIZE, self.size, other.size)  # the way is a curve
        a, b = self.resample(size), other.resample(size)
        return ColorMap(between(a.nodes, b.nodes, t), torch.lerp(a.tilt, b.tilt, t))

    def then(self, other: ColorMap) -> ColorMap:
        """The map that applies this one and then the other: exact at the nodes, and everywhere if both are affine.

        Raises ValueError if either follows the height: two slants do not make a slant.
        """
        if bool(self.tilt.any()) or bool(other.tilt.any()):
            raise ValueError("Maps that follow the height cannot be composed.")
        return ColorMap.of(other(self.resample(max(self.size, other.size)).nodes))

    def resample(self, size: int) -> ColorMap:
        """The same map with `size` nodes along each axis; exact where they hold the old ones, as 17 hold 9."""
        if size == self.size:
            return self
        return replace(
            self,
            nodes=interpolate(self.nodes, cube(size).to(self.nodes).reshape(1, 3, size, -1))[0].view(
                3, size, size, size
            ),
        )

    def to(self, other: Tensor) -> ColorMap:
        """The map on the device, and in the type, of `other`."""
        return ColorMap(self.nodes.to(other), self.tilt.to(other))

    def gain(self) -> float:
        """The largest slope ‖ΔT‖ / ‖Δx‖ along an edge of the lattice, or along a cell's grey diagonal."""
        return _steepest(self.nodes)

    def limited(self, gain: float) -> ColorMap:
        """The map with no slope above `gain` (≥ 1), close to this one.

        The two ends of an edge that is too steep are moved towards each other, over and over (projections onto
        convex sets, Bregman 1965); what is left at last is scaled about the mean colour.
        """
        nodes = self.nodes.clone()
        for _ in range(_SWEEPS):
            if _steepest(nodes) <= gain:
                return replace(self, nodes=nodes)
            for step in _STEPS:
                _tame(nodes, step, gain)
        middle = nodes.mean((1, 2, 3), keepdim=True)
        return replace(self, nodes=torch.lerp(middle, nodes, min(1.0, gain / _steepest(nodes))))

    def toned(self, tone: Tone) -> ColorMap:
        """The map whose colours have the chroma of a style of one tone, as far as it is one."""
        if not tone.certainty:
            return self
        lab = lab_from_srgb(self.nodes)
        lab[1:] = torch.lerp(lab[1:], tone.of(lab[0]), tone.certainty)
        tilt = torch.lerp(self.tilt, luma(self.tilt).expand(3, 4), tone.certainty)
        nodes = srgb_from_lab(lab)
        if not bool(tone.coefficients.any()):  # grey to the last bit
            nodes = nodes - tone.certainty * chroma(nodes)
        return ColorMap(nodes, tilt)


def cube(size: int) -> Tensor:
    """The colours of the nodes themselves, 3×N×N×N."""
    axis = torch.linspace(0, 1, size)
    return torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"))


def interpolate(nodes: Tensor, colors: Tensor) -> Tensor:
    """Trilinear interpolation in a lattice (3×N×N×N) of tiles of colours n×3×h×w, going on with slope 1 outside.

    Tiles are worked on side by side, one a core.
    """
    inside = colors.clamp(0, 1)
    return look_up(nodes, inside) + (colors - inside)


def look_up(table: Tensor, colors: Tensor) -> Tensor:
    """What is between the nodes of a table C×N×N×N at tiles of colours n×3×h×w, in [0, 1]: n×C×h×w."""
    grid = (colors.flip(1).permute(0, 2, 3, 1) * 2 - 1)[:, None]  # n×1×h×w×3; the last axis of the lattice comes first
    tables = table[None].expand(len(colors), *table.shape)
    return F.grid_sample(tables, grid, mode="bilinear", padding_mode="border", align_corners=True)[:, :, 0]


def shared_out(colors: Tensor, weights: Tensor, size: int) -> Tensor:
    """Weights K×n of colours 3×n on the nodes about them, K×N×N×N: the transpose of `look_up`."""
    place = colors.clamp(0, 1) * (size - 1)
    low = place.floor().clamp(max=size - 2)
    part = place - low
    total = weights.new_zeros(len(weights), size**3)
    for corner in range(8):  # of the cell that a colour lies in
        step = torch.tensor([corner >> 2 & 1, corner >> 1 & 1, corner & 1])[:, None]
        share = torch.where(step == 1, part, 1 - part).prod(0)
        r, g, b = (low + step).long()
        total.index_add_(1, (r * size + g) * size + b, weights * share)
    return total.view(len(weights), size, size, size)


def slopes(nodes: Tensor) -> Iterator[Tensor]:
    """‖ΔT‖ / ‖Δx‖ along the edges of lattices …×3×N×N×N: red, green, blue, and the grey diagonals of the cells."""
    for step in _STEPS:
        low, high = _ends(nodes, step)
        yield _length(high - low) / _run(nodes, step)


def _steepest(nodes: Tensor) -> float:
    return max(float(slope.max()) for slope in slopes(nodes))


_STEPS = ((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1))


def _ends(nodes: Tensor, step: Sequence[int]) -> tuple[Tensor, Tensor]:
    n = nodes.shape[-1]
    r, g, b = (slice(0, n - s) for s in step)
    R, G, B = (slice(s, n) for s in step)
    return nodes[..., r, g, b], nodes[..., R, G, B]


def _run(nodes: Tensor, step: Sequence[int]) -> float:
    return float(sum(step) ** 0.5 / (nodes.shape[-1] - 1))


def _length(d: Tensor) -> Tensor:
    """Of colours …×3×N×N×N, with a slope at zero."""
    return d.square().sum(-4).clamp(min=1e-12).sqrt()


def _tame(nodes: Tensor, step: Sequence[int], gain: float) -> None:
    """Bring edges in this direction that are too steep to `gain`, in place: every second one, then the others."""
    n, most = nodes.shape[-1], gain * _run(nodes, step)
    for parity in (0, 1):
        r, g, b = (slice(parity * s, n - s, 1 + s) for s in step)
        R, G, B = (slice(parity * s + s, n, 1 + s) for s in step)
        low, high = nodes[:, r, g, b], nodes[:, R, G, B]
        d = high - low
        excess = 0.5 * d * (1 - most / _length(d)).clamp(min=0)
        low += excess
        high -= excess
