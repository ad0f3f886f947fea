"""A picture rendered of a style's own pixels: from coarse to fine, windows are sought and laid.

Texture optimisation (Kwatra, Essa, Bobick & Kwatra, SIGGRAPH 2005) with fields of patches for neighbours: windows are
sought that are like the picture, and the picture is made of them, in turn; each octave begins with the field of the
one before, and so with the style's own pixels. What the picture is to be says its `Plan`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from photostyle.descent.steps import Step, Steps
from photostyle.errors import ImageError
from photostyle.image import check_image, fit, resize
from photostyle.synthesis.cost import Compared, Windows, window_cost
from photostyle.synthesis.field import Field, Real, enlarged, random_field, search
from photostyle.synthesis.laying import lay
from photostyle.synthesis.use import overuse

SIDE = 8  # of windows, pixels
_SMALLEST = 48  # long side of the first octave, pixels: there a window is a sixth of the picture
_LARGE = 512  # long side of an octave, pixels, beyond which the field of the one before lacks little
_TURNS, _LARGE_TURNS = 3, 2  # of seeking and laying at each octave
_FIRST_ROUNDS = 4  # of the search that has no field to begin with
_REACH = 8  # a later search at random goes as far as this part of the source
_PIECE = 16  # pixels along the side of the pieces that a picture begins with
_SPARSE = 4  # of so many pixels of a blurred sketch one is enough, however blurred
_SHARPLY = 20.0  # how strictly a pixel must mean what the map says: e^−20 for one channel from 0 to 1
_PEAK = 1.5  # of windows as they are laid at last, so that few of them mix at a pixel


@dataclass(frozen=True, eq=False)
class Plan:
    """What a picture is to be: a `sketch` of it (3×h×w), and `maps` of the style and of it (K×…), if there are any.

    What is finer than a pixel of the sketch is the style's.
    `sketch_weight` is that of the sketch beside the pixels' own fit at the first octave, and falls by √2 from octave
    to octave, since a sketch says least of what is small; `map_weight` is the same at all. `variety` is
    what it costs to use the same pixels again and again. `stride` is from one window to the next, in pixels: a sketch
    holds together what is laid coarsely; without one, half as much shows fewer seams, for four times the work.
    """

    sketch: Tensor | None = None
    maps: tuple[Tensor, Tensor] | None = None
    sketch_weight: float = 1.0
    map_weight: float = 0.3
    variety: float = 0.02
    stride: int = 4

    @property
    def windows(self) -> Windows:
        return Windows(SIDE, self.stride)


def render(style: Tensor, size: tuple[int, int], plan: Plan, seed: int, *, around: bool = False) -> Steps:
    """A picture (3×H×W, size = (H, W)) of windows of the style (3×h×w, in [0, 1]); the same for the same seed.

    Motifs are as large as in a style of the picture's long side; a style that is smaller is not enlarged. `around`,
    the picture closes over its borders; H and W must then be multiples of the stride. Raises ImageError if they are
    not, or if a side of the style is under 8 pixels.
    """
    windows, stride = plan.windows, plan.stride
    if around and any(length % stride for length in size):
        raise ImageError(f"A picture that tiles has sides that are multiples of {stride} pixels.")
    check_image(style, "The style", least=SIDE)
    rng = np.random.default_rng(seed)
    before: _Octave | None = None
    field: Field | None = None
    for octave in _octaves(style, size, plan, around):
        room = octave.room
        reach = max(1, max(room) // _REACH)
        even = np.ones(octave.grid, np.float32)
        if field is None or before is None:
            reach = max(room)
            field = random_field(octave.grid, room, stride, rng, block=_PIECE // stride)
            if octave.known:  # before there is any picture, what is known of it leads
                cost = window_cost(windows, octave.known, np.zeros(room, np.float32))
                field, _ = search(field, cost, room, stride, rng, rounds=_FIRST_ROUNDS)
        else:
            factors = octave.size[0] / before.size[0], octave.source.shape[0] / before.source.shape[0]
            field = enlarged(field, octave.grid, room, stride, *factors)
        picture = octave.lay(field, even)
        turns = _TURNS if max(octave.size) <= _LARGE else _LARGE_TURNS
        for turn in range(1, turns + 1):
            toll = plan.variety * octave.contrast * overuse(field, windows, room)
            cost = window_cost(windows, [Compared(picture, octave.source), *octave.known], toll)
            field, spent = search(field, cost, room, stride, rng, reach=reach)
            trust = (1 + spent / (spent.mean() + 1e-6)) ** -2  # never so little that windows cannot be told apart
            picture = octave.lay(field, trust, peak=_PEAK if turn == turns else 1.0)
            image = _image(picture[: octave.size[0], : octave.size[1]], style)
            yield Step(f"rendering {max(octave.size)} px", turn, turns, image)
        before = octave
    return image


@dataclass(frozen=True, eq=False)
class _Octave:
    """One size of all: the style's pixels, and what the picture is compared with there."""

    size: tuple[int, int]
    windows: Windows
    grid: tuple[int, int]
    source: Real
    sketch: Compared | None
    meaning: Compared | None
    around: bool

    @property
    def room(self) -> tuple[int, int]:
        height, width, _ = self.source.shape
        return self.windows.room(height, width)

    @property
    def known(self) -> list[Compared]:
        return [one for one in (self.sketch, self.meaning) if one]

    @property
    def contrast(self) -> float:
        """The variance of the style's colours, in which costs are measured."""
        return float(self.source.var((0, 1)).sum())

    def lay(self, field: Field, trust: Real, peak: float = 1.0) -> Real:
        meaning = replace(self.meaning, weight=_SHARPLY) if self.meaning else None
        return lay(field, self.source, self.windows, trust, peak=peak, meaning=meaning, around=self.around)


