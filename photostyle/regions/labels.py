"""Label images: each region painted in one flat colour, in both photographs the same, from files and to files."""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image as PILImage
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from photostyle.errors import RegionsError
from photostyle.files import StrPath, check_target, write_whole
from photostyle.photofile.drawing import KEYWORD
from photostyle.photofile.source import MOST_PIXELS
from photostyle.regions.alike import alike, named
from photostyle.regions.flatcolors import MOST, spread_from
from photostyle.regions.labelimage import LabelImage, read_labels
from photostyle.regions.onelook import BROKEN, HOLDS, Side, entry, share_one_look
from photostyle.regions.pairing import pair_labels
from photostyle.regions.palette import label_colors
from photostyle.regions.regions import Regions
from photostyle.regions.softmasks import soft_masks


def load_regions(
    content_labels: StrPath,
    style_labels: StrPath,
    *,
    match: Mapping[str, str] | None = None,
    drop: Collection[str] = (),
    strict: bool = False,
    soft: bool = False,
    most_pixels: float = MOST_PIXELS,
) -> Regions:
    """Regions from two label images, paired by colour.

    Any file of flat colours will do, even if it was resampled, blurred or saved as JPEG (`flatcolors`): in the paper's
    nine colours, in any others, or with region numbers as levels. The two may be saved in different ways. A colour has
    the name of the paper's colour that it is near to, or is called #c86432; a number is called label 3. A map in the
    alpha channel alone is read from there; other transparent pixels are unknown: in the content they go to the nearest
    region, in the style to none. `notes` say what had to be guessed. With `soft`, a pixel whose colour is a blend of
    two belongs to both, in proportion, as in feathered masks; otherwise it belongs to one. `match`, `drop`, `strict`
    and what becomes of regions without a partner: `pair_labels`. They share one look if the files say so (`onelook`)
    and none is matched or dropped.

    Raises RegionsError for a file that is missing, not an image, larger than `most_pixels`, not a label image, or
    when the two sides have no colour in common.
    """
    files = (content_labels, style_labels)
    content, style = (read_labels(path, soft=soft, most_pixels=most_pixels) for path in files)
    one_look = None if match or drop else share_one_look(content, style)
    content, style, names = named(*alike(content, style))
    here, there = spread_from(content.paint.labels, content.paint.labels >= 0), style.paint.labels
    masks = (_soft(content, here), _soft(style, there)) if soft else None
    regions = pair_labels(here, names, there, names, match=match, drop=drop, strict=strict, masks=masks)
    notes = [*content.notes, *style.notes]
    for side, what in ((content, "goes to the nearest region"), (style, "is left out")):
        if share := float((side.paint.labels < 0).mean()):
            notes.append(f"{share:.1%} of {side.name} is transparent: that {what}.")
    if one_look is not None:
        notes.append(HOLDS if one_look else BROKEN)
    return replace(regions, notes=(*notes, *regions.notes), one_look=bool(one_look))


def save_regions(regions: Regions, content_labels: StrPath, style_labels: StrPath) -> None:
    """Write both label images as PNG: each pixel in the colour of the region that has the largest part of it.

    Up to eight regions get the paper's colours, in its order. What belongs to no region in the style gets a colour
    that no region has, and is left out when the file is read again. That regions share one look is written into
    both files (`onelook`). Raises ImageError if a file cannot be written, RegionsError for more than 63 regions.
    """
    count = len(regions.names)
    if count >= MOST:
        raise RegionsError(f"A label image has at most {MOST} colours; these are {count} regions.")
    paths, colors = (content_labels, style_labels), label_colors(count + 1)
    for path in paths:
        check_target(path, [".png"])
    both = [_labels(masks) for masks in (regions.content, regions.style)]
    sides: tuple[Side, Side] = ("content", "style")
    for side, labels, path in zip(sides, both, paths, strict=True):
        said = PngInfo()
        if regions.one_look:
            said.add_text(KEYWORD, entry(both, side, colors).text())
        buffer = io.BytesIO()
        PILImage.fromarray(np.array(colors, np.uint8)[labels]).save(buffer, "PNG", pnginfo=said)
        write_whole(path, buffer.getvalue())


def _labels(masks: Tensor) -> NDArray[np.int64]:
    """H×W, of masks K×H×W: the number of the largest, K where most is none of them."""
    labels: NDArray[np.int64] = torch.cat([masks, 1 - masks.sum(0, keepdim=True)]).argmax(0).cpu().numpy()
    return labels


def _soft(image: LabelImage, labels: NDArray[np.int64]) -> NDArray[np.float32]:
    """Soft masks, one for each name, of a label image whose colours are in the order of the names."""
    return soft_masks(image.levels, labels, image.paint.colors)
