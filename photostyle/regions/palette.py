"""The colours in which regions are painted: the nine of the paper, and more where these are too few."""

from __future__ import annotations

from itertools import product

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
# for more than nine regions: colours that are not near the paper's
_MORE_COLORS = [(r, g, b) for r, g, b in product((64, 192, 128, 255, 0), repeat=3) if {64, 192} & {r, g, b}]


def label_colors(count: int) -> list[tuple[int, int, int]]:
    """As many colours (RGB, 0 to 255) as label images tell apart: the paper's if its nine are enough.

    >>> label_colors(2)  # blue and green
    [(0, 0, 255), (0, 255, 0)]
    """
    return list(PALETTE.values())[:count] if count <= len(PALETTE) else _MORE_COLORS[:count]
