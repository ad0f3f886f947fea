"""A look: the colour maps of a photograph's regions, apart from it, for any other photograph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from photostyle._version import __version__
from photostyle.errors import ImageError
from photostyle.image import check_image, fit, same_proportions, shrink
from photostyle.looks.scene import Scene, find_again, kinds_of, same_scene
from photostyle.maps.blend import Borders, RegionalMaps, blend, find_borders
from photostyle.maps.lattice import ColorMap
from photostyle.people.among import put_among
from photostyle.people.skin import SKIN, find_skin

if TYPE_CHECKING:
    from photostyle.network.vgg import VGG

_SIZE = 448  # long side at which borders are found
REST = "the rest"
"""What the part of a photograph is called that is none of a look's regions."""

THUMBNAIL = 192  # long side of what a look shows of its photograph


@dataclass(frozen=True, eq=False)
class Look:
    """Colour maps, one for each of K regions, and where they belong.

    `maps` are the K maps, `common` what they have in common, for what is none of the regions; `names` are the regions'.
    `scene` is the photograph that the look was found on: what its regions look like. `after` is a thumbnail of its
    result, 3×h×w. `facts` say how the look was made. Everything is on the processor.
    """

    maps: tuple[ColorMap, ...]
    common: ColorMap
    names: tuple[str, ...]
    scene: Scene
    after: Tensor
    facts: dict[str, str]

    @classmethod
    def of(
        cls,
        found: RegionalMaps,
        photograph: Tensor,
        vgg: VGG | None,
        facts: Mapping[str, str] | None = None,
    ) -> Look:
        """The look of regional maps found on a photograph (3×H×W); `vgg` tells what regions show.

        Without it a look of several regions does not know them again in other scenes, until it is `told_apart`. `facts`
        go into the look, beside the version of photostyle.
        """
        small = fit(photograph, _SIZE).cpu()
        masks = found.masks.cpu()
        scene = Scene(fit(small, THUMBNAIL), masks, torch.zeros(len(masks), 0), "")
        after = fit(blend(found.maps, small, found.borders), THUMBNAIL)
        facts = {"version": __version__, **(facts or {})}
        look = cls(tuple(found.maps), found.common, found.names, scene, after, facts)
        return look.told_apart(small, vgg) if vgg else look

    def told_apart(self, photograph: Tensor, vgg: VGG) -> Look:
        """The look with what tells its regions from each other in the photograph that it was found on (3×H×W)."""
        kinds = kinds_of(fit(photograph, _SIZE).cpu(), self.scene.masks, vgg)
        return replace(self, scene=replace(self.scene, kinds=kinds, network=vgg.backbone))

    def apply(self, photograph: Tensor, masks: Tensor | None = None) -> Tensor:
        """The photograph with this look: both 3×H×W, sRGB in [0, 1], of any scene and resolution.

        `masks` (K×h×w, or K+1, the last for what takes the common map; they add up to 1) say where its regions lie;
        None: where `find_regions` finds them. Raises ImageError if it is no image, or the masks are of other
        proportions.
        """
        check_image(photograph, "The photograph")
        if masks is None:
            masks, _ = self.find_regions(photograph)
        maps = [*self.maps, self.common]
        if len(masks) not in (len(self.maps), len(maps)):
            raise ImageError(f"This look has {len(self.maps)} regions, and the masks are {len(masks)}.")
        if not same_proportions(masks, photograph):
            raise ImageError("The masks are of other proportions than the photograph: paint them on the whole of it.")
        there = [k for k, mask in enumerate(masks) if bool(mask.any())]
        return blend([maps[k] for k in there], photograph, borders_of(masks[there], photograph))

    @property
    def networks(self) -> tuple[str, ...]:
        """The names of the networks that its regions are found by in another scene: one, or none if nothing is told
        apart."""
        return (self.scene.network,) if len(self._told_apart) > 1 else ()

    def networks_in(self, photograph: Tensor) -> tuple[str, ...]:
        """Those that `find_regions` takes in this photograph (3×H×W): for whoever is to fetch them first."""
        return self.networks if self.networks and not self._is_at_home(fit(photograph, _SIZE).cpu()) else ()

    @property
    def _told_apart(self) -> list[int]:
        """The regions, by number, that are known by what they show; skin is known by faces."""
        return [k for k, name in enumerate(self.names) if name != SKIN]

    def _is_at_home(self, small: Tensor) -> bool:
        """Whether a photograph (3×h×w, small) is a frame of the scene whose regions it has."""
        return len(self.names) > 1 and same_scene(self.scene.before, small)

    def find_regions(self, photograph: Tensor, vgg: VGG | None = None) -> tuple[Tensor, tuple[str, ...]]:
        """Where the look's regions lie in a photograph (3×H×W): masks (K+1)×h×w, the last for what belongs to none.

        On a frame of the look's own scene they lie where they did; elsewhere skin belongs to the faces that are there,
        and the others are found by what they show, with the network `vgg` (None: it is loaded). Also returns sentences
        that say so. Raises WeightsError if the network's weights cannot be had.
        """
        small = fit(photograph, _SIZE).cpu()
        if self._is_at_home(small):
            masks = self.scene.masks
            return torch.cat([masks, torch.zeros_like(masks[:1])]), ()
        others = self._told_apart
        if len(others) == 1:
            one = torch.ones(1, *small.shape[1:])
            masks = torch.cat([one, torch.zeros_like(one)])
        else:
            masks = find_again(replace(self.scene, kinds=self.scene.kinds[others]), small, vgg)
        if SKIN in self.names:
            skin = find_skin(photograph)
            here = torch.zeros_like(masks[0]) if skin is None else shrink(skin.mask[None], masks.shape[1:])[0]
            masks = put_among(masks, here, self.names.index(SKIN))
        if len(self.names) == 1:
            return masks, ()
        shares = masks.mean((1, 2)).tolist()
        found = "; ".join(f"{name}: {share:.0%}" for name, share in zip(self.names, shares, strict=False))
        rest = f"; {shares[-1]:.0%} is none of them and takes what they have in common" if shares[-1] >= 0.01 else ""
        return masks, (f"Another scene than the look's own. Its regions in this photograph: {found}{rest}.",)


def whole_look(map: ColorMap, photograph: Tensor, facts: Mapping[str, str] | None = None) -> Look:
    """The look of one map for all of any photograph, shown on this one (3×H×W, sRGB in [0, 1]).

    `facts` go into the look, beside the version of photostyle.
    """
    small = fit(photograph, THUMBNAIL).cpu().float()
    scene = Scene(small, torch.ones_like(small[:1]), torch.zeros(1, 0), "")
    return Look((map,), map, ("all",), scene, map(small).clamp(0, 1), {"version": __version__, **(facts or {})})


def seen(look: Look) -> Look:
    """The look, its thumbnail made anew."""
    return replace(look, after=look.apply(look.scene.before, look.scene.masks))


def borders_of(masks: Tensor, photograph: Tensor) -> Borders:
    """Where regions lie in a photograph (3×H×W): their masks (K×h×w, of its proportions) made to follow it."""
    small = fit(photograph, _SIZE)
    return find_borders(shrink(masks.to(small), small.shape[1:]), small)
