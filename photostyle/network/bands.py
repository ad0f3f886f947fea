"""A part of a network in bands of rows, so that memory does not grow with the image as its layers do."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

Part = Callable[[Tensor], dict[str, Tensor]]
"""1×C×h×w → what is found there by name, each 1×D×h′×w′: of as many rows, or of half as many, rounded up."""


def in_bands(part: Part, x: Tensor, rows: int, halo: int) -> dict[str, Tensor]:
    """What `part` finds in x, `rows` rows at a time: the same but for rounding, and so is its slope.

    A row that is found depends on `halo` rows around its own, which a band is given too. Both numbers are even, so that
    the bands of a part that halves its rows fit together. Nothing within a band is kept: for the slope it is computed
    once more.
    """
    bands = []
    height = x.shape[2]
    for top in range(0, height, rows):
        first, end = max(0, top - halo), min(height, top + rows)
        band = x[:, :, first : end + halo]
        run = partial(_without_halo, part, above=top - first, rows=end - top)
        bands.append(checkpoint(run, band, use_reentrant=False, preserve_rng_state=False))
    return {name: torch.cat([band.pop(name) for band in bands], dim=2) for name in list(bands[0])}


def _without_halo(part: Part, band: Tensor, above: int, rows: int) -> dict[str, Tensor]:
    """What is found in a band, without what belongs to the rows above the first and after the last of its own."""
    found = {}
    for name, y in part(band).items():
        step = 1 if y.shape[2] == band.shape[2] else 2
        found[name] = y[:, :, above // step : -(-(above + rows) // step)]
    return found
