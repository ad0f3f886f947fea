"""How different two colours look: CIEDE2000.

Luo, Cui & Rigg, "The development of the CIE 2000 colour-difference formula", Color Research & Application 2001, in the
form of Sharma, Wu & Dalal, "The CIEDE2000 color-difference formula: implementation notes", 2005, whose numbers of
equations stand beside the lines. 1 is about what an eye tells apart, side by side.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from photostyle.color.spaces import lab_from_srgb


def delta_e(one: Tensor, other: Tensor) -> Tensor:
    """ΔE2000 of images 3×…, sRGB in [0, 1], colour by colour: …, float64.

    >>> float(delta_e(torch.ones(3, 1), torch.zeros(3, 1)))  # white and black
    100.0
    """
    return ciede2000(*(lab_from_srgb(x.double().clamp(0, 1)) for x in (one, other)))


def ciede2000(one: Tensor, other: Tensor) -> Tensor:
    """ΔE2000 of colours 3×… in L*a*b*, with all weights 1: … It does not matter which of the two is which."""
    (L1, a1, b1), (L2, a2, b2) = one, other
    C = (torch.hypot(a1, b1) + torch.hypot(a2, b2)) / 2
    stretch = 1.5 - 0.5 * _towards_one(C)  # (4), (5): 1 + G
    C1, C2 = torch.hypot(stretch * a1, b1), torch.hypot(stretch * a2, b2)
    h1, h2 = (torch.remainder(torch.atan2(b, stretch * a), 2 * math.pi) for a, b in ((a1, b1), (a2, b2)))  # (7)

    turn = h2 - h1  # (10): the shorter way round
    turn = torch.where(turn.abs() <= math.pi, turn, turn - turn.sign() * 2 * math.pi)
    gray = C1 * C2 == 0  # which has no hue
    turn = torch.where(gray, 0.0, turn)
    ΔL, ΔC, ΔH = L2 - L1, C2 - C1, 2 * (C1 * C2).sqrt() * (turn / 2).sin()  # (8) to (11)

    L, C = (L1 + L2) / 2, (C1 + C2) / 2  # (12), (13)
    h = torch.where(gray, torch.where(C1 == 0, h2, h1), h1 + turn / 2)  # (14)
    T = (  # (15)
        1
        - 0.17 * (h - math.radians(30)).cos()
        + 0.24 * (2 * h).cos()
        + 0.32 * (3 * h + math.radians(6)).cos()
        - 0.20 * (4 * h - math.radians(63)).cos()
    )
    degrees = torch.remainder(h.rad2deg(), 360)
    θ = (30 * torch.exp(-(((degrees - 275) / 25) ** 2))).deg2rad()  # (16)
    S_L = 1 + 0.015 * (L - 50) ** 2 / (20 + (L - 50) ** 2).sqrt()  # (18)
    S_C, S_H = 1 + 0.045 * C, 1 + 0.015 * C * T  # (19), (20)
    R_T = -(2 * θ).sin() * 2 * _towards_one(C)  # (17), (21)
    l, c, h = ΔL / S_L, ΔC / S_C, ΔH / S_H
    return (l * l + c * c + h * h + R_T * c * h).clamp(min=0).sqrt()  # (22)


def _towards_one(chroma: Tensor) -> Tensor:
    """√(C⁷ / (C⁷ + 25⁷))."""
    power = chroma**7
    return (power / (power + 25.0**7)).sqrt()
