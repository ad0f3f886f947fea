"""Automatic regions: what belongs together in two photographs, found without painting."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Literal, get_args

import torch
from torch import Tensor

from photostyle.errors import SettingsError
from photostyle.image import fit
from photostyle.network.backbones import DEFAULT_BACKBONE, SCENE_BACKBONE
from photostyle.network.weights import load_weights
from photostyle.regions.pairing import pair_labels
from photostyle.regions.regions import Regions
from photostyle.segment.cells import SIZE
from photostyle.segment.crf import regions_of_pixels
from photostyle.segment.learned import DEFAULT as DEFAULT_SEGMENTER
from photostyle.segment.learned import segment_learned
from photostyle.segment.refine import refine_regions
from photostyle.segment.search import common_regions

Method = Literal["auto", "learned"]


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
    """The regions of two photographs (3×H×W and 3×H′×W′, sRGB in [0, 1]), soft, their long sides 448 pixels at most.

    auto: by what two networks see (`common_regions`): as many regions as the result gains by, often one, which
    is the whole; `count` (1 to 8) asks for so many. learned: by a `model` that names what it sees (`segment_learned`),
    a name on the hub or a folder.
    `match` gives a region of the content another one of the style for a model, `drop` leaves regions unpaired
    (`pair_labels`). Borders follow the photographs, and go on to do so at any size (`Regions.fit`). Deterministic.

    Raises SettingsError for an unknown method or a count out of range, WeightsError if the network's
    weights cannot be had, RegionsError if the model cannot be had or used, or for a region that was not found.
    """
    if method not in get_args(Method):
        raise SettingsError(f"The methods of finding regions are {', '.join(get_args(Method))}, not {method!r}.")
    small = fit(content, SIZE), fit(style, SIZE)
    if method == "learned":
        found = segment_learned(content, style, model=model, match=match, drop=drop, device=device)
    else:
        needed = bool(match or drop)
        networks = load_weights(SCENE_BACKBONE), load_weights(DEFAULT_BACKBONE)
        found = common_regions(*small, *networks, count=count, needed=needed, device=device)
        if needed:
            found = _paired_anew(found, match, drop)
    if len(found.names) == 1:
        return found
    return replace(refine_regions(regions_of_pixels(found, *small), *small), guided=True)


def _paired_anew(regions: Regions, match: Mapping[str, str] | None, drop: Collection[str]) -> Regions:
    """Hard regions that cover both photographs, matched and dropped as asked."""
    content, style = (masks.argmax(0).numpy() for masks in (regions.content, regions.style))
    again = pair_labels(content, regions.names, style, regions.names, match=match, drop=drop)
    return replace(again, notes=(*regions.notes, *again.notes))
