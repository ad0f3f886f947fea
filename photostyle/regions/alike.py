"""Two label images brought to one list of names: colours that are nearly the same, numbers, and what has a partner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from photostyle.errors import RegionsError
from photostyle.regions.flatcolors import find_paint, hexadecimal, nearest
from photostyle.regions.labelimage import LabelImage
from photostyle.regions.palette import PALETTE

_CALLED = 32  # of 255 per channel: what is as near to a colour of the palette has its name
_SAME = 60  # of 255 per channel: what is as near in the other file may be meant for the same
_TOLD = 24  # of 255 per channel: from here on it is said
_MASK = 64  # numbers of regions are below it, and a mask's white is not
_WHITE = 255
_VOID = 255  # number of what data sets leave out
_MOST_SAID = 8  # numbers in a sentence


def alike(content: LabelImage, style: LabelImage) -> tuple[LabelImage, LabelImage]:
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


def named(content: LabelImage, style: LabelImage) -> tuple[LabelImage, LabelImage, list[str]]:
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
