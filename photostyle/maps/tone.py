"""The one tone of a style that has one: black and white, sepia."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from photostyle.color.spaces import lab_from_srgb


@dataclass(frozen=True, eq=False)
class Tone:
    """The one tone of a style that has one (black and white, sepia): a*b* as a function of L.

    a*b* = `coefficients` (2×3) times (1, L, L²), L in [0, 100]; `certainty` is 0 for a style of several hues, 1 for one
    whose colours stray from the tone by less than an eye sees.
    """

    coefficients: Tensor
    certainty: float

    def of(self, L: Tensor) -> Tensor:
        """a*b*, 2×…, at lightness L (…)."""
        powers = torch.stack([torch.ones_like(L), L / 100, (L / 100).square()])
        return torch.tensordot(self.coefficients.to(L), powers, dims=1)


def find_tone(colors: Tensor) -> Tone:
    """The tone of the colours of a style (3×n, sRGB in [0, 1]).

    It is certain if all but 2 % of them are within ΔE 2 of it, and none if they are not within 4.
    """
    lab = lab_from_srgb(colors.clamp(0, 1)).double()
    L = lab[0] / 100
    powers = torch.stack([torch.ones_like(L), L, L.square()])
    if float(torch.quantile(lab[1:].norm(dim=0), 0.98)) < 2:  # ΔE: black and white, but for rounding
        coefficients = lab.new_zeros(2, 3)
    else:
        ridge = 1e-3 * torch.eye(3).to(lab)
        coefficients = (lab[1:] @ powers.T / len(L)) @ torch.linalg.inv(powers @ powers.T / len(L) + ridge)
    stray = float(torch.quantile((lab[1:] - coefficients @ powers).norm(dim=0), 0.98))
    return Tone(coefficients.float(), min(1.0, max(0.0, (4 - stray) / 2)))
