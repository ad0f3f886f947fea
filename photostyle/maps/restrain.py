"""Colours that nobody has: what comes out richer than the photograph or the style shows it is made paler.

A colour for which the style has no room costs the transport little, wherever it goes. A map that bends for the others
can throw it into a hue of its own making: a glow of chartreuse in a sky. So the chroma that comes out is bounded, at
each hue and lightness (CIE LCh): by what the style shows there in some amount; and by what the photograph itself shows,
in the light that the map gives it, and somewhat richer, as a grade may make it. Hue and lightness stay.

Only colours of the photograph are judged. What the map does to others is carried on from there (`settle`): a look made
of a grey day must not take the red from every coat.
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from photostyle.color.spaces import lab_from_srgb, srgb_from_lab
from photostyle.maps.lattice import ColorMap, shared_out

_HUE, _LIGHT = math.radians(60), 25.0  # so far away another colour counts for nothing, and half as far for half
_SOME = 0.02  # of the style's colours are near: fewer are twigs that reach into its sky
_ANY = 0.25  # of one colour of the photograph: what it has, however little, it may keep
_AS_RICH, _RICHER = 1.15, 1.5  # of the style's chroma, and of the photograph's, that may be
_UNSEEN, _KNEE = 2.0, 2.0  # ΔE: what is allowed besides, and the most that is left of any excess
_SWEEPS = 4  # of the map's nodes towards the colours that are wanted: more would bend it steeply for a few


def restrained(map: ColorMap, colors: Tensor, heights: Tensor, style: Tensor) -> ColorMap:
    """The map, changed where it takes colours of a photograph to chroma that neither it nor the style has.

    `colors` are 3×n, sRGB in [0, 1], at `heights` n, as `ColorMap` takes them; `style` is 3×m. The same map if there is
    nothing to change. How it follows the height stays: its nodes make up for that at the heights of the colours.
    """
    found = map(colors, heights)
    wanted = paler(found, colors, style)
    if torch.equal(wanted, found):
        return map
    # each node by what its colours lack in the mean; by less where it has not even one of them
    evidence = shared_out(colors, torch.ones_like(heights)[None], map.size).clamp(min=1)
    for _ in range(_SWEEPS):
        map = replace(map, nodes=map.nodes + shared_out(colors, wanted - map(colors, heights), map.size) / evidence)
    return map


def paler(found: Tensor, colors: Tensor, style: Tensor) -> Tensor:
    """What a map found for colours of a photograph (both 3×n, sRGB), with chroma that they or the style (3×m) have.

    Colours within the limit are returned to the bit; of what is beyond, less and less is left.
    """
    light, chroma, hue = lch_from_srgb(found)
    light = light.clamp(0, 100)
    own_light, own_chroma, own_hue = lch_from_srgb(colors)
    lit = own_chroma * (light + 16) / (own_light + 16)  # as chroma goes with light (`hue`)
    own = richest(light, hue, torch.stack([light, lit, own_hue]), _ANY)
    others = richest(light, hue, lch_from_srgb(style), _SOME * style.shape[1])
    excess = (chroma - torch.maximum(_RICHER * own, _AS_RICH * others) - _UNSEEN).clamp(min=0)
    kept = 1 - excess.square() / (excess + _KNEE) / chroma.clamp(min=1e-6)
    lab = lab_from_srgb(found)
    return torch.where(excess > 0, srgb_from_lab(torch.cat([lab[:1], kept * lab[1:]])), found)


def richest(light: Tensor, hue: Tensor, colors: Tensor, least: float) -> Tensor:
    """The chroma that at least so many of some colours (LCh, 3×m) have or exceed near each lightness and hue (n): n.

    A colour counts by its distance, from 1 to 0, in lightness and in hue; 0 where too few are near.
    """
    L, C, h = colors[:, colors[1].argsort(descending=True)]
    turn = torch.remainder(hue[:, None] - h + math.pi, 2 * math.pi) - math.pi
    near = _window((light[:, None] - L) / _LIGHT) * _window(turn / _HUE)
    first = (near.cumsum(1) < least).sum(1)  # of those as rich, when they are enough
    return torch.cat([C, C.new_zeros(1)])[first]


def lch_from_srgb(colors: Tensor) -> Tensor:
    """sRGB 3×n → CIE LCh 3×n: lightness in [0, 100], chroma, and hue in radians."""
    L, a, b = lab_from_srgb(colors)
    return torch.stack([L, torch.hypot(a, b), torch.atan2(b, a)])


def _window(distance: Tensor) -> Tensor:
    """1 at 0, a half at ½, 0 from 1 on."""
    return (1 + torch.cos(math.pi * distance.clamp(-1, 1))) / 2
