"""From files to what was drawn: label images, masks and trimaps, whose numbers matter rather than their look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from photostyle.errors import ImageError
from photostyle.files import StrPath
from photostyle.photofile.decode import Raster, decode
from photostyle.photofile.reading import find_colors
from photostyle.photofile.source import MOST_PIXELS, Source, opened
from photostyle.photofile.spaces import Levels

KEYWORD = "photostyle"
"""Of the text that a PNG may hold about what was drawn in it."""

_LOSSY = ("JPEG", "AVIF", "HEIF")
_FEW = 64  # colours
_ONE_COLOR = 24  # of 255 per channel: paint that differs by no more is of one colour


@dataclass(frozen=True, eq=False)
class Drawing:
    """What was drawn, upright: `levels` H×W×3 in sRGB, integers of 8 bits, or of 16 where 8 would not hold them.

    `alpha` is H×W in [0, 1], None if all is opaque; `numbers`, H×W, those of a colour table, None without one.
    `lossy` says that the format wears colours. `notes` are sentences about what is odd. `text` is what a PNG says under
    the keyword `photostyle`.
    """

    name: str
    levels: npt.NDArray[np.int64]
    alpha: npt.NDArray[np.float32] | None = None
    numbers: npt.NDArray[np.int64] | None = None
    lossy: bool = False
    notes: tuple[str, ...] = ()
    text: str = ""


def load_drawing(path: StrPath | BinaryIO, *, most_pixels: float = MOST_PIXELS) -> Drawing:
    """Read a label image, a mask or a trimap: any format of photographs, and BMP and PPM, of any kind of pixels.

    The orientation is applied, and the colour profile too, unless it would make two of a few colours one, as it
    does with numbers of regions, which are no colours. Raises ImageError as `load_photograph` does.
    """
    with opened(path, most_pixels, drawn=True) as source:
        raster = decode(source)
        notes = list(source.notes)
        if source.frames > 1:
            notes.append(f"Only the first of the {source.frames} pictures in {source.name} is used.")
        alpha = raster.alpha if raster.alpha is not None and raster.alpha.min() < 1 else None
        numbers = None if raster.numbers is None else raster.numbers.astype(np.int64)
        levels = _simplest(_shown(source, raster)).astype(np.int64)
        text = str(source.info.get(KEYWORD, "")) if source.format == "PNG" else ""
        return Drawing(source.name, levels, alpha, numbers, source.format in _LOSSY, tuple(notes), text)


def alpha_map(drawing: Drawing) -> npt.NDArray[np.float32] | None:
    """The alpha channel, H×W in [0, 1], of a drawing whose map is in it: all that is seen is of one colour. Else None.

    Raises ImageError if nothing is seen.
    """
    if drawing.alpha is None:
        return None
    most = drawing.alpha.max()
    if most == 0:
        raise ImageError(f"{drawing.name} is wholly transparent: paint something that can be seen.")
    seen = drawing.levels[drawing.alpha >= most / 2]
    if drawing.alpha.min() == most or np.ptp(seen, axis=0).max() > _ONE_COLOR * (257 if seen.max() > 255 else 1):
        return None
    return np.ascontiguousarray(drawing.alpha / most)


def _shown(source: Source, raster: Raster) -> Levels:
    """H×W×3 levels in sRGB, or as stored where sRGB would have fewer colours."""
    depth = np.uint8 if raster.levels.dtype == np.uint8 else np.uint16
    colors, _ = find_colors(source, raster)
    shown = (colors.permute(1, 2, 0).numpy() * np.iinfo(depth).max).round().astype(depth)
    if raster.levels.dtype != depth or raster.levels.shape[2] == 4:
        return shown
    stored = np.broadcast_to(raster.levels, shown.shape)
    if np.array_equal(shown, stored):
        return stored
    before = _count(stored)
    return stored if before <= _FEW and _count(shown) < before else shown


def _simplest(levels: Levels) -> Levels:
    """Levels of 16 bits that were 8 once, or that hold numbers below 256, as 8."""
    if levels.dtype == np.uint8:
        return levels
    if not (levels % 257).any():
        return levels // 257
    return levels


def _count(levels: Levels) -> int:
    """How many colours there are."""
    return len(np.unique(levels.reshape(-1, 3).astype(np.int64) @ np.array([1 << 32, 1 << 16, 1])))
