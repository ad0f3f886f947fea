"""Colour: sRGB ↔ linear light ↔ CIE Lab (D65), and luma. Tensors are 3×…, sRGB and linear in [0, 1]."""

from __future__ import annotations

import math

import torch
from torch import Tensor

# IEC 61966-2-1: linear sRGB → CIE XYZ, white point D65
_XYZ_FROM_RGB = (
    (0.4123907993, 0.3575843394, 0.1804807884),
    (0.2126390059, 0.7151686788, 0.0721923154),
    (0.0193308187, 0.1191947798, 0.9505321522),
)
_WHITE = tuple(sum(row) for row in _XYZ_FROM_RGB)
_MEDIUM, _BRIGHTEST = 0.4, 0.35  # median luma of a dark photograph, adapted to; the least power it is raised to
_FAINT = 0.05  # root mean square of a channel: one that is darker is not raised further, for it is noise
_DELTA = 6 / 29  # CIE 15: below δ³ the cube root of Lab becomes a straight line


def linear_from_srgb(image: Tensor) -> Tensor:
    """Gamma-encoded sRGB → light intensity (IEC 61966-2-1), per channel.

    >>> linear_from_srgb(torch.tensor([0.0, 0.5, 1.0]))
    tensor([0.0000, 0.2140, 1.0000])
    """
    low = image / 12.92
    high = ((image.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4
    return torch.where(image <= 0.04045, low, high)


def srgb_from_linear(light: Tensor) -> Tensor:
    """Light intensity → gamma-encoded sRGB, the inverse of `linear_from_srgb`."""
    low = light * 12.92
    high = 1.055 * light.clamp(min=0.0031308) ** (1 / 2.4) - 0.055
    return torch.where(light <= 0.0031308, low, high)


def lab_from_srgb(image: Tensor) -> Tensor:
    """sRGB 3×… → CIE L*a*b* 3×… with L in [0, 100], white point D65.

    >>> lab_from_srgb(torch.tensor([1.0, 0.0, 0.0])).round()  # red
    tensor([53., 80., 67.])
    """
    xyz = _apply(_XYZ_FROM_RGB, linear_from_srgb(image))
    xyz = xyz / xyz.new_tensor(_WHITE).view(3, *[1] * (xyz.ndim - 1))
    cube_root = xyz.clamp(min=_DELTA**3) ** (1 / 3)
    f = torch.where(xyz > _DELTA**3, cube_root, xyz / (3 * _DELTA**2) + 4 / 29)
    return torch.stack([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def srgb_from_lab(lab: Tensor) -> Tensor:
    """CIE L*a*b* 3×… → sRGB 3×…; colours outside sRGB come out below 0 or above 1."""
    fy = (lab[0] + 16) / 116
    f = torch.stack([fy + lab[1] / 500, fy, fy - lab[2] / 200])
    xyz = torch.where(f > _DELTA, f**3, 3 * _DELTA**2 * (f - 4 / 29))
    xyz = xyz * xyz.new_tensor(_WHITE).view(3, *[1] * (xyz.ndim - 1))
    rgb_from_xyz = torch.linalg.inv(torch.tensor(_XYZ_FROM_RGB, dtype=torch.float64))
    return srgb_from_linear(_apply(rgb_from_xyz.tolist(), xyz))


def luma(image: Tensor) -> Tensor:
    """Rec. 709 luma of gamma-encoded sRGB 3×… → …

    >>> luma(torch.tensor([1.0, 0.0, 0.0]))
    tensor(0.2126)
    """
    return 0.2126 * image[0] + 0.7152 * image[1] + 0.0722 * image[2]


def chroma(image: Tensor) -> Tensor:
    """What luma leaves of an image, 3×…: its luma is 0."""
    return image - luma(image)


def adapted(image: Tensor) -> Tensor:
    """A dark photograph (3×H×W) as an eye sees it that is used to the dark: of at least medium luma at its median.

    By a power of all its values. Without it, land by night is as black as its sky.
    """
    median = float(luma(image).median().clamp(1e-3, 1 - 1e-3))
    power = math.log(_MEDIUM) / math.log(median)
    return image.clamp(0, 1) ** min(1.0, max(_BRIGHTEST, power))


def balanced(image: Tensor) -> Tensor:
    """A photograph (3×H×W, sRGB in [0, 1]) with half of its cast taken out, in [0, 1]: as an eye gets used to a light.

    Each channel is multiplied by √(m̄ / m), with m its root mean square over the photograph and m̄ the mean of the three
    m. Were it m̄ / m, the whole cast would be gone: this is the grey world with a norm of 2 (Finlayson and Trezzi,
    "Shades of Gray and Colour Constancy", CIC 2004). Only half is taken out, since the light of a sunset is what the
    photograph shows. What comes out beyond 1 is clipped. A grey photograph stays as it is; twice takes out three
    quarters.
    """
    image = image.clamp(0, 1)
    strength = image.square().mean((1, 2), keepdim=True).sqrt().clamp(min=_FAINT)
    return (image * (strength.mean() / strength).sqrt()).clamp(0, 1)


def _apply(matrix: tuple[tuple[float, ...], ...] | list[list[float]], x: Tensor) -> Tensor:
    return torch.tensordot(x.new_tensor(matrix), x, dims=1)
