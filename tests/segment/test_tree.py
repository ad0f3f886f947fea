"""The tree of what hangs together: whole, connected, ever higher, and cut where a photograph is."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from photostyle.segment.tree import Tree, grow_tree


def grown(h: int, w: int, seed: int, levels: int = 3) -> Tree:
    """Of cells of few different traits and edges, so that many differences are equal."""
    random = np.random.default_rng(seed)
    traits, across, down = (random.integers(0, levels, shape) / 2 for shape in ((2, h, w), (h, w - 1), (h - 1, w)))
    return grow_tree(traits, across, down)


@given(h=st.integers(1, 6), w=st.integers(1, 6), seed=st.integers(0, 99))
def test_every_node_hangs_together(h: int, w: int, seed: int) -> None:
    tree = grown(h, w, seed)
    assert len(tree.parent) == 2 * h * w - 1
    assert tree.parent[-1] == -1 and tree.cells(len(tree.parent) - 1).all()
    for node in range(len(tree.parent)):
        cells = tree.cells(node)
        assert cells.sum() == tree.sizes[node]
        assert ndimage.label(cells)[1] == 1
        y, x = cells.nonzero()
        assert tree.box[node].tolist() == [x.min(), y.min(), x.max() + 1, y.max() + 1]


@given(h=st.integers(1, 6), w=st.integers(1, 6), seed=st.integers(0, 99))
def test_every_node_is_its_two_parts(h: int, w: int, seed: int) -> None:
    tree = grown(h, w, seed)
    for node in range(h * w, len(tree.parent)):
        one, other = np.flatnonzero(tree.parent == node)
        assert (tree.cells(one) ^ tree.cells(other) == tree.cells(node)).all()
        assert not (tree.cells(one) & tree.cells(other)).any()
        assert tree.height[node] >= max(tree.height[one], tree.height[other])


@given(h=st.integers(1, 6), w=st.integers(1, 6), seed=st.integers(0, 99), data=st.data())
def test_around_a_cell_are_the_nodes_that_have_it(h: int, w: int, seed: int, data: st.DataObject) -> None:
    tree = grown(h, w, seed)
    cell = data.draw(st.integers(0, h * w - 1))
    having = [node for node in range(len(tree.parent)) if tree.cells(node).flat[cell]]
    assert sorted(tree.around(cell)) == having == [n for n in range(len(tree.parent)) if tree.has(n, cell)]


def test_the_last_two_parts_are_the_halves_of_a_photograph_in_two_colours() -> None:
    traits = np.zeros((1, 6, 8))
    traits[:, :, 5:] = 1
    tree = grow_tree(traits, np.zeros((6, 7)), np.zeros((5, 8)))
    halves = [tree.cells(node) for node in np.flatnonzero(tree.parent == len(tree.parent) - 1)]
    assert {bool(half[0, 0]) for half in halves} == {True, False}
    for half in halves:
        assert (half == half[:1]).all() and half[0].tolist() in ([True] * 5 + [False] * 3, [False] * 5 + [True] * 3)
    assert (tree.height[:-1] == 0).all()
    assert tree.height[-1] == (18 / 48) ** 0.5  # traits apart by 1, and the smaller half has 18 of 48 cells


def test_an_edge_parts_what_has_one_colour() -> None:
    across = np.zeros((6, 7))
    across[:, 2] = 0.5
    tree = grow_tree(np.zeros((1, 6, 8)), across, np.zeros((5, 8)))
    halves = [tree.cells(node)[0].tolist() for node in np.flatnonzero(tree.parent == len(tree.parent) - 1)]
    assert sorted(halves) == [[False] * 3 + [True] * 5, [True] * 3 + [False] * 5]
    assert tree.height[-1] == 0.5 * (18 / 48) ** 0.5
