"""Whether a map of colour is one that a photograph survives: how steep it is, where it folds, what it clips."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from photostyle.lattice import ColorMap

_STEEP = 8.0  # a slope from which noise and blocks of JPEG come out
_FOLD = 1e-2  # of the volume a cell had: what is left of it in black and white is rounding
_FEW_FOLDS, _FEW_CLIPPED = 0.005, 0.5  # shares that good tables have too: a stop more light clips a third
_BEYOND = 0.5 / 255


@dataclass(frozen=True)
class Soundness:
    """`gain`: how many times farther apart two near colours may be afterwards; `folds`: the share of the cube that is
    turned inside out, so that colours change their order; `clipped`: the share that leaves [0, 1] by half an 8-bit
    level or more."""

    gain: float
    folds: float
    clipped: float

    def doubts(self, name: str) -> list[str]:
        """Sentences about what is out of the ordinary, none for a sound map; `name` is what they call it."""
        found = []
        if self.gain > _STEEP:
            found.append(f"{name} is steep: near colours come out up to {self.gain:.0f} times as far apart.")
        if self.folds > _FEW_FOLDS:
            found.append(f"{name} folds: in {self.folds:.1%} of the cube colours change their order.")
        if self.clipped > _FEW_CLIPPED:
            found.append(f"{name} clips: it takes {self.clipped:.0%} of the cube out of the range.")
        return found


def examine(map: ColorMap) -> Soundness:
    """The soundness of a map, at height 0, from its nodes."""
    nodes = map.nodes.double()
    here = nodes[:, :-1, :-1, :-1]
    edges = (nodes[:, 1:, :-1, :-1] - here, nodes[:, :-1, 1:, :-1] - here, nodes[:, :-1, :-1, 1:] - here)
    volume = (edges[0] * torch.linalg.cross(edges[1], edges[2], dim=0)).sum(0) * (map.size - 1) ** 3
    # a map that swaps channels mirrors all of the cube, and is no fold
    folds = min(float((volume < -_FOLD).double().mean()), float((volume > _FOLD).double().mean()))
    beyond = (nodes < -_BEYOND) | (nodes > 1 + _BEYOND)
    return Soundness(map.gain(), folds, float(beyond.any(0).double().mean()))
