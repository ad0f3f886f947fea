"""Windows laid over each other: at each pixel those that cover it vote."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from photostyle.synthesis.cost import Compared, Windows
from photostyle.synthesis.field import Field, Real

_LITTLE = 1e-6  # of a vote is left where it means something else: it counts if there is none better


def lay(
    field: Field,
    source: Real,
    windows: Windows,
    trust: Real,
    *,
    peak: float = 1.0,
    meaning: Compared | None = None,
    around: bool = False,
) -> Real:
    """The picture (H×W×C) of the windows of a source (h×w×C), each counting by its `trust` (the grid's shape, > 0).

    A window counts most in its middle: by a half wave that is 0 at its border, to the power of `peak`. Where pixels
    mean something, one that means something else than is wanted there counts the less. The picture is what the windows
    cover; `around`, what reaches over one side lies at the other.
    """
    height, width = windows.covered(trust.shape)
    picture: Real = np.zeros((height, width, source.shape[2]), np.float32)
    weights: Real = np.zeros((height, width, 1), np.float32)
    rows, columns = trust.shape
    here = (slice(None, None, windows.stride),) * 2
    middle: NDArray[Any] = np.sin(np.pi * (np.arange(windows.side, dtype=np.float32) + 0.5) / windows.side) ** peak
    for dy, dx in product(range(windows.side), repeat=2):
        there = field.y + dy, field.x + dx
        weight: NDArray[Any] = np.multiply(trust, middle[dy] * middle[dx])
        if meaning:
            wanted = meaning.picture[dy:, dx:][here][:rows, :columns]
            apart = wanted - meaning.source[there]
            weight = weight * (np.exp(-meaning.weight * np.einsum("ijk,ijk->ij", apart, apart)) + _LITTLE)
        weights[dy:, dx:][here][:rows, :columns] += weight[..., None]
        picture[dy:, dx:][here][:rows, :columns] += weight[..., None] * source[there]
    if around:
        for canvas in (picture, weights):
            _close(canvas, windows.side - windows.stride)
    picture /= weights
    return picture


def _close(canvas: Real, over: int) -> None:
    """A torus of what reaches over by so many pixels, and again as large as before: in place."""
    canvas[:over] += canvas[-over:]
    canvas[:, :over] += canvas[:, -over:]
    canvas[-over:] = canvas[:over]
    canvas[:, -over:] = canvas[:, :over]
