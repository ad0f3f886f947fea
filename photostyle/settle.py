"""Colours that no evidence speaks of: a colour map goes there as it goes for the colours next to them.

A map that was fitted to the colours of one photograph says nothing of others. Polynomials and smooth modes run wild
there; what the map does to the nearest colours that the photograph has is a better guess. With D = T − identity at the
nodes of the lattice, w how much evidence there is at each, and edges between neighbouring nodes,

    min_D′  Σ_nodes w ‖D′ − D‖² + μ Σ_edges ‖D′_i − D′_j‖²:

a membrane held where there is evidence. Solved by conjugate gradients.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from photostyle.lattice import ColorMap, cube

_MEMBRANE = 1e-3  # μ, beside a weight of 1 where the photograph has a colour
_FEW = 2e-4  # of the colours at a node are evidence enough
_ITERATIONS = 60


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
    x = colors.clamp(0, 1).double() * (size - 1)
    low = x.floor().clamp(max=size - 2)
    t, low = x - low, low.long()
    share = torch.zeros(size**3, dtype=torch.float64)
    for corner in range(8):
        bits = [(corner >> axis) & 1 for axis in range(3)]
        weight = torch.stack([t[a] if bit else 1 - t[a] for a, bit in enumerate(bits)]).prod(0)
        r, g, b = (low[a] + bit for a, bit in enumerate(bits))
        share.index_add_(0, (r * size + g) * size + b, weight)
    share /= max(1, colors.shape[1])
    return (share / (share + _FEW)).view(size, size, size).to(colors.dtype)


def _solve(w: Tensor, b: Tensor, x: Tensor) -> Tensor:
    """x (3×N×N×N) with  w x + μ L x = b,  L the graph Laplacian of the lattice, from a first guess."""

    def system(x: Tensor) -> Tensor:
        y = w * x
        for axis in (1, 2, 3):
            d = _MEMBRANE * x.diff(dim=axis)
            y.narrow(axis, 1, d.shape[axis]).add_(d)
            y.narrow(axis, 0, d.shape[axis]).sub_(d)
        return y

    precondition = 1 / (w + 6 * _MEMBRANE)
    r = b - system(x)
    p = z = precondition * r
    ρ = (r * z).sum()
    for _ in range(_ITERATIONS):
        if float(ρ) < 1e-12:
            break
        q = system(p)
        α = ρ / (p * q).sum()
        x, r = x + α * p, r - α * q
        z = precondition * r
        ρ, before = (r * z).sum(), ρ
        p = z + ρ / before * p
    return x
