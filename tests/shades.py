"""Skin of every shade: portraits recoloured, for tests and for benchmarks/skin.py."""

from __future__ import annotations

import torch
from torch import Tensor

from photostyle.color.spaces import lab_from_srgb, srgb_from_lab

# L*, a*, b* in the middle of each class of the individual typology angle (Chardon, Cretois & Hourseau 1991)
SHADES = {
    "very light": (72, 13, 14),
    "light": (66, 14, 18),
    "intermediate": (60, 15, 20),
    "tan": (53, 15, 21),
    "brown": (42, 14, 18),
    "dark": (30, 10, 11),
}


def shaded(image: Tensor, mask: Tensor, shade: tuple[float, float, float]) -> Tensor:
    """An image (3×H×W, sRGB), skin of that mean colour, in L*a*b*, where the mask (H×W) is. Light and shade stay."""
    lab = lab_from_srgb(image)
    mean, goal = lab[:, mask > 0.9].mean(1), torch.tensor(shade)
    light = (goal[0] + 16) / (mean[0] + 16)
    moved = torch.cat([light * (lab[:1] + 16) - 16, light * (lab[1:] - mean[1:, None, None]) + goal[1:, None, None]])
    return srgb_from_lab(torch.lerp(lab, moved, mask)).clamp(0, 1)
