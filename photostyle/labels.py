"""Label images: each region painted in one flat colour, in both photographs the same, from files and to files."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Collection, Mapping
from functools import reduce
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image as PILImage
from scipy import ndimage

from photostyle.errors import RegionsError
from photostyle.files import StrPath, check_target, reason, write_whole
from photostyle.pairing import STRAY, pair_labels
from photostyle.photofile.source import MOST_ASPECT
from photostyle.regions import Regions

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
_MAX_COLORS = 64  # more flat colours than this, and the file is a photograph, not a label image


# for more than nine regions: colours that are not near the paper's
_MORE_COLORS = [(r, g, b) for r, g, b in product((64, 192, 128, 255, 0), repeat=3) if {64, 192} & {r, g, b}]


def load_regions(
    content_labels: StrPath,
    style_labels: StrPath,
    *,
    match: Mapping[str, str] | None = None,
    drop: Collection[str] = (),
    strict: bool = False,
) -> Regions:
    """Regions from two label images, paired by colour.

    The paper's nine colours are recognised with their resampling noise; otherwise every flat colour
    (or, in single-channel files, every value) is a region. `match`, `drop`, `strict` and what becomes of
    regions without a partner: `pair_labels`.

    Raises RegionsError for a file that is missing, not an image, not a label image, or when the two
    sides have no colour in common.
    """
    paths = (content_labels, style_labels)
    arrays = [_read(path) for path in paths]
    palette = all(_is_palette(array) for array in arrays)  # both or none: names must agree
    (labels, names), (style_map, style_names) = (
        _labels(array, path, palette) for array, path in zip(arrays, paths, strict=True)
    )
    return pair_labels(labels, names, style_map, style_names, match=match, drop=drop, strict=strict)


def save_regions(regions: Regions, content_labels: StrPath, style_labels: StrPath) -> None:
    """Write both label images, PNG: each pixel in the colour of the region that has most of it.

    Up to eight regions have the paper's colours, in its order; what belongs to no region in the style has a
    colour that no region has, and is left out when it is read again. Raises ImageError if a
    file cannot be written, RegionsError for more than 63 regions.
    """
    count = len(regions.names)
    if count >= _MAX_COLORS:
        raise RegionsError(f"A label image has at most {_MAX_COLORS} colours; these are {count} regions.")
    for masks, path in ((regions.content, content_labels), (regions.style, style_labels)):
        check_target(path, [".png"])
        alone = 1 - masks.sum(0, keepdim=True)
        labels = torch.cat([masks, alone]).argmax(0).cpu().numpy()
        buffer = io.BytesIO()
        PILImage.fromarray(np.array(label_colors(count + 1), np.uint8)[labels]).save(buffer, "PNG")
        write_whole(path, buffer.getvalue())


def label_colors(count: int) -> list[tuple[int, int, int]]:
    """As many colours (RGB, 0 to 255) as label images tell apart: the paper's if its nine are enough."""
    return list(PALETTE.values())[:count] if count <= len(PALETTE) else _MORE_COLORS[:count]


def _read(path: StrPath) -> NDArray[np.int64]:
    """H×W×3 colours, or H×W values of a single-channel file."""
    name = os.fspath(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about metadata, which is not read
            with PILImage.open(path) as file:
                if max(file.size) > 1.1 * MOST_ASPECT * min(file.size):
                    width, height = file.size
                    raise RegionsError(f"The label image {name} is {width}×{height}, too narrow for any photograph.")
                file.load()
                image = file if file.mode in ("L", "I", "I;16") else file.convert("RGB")
    except FileNotFoundError:
        raise RegionsError(f"The label image {name} does not exist.") from None
    except RegionsError:
        raise
    except MemoryError:
        raise RegionsError(f"The label image {name} is too large for the memory here: make it smaller.") from None
    except Exception as error:  # on damaged files decoders raise nearly anything
        raise RegionsError(f"The label image {name} cannot be read: {reason(error)}.") from None
    return np.asarray(image).astype(np.int64)


def _is_palette(array: NDArray[np.int64]) -> bool:
    """Whether nearly all pixels have one of the paper's nine colours."""
    if array.ndim == 2:
        return set(np.unique(array)) <= {0, 128, 255}
    palette = np.array(list(PALETTE.values()))
    return bool((_nearest(array, palette)[1] <= _TOLERANCE).mean() >= 0.9)


def _labels(array: NDArray[np.int64], path: StrPath, is_palette: bool) -> tuple[NDArray[np.int64], list[str]]:
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
    labels, distance = _nearest(array if array.ndim == 3 else array[..., None], colors)
    # A pixel that is near no colour is a blend on a border, and blends of two colours can look like a
    # third, in lines too thin to be painted: both take the label of the nearest pixel that is sure.
    unsure = distance > tolerance
    if distance.any():  # resampled, or it would have none but exact colours
        unsure |= _thin(labels)
    if unsure.any() and not unsure.all():
        nearest = ndimage.distance_transform_edt(unsure, return_distances=False, return_indices=True)
        labels = labels[tuple(nearest)]
    return labels, names


def _nearest(array: NDArray[np.int64], colors: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of each pixel (H×W×C) the nearest of K colours (K×C), and how far it is in its farthest channel: H×W each."""
    labels = np.zeros(array.shape[:2], np.int64)
    least = np.full(array.shape[:2], np.iinfo(np.int64).max)
    for label, color in enumerate(colors):  # one by one: all distances at once would be gigabytes
        distance = reduce(np.maximum, (np.abs(array[..., i] - value) for i, value in enumerate(color)))
        labels[distance < least] = label
        np.minimum(least, distance, out=least)
    return labels, least


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
    flat = counts >= max(2, STRAY * counts.sum())
    return colors[flat] if counts[flat].sum() >= 0.9 * counts.sum() else colors[:0]
