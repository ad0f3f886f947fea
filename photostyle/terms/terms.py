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

from photostyle.color.spaces import chroma, lab_from_srgb, luma
from photostyle.maps.lattice import slopes
from photostyle.matting.laplacian import MattingLaplacian
from photostyle.solvers.sinkhorn import half_divergence, self_cost
from photostyle.terms.energy import Energy, Features, energy

Masks = Mapping[str, Tensor]
"""Layer name → region masks K×h×w at that layer."""

Extras = tuple[Tensor, Tensor, Tensor]
"""What is added to costs of transport: from points to goals n×m, among the points n×n, among the goals m×m."""

SMALL = 0.02
"""s₀: a smaller part of a photograph is not given a look of its own for less."""

_ROUNDING = 0.02  # a norm of modes below it is squared


def gram(F: Tensor) -> Tensor:
    """Gram matrix F Fᵀ of C×h×w features, C×C (Gatys et al. 2016, eq. 3).

    >>> gram(torch.tensor([[[1.0, 2.0]], [[3.0, 4.0]]]))  # two channels of two pixels
    tensor([[ 5., 11.],
            [11., 25.]])
    """
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


def saturated(parts: Sequence[Energy]) -> Energy:
    """mean_i log(1 + E_i) of energies of the same name and one term each, under that name: what is far away pulls less.

    A layer whose target cannot be reached would else outweigh all others.
    """
    terms = [term for part in parts for term in part.terms]
    reads = frozenset[str]().union(*(term.reads for term in terms))

    def value(features: Features) -> Tensor:
        return torch.stack([torch.log1p(term.weight * term.value(features)) for term in terms]).mean()

    return energy(terms[0].name, reads, value)


def matting(laplacian: MattingLaplacian, image: Tensor | None = None) -> Energy:
    """Σ_c vec(O_c)ᵀ M_I vec(O_c)   (Luan et al. 2017, eq. 2): zero for every locally affine change of colour.

    With an `image` I it is taken of the change O − I: what is not changed costs nothing at all.
    """

    def value(features: Features) -> Tensor:
        O = features["image"]
        return laplacian.quadratic(O if image is None else O - image)

    return energy("matting", {"image"}, value)


def color_transport(
    goals: Sequence[Tensor], extras: Sequence[Extras], shares: Sequence[float], ε: float, τ: float, unit: float
) -> Energy:
    """Σ_k share_k · Sinkhorn divergence of region k's colours from the style's (see `sinkhorn`), in L*a*b* / `unit`.

    Reads "samples", the colours of all regions one after the other, 3×Σn_k, sRGB. `goals` are 3×m_k in L*a*b* / `unit`,
    float64, `extras` what is added to their squared distances, ε the entropy, and τ the cost above which a colour need
    not land.
    """
    counts = [len(extra) for extra, _, _ in extras]
    constants = [0.5 * self_cost(goal, extra, ε, τ) for goal, (_, _, extra) in zip(goals, extras, strict=True)]

    def value(features: Features) -> Tensor:
        now = (lab_from_srgb(features["samples"].clamp(-0.1, 1.1)) / unit).split(counts, dim=1)
        return _sum(
            share * (half_divergence(x, goal, extra, own, ε, τ) - constant).clamp(min=0)  # but for rounding it is
            for share, x, goal, (extra, own, _), constant in zip(shares, now, goals, extras, constants, strict=True)
        )

    return energy("color", {"samples"}, value)


def gain(limit: float, shares: Sequence[float]) -> Energy:
    """What slopes of colour maps above `limit` cost, and folds.

    Σ_k share_k (Σ_directions mean (slope − limit)₊² + ½ mean (−dY/dgrey)₊²).
    Reads "nodes", lattices K×3×N×N×N. A slope is how much a small difference of colour (noise, haze, a block of JPEG)
    grows; a fold is where a lighter grey comes out darker.
    """

    def value(features: Features) -> Tensor:
        nodes = features["nodes"]
        n = nodes.shape[-1]
        steep = torch.stack([torch.relu(slope - limit).square().mean((1, 2, 3)) for slope in slopes(nodes)]).sum(0)  # K
        grey = torch.arange(n)
        rise = luma(nodes[:, :, grey, grey, grey].movedim(1, 0)).diff(dim=1) * (n - 1)  # K×(N − 1)
        return nodes.new_tensor(list(shares)) @ (steep + 0.5 * torch.relu(-rise).square().mean(1))

    return energy("gain", {"nodes"}, value)


def simplicity(prices: Tensor, shares: Sequence[float], price_of_sliders: float, unity: float) -> Energy:
    """How far grades are from plain sliders: ρ‖u‖² + ‖c̄‖ + ν Σ_k √max(share_k, s₀) ‖c_k − c̄‖, c̄ the mean by share.

    Reads "sliders" (8) and "modes" (K×count×3). Norms, not their squares, count each mode by its price (count): a
    deviation that gains little is not made, one that gains much is hardly held back. Norms are rounded at zero.
    """
    weights = torch.tensor(list(shares)) / sum(shares)

    def norm(c: Tensor) -> Tensor:
        return (c.square().sum((-2, -1)) + _ROUNDING**2).sqrt() - _ROUNDING

    def value(features: Features) -> Tensor:
        u, c = features["sliders"], features["modes"] * prices.to(features["modes"]).sqrt()[:, None]
        w = weights.to(c)
        common = torch.tensordot(w, c, dims=1)
        apart = unity * w.clamp(min=SMALL).sqrt() @ norm(c - common) if len(c) > 1 else 0.0
        return price_of_sliders * u.square().sum() + norm(common) + apart

    return energy("simplicity", {"sliders", "modes"}, value)


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
