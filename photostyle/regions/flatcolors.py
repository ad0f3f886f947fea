"""Paint: the few flat colours of a picture that was painted, and which pixel has which.

Files are worn: resampled, blurred, compressed, dithered. So three questions are asked in turn.

1. Are there few colours and no trace of wear? Then they are the paint, however alike.
2. Are all flat pixels near colours of a known palette, no two separate colours near the same? Then those are the paint.
3. Else the paint is where flat pixels heap up in colour space.

A pixel is flat if its 3×3 neighbours hardly differ: a blend of two colours, on a border or in a feather, is not, so no
blend becomes paint. All other pixels have the label of the nearest one that is sure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from photostyle.wording import percent

Levels = NDArray[np.int64]
"""H×W×3 integers: 0 to 255, or beyond where a file holds numbers of 16 bits."""

MOST = 64  # colours: with more it is a photograph

_LEAST = 0.001  # of the picture that a colour covers: what covers less is a stray mark
_NEAR = 60  # of 255 per channel: what may be a colour of the palette
_ALIKE = 24  # of 255 per channel: where a file is worn, colours nearer than this are one
_ALIKE_LOSSY = 36  # and in a format that wears colours itself
_SHARP = 8  # of 255 per channel: at least half of a heap is as near as this to its middle
_FLAT = 8  # of 255 per channel: the spread among neighbours of a flat pixel in a sound file
_CALM = 32  # of 255 per channel: the spread among neighbours on a surface; blends on borders have more
_BESIDE = 2  # pixels, of a border
_NOISE = 2.5  # times the spread where a picture is calmest: the spread of a flat pixel in a noisy file
_NOISIEST = 80
_HEAPED = 0.85  # of flat pixels, at least, are in the middle of a heap
_SHADES = 40  # of 255 per channel: the range of means of 3×3 pixels of one colour, in a noisy file
_FEW = 8  # stray colours that a sound file may have
_COVERED = 0.9  # of a painted picture, at least, is near its paint


@dataclass(frozen=True, eq=False)
class Paint:
    """K `colors` (K×3, as in the picture), the `labels` H×W into them, −1 where nothing is painted, and what was lost.

    `exact`: the colours are just those that there are. `notes` say what was taken for one, or for nothing.
    """

    labels: NDArray[np.int64]
    colors: NDArray[np.int64]
    exact: bool = False
    notes: tuple[str, ...] = ()


def find_paint(
    levels: Levels, palette: Sequence[tuple[int, int, int]], *, lossy: bool = False, soft: bool = False
) -> Paint | None:
    """The paint of a picture H×W×3, None if it is not one of flat colours.

    `lossy` says that its format wears colours. In a `soft` one any part may be blends; without any flat colour a grey
    one is of black and white.
    """
    if (exact := _exact(levels, lossy)) is not None:
        return exact
    levels = levels if levels.max() <= 255 else np.round(levels / 257).astype(np.int64)
    spread = _spread(levels)
    noise = _NOISE * float(np.quantile(spread, 0.1))
    flat = spread <= min(max(noise, _FLAT), _NOISIEST)
    means = levels if noise <= _FLAT else _means(levels)
    colors = _of_palette(levels, means, flat, spread, np.array(palette).reshape(-1, 3))
    if colors is None:
        colors = _heaps(means, flat, _ALIKE_LOSSY if lossy else _ALIKE)
        if soft and len(colors) < 2 and (levels == levels[..., :1]).all():
            colors = np.array([[0] * 3, [255] * 3])
        if not 0 < len(colors) <= MOST:
            return None
        if not soft and (nearest(means[flat], colors)[1] <= _SHARP).mean() < _HEAPED:
            return None
    labels, near = _near(levels, colors)
    if not soft and near.mean() < _COVERED and not (near.mean() > 0.5 and _are_blends(levels[~near], colors)):
        return None
    return Paint(
        _settled(labels, near, flat, calm=spread <= max(_CALM, noise)),
        colors,
        notes=_taken_for_one(levels, spread, colors),
    )


def nearest(levels: Levels, colors: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of each pixel (…×C) the nearest of K colours (K×C), and how far it is in its farthest channel: … each."""
    labels = np.zeros(levels.shape[:-1], np.int64)
    least = np.full(levels.shape[:-1], np.iinfo(np.int64).max)
    for label, color in enumerate(colors):  # one by one: all distances at once would be gigabytes
        distance = reduce(np.maximum, (np.abs(levels[..., i] - value) for i, value in enumerate(color)))
        labels[distance < least] = label
        np.minimum(least, distance, out=least)
    return labels, least


