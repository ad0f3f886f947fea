"""What a picture larger than its sketch is rendered of: the strokes of the style itself."""

from __future__ import annotations

from torch import Tensor

from photostyle.descent.steps import Steps
from photostyle.synthesis.octaves import Plan
from photostyle.synthesis.render import render

_FAITHFUL = 8.0  # the sketch has the content, which pixels that fit each other know nothing of
_VARIETY = 0.05  # what the same pixels cost again: less, and a stroke is laid side by side with itself


def in_strokes(
    sketch: Tensor, style: Tensor, size: tuple[int, int], seed: int, maps: tuple[Tensor, Tensor] | None = None
) -> Steps:
    """The sketch (3×h×w) as a picture of size (H, W) of windows of the style (3×…), which is not enlarged.

    `maps` of the style and of the picture (K×…) say what goes where. Raises ImageError if a side of the style is under
    8 pixels.
    """
    plan = Plan(sketch, maps, sketch_weight=_FAITHFUL, variety=_VARIETY)
    return (yield from render(style, size, plan, seed))
