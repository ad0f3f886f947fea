"""People keep the colour of their skin: one more region, whose map is what the others have there, with hue held."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from photostyle.maps.blend import RegionalMaps, find_borders
from photostyle.maps.hue import keep_hue
from photostyle.maps.lattice import SIZE, ColorMap, cube
from photostyle.maps.tone import find_tone
from photostyle.people.among import put_among, skin_among
from photostyle.people.skin import SKIN

_LEAST = 1e-3  # of a photograph: less skin is not seen, and is left to the look


def with_natural_skin(found: RegionalMaps, content: Tensor, small: Tensor, style: Tensor) -> RegionalMaps:
    """The maps, and beside them that of skin; the same if a photograph (3×H×W, and as a `small` copy) shows no face.

    As far as the style (3×h×w) has no hue but one, skin has it too.
    """
    amount = 1 - find_tone(style.flatten(1)).certainty
    here = skin_among(found.masks, content) if amount and SKIN not in found.names else None
    if here is None or float(here.mean()) < _LEAST:
        return found
    map = keep_hue(_map_of(found, here), small[:, here > 0.5], amount)
    masks = put_among(found.masks, here, len(found.masks))
    names = (*found.names, SKIN)
    return replace(found, maps=[*found.maps, map], names=names, masks=masks, borders=find_borders(masks, small))


def _map_of(found: RegionalMaps, here: Tensor) -> ColorMap:
    """What the regions' maps do in a part (h×w) of the photograph: their mean there, at its own height."""
    weights = found.borders.masks * here  # K×h×w
    shares = weights.sum((1, 2)) / weights.sum().clamp(min=1e-6)
    heights = (found.borders.heights * weights.sum(2)).sum(1) / weights.sum((1, 2)).clamp(min=1e-6)
    nodes = torch.zeros(3, SIZE, SIZE, SIZE)
    for map, share, height in zip(found.maps, shares.tolist(), heights.tolist(), strict=True):
        nodes += share * map.resample(SIZE)(cube(SIZE), torch.tensor(height))
    return ColorMap.of(nodes)
