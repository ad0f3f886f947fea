"""Automatic regions: what belongs together in two photographs, found without painting."""

from __future__ import annotations

import torch
from torch import Tensor

from photostyle.backbones import DEFAULT_BACKBONE
from photostyle.regions import Regions
from photostyle.segment.clusters import cluster_regions
from photostyle.segment.refine import refine_regions
from photostyle.vgg import VGG
from photostyle.weights import load_weights


def find_regions(
    content: Tensor, style: Tensor, *, count: int | None = None, device: torch.device | str = "cpu"
) -> Regions:
    """The regions of two photographs (3×H×W and 3×H′×W′, sRGB in [0, 1]), found by the default network's features.

    Two, or one where the photographs have no clear border in common; `count` (1 to 8) asks for so many.
    Soft masks of the photographs' own sizes, whose borders follow the photographs. Deterministic.
    Raises SettingsError for a count out of range, WeightsError if the network's weights cannot be had.
    """
    vgg = VGG(load_weights(DEFAULT_BACKBONE), device=device)
    return refine_regions(cluster_regions(content, style, vgg, count=count), content, style)
