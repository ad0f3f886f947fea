"""Regions as the page lists them: what each shows on both sides, by place, colour and share."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from PIL import Image

from photostyle import PALETTE
from photostyle.regions.describe import describe as describe_mask
from photostyle.studio.painting import Seen, Sheet
from photostyle.studio.picture import Picture, Side

_NOTHING: Seen = {"what": "nowhere", "share": 0.0}


def describe(sheet: Sheet, pictures: Mapping[Side, Picture]) -> list[dict[str, Any]]:
    """The sheet's regions, each with `seen` for each side that is painted: what it is called, and its share."""
    seen = {side: _seen(sheet, side, picture) for side, picture in pictures.items() if side in sheet.labels}
    return [
        region | {"seen": {side: found.get(region["color"], _NOTHING) for side, found in seen.items()}}
        for region in sheet.regions
    ]


def present_colors(labels: bytes) -> list[str]:
    """The names of the palette's colours that are in a label image (PNG), in their order, but for purple, no region."""
    with Image.open(io.BytesIO(labels)) as file:
        there = {color for _, color in file.convert("RGB").getcolors(maxcolors=file.width * file.height) or ()}
    return [name for name, color in PALETTE.items() if color in there and name != "purple"]


def _seen(sheet: Sheet, side: Side, picture: Picture) -> dict[str, Seen]:
    """What each colour of a label image lies over; kept with the sheet until it is painted anew."""
    labels = sheet.labels[side]
    kept = sheet.seen.get(side)
    if kept is None or kept[0] is not labels:
        kept = sheet.seen[side] = (labels, _look(labels, picture))
    return kept[1]


def _look(labels: bytes, picture: Picture) -> dict[str, Seen]:
    _, height, width = picture.small.shape
    with Image.open(io.BytesIO(labels)) as file:
        image = file.convert("RGB").resize((width, height), Image.Resampling.NEAREST)
        colors = torch.from_numpy(np.asarray(image).astype(np.int16))
    masks = {name: (colors == torch.tensor(color, dtype=torch.int16)).all(-1) for name, color in PALETTE.items()}
    found: dict[str, Seen] = {}
    for name, mask in masks.items():
        if mask.any():
            what = describe_mask(picture.small, mask.float())
            if picture.blank:  # an empty canvas has places, and no colours
                what = what.partition(", ")[0]
            found[name] = {"what": what, "share": float(mask.float().mean())}
    return found
