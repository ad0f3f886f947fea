"""The default recipe: Luan's objective solved coarse to fine at low resolution, rendered at any resolution.

    L = style + α·content + λ·matting + κ·color + γ·gamut

Most of a photograph's look lives at low resolution, and the matting term keeps the change of colour
locally affine; so the energy descends on small images only, each level starting from the maps of the
one before, and the last maps are applied to the photograph itself. The start is a linear
Monge–Kantorovich colour transfer within each region.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from photostyle.descend import Steps, descend
from photostyle.energy import Energy
from photostyle.image import fit, shrink
from photostyle.mmd import StyleTerm, style_term
from photostyle.recipes.pitie2007 import linear_map
from photostyle.recolor import match_colors
from photostyle.regions import Regions
from photostyle.render import render
from photostyle.terms import color, gamut, power, pyramid_matting, regional_grams
from photostyle.terms import content as content_term
from photostyle.vgg import VGG


@dataclass(frozen=True)
class Photo:
    """Weights of relative terms: style is about 1 at the untouched photograph, content at a blank one."""

    size: int = field(
        default=256, metadata={"help": "long side of the finest level, pixels", "min": 32, "draft": 128, "best": 384}
    )
    steps: int = field(default=30, metadata={"help": "iterations over all levels", "min": 1, "draft": 24, "best": 60})
    content_weight: float = field(default=0.2, metadata={"help": "keeps what is shown", "min": 0})
    style_weight: float = field(default=1.0, metadata={"help": "brings the look", "min": 0})
    style_term: StyleTerm = field(default="gram", metadata={"help": "what of the features is compared"})
    matting_weight: float = field(default=250.0, metadata={"help": "keeps it a photograph", "min": 0})
    color_weight: float = field(default=150.0, metadata={"help": "keeps to the style's colours", "min": 0})
    gamut_weight: float = field(default=10.0, metadata={"help": "keeps colours displayable", "min": 0})
    epsilon: float = field(default=1e-5, metadata={"help": "ε of the matting Laplacian", "min": 0})

    CONTENT_LAYER = "relu4_2"
    STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
    SCALES = (1, 2, 4, 8)  # at which the matting term looks
    LEVELS = ((0.28, 0.53), (0.5, 0.27), (1.0, 0.2))  # (part of the size, part of the steps)


def photo(content: Tensor, style: Tensor, regions: Regions, vgg: VGG, p: Photo) -> Steps:
    """Coarse to fine, then rendered at the content's own size (3×H×W, in [0, 1])."""
    O = transport_colors(content, style, regions, p.size)
    for scale, part in p.LEVELS:
        I = fit(content, round(scale * p.size))
        S = fit(style, round(scale * p.size))
        L = objective(I, S, regions.fit(I, S), vgg, p)
        steps = max(1, round(part * p.steps))
        O = yield from descend(L, vgg, render(O, I), stage=f"{max(I.shape)} px", steps=steps)
    return render(O, content)


def objective(I: Tensor, S: Tensor, regions: Regions, vgg: VGG, p: Photo) -> Energy:
    """The energy of one level, whose photographs and regions (K×h×w) have its size."""
    with torch.no_grad():
        F_I, F_S = vgg(I, {p.CONTENT_LAYER, *p.STYLE_LAYERS}), vgg(S, p.STYLE_LAYERS)
    M_I = {l: shrink(regions.content, F_I[l].shape[1:]) for l in p.STYLE_LAYERS}
    M_S = {l: shrink(regions.style, F_S[l].shape[1:]) for l in p.STYLE_LAYERS}
    # each layer relative to its target, and their mean
    β = {l: 1 / len(p.STYLE_LAYERS) / float(regional_grams(F_S[l], M_S[l]).square().sum()) for l in p.STYLE_LAYERS}
    E_s = style_term(p.style_term, F_S, M_S, M_I, β)
    E_c = content_term(F_I, {p.CONTENT_LAYER: 1 / power(F_I[p.CONTENT_LAYER])})
    E_m = pyramid_matting(I, p.epsilon, p.SCALES)
    return (
        p.style_weight * E_s
        + p.content_weight * E_c
        + p.matting_weight * E_m
        + p.gamut_weight * gamut()
        + p.color_weight * color(S, regions.style, regions.content)
    )


def transport_colors(content: Tensor, style: Tensor, regions: Regions, size: int) -> Tensor:
    """The content at that long side, its colours moved region by region to the style's: the start."""
    I = fit(content, size)
    S = fit(style, size)
    return match_colors(I, S, regions.fit(I, S), linear_map)
