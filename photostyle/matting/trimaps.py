"""Trimaps from files: white foreground, black background, all between and all that is transparent unknown."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from photostyle.errors import ImageError
from photostyle.files import StrPath
from photostyle.image import nearly_of_size
from photostyle.photofile.drawing import alpha_map, load_drawing
from photostyle.wording import percent


def load_trimap(path: StrPath, size: tuple[int, int]) -> tuple[Tensor, tuple[str, ...]]:
    """The trimap of a photograph of that `size` (H, W): H×W in [0, 1], NaN where it is transparent; and notes.

    Where all that is seen is of one colour, the map is what is opaque (1) and what is not (0). One whose sides are
    off by up to four pixels is resized. Numbers 0 and 1 are black and white. Raises ImageError for a file that cannot
    be read, is wholly transparent, or is of another size.
    """
    drawing = load_drawing(path)
    notes = list(drawing.notes)
    most = int(drawing.levels.max())
    if most == 1:
        notes.append(f"The numbers 0 and 1 in {drawing.name} are taken for black and white.")
    white = 1 if most == 1 else 255 if most <= 255 else 65535
    trimap = torch.from_numpy(drawing.levels.astype(np.float32)).mean(-1) / white
    if (map := alpha_map(drawing)) is not None:
        trimap = torch.from_numpy(map)
        notes.append(f"{drawing.name} is read by its alpha channel: opaque is foreground, transparent background.")
    elif drawing.alpha is not None:
        unknown = torch.from_numpy(drawing.alpha < drawing.alpha.max() / 2)
        trimap[unknown] = torch.nan
        notes.append(f"{percent(float(unknown.float().mean()))} of {drawing.name} is transparent: that is unknown.")
    (h, w), (H, W) = trimap.shape, size
    if (h, w) == (H, W):
        return trimap, tuple(notes)
    if not nearly_of_size(trimap, torch.empty(size, device="meta")):
        raise ImageError(f"The trimap has {w}×{h} pixels and the photograph {W}×{H}: make their sizes the same.")
    notes.append(f"{drawing.name} has {w}×{h} pixels and the photograph {W}×{H}: it is resized.")
    return interpolate(trimap[None, None], size, mode="nearest")[0, 0], tuple(notes)
