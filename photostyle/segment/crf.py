"""Regions of cells become regions of pixels: a dense conditional random field, of pixels near each other.

Krähenbühl & Koltun, "Efficient Inference in Fully Connected CRFs with Gaussian Edge Potentials", NIPS 2011: a pixel
belongs where the pixels near it belong that have its colour. Sky between two towers joins the sky, the wall beside a
bed the wall. Their mean field, iterated,

    q_k(i) ∝ p_k(c_i) exp(w Σ_j κ_ij q_k(j))    κ_ij ∝ exp(−|x_i − x_j|²/2σ² − ‖c_i − c_j‖²/2ρ²),  Σ_j κ_ij = 1

with places x and colours c in L*a*b*, starts from the regions as they were found. p_k, how likely a region shows a
colour, is told anew by what it has in each round, as in "GrabCut" (Rother, Kolmogorov & Blake, SIGGRAPH 2004), but as a
sum of Gaussians around its own pixels. Ours differs: few rounds keep q near what was found, which counts no further; j
are not all pixels but every fourth along each side, and only near ones; κ adds up to 1, so that a pixel of a rare
colour is told as surely as others; and the second kernel, of places alone, is left out, since borders are made soft
afterwards (`refine`).
"""

from __future__ import annotations

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from photostyle.color.spaces import adapted, lab_from_srgb
from photostyle.image import fit, shrink
from photostyle.regions.regions import Regions

_SIZE = 160  # long side at which it is computed, pixels
_NEAR, _LIKE = 10.0, 12.0  # σ in pixels, ρ in ΔE
_ALIKE = 8.0  # ΔE, of the Gaussians of p
_UNSURE = 0.02  # added to p, of regions together 1: no colour is out of the question
_WEIGHT = 12.0  # w
_STEP = 4  # pixels between the j
_REACH = 3  # of those, to each side
_SPARSE = 8  # pixels between those that p is told by
_ROUNDS = 6
_FAINT = -30.0  # a logarithm: numbers far below take many times as long
_SOME = 1e-3  # of a pixel: what masks leave out by more than rounding


def regions_of_pixels(regions: Regions, content: Tensor, style: Tensor) -> Regions:
    """The same regions with borders where the colours of the photographs (3×H×W, sRGB in [0, 1]) have them.

    A pixel that belonged to no region may come to one of like colour near by, and the other way round.
    """
    return replace(regions, content=mean_field(regions.content, content), style=mean_field(regions.style, style))


def mean_field(masks: Tensor, photograph: Tensor) -> Tensor:
    """The q of masks (K×H×W, 0 to 1, sums of 1 or less) on a photograph (3×H×W, sRGB in [0, 1]): K×H×W.

    It is found at a long side of 160 pixels. What masks leave out is one more region, which is not returned.
    """
    I = fit(photograph, _SIZE)
    h, w = I.shape[1:]
    q = shrink(masks, (h, w))
    left = (1 - q.sum(0, keepdim=True)).clamp(min=0)
    if left.max() > _SOME:
        q = torch.cat([q, left])
    lab = lab_from_srgb(adapted(I))
    κ, γ = _kernel(lab), _likeness(lab)
    for _ in range(_ROUNDS):
        near = torch.einsum("jhwab,kjhw->khawb", κ, _near(q)).flatten(3).flatten(1, 2)
        q = (_WEIGHT * near[:, :h, :w] + _colors(γ, q)).softmax(0)
    return F.interpolate(q[None, : len(masks)], photograph.shape[1:], mode="bilinear", align_corners=False)[0]


def _kernel(lab: Tensor) -> Tensor:
    """κ between the pixels of blocks of `_STEP`² (h′×w′ of them) and the J pixels near: J×h′×w′×`_STEP`×`_STEP`."""
    blocks = _padded(lab, _STEP).unflatten(2, (-1, _STEP)).unflatten(1, (-1, _STEP))
    blocks = blocks.transpose(2, 3)  # 3×h′×w′×a×b, a row, b column
    offsets = torch.arange(-_REACH, _REACH + 1) * _STEP
    lines = (offsets[:, None] + _STEP // 2 - torch.arange(_STEP)).square()  # rows, or columns, between
    apart = (lines[:, None, :, None] + lines[None, :, None, :]).flatten(0, 1) / _NEAR**2  # J×a×b
    seen = _near(torch.ones_like(lab[:1]))[0, :, :, :, None, None]  # J×h′×w′×1×1, 0 beyond the frame
    unlike = [(blocks - c[..., None, None]).square().sum(0) / _LIKE**2 for c in _near(lab).unbind(1)]
    squares = torch.stack(unlike) + apart[:, None, None]
    κ = seen * _gaussian(squares)
    return κ / κ.sum(0)


def _likeness(lab: Tensor) -> Tensor:
    """γ_ij = exp(−‖c_i − c_j‖²/2ρ²), with the ρ of p, of all pixels and of every `_SPARSE`th along each side: N×J."""
    x, y = lab.flatten(1).T, _few(lab, _SPARSE).flatten(1).T
    return _gaussian(torch.cdist(x, y).square() / _ALIKE**2)


def _gaussian(squares: Tensor) -> Tensor:
    """exp(−squares/2), but no smaller than can be reckoned with quickly."""
    return (-squares / 2).clamp(min=_FAINT).exp()


def _colors(γ: Tensor, q: Tensor) -> Tensor:
    """log p_k of each pixel's colour, K×h×w, up to what is the same for all k; p are told by q (K×h×w)."""
    own = _few(q, _SPARSE).flatten(1)  # K×J
    p = (own @ γ.T + _SOME) / (own.sum(1, keepdim=True) + _SOME)
    return (p / p.sum(0) + _UNSURE).log().unflatten(1, q.shape[1:])


def _few(x: Tensor, step: int = _STEP) -> Tensor:
    """Of C×h×w one pixel of each block of `step` along each side; the last blocks may reach beyond the frame."""
    return _padded(x, step)[:, step // 2 :: step, step // 2 :: step]


def _padded(x: Tensor, step: int) -> Tensor:
    """C×h×w, its last pixels repeated to make whole blocks."""
    return F.pad(x[None], (0, -x.shape[2] % step, 0, -x.shape[1] % step), mode="replicate")[0]


def _near(x: Tensor) -> Tensor:
    """Of C×h×w, every `_STEP`th pixel's neighbours among those, J of them, none beyond the frame: C×J×h′×w′."""
    few = _few(x)
    side = 2 * _REACH + 1
    return F.unfold(few[None], side, padding=_REACH)[0].unflatten(0, (len(x), side**2)).unflatten(2, few.shape[1:])
