"""What it costs to lay a window of a source at a place of a picture: how differently they look, and a toll."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from photostyle.synthesis.field import Cost, Real, Whole


@dataclass(frozen=True)
class Windows:
    """How a picture is covered: square windows of `side` pixels, `stride` apart, overlapping."""

    side: int
    stride: int

    def grid(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns of windows that cover so many pixels; the last may reach over the end."""
        rows, columns = (1 + max(0, -(-(length - self.side) // self.stride)) for length in (height, width))
        return rows, columns

    def covered(self, grid: tuple[int, int]) -> tuple[int, int]:
        """Height and width of what a grid of windows covers."""
        height, width = (self.stride * (places - 1) + self.side for places in grid)
        return height, width

    def room(self, height: int, width: int) -> tuple[int, int]:
        """In how many rows and columns of so many pixels a window can start."""
        return height - self.side + 1, width - self.side + 1


@dataclass(frozen=True, eq=False)
class Compared:
    """Something that is known of a picture (H×W×C) and of a source (h×w×C): colours, a map, edges.

    It costs `weight` times the squared difference, summed over channels, mean over the window; of what changes slowly
    one pixel in `every` is enough, along either side.
    """

    picture: Real
    source: Real
    weight: float = 1.0
    every: int = 1


def window_cost(windows: Windows, compared: Sequence[Compared], toll: Real) -> Cost:
    """All that is compared, and a `toll` for each place of the source where a window may start (room's shape).

    Pictures are as large as their windows cover.
    """
    parts = [_difference(windows, one) for one in compared]

    def cost(y: Whole, x: Whole) -> Real:
        total = toll[y, x]
        for part in parts:
            total = total + part(y, x)
        return total

    return cost


def _difference(windows: Windows, one: Compared) -> Cost:
    """Fetched in runs of pixels that lie together in memory: a window's rows, or single ones of them."""
    channels = one.source.shape[2]
    run = windows.side if one.every == 1 else 1
    source, picture = _runs(one.source, run), _runs(one.picture, run)
    steps = range(one.every // 2, windows.side, one.every)
    starts = list(product(steps, (0,) if run > 1 else steps))
    share = one.weight / len(steps) ** 2

    def difference(y: Whole, x: Whole) -> Real:
        rows, columns = y.shape
        total = np.zeros(y.shape, np.float32)
        for dy, dx in starts:
            apart = source[y + dy, (x + dx) * channels]
            apart -= picture[dy :: windows.stride, dx * channels :: windows.stride * channels][:rows, :columns]
            total += np.einsum("ijk,ijk->ij", apart, apart)
        return share * total

    return difference


def _runs(image: Real, length: int) -> Real:
    """H × W·C × length·C, a view: of an image (H×W×C) so many pixels from each of its numbers on."""
    height, width, channels = image.shape
    runs: Real = sliding_window_view(image.reshape(height, width * channels), length * channels, axis=1)
    return runs
