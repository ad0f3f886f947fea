"""Luan, Paris, Shechtman & Bala, "Deep Photo Style Transfer" (CVPR 2017, arXiv 1703.07511).

    L = Σ_l α_l L_c + Γ Σ_l β_l L_s+ + λ L_m                                           (eq. 4)

Stage 1 descends without the matting term, stage 2 from there with it; the result is then redrawn by local affine maps
and, if asked for, cleared of posterization by a guided filter (supplement).

The weights of content and style go with the features of one network, those of matting with pixels in [0, 1]. So that
they mean the same with every network, content and style are relative, 1 for a picture without features, times what
such a picture costs in the authors' program. docs/departures.md has the derivation, and what else is not as published.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil, log2
from typing import Literal

import torch
from torch import Tensor

from photostyle.descent.descend import descend
from photostyle.descent.steps import Steps
from photostyle.image import fit, fit_size
from photostyle.matting.guided import apply_affine, guided_maps, smooth_local_affine
from photostyle.matting.laplacian import matting_laplacian
from photostyle.matting.metric import MattingMetric
from photostyle.matting.render import render
from photostyle.network.vgg import VGG
from photostyle.recipes._starts import gray_noise
from photostyle.recipes.photo import Photo, photo
from photostyle.recipes.pitie2007 import linear_map
from photostyle.recipes.settings import setting
from photostyle.regions.recolor import match_colors
from photostyle.regions.regions import Regions
from photostyle.terms.content import content as content_term
from photostyle.terms.content import power
from photostyle.terms.energy import Energy
from photostyle.terms.gram import regional_grams
from photostyle.terms.mmd import StyleTerm, style_term
from photostyle.terms.photorealism import drift, matting
from photostyle.terms.smoothness import total_variation


@dataclass(frozen=True)
class DeepPhoto:
    """The authors' numbers; where paper and code differ docs/departures.md says which was taken."""

    size: int = setting(700, "long side at which the energy descends, pixels", least=16, draft=256)
    steps: int = setting(1000, "most iterations of each of the two stages", least=1, draft=40)
    coarse: int = setting(
        0, "long side at which both stages begin, then twice that, and so on; 0 for the full size alone", least=0
    )
    coarse_steps: int = setting(30, "most iterations of each of the two at every smaller size", least=1)
    tolerance: float = setting(
        1e-3, "a stage ends when ten iterations lower the energy by less than this part", least=0
    )
    content_weight: float = setting(5.0, "α", least=0)
    style_weight: float = setting(100.0, "Γ", least=0)
    style_term: StyleTerm = setting("gram", "what of the features is compared")
    matting_weight: float = setting(1e4, "λ", least=0)
    drift_weight: float = setting(
        0.3, "part of λ with which matting holds at half the size too, at a quarter, and so on; 0 as published", least=0
    )
    variation_weight: float = setting(0.0, "total variation; the authors' code has 1e-3", least=0)
    epsilon: float = setting(1e-7, "ε of the matting Laplacian", least=0)
    smooth_radius: int = setting(
        15, "radius of the local affine smoothing, pixels at a size of 700, 0 for none", least=0
    )
    smooth_edge: float = setting(0.01, "σ in colour of the local affine smoothing", least=1e-4)
    refine: bool = setting(False, "remove posterization with a guided filter")
    start: Literal["graded", "recolored", "content", "noise"] = setting(
        "graded",
        "the first image: the content as the recipe photo grades it, with its regions' colours moved linearly, as it "
        "is, or noise",
    )
    optimizer: Literal["metric", "lbfgs", "adam"] = setting(
        "metric", "method of descent: L-BFGS along what keeps a photograph, L-BFGS as published, or Adam"
    )
    seed: int = setting(612, "seed of the noise", least=0)

    CONTENT_LAYER = "relu4_2"
    STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
    SHARES = (16 / 31, 8 / 31, 4 / 31, 2 / 31, 1 / 31)  # β_l
    EMPTY_CONTENT, EMPTY_STYLE = 4.18e5, 1.33e5  # what a picture without features costs, for α = 1 and Γ = 1
    GRAIN = 1e-2  # ε of the metric: with that of the term, grain is a colour like any other, and grows into speckles
    SMALLEST = 16  # pixels of the shorter side, which the deepest layer sees as one
    SMOOTHED_SIZE = 700  # pixels: where the radius of the smoothing is the authors'