def _octaves(style: Tensor, whole: tuple[int, int], plan: Plan, around: bool) -> Iterator[_Octave]:
    windows = plan.windows
    for size in octave_sizes(whole, plan.stride if around else 1):
        S = fit(style, max(size))
        while min(S.shape[1:]) < SIDE:  # a narrow style, where the picture is still tiny
            S = fit(style, 2 * max(S.shape[1:]))
        grid = windows.grid(*size)
        if around:
            grid = size[0] // plan.stride, size[1] // plan.stride
        covered = windows.covered(grid)
        sketch = meaning = None
        if plan.sketch is not None:
            seen = max(plan.sketch.shape[1:])
            wanted = resize(plan.sketch, size)
            known = S if max(S.shape[1:]) <= seen else resize(fit(style, seen), S.shape[1:])
            every = min(_SPARSE, max(1, round(max(size) / seen)))
            weight = plan.sketch_weight * (_SMALLEST / max(size)) ** 0.5
            sketch = Compared(_covering(wanted, covered), _pixels(known), weight, every)
        if plan.maps is not None:
            there, here = (resize(M, to) for M, to in zip(plan.maps, (S.shape[1:], size), strict=True))
            meaning = Compared(_covering(here, covered), _pixels(there), plan.map_weight)  # each pixel: edges are sharp
        yield _Octave(size, windows, grid, _pixels(S), sketch, meaning, around)


def octave_sizes(whole: tuple[int, int], unit: int = 1) -> list[tuple[int, int]]:
    """(H, W) from small to whole, each about half the next, in multiples of so many pixels."""
    count = 1
    while max(whole) / 2**count >= _SMALLEST and min(whole) / 2**count >= 2 * SIDE:
        count += 1
    height, width = whole
    return [
        (unit * max(1, round(height / 2**n / unit)), unit * max(1, round(width / 2**n / unit)))
        for n in reversed(range(count))
    ]


def _covering(image: Tensor, size: tuple[int, int]) -> Real:
    """The pixels, those at the end repeated up to that size, where windows reach over it."""
    pixels = _pixels(image)
    over = [(0, most - length) for most, length in zip(size, pixels.shape[:2], strict=True)]
    return np.pad(pixels, [*over, (0, 0)], "edge")


def _pixels(image: Tensor) -> Real:
    return np.ascontiguousarray(image.detach().cpu().float().permute(1, 2, 0).numpy())


def _image(pixels: Real, like: Tensor) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1))).to(like)
