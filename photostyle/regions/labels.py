"""Label images: each region painted in one flat colour, in both photographs the same, from files and to files."""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image as PILImage

from photostyle.errors import ImageError, RegionsError
from photostyle.files import StrPath, check_target, write_whole
from photostyle.photofile.drawing import Drawing, alpha_map, load_drawing
from photostyle.photofile.source import MOST_PIXELS, name_of
from photostyle.regions.flatcolors import MOST, Paint, find_paint, hexadecimal, nearest, spread_from
from photostyle.regions.pairing import pair_labels
from photostyle.regions.regions import Regions
from photostyle.regions.softmasks import soft_masks

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

_CALLED = 32  # of 255 per channel: what is as near to a colour of the palette has its name
_SAME = 60  # of 255 per channel: what is as near in the other file may be meant for the same
_TOLD = 24  # of 255 per channel: from here on it is said
_MASK = 64  # numbers of regions are below it, and a mask's white is not
_WHITE = 255
_VOID = 255  # number of what data sets leave out
_MOST_SAID = 8  # numbers in a sentence

# for more than nine regions: colours that are not near the paper's
_MORE_COLORS = [(r, g, b) for r, g, b in product((64, 192, 128, 255, 0), repeat=3) if {64, 192} & {r, g, b}]


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

    Any file of flat colours will do, worn by resampling, blur or JPEG or not (`flatcolors`): in the paper's nine
    colours, in any others, or with the numbers of regions for levels. The two may be saved in different ways. A
    colour has the name of the paper's that it is near to, or is called #c86432; a number is called label 3. A map
    in the alpha channel alone is read there; other transparent pixels are unknown: in the content they go to the
    nearest region, in the style to none. `notes` say what had to be guessed. With `soft` a pixel whose colour is a
    blend of two is of both, in parts, as in feathered masks; else all of it is of one. `match`, `drop`, `strict` and
    what becomes of regions without a partner: `pair_labels`.

    Raises RegionsError for a file that is missing, not an image, larger than `most_pixels`, not a label image, or
    when the two sides have no colour in common.
    """
    files = (content_labels, style_labels)
    content, style = (read_labels(path, soft=soft, most_pixels=most_pixels) for path in files)
    content, style, names = _named(*_alike(content, style))
    here, there = spread_from(content.paint.labels, content.paint.labels >= 0), style.paint.labels
    masks = (_soft(content, here), _soft(style, there)) if soft else None
    regions = pair_labels(here, names, there, names, match=match, drop=drop, strict=strict, masks=masks)
    notes = [*content.notes, *style.notes]
    for side, what in ((content, "goes to the nearest region"), (style, "is left out")):
        if share := float((side.paint.labels < 0).mean()):
            notes.append(f"{share:.1%} of {side.name} is transparent: that {what}.")
    return replace(regions, notes=(*notes, *regions.notes))


def save_regions(regions: Regions, content_labels: StrPath, style_labels: StrPath) -> None:
    """Write both label images, PNG: each pixel in the colour of the region that has most of it.

    Up to eight regions have the paper's colours, in its order; what belongs to no region in the style has a
    colour that no region has, and is left out when it is read again. Raises ImageError if a
    file cannot be written, RegionsError for more than 63 regions.
    """
    count = len(regions.names)
    if count >= MOST:
        raise RegionsError(f"A label image has at most {MOST} colours; these are {count} regions.")
    for masks, path in ((regions.content, content_labels), (regions.style, style_labels)):
        check_target(path, [".png"])
        alone = 1 - masks.sum(0, keepdim=True)
        labels = torch.cat([masks, alone]).argmax(0).cpu().numpy()
        buffer = io.BytesIO()
        PILImage.fromarray(np.array(label_colors(count + 1), np.uint8)[labels]).save(buffer, "PNG")
        write_whole(path, buffer.getvalue())


def label_colors(count: int) -> list[tuple[int, int, int]]:
    """As many colours (RGB, 0 to 255) as label images tell apart: the paper's if its nine are enough.

    >>> label_colors(2)  # blue and green
    [(0, 0, 255), (0, 255, 0)]
    """
    return list(PALETTE.values())[:count] if count <= len(PALETTE) else _MORE_COLORS[:count]


@dataclass(frozen=True, eq=False)
class LabelImage:
    """What was painted in a file, and `table`, the numbers of its colour table (H×W) if it has one."""

    name: str
    paint: Paint
    levels: NDArray[np.int64]  # H×W×3
    table: NDArray[np.int64] | None = None
    notes: tuple[str, ...] = ()

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
    return LabelImage(drawing.name, paint, levels, drawing.numbers, said)


def in_palette(image: LabelImage, nothing: str) -> NDArray[np.uint8]:
    """A label image in the paper's colours, H×W×3: each in the one near to it, numbers in the paper's order.

    What is transparent has the colour called `nothing`. Raises RegionsError for a colour that is near to none.
    """
    palette, colors = np.array(list(PALETTE.values())), image.paint.colors
    into = dict(enumerate(range(len(colors)))) if _holds_numbers(image) else _partners(colors, palette, _SAME)
    for k, color in enumerate(colors):
        if into.get(k, len(palette)) >= len(palette):
            known = ", ".join(PALETTE)
            raise RegionsError(
                f"The colour {hexadecimal(color)} in {image.name} is none of the paper's ({known}): paint it in these."
            )
    shown = palette[[*(into[k] for k in range(len(colors))), list(PALETTE).index(nothing)]]
    return shown[image.paint.labels].astype(np.uint8)  # −1 is the last


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


def _soft(image: LabelImage, labels: NDArray[np.int64]) -> NDArray[np.float32]:
    """Soft masks, one for each name, of a label image whose colours are in the order of the names."""
    return soft_masks(image.levels, labels, image.paint.colors)


def _alike(content: LabelImage, style: LabelImage) -> tuple[LabelImage, LabelImage]:
    """Both in one encoding: where one has numbers of regions, the other has a colour table or a mask's levels."""
    for one, other in ((content, style), (style, content)):
        if not _holds_numbers(one) or _holds_numbers(other):
            continue
        if other.grays and max(other.grays) >= _MASK and max(one.grays or [0]) < _MASK:
            stretched = _stretched(one, max(other.grays))
            return (stretched, other) if one is content else (other, stretched)
        if other.grays is None and other.table is not None:
            by_table = _by_table(other, other.table)
            return (one, by_table) if one is content else (by_table, one)
    return content, style


