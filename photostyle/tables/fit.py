"""The one map that comes nearest to what was done to a photograph, where no single map did it.

A look with regions gives one colour several others. The nodes N of the one map minimise

    Σ_i w_i ‖N(x_i) − y_i‖² / Σ_i w_i  +  λ Σ_e v_e ‖∂_e(N − B)‖²  +  μ‖N − B‖²

x_i the photograph's colours, y_i what became of them, N(x) by tetrahedra, as editors interpolate; B is a map to lean
on, of which nothing is left where there are many colours, and all where there are none. The sums over the edges e and
the nodes of the lattice are means, ∂ is a slope over the cube, so λ and μ mean the same for every size. The weights v_e
are 1 at first. Where an edge comes out too steep its weight is raised, and all is solved again: what two regions want
of one colour must not tear it apart, or noise and blocks of JPEG come out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
import torch
from scipy.sparse.linalg import cg, splu
from torch import Tensor

from photostyle.lattice import ColorMap, cube
from photostyle.tables.stages import corners

Array = npt.NDArray[np.float64]

_SAMPLE = 2**18  # pixels that are looked at
_SMOOTH = 1e-3  # λ: less of it gains nothing that is seen
_LEAN = 2e-2  # μ: from √(λ/μ), a fifth of the cube, beside the photograph's colours the map is B
_STEEPEST, _ROUNDS = 6.0, 16
_MEMBRANE, _PLATE = 1e-7, 1e-8  # λ, κ of `learn_map`
_MOST_NODES = 33  # more would take long, and hold no more of a smooth look
_AXES = ((1, 0, 0), (0, 1, 0), (0, 0, 1))
_DIAGONAL = (1, 1, 1)  # of a cell, the grey one
_EXACT = 1e-4  # of the residual, that is left


def fit_map(before: Tensor, after: Tensor, lean: ColorMap, size: int, weights: Tensor | None = None) -> ColorMap:
    """The map nearest to what makes `after` of `before`: 3×H×W each, sRGB in [0, 1].

    It has `size` nodes along each axis, 33 at most. `lean` is B, and `weights` (H×W, None: all alike) say how much each
    pixel counts. The map has no slope above 6, or above the steepest of B.
    """
    size = min(size, _MOST_NODES)
    base = lean.resample(size)
    equations = _equations(before, after, size, weights)
    if equations is None:
        return ColorMap.of(base.nodes)
    square, from_colors, y = equations
    steepest = max(_STEEPEST, base.gain())
    B = base.nodes.double().flatten(1).numpy().T  # N³×3
    edges = _edges(size, (*_AXES, _DIAGONAL))
    fixed, goal = square + _LEAN * sp.identity(size**3) / size**3, from_colors @ y.T - square @ B
    deviation, v = np.zeros_like(B), np.ones(edges.shape[0])
    for _ in range(_ROUNDS):
        deviation = _solve(fixed + edges.T @ sp.diags(_SMOOTH / size**3 * v) @ edges, goal, deviation)
        slopes = np.linalg.norm(edges @ (B + deviation), axis=1)
        if slopes.max() <= steepest:
            break
        v *= np.maximum(slopes / steepest, 1) ** 2
    nodes = torch.from_numpy((B + deviation).T).reshape(3, size, size, size).to(before)
    return ColorMap.of(nodes).limited(steepest)


def learn_map(before: Tensor, after: Tensor, weights: Tensor | None = None, size: int = 13) -> ColorMap:
    """The map that makes `after` of `before` (3×n each), and says what it most likely does to any other colour.

    It minimises  Σ_i w_i ‖N(x_i) − y_i‖² / Σ_i w_i + λ‖∇(N − 1)‖² + κ‖∇²N‖²  with very small λ and κ: what evidence
    there is decides, near it the map goes on straight, and far from it as a shift. Solved to the end, as little holds
    it where there are no colours. 13 nodes along each axis follow what editors do within ΔE 0.3.
    """
    equations = _equations(before[:, None], after[:, None], size, None if weights is None else weights[None])
    if equations is None:
        return ColorMap.identity(size)
    square, from_colors, y = equations
    system = square + (_MEMBRANE * _roughness(size) + _PLATE * _bending(size)) / size**3
    identity = cube(size).double().flatten(1).numpy()
    solver = splu(system.tocsc(), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    found = identity + np.stack(
        [solver.solve(from_colors @ goal - square @ from_) for goal, from_ in zip(y, identity, strict=True)]
    )
    return ColorMap.of(torch.from_numpy(found).view(3, size, size, size).float())


def _equations(
    before: Tensor, after: Tensor, size: int, weights: Tensor | None
) -> tuple[sp.csr_matrix, sp.csr_matrix, Array] | None:
    """XᵀWX, XᵀW and y (3×n) of the sum over colours; None where no colour counts."""
    stride = math.ceil(math.sqrt(before[0].numel() / _SAMPLE))
    x, y = (image[:, ::stride, ::stride].flatten(1).double() for image in (before, after))
    w = torch.ones_like(x[0]) if weights is None else weights[::stride, ::stride].flatten().double()
    if float(w.sum()) == 0:
        return None
    index, share = corners(x.clamp(0, 1), size)  # 4×n each
    n = x.shape[1]
    X = sp.csr_matrix((share.T.flatten().numpy(), index.T.flatten().numpy(), np.arange(0, 4 * n + 1, 4)), (n, size**3))
    XW = X.T @ sp.diags((w / w.sum()).numpy())
    return XW @ X, XW, y.numpy()


def _solve(system: sp.csr_matrix, goal: Array, start: Array) -> Array:
    """The solution for each column of `goal`, by conjugate gradients from `start`."""
    scale = sp.diags(1 / system.diagonal())  # Jacobi's preconditioner
    found = [cg(system, q, x0=x, rtol=_EXACT, M=scale)[0] for q, x in zip(goal.T, start.T, strict=True)]
    return np.stack(found, axis=1)


def _edges(size: int, steps: Sequence[tuple[int, int, int]]) -> sp.csr_matrix:
    """Slopes along edges, in these directions, of a lattice of the cube, of its N³ nodes: E×N³."""
    low, high, one = sp.eye(size - 1, size), sp.eye(size - 1, size, k=1), sp.identity(size)
    rows = []
    for step in steps:
        ends = ([end if s else one for s in step] for end in (low, high))
        start, stop = (sp.kron(sp.kron(r, g), b) for r, g, b in ends)
        rows.append((stop - start) * ((size - 1) / sum(step) ** 0.5))
    return sp.vstack(rows).tocsr()


def _roughness(size: int) -> sp.csr_matrix:
    """The matrix of ‖∇·‖² over a lattice of the cube, N³×N³."""
    D = _edges(size, _AXES)
    return D.T @ D


def _bending(size: int) -> sp.csr_matrix:
    """The matrix of ‖∇²·‖² over a lattice of the cube, N³×N³: affine maps do not bend."""
    first = sp.diags([-1.0, 1.0], [0, 1], (size - 1, size)) * (size - 1)
    second = sp.diags([1.0, -2.0, 1.0], [0, 1, 2], (size - 2, size)) * (size - 1) ** 2
    slope, bend, one = first.T @ first, second.T @ second, sp.identity(size)
    straight = ((bend, one, one), (one, bend, one), (one, one, bend))
    mixed = ((slope, slope, one), (slope, one, slope), (one, slope, slope))
    found = sp.csr_matrix((size**3, size**3))
    for a, b, c in (*straight, *mixed, *mixed):
        found = found + sp.kron(sp.kron(a, b), c)
    return found
