"""What figures are called, which direction is better, and how they are written."""

from __future__ import annotations

import math
from dataclasses import dataclass

_ARROWS = {"lower": "↓", "higher": "↑", "1": "→ 1"}


@dataclass(frozen=True)
class Figure:
    """How a column is called, which direction is better, and how many decimals are worth reading."""

    title: str
    better: str  # lower, higher, or 1: the nearer to it
    digits: int

    @property
    def arrow(self) -> str:
        """Up, down or to 1, where better lies."""
        return _ARROWS[self.better]

    def show(self, value: float | None) -> str:
        """The number as text; a dash where there is none."""
        return "–" if value is None else f"{value:.{self.digits}f}"

    def wins(self, ours: float, theirs: float) -> bool:
        """Whether `ours` is better; equal is not."""
        if self.better == "1":
            return abs(math.log(max(ours, 1e-9))) < abs(math.log(max(theirs, 1e-9)))
        return ours < theirs if self.better == "lower" else ours > theirs


MEASURES = {
    "style_distance": Figure("style distance", "lower", 3),
    "matting_energy": Figure("matting energy", "lower", 5),
    "edge_ssim": Figure("edge SSIM", "higher", 3),
    "color_distance": Figure("color distance", "lower", 2),
    "tint": Figure("tint", "lower", 2),
    "plain_tint": Figure("tint of plain grounds", "lower", 2),
    "contrast": Figure("contrast", "1", 2),
    "gain": Figure("gain", "lower", 2),
    "lipschitz": Figure("Lipschitz", "lower", 1),
}
