"""One label image: what is painted where, from a file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from photostyle.errors import ImageError, RegionsError
from photostyle.files import StrPath
from photostyle.photofile.drawing import Drawing, alpha_map, load_drawing
from photostyle.photofile.source import MOST_PIXELS, name_of
from photostyle.regions.flatcolors import MOST, Paint, find_paint, spread_from
from photostyle.regions.palette import PALETTE

_WHITE = 255


@dataclass(frozen=True, eq=False)
class LabelImage:
    """What was painted in a file, and `table`, the numbers of its colour table (H×W) if it has one.

    `text` is what the file says of itself (`onelook`).
    """

    name: str
    paint: Paint
    levels: NDArray[np.int64]  # H×W×3
    table: NDArray[np.int64] | None = None
    notes: tuple[str, ...] = ()
    text: str = ""

    @property
    def grays(self) -> list[int] | None:
        """Its levels, if they are all grey and are just those that were painted."""
        colors = self.paint.colors
        gray = self.paint.exact and bool((colors == colors[:, :1]).all())
        return colors[:, 0].tolist() if gray else None


def read_labels(path: StrPath | BinaryIO, *, soft: bool = False, most_pixels: float = MOST_PIXELS) -> LabelImage:
    """The paint of one label image, of which with `soft` all may be blends. RegionsError if it is none."""
    name = name_of(path)
    try:
        drawing = load_drawing(path, most_pixels=most_pixels)
    except ImageError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            raise RegionsError(f"The label image {name} does not exist.") from None
        raise RegionsError(f"The label image {name} cannot be read: {error}") from None
    except MemoryError:
        raise RegionsError(f"The label image {name} is too large for the memory here: make it smaller.") from None
    try:
        layer, notes = _layer(drawing)
    except ImageError as error:
        raise RegionsError(f"The label image cannot be read: {error}") from None
    paint = _paint(layer, soft)
    if paint is None and drawing.alpha is not None and layer is drawing:  # a photograph, cut out
        layer, notes = _alpha_layer(drawing, drawing.alpha)
        paint = _paint(layer, soft)
    if paint is None:
        soften = "" if soft else ", or ask for soft masks (--soft-masks) if it is one"
        raise RegionsError(
            f"{drawing.name} is not a label image: it must have at most {MOST} flat colours, one per region. Paint "
            f"with a hard brush and save it as PNG{soften}."
        )
    levels = layer.levels
    if paint.colors.max() > _WHITE and not (paint.colors == paint.colors[:, :1]).all():  # of 16 bits, and no numbers
        paint = replace(paint, colors=np.round(paint.colors / 257).astype(np.int64))
    if levels.max() > _WHITE and paint.colors.max() <= _WHITE:
        levels = np.round(levels / 257).astype(np.int64)
    said = (*drawing.notes, *notes, *(f"In {drawing.name} {note}." for note in paint.notes))
    return LabelImage(drawing.name, paint, levels, drawing.numbers, said, drawing.text)


def _paint(layer: Drawing, soft: bool) -> Paint | None:
    """The paint of a drawing, −1 where it is transparent."""
    seen = None if layer.alpha is None or layer.alpha.min() == layer.alpha.max() else _seen(layer.alpha)
    levels = layer.levels
    if seen is not None:
        levels = np.stack([spread_from(plane, seen) for plane in np.moveaxis(levels, -1, 0)], axis=-1)
    paint = find_paint(levels, list(PALETTE.values()), lossy=layer.lossy, soft=soft)
    return paint if paint is None or seen is None else replace(paint, labels=np.where(seen, paint.labels, -1))


def _layer(drawing: Drawing) -> tuple[Drawing, tuple[str, ...]]:
    """Where the paint is: in the colours, or in the alpha channel if all that is seen is of one colour."""
    if drawing.alpha is None or alpha_map(drawing) is None:
        return drawing, ()
    return _alpha_layer(drawing, drawing.alpha)


def _alpha_layer(drawing: Drawing, alpha: NDArray[np.float32]) -> tuple[Drawing, tuple[str, ...]]:
    map = np.round(alpha * _WHITE).astype(np.int64)[..., None].repeat(3, axis=2)
    note = f"{drawing.name} is read by its alpha channel: white is opaque, black transparent."
    return replace(drawing, levels=map, alpha=None), (note,)


def _seen(alpha: NDArray[np.float32]) -> NDArray[np.bool_]:
    seen: NDArray[np.bool_] = alpha >= alpha.max() / 2
    return seen
