"""Whether a map of colour is one that a photograph survives: how steep it is, where it folds, what it clips."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from photostyle.color.spaces import luma
from photostyle.maps.lattice import ColorMap

_STEEP = 8.0  # a slope from which noise and blocks of JPEG come out
_FOLD = 1e-2  # of the volume a cell had: what is left of it in black and white is rounding
_FEW_FOLDS, _FEW_CLIPPED = 0.005, 0.5  # shares that good tables have too: a stop more light clips a third
_DARKER = 0.05  # a slope of light downwards that an eye sees
_NEAR = 1 / 64  # colours between which slopes are taken
_BEYOND = 0.5 / 255


@dataclass(frozen=True)
class Soundness:
    """`gain`: how many times farther apart two near colours may be afterwards; `folds`: the share of the colours that
    are turned inside out, so that they change their order; `clipped`: the share that leaves [0, 1] by half an 8-bit
    level or more. `of` are the colours that were looked at."""

    gain: float
    folds: float
    clipped: float
    of: str = "the cube"

    def doubts(self, name: str) -> list[str]:
        """Sentences about what is out of the ordinary, none for a sound map; `name` is what they call it."""
        found = []
        if self.gain > _STEEP:
            found.append(f"{name} is steep: near colours come out up to {self.gain:.0f} times as far apart.")
        if self.folds > _FEW_FOLDS:
            found.append(f"{name} folds: in {self.folds:.1%} of {self.of} colours change their order.")
        if self.clipped > _FEW_CLIPPED:
            found.append(f"{name} clips: it takes {self.clipped:.0%} of {self.of} out of the range.")
        return found


def examine(map: ColorMap, colors: Tensor | None = None) -> Soundness:
    """The soundness of a map at height 0: on all of the cube, from its nodes, or on the colours of a photograph (3×n).

    What a map does to colours that no photograph of its kind has is nobody's harm.
    """
    if colors is not None:
        return _examine_on(map, colors.double())
    nodes = map.nodes.double()
    here = nodes[:, :-1, :-1, :-1]
    edges = (nodes[:, 1:, :-1, :-1] - here, nodes[:, :-1, 1:, :-1] - here, nodes[:, :-1, :-1, 1:] - here)
    volume = (edges[0] * torch.linalg.cross(edges[1], edges[2], dim=0)).sum(0) * (map.size - 1) ** 3
    # a map that swaps channels mirrors all of the cube, and is no fold
    folds = min(float((volume < -_FOLD).double().mean()), float((volume > _FOLD).double().mean()))
    beyond = (nodes < -_BEYOND) | (nodes > 1 + _BEYOND)
    return Soundness(map.gain(), folds, float(beyond.any(0).double().mean()))


def _examine_on(map: ColorMap, x: Tensor) -> Soundness:
    """Folds are counted where a little more light comes out darker: a look may well turn hues about."""
    map = map.to(x)
    x = x.clamp(_NEAR, 1 - _NEAR)
    axes = (*torch.eye(3).to(x), torch.ones(3).to(x))
    *slopes, lighter = ((map(x + _NEAR * a[:, None]) - map(x - _NEAR * a[:, None])) / (2 * _NEAR) for a in axes)
    y = map(x)
    beyond = ((y < -_BEYOND) | (y > 1 + _BEYOND)).any(0)
    return Soundness(
        gain=max(float(slope.norm(dim=0).max()) for slope in slopes),
        folds=float((luma(lighter) < -_DARKER).double().mean()),
        clipped=float(beyond.double().mean()),
        of="its photograph",
    )