def deep_photo(content: Tensor, style: Tensor, regions: Regions, vgg: VGG, p: DeepPhoto) -> Steps:
    """Both stages of the paper, then local affine smoothing; rendered at the content's own size.

    Of several sizes (`p.coarse`), what both stages find at one is carried to the photograph at the next, and is where
    they go on: at a coarse size, where a layer sees a house at once, light is moved to other places.
    """
    sizes = octaves(content.shape[1:], p.coarse, p.size)
    I, S = fit(content, sizes[0]), fit(style, sizes[0])
    O = yield from first_image(I, S, regions.fit(I, S), vgg, p)
    for size in sizes:
        small, I, S = I, fit(content, size), fit(style, size)
        here = regions.fit(I, S)
        L = content_and_style(I, S, here, vgg, p)
        L_m = matting(matting_laplacian(I, p.epsilon)) + p.drift_weight * drift(I, here.content, p.epsilon)
        down = partial(
            descend,
            extract=vgg,
            steps=p.steps if size == sizes[-1] else p.coarse_steps,
            optimizer="adam" if p.optimizer == "adam" else "lbfgs",
            tolerance=p.tolerance,
            metric=MattingMetric(matting_laplacian(I, p.GRAIN)) if p.optimizer == "metric" else None,
        )
        if size != sizes[0]:
            O = render(O, I, small=small)
        O = yield from down(L, image=O, stage=f"style, {size} px")
        O = yield from down(L + p.matting_weight * L_m, image=O, stage=f"photoreal, {size} px")
    O = O.clamp(0, 1)
    if p.smooth_radius:
        radius = max(1, round(p.smooth_radius * max(I.shape) / p.SMOOTHED_SIZE))
        O = smooth_local_affine(O, I, radius, p.smooth_edge)
    if p.refine:
        O = refine_posterization(O, I)
    return O if I.shape == content.shape else render(O, content, small=I)


def octaves(shape: Sequence[int], first: int, last: int) -> list[int]:
    """Long sides at which both stages look at a photograph of that shape (H, W).

    From `first` each is twice the one before, until √2 short of the `last`, which ends them; 0 stands for the last
    alone. None is so small that the shorter side would be under 16 pixels.
    """
    longest = min(last, max(shape))
    steps = ceil(log2(longest / first) - 0.5) if first else 0
    coarse = [first * 2**n for n in range(steps)]
    return [size for size in coarse if min(fit_size(shape[0], shape[1], size)) >= DeepPhoto.SMALLEST] + [longest]


def content_and_style(I: Tensor, S: Tensor, regions: Regions, vgg: VGG, p: DeepPhoto) -> Energy:
    """The energy of stage 1: α L_c + Γ Σ_l β_l L_s+, of images I and S (3×H×W each) and regions of their sizes.

        L_c = ‖F(O) − F(I)‖² / ‖F(I)‖²,   L_s+ = Σ_c ‖G_c(O) − G_c(S)‖² / Σ_c ‖G_c(S)‖²

    times `EMPTY_CONTENT` and `EMPTY_STYLE`. A network whose features are larger or smaller, layer by layer, gives
    the same.
    """
    with torch.no_grad():
        F_I, F_S = vgg(I, {p.CONTENT_LAYER}), vgg(S, p.STYLE_LAYERS)
    M_I, M_S = (vgg.carry(masks, p.STYLE_LAYERS) for masks in (regions.content, regions.style))
    α = {p.CONTENT_LAYER: p.EMPTY_CONTENT / power(F_I[p.CONTENT_LAYER])}
    β = {
        l: p.EMPTY_STYLE * share / max(float(regional_grams(F_S[l], M_S[l]).square().sum()), 1e-12)
        for l, share in zip(p.STYLE_LAYERS, p.SHARES, strict=True)
    }
    return (
        p.content_weight * content_term(F_I, α)
        + p.style_weight * style_term(p.style_term, F_S, M_S, M_I, β)
        + p.variation_weight * total_variation(scale=255)
    )


def first_image(I: Tensor, S: Tensor, regions: Regions, vgg: VGG, p: DeepPhoto) -> Steps:
    """What stage 1 starts from, of the size of I (3×H×W); where it is graded, with the steps of that."""
    if p.start == "graded":
        return (yield from photo(I, S, regions, vgg, Photo()))
    if p.start == "recolored":
        return match_colors(I, S, regions, linear_map)
    return I if p.start == "content" else gray_noise(I, p.seed)


def refine_posterization(output: Tensor, image: Tensor, radius: int = 8, edge: float = 0.1) -> Tensor:
    """Guided(O) + I − guided(I): the photograph's own fine detail over the smoothed result (supplement).

    Both guided filters follow the photograph I, radius 8 and ε = 0.1². Images 3×H×W; returns 3×H×W in [0, 1].
    """

    def guided(x: Tensor) -> Tensor:
        return apply_affine(guided_maps(x, image, radius, edge**2), image)

    return (guided(output) + image - guided(image)).clamp(0, 1)
