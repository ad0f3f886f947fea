"""The map that was used on a photograph, guessed for all colours that it does not have.

What an editor did to a photograph's colours says what it does to others, if it is carried on well. The nodes N minimise

    Σ_i w_i ‖N(x_i) − y_i‖² / Σ_i w_i  +  λ‖∇(N − 1)‖²  +  κ‖∇²N‖²

with very small λ and κ: what evidence there is decides; near it the map goes on straight, for the second differences of
an affine map are zero, and far from it as a shift. Norms are means over the lattice, ∇ in units of the cube.
"""

from __future__ import annotations

import scipy.sparse as sp
import torch
from scipy.sparse.linalg import splu
from torch import Tensor

from photostyle.maps.lattice import ColorMap, cube
from photostyle.tables.fit import interpolation

_SAMPLE = 2**18  # colours that are looked at
_MEMBRANE, _PLATE = 1e-7, 1e-8  # λ, κ
_NODES = 13  # along each axis: they follow what editors do within ΔE 0.3, and the system is solved in no time


def learn_map(before: Tensor, after: Tensor, weights: Tensor | None = None, size: int = _NODES) -> ColorMap:
    """The map that makes `after` of `before` (3×n each, sRGB in [0, 1]); `weights` (n, None: all alike) of the colours.

    It has `size` nodes along each axis. Without a colour that counts it is the identity.
    """
    stride = -(-before.shape[1] // _SAMPLE) or 1
    x, y = (colors[:, ::stride].double() for colors in (before, after))
    w = torch.ones_like(x[0]) if weights is None else weights[::stride].double()
    if float(w.sum()) == 0:
        return ColorMap.identity(size)
    X = interpolation(x, size)
    XW = X.T @ sp.diags((w / w.sum()).numpy())
    identity = cube(size).double().flatten(1).numpy().T  # N³×3
    system = XW @ X + (_MEMBRANE * _roughness(size) + _PLATE * _bending(size)) / size**3
    # to the end, and not by descent: little holds the nodes where there are no colours
    solver = splu(system.tocsc(), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    found = identity + solver.solve(XW @ (y.numpy().T - X @ identity))
    return ColorMap.of(torch.from_numpy(found.T.copy()).view(3, size, size, size).float())


def _roughness(size: int) -> sp.csr_matrix:
    """The matrix of ‖∇·‖² over a lattice of the cube, N³×N³."""
    slope, _, one = _differences(size)
    return _sum_of_products(((slope, one, one), (one, slope, one), (one, one, slope)))


def _bending(size: int) -> sp.csr_matrix:
    """The matrix of ‖∇²·‖² over a lattice of the cube, N³×N³."""
    slope, bend, one = _differences(size)
    straight = ((bend, one, one), (one, bend, one), (one, one, bend))
    mixed = ((slope, slope, one), (slope, one, slope), (one, slope, slope))
    return _sum_of_products((*straight, *mixed, *mixed))


Product = tuple[sp.csr_matrix, sp.csr_matrix, sp.csr_matrix]


def _differences(size: int) -> Product:
    """D₁ᵀD₁, D₂ᵀD₂ and 1 along an axis, D₁ and D₂ the first and second differences in units of the cube."""
    first = sp.diags([-1.0, 1.0], [0, 1], (size - 1, size)) * (size - 1)
    second = sp.diags([1.0, -2.0, 1.0], [0, 1, 2], (size - 2, size)) * (size - 1) ** 2
    return first.T @ first, second.T @ second, sp.identity(size, format="csr")


def _sum_of_products(products: tuple[Product, ...]) -> sp.csr_matrix:
    """Σ a ⊗ b ⊗ c."""
    total = sp.kron(sp.kron(products[0][0], products[0][1]), products[0][2])
    for a, b, c in products[1:]:
        total = total + sp.kron(sp.kron(a, b), c)
    return total.tocsr()
