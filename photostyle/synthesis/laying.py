"""Windows laid over each other: at each pixel those that cover it vote."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from photostyle.synthesis.cost import Compared, Windows
from photostyle.synthesis.field import Field, Real, Whole

_LITTLE = 1e-6  # of a vote is left where it means something else: it counts if there is none better
_BAND = 256  # rows laid at a time, so that beside the picture itself no memory grows with it


def lay(
    field: Field,
    source: Real,
    windows: Windows,
    trust: Real,
    *,
    peak: float = 1.0,
    meaning: Compared | None = None,
    around: bool = False,
    out: Real | None = None,
    band: int = _BAND,
) -> Real:
    """The picture (H×W×C) of the windows of a source (h×w×C), each counting by its `trust` (the grid's shape, > 0).

    A window counts most in its middle: by a half wave that is 0 at its border, to the power of `peak`. Where pixels
    mean something, one that means something else than is wanted there counts the less. The picture is what the windows
    cover; `around`, what reaches over one side lies at the other. It is written into `out`, if that is given, and made
    so many rows at a time as the `band` is high.
    """
    height, width = windows.covered(trust.shape)
    picture = np.empty((height, width, source.shape[2]), np.float32) if out is None else out
    columns = _touching((0, width), windows, trust.shape[1], around)
    for top in range(0, height, band):
        bottom = min(top + band, height)
        rows = _touching((top, bottom), windows, trust.shape[0], around)
        places = np.ix_(*(some % count for some, count in zip((rows, columns), trust.shape, strict=True)))
        above, left = windows.stride * rows[0], windows.stride * columns[0]
        wanted = None
        if meaning:
            over = windows.covered((len(rows), len(columns)))
            pixels = [np.arange(first, first + length) for first, length in zip((above, left), over, strict=True)]
            repeats = [windows.stride * count for count in trust.shape] if around else [height, width]
            here = np.ix_(*(some % length for some, length in zip(pixels, repeats, strict=True)))
            wanted = replace(meaning, picture=meaning.picture[here])
        laid = _overlaid(Field(field.y[places], field.x[places]), source, windows, trust[places], peak, wanted)
        picture[top:bottom] = laid[top - above : bottom - above, -left : width - left]
    return picture


def _touching(pixels: tuple[int, int], windows: Windows, places: int, around: bool) -> Whole:
    """Along an axis, places whose windows touch these pixels (from, to); `around`, also such as lie beyond its ends."""
    first, last = (pixels[0] - windows.side) // windows.stride + 1, (pixels[1] - 1) // windows.stride
    return np.arange(first, last + 1) if around else np.arange(max(first, 0), min(last + 1, places))


def _overlaid(field: Field, source: Real, windows: Windows, trust: Real, peak: float, meaning: Compared | None) -> Real:
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
    picture /= weights
    return picture
