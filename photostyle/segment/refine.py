"""Borders of regions that follow the photograph: masks become soft, affine functions of its colours nearby.

A guided filter (He, Sun & Tang, "Guided Image Filtering", PAMI 2013, section 4.3, "feathering") of the masks
with the photograph as guide: close to the closed-form matting of a band around each border (the same window
model as the matting Laplacian's), at a small part of the time. It is found on a small image; its maps are then
applied to the photograph's own pixels, so that twigs and roofs are as sharp as they are there.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from photostyle.image import fit, shrink
from photostyle.maps.blend import BORDER, SURFACE
from photostyle.matting.render import feather
from photostyle.regions.regions import Regions

_SIZE = 448  # long side at which the maps are found, pixels


def refine_regions(regions: Regions, content: Tensor, style: Tensor) -> Regions:
    """The same regions with soft masks at the size of the photographs (3×H×W, sRGB in [0, 1])."""
    return replace(regions, content=refine_masks(regions.content, content), style=refine_masks(regions.style, style))


def refine_masks(masks: Tensor, photograph: Tensor) -> Tensor:
    """Masks (K×H×W, 0 to 1) guided by the photograph (3×H×W): K×H×W.

    Where they added up to 1 they still do; a pixel that belonged to no region still belongs to none.
    """
    small = fit(photograph, _SIZE)
    return feather(shrink(masks, small.shape[1:]), small, photograph, BORDER, SURFACE)


def refine_mask(mask: Tensor, photograph: Tensor) -> Tensor:
    """One mask (h×w, 0 to 1, of the photograph's proportions), guided by the photograph (3×H×W): H×W."""
    return refine_masks(torch.stack([mask, 1 - mask]), photograph)[0]
