"""Skin of every shade and in every light, and how far its hue is turned: for tests and for benchmarks/skin.py."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from photostyle.color.spaces import lab_from_srgb, linear_from_srgb, srgb_from_lab, srgb_from_linear
from photostyle.image import resize
from photostyle.people.skin import find_skin

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


def coloured(image: Tensor, red: float, green: float, blue: float) -> Tensor:
    """An image (3×…, sRGB) in a light of that colour."""
    gains = torch.tensor([red, green, blue]).view(3, *[1] * (image.ndim - 1))
    return srgb_from_linear(gains * linear_from_srgb(image)).clamp(0, 1)


def skin_of(image: Tensor) -> Tensor:
    """Where skin is in a photograph (3×H×W) that shows some: h×w in [0, 1]."""
    skin = find_skin(image)
    assert skin is not None
    return skin.mask


def turned(before: Tensor, after: Tensor, where: Tensor | None = None) -> Tensor:
    """Degrees of CIE LCh by which the hue of the astronaut's skin differs, where it has one."""
    mask = resize(skin_of(before)[None], before.shape[1:])
    inside = -F.max_pool2d(-mask, 5, 1, 2)[0] > 0.95  # the hairline is of both
    inside &= torch.ones_like(inside) if where is None else where
    (L, *ab), (_, *ab_after) = (lab_from_srgb(image)[:, inside] for image in (before, after))
    off = (torch.atan2(ab_after[1], ab_after[0]) - torch.atan2(ab[1], ab[0])).rad2deg()
    sure = torch.stack(ab).norm(dim=0) > 0.15 * (L + 16)
    return (torch.remainder(off + 180, 360) - 180).abs()[sure]
