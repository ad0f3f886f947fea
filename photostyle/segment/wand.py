"""Things that are pointed at, by what hangs together in the photograph: a wand that needs no network of its own.

The photograph becomes a tree of parts (`grow_tree`): by the edges that HED finds, by colour, and by what the default
network sees. What a point means is the part around it that stands out most, that is, which stays the same over the
longest stretch of the tree's heights (as maximally stable regions do: Matas et al., "Robust Wide Baseline Stereo from
Maximally Stable Extremal Regions", BMVC 2002). It knows no things: what is of one colour and has a border is one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from photostyle.color.spaces import adapted, lab_from_srgb
from photostyle.image import fit, shrink
from photostyle.network.backbones import DEFAULT_BACKBONE
from photostyle.network.hed import SIDE_LAYERS, edges_of
from photostyle.network.vgg import KINDS, VGG, kinds
from photostyle.network.weights import Weights, load_weights
from photostyle.segment.prompt import Box, Point, Prompt
from photostyle.segment.refine import refine_mask
from photostyle.segment.traits import centred, principal_axes
from photostyle.segment.tree import Floats, Tree, grow_tree

_SIZE = 448  # long side that the network sees, pixels
_CELL = 4  # pixels of it
_COLOR, _SHOWN = 0.5, 0.75  # of a standard deviation of colour, and of what is shown, beside a certain edge
_LEAST, _MOST = 0.004, 0.75  # of the photograph: what is smaller or larger is seldom meant
_CHANCE = 0.03  # parts that differ less differ by chance
_BRIEF = 0.1  # what lasts over a shorter stretch, of the logarithm of heights, does not stand out
_PLAIN = 1.0  # ΔE: a photograph whose colours spread less has nothing to tell apart


class Wand:
    """The `Segmenter` that takes what hangs together; `weights` are those of the default network.

    Raises WeightsError if they are not given and out of reach.
    """

    def __init__(self, weights: Weights | None = None, device: str | torch.device = "cpu") -> None:
        self._weights = weights or load_weights(DEFAULT_BACKBONE)
        self._vgg = VGG(self._weights, pooling="max", device=device)

    @torch.no_grad()
    def look(self, photograph: Tensor) -> WandSelector:
        """Grow the tree of a photograph (3×H×W, sRGB in [0, 1])."""
        image = adapted(fit(photograph, _SIZE).to(self._vgg.device))
        features = self._vgg(image, SIDE_LAYERS)
        size = image.shape[1:]
        grid = (math.ceil(size[0] / _CELL), math.ceil(size[1] / _CELL))
        lab = lab_from_srgb(shrink(image, grid)).flatten(1).cpu().double().numpy()
        shown = F.interpolate(kinds(features[KINDS])[None], grid, mode="bilinear", align_corners=False)[0]
        z = centred(shown.flatten(1).numpy())
        traits = np.concatenate([_COLOR * _standard(lab), _SHOWN * _standard(principal_axes(z).T @ z)])
        edges = edges_of(features, self._weights, size).cpu().double().numpy()
        if lab.std(1).max() < _PLAIN:
            traits, edges = np.zeros_like(traits), np.zeros_like(edges)
        across, down = _between(edges, grid)
        return WandSelector(photograph, (size[0], size[1]), grow_tree(traits.reshape(-1, *grid), across, down))


@dataclass(frozen=True, eq=False)
class WandSelector:
    """A photograph whose tree has grown, from a copy of the size `seen` (h, w): a `Selector`."""

    photograph: Tensor
    seen: tuple[int, int]
    tree: Tree

    def __call__(self, prompt: Prompt) -> Tensor:
        """See `Selector`."""
        meant = torch.from_numpy(self.cells(prompt)).float()
        fine = F.interpolate(meant[None, None], scale_factor=_CELL, mode="bilinear", align_corners=False)
        mask = fine[0, 0, : self.seen[0], : self.seen[1]]  # the last cells reach beyond the image
        return refine_mask(mask.to(self.photograph), self.photograph)

    def cells(self, prompt: Prompt) -> NDArray[np.bool_]:
        """Which cells are meant, h×w: points inside add parts, and points outside take parts away from all of them.

        What the first point adds may hold points outside; what a further one adds holds none, and what is taken away
        holds no point inside.
        """
        prompt.check(self.photograph.shape[1:])
        inside, outside = ([self._cell(point) for point in points] for points in (prompt.inside, prompt.outside))
        box = None if prompt.box is None else self._box(prompt.box)
        around = [self.tree.around(cell) for cell in inside[:1]]
        around += [self._apart(cell, outside) or [cell] for cell in inside[1:]]
        if box is not None and not inside:
            around = [list(range(len(self.tree.parent)))]
        added = [_stands_out(self.tree, nodes, box) for nodes in around]
        taken = [_stands_out(self.tree, nodes) for cell in outside if (nodes := self._apart(cell, inside))]
        return self._any(added) & ~self._any(taken)

    def _apart(self, cell: int, others: Sequence[int]) -> list[int]:
        """The nodes around a cell that hold none of the others."""
        return [node for node in self.tree.around(cell) if not any(self.tree.has(node, other) for other in others)]

    def _any(self, nodes: Iterable[int]) -> NDArray[np.bool_]:
        found = np.zeros(self.tree.grid, bool)
        for node in nodes:
            found |= self.tree.cells(node)
        return found

    def _scale(self) -> tuple[float, float]:
        """Cells for each pixel of the photograph, across and down."""
        height, width = self.photograph.shape[1:]
        return self.seen[1] / width / _CELL, self.seen[0] / height / _CELL

    def _cell(self, point: Point) -> int:
        """The cell that a point lies in."""
        kx, ky = self._scale()
        return int(point[1] * ky) * self.tree.grid[1] + int(point[0] * kx)

    def _box(self, box: Box) -> Floats:
        kx, ky = self._scale()
        return np.array(box) * (kx, ky, kx, ky)


def _stands_out(tree: Tree, nodes: Sequence[int], box: Floats | None = None) -> int:
    """Of nodes, the smallest first, the one that fits the box best; without a box, that which lasts longest.

    Where none does, as in a single colour, it is the largest.
    """
    some = np.array(nodes)
    if box is not None:
        return int(some[_overlaps(tree.box[some], box).argmax()])
    parents = tree.parent[some]
    lasts = np.log((tree.height[parents] + _CHANCE) / (tree.height[some] + _CHANCE))
    share = tree.sizes[some] / tree.sizes[-1]
    likely = np.where((share >= _LEAST) & (share <= _MOST) & (parents >= 0), lasts, 0)
    return int(some[likely.argmax() if likely.max() > _BRIEF else -1])


def _overlaps(boxes: Floats, box: Floats) -> Floats:
    """Intersection over union of n×4 boxes and one."""
    low, high = np.maximum(boxes[:, :2], box[:2]), np.minimum(boxes[:, 2:], box[2:])
    common = (high - low).clip(0).prod(1)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    both: Floats = common / (areas + (box[2:] - box[:2]).prod() - common)
    return both


def _standard(x: Floats) -> Floats:
    """Values D×N about their means, of deviation 1 together; nothing where there is none."""
    x = centred(x)
    scaled: Floats = x / max(np.sqrt((x**2).sum(0).mean()), 1e-12)
    return scaled


def _between(edges: Floats, grid: tuple[int, int]) -> tuple[Floats, Floats]:
    """How strong an edge (H×W) is between each cell and the next, to the right h×(w − 1) and below (h − 1)×w."""
    (H, W), (h, w) = edges.shape, grid
    full = np.pad(edges, ((0, h * _CELL - H), (0, w * _CELL - W)), mode="edge")
    return _strongest(full.T).T, _strongest(full)


def _strongest(edges: Floats) -> Floats:
    """From the middle of each cell down to that of the next: the strongest edge on the way, a mean over the ways."""
    half = _CELL // 2
    ways = edges[half : len(edges) - half].reshape(-1, _CELL, edges.shape[1])
    strongest: Floats = ways.max(1).reshape(len(ways), edges.shape[1] // _CELL, _CELL).mean(2)
    return strongest
