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

import torch
import torch.nn.functional as F
from torch import Tensor

from photostyle.errors import ImageError
from photostyle.image import check_image, check_size, exact, half
from photostyle.matting.equations import equations
from photostyle.matting.guided import guided_maps
from photostyle.matting.precondition import affine_blocks
from photostyle.matting.render import apply_maps
from photostyle.solvers.cg import conjugate_gradients

_MOST = 2_000_000  # unknown pixels that are solved for at once, in about 3 GB
_STEPS = 1000  # of conjugate gradients, at most
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
    return _solve(exact(image), exact(known), epsilon, tolerance, start=None).to(image)


def _check(image: Tensor, trimap: Tensor) -> Tensor:
    """The trimap as 0, 1, and NaN for unknown, when it fits."""
    check_image(image, "The photograph", least=3)
    check_size(image, trimap, "trimap")
    known = torch.full_like(trimap, torch.nan)
    known[trimap <= 0.1] = 0
    known[trimap >= 0.9] = 1
    for value, name, color in ((1, "foreground", "white"), (0, "background", "black")):
        if not (known == value).any():
            raise ImageError(f"No {name} is marked: paint some of what certainly is {name} {color}.")
    return known


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
    small, seen = half(I), half((~known.isnan()).to(I))
    mean = half(known.nan_to_num(0.0)) / seen  # of what is known; NaN where nothing is
    sure = torch.where((mean == 0) | (mean == 1), mean, torch.nan)[0]
    alpha = _solve(small, sure, epsilon, tolerance, None)
    return apply_maps(guided_maps(alpha[None], small, 1, epsilon), I)[0, :H, :W]


def _around(mask: Tensor) -> Tensor:
    """Where a mask holds for all pixels within three: a pixel of half the size to each side, and one to spare."""
    return F.max_pool2d(1 - mask[None].float(), 7, 1, 3)[0] == 0


def _solve_equations(I: Tensor, known: Tensor, epsilon: float, tolerance: float, guess: Tensor | None) -> Tensor:
    """α_U (n): additive preconditioner, D⁻¹ for detail within blocks and `Affine` for all that is wider."""
    L, b = equations(I, known, epsilon)
    affine = affine_blocks(L, I, known.isnan())
    inverse = 1 / L.diagonal

    def precondition(r: Tensor) -> Tensor:
        return affine(r).addcmul_(inverse, r)

    return conjugate_gradients(L, b, precondition, tolerance, _STEPS, guess)