def spread_from(labels: NDArray[np.int64], sure: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Labels that are sure, and elsewhere those of the nearest pixel that is."""
    if sure.all() or not sure.any():
        return labels
    where = ndimage.distance_transform_edt(~sure, return_distances=False, return_indices=True)
    spread: NDArray[np.int64] = labels[tuple(where)]
    return spread


def hexadecimal(color: Sequence[int]) -> str:
    """As in #c86432."""
    return "#{:02x}{:02x}{:02x}".format(*(int(value) for value in color))


def _exact(levels: Levels, lossy: bool) -> Paint | None:
    """The colours as they are, if there are few and none looks worn."""
    some = _packed(levels[::7, ::7])
    if len(np.unique(some)) > 40 * MOST:  # a photograph, and large ones take long to sort
        return None
    packed, inverse, counts = np.unique(_packed(levels), return_inverse=True, return_counts=True)
    labels = inverse.reshape(levels.shape[:2])
    large = counts >= max(1, _LEAST * labels.size)
    if not 0 < large.sum() <= MOST or counts[~large].sum() > (1 - _COVERED) * labels.size:
        return None
    colors = _unpacked(packed)
    stray = len(colors) - int(large.sum())
    if not _are_numbers(colors, lossy) and _looks_worn(levels, labels, colors, large, lossy or stray > _FEW):
        return None
    kept, found = large[labels], colors[large]
    return Paint(_settled(*_near(levels, found), flat=kept, calm=kept), found, exact=True)


def _are_numbers(colors: NDArray[np.int64], lossy: bool) -> bool:
    """Whether the colours are numbers of regions, as data sets have them, all of them but 255 too dark for a mask."""
    gray = bool((colors == colors[:, :1]).all())
    values = colors[colors[:, 0] != 255, 0]
    return gray and not lossy and len(values) > 1 and int(values.max()) < MOST and np.gcd.reduce(values) == 1


def _looks_worn(
    levels: Levels, labels: NDArray[np.int64], colors: NDArray[np.int64], large: NDArray[np.bool_], suspected: bool
) -> bool:
    """Whether some of the `large` colours are shades of others, or blends, rather than paint.

    A colour that is somewhere 3×3 pixels is paint, unless wear is `suspected`; of the others blends are on borders.
    """
    calm = _spread(levels) == 0
    solid = np.bincount(labels[calm], minlength=len(colors)) > 0
    which = np.flatnonzero(large)
    alike = np.abs(colors[which, None] - colors[None, which]).max(-1) <= _ALIKE
    np.fill_diagonal(alike, False)
    if (alike & (suspected | ~solid[which, None])).any():
        return True
    # where hardly anything is solid, all was drawn so fine
    return bool(calm.mean() > 0.5) and any(_is_border(k, labels, colors, which) for k in which[~solid[which]])


def _is_border(
    label: np.int64, labels: NDArray[np.int64], colors: NDArray[np.int64], others: NDArray[np.int64]
) -> bool:
    """Whether the pixels of a label lie mostly between two others that its colour is a blend of."""
    mine = labels == label
    for a, b in combinations(others[others != label], 2):
        if _are_blends(colors[None, label], colors[[a, b]]):
            beside = [ndimage.maximum_filter(labels == other, 3)[mine] for other in (a, b)]
            if (beside[0] & beside[1]).mean() >= 0.5:
                return True
    return False


def _near(levels: Levels, colors: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Of each pixel the nearest of K colours (K×3), and whether it is that colour rather than a blend: H×W each."""
    labels, distance = nearest(levels, colors)
    apart = np.abs(colors[:, None] - colors[None]).max(-1) + 4 * _NEAR * np.eye(len(colors), dtype=np.int64)
    return labels, distance <= np.minimum(_NEAR, apart.min(1) // 2)[labels]


def _of_palette(
    levels: Levels, means: Levels, flat: NDArray[np.bool_], spread: NDArray[np.int64], palette: NDArray[np.int64]
) -> NDArray[np.int64] | None:
    """The colours of the palette that there are; None if there are others, or two separate ones near the same."""
    labels, distance = nearest(levels, palette)
    near = distance <= _NEAR
    least = _LEAST * labels.size
    found = np.bincount(labels[flat & near], minlength=len(palette)) >= least
    if (flat & ~near).sum() >= least or near.mean() < _COVERED - 0.2 or not found.any():
        return None
    for label in np.flatnonzero(found):
        own = near & flat & (labels == label)
        low, high = np.quantile(means[own], (0.05, 0.95), axis=0)
        if (high - low).max() > _SHADES:  # a photograph's surface, rather than noise about one colour
            return None
        packed, counts = np.unique(_packed(levels[own & (spread == 0)]), return_counts=True)
        separate = _unpacked(packed[counts >= least])
        if len(separate) and np.ptp(separate, axis=0).max() > _ALIKE:
            return None
    return palette[found]


def _heaps(levels: Levels, flat: NDArray[np.bool_], alike: int) -> NDArray[np.int64]:
    """Where the colours of flat pixels heap up, the highest first (K×3). A slope, as a wide feather has, is no heap."""
    packed, counts = np.unique(_packed(levels[flat]), return_counts=True)
    colors, least = _unpacked(packed), _LEAST * flat.size
    if len(colors) > 40_000:  # a photograph
        return colors[:0]
    found: list[NDArray[np.int64]] = []
    while len(counts) and len(found) <= MOST:
        top = colors[counts.argmax()]
        away = np.abs(colors - top).max(-1)
        around = away <= alike
        total = counts[around].sum()
        if total >= least and counts[away <= _SHARP].sum() >= total / 2:
            found.append(top)
        elif counts.max() < least / 8:
            break
        colors, counts = colors[~around], counts[~around]
    return np.array(found, np.int64).reshape(-1, 3)


def _taken_for_one(levels: Levels, spread: NDArray[np.int64], colors: NDArray[np.int64]) -> tuple[str, ...]:
    """What is said of colours that were painted and are too much like a larger one."""
    packed, counts = np.unique(_packed(levels[spread == 0]), return_counts=True)
    own = counts >= 5 * _LEAST * spread.size
    solid, counts = _unpacked(packed[own]), counts[own]
    labels, _ = nearest(solid, colors)
    said = []
    for label in np.unique(labels):
        shades, sizes = solid[labels == label], counts[labels == label]
        apart = np.abs(shades[:, None] - shades[None]).max(-1)
        main = int(sizes.argmax())
        said += [
            f"{hexadecimal(shades[k])} ({percent(size / spread.size)}) is so much like {hexadecimal(shades[main])} "
            "that it is taken for it"
            for k, size in enumerate(sizes)
            if k != main and (apart[k] < _SHARP).sum() == 1  # itself; noise comes in neighbours
        ]
    return tuple(said)


def _are_blends(pixels: NDArray[np.int64], colors: NDArray[np.int64]) -> bool:
    """Whether nine tenths of some colours (n×3) lie near a line between two of K others."""
    some = pixels[:: max(1, len(pixels) // 10_000)].astype(np.float64)
    blend = np.zeros(len(some), bool)
    for a, b in combinations(colors.astype(np.float64), 2):
        if blend.all():
            break
        part = ((some - a) @ (b - a) / max(float((b - a) @ (b - a)), 1.0)).clip(0, 1)
        blend |= np.abs(some - a - part[:, None] * (b - a)).max(-1) <= _ALIKE
    return bool(blend.mean() >= 0.9) if len(blend) else True


def _settled(
    labels: NDArray[np.int64], near: NDArray[np.bool_], flat: NDArray[np.bool_], calm: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Labels; elsewhere than in and beside the calm surroundings of flat pixels of their own, those of the nearest."""
    sure = np.zeros_like(near)
    for label in np.unique(labels[near]):
        own = near & (labels == label)
        surface = ndimage.binary_propagation(own & flat, mask=own & (calm | flat))
        sure |= own & ndimage.binary_dilation(surface, iterations=_BESIDE)
    return spread_from(labels, sure)


def _spread(levels: Levels) -> NDArray[np.int64]:
    """Of each pixel how far its 3×3 neighbourhood spreads in the channel that spreads most."""
    planes = [levels[..., c].astype(np.int32) for c in range(3)]
    spreads = [ndimage.maximum_filter(p, 3) - ndimage.minimum_filter(p, 3) for p in planes]
    return reduce(np.maximum, spreads).astype(np.int64)


def _means(levels: Levels) -> Levels:
    """Of each 3×3 pixels."""
    planes = [ndimage.uniform_filter(levels[..., c].astype(np.float32), 3) for c in range(3)]
    return np.round(np.stack(planes, axis=-1)).astype(np.int64)


def _packed(levels: Levels) -> NDArray[np.int64]:
    """Three numbers of up to 16 bits as one."""
    packed: NDArray[np.int64] = levels @ np.array([1 << 32, 1 << 16, 1])
    return packed


def _unpacked(packed: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.stack([packed >> 32, packed >> 16 & 0xFFFF, packed & 0xFFFF], axis=-1)
