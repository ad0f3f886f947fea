"""What one points at in a photograph, and what answers with a mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from photostyle.errors import RegionsError

Point = tuple[float, float]
"""Pixels from the left and from the top of a photograph: the middle of the first pixel is (0.5, 0.5)."""
Box = tuple[float, float, float, float]
"""Left, top, right and bottom, in the same pixels."""


@dataclass(frozen=True)
class Prompt:
    """Points `inside` the thing that is meant, points `outside` of it, and a `box` around it; not all are needed."""

    inside: Sequence[Point] = ()
    outside: Sequence[Point] = ()
    box: Box | None = None

    def check(self, size: Sequence[int]) -> None:
        """Raises RegionsError unless it points at something in a photograph of that `size` (H, W)."""
        height, width = size
        there = f"the photograph, which has {width}×{height} pixels"
        if not self.inside and self.box is None:
            raise RegionsError("Nothing is pointed at: give a point inside of what is meant, or a box around it.")
        for x, y in (*self.inside, *self.outside):
            if not (0 <= x < width and 0 <= y < height):
                raise RegionsError(f"The point {x:g},{y:g} is not in {there}.")
        if self.box is not None:
            left, top, right, bottom = self.box
            if not (0 <= left < right <= width and 0 <= top < bottom <= height):
                box = f"{left:g},{top:g},{right:g},{bottom:g}"
                raise RegionsError(f"The box {box} is not left, top, right and bottom of a part of {there}.")


class Selector(Protocol):
    """Has looked at one photograph, and can be asked any number of times, in moments."""

    def __call__(self, prompt: Prompt) -> Tensor:
        """How much of each pixel is meant: H×W, the photograph's size, in [0, 1]. Borders follow the photograph.

        Deterministic. Raises RegionsError for a prompt that points at nothing there.
        """
        ...


class Segmenter(Protocol):
    """Can look at photographs."""

    def look(self, photograph: Tensor) -> Selector:
        """Look at a photograph (3×H×W, sRGB in [0, 1]), which takes a second or more."""
        ...
