"""Style as a distribution of features, and distances between distributions.

To match Gram matrices is to match distributions under the kernel (xᵀy)² (Li, Wang, Liu & Hou, "Demystifying
Neural Style Transfer", arXiv 1701.01036). Here are the paper's other kernels, its batch normalisation statistics,
and the optimal transport between Gaussians:

    MMD²(O, S) = E k(o, o′) + E k(s, s′) − 2 E k(o, s)

A distribution is a set of features (n×C, a pixel a row) and the share of each (n, sums to 1), so that soft masks
count as they do in `terms.augmented_style`. What depends on the style alone is computed once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial, reduce
from math import sqrt
from operator import mul
from typing import Literal

import torch
from torch import Tensor

from photostyle.terms.energy import Energy, Features, energy
from photostyle.terms.expectation import expectation
from photostyle.terms.gram import Masks, augmented_style, regional_grams

Distance = Callable[[Tensor, Tensor], Tensor]
"""(features n×C, shares n) → their distance from a style, ≥ 0 but for `paired_gaussian_mmd`, differentiably."""

Towards = Callable[[Tensor, Tensor], Distance]
"""(features n×C of a style, shares n) → the distance from it."""

StyleTerm = Literal["gram", "mmd-linear", "mmd-poly", "mmd-gaussian", "bn", "w2"]


def linear_mmd(Y: Tensor, q: Tensor) -> Distance:
    """k(x, y) = xᵀy: the squared distance of the means."""
    return _embedded(lambda X, p: p @ X, Y, q)


def polynomial_mmd(Y: Tensor, q: Tensor, degree: int = 2, offset: float = 0.0, count: int = 0) -> Distance:
    """k(x, y) = (xᵀy + c)^d, where c = offset · E‖y‖². Degree 2 without offset is Gatys' style.

    Of degree 2 it is exact: the kernel is the inner product of all x_i x_j and, √(2c) times, x. Above, the number
    of such products explodes, and the kernel is drawn instead: E Π_k (ω_kᵀx̃)(ω_kᵀỹ) with x̃ = (x, √c) and random
    signs ω (Kar & Karnick 2012, "Random Feature Maps for Dot Product Kernels"), always the same, `count` times, by
    default as many as there are channels.
    """
    c = offset * float(q @ Y.square().sum(1))

    def moments(X: Tensor, p: Tensor) -> Tensor:
        return torch.cat([_second_moment(X, p).flatten(), sqrt(2 * c) * (p @ X)])

    if degree == 2:
        return _embedded(moments, Y, q)
    count = count or Y.shape[1]
    signs = 2 * torch.randint(2, (degree, Y.shape[1] + 1, count), generator=_seeded(0)).to(Y) - 1

    def products(X: Tensor) -> Tensor:
        return reduce(mul, (X @ ω[:-1] + sqrt(c) * ω[-1] for ω in signs))

    return _embedded(lambda X, p: expectation(products, X, p) / sqrt(count), Y, q)


def gaussian_mmd(Y: Tensor, q: Tensor, bandwidth: float = 1.0, count: int = 0) -> Distance:
    """k(x, y) = exp(−‖x − y‖² / 2σ²) = E_ω cos ωᵀ(x − y), ω ~ N(0, I/σ²), where σ² = bandwidth² · E‖y‖².

    The squared difference of the characteristic functions at `count` frequencies ω, always the same, by default as
    many as there are channels (Rahimi & Recht 2007, "Random Features for Large-Scale Kernel Machines"): linear in
    the pixels, all of which count, and zero for equals.
    """
    count = count or Y.shape[1]
    ω = torch.randn(Y.shape[1], count, generator=_seeded(0)).to(Y) / _sigma(Y, q, bandwidth)

    def waves(X: Tensor) -> Tensor:
        phase = X @ ω
        return torch.cat([phase.cos(), phase.sin()], dim=1)

    return _embedded(lambda X, p: expectation(waves, X, p) / sqrt(count), Y, q)


def paired_gaussian_mmd(Y: Tensor, q: Tensor, bandwidth: float = 1.0, count: int = 0, seed: int = 0) -> Distance:
    """The same kernel by the paper's estimate: mean of k(x, x′) + k(y, y′) − k(x, y′) − k(x′, y) over `count` draws
    of two features from each side, by default as many as there are pixels (Gretton et al. 2012, lemma 14).

    Unbiased, so that near zero it may be negative. The draws are the same at every call.
    """
    σ = _sigma(Y, q, bandwidth)

    def k(x: Tensor, y: Tensor) -> Tensor:
        return (-(x - y).square().sum(1) / (2 * σ**2)).exp()

    def distance(X: Tensor, p: Tensor) -> Tensor:
        g = _seeded(seed)
        x, x2, y, y2 = (Z[_draw(r, count or len(X), g)] for Z, r in ((X, p), (X, p), (Y, q), (Y, q)))
        return (k(x, x2) + k(y, y2) - k(x, y2) - k(x2, y)).mean()

    return distance


def bn_distance(Y: Tensor, q: Tensor) -> Distance:
    """Σ_i (μ_i − μ′_i)² + (σ_i − σ′_i)² over the channels: the statistics of batch normalisation."""

    def statistics(X: Tensor, p: Tensor) -> Tensor:
        μ = p @ X
        centre = μ.detach()  # at the mean itself, squares about it do not change with it
        variance = expectation(lambda x: (x - centre).square(), X, p)
        return torch.cat([μ, variance.clamp(min=1e-12).sqrt()])  # a dead channel has no slope, not an infinite one

    return _embedded(statistics, Y, q)


def gaussian_transport(Y: Tensor, q: Tensor) -> Distance:
    """W₂² between the Gaussians of mean and covariance: ‖μ − μ′‖² + tr(Σ + Σ′ − 2 (Σ′^½ Σ Σ′^½)^½).

    The last trace is Σ √λ of RᵀΣR, whatever R has RRᵀ = Σ′. Its slope needs no differences of eigenvalues, and is
    bounded in the features even where Σ loses rank. In double precision on the processor: λ are squares.
    """
    ν, Y = _centred(Y, q)
    R = _factor(Y, q) if len(Y) < Y.shape[1] else _root(_double(_second_moment(Y, q)))  # C×r
    spread = q @ Y.square().sum(1)  # tr Σ′
    least = 1e-14 * float(spread) ** 2  # below is rounding

    def distance(X: Tensor, p: Tensor) -> Tensor:
        μ, X = _centred(X, p)
        if len(X) < R.shape[1]:  # BBᵀ = Σ: BᵀRRᵀB has the same λ, and is smaller
            K = _factor(X, p).T @ R
            M = K @ K.T
        else:
            M = R.T @ _double(_second_moment(X, p)) @ R
        λ = torch.linalg.eigvalsh(M)
        cross = λ[λ > least].sqrt().sum()
        return ((μ - ν).square().sum() + p @ X.square().sum(1) + spread - 2 * cross.to(μ)).clamp(min=0)

    return distance


def distribution_style(
    name: str, towards: Towards, target: Features, target_masks: Masks, masks: Masks, weights: Mapping[str, float]
) -> Energy:
    """Σ_l w_l Σ_c d(O_lc, S_lc) / Σ_c d(0, S_lc), named `name`, where d is one of the distances above.

    Each layer is relative: 1 is as far from the style as a picture without any features. Masks are K×h×w at each
    layer: `target_masks` over the style, `masks` over the output. A region that is empty on either side is left
    out, and so is a layer in which the style itself has no features.
    """
    regions: dict[str, list[tuple[Tensor, Tensor, Distance]]] = {}
    scale: dict[str, float] = {}
    for l in weights:
        Y = _pixels(target[l])
        pairs = [(*_shares(here), *_shares(there)) for here, there in zip(masks[l], target_masks[l], strict=True)]
        regions[l] = [(i, p, towards(_at(Y, j), q)) for i, p, j, q in pairs if len(i) and len(j)]
        nothing, all_of_it = torch.zeros_like(Y[:1]), torch.ones_like(Y[:1, 0])
        farthest = sum(float(distance(nothing, all_of_it)) for *_, distance in regions[l])
        scale[l] = weights[l] / farthest if farthest > 0 else 0.0

    def value(features: Features) -> Tensor:
        total = next(iter(features.values())).new_zeros(())
        for l in weights:
            X = _pixels(features[l])
            for i, p, distance in regions[l]:
                total = total + scale[l] * distance(_at(X, i), p)
        return total

    return energy(name, weights, value)


def style_term(
    kind: StyleTerm, target: Features, target_masks: Masks, masks: Masks, weights: Mapping[str, float]
) -> Energy:
    """`augmented_style`, or another distance in its place at the same weights and under the same name.

    In each layer a picture without any features costs what its Gram matrices would cost, times a factor: a photograph
    whose colours have been transferred is then pulled about as hard as by Gram matrices, which are of higher order.
    """
    if kind == "gram":
        return augmented_style(target, target_masks, masks, weights)
    factor, towards = _INSTEAD_OF_GRAM[kind]
    power = {l: float(regional_grams(target[l], target_masks[l]).square().sum()) for l in weights}
    same = {l: factor * power[l] * w for l, w in weights.items()}
    return distribution_style("style", towards, target, target_masks, masks, same)


_INSTEAD_OF_GRAM: dict[StyleTerm, tuple[float, Towards]] = {
    "mmd-linear": (2.0, linear_mmd),
    "mmd-poly": (1.5, partial(polynomial_mmd, offset=1.0)),
    "mmd-gaussian": (3.0, gaussian_mmd),
    "bn": (2.5, bn_distance),
    "w2": (2.0, gaussian_transport),
}


def _embedded(embed: Callable[[Tensor, Tensor], Tensor], Y: Tensor, q: Tensor) -> Distance:
    """The squared distance between the vectors that stand for two distributions."""
    there = embed(Y, q)
    return lambda X, p: (embed(X, p) - there).square().sum()


def _second_moment(X: Tensor, p: Tensor) -> Tensor:
    """E xxᵀ, C×C, by the Gram matrix whose slope takes one product."""
    return X.shape[1] * regional_grams(X.T[:, :, None], p[None, :, None])[0]


def _centred(X: Tensor, p: Tensor) -> tuple[Tensor, Tensor]:
    μ = p @ X
    return μ, X - μ


def _factor(X: Tensor, p: Tensor) -> Tensor:
    """B with BBᵀ = E xxᵀ, C×n."""
    return _double(p.sqrt()[:, None] * X).T


def _double(M: Tensor) -> Tensor:
    return M.cpu().double()


def _root(Σ: Tensor) -> Tensor:
    """R with RRᵀ = Σ, of as many columns as Σ has rank."""
    values, vectors = torch.linalg.eigh(Σ)
    kept = values > 1e-7 * values[-1]
    return vectors[:, kept] * values[kept].sqrt()


def _sigma(Y: Tensor, q: Tensor, bandwidth: float) -> float:
    """σ² = bandwidth² · E‖y‖², the mean squared distance of the style from no features at all."""
    return bandwidth * (sqrt(float(q @ Y.square().sum(1))) or 1.0)


def _draw(shares: Tensor, count: int, generator: torch.Generator) -> Tensor:
    return torch.multinomial(shares.cpu(), count, replacement=True, generator=generator).to(shares.device)


def _seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _pixels(F: Tensor) -> Tensor:
    return F.flatten(1).T  # hw×C


def _at(X: Tensor, pixels: Tensor) -> Tensor:
    """The features of these pixels; all are not copied."""
    return X if len(pixels) == len(X) else X[pixels]


def _shares(mask: Tensor) -> tuple[Tensor, Tensor]:
    """The pixels of a mask, and the share of each in it; none if it is empty."""
    pixels = mask.flatten().nonzero()[:, 0]
    return pixels, mask.flatten()[pixels] / mask.sum().clamp(min=1e-6)
