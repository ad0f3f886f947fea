"""A look as one photograph shows it: what tables of it are to come near to."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from photostyle.errors import SettingsError
from photostyle.image import check_image, fit
from photostyle.looks.local import LocalLook
from photostyle.looks.look import REST, Look
from photostyle.maps.lattice import ColorMap

LONG_SIDE = 1024  # at which a look is seen: there are colours enough in it for tables of any size


@dataclass(frozen=True, eq=False)
class Sight:
    """A photograph and its result with a look, 3×h×w each, at most 1024 pixels long.

    `masks` (K×h'×w', small) say where which of `maps` was at work, and `names` whose they are; a look without regions
    has none of them. `common` is the map for colours that the photograph does not have. `said` are sentences about how
    the regions were found.
    """

    before: Tensor
    after: Tensor
    common: ColorMap
    masks: Tensor
    maps: tuple[ColorMap, ...] = ()
    names: tuple[str, ...] = ()
    said: tuple[str, ...] = ()


def see(look: Look | LocalLook, photograph: Tensor | None = None) -> Sight:
    """The look on a photograph (3×H×W, sRGB in [0, 1]); None: on the thumbnail that it keeps of its own.

    Raises ImageError if it is no image, SettingsError for a look that keeps none.
    """
    if photograph is not None:
        check_image(photograph, "The photograph")
        before = fit(photograph, LONG_SIDE)
    elif isinstance(look, LocalLook):
        raise SettingsError("This look keeps nothing of its photograph: give it one, to see what the look does.")
    else:
        before = look.scene.before
    if isinstance(look, LocalLook):
        return Sight(before, look.apply(before), ColorMap.identity(), torch.zeros(0, 1, 1))
    masks, said = look.find_regions(before)
    after = look.apply(before, masks)
    there = [k for k, mask in enumerate(masks) if bool(mask.any())]
    maps, names = (*look.maps, look.common), (*look.names, REST)
    return Sight(
        before, after, look.common, masks[there], tuple(maps[k] for k in there), tuple(names[k] for k in there), said
    )
