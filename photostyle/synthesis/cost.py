"""What it costs to lay a window of a source at a place of a picture: how differently they look, and a toll."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.ndimage import uniform_filter

from photostyle.synthesis.field import Cost, Real, Whole

_BAND = 2**15  # windows compared at a time: they fit into a cache, and memory does not grow with the picture


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

    It costs `weight` times the squared difference, summed over channels, mean over the window. Of what changes slowly
    one pixel in `every` is enough, along either side: of the picture only these are here, from the pixel `every // 2`
    on. `every` divides the stride, so that they are the same for all windows.
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


def variance(windows: Windows, source: Real) -> Real:
    """Of the pixels of each window of a source (h×w×C), summed over channels: room's shape.

    A window that has little is like everything: from one that it has nothing to do with, another is as far again as its
    own variance.
    """
    height, width, _ = source.shape
    size, first = (windows.side, windows.side, 1), windows.side // 2
    spread = uniform_filter(source**2, size) - uniform_filter(source, size) ** 2
    rows, columns = windows.room(height, width)
    shares: Real = spread.sum(2)[first : first + rows, first : first + columns].clip(0)
    return shares


def _difference(windows: Windows, one: Compared) -> Cost:
    """Fetched in runs of pixels that lie together in memory: a window's rows, or single ones of them."""
    channels = one.source.shape[2]
    run = windows.side if one.every == 1 else 1
    source, picture = _runs(one.source, run), _runs(one.picture, run)
    steps = list(enumerate(range(one.every // 2, windows.side, one.every)))  # in the picture, and in the source
    starts = list(product(steps, steps if run == 1 else [(0, 0)]))
    stride = windows.stride // one.every
    share = one.weight / len(steps) ** 2

    def difference(y: Whole, x: Whole) -> Real:
        total = np.zeros(y.shape, np.float32)
        height, columns = y.shape
        for top, bottom in bands(height, columns):
            for (row, dy), (column, dx) in starts:
                apart = source[y[top:bottom] + dy, (x[top:bottom] + dx) * channels]
                here = picture[stride * top + row :: stride, column * channels :: stride * channels]
                apart -= here[: bottom - top, :columns]
                total[top:bottom] += np.einsum("ijk,ijk->ij", apart, apart)
        total *= share
        return total

    return difference


def bands(rows: int, columns: int) -> Iterator[tuple[int, int]]:
    """From which row to which, of so many rows and columns, a band at a time."""
    height = max(1, _BAND // columns)
    return ((top, min(top + height, rows)) for top in range(0, rows, height))


def _runs(image: Real, length: int) -> Real:
    """H × W·C × length·C, a view: of an image (H×W×C) so many pixels from each of its numbers on."""
    height, width, channels = image.shape
    runs: Real = sliding_window_view(image.reshape(height, width * channels), length * channels, axis=1)
    return runs
