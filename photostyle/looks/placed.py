"""A look on one photograph, apart from its pixels: for whoever applies it over and over, or draws it by other means."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from safetensors.torch import save
from torch import Tensor

from photostyle.looks.adjust import Adjustment, adjust_look
from photostyle.looks.change import towards
from photostyle.looks.look import REST, Look, borders_of
from photostyle.maps.blend import regions_of_tiles
from photostyle.maps.lattice import SIZE, ColorMap


@dataclass(frozen=True, eq=False)
class Placed:
    """A look, and where its regions lie in a photograph.

    `masks` are those of `Look.apply`: (K or K + 1)×h×w, of the photograph's proportions.
    """

    look: Look
    masks: Tensor

    @classmethod
    def at_home(cls, look: Look) -> Placed:
        """The look on the photograph that it was found on."""
        return cls(look, look.scene.masks)

    @property
    def there(self) -> list[int]:
        """Which of the look's regions the photograph shows, by number; K is what is none of them."""
        return [k for k, mask in enumerate(self.masks) if bool(mask.any())]

    @property
    def names(self) -> tuple[str, ...]:
        """Of the regions that are there."""
        names = (*self.look.names, REST)
        return tuple(names[k] for k in self.there)

    def adjusted(self, adjustment: Adjustment, other: Look | None = None, weight: float = 0.0) -> Placed:
        """The look mixed with `weight` (0 to 1) of another one, and then adjusted; its regions stay where they are.

        Raises SettingsError for numbers out of range.
        """
        look = towards(self.look, other, weight) if other else self.look
        return replace(self, look=adjust_look(look, adjustment))

    def apply(self, photograph: Tensor) -> Tensor:
        """The photograph (3×H×W, sRGB in [0, 1], at any size) with the look: 3×H×W in [0, 1]."""
        return self.look.apply(photograph, self.masks)

    def parts(self, photograph: Tensor, size: Sequence[int]) -> bytes:
        """All that is needed to do the same elsewhere, as safetensors: to a photograph (3×H×W) that has `size` at last.

        Of the K regions that are there: `nodes` and `tilts` as in `pack_maps`; `heights` K×h, where rows lie within
        them. If there are several, also `tiles`, for each of `blend.TILE` pixels of `size` the regions in it, region k
        as the bit 2ᵏ; and, in 16 bits, `guides` K×h×w×4, the affine functions of colour that masks come from, and
        `own` K×h×w×4, the colours that each region shows near each place, and its mask. `maps.blend` says what is done
        with all that. The metadata hold `names`, as JSON.
        """
        maps = (*self.look.maps, self.look.common)
        tensors = pack_maps([maps[k] for k in self.there])
        borders = borders_of(self.masks[self.there], photograph)
        tensors["heights"] = borders.heights.float().contiguous()
        if len(self.there) > 1:
            bits = 2 ** torch.arange(len(self.there), dtype=torch.int32)
            tensors["tiles"] = (regions_of_tiles(borders.masks, size[0], size[1]) * bits).sum(2, dtype=torch.int32)
            own = torch.cat([borders.own, borders.masks[:, None]], dim=1)
            for name, values in (("guides", borders.guides), ("own", own)):
                tensors[name] = values.permute(0, 2, 3, 1).half().contiguous()
        return save(tensors, {"names": json.dumps(self.names)})


def pack_maps(maps: Sequence[ColorMap]) -> dict[str, Tensor]:
    """Colour maps as two arrays: `nodes` K×N×N×N×3, red changing fastest, then green; and `tilts` K×3×4."""
    size = max(SIZE, *(map.size for map in maps))
    nodes = torch.stack([map.resample(size).nodes.permute(3, 2, 1, 0) for map in maps])
    return {"nodes": nodes.float().contiguous(), "tilts": torch.stack([map.tilt for map in maps]).float().contiguous()}


def pack_look(look: Look) -> bytes:
    """The maps of a look, the common one last, and the names, as `Placed.parts` has them: safetensors."""
    return save(pack_maps([*look.maps, look.common]), {"names": json.dumps([*look.names, REST])})
