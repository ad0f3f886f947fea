"""From labels of cells to named masks of pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from scipy import ndimage
from torch import Tensor

from photostyle.regions.regions import Regions
from photostyle.segment.cells import Cells
from photostyle.segment.parsing import CELL
from photostyle.segment.partitions import Labels

_SMALLEST = 0.01  # of its photograph: a smaller island is noise


def masks_of(labels: Labels, side: Cells, size: Sequence[int]) -> list[Tensor]:
    """Labels of N cells → a soft mask of each, H×W, the photograph's own `size`: smooth borders, islands gone."""
    clean = without_islands(labels.reshape(side.grid))
    hard = np.stack([clean == k for k in range(1 + int(labels.max()))])
    masks = torch.from_numpy(hard.astype(np.float32))[None]
    h, w = side.grid
    cells = F.interpolate(masks, (h * CELL, w * CELL), mode="bilinear", align_corners=False)
    seen = cells[:, :, : side.seen.shape[1], : side.seen.shape[2]]  # the last cells reach beyond the image
    return list(F.interpolate(seen, tuple(size), mode="bilinear", align_corners=False)[0])


def without_islands(labels: Labels) -> Labels:
    """H×W labels: every patch that is neither large nor its label's largest takes that of the nearest other cell."""
    island = np.zeros(labels.shape, bool)
    for label in np.unique(labels):
        patches, _ = ndimage.label(labels == label)
        areas = np.bincount(patches.ravel())
        areas[0] = labels.size
        small = areas < _SMALLEST * labels.size
        small[1 + areas[1:].argmax()] = False
        island |= small[patches]
    nearest = ndimage.distance_transform_edt(island, return_distances=False, return_indices=True)
    return labels[tuple(nearest)]


def named(masks: Sequence[Sequence[Tensor]], wanted: int | None) -> Regions:
    """Hard masks of what is on both sides, largest first; a note if there are fewer than wanted."""
    content, style = (torch.stack(list(side)).argmax(0) for side in masks)
    count = len(masks[0])
    both = [k for k in range(count) if all((side == k).any() for side in (content, style))]
    if len(both) < count:  # a sliver fell between two pixels
        content, style = (torch.tensor(both)[torch.stack([side[k] for k in both]).argmax(0)] for side in masks)
    both.sort(key=lambda k: -sum(float((side == k).float().mean()) for side in (content, style)))
    here, there = (torch.stack([side == k for k in both]).float() for side in (content, style))
    names = tuple(f"region {n}" for n in range(1, len(both) + 1))
    notes: tuple[str, ...] = ()
    if wanted and len(names) < wanted:
        notes = (f"Found {len(names)} of {wanted} regions: no more are common to both photographs.",)
    return Regions(names, here, there, notes)
