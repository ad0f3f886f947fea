"""A map that leaves colours their hue: light is the look's, and what is shown keeps its own colour in it.

In CIE LCh. Chroma goes with the light, as that of a thing does which is lit more or less: times g, light makes a*, b*
and L* + 16 all larger by the cube root of g. The look may take it a little up or down from there, and turn the hue by
an angle that is hardly seen.
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from photostyle.color.spaces import lab_from_srgb, srgb_from_lab
from photostyle.maps.lattice import SIZE, ColorMap, cube

TURN = 1.2  # degrees by which a look may turn the hue of what keeps its own; between nodes it may be as much more
_PALER, _RICHER = 0.8, 1.35  # of the chroma that goes with the light
_HALVINGS = 12  # of the chroma of a colour that no screen shows


def keep_hue(map: ColorMap, colors: Tensor, amount: float = 1.0) -> ColorMap:
    """The map in whose colours the hue is that of what went in, within `TURN`; lightness is the map's.

    How far hue turns, and chroma strays, is what the map asks for `colors` (3×n, sRGB in [0, 1]) in the mean, bounded,
    and one for all, so that no colour is drawn from another. `amount` 0 is the map itself, 1 all of this. At height 0:
    what comes out does not follow the height.
    """
    map = map.resample(max(SIZE, map.size))
    turn, part = _asked(lab_from_srgb(colors), lab_from_srgb(map(colors)))
    before, after = lab_from_srgb(cube(map.size).to(map.nodes)), lab_from_srgb(map.nodes)
    light = after[0].clamp(0, 100)
    a, b = part * before[1:] * (light + 16) / (before[0] + 16)
    turned = torch.stack([math.cos(turn) * a - math.sin(turn) * b, math.sin(turn) * a + math.cos(turn) * b])
    nodes = torch.lerp(map.nodes, _displayable(light, turned), amount)
    return replace(map, nodes=nodes, tilt=torch.zeros_like(map.tilt))


def _asked(before: Tensor, after: Tensor) -> tuple[float, float]:
    """By how much a map turns the hue of colours (L*a*b*, 3×n), radians, and what of their natural chroma it leaves."""
    natural = before[1:] * (after[0].clamp(min=0) + 16) / (before[0] + 16)
    whole = float(natural.square().sum().clamp(min=1e-6))
    along = float((after[1:] * natural).sum()) / whole
    across = float((natural[0] * after[2] - natural[1] * after[1]).sum()) / whole
    part, most = min(_RICHER, max(_PALER, along)), math.radians(TURN)
    return most * math.tanh(across / (most * part)), part


def _displayable(light: Tensor, ab: Tensor) -> Tensor:
    """The colours in sRGB, 3×…, of L* and a*b* (2×…), with as much of their chroma as a screen can show."""
    low, high = torch.zeros_like(light), torch.ones_like(light)
    for part in (high, *[None] * _HALVINGS):
        part = (low + high) / 2 if part is None else part
        rgb = srgb_from_lab(torch.cat([light[None], part * ab]))
        shown = ((rgb > -1e-4) & (rgb < 1 + 1e-4)).all(0)
        low, high = torch.where(shown, part, low), torch.where(shown, high, part)
    return srgb_from_lab(torch.cat([light[None], low * ab])).clamp(0, 1)