def _holds_numbers(image: LabelImage) -> bool:
    """Whether the levels are numbers of regions: 0, 1, 2, perhaps 255 for what is left out."""
    values = {*(image.grays or ())} - {_VOID}
    return (len(values) > 1 and max(values) < _MASK) or max(values, default=0) > _WHITE


def _stretched(image: LabelImage, most: int) -> LabelImage:
    """Numbers of regions as the levels of a mask."""
    values = image.paint.colors
    factor = most / values.max()
    stretched = np.round(values * factor).astype(np.int64)
    numbers, levels = (", ".join(str(c) for c in colors[:_MOST_SAID, 0]) for colors in (values, stretched))
    note = f"The numbers {numbers} in {image.name} are taken for {levels}, as in the other label image."
    levels = np.round(image.levels * factor).astype(np.int64)
    return replace(image, paint=replace(image.paint, colors=stretched), levels=levels, notes=(*image.notes, note))


def _by_table(image: LabelImage, table: NDArray[np.int64]) -> LabelImage:
    """The numbers of a colour table instead of its colours."""
    levels = table[..., None].repeat(3, axis=2)
    paint = find_paint(levels, [], lossy=False)
    note = f"{image.name} is read by the numbers of its colour table, as the other label image has numbers."
    return image if paint is None else replace(image, paint=paint, levels=levels, notes=(*image.notes, note))


def _named(content: LabelImage, style: LabelImage) -> tuple[LabelImage, LabelImage, list[str]]:
    """Both with labels into one list of names, a name for each colour; near ones in the two files are one."""
    ours, theirs = content.paint.colors, style.paint.colors
    numbers = _are_levels(content, style)
    partner = _partners(ours, theirs, 0 if numbers else _SAME)
    others = [k for k in range(len(theirs)) if k not in partner.values()]
    colors = np.concatenate([ours, theirs[others]])
    names = [f"label {c}" for c in colors[:, 0]] if numbers else _names(colors)
    notes = [
        f"The colour {hexadecimal(theirs[b])} of {style.name} is taken for {names[a]}, which is "
        f"{hexadecimal(ours[a])} in {content.name}."
        for a, b in partner.items()
        if np.abs(ours[a] - theirs[b]).max() >= _TOLD
    ]
    # in the paper's order, then by colour
    rank = {name: n for n, name in enumerate(PALETTE)}
    order = sorted(range(len(names)), key=lambda k: (rank.get(names[k], len(rank)), *colors[k]))
    place = {k: n for n, k in enumerate(order)}
    here = [place[a] for a in range(len(ours))]
    there = {b: here[a] for a, b in partner.items()} | {b: place[len(ours) + n] for n, b in enumerate(others)}
    return (
        _relabelled(content, here, len(names)),
        replace(_relabelled(style, [there[b] for b in range(len(theirs))], len(names)), notes=(*style.notes, *notes)),
        [names[k] for k in order],
    )


def _relabelled(image: LabelImage, into: Sequence[int], count: int) -> LabelImage:
    """With other labels, of so many; what was not painted stays so, and colours that it does not have are far away."""
    labels = np.array([*into, -1])[image.paint.labels]  # −1 is the last
    colors = np.full((count, 3), -(1 << 20))
    colors[list(into)] = image.paint.colors
    return replace(image, paint=replace(image.paint, labels=labels, colors=colors))


def _are_levels(content: LabelImage, style: LabelImage) -> bool:
    """Whether levels of grey tell regions apart: numbers, or levels that both have, and not just the paper's."""
    if content.grays is None or style.grays is None:
        return False
    if _holds_numbers(content) or _holds_numbers(style):
        return True
    ours, theirs = {*content.grays}, {*style.grays}
    return (ours <= theirs or theirs <= ours) and not ours | theirs <= {0, 127, 128, 255}


def _partners(ours: NDArray[np.int64], theirs: NDArray[np.int64], most: int) -> dict[int, int]:
    """Which colour of one file (K×3) is which of the other, the most alike first, none farther apart than that."""
    apart = np.abs(ours[:, None] - theirs[None]).max(-1)
    found: dict[int, int] = {}
    for flat in np.argsort(apart, axis=None, kind="stable").tolist():
        a, b = divmod(flat, len(theirs))
        if apart[a, b] <= most and a not in found and b not in found.values():
            found[a] = b
    return found


def _names(colors: NDArray[np.int64]) -> list[str]:
    """The paper's name for what is nearest to each of its colours, if that is near; else as in #c86432."""
    names = [hexadecimal(color) for color in colors]
    for name, color in PALETTE.items():
        label, distance = nearest(np.array(color)[None, None], colors)
        if distance[0, 0] <= _CALLED:
            names[label[0, 0]] = name
    return names
