"""A look adjusted: how much of it, in which region, with more or less light, warmth, contrast and saturation.

All of it is done to the nodes of the look's maps, so that an adjusted look is a look like any other: it costs nothing
to apply, and goes into files and tables. A page can do the same to the same few thousand numbers while a slider moves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

import torch
from torch import Tensor

from photostyle.color.path import between
from photostyle.color.spaces import lab_from_srgb, linear_from_srgb, luma, srgb_from_linear
from photostyle.errors import SettingsError
from photostyle.looks.look import REST, Look, seen
from photostyle.maps.lattice import SIZE, ColorMap, cube

_WARMEST = 0.5  # stops of red against blue
_SKIN_HUE, _SKIN_CHROMA = (55.0, 38.0), (28.0, 24.0)  # the middle, and where it ends: degrees, and a*b*
MOST_STOPS = 3.0


@dataclass(frozen=True)
class Adjustment:
    """What is asked of a look beyond itself; the default asks for nothing.

    First the look is given `exposure` (stops of light, −3 to 3), `warmth` (−1 to 1: half a stop of blue or of red),
    `contrast` (−1 to 1: the slope at middle grey from a half to one and a half; black and white stay) and `saturation`
    (−1, which is grey, to 1, which is twice). Then comes `strength`: from no change at all (0) to all of this (1),
    times that of the region in `regions`, by its name, if there is one. `keep_skin` (0 to 1) leaves colours that skin
    has, and all else that has them, their hue and chroma; their lightness goes with the look.
    """

    strength: float = 1.0
    exposure: float = 0.0
    warmth: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    keep_skin: float = 0.0
    regions: Mapping[str, float] = field(default_factory=dict)

    def check(self) -> None:
        """Raise SettingsError for a number that is out of its range."""
        for name, least, most in _RANGES:
            if not least <= (value := getattr(self, name)) <= most:
                raise SettingsError(f"{name} must lie between {least:g} and {most:g}, not {value:g}.")
        for name, value in self.regions.items():
            if not 0 <= value <= 1:
                raise SettingsError(f"The strength of {name} must lie between 0 and 1, not {value:g}.")

    @property
    def facts(self) -> dict[str, object]:
        """What a note on a picture says of it: what is not as at first."""
        plain = Adjustment()
        chosen = ((f.name, getattr(self, f.name)) for f in fields(self))
        return {name: value for name, value in chosen if value != getattr(plain, name)}


_RANGES = (
    ("strength", 0.0, 1.0),
    ("exposure", -MOST_STOPS, MOST_STOPS),
    ("warmth", -1.0, 1.0),
    ("contrast", -1.0, 1.0),
    ("saturation", -1.0, 1.0),
    ("keep_skin", 0.0, 1.0),
)


def adjust_look(look: Look, adjustment: Adjustment) -> Look:
    """The look as it is adjusted; what is none of its regions is a region by the name of `REST`.

    Raises SettingsError for numbers out of range, and for the strength of a region that the look does not have.
    """
    adjustment.check()
    if strange := sorted(set(adjustment.regions) - {*look.names, REST}):
        raise SettingsError(f"The look has no region {strange[0]!r}; it has {', '.join(look.names)}.")
    if not adjustment.facts:
        return look
    *maps, common = (
        adjust_map(map, adjustment, adjustment.regions.get(name, 1.0))
        for name, map in zip((*look.names, REST), (*look.maps, look.common), strict=True)
    )
    facts = look.facts | {name: str(value) for name, value in adjustment.facts.items()}
    return seen(replace(look, maps=tuple(maps), common=common, facts=facts))


def adjust_map(map: ColorMap, adjustment: Adjustment, part: float = 1.0) -> ColorMap:
    """One map as it is adjusted, in a region that takes `part` (0 to 1) of the strength.

    What its colours gain with the height is worked out at the nodes, and made affine again by least squares over them.
    """
    a = adjustment
    map = map.resample(max(SIZE, map.size))  # what follows are curves
    t = a.strength * part
    if t == 0:
        return ColorMap.identity(map.size).to(map.nodes)
    x = cube(map.size).double()
    nodes, slant = map.nodes.double(), map.to(x).slant(x)
    middle, up, down = (_developed(nodes + h * slant, a) for h in (0, 1, -1))
    held = 1 - a.keep_skin * skin(x) if a.keep_skin else torch.ones_like(x[0])
    kept = held * t
    tilt = t * (up - down) / 2
    if t < 1 or a.keep_skin:
        middle, tilt = between(x, middle, t, kept), held * tilt
    tilted = affine_of(tilt) if bool(map.tilt.any()) else torch.zeros(3, 4)
    return ColorMap(middle.to(map.nodes), tilted.to(map.tilt))


def _developed(colors: Tensor, a: Adjustment) -> Tensor:
    """Exposure and warmth in linear light, contrast by a curve, saturation about luma: colours 3×…, sRGB."""
    if a.exposure or a.warmth:
        warmth = _WARMEST * a.warmth
        stops = colors.new_tensor([a.exposure + warmth, a.exposure, a.exposure - warmth])
        gains = torch.exp2(stops).view(3, *[1] * (colors.ndim - 1))
        colors = srgb_from_linear(gains * linear_from_srgb(colors))
    if a.contrast:
        inside = colors.clamp(0, 1)
        colors = colors + a.contrast * (inside.square() * (3 - 2 * inside) - inside)
    if a.saturation:
        grey = luma(colors)
        colors = grey + (1 + a.saturation) * (colors - grey)
    return colors


def skin(colors: Tensor) -> Tensor:
    """How much colours (3×…, sRGB) are those of skin, in [0, 1]: … By hue and chroma in CIE L*a*b*, whatever the light.

    Skins of all peoples have much the same hue, between red and yellow, and a moderate chroma; they differ in lightness
    (Xiao et al., "Characterising the variations in ethnic skin colours: a new calibrated data base for human skin",
    Skin Research and Technology 2017).
    """
    _, a, b = lab_from_srgb(colors)
    (hue, width), (middle, reach) = _SKIN_HUE, _SKIN_CHROMA
    off = torch.atan2(b, a).rad2deg() - hue
    off = (torch.remainder(off + 180, 360) - 180) / width
    strayed = (torch.hypot(a, b) - middle) / reach
    return _bump(off) * _bump(strayed)


def _bump(x: Tensor) -> Tensor:
    """1 at 0, smoothly down to 0 at ±1."""
    return (1 - x.square()).clamp(min=0).square()


def affine_of(values: Tensor) -> Tensor:
    """[A | b] (3×4) that comes nearest, by least squares, to what the nodes of a lattice hold, 3×N×N×N.

    The axes of the cube say nothing of each other, so that each column of A is found by itself.
    """
    x = cube(values.shape[-1]).to(values)
    from_middle = x - 0.5
    A = torch.einsum("cijk,dijk->cd", values, from_middle) / from_middle[0].square().sum()
    b = values.mean((1, 2, 3)) - A.sum(1) / 2
    return torch.cat([A, b[:, None]], dim=1)
