"""One photograph on a grid of cells of 8×8 pixels: what each shows, in which colour and place, and what runs between.

Dark photographs are brightened first, as an eye gets used to the dark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sparse
import torch
from numpy.typing import NDArray
from torch import Tensor

from photostyle.color.spaces import adapted, lab_from_srgb
from photostyle.image import exact, fit, shrink
from photostyle.network.hed import SIDE_LAYERS, edges_of
from photostyle.network.vgg import KINDS, VGG, kinds
from photostyle.network.weights import Weights
from photostyle.segment.sky import sky_of

Floats = NDArray[np.float64]

CELL = 8  # pixels: the stride of KINDS
_SIZE = 448  # long side that the network sees, pixels
_EDGE = 10.0  # what a certain edge is worth, beside a mean squared difference of colour
_LEAST = 1e-4  # likeness across any border: no cell is cut off
_PLAIN = 1.0  # ΔE: a photograph whose colours spread less has nothing to divide


@dataclass(frozen=True, eq=False)
class Cells:
    """A photograph as N = h·w cells."""

    grid: tuple[int, int]  # h×w
    seen: Tensor  # 3×H×W: the photograph at the size that the network saw, in its own light
    kinds: Floats  # C×N, what is shown
    sky: Floats  # N, how likely each shows the sky
    lab: Floats  # 3×N, colours after brightening
    likeness: Any  # N×N, sparse, symmetric: of neighbours, in [0, 1]

    @property
    def plain(self) -> bool:
        """Whether it is all of one colour."""
        return bool(self.lab.std(1).max() < _PLAIN)


@torch.no_grad()
def look(photograph: Tensor, vgg: VGG, weights: Weights) -> Cells:
    """The cells of a photograph (3×H×W, sRGB in [0, 1]): one pass through the network, which pools by maximum."""
    seen = fit(photograph, _SIZE)
    image = adapted(seen.to(vgg.device))
    features = vgg(image, SIDE_LAYERS)
    h, w = features[KINDS].shape[1:]
    lab = lab_from_srgb(shrink(image, (h, w))).flatten(1).cpu().double().numpy()
    edges = shrink(edges_of(features, weights, image.shape[1:])[None], (h, w)).flatten().cpu().double().numpy()
    z = kinds(features[KINDS]).flatten(1).numpy()
    sky = exact(sky_of(features, image)).flatten().numpy()
    return Cells((h, w), seen.cpu(), z, sky, lab, _likeness(lab, edges, (h, w)))


def _likeness(lab: Floats, edges: Floats, grid: Sequence[int]) -> Any:
    """A_ij = exp(−‖x_i − x_j‖² / mean of it − 10 max(e_i, e_j)) / |i − j| over the eight neighbours.

    x are colours (3×N), e how likely a cell is an edge (N).
    """
    h, w = grid
    cell = np.arange(h * w).reshape(h, w)
    pairs, lengths = [], []
    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
        here = cell[: h - dy, max(0, -dx) : w - max(0, dx)].ravel()
        there = cell[dy:, max(0, dx) : w + min(0, dx)].ravel()
        pairs.append(np.stack([here, there]))
        lengths.append(np.full(here.size, np.hypot(dy, dx)))
    i, j = np.concatenate(pairs, axis=1)
    squares = ((lab[:, i] - lab[:, j]) ** 2).sum(0)
    between = squares / max(float(squares.mean()) if squares.size else 0.0, 1e-12)
    weight = (np.exp(-between - _EDGE * np.maximum(edges[i], edges[j])) + _LEAST) / np.concatenate(lengths)
    half = sparse.coo_array((weight, (i, j)), shape=(h * w, h * w)).tocsr()
    return half + half.T
