"""Mattes: what part of each pixel is foreground, and in which colours. I = α F + (1 − α) B.

Alpha is Levin, Lischinski & Weiss, "A Closed-Form Solution to Natural Image Matting" (PAMI 2008): the α that
minimises αᵀLα where a trimap gives it on part of the image. With the given pixels K eliminated, the others, U, obey

    L_UU α_U = −L_UK α_K,        (their eq. 14 with λ → ∞)

solved by conjugate gradients. What makes those slow is what L hardly sees: α that is an affine function of colour,
α = aᵀI + b, with a and b that vary slowly. So each step is preconditioned by the equation itself among just such α:
one (a, b) for each block of 4×4 pixels, four numbers for up to sixteen pixels, solved directly. Tens of steps are
enough where Jacobi's preconditioner needs a thousand (docs/performance.md).

Foreground and background come from a pyramid, after Germer, Uelwer, Conrad & Harmeling, "Fast Multi-Level Foreground
Estimation" (ICPR 2020).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from scipy import sparse
from scipy.sparse.linalg import SuperLU, splu
from torch import Tensor

from photostyle.errors import ImageError
from photostyle.image import check_image
from photostyle.matting.laplacian import AHEAD, guided_maps, window_weights
from photostyle.matting.render import apply_maps
from photostyle.solvers.cg import conjugate_gradients

_BLOCK = 4  # pixels: on a side of the blocks with one affine function each
_MOST = 2_000_000  # unknown pixels that are solved for at once, in about 3 GB
_SWEEPS, _LAST_SWEEPS = 8, 2  # of Jacobi's, at each size of the pyramid of colours up to a megapixel, and above
_STEPS = 1000  # of conjugate gradients, at most
_CHUNK = 1 << 16  # windows looked at together
_SURE = 0.02  # of 0 or 1: as near as an alpha of half the size must be to be taken for that (Levin's code)


def find_alpha(image: Tensor, trimap: Tensor, *, epsilon: float = 1e-7, tolerance: float = 1e-5) -> Tensor:
    """The alpha matte of a photograph, H×W in [0, 1], from what is known of it.

    `image` is 3×H×W in [0, 1], both sides at least 3. `trimap`, H×W, is foreground from 0.9 up, background from 0.1
    down and unknown between, or where it is NaN; without unknown pixels it is the answer. `epsilon` is Levin's ε,
    and the residual is made `tolerance` of the right-hand side. Computed in float64 on the image's device (MPS,
    which has none: the processor), with one part of each step always on the processor; the image's type.

    Of more than two million unknown pixels most are decided at half the size, as in the authors' code: the small alpha
    is carried up by local affine maps of colour; where it is 0 or 1 all around, it is final, and only the rest is
    solved for, unless that is more than two million again.

    Raises ImageError if sizes differ, or nothing is marked as foreground, or nothing as background.
    """
    known = _check(image, trimap)
    place = torch.device("cpu") if image.device.type == "mps" else image.device
    I, known = image.to(place, torch.float64), known.to(place, torch.float64)
    return _solve(I, known, epsilon, tolerance, start=None).to(image)


def trimap_from_scribbles(scribbles: Tensor, image: Tensor, opacity: Tensor | None = None) -> Tensor:
    """The trimap (H×W: 1, 0, NaN for unknown) of white strokes on the foreground and black ones on the background.

    The strokes, 3×H×W like the photograph `image`, are painted over a copy of the photograph, or over grey, or alone
    on a transparent layer whose `opacity` (H×W) is given. A pixel belongs to a stroke if it is white (all channels
    from 0.9 up) or black (to 0.1) and opaque (from 0.5); over a photograph, which is what they are over if fewer
    than half of the pixels differ from it by more than 0.1 in some channel, it must differ by as much. So white
    strokes over white clouds are not seen: use grey or a layer for those.

    Raises ImageError if sizes differ, or strokes over grey cover more than half of it: then white or black is the
    ground itself, or the file is a trimap.
    """
    check_image(image, "The photograph")
    check_image(scribbles, "The picture of the scribbles")
    _check_size(image, scribbles, "picture of the scribbles")
    stroke = torch.ones_like(image[0], dtype=torch.bool)
    if opacity is not None:
        _check_size(image, opacity, "opacity of the scribbles")
        stroke = opacity >= 0.5
    differs = (scribbles - image).abs().amax(0) > 0.1
    over_photograph = opacity is None and float(differs.float().mean()) < 0.5
    if over_photograph:
        stroke = differs
    trimap = torch.full_like(image[0], torch.nan)
    trimap[stroke & (scribbles.amin(0) >= 0.9)] = 1
    trimap[stroke & (scribbles.amax(0) <= 0.1)] = 0
    if opacity is None and not over_photograph and float(trimap.isnan().float().mean()) < 0.5:
        raise ImageError(
            "More than half of the scribbles is white or black: paint strokes over the photograph, over grey or on a "
            "transparent layer; if the picture is a trimap, give it as one."
        )
    return trimap


def find_foreground(image: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
    """The colours F and B, 3×H×W in [0, 1] each, of which the photograph is the mixture α F + (1 − α) B.

    They nearly minimise, over pixels i and pairs of neighbours ij,

        Σ_i |α F + (1 − α) B − I|² + Σ_ij w_ij (|F_i − F_j|² + |B_i − B_j|²),    w_ij = 10⁻⁵ + 0.1·|α_i − α_j|.

    From two pixels up, each size starts from the one before and makes a few steps of Jacobi's method. `image` is 3×H×W
    and `alpha` H×W, in [0, 1]. Raises ImageError if sizes differ.
    """
    check_image(image, "The photograph")
    _check_size(image, alpha, "alpha matte")
    pyramid = [(image, alpha[None].to(image))]
    while max(pyramid[-1][1].shape) > 2:
        pyramid.append((_half(pyramid[-1][0]), _half(pyramid[-1][1])))
    foreground = background = image.mean((1, 2), keepdim=True)
    for I, (α,) in reversed(pyramid):
        # one channel after the other: the sums for all three at once would take three times the memory
        channels = [_relax(i, α, _twice(f, α), _twice(b, α)) for i, f, b in zip(I, foreground, background, strict=True)]
        foreground, background = (torch.stack(planes) for planes in zip(*channels, strict=True))
    return foreground.clamp_(0, 1), background.clamp_(0, 1)


def composite(foreground: Tensor, alpha: Tensor, background: Tensor) -> Tensor:
    """α F + (1 − α) B: the foreground (3×H×W) by its alpha (H×W) over a background (3×H×W, or 3×1×1 of one colour).

    In sRGB as stored, in which alpha was found. Raises ImageError if sizes differ.

    >>> white, black = torch.ones(3, 1, 1), torch.zeros(3, 1, 1)
    >>> composite(white, torch.tensor([[0.25]]), black).flatten()
    tensor([0.2500, 0.2500, 0.2500])
    """
    check_image(foreground, "The foreground")
    check_image(background, "The background")
    _check_size(foreground, alpha, "alpha matte")
    if background.shape[1:] != (1, 1):
        _check_size(foreground, background, "background")
    return torch.lerp(background.expand_as(foreground), foreground, alpha)


def _check(image: Tensor, trimap: Tensor) -> Tensor:
    """The trimap as 0, 1, and NaN for unknown, when it fits."""
    check_image(image, "The photograph", least=3)
    _check_size(image, trimap, "trimap")
    known = torch.full_like(trimap, torch.nan)
    known[trimap <= 0.1] = 0
    known[trimap >= 0.9] = 1
    for value, name, color in ((1, "foreground", "white"), (0, "background", "black")):
        if not (known == value).any():
            raise ImageError(f"No {name} is marked: paint some of what certainly is {name} {color}.")
    return known


def _check_size(image: Tensor, other: Tensor, name: str) -> None:
    """Raise ImageError unless `other` (…×H×W) has the height and width of `image`."""
    (H, W), (h, w) = image.shape[-2:], other.shape[-2:]
    if (h, w) != (H, W):
        raise ImageError(f"The {name} has {w}×{h} pixels and the photograph {W}×{H}: make their sizes the same.")


def _solve(I: Tensor, known: Tensor, epsilon: float, tolerance: float, start: Tensor | None) -> Tensor:
    """Alpha from `known` (0, 1 or NaN), coarse to fine where there is too much to do; `start` is a first guess."""
    if int(known.isnan().sum()) > _MOST:
        start = _from_half_size(I, known, epsilon, tolerance)
        known = torch.where(known.isnan() & _around(start < _SURE), 0.0, known)
        known = torch.where(known.isnan() & _around(start > 1 - _SURE), 1.0, known)
    unknown = known.isnan()
    if not unknown.any():
        return known
    if start is not None and int(unknown.sum()) > _MOST:
        return torch.where(unknown, start, known)
    alpha = known.clone()
    guess = None if start is None else start[unknown]
    alpha[unknown] = _solve_equations(I, known, epsilon, tolerance, guess).clamp(0, 1)
    return alpha


def _from_half_size(I: Tensor, known: Tensor, epsilon: float, tolerance: float) -> Tensor:
    """Alpha found at half the size, and carried up by maps that are affine in colour (H×W)."""
    H, W = known.shape
    even = (0, W % 2, 0, H % 2)
    I, known = F.pad(I[None], even, mode="replicate")[0], F.pad(known[None, None], even, mode="replicate")[0]
    small, seen = _half(I), _half((~known.isnan()).to(I))
    mean = _half(known.nan_to_num(0.0)) / seen  # of what is known; NaN where nothing is
    half = torch.where((mean == 0) | (mean == 1), mean, torch.nan)[0]
    alpha = _solve(small, half, epsilon, tolerance, None)
    return apply_maps(guided_maps(alpha[None], small, 1, epsilon), I)[0, :H, :W]


def _half(x: Tensor) -> Tensor:
    """C×H×W at half the size: means of 2×2 pixels, cut at the end."""
    return F.avg_pool2d(x, 2, ceil_mode=True)


def _twice(x: Tensor, like: Tensor) -> Tensor:
    """h×w at twice the size, cut to that of `like`: what `_half` took together is all the same."""
    H, W = like.shape
    return x.repeat_interleave(2, 0)[:H].repeat_interleave(2, 1)[:, :W]


def _around(mask: Tensor) -> Tensor:
    """Where a mask holds for all pixels within three: a pixel of half the size to each side, and one to spare."""
    return F.max_pool2d(1 - mask[None].float(), 7, 1, 3)[0] == 0


@dataclass(frozen=True)
class _Unknown:
    """L_UU: the matting Laplacian among n unknown pixels. `L @ v` takes n numbers.

    `weights[k]` (n) couples each of them to the pixel at `AHEAD[k]` from it, which is number `ahead[k]` (n) of them,
    or n if it is none of them; the diagonal (n) counts all neighbours.
    """

    diagonal: Tensor
    weights: Tensor
    ahead: Tensor

    def __matmul__(self, v: Tensor) -> Tensor:
        product = F.pad(self.diagonal * v, (0, 1))  # number n: what is known has been brought to the other side
        padded = F.pad(v, (0, 1))
        for w, there in zip(self.weights, self.ahead, strict=True):
            product[:-1].addcmul_(w, padded.index_select(0, there), value=-1)
            product.index_add_(0, there, w * v, alpha=-1)
        return product[:-1]


def _equations(I: Tensor, known: Tensor, epsilon: float) -> tuple[_Unknown, Tensor]:
    """L_UU and −L_UK α_K (n), from the windows that hold an unknown pixel, a part of them at a time."""
    H, W = known.shape
    unknown = known.isnan()
    n = int(unknown.sum())
    pixels = unknown.flatten().nonzero()[:, 0]
    number = torch.full((H * W,), n, device=I.device).index_copy_(0, pixels, torch.arange(n, device=I.device))
    fixed = known.flatten().nan_to_num(0.0)

    # a place more for what windows say about known pixels, never looked at
    weights, diagonal, b = I.new_zeros(len(AHEAD), n + 1), I.new_zeros(n + 1), I.new_zeros(n + 1)
    touched = F.max_pool2d(unknown[None].float(), 3, 1)[0] > 0  # windows by their first pixel
    y, x = touched.nonzero().T
    for corner in (y * W + x).split(_CHUNK):
        window = [corner + dy * W + dx for dy in range(3) for dx in range(3)]
        D = torch.stack([I.flatten(1).index_select(1, at) for at in window])[:, :, None]  # 9×3×1×windows
        here, α = ([x.index_select(0, at) for at in window] for x in (number, fixed))
        total, pull = torch.zeros(2, 9, len(corner)).to(D)
        for (y1, x1), (y2, x2), A in window_weights(D, epsilon):
            i, j, w = 3 * y1 + x1, 3 * y2 + x2, A[0]
            weights[AHEAD.index((y2 - y1, x2 - x1))].index_add_(0, here[i], w)
            total[i] += w
            total[j] += w
            pull[i].addcmul_(w, α[j])
            pull[j].addcmul_(w, α[i])
        for i in range(9):
            diagonal.index_add_(0, here[i], total[i])
            b.index_add_(0, here[i], pull[i])

    numbers = F.pad(number.view(H, W), (2, 2, 0, 2), value=n)
    ahead = torch.stack([numbers[dy : dy + H, 2 + dx : 2 + dx + W][unknown] for dy, dx in AHEAD])
    return _Unknown(diagonal[:-1], weights[:, :-1].contiguous(), ahead), b[:-1].clone()


@dataclass(frozen=True)
class _Affine:
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


def _affine(L: _Unknown, I: Tensor, unknown: Tensor) -> _Affine:
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
    return _Affine(features, block, count, factors)


def _add_products(matrices: Tensor, to: Tensor, a: Tensor, b: Tensor) -> None:
    """To column `to_i` of `matrices` (16×N) add a_i b_iᵀ; a and b are 4×n."""
    for row, product in enumerate(a[i] * b[j] for i in range(4) for j in range(4)):
        matrices[row].index_add_(0, to, product)


def _sums(values: Tensor, group: Tensor, count: int) -> Tensor:
    """Sums of `values` (n) over groups, numbers below `count`."""
    return values.new_zeros(count).index_add_(0, group, values)


def _solve_equations(I: Tensor, known: Tensor, epsilon: float, tolerance: float, guess: Tensor | None) -> Tensor:
    """α_U (n): additive preconditioner, D⁻¹ for detail within blocks and `_Affine` for all that is wider."""
    L, b = _equations(I, known, epsilon)
    affine = _affine(L, I, known.isnan())
    inverse = 1 / L.diagonal

    def precondition(r: Tensor) -> Tensor:
        return affine(r).addcmul_(inverse, r)

    return conjugate_gradients(L, b, precondition, tolerance, _STEPS, guess)


def _relax(I: Tensor, α: Tensor, foreground: Tensor, background: Tensor) -> tuple[Tensor, Tensor]:
    """A few of Jacobi's steps for one channel; all are H×W.

    Where F̄ and B̄ are the neighbours' means, weighted by w, and s is the sum of these weights, a pixel's two
    equations have the solution F = F̄ + α r / d, B = B̄ + (1 − α) r / d, with r = I − α F̄ − (1 − α) B̄ and
    d = s + α² + (1 − α)².
    """
    β = 1 - α
    down, across = (1e-5 + 0.1 * α.diff(dim=dim).abs() for dim in (0, 1))
    s = _neighbours(torch.ones_like(α), down, across).clamp_(min=1e-12)  # one pixel alone has no neighbours
    d = s + α.square() + β.square()
    for _ in range(_SWEEPS if α.numel() <= 1_000_000 else _LAST_SWEEPS):
        foreground, background = (_neighbours(x, down, across).div_(s) for x in (foreground, background))
        r = (I - α * foreground).sub_(β * background).div_(d)
        foreground.addcmul_(α, r)
        background.addcmul_(β, r)
    return foreground, background


def _neighbours(x: Tensor, down: Tensor, across: Tensor) -> Tensor:
    """Σ_j w_ij x_j over the four neighbours; `down` and `across` are the weights of vertical and horizontal pairs."""
    total = torch.zeros_like(x)
    total[1:].addcmul_(down, x[:-1])
    total[:-1].addcmul_(down, x[1:])
    total[:, 1:].addcmul_(across, x[:, :-1])
    total[:, :-1].addcmul_(across, x[:, 1:])
    return total
