"""How much of a look a table holds."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from photostyle.color.difference import delta_e


@dataclass(frozen=True)
class Held:
    """How close an approximation is: `mean` and `high`, the 95th percentile over pixels, of its ΔE2000 to the result.

    `share` is 1 − mean / the mean of the untouched photograph: 1 for the result itself, 0 for what is no closer to it
    than the photograph, below 0 for what is farther away.
    """

    share: float
    mean: float
    high: float

    def __str__(self) -> str:
        return f"{max(self.share, 0):.0%} of this look, ΔE {self.mean:.1f} (95 % of the pixels within {self.high:.1f})"


def held(before: Tensor, after: Tensor, made: Tensor) -> Held:
    """What `made` holds of what makes `after` of `before`: 3×h×w each, sRGB in [0, 1], of moderate size."""
    error, untouched = delta_e(made, after).flatten(), float(delta_e(before, after).mean())
    mean = float(error.mean())
    share = 1 - mean / untouched if untouched > 0 else float(mean == 0)
    return Held(share, mean, float(error.kthvalue(max(1, round(0.95 * len(error)))).values))
