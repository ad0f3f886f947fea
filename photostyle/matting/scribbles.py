"""What is foreground and what background, told by strokes."""

from __future__ import annotations

import torch
from torch import Tensor

from photostyle.errors import ImageError
from photostyle.image import check_image, check_size


def trimap_from_scribbles(scribbles: Tensor, image: Tensor, opacity: Tensor | None = None) -> Tensor:
    """The trimap (H×W: 1, 0, NaN for unknown) of white strokes on the foreground and black ones on the background.

    The strokes, 3×H×W like the photograph `image`, are painted over a copy of the photograph, or over grey, or alone
    on a transparent layer whose `opacity` (H×W) is given. A pixel belongs to a stroke if it is white (all channels
    from 0.9 up) or black (to 0.1) and opaque (from 0.5); over a photograph, which is what they are over if fewer
    than half of the pixels differ from it by more than 0.1 in some channel, it must differ by as much. So white
    strokes over white clouds are not seen: use grey or a layer for those.

    Raises ImageError if sizes differ, or strokes over grey cover more than half of it: then white or black is the
    ground itself, or the file is a trimap.
    """
    check_image(image, "The photograph")
    check_image(scribbles, "The picture of the scribbles")
    check_size(image, scribbles, "picture of the scribbles")
    stroke = torch.ones_like(image[0], dtype=torch.bool)
    if opacity is not None:
        check_size(image, opacity, "opacity of the scribbles")
        stroke = opacity >= 0.5
    differs = (scribbles - image).abs().amax(0) > 0.1
    over_photograph = opacity is None and float(differs.float().mean()) < 0.5
    if over_photograph:
        stroke = differs
    trimap = torch.full_like(image[0], torch.nan)
    trimap[stroke & (scribbles.amin(0) >= 0.9)] = 1
    trimap[stroke & (scribbles.amax(0) <= 0.1)] = 0
    if opacity is None and not over_photograph and float(trimap.isnan().float().mean()) < 0.5:
        raise ImageError(
            "More than half of the scribbles is white or black: paint strokes over the photograph, over grey or on a "
            "transparent layer; if the picture is a trimap, give it as one."
        )
    return trimap
