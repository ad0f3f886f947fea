"""A matte that is affine in colour, block by block: the coarse half of the preconditioner of its equations."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from scipy import sparse
from scipy.sparse.linalg import SuperLU, splu
from torch import Tensor

from photostyle.matting.equations import Unknown
from photostyle.matting.laplacian import AHEAD

_BLOCK = 4  # pixels: on a side of the blocks with one affine function each


@dataclass(frozen=True)
class Affine:
    """The equations among α that are affine in colour block by block: P (PᵀLP)⁻¹ Pᵀ, (P u)_i = φ_i · u_block(i).

    `features` are φ, 4×n: one, and the pixel's colour less the block's mean. `block` is n numbers below `count`.
    """

    features: Tensor
    block: Tensor
    count: int
    factors: SuperLU

    def __call__(self, r: Tensor) -> Tensor:
        coarse = torch.stack([_sums(φ * r, self.block, self.count) for φ in self.features])
        solution = torch.from_numpy(self.factors.solve(coarse.T.flatten().cpu().numpy())).to(r)
        z = torch.zeros_like(r)
        for φ, u in zip(self.features, solution.view(-1, 4).T.contiguous(), strict=True):
            z.addcmul_(φ, u.index_select(0, self.block))
        return z


def affine_blocks(L: Unknown, I: Tensor, unknown: Tensor) -> Affine:
    """Blocks of the image (3×H×W) that hold unknown pixels (H×W), and PᵀLP factorised."""
    y, x = unknown.nonzero().T
    across = -(-unknown.shape[1] // _BLOCK)
    cells, block = (y // _BLOCK * across + x // _BLOCK).unique(return_inverse=True)
    count = len(cells)
    features = torch.cat([torch.ones_like(I[:1, unknown]), I[:, unknown]])
    sizes = _sums(features[0], block, count)
    for φ in features[1:]:
        φ -= (_sums(φ, block, count) / sizes).index_select(0, block)

    # Half of PᵀLP, in 4×4 matrices: those of a block with the one before it, itself, the one after it, and the
    # three below, in reading order.
    matrices, columns = I.new_zeros(16, 6 * count), block.new_full((6 * count,), -1)
    row, column, itself = y // _BLOCK, x // _BLOCK, 6 * block + 1
    columns[itself] = block
    _add_products(matrices, itself, features, L.diagonal / 2 * features)
    φ, blocks = F.pad(features, (0, 1)), F.pad(block, (0, 1))
    for w, there, (dy, dx) in zip(L.weights, L.ahead, AHEAD, strict=True):
        among = there < len(block)  # for other pixels φ is zero
        to = itself + 3 * ((y + dy) // _BLOCK - row) + ((x + dx) // _BLOCK - column)
        to = torch.where(among, to, itself)
        columns[to] = torch.where(among, blocks.index_select(0, there), block)
        _add_products(matrices, to, features, -w * φ.index_select(1, there))

    used = columns >= 0
    rows = F.pad(used.view(-1, 6).sum(1).cumsum(0), (1, 0))
    data = matrices[:, used].T.reshape(-1, 4, 4)
    parts = tuple(part.cpu().numpy() for part in (data, columns[used], rows))
    half = sparse.bsr_matrix(parts, shape=(4 * count, 4 * count)).tocsc()
    matrix = half + half.T
    # a block of one colour says nothing about a: a trace on the diagonal keeps it from being singular
    matrix += sparse.diags(1e-10 * matrix.diagonal() + 1e-14)
    options = {"SymmetricMode": True}
    factors = splu(matrix.tocsc(), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options=options)
    return Affine(features, block, count, factors)


def _add_products(matrices: Tensor, to: Tensor, a: Tensor, b: Tensor) -> None:
    """To column `to_i` of `matrices` (16×N) add a_i b_iᵀ; a and b are 4×n."""
    for row, product in enumerate(a[i] * b[j] for i in range(4) for j in range(4)):
        matrices[row].index_add_(0, to, product)


def _sums(values: Tensor, group: Tensor, count: int) -> Tensor:
    """Sums of `values` (n) over groups, numbers below `count`."""
    return values.new_zeros(count).index_add_(0, group, values)
