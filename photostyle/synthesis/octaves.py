"""What a picture is to be, and all of it at sizes from coarse to fine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count

import numpy as np
import torch
from torch import Tensor

from photostyle.image import fit, fit_size, resize
from photostyle.synthesis.cost import Compared, Windows, variance
from photostyle.synthesis.field import Field, Real
from photostyle.synthesis.laying import lay

SIDE = 8  # of windows, pixels
_SMALLEST = 48  # long side of the picture at the first octave, pixels: there a window is a sixth of it
_FEWEST = 24  # short side of the style there: it is still several windows
_SPARSE = 4  # of so many pixels of a blurred sketch one is enough, however blurred
_SHARPLY = 20.0  # how strictly a pixel must mean what the map says: e^−20 for one channel from 0 to 1


@dataclass(frozen=True, eq=False)
class Plan:
    """What a picture is to be: a `sketch` of it (3×h×w), and `maps` of the style and of it (K×…), if there are any.

    What is finer than a pixel of the sketch is the style's.
    `sketch_weight` is that of the sketch beside the pixels' own fit at the first octave, and falls by √2 from octave
    to octave, since a sketch says least of what is small; `map_weight` is the same at all. `variety` is
    what it costs to use the same pixels again and again. `detail` is how much of a window's own variance is taken off
    its cost at the first octave, half as much at each next: plain windows are the cheapest wherever nothing fits, and
    where nothing leads they would make blots. `stride` is from one window to the next, in pixels: a sketch
    holds together what is laid coarsely; without one, half as much shows fewer seams, for four times the work.
    """

    sketch: Tensor | None = None
    maps: tuple[Tensor, Tensor] | None = None
    sketch_weight: float = 1.0
    map_weight: float = 0.3
    variety: float = 0.02
    detail: float = 0.0
    stride: int = 4

    @property
    def windows(self) -> Windows:
        return Windows(SIDE, self.stride)


@dataclass(frozen=True, eq=False)
class Octave:
    """One size of all: the style's pixels (h×w×3), and what the picture (`size`) is compared with there.

    The picture is as large as the windows of its `grid` cover. `price` is what each window of the style costs however
    it fits, and `variety` what it costs besides to be used much.
    """

    size: tuple[int, int]
    windows: Windows
    grid: tuple[int, int]
    source: Real
    price: Real
    variety: float
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

    def lay(self, field: Field, trust: Real, *, peak: float = 1.0, out: Real | None = None) -> Real:
        """The picture of these windows, in which each thing is where the map says."""
        meaning = replace(self.meaning, weight=_SHARPLY) if self.meaning else None
        return lay(field, self.source, self.windows, trust, peak=peak, meaning=meaning, around=self.around, out=out)

    def image(self, picture: Real, like: Tensor) -> Tensor:
        """3×H×W, a view of what of the picture is to be seen."""
        height, width = self.size
        return torch.from_numpy(picture[:height, :width]).permute(2, 0, 1).to(like)


def octaves(style: Tensor, whole: tuple[int, int], plan: Plan, around: bool) -> Iterator[Octave]:
    """From coarse to fine, up to the whole picture (H, W): style and picture are always reduced alike."""
    windows = plan.windows
    style = style.detach().cpu()
    _, height, width = style.shape
    least = -(-SIDE * max(height, width) // min(height, width))  # with it, a narrow style is as high as a window
    motifs = fit_size(height, width, max(*whole, least))
    for part in octave_parts(whole, motifs):
        size = _part(whole, part, plan.stride if around else 1)
        there = _part(motifs, part)
        grid = (size[0] // plan.stride, size[1] // plan.stride) if around else windows.grid(*size)
        covered = windows.covered(grid)
        source = _pixels(style, there)
        contrast = float(
            torch.from_numpy(source).flatten(0, 1).var(0, correction=0).sum()
        )  # what costs are measured in
        coarseness = _SMALLEST / max(size)
        price = -plan.detail * coarseness * variance(windows, source)
        sketch = meaning = None
        if plan.sketch is not None:
            seen = max(plan.sketch.shape[1:])
            every = _every(max(size) / seen, plan.stride)
            known = source if max(there) <= seen else _pixels(fit(style, seen), there)
            weight = plan.sketch_weight * coarseness**0.5
            sketch = Compared(_pixels(plan.sketch, size, covered, every), known, weight, every)
        if plan.maps is not None:  # each pixel: edges are sharp
            of_style, of_picture = plan.maps
            meaning = Compared(_pixels(of_picture, size, covered), _pixels(of_style, there), plan.map_weight)
        yield Octave(size, windows, grid, source, price, plan.variety * contrast, sketch, meaning, around)


def octave_parts(picture: tuple[int, int], style: tuple[int, int]) -> list[float]:
    """Parts of their whole sizes (H, W) to go through, each half the next, the last 1."""
    for octave in count(1):
        longest, shortest, least = (side / 2**octave for side in (max(picture), min(picture), min(style)))
        if longest < _SMALLEST or shortest < 2 * SIDE or least < _FEWEST:
            return [2.0**-n for n in reversed(range(octave))]
    raise AssertionError("never")


def _part(whole: Sequence[int], part: float, unit: int = 1) -> tuple[int, int]:
    """That part of (H, W), in multiples of so many pixels."""
    height, width = (unit * max(1, round(part * length / unit)) for length in whole)
    return height, width


def _every(blur: float, stride: int) -> int:
    """Of how many pixels of a sketch, enlarged so many times, one is enough: a number that divides the stride."""
    return next(step for step in range(min(_SPARSE, stride), 0, -1) if stride % step == 0 and step <= max(1, blur))


def _pixels(image: Tensor, size: Sequence[int], covered: Sequence[int] | None = None, every: int = 1) -> Real:
    """An image (C×…) at that size (H, W) as H×W×C, channel by channel, so that nothing larger is made on the way.

    Where windows reach over it, up to `covered`, pixels at the end are repeated; only one in `every` is kept.
    """
    rows, columns = (
        np.minimum(np.arange(every // 2, most, every), length - 1)
        for most, length in zip(covered or size, size, strict=True)
    )
    pixels: Real = np.empty((len(rows), len(columns), len(image)), np.float32)
    for channel in range(len(image)):
        plane = resize(image[channel : channel + 1].detach().cpu(), size)[0].numpy()
        pixels[..., channel] = plane[np.ix_(rows, columns)]
    return pixels
