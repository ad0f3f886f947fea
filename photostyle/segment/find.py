"""Automatic regions: what belongs together in two photographs, found without painting."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Literal, get_args

import torch
from torch import Tensor

from photostyle.errors import SettingsError
from photostyle.image import fit
from photostyle.network.backbones import DEFAULT_BACKBONE
from photostyle.network.vgg import VGG
from photostyle.network.weights import load_weights
from photostyle.recipes.grading import first_sliders, need, take_samples
from photostyle.regions.pairing import pair_labels
from photostyle.regions.regions import Regions
from photostyle.segment.clusters import cluster_regions
from photostyle.segment.learned import DEFAULT as DEFAULT_SEGMENTER
from photostyle.segment.learned import segment_learned
from photostyle.segment.refine import refine_regions

Method = Literal["auto", "learned"]

_SIZE = 448  # long side at which colours are compared
_CLEAR_NEED = 1.4  # of what sliders leave unexplained in photographs of one light
_ONE_LIGHT = "One change of exposure and balance explains the style: the photographs are taken as a whole."


def find_regions(
    content: Tensor,
    style: Tensor,
    method: Method = "auto",
    *,
    count: int | None = None,
    model: str = DEFAULT_SEGMENTER,
    match: Mapping[str, str] | None = None,
    drop: Collection[str] = (),
    device: torch.device | str = "cpu",
) -> Regions:
    """The regions of two photographs (3×H×W and 3×H′×W′, sRGB in [0, 1]), soft, at the photographs' own sizes.

    auto: by the default network's features (`cluster_regions`): two regions, or one where the photographs have
    no clear border in common, or where sliders alone take the one to the light of the other; `count` (1 to 8) asks
    for so many. learned: by a `model` that names what it sees (`segment_learned`), a name on the hub or a folder.
    `match` gives a region of the content another one of the style for a model, `drop` leaves regions unpaired
    (`pair_labels`). Borders follow the photographs. Deterministic.

    Raises SettingsError for an unknown method or a count out of range, WeightsError if the network's
    weights cannot be had, RegionsError if the model cannot be had or used, or for a region that was not found.
    """
    if method not in get_args(Method):
        raise SettingsError(f"The methods of finding regions are {', '.join(get_args(Method))}, not {method!r}.")
    if method == "learned":
        found = segment_learned(content, style, model=model, match=match, drop=drop, device=device)
    else:
        vgg = VGG(load_weights(DEFAULT_BACKBONE), device=device)
        asked = count is not None or match or drop
        if not asked and _of_one_light(content, style, vgg):
            return replace(Regions.whole(content, style), notes=(_ONE_LIGHT,))
        found = cluster_regions(content, style, vgg, count=count)
        if match or drop:
            found = _paired_anew(found, match, drop)
    return refine_regions(found, content, style)


def _of_one_light(content: Tensor, style: Tensor, vgg: VGG) -> bool:
    """Whether sliders alone take the colours of one photograph to those of the other: regions could only harm."""
    I, S = (fit(image, _SIZE).cpu() for image in (content, style))
    samples = take_samples(I, S, Regions.whole(I, S), vgg)
    return need(samples, first_sliders(samples)) < _CLEAR_NEED


def _paired_anew(regions: Regions, match: Mapping[str, str] | None, drop: Collection[str]) -> Regions:
    """Hard regions that cover both photographs, matched and dropped as asked."""
    content, style = (masks.argmax(0).numpy() for masks in (regions.content, regions.style))
    again = pair_labels(content, regions.names, style, regions.names, match=match, drop=drop)
    return replace(again, notes=(*regions.notes, *again.notes))
