"""What leads a rendering: the sketch that a descent has made, with edges and colours that it has lost."""

from __future__ import annotations

from torch import Tensor

from photostyle.descent.steps import finish
from photostyle.image import fit, fit_size, resize
from photostyle.matting.render import render
from photostyle.recipes.pitie2007 import DistributionTransfer, distribution_transfer
from photostyle.regions.regions import Regions

_TELLING = 0.5  # of the size: what is finer in a sketch is noise of the descent, and in a picture it is the style's
_COLORS = DistributionTransfer(steps=12, regrain=False)


def coarse(sketch: Tensor) -> Tensor:
    """What a sketch (3×h×w) tells, without the noise of its descent."""
    return fit(sketch, max(1, round(_TELLING * max(sketch.shape[1:]))))


def along_edges(sketch: Tensor, content: Tensor, long_side: int) -> Tensor:
    """The sketch (3×h×w) with the edges of its content (3×H×W), for a picture of that long side.

    Local affine maps carry it to the content: borders are as sharp as there, and no grain of the descent is left.
    """
    _, height, width = content.shape
    size = fit_size(height, width, max(1, round(_TELLING * long_side)))
    return render(sketch, resize(content, size), small=resize(content, sketch.shape[1:]))


def in_colors_of(style: Tensor, sketch: Tensor) -> Tensor:
    """The sketch (3×h×w) with the colours of the style (3×H×W), each as often as there.

    Means of many patches are dull, and of a colour that the style hardly has there are few pixels: they would be laid
    again and again.
    """
    return finish(distribution_transfer(sketch, style, Regions.whole(sketch, style), None, _COLORS))
