"""The skin of those whose faces a photograph shows: the face, and neck, hands and whatever else has its colour nearby.

What somebody's skin is like is measured within the face (`likeness`), and nothing is known beforehand but that skin has
a hue between red and yellow: so it is found at every shade. Then it is sorted into pieces (`pieces`), for a wall or a
curtain may have the colour of skin as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from photostyle.image import fit
from photostyle.people.faces import SEEN, Face, find_faces
from photostyle.people.likeness import likeness, set_off

SKIN = "natural skin"
"""What the region is called whose colours keep their hue."""

_SIZE = 448  # long side at which skin is found, pixels
_INNER = 0.68  # of the ellipse in the box of a face is surely face
_EYES = (0.7, 1.1)  # of it: so far inwards all goes with the face, eyes and lips too, and beyond nothing must
_HEAD = 1.75  # times it is a head with its hair
_HAIR = 1.15  # times it, to there and above the brows, is hair if there is any
_BROWS = 0.3  # of the height of the box, from its upper edge, is above the brows
_GLOSSY = 1.2  # times it, above the mouth, may skin shine
_CHIN = 0.25  # of that height, from the lower edge, is below the mouth
_FEWEST = 4  # pixels that tell what skin is like


@dataclass(frozen=True, eq=False)
class Skin:
    """Where skin is: `mask` h×w in [0, 1], of the photograph's proportions; and how many `faces` it belongs to."""

    mask: Tensor
    faces: int


def find_skin(photograph: Tensor) -> Skin | None:
    """The skin of those whose faces a photograph shows (3×H×W, sRGB in [0, 1], of any size); None: it shows none.

    A face that has not the colours of one, as in a picture in black and white, is none here.
    """
    image = fit(photograph, SEEN)  # once, for a large one takes a while
    faces = find_faces(image)
    if not faces:
        return None
    small = fit(image, _SIZE).cpu().float().clamp(0, 1)
    ellipses = [_ellipse(face, small.shape[1:]) for face in faces]
    heads = torch.stack(ellipses).amin(0) < _HEAD
    sides = zip(faces, ellipses, strict=True)
    masks = [mask for face, away in sides if (mask := _skin_of(face, away, heads, small)) is not None]
    return Skin(torch.stack(masks).amax(0), len(masks)) if masks else None


def said_of_skin(names: Sequence[str]) -> tuple[str, ...]:
    """What the user is told where regions have these names: that skin is one of them."""
    if SKIN not in names:
        return ()
    return ("The photograph shows people, whose skin keeps its natural hue; set skin to free to leave it to the look.",)


def _skin_of(face: Face, away: Tensor, heads: Tensor, image: Tensor) -> Tensor | None:
    """Where somebody's skin is, h×w, in an image (3×h×w); None if it has not the colours of skin.

    `away` (h×w) is how far from the middle of the face, `heads` (h×w) where heads are, this one and others.
    """
    surely = away < _INNER
    if int(surely.sum()) < _FEWEST:
        return None
    y, x = ((torch.arange(n) + 0.5) / n for n in image.shape[1:])
    y, height = y[:, None], face.bottom - face.top
    over = y < face.bottom - _CHIN * height
    like = likeness(image, surely, over & (away < _GLOSSY))
    if like is None:
        return None
    ground = ~heads & (y < face.bottom)
    hair = (away > _HAIR) & (away < _HEAD) & (y < face.top + _BROWS * height)
    neck = ~over & (x > face.left) & (x < face.right)  # whose shade may be as dark as hair
    like *= set_off(image, surely, ground) * set_off(image, surely, hair).where(~neck, 1)
    from photostyle.people.pieces import pieces_of  # with SciPy, which is not loaded before there is a face

    inside = ((_EYES[1] - away) / (_EYES[1] - _EYES[0])).clamp(0, 1)
    return torch.maximum(pieces_of(face, like, surely, ground), inside)


def _ellipse(face: Face, size: Sequence[int]) -> Tensor:
    """How far pixels are from the middle of a face, 1 at the ellipse that touches its box: h×w."""
    y, x = ((torch.arange(n) + 0.5) / n for n in size)
    u = (2 * x - face.left - face.right) / (face.right - face.left)
    v = (2 * y - face.top - face.bottom) / (face.bottom - face.top)
    return torch.hypot(u[None, :], v[:, None])
