"""Looks learned from photographs before and after: the grade of any editor, or of a camera."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from photostyle.color.difference import delta_e
from photostyle.color.spaces import luma
from photostyle.errors import ImageError
from photostyle.image import check_image, fit, same_proportions, shrink
from photostyle.looks.look import Look, whole_look
from photostyle.tables.learning import learn_map

_SIZE = 700  # long side at which photographs are compared
_SHIFT = 0.02  # of the long side: the most that one may be moved against the other
_EDGE = 0.02  # a slope of luma per pixel from which on a pixel counts little: a misfit of half a pixel is seen there
_ALIKE = 0.5  # correlation of edges below which two pictures do not show the same
_LOCAL = 2.0  # ΔE2000 on the photograph itself: more, and one map is not what was done


def learn_look(
    pairs: Sequence[tuple[Tensor, Tensor]], facts: Mapping[str, str] | None = None
) -> tuple[Look, tuple[str, ...]]:
    """The one colour map that makes each photograph's after of its before, as a look; and sentences about how well.

    `pairs` are (before, after), 3×H×W each, sRGB in [0, 1], of one scene. The two may differ in size and be shifted
    against each other by a few pixels. More pairs show more colours; what no pair shows goes on from the colours next
    to it (`learn_map`). `facts` are stored in the look, with the version of photostyle.

    Raises ImageError if there is no pair, one is no image, or two do not show the same.
    """
    if not pairs:
        raise ImageError("There is nothing to learn from: give a photograph before and after.")
    found = [_registered(before, after) for before, after in pairs]
    x, y = (torch.cat([pair[side].flatten(1) for pair in found], dim=1) for side in (0, 1))
    w = torch.cat([_trust(pair[0]).flatten() for pair in found])
    map = learn_map(x, y, w)
    look = whole_look(map, pairs[0][0], facts)
    error = delta_e(map(x), y)
    untouched = delta_e(x, y)
    mean = float((w * error).sum() / w.sum())
    said: tuple[str, ...] = (
        f"On what it was learned from the look is off by ΔE2000 {mean:.2f} in the mean, "
        f"where the untouched is off by {float((w * untouched).sum() / w.sum()):.2f}.",
    )
    if mean > _LOCAL:
        said += ("What was done differs from place to place: one map of colour holds only a part of it.",)
    return look, said


def _registered(before: Tensor, after: Tensor) -> tuple[Tensor, Tensor]:
    """Both at one small size, moved so that they fit, without the margins that only one has."""
    check_image(before, "The photograph before")
    check_image(after, "The photograph after")
    if not same_proportions(before, after):
        (h, w), (H, W) = before.shape[1:], after.shape[1:]
        raise ImageError(f"Before is {w}×{h} and after {W}×{H}: they must be the same photograph, not cropped.")
    one = fit(before, min(_SIZE, max(after.shape[1:]))).cpu().float()
    other = shrink(after.cpu().float(), one.shape[1:]) if after.shape[1:] != one.shape[1:] else after.cpu().float()
    dy, dx = _shift(one, other)
    h, w = one.shape[1:]
    one = one[:, max(0, dy) : h + min(0, dy), max(0, dx) : w + min(0, dx)]
    other = other[:, max(0, -dy) : h + min(0, -dy), max(0, -dx) : w + min(0, -dx)]
    likeness = _correlation(_edges(one), _edges(other))
    if likeness < _ALIKE:
        raise ImageError(
            f"Before and after do not show the same (their edges correlate by {likeness:.2f}): give one photograph "
            "as it was, and as it is now."
        )
    return one, other


def _shift(one: Tensor, other: Tensor) -> tuple[int, int]:
    """By how many pixels, down and right, what `other` shows lies in `one` (3×h×w each): the peak of their correlation.

    Of the edges, which a grade leaves where they are; within a fiftieth of the long side.
    """
    a, b = (torch.fft.rfft2(_edges(image)) for image in (one, other))
    h, w = one.shape[1:]
    match = torch.fft.irfft2(a * b.conj(), s=(h, w))
    most = max(1, round(_SHIFT * max(h, w)))
    near = torch.zeros(h, w, dtype=torch.bool)
    rows, columns = ((torch.arange(-most, most + 1) % n).unique() for n in (h, w))
    near[rows[:, None], columns] = True
    best = int(match.masked_fill(~near, -torch.inf).argmax())
    dy, dx = divmod(best, w)
    return (dy - h if dy > h // 2 else dy), (dx - w if dx > w // 2 else dx)


def _edges(image: Tensor) -> Tensor:
    """How steep luma is at each pixel, h×w, its mean taken off; without units."""
    slope = _slope(image)
    slope = slope.clamp(max=4 * float(slope.mean()) + 1e-6)
    return slope - slope.mean()


def _slope(image: Tensor) -> Tensor:
    y = luma(image)
    down, right = (torch.zeros_like(y), torch.zeros_like(y))
    down[1:] = y.diff(dim=0)
    right[:, 1:] = y.diff(dim=1)
    return torch.hypot(down, right)


def _correlation(a: Tensor, b: Tensor) -> float:
    """1 for plain pictures too, of which nothing can be said."""
    norm = float(a.norm() * b.norm())
    return float((a * b).sum()) / norm if norm > 1e-6 else 1.0


def _trust(image: Tensor) -> Tensor:
    """Much on plain ground, little on edges: h×w."""
    return 1 / (1 + (_slope(image) / _EDGE).square())
