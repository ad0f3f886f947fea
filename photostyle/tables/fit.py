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

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
import torch
from scipy.sparse.linalg import cg
from torch import Tensor

from photostyle.maps.lattice import ColorMap
from photostyle.tables.stages import corners

Array = npt.NDArray[np.float64]

_SAMPLE = 2**18  # pixels that are looked at
_SMOOTH = 1e-3  # λ: less of it gains nothing that is seen
_LEAN = 2e-2  # μ: from √(λ/μ), a fifth of the cube, beside the photograph's colours the map is B
_STEEPEST, _ROUNDS = 6.0, 16
_MOST_NODES = 33  # more would take long, and hold no more of a smooth look
_EXACT = 1e-4  # of the residual, that is left


def fit_map(before: Tensor, after: Tensor, lean: ColorMap, size: int, weights: Tensor | None = None) -> ColorMap:
    """The map nearest to what makes `after` of `before`: 3×H×W each, sRGB in [0, 1].

    It has `size` nodes along each axis, 33 at most. `lean` is B, and `weights` (H×W, None: all alike) say how much each
    pixel counts. The map has no slope above 6, or above the steepest of B.
    """
    stride = math.ceil(math.sqrt(before[0].numel() / _SAMPLE))
    x, y = (image[:, ::stride, ::stride].flatten(1).double() for image in (before, after))
    w = torch.ones_like(x[0]) if weights is None else weights[::stride, ::stride].flatten().double()
    size = min(size, _MOST_NODES)
    base = lean.resample(size)
    if float(w.sum()) == 0:
        return ColorMap.of(base.nodes)
    steepest = max(_STEEPEST, base.gain())
    X = interpolation(x, size)
    XW = X.T @ sp.diags((w / w.sum()).numpy())
    B = base.nodes.double().flatten(1).numpy().T  # N³×3
    edges = _edges(size)
    fixed, goal = XW @ X + _LEAN * sp.identity(size**3) / size**3, XW @ (y.numpy().T - X @ B)
    deviation, v = np.zeros_like(B), np.ones(edges.shape[0])
    for _ in range(_ROUNDS):
        deviation = _solve(fixed + edges.T @ sp.diags(_SMOOTH / size**3 * v) @ edges, goal, deviation)
        slopes = np.linalg.norm(edges @ (B + deviation), axis=1)
        if slopes.max() <= steepest:
            break
        v *= np.maximum(slopes / steepest, 1) ** 2
    nodes = torch.from_numpy((B + deviation).T).reshape(3, size, size, size).to(before)
    return ColorMap.of(nodes).limited(steepest)


def interpolation(x: Tensor, size: int) -> sp.csr_matrix:
    """X, n×N³: what each node of a lattice has to do with colours x (3×n, float64), by tetrahedra."""
    index, share = corners(x.clamp(0, 1), size)  # 4×n each
    n = x.shape[1]
    return sp.csr_matrix(
        (share.T.flatten().numpy(), index.T.flatten().numpy(), np.arange(0, 4 * n + 1, 4)), (n, size**3)
    )


def _solve(system: sp.csr_matrix, goal: Array, start: Array) -> Array:
    """The solution for each column of `goal`, by conjugate gradients from `start`."""
    scale = sp.diags(1 / system.diagonal())  # Jacobi's preconditioner
    found = [cg(system, q, x0=x, rtol=_EXACT, M=scale)[0] for q, x in zip(goal.T, start.T, strict=True)]
    return np.stack(found, axis=1)


def _edges(size: int) -> sp.csr_matrix:
    """Slopes along the edges of a lattice of the cube and the grey diagonals of its cells, of its N³ nodes: E×N³."""
    low, high, one = sp.eye(size - 1, size), sp.eye(size - 1, size, k=1), sp.identity(size)
    rows = []
    for step in ((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1)):
        ends = ([end if s else one for s in step] for end in (low, high))
        start, stop = (sp.kron(sp.kron(r, g), b) for r, g, b in ends)
        rows.append((stop - start) * ((size - 1) / sum(step) ** 0.5))
    return sp.vstack(rows).tocsr()
