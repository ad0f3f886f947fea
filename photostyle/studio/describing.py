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
from photostyle.studio.painting import Sheet
from photostyle.studio.picture import Picture, Side


def describe(sheet: Sheet, pictures: Mapping[Side, Picture]) -> list[dict[str, Any]]:
    """The sheet's regions, each with `seen`: "upper, blue, 37%" for each side that is painted."""
    seen = {side: _seen(sheet, side, picture) for side, picture in pictures.items() if side in sheet.labels}
    return [
        region | {"seen": {side: found.get(region["color"], "nowhere") for side, found in seen.items()}}
        for region in sheet.regions
    ]


def _seen(sheet: Sheet, side: Side, picture: Picture) -> dict[str, str]:
    """What each colour of a label image lies over; kept with the sheet until it is painted anew."""
    labels = sheet.labels[side]
    kept = sheet.seen.get(side)
    if kept is None or kept[0] is not labels:
        kept = sheet.seen[side] = (labels, _look(labels, picture))
    return kept[1]


def _look(labels: bytes, picture: Picture) -> dict[str, str]:
    _, height, width = picture.small.shape
    with Image.open(io.BytesIO(labels)) as file:
        image = file.convert("RGB").resize((width, height), Image.Resampling.NEAREST)
        colors = torch.from_numpy(np.asarray(image).astype(np.int16))
    masks = {name: (colors == torch.tensor(color, dtype=torch.int16)).all(-1) for name, color in PALETTE.items()}
    return {name: describe_mask(picture.small, mask.float()) for name, mask in masks.items() if mask.any()}
