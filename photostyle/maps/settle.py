"""Colours that no evidence speaks of: a colour map goes there as it goes for the colours next to them.

A map that was fitted to the colours of one photograph says nothing of others. Polynomials and smooth modes run wild
there; what the map does to the nearest colours that the photograph has is a better guess. With D = T − identity at the
nodes of the lattice, w how much evidence there is at each, and edges between neighbouring nodes,

    min_D′  Σ_nodes w ‖D′ − D‖² + μ Σ_edges ‖D′_i − D′_j‖²:

a membrane held where there is evidence. Solved by conjugate gradients.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from photostyle.maps.lattice import ColorMap, cube, shared_out
from photostyle.solvers.cg import conjugate_gradients

_MEMBRANE = 1e-3  # μ, beside a weight of 1 where the photograph has a colour
_FEW = 2e-4  # of the colours at a node are evidence enough
_EXACT, _ITERATIONS = 1e-6, 60


def settled(map: ColorMap, colors: Tensor) -> ColorMap:
    """The map, held at the colours of a photograph (3×n, sRGB in [0, 1]) and carried on from there."""
    w = _evidence(colors, map.size)
    if not bool(w.any()):
        return map
    identity = cube(map.size).to(map.nodes)
    D = _solve(w, w * (map.nodes - identity), map.nodes - identity)
    return replace(map, nodes=identity + D)


def _evidence(colors: Tensor, size: int) -> Tensor:
    """How much each node has to do with these colours, from 0 to 1: N×N×N."""
    n = colors.shape[1]
    (share,) = shared_out(colors.double(), torch.full((1, n), 1 / max(1, n), dtype=torch.float64), size)
    return (share / (share + _FEW)).to(colors.dtype)


@dataclass(frozen=True, eq=False)
class _Membrane:
    """w + μ L on lattices 3×N×N×N, L the graph Laplacian of their edges."""

    w: Tensor

    def __matmul__(self, x: Tensor) -> Tensor:
        y = self.w * x
        for axis in (1, 2, 3):
            d = _MEMBRANE * x.diff(dim=axis)
            y.narrow(axis, 1, d.shape[axis]).add_(d)
            y.narrow(axis, 0, d.shape[axis]).sub_(d)
        return y


def _solve(w: Tensor, b: Tensor, x: Tensor) -> Tensor:
    """x (3×N×N×N) with  w x + μ L x = b,  from a first guess."""
    inverse = 1 / (w + 6 * _MEMBRANE)
    return conjugate_gradients(_Membrane(w), b, lambda r: inverse * r, _EXACT, _ITERATIONS, x)
