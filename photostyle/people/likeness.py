"""How much the colours of a photograph are those of one person's skin.

Compared are chromaticities, (a*, b*) / (L* + 16). They are the same in light and in shade: times g, light makes a*, b*
and L* + 16 all larger by the cube root of g. So is brown hair, often, to skin: what a face is `set_off` from tells by
brightness, too.
"""

from __future__ import annotations

import torch
from torch import Tensor

from photostyle.color.spaces import lab_from_srgb
from photostyle.maps.lattice import look_up, shared_out

_HUES = (-15.0, 95.0)  # degrees of CIE LCh, beyond which nobody's skin is
_LEAST = 0.05  # chromaticity: what has less, as in a picture in black and white, has no hue to speak of
_OWN = 0.8  # of a face's pixels are skin, nearest its median: not eyes, lips, glasses
_SPREAD = 0.025  # least standard deviation of chromaticity on one's skin
_NEAR, _FAR = 2.0, 3.5  # standard deviations within which a colour is skin's, and beyond which it is not
_PALEST = 0.3  # of its chromaticity is left where skin shines
_DARKEST, _LIGHTEST = 0.5, 16.0  # of the L* of a face in the shade; and L* beyond that of one in the light
_RAMP = 5.0  # L* from there to what is no skin
_LEVELS = 16  # of a lattice of colours
_RARE = 1e-4  # a share of pixels that says nothing


def likeness(image: Tensor, face: Tensor, glossy: Tensor) -> Tensor | None:
    """How much pixels of an image (3×h×w, sRGB) have the colours of skin, in [0, 1]: h×w. None if the face has not.

    Masks, h×w each: `face` is surely face, `glossy` where light pixels may be paler than skin is elsewhere.
    """
    lab = lab_from_srgb(image)
    colors = lab[1:] / (lab[0] + 16)
    middle = colors[:, face].median(1).values
    hue = float(torch.atan2(middle[1], middle[0]).rad2deg())
    if float(middle.norm()) < _LEAST or not _HUES[0] < hue < _HUES[1]:
        return None
    L = lab[0, face]
    along = torch.einsum("chw,c->hw", colors, middle) / middle.square().sum()
    along = torch.where(glossy & (lab[0] > L.median()), along.clamp(_PALEST, 1), 1)
    off = colors - along * middle[:, None, None]
    inverse = torch.linalg.inv(_covariance(colors[:, face] - middle[:, None]))
    d = torch.einsum("ihw,ij,jhw->hw", off, inverse, off).clamp(min=0).sqrt()
    dark, light = _DARKEST * L.quantile(0.05), L.quantile(0.95) + _LIGHTEST
    lit = ((lab[0] - dark + _RAMP) / _RAMP).clamp(0, 1) * ((light + _RAMP - lab[0]) / _RAMP).clamp(0, 1)
    return ((_FAR - d) / (_FAR - _NEAR)).clamp(0, 1) * lit


def set_off(image: Tensor, face: Tensor, other: Tensor) -> Tensor:
    """How much the colours of an image (3×h×w, sRGB) are the face's rather than those of something else: h×w in [0, 1].

    Masks, h×w each: `face` is surely face, `other` that other thing, as hair or what is behind. 1 is what is as common
    on the face or more, and what neither has.
    """
    sides = [shared_out(image[:, part], torch.ones(1, int(part.sum())), _LEVELS) for part in (face, other)]
    shares = torch.cat([side / side.sum().clamp(min=1) for side in sides])
    here, there = look_up(shares, image[None])[0] + _RARE
    return (2 * here / (here + there)).clamp(max=1)


def _covariance(away: Tensor) -> Tensor:
    """Of what skin strays from its median (2×n): 2×2."""
    far = away.norm(dim=0)
    away = away[:, far <= far.quantile(_OWN)]
    return away @ away.T / away.shape[1] + _SPREAD**2 * torch.eye(2)
