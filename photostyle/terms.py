"""The terms of the energies, each a function of features. Every one is ≥ 0 and names its paper.

A term is built once, from targets that are computed once, and is then a pure function. Features are
summed up per element (means, and Gram matrices over their mass and channels), so that values do not
depend on the size of the image; the constants that papers put in front are weights, and stand in the recipes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from photostyle.color import chroma, lab_from_srgb
from photostyle.energy import Energy, Features, energy
from photostyle.matting import MattingLaplacian, matting_laplacian
from photostyle.transport import directions, quantiles

Masks = Mapping[str, Tensor]
"""Layer name → region masks K×h×w at that layer."""


def gram(F: Tensor) -> Tensor:
    """Gram matrix F Fᵀ of C×h×w features, C×C (Gatys et al. 2016, eq. 3)."""
    F = F.flatten(1)  # C×hw
    return F @ F.T


def power(F: Tensor) -> float:
    """Mean square of features: a squared distance to F, per element, is relative once it is divided by this."""
    return max(float(F.square().mean()), 1e-6)


def regional_grams(F: Tensor, masks: Tensor) -> Tensor:
    """Gram matrices under each mask, divided by the mask's mass Σ M_c and by the channel count: K×C×C.

    G_c = Σ_i M_ci F_i F_iᵀ, which for hard masks is the Gram matrix of F·M_c (Luan et al. 2017, eq. 3).
    Features C×h×w, masks K×h×w. A region without mass has a Gram matrix of zeros, never NaN.
    """
    grams: Tensor = _RegionalGrams.apply(F.flatten(1).T, masks.flatten(1))  # type: ignore[no-untyped-call]
    mass = masks.sum((1, 2)).clamp(min=1e-6)
    return grams / (mass * len(F)).view(-1, 1, 1)


class _RegionalGrams(torch.autograd.Function):
    """G_c = Fᵀ diag(M_c) F over the pixels of each region only: all regions together cost about as much as one.

    F is n×C, masks K×n. Backward: ∂F = Σ_c diag(M_c) F (∂G_c + ∂G_cᵀ).
    """

    @staticmethod
    def forward(ctx: Any, F: Tensor, masks: Tensor) -> Tensor:
        F = F.contiguous()
        ctx.save_for_backward(F, masks)
        ctx.pixels = [mask.nonzero()[:, 0] for mask in masks]  # of each region
        grams = F.new_empty(len(masks), F.shape[1], F.shape[1])
        for G, mask, pixels in zip(grams, masks, ctx.pixels, strict=True):
            X = F[pixels]
            torch.mm((X * mask[pixels, None]).T, X, out=G)
        return grams

    @staticmethod
    def backward(ctx: Any, *grad: Tensor) -> tuple[Tensor, None]:
        F, masks = ctx.saved_tensors
        slope = torch.zeros_like(F)
        for dG, mask, pixels in zip(grad[0], masks, ctx.pixels, strict=True):
            slope.index_add_(0, pixels, (F[pixels] * mask[pixels, None]) @ (dG + dG.T))
        return slope, None


def content(target: Features, weights: Mapping[str, float]) -> Energy:
    """Σ_l w_l · mean (F_l(O) − F_l(I))²   (Gatys et al. 2016, eq. 1; Luan et al. 2017, eq. 1, per element)."""

    def value(features: Features) -> Tensor:
        return _sum(w * (features[l] - target[l]).square().mean() for l, w in weights.items())

    return energy("content", weights, value)


def style(target: Features, weights: Mapping[str, float]) -> Energy:
    """Σ_l w_l ‖G_l(O) − G_l(S)‖², G = F Fᵀ / (C·h·w)   (Gatys et al. 2016, eq. 3–5)."""
    grams = {l: gram(target[l]) / target[l].numel() for l in weights}

    def value(features: Features) -> Tensor:
        return _sum(w * (gram(features[l]) / features[l].numel() - grams[l]).square().sum() for l, w in weights.items())

    return energy("style", weights, value)


def augmented_style(target: Features, target_masks: Masks, masks: Masks, weights: Mapping[str, float]) -> Energy:
    """Σ_l w_l Σ_c ‖G_lc(O) − G_lc(S)‖²   (Luan et al. 2017, eq. 3).

    G_lc is the Gram matrix of region c divided by its mass and by the channel count. Masks are K×h×w
    at each layer: `target_masks` over the style, `masks` over the output.
    """
    grams = {l: regional_grams(target[l], target_masks[l]) for l in weights}

    def value(features: Features) -> Tensor:
        return _sum(w * (regional_grams(features[l], masks[l]) - grams[l]).square().sum() for l, w in weights.items())

    return energy("style", weights, value)


def matting(laplacian: MattingLaplacian) -> Energy:
    """Σ_c vec(O_c)ᵀ M_I vec(O_c)   (Luan et al. 2017, eq. 2): zero for every locally affine change of colour."""
    return energy("matting", {"image"}, lambda features: laplacian.quadratic(features["image"]))


def pyramid_matting(image: Tensor, epsilon: float, factors: Sequence[int]) -> Energy:
    """Σ_s vec(O↓s)ᵀ M_{I↓s} vec(O↓s) / (3·H·W), over both images reduced by the factors s (block averages).

    The 3×3 windows of the matting Laplacian let the map of colours drift, unseen, from one end of a sky to
    the other. The same windows on reduced images span more of the photograph, and see it. Levels that hold
    no window are left out; raises ImageError if even the finest holds none.
    """
    scales = [s for s in factors if min(image.shape[1:]) >= 3 * s] or [min(factors)]
    laplacians = [matting_laplacian(avg_pool2d(image, s), epsilon) for s in scales]

    def value(features: Features) -> Tensor:
        reduced = [avg_pool2d(features["image"], s) for s in scales]
        return _sum(L.quadratic(O) for L, O in zip(laplacians, reduced, strict=True)) / image.numel()

    return energy("matting", {"image"}, value)


def color(style: Tensor, style_masks: Tensor, masks: Tensor, count: int = 16) -> Energy:
    """Σ_c share_c · mean_d W₂²(dᵀ Lab(O)_c, dᵀ Lab(S)_c) / 100²: sliced optimal transport of the pixels' colours.

    W₂² in one dimension is the mean squared difference of the sorted values (Rabin et al. 2011, "Wasserstein
    Barycenter and Its Application to Texture Mixing"). Gram matrices match moments of features and leave
    room for colours that are in neither photograph; this leaves none. Style 3×h×w, masks K×h×w of the style
    and K×H×W of the output, taken as hard; `count` directions, always the same.
    """
    d = directions(count).to(style)
    S = d @ lab_from_srgb(style.clamp(0, 1)).flatten(1) / 100
    # a region of no whole pixel on either side has no colours to compare
    pairs = [(t, m) for t, m in zip(style_masks > 0.5, masks > 0.5, strict=True) if t.any() and m.any()]
    here = [mask.flatten().nonzero()[:, 0] for _, mask in pairs]
    shares = [len(pixels) / masks[0].numel() for pixels in here]
    targets = [quantiles(S[:, mask.flatten()], len(pixels)) for (mask, _), pixels in zip(pairs, here, strict=True)]

    def value(features: Features) -> Tensor:
        O = d @ lab_from_srgb(features["image"].clamp(0, 1)).flatten(1) / 100
        if not here:
            return 0 * O.sum()
        return _sum(
            share * (O[:, pixels].sort(dim=1).values - target).square().mean()
            for share, pixels, target in zip(shares, here, targets, strict=True)
        )

    return energy("color", {"image"}, value)


def total_variation(scale: float = 1.0) -> Energy:
    """Σ (O_{i,j+1} − O_{ij})² + (O_{i+1,j} − O_{ij})² of the image times `scale` (Mahendran & Vedaldi 2015)."""

    return energy("variation", {"image"}, lambda features: _variation(features["image"] * scale))


def chroma_variation() -> Energy:
    """The same of chroma alone. In photographs it changes far less from pixel to pixel than light; in images that
    follow features, which hardly see it, it does not: rainbow grain."""
    return energy("chroma", {"image"}, lambda features: _variation(chroma(features["image"])))


def gamut() -> Energy:
    """Mean squared excursion of the image outside [0, 1]: a wall with a slope, where clamping has none."""

    def value(features: Features) -> Tensor:
        O = features["image"]
        return (O - O.clamp(0, 1)).square().mean()

    return energy("gamut", {"image"}, value)


def _variation(O: Tensor) -> Tensor:
    return O.diff(dim=1).square().sum() + O.diff(dim=2).square().sum()


def _sum(values: Iterable[Tensor]) -> Tensor:
    return torch.stack(list(values)).sum()
