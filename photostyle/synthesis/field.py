"""Fields of patches (Barnes, Shechtman, Finkelstein & Goldman, "PatchMatch", SIGGRAPH 2009).

A field says, for each place of a grid over a picture, which window of a source is laid there. A good one is found by
chance and by neighbours: windows that lie side by side in the source lie well side by side in the picture. Here all
places look at once: what a neighbour has is offered over leaps that halve (jump flooding), then windows at random
around one's own, in a circle that halves. What a window costs is for the caller to say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[np.int64]
Real = NDArray[np.float32]

Cost = Callable[[Whole, Whole], Real]
"""What it costs to lay, at each place of a grid, the window of the source whose upper left pixel is (y, x)."""

_LEAPS = (8, 4, 2, 1)  # places of the grid; before the search at random, which is costlier
_SIDES = ((-1, 0), (1, 0), (0, -1), (0, 1))


@dataclass(frozen=True, eq=False)
class Field:
    """The upper left pixel (y, x) of the window at each place: whole numbers, rows×columns of the grid."""

    y: Whole
    x: Whole


def random_field(
    grid: tuple[int, int], room: tuple[int, int], stride: int, rng: np.random.Generator, *, block: int = 1
) -> Field:
    """Pieces of the source from anywhere, block×block places each, for a grid of rows×columns.

    `room` is how many rows and columns a window may start in, `stride` from one place to the next, in pixels.
    """
    rows, columns = (np.arange(places) for places in grid)
    blocks = tuple(-(-places // block) for places in grid)
    corner = [rng.integers(0, most, blocks)[np.ix_(rows // block, columns // block)] for most in room]
    y, x = corner[0] + stride * (rows % block)[:, None], corner[1] + stride * (columns % block)
    return Field(y.clip(0, room[0] - 1), x.clip(0, room[1] - 1))


def search(
    field: Field,
    cost: Cost,
    room: tuple[int, int],
    stride: int,
    rng: np.random.Generator,
    *,
    rounds: int = 1,
    reach: int | None = None,
) -> tuple[Field, Real]:
    """A field that costs no more at any place, and what it costs there.

    `stride` is from one place of the grid to the next, in pixels. In each round windows at random are tried up to
    `reach` pixels away, or all over the source. The grid has no border: what is beyond one side is at the other.
    """
    y, x, best = field.y, field.x, cost(field.y, field.x)

    def offer(there_y: Whole, there_x: Whole) -> None:
        nonlocal y, x, best
        there_y, there_x = (there.clip(0, most - 1) for there, most in zip((there_y, there_x), room, strict=True))
        asked = cost(there_y, there_x)
        better = asked < best
        y, x, best = (np.where(better, new, old) for new, old in ((there_y, y), (there_x, x), (asked, best)))

    for _ in range(rounds):
        for leap, side in product(_LEAPS, _SIDES):
            if leap < max(y.shape):
                dy, dx = (leap * step for step in side)
                offer(*(np.roll(old, (dy, dx), (0, 1)) + stride * d for old, d in ((y, dy), (x, dx))))
        radius = max(room) if reach is None else reach
        while radius:
            offer(*(old + rng.integers(-radius, radius + 1, old.shape) for old in (y, x)))
            radius //= 2
    return Field(y, x), best


def enlarged(
    field: Field, grid: tuple[int, int], room: tuple[int, int], stride: int, picture: float, source: float
) -> Field:
    """The field for a picture and a source that are larger by these factors, on its grid.

    Each place takes the window of the nearest old one, moved by as many pixels as it lies beside it.
    """
    axes = []
    for old, (axis, places) in zip((field.y, field.x), enumerate(grid), strict=True):
        near = [_nearest(new, was, picture) for new, was in zip(grid, old.shape, strict=True)]
        beside = np.rint(stride * (np.arange(places) - picture * near[axis])).astype(np.int64)
        beside = beside[:, None] if axis == 0 else beside
        moved = np.rint(source * old[np.ix_(*near)]).astype(np.int64) + beside
        axes.append(moved.clip(0, room[axis] - 1))
    return Field(*axes)


def _nearest(places: int, before: int, factor: float) -> Whole:
    return np.floor(np.arange(places) / factor).astype(np.int64).clip(0, before - 1)
