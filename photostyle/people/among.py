"""The skin of people among other regions: what lies within a face as a region of its own is left to that region."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from photostyle.image import shrink
from photostyle.people.skin import find_skin

_WITHIN = 0.5  # of a region is skin, at least, of one that lies within a face
_PART = 0.25  # of a piece of skin, at most, is one part of a face; what has more is the face


def skin_among(masks: Tensor, photograph: Tensor) -> Tensor | None:
    """Where skin is, h×w in [0, 1], of a photograph (3×H×W, sRGB in [0, 1], of any size) parted by masks (K×h×w).

    None if it shows no face. There is none in a region that lies within a piece of it, as eyes, lips or a beard do
    within a face: it is there as a thing of its own. In regions that a face goes on into skin remains.
    """
    skin = find_skin(photograph)
    if skin is None:
        return None
    from scipy import ndimage  # which is not loaded before there is a face

    here = shrink(skin.mask[None], masks.shape[1:])[0].to(masks)
    pieces, count = ndimage.label((here > 0).numpy(), np.ones((3, 3)))
    for number in range(1, count + 1):
        piece = here * torch.from_numpy(pieces == number)
        common = (masks * piece).sum((1, 2))
        within = (common > _WITHIN * masks.sum((1, 2))) & (common < _PART * piece.sum())
        here = here - piece * masks[within].sum(0)
    return here


def put_among(masks: Tensor, skin: Tensor, place: int) -> Tensor:
    """Masks (K×h×w) and among them, the one of that number, that of skin (h×w), which is taken out of the others."""
    rest = masks * (1 - skin)
    return torch.cat([rest[:place], skin[None], rest[place:]])
