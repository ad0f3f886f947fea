"""Everything that hangs together in a photograph, from its cells to the whole, as a tree.

Again and again the two neighbours that differ least become one. With e the mean strength of the edge along the border
that they share, x their mean traits, n how many cells they have, and N how many there are, two regions differ by

    (e + ‖x_i − x_j‖) (min(n_i, n_j) / N)^½

What is small is joined first: the last factor is that of Ward (1963), for a small neighbour. The edge along a common
border is what Arbeláez, Maire, Fowlkes & Malik, "Contour Detection and Hierarchical Image Segmentation" (PAMI 2011) go
by.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Tree:
    """Of N cells in a grid h×w: 2N − 1 nodes, of which the first N are the cells and the last is the whole.

    Each node has a `parent` (the whole: −1), a `height`, by how much its two parts differ and no less than theirs, and
    a `box`: left, top, right and bottom, in cells (4 numbers each). Its cells are `order[first:last]`.
    """

    grid: tuple[int, int]
    parent: Ints
    height: Floats
    box: Floats
    order: Ints
    first: Ints
    last: Ints

    @property
    def sizes(self) -> Ints:
        """How many cells each node has."""
        return self.last - self.first

    def around(self, cell: int) -> list[int]:
        """The cell and all nodes that it is part of, the smallest first."""
        path = [cell]
        while self.parent[path[-1]] >= 0:
            path.append(int(self.parent[path[-1]]))
        return path

    def has(self, node: int, cell: int) -> bool:
        """Whether a cell is part of a node."""
        return bool(self.first[node] <= self.first[cell] < self.last[node])

    def cells(self, node: int) -> NDArray[np.bool_]:
        """Which cells are part of a node, h×w."""
        found = np.zeros(self.grid[0] * self.grid[1], bool)
        found[self.order[self.first[node] : self.last[node]]] = True
        return found.reshape(self.grid)


def grow_tree(traits: Floats, across: Floats, down: Floats) -> Tree:
    """The tree of a grid of cells.

    `traits` D×h×w; `across` h×(w − 1) and `down` (h − 1)×w are how strong the edge is between a cell and its neighbour
    to the right and below.
    """
    h, w = traits.shape[1:]
    count = h * w
    x = np.zeros((2 * count - 1, len(traits)))
    x[:count] = traits.reshape(len(traits), -1).T
    size = np.ones(2 * count - 1)
    borders = _borders(across, down)
    parent, height = np.full(2 * count - 1, -1), np.zeros(2 * count - 1)
    parts: list[tuple[int, int]] = []

    def differences(node: int) -> list[tuple[float, int, int]]:
        near = list(borders[node])
        edges = np.array([borders[node][other] for other in near])
        apart = np.sqrt(((x[near] - x[node]) ** 2).sum(1))
        differ = (edges[:, 0] / edges[:, 1] + apart) * np.sqrt(np.minimum(size[near], size[node]) / count)
        return [(cost, node, other) for cost, other in zip(differ.tolist(), near, strict=True)]

    heap = [pair for node in range(count) if borders[node] for pair in differences(node) if pair[1] < pair[2]]
    heapq.heapify(heap)
    while len(parts) < count - 1:
        cost, one, other = heapq.heappop(heap)
        if parent[one] >= 0 or parent[other] >= 0:
            continue  # it is part of something larger by now
        node = count + len(parts)
        parts.append((one, other))
        parent[one] = parent[other] = node
        height[node] = max(cost, height[one], height[other])
        size[node] = size[one] + size[other]
        x[node] = (size[one] * x[one] + size[other] * x[other]) / size[node]
        _join(borders, one, other, node)
        if borders[node]:
            for pair in differences(node):
                heapq.heappush(heap, pair)
    return _laid_out((h, w), parts, parent, height)


Borders = dict[int, dict[int, tuple[float, float]]]
"""Of each node its neighbours, and for each of them the sum of the edge along the border, and the border's length."""


def _borders(across: Floats, down: Floats) -> Borders:
    cell = np.arange(down.shape[1] * across.shape[0]).reshape(across.shape[0], down.shape[1])
    borders: Borders = {node: {} for node in range(cell.size)}
    for here, there, edge in ((cell[:, :-1], cell[:, 1:], across), (cell[:-1], cell[1:], down)):
        for i, j, e in zip(here.ravel().tolist(), there.ravel().tolist(), edge.ravel().tolist(), strict=True):
            borders[i][j] = borders[j][i] = (e, 1.0)
    return borders


def _join(borders: Borders, one: int, other: int, node: int) -> None:
    """The neighbours of two nodes become those of the node that they are now."""
    joined: dict[int, tuple[float, float]] = {}
    for part in (one, other):
        for near, (edge, length) in borders.pop(part).items():
            if near in (one, other):
                continue
            before = joined.get(near, (0.0, 0.0))
            joined[near] = (before[0] + edge, before[1] + length)
            borders[near].pop(part)
    for near, border in joined.items():
        borders[near][node] = border
    borders[node] = joined


def _laid_out(grid: tuple[int, int], parts: list[tuple[int, int]], parent: Ints, height: Floats) -> Tree:
    """Cells in an order in which those of each node stand together."""
    count = grid[0] * grid[1]
    size = np.ones(len(parent), np.int64)
    y, x = np.divmod(np.arange(count), grid[1])
    box = np.zeros((len(parent), 4))
    box[:count] = np.stack([x, y, x + 1, y + 1], axis=1)
    for node, (one, other) in enumerate(parts, count):
        size[node] = size[one] + size[other]
        box[node] = np.concatenate([np.minimum(box[one], box[other])[:2], np.maximum(box[one], box[other])[2:]])
    first = np.zeros(len(parent), np.int64)
    for node, (one, other) in reversed(list(enumerate(parts, count))):
        first[one], first[other] = first[node], first[node] + size[one]
    order = np.empty(count, np.int64)
    order[first[:count]] = np.arange(count)
    return Tree(grid, parent, height, box, order, first, first + size)
