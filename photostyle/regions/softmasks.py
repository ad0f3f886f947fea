"""Soft masks: how much of a blended pixel is of which paint, as in feathered and antialiased label images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

_PURE = 8  # of 255 per channel: a pixel as near to its own paint is all of it
_FAR = 0.5  # what it costs a partner to be a pixel away, in levels of 255


def soft_masks(levels: NDArray[np.int64], labels: NDArray[np.int64], colors: NDArray[np.int64]) -> NDArray[np.float32]:
    """The masks K×H×W of K `colors` (K×3) in a picture H×W×3, adding up to 1 where `labels` (H×W) are not −1.

    A pixel is a mixture of the paint of its label and of one other: that which explains its colour best, of two that
    do the nearer one.
    """
    masks = (labels == np.arange(len(colors))[:, None, None]).astype(np.float32)
    pure = np.abs(levels - colors[labels]).max(-1) <= _PURE
    mixed = ~pure & (labels >= 0)
    present = np.unique(labels[labels >= 0])
    if not mixed.any() or len(present) < 2:
        return masks
    own, pixels = labels[mixed], levels[mixed].astype(np.float64)
    costs, parts = zip(*(_partner(pixels, own, colors, labels, mixed, other) for other in present), strict=True)
    best = np.argmin(costs, axis=0)
    part = np.array(parts)[best, np.arange(len(best))]
    rows, columns = mixed.nonzero()
    masks[own, rows, columns] = 1 - part
    masks[present[best], rows, columns] += part
    return masks


def _partner(
    pixels: NDArray[np.float64],
    own: NDArray[np.int64],
    colors: NDArray[np.int64],
    labels: NDArray[np.int64],
    mixed: NDArray[np.bool_],
    other: int,
) -> Sequence[NDArray[np.float64]]:
    """What it costs each of n mixed pixels to have that other paint for a partner, and the share that it has then."""
    a = colors[own].astype(np.float64)
    along = colors[other] - a
    length = (along**2).sum(1)
    part = (((pixels - a) * along).sum(1) / np.maximum(length, 1)).clip(0, 1)
    missed = np.abs(pixels - a - part[:, None] * along).max(1)
    away = ndimage.distance_transform_edt(labels != other)[mixed]
    return np.where(own == other, np.inf, missed + _FAR * away), part
