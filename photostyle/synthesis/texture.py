"""Textures: more of a sample, without a plan of what is to be where."""

from __future__ import annotations

import torch
from torch import Tensor

from photostyle.descent.steps import Steps, finish
from photostyle.image import check_image
from photostyle.synthesis.octaves import SIDE, Plan
from photostyle.synthesis.render import render

STRIDE = 2  # of windows, pixels
_DETAIL = 0.5  # more, and bricks are torn; less, and leaves flow together
_VARIETY = 0.06  # more than where a sketch leads, which keeps motifs from being laid side by side


def texture(sample: Tensor, size: tuple[int, int], *, tileable: bool = False, seed: int = 0) -> Tensor:
    """A picture (3×H×W, size = (H, W)) like the `sample` (3×h×w, sRGB in [0, 1]) all over.

    Arguments and errors are explained at `texture_steps`.
    """
    return finish(texture_steps(sample, size, tileable=tileable, seed=seed))


def texture_steps(sample: Tensor, size: tuple[int, int], *, tileable: bool = False, seed: int = 0) -> Steps:
    """`texture` as a generator: yields a `Step` at a time, returns the final image; closing it cancels.

    Things are as large as in the sample; only where both its sides exceed the picture's it is reduced to the picture's
    long side. A `tileable` picture goes on beyond each border with what is at the opposite one. Raises ImageError if
    the sample is no 3×H×W image with at least 8 pixels on each side, or if sides of a tileable one are odd.
    """
    check_image(sample, "The sample", least=SIDE)
    return (
        yield from render(
            sample.to(torch.float32), size, Plan(stride=STRIDE, variety=_VARIETY, detail=_DETAIL), seed, around=tileable
        )
    )
