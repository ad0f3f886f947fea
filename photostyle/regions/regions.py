"""Regions: what belongs together in the two photographs (sky with sky, building with building)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from photostyle.errors import RegionsError
from photostyle.image import nearly_of_size, resize, same_proportions
from photostyle.maps.blend import BORDER, SURFACE
from photostyle.matting.render import feather


@dataclass(frozen=True)
class Regions:
    """K named regions, each a mask over the content and a mask over the style.

    `content` is K×H×W and `style` K×H′×W′, both in [0, 1]. At every pixel of the content the masks add
    up to 1; of the style they may add up to less: such a pixel counts for so much less, or not at all. Every region has
    some weight on both sides. `notes` says, a sentence each, what had to be merged or left out to make it so.

    `one_look` says that both photographs are in one light: then regions have no look of their own, and only tell how
    much each part of the style counts (`in_proportion`). `guided` says that masks were found on small copies of the
    photographs: where they are enlarged, borders follow what the photograph shows. Raises RegionsError where this does
    not hold.
    """

    names: tuple[str, ...]
    content: Tensor
    style: Tensor
    notes: tuple[str, ...] = ()
    one_look: bool = False
    guided: bool = False

    def __post_init__(self) -> None:
        for side, masks in (("content", self.content), ("style", self.style)):
            if masks.ndim != 3 or len(masks) != len(self.names):
                raise RegionsError(
                    f"The {side} masks must be {len(self.names)}×H×W, one per region, not {tuple(masks.shape)}."
                )
            total = masks.sum(0)
            if total.max() > 1.001 or (side == "content" and total.min() < 0.999):
                raise RegionsError(f"The {side} regions must cover every pixel exactly once.")
            for name, mask in zip(self.names, masks, strict=True):
                if mask.sum() <= 0:
                    raise RegionsError(f"Region {name} is empty in the {side}; drop it or merge it.")

    @classmethod
    def whole(cls, content: Tensor, style: Tensor) -> Regions:
        """One region, the whole photograph, on both sides (images 3×H×W and 3×H′×W′).

        >>> Regions.whole(torch.zeros(3, 20, 30), torch.zeros(3, 16, 16)).shares
        ((1.0, 1.0),)
        """
        one = torch.ones(1, 1, 1)  # seen as whole masks, which take no memory
        return cls(("all",), one.to(content).expand_as(content[:1]), one.to(style).expand_as(style[:1]))

    @property
    def shares(self) -> tuple[tuple[float, float], ...]:
        """Per region, its share of the content and of the style, each in [0, 1]."""
        return tuple(zip(_shares(self.content), _shares(self.style), strict=True))

    def in_proportion(self) -> Regions:
        """One region, the whole, in which each part of the style counts as much as it is of the content.

        Of a photograph that is half sky, and a style that is three quarters sky, the land would be brightened, to make
        up for the sky that it lacks. So the sky of the style counts for a third of what its land does.

        >>> here, there = torch.eye(2), torch.tensor([[1.0, 1.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
        >>> Regions(("sky", "land"), here[:, None], there[:, None]).in_proportion().style
        tensor([[[0.3333, 0.3333, 0.3333, 1.0000]]])
        """
        wanted = torch.tensor([here / there for here, there in self.shares]).to(self.style)
        style = torch.tensordot(wanted / wanted.max(), self.style, dims=1)[None]
        return Regions(("all",), torch.ones_like(self.content[:1]), style, self.notes)

    def check(self, content: Tensor, style: Tensor) -> None:
        """Raise RegionsError when a side's aspect ratio differs from its photograph's (3×H×W) by more than 2 %.

        Sides that are a few pixels off are forgiven.
        """
        for side, masks, image in (("content", self.content, content), ("style", self.style, style)):
            (h, w), (H, W) = masks.shape[1:], image.shape[1:]
            if not same_proportions(masks, image) and not nearly_of_size(masks, image):
                raise RegionsError(
                    f"The {side} regions are {w}×{h} but the {side} is {W}×{H}: "
                    f"paint them on the whole photograph, in its own proportions."
                )

    def fit(self, content: Tensor, style: Tensor) -> Regions:
        """The same regions at the sizes of these images.

        Masks are reduced by area averaging, and enlarged bilinearly or, if they are `guided`, along what the photograph
        shows. Raises RegionsError as `check` does.
        """
        self.check(content, style)
        return replace(self, content=self._fitted(self.content, content), style=self._fitted(self.style, style))

    def _fitted(self, masks: Tensor, photograph: Tensor) -> Tensor:
        masks = masks.to(photograph)
        if self.guided and masks.shape[1] < photograph.shape[1]:
            return feather(masks, resize(photograph, masks.shape[1:]), photograph, BORDER, SURFACE)
        return _fit(masks, photograph.shape[1:])

    def seen(self, alpha: Tensor | None) -> Regions:
        """The same without what cannot be seen of the style: its masks times its `alpha` (1×h×w in [0, 1]).

        Raises RegionsError where nothing is left of a region.
        """
        if alpha is None:
            return self
        style = self.style * _fit(alpha, self.style.shape[1:]).to(self.style)
        for name, mask in zip(self.names, style, strict=True):
            if mask.sum() <= 0:
                raise RegionsError(f"Region {name} of the style is wholly transparent: drop it, or show some of it.")
        return replace(self, style=style)


def _shares(masks: Tensor) -> list[float]:
    return [float(share) for share in masks.mean((1, 2))]


def _fit(masks: Tensor, size: Sequence[int]) -> Tensor:
    if tuple(masks.shape[1:]) == tuple(size):
        return masks
    if masks.shape[1] < size[0]:
        return F.interpolate(masks[None], tuple(size), mode="bilinear", align_corners=False)[0]
    return F.interpolate(masks[None], tuple(size), mode="area")[0]
