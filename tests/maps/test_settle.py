"""Colours without evidence: as their neighbours go, and never wild."""

from __future__ import annotations

import torch

from photostyle.maps.lattice import ColorMap, cube
from photostyle.maps.settle import _MEMBRANE, _evidence, _solve, settled


def greys(n: int = 200) -> torch.Tensor:
    return torch.linspace(0.3, 0.7, n).expand(3, n)


def wild(size: int = 9) -> ColorMap:
    """Darker by 0.1 in the middle, and torn apart elsewhere."""
    X = cube(size)
    far = (X - 0.5).abs().amax(0) > 0.3
    return ColorMap.of(X - 0.1 + far * torch.tensor([0.9, -0.9, 0.4]).view(3, 1, 1, 1))


def test_where_there_is_evidence_nothing_changes() -> None:
    before, after = wild(), settled(wild(), greys())
    torch.testing.assert_close(after(greys()), before(greys()), rtol=0, atol=0.02)


def test_elsewhere_it_does_what_it_does_next_to_it() -> None:
    after = settled(wild(), greys(2000))
    for color in ([0.0, 0, 0], [1.0, 1, 1], [1.0, 0, 0], [0.0, 0.2, 0.9]):
        x = torch.tensor(color)[:, None]
        torch.testing.assert_close(after(x), x - 0.1, rtol=0, atol=0.06)


def test_a_shift_is_a_shift_everywhere_and_the_identity_stays() -> None:
    for shift in (0.0, 0.2):
        map = ColorMap.of(cube(9) + shift)
        torch.testing.assert_close(settled(map, greys()).nodes, map.nodes, rtol=0, atol=1e-5)


def test_without_colours_the_map_is_as_it_was() -> None:
    assert torch.equal(settled(wild(), torch.zeros(3, 0)).nodes, wild().nodes)


def test_the_height_is_left_alone() -> None:
    map = ColorMap(wild().nodes, torch.arange(12.0).view(3, 4))
    assert torch.equal(settled(map, greys()).tilt, map.tilt)


def test_evidence_is_of_the_corners_of_the_cell() -> None:
    w = _evidence(torch.tensor([[0.25], [0.5], [0.5]]), 3)  # half way between two nodes on the first axis
    assert torch.equal(w.nonzero(), torch.tensor([[0, 1, 1], [1, 1, 1]]))


def test_the_solver_against_a_dense_one() -> None:
    n = 4
    w = torch.rand(n, n, n, dtype=torch.float64)
    b = torch.rand(3, n, n, n, dtype=torch.float64)
    L = torch.zeros(n**3, n**3, dtype=torch.float64)
    index = torch.arange(n**3).view(n, n, n)
    for axis in range(3):
        for i, j in zip(
            index.narrow(axis, 0, n - 1).flatten().tolist(),
            index.narrow(axis, 1, n - 1).flatten().tolist(),
            strict=True,
        ):
            L[i, i] += 1
            L[j, j] += 1
            L[i, j] -= 1
            L[j, i] -= 1
    dense = torch.linalg.solve(w.flatten().diag() + _MEMBRANE * L, b.view(3, -1).T).T.view_as(b)
    torch.testing.assert_close(_solve(w, b, torch.zeros_like(b)), dense, rtol=1e-4, atol=1e-5)
