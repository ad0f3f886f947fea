"""One photograph on a grid of cells of 8×8 pixels: what each shows, in which colour and place, and what runs between.

Two networks look at it. One was trained to tell things, and tells what is shown; the other was trained to find edges.
Dark photographs are brightened first, as an eye gets used to the dark. What is shown is told in a light that is nearer
to white: an infrared photograph's trees are then trees. Colours and edges are those of the photograph.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sparse
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from photostyle.color.spaces import adapted, balanced, lab_from_srgb
from photostyle.image import exact, fit, shrink
from photostyle.network.hed import EdgeDetector
from photostyle.network.lite import Lite
from photostyle.network.vgg import kinds
from photostyle.segment.parsing import LAYERS, on_cells, parse_cells

Floats = NDArray[np.float64]

SIZE = 448  # long side at which things are told, pixels
_EDGES_SIZE = 256  # at which edges are: those of things, not of their grain; at 192 a skyline is lost
_EDGE = 10.0  # what a certain edge is worth, beside a mean squared difference of colour
_LEAST = 1e-4  # likeness across any border: no cell is cut off
_PLAIN = 1.0  # ΔE: a photograph whose colours spread less has nothing to divide


@dataclass(frozen=True, eq=False)
class Cells:
    """A photograph as N = h·w cells."""

    grid: tuple[int, int]  # h×w
    seen: Tensor  # 3×H×W: the photograph at the size at which things were told, in its own light
    kinds: Floats  # C×N, what is shown: unit vectors, whatever the light
    scene: Floats  # K×N, how likely it is of each class of a scene
    lab: Floats  # 3×N, colours after brightening
    likeness: Any  # N×N, sparse, symmetric: of neighbours, in [0, 1]

    @property
    def plain(self) -> bool:
        """Whether it is all of one colour."""
        return bool(self.lab.std(1).max() < _PLAIN)


@torch.no_grad()
def look(photograph: Tensor, things: Lite, edges: EdgeDetector) -> Cells:
    """The cells of a photograph (3×H×W, sRGB in [0, 1]): one pass through each network, of small copies of it."""
    seen = fit(photograph, SIZE)
    image = adapted(seen.to(things.device))
    white = balanced(image)
    deep = on_cells(things(white, LAYERS), white)
    scene = parse_cells(deep, white)
    h, w = grid = scene.shape[1], scene.shape[2]
    lab = exact(lab_from_srgb(shrink(image, grid))).flatten(1).cpu().numpy()
    found = edges(fit(image, _EDGES_SIZE))[None]
    found = F.interpolate(found[None], grid, mode="bilinear", align_corners=False)[0]
    likeness = _likeness(lab, exact(found).flatten().cpu().numpy(), grid)
    return Cells((h, w), seen.cpu(), kinds(deep).flatten(1).numpy(), scene.flatten(1).numpy(), lab, likeness)


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
