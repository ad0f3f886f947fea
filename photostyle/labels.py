"""Label images: each region painted in one flat colour, in both photographs the same, from files and to files."""

from __future__ import annotations

import io
import os
from collections.abc import Collection, Mapping, Sequence
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image as PILImage
from scipy import ndimage

from photostyle.errors import RegionsError
from photostyle.files import StrPath, check_target, write_whole
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
_MIN_SHARE = 0.001  # a region under 0.1 % of its photograph is taken for a stray brush mark
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

    `match` pairs colours that differ, content name → style name (several may go to one, and are one region
    then); `drop` names regions that are to be taken for unpaired.

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
    _check_names(match or {}, drop, names, style_names)
    names = [(match or {}).get(name, name) for name in names]  # a content region has the name of its model
    first = np.array([names.index(name) for name in names])
    labels = first[labels]
    content_has, style_has = present(labels, names), present(style_map, style_names)
    common = [name for name in content_has if name in style_has and name not in drop]
    if not common:
        raise RegionsError(
            f"The label images have no colour in common: the content has {', '.join(content_has)}, "
            f"the style {', '.join(style_has)}. Paint what belongs together in the same colour."
        )
    into = merge_orphans(labels, names, common)
    notes = [
        f"Region {name} ({share:.1%} of the content) is {'dropped' if name in drop else 'not in the style'} "
        f"and is merged into {into[name]}."
        for name, share in content_has.items()
        if name not in common
    ] + [
        f"Region {name} ({share:.1%} of the style) is not in the content and is left out."
        for name, share in style_has.items()
        if name not in common and name not in drop
    ]
    if strict and notes:
        raise RegionsError(f"{notes[0][:-1]}: paint it on both sides.")
    content = np.stack([sum(labels == names.index(n) for n in {*names} if into.get(n, n) == name) for name in common])
    style = np.stack([style_map == style_names.index(name) for name in common])
    return Regions(
        tuple(common),
        torch.from_numpy(content.astype(np.float32)),
        torch.from_numpy(style.astype(np.float32)),
        tuple(notes),
    )


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


def _check_names(match: Mapping[str, str], drop: Collection[str], names: Sequence[str], style: Sequence[str]) -> None:
    wanted = [(name, names, "content") for name in match] + [(name, style, "style") for name in match.values()]
    for name, there, side in [*wanted, *((name, {*names, *style}, "label images") for name in drop)]:
        if name not in there:
            raise RegionsError(f"There is no region {name!r} in the {side}; there are {', '.join(sorted(there))}.")


def _read(path: StrPath) -> NDArray[np.int64]:
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


def merge_orphans(labels: NDArray[np.int64], names: Sequence[str], keep: Sequence[str]) -> dict[str, str]:
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


def present(labels: NDArray[np.int64], names: Sequence[str]) -> dict[str, float]:
    """The regions that are no stray brush marks, with their shares of the image."""
    shares = np.bincount(labels.ravel(), minlength=len(names)) / labels.size
    return {name: float(share) for name, share in zip(names, shares, strict=True) if share >= _MIN_SHARE}
