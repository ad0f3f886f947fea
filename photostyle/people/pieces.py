"""The pieces of a photograph that are the skin of one person, among all that have its colour."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from photostyle.people.faces import Face

_ASIDE, _BELOW, _ABOVE = 3.0, 7.0, 1.0  # how far from a face hands are, in its widths and its heights
_WITHIN = 0.95  # of a piece of skin lies so near
_OWN = 0.02  # of the face lies in the piece that is its own
_BODY, _HAND, _FINGER = 8.0, 1.0, 0.02  # areas in faces: what is in one piece with it at most, and what else there is
_ASTRAY = 0.5  # of the area of a face may be skin beside and above the heads, in one piece with it
_THICK = 0.08  # of a face's width a hand goes in from its edge: what does not is a strap
_LARGE = 20  # pixels: the width of a face from which on thin bridges are cut
_SOFT = 0.7  # pixels by which borders are blurred


def pieces_of(face: Face, like: Tensor, surely: Tensor, ground: Tensor) -> Tensor:
    """Of what is like the skin of a face (h×w in [0, 1]), what belongs to it: h×w in [0, 1].

    That is the piece which the face lies in (`surely`, h×w), and pieces nearby of the size of hands. A piece that is
    too large, or goes on too far away, is no skin. Where the face's own goes on into the `ground` (h×w), what is beside
    and above the heads, as into a wooden wall, nothing there is.
    """
    h, w = like.shape
    skin, own = like.numpy() > 0.5, surely.numpy()
    labels, count = _labelled(skin, own, (face.right - face.left) * w >= _LARGE)
    area = face.area * h * w

    def sums(values: NDArray[Any]) -> NDArray[Any]:
        return np.bincount(labels.ravel(), values.ravel(), minlength=count + 1)

    sizes = sums(np.ones_like(own, dtype=float))
    thick = np.asarray(ndimage.maximum(ndimage.distance_transform_edt(labels > 0), labels, range(count + 1)))
    hand = (sizes <= _HAND * area) & (sizes >= _FINGER * area) & (thick >= _THICK * (face.right - face.left) * w)
    body = sums(own.astype(float)) >= _OWN * own.sum()
    body[0] = False  # what is no skin
    if sums(ground.numpy().astype(float))[body].sum() > _ASTRAY * area:
        return pieces_of(face, like.where(~ground, 0), surely, ground)
    its = (hand | body & (sizes <= _BODY * area)) & (sums(_near(face, h, w).astype(float)) >= _WITHIN * sizes)
    its[0] = False
    kept = ndimage.binary_fill_holes(ndimage.binary_dilation(its[labels], iterations=2) & skin)
    return torch.from_numpy(ndimage.gaussian_filter(kept.astype(np.float32), _SOFT))


def _labelled(skin: NDArray[Any], own: NDArray[Any], large: bool) -> tuple[NDArray[Any], int]:
    """The number of the piece that each pixel is in, 0 for none; and how many there are."""
    labels, count = ndimage.label((ndimage.binary_opening(skin) if large else skin) | (skin & own))
    return labels, count


def _near(face: Face, h: int, w: int) -> NDArray[Any]:
    """Where hands may be, h×w."""
    y, x = ((np.arange(n) + 0.5) / n for n in (h, w))
    width, height = face.right - face.left, face.bottom - face.top
    aside = np.abs(x - (face.left + face.right) / 2) < _ASIDE * width
    level = (y > face.top - _ABOVE * height) & (y < face.bottom + _BELOW * height)
    return level[:, None] & aside
