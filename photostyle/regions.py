"""Regions: what belongs together in the two photographs (sky with sky, building with building).

A label image paints each region in one flat colour. The two label images are paired by colour.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image as PILImage
from scipy import ndimage
from torch import Tensor

from photostyle.errors import RegionsError
from photostyle.image import same_proportions

PALETTE = {
    "blue": (0, 0, 255),
    "green": (0, 255, 0),
    "black": (0, 0, 0),
    "white": (255, 255, 255),
    "red": (255, 0, 0),
    "yellow": (255, 255, 0),
    "grey": (128, 128, 128),
    "lightblue": (0, 255, 255),
    "purple": (255, 0, 255),
}
"""The nine colours of the label images of Luan et al. 2017 (authors' code)."""

_TOLERANCE = 60  # of 255 per channel; the palette's colours differ by at least 127 in some channel
_MIN_SHARE = 0.001  # a region under 0.1 % of its photograph is taken for a stray brush mark
_MAX_COLORS = 64  # more flat colours than this, and the file is a photograph, not a label image


@dataclass(frozen=True)
class Regions:
    """K named regions, each a mask over the content and a mask over the style.

    `content` is K×H×W and `style` K×H′×W′, both in [0, 1]. At every pixel of the content the masks add
    up to 1; of the style some pixels may belong to no region. Every region has some weight on both
    sides. `notes` says, a sentence each, what had to be merged or left out to make it so.
    Raises RegionsError where this does not hold.
    """

    names: tuple[str, ...]
    content: Tensor
    style: Tensor
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for side, masks in (("content", self.content), ("style", self.style)):
            if masks.ndim != 3 or len(masks) != len(self.names):
                raise RegionsError(
                    f"The {side} masks must be {len(self.names)}×H×W, one per region, not {tuple(masks.shape)}."
                )
            total = masks.sum(0)
            if total.max() > 1.001 or (side == "content" and total.min() < 0.999):
                raise RegionsError(f"The {side} regions must cover every pixel exactly once.")
            for name, mask in zip(self.names, masks, strict=True):
                if mask.sum() <= 0:
                    raise RegionsError(f"Region {name} is empty in the {side}; drop it or merge it.")

    @classmethod
    def whole(cls, content: Tensor, style: Tensor) -> Regions:
        """One region, the whole photograph, on both sides (images 3×H×W and 3×H′×W′)."""
        return cls(("all",), torch.ones_like(content[:1]), torch.ones_like(style[:1]))

    @property
    def shares(self) -> tuple[tuple[float, float], ...]:
        """Per region, its share of the content and of the style, each in [0, 1]."""
        return tuple(zip(_shares(self.content), _shares(self.style), strict=True))

    def fit(self, content: Tensor, style: Tensor) -> Regions:
        """The same regions at the sizes of these images, by area averaging.

        Raises RegionsError when a side's aspect ratio differs from its photograph's by more than 2 %.
        """
        for side, masks, image in (("content", self.content, content), ("style", self.style, style)):
            (h, w), (H, W) = masks.shape[1:], image.shape[1:]
            if not same_proportions(masks, image):
                raise RegionsError(
                    f"The {side} regions are {w}×{h} but the {side} is {W}×{H}: "
                    f"paint them on the whole photograph, in its own proportions."
                )
        return replace(
            self,
            content=_fit(self.content, content.shape[1:]).to(content),
            style=_fit(self.style, style.shape[1:]).to(style),
        )


def load_regions(
    content_labels: str | os.PathLike[str], style_labels: str | os.PathLike[str], strict: bool = False
) -> Regions:
    """Regions from two label images, paired by colour.

    The paper's nine colours are recognised with their resampling noise; otherwise every flat colour
    (or, in single-channel files, every value) is a region. What only one side has is reported in `notes`:
    a region of the content alone is merged into the paired region with which it shares the longest
    border (into the largest when it touches none), so that every pixel has a model; a region of the style
    alone is left out, so that it colours nothing (Luan et al. 2017, section 2.2, "orphan semantic
    labels"). With `strict` either is an error.

    Raises RegionsError for a file that is missing, not an image, not a label image, or when the two
    sides have no colour in common.
    """
    paths = (content_labels, style_labels)
    arrays = [_read(path) for path in paths]
    palette = all(_is_palette(array) for array in arrays)  # both or none: names must agree
    (labels, names), (style_map, style_names) = (
        _labels(array, path, palette) for array, path in zip(arrays, paths, strict=True)
    )
    content_has, style_has = _present(labels, names), _present(style_map, style_names)
    common = [name for name in content_has if name in style_has]
    if not common:
        raise RegionsError(
            f"The label images have no colour in common: the content has {', '.join(content_has)}, "
            f"the style {', '.join(style_has)}. Paint what belongs together in the same colour."
        )
    into = _merge(labels, names, common)
    notes = [
        f"Region {name} ({share:.1%} of the content) is not in the style and is merged into {into[name]}."
        for name, share in content_has.items()
        if name not in common
    ] + [
        f"Region {name} ({share:.1%} of the style) is not in the content and is left out."
        for name, share in style_has.items()
        if name not in common
    ]
    if strict and notes:
        raise RegionsError(f"{notes[0][:-1]}: paint it on both sides.")
    content = np.stack([sum(labels == names.index(n) for n in names if into.get(n, n) == name) for name in common])
    style = np.stack([style_map == style_names.index(name) for name in common])
    return Regions(
        tuple(common),
        torch.from_numpy(content.astype(np.float32)),
        torch.from_numpy(style.astype(np.float32)),
        tuple(notes),
    )


def _read(path: str | os.PathLike[str]) -> NDArray[np.int64]:
    """H×W×3 colours, or H×W values of a single-channel file."""
    name = os.fspath(path)
    try:
        with PILImage.open(path) as file:
            file.load()
            image = file if file.mode in ("L", "I", "I;16") else file.convert("RGB")
    except FileNotFoundError:
        raise RegionsError(f"The label image {name} does not exist.") from None
    except (OSError, ValueError, PILImage.DecompressionBombError) as error:
        raise RegionsError(f"The label image {name} cannot be read: {error}.") from None
    return np.asarray(image).astype(np.int64)


def _is_palette(array: NDArray[np.int64]) -> bool:
    """Whether nearly all pixels have one of the paper's nine colours."""
    if array.ndim == 2:
        return set(np.unique(array)) <= {0, 128, 255}
    palette = np.array(list(PALETTE.values()))
    near = np.abs(array[:, :, None] - palette).max(-1).min(-1) <= _TOLERANCE  # H×W
    return bool(near.mean() >= 0.9)


def _labels(
    array: NDArray[np.int64], path: str | os.PathLike[str], is_palette: bool
) -> tuple[NDArray[np.int64], list[str]]:
    """Label image → H×W indices into a list of region names."""
    palette, names = np.array(list(PALETTE.values())), list(PALETTE)
    if array.ndim == 2 and not is_palette:
        colors, names = np.unique(array)[:, None], [f"label {value}" for value in np.unique(array)]
        tolerance = 0
    else:
        array = array if array.ndim == 3 else np.repeat(array[..., None], 3, axis=2)
        colors, tolerance = palette, _TOLERANCE
        if not is_palette:
            colors, tolerance = _flat_colors(array), 3
            names = [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in colors]
    if not 0 < len(names) <= _MAX_COLORS:
        raise RegionsError(
            f"{os.fspath(path)} is not a label image: it must have at most {_MAX_COLORS} flat colours, one per region."
        )
    distance = np.abs(array.reshape(*array.shape[:2], 1, -1) - colors).max(-1)  # H×W×K
    labels = distance.argmin(-1)
    # A pixel that is near no colour is a blend on a border, and blends of two colours can look like a
    # third, in lines too thin to be painted: both take the label of the nearest pixel that is sure.
    unsure = distance.min(-1) > tolerance
    if distance.min(-1).any():  # resampled, or it would have none but exact colours
        unsure |= _thin(labels)
    if unsure.any() and not unsure.all():
        nearest = ndimage.distance_transform_edt(unsure, return_distances=False, return_indices=True)
        labels = labels[tuple(nearest)]
    return labels, names


def _thin(labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Where a label's connected patch is nowhere three pixels wide."""
    thin = np.zeros(labels.shape, bool)
    for label in np.unique(labels):
        mask = labels == label
        core = ndimage.binary_erosion(mask, np.ones((3, 3), bool), border_value=1)
        thin |= mask & ~ndimage.binary_propagation(core, mask=mask)
    return thin


def _flat_colors(array: NDArray[np.int64]) -> NDArray[np.int64]:
    """The colours that each cover at least 0.1 % of an H×W×3 image; none if together they miss a tenth."""
    colors, counts = np.unique(array.reshape(-1, 3), axis=0, return_counts=True)
    flat = counts >= max(2, _MIN_SHARE * counts.sum())
    return colors[flat] if counts[flat].sum() >= 0.9 * counts.sum() else colors[:0]


def _merge(labels: NDArray[np.int64], names: Sequence[str], keep: Sequence[str]) -> dict[str, str]:
    """For every region not in `keep`, the kept one with which it shares the longest border."""
    kept = np.isin(labels, [names.index(name) for name in keep])
    area = np.bincount(labels.ravel(), minlength=len(names))
    into = {}
    for label in set(labels[~kept].tolist()):
        around = ndimage.binary_dilation(labels == label) & kept  # the pixels across the border
        border = np.bincount(labels[around], minlength=len(names))
        rank = {name: (border[names.index(name)], area[names.index(name)]) for name in keep}
        into[names[label]] = max(keep, key=rank.__getitem__)
    return into


def _present(labels: NDArray[np.int64], names: Sequence[str]) -> dict[str, float]:
    """The regions that are no stray brush marks, with their shares of the image."""
    shares = np.bincount(labels.ravel(), minlength=len(names)) / labels.size
    return {name: float(share) for name, share in zip(names, shares, strict=True) if share >= _MIN_SHARE}


def _shares(masks: Tensor) -> list[float]:
    return [float(share) for share in masks.mean((1, 2))]


def _fit(masks: Tensor, size: Sequence[int]) -> Tensor:
    if tuple(masks.shape[1:]) == tuple(size):
        return masks
    return F.interpolate(masks[None], tuple(size), mode="area")[0]
