"""Style as Gram matrices, of whole images and region by region (Gatys et al. 2016; Luan et al. 2017)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from photostyle.terms.energy import Energy, Features, energy, total

Masks = Mapping[str, Tensor]
"""Layer name → region masks K×h×w at that layer."""


def gram(F: Tensor) -> Tensor:
    """Gram matrix F Fᵀ of C×h×w features, C×C (Gatys et al. 2016, eq. 3).

    >>> gram(torch.tensor([[[1.0, 2.0]], [[3.0, 4.0]]]))  # two channels of two pixels
    tensor([[ 5., 11.],
            [11., 25.]])
    """
    G: Tensor = _Gram.apply(F.flatten(1))  # type: ignore[no-untyped-call]
    return G


class _Gram(torch.autograd.Function):
    """F Fᵀ of F C×n, whose slope (∂G + ∂Gᵀ) F is one product, not two as large as F."""

    @staticmethod
    def forward(ctx: Any, F: Tensor) -> Tensor:
        ctx.save_for_backward(F)
        return F @ F.T

    @staticmethod
    def backward(ctx: Any, *grad: Tensor) -> Tensor:
        (F,) = ctx.saved_tensors
        slope: Tensor = (grad[0] + grad[0].T) @ F
        return slope


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


def style(target: Features, weights: Mapping[str, float]) -> Energy:
    """Σ_l w_l ‖G_l(O) − G_l(S)‖², G = F Fᵀ / (C·h·w)   (Gatys et al. 2016, eq. 3–5)."""
    grams = {l: gram(target[l]) / target[l].numel() for l in weights}

    def value(features: Features) -> Tensor:
        return total(
            w * (gram(features[l]) / features[l].numel() - grams[l]).square().sum() for l, w in weights.items()
        )

    return energy("style", weights, value)


def augmented_style(target: Features, target_masks: Masks, masks: Masks, weights: Mapping[str, float]) -> Energy:
    """Σ_l w_l Σ_c ‖G_lc(O) − G_lc(S)‖²   (Luan et al. 2017, eq. 3).

    G_lc is the Gram matrix of region c divided by its mass and by the channel count. Masks are K×h×w
    at each layer: `target_masks` over the style, `masks` over the output.
    """
    grams = {l: regional_grams(target[l], target_masks[l]) for l in weights}

    def value(features: Features) -> Tensor:
        return total(w * (regional_grams(features[l], masks[l]) - grams[l]).square().sum() for l, w in weights.items())

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
