"""What a region is called that has no name: by where it lies and its colour, as in "upper, blue".

The colour words are the eleven basic ones of English (Berlin & Kay, Basic Color Terms, 1969) and four more that
photographs need; a region has the word whose colour lies nearest to its mean in CIELAB.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from photostyle.color.spaces import lab_from_srgb

_WORDS = {
    "black": "#161616",
    "dark grey": "#4a4a4a",
    "grey": "#828282",
    "light grey": "#bcbcbc",
    "white": "#f4f4f4",
    "red": "#b32424",
    "orange": "#d9832e",
    "brown": "#6e4a30",
    "beige": "#c9b08c",
    "yellow": "#dcc63c",
    "green": "#4f7a35",
    "dark green": "#27381f",
    "turquoise": "#3f9c9c",
    "blue": "#4a78b8",
    "light blue": "#9fc0e4",
    "dark blue": "#1c2a4c",
    "purple": "#6e4490",
    "pink": "#d98aa6",
}
_MOST_OF_IT = 0.85  # from this share on a region is the whole photograph
_MIDDLE = 0.09  # a centre of mass that is no farther from the middle has no side, in parts of the photograph's side


def describe(image: Tensor, mask: Tensor) -> str:
    """Where a region lies, and its colour: "upper, blue".

    `image` is 3×H×W sRGB in [0, 1], `mask` H×W in [0, 1]. An empty mask is "nowhere".
    """
    share = float(mask.mean())
    if share <= 0:
        return "nowhere"
    return f"{_place(mask, share)}, {_color(image, mask)}"


def _place(mask: Tensor, share: float) -> str:
    if share >= _MOST_OF_IT:
        return "everywhere"
    y, x = _off_middle(mask.mean(1)), _off_middle(mask.mean(0))
    down = "" if abs(y) <= _MIDDLE else "upper" if y < 0 else "lower"
    across = "" if abs(x) <= _MIDDLE else "left" if x < 0 else "right"
    return " ".join(filter(None, (down, across))) or "middle"


def _off_middle(weights: Tensor) -> float:
    """Of the centre of mass along a side: −½ at its beginning, ½ at its end."""
    return float((weights * torch.linspace(-0.5, 0.5, len(weights)).to(weights)).sum() / weights.sum())


def _color(image: Tensor, mask: Tensor) -> str:
    mean = (image * mask.to(image)).sum((1, 2)) / mask.sum().to(image)
    names, palette = _palette()
    lab = lab_from_srgb(mean[:, None, None].float().cpu())[:, 0, 0]
    return names[int((palette - lab).square().sum(1).argmin())]


@cache
def _palette() -> tuple[tuple[str, ...], Tensor]:
    levels = [[int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)] for color in _WORDS.values()]
    return tuple(_WORDS), lab_from_srgb(torch.tensor(levels).T[:, None, :])[:, 0].T
