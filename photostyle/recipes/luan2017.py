"""Luan, Paris, Shechtman & Bala, "Deep Photo Style Transfer" (CVPR 2017, arXiv 1703.07511).

    L = Σ_l α_l L_c + Γ Σ_l β_l L_s+ + λ L_m                                           (eq. 4)

Stage 1 descends from noise without the matting term, stage 2 from there with it; the result is then
redrawn by local affine maps and, if asked for, cleared of posterization by a guided filter (supplement).
The weights go with the authors' normalisation and pixel scale: docs/departures.md says which and why.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from photostyle.descend import Optimizer, Steps, descend
from photostyle.image import fit
from photostyle.matting import apply_affine, guided_maps, matting_laplacian, smooth_local_affine
from photostyle.mmd import StyleTerm, style_term
from photostyle.recipes._starts import gray_noise
from photostyle.regions import Regions
from photostyle.render import render
from photostyle.terms import content as content_term
from photostyle.terms import matting, total_variation
from photostyle.vgg import VGG


@dataclass(frozen=True)
class DeepPhoto:
    """The authors' numbers; where paper and code differ docs/departures.md says which was taken."""

    size: int = field(
        default=700, metadata={"help": "long side at which the energy descends, pixels", "min": 16, "draft": 256}
    )
    steps: int = field(default=1000, metadata={"help": "iterations of each of the two stages", "min": 1, "draft": 100})
    content_weight: float = field(default=5.0, metadata={"help": "α", "min": 0})
    style_weight: float = field(default=100.0, metadata={"help": "Γ, for each layer", "min": 0})
    style_term: StyleTerm = field(default="gram", metadata={"help": "what of the features is compared"})
    matting_weight: float = field(default=1e4, metadata={"help": "λ", "min": 0})
    variation_weight: float = field(
        default=0.0, metadata={"help": "total variation; the authors' code has 1e-3", "min": 0}
    )
    epsilon: float = field(default=1e-7, metadata={"help": "ε of the matting Laplacian", "min": 0})
    smooth_radius: int = field(
        default=15, metadata={"help": "radius of the local affine smoothing, 0 for none", "min": 0}
    )
    smooth_edge: float = field(
        default=0.01, metadata={"help": "σ in colour of the local affine smoothing", "min": 1e-4}
    )
    refine: bool = field(default=False, metadata={"help": "remove posterization with a guided filter"})
    optimizer: Optimizer = field(default="lbfgs", metadata={"help": "method of descent"})
    seed: int = field(default=612, metadata={"help": "seed of the noise the descent starts from", "min": 0})

    CONTENT_LAYER = "relu4_2"
    STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")


def deep_photo(content: Tensor, style: Tensor, regions: Regions, vgg: VGG, p: DeepPhoto) -> Steps:
    """Both stages of the paper, then local affine smoothing; rendered at the content's own size."""
    I = fit(content, p.size)
    S = fit(style, p.size)
    regions = regions.fit(I, S)
    with torch.no_grad():
        F_I, F_S = vgg(I, {p.CONTENT_LAYER}), vgg(S, p.STYLE_LAYERS)
    # a mean over the C×C entries of each Gram matrix, as in the authors' code: 1 / C²
    β = {l: 1 / len(F_S[l]) ** 2 for l in p.STYLE_LAYERS}
    E_c = content_term(F_I, {p.CONTENT_LAYER: 1.0})
    E_s = style_term(p.style_term, F_S, vgg.carry(regions.style, β), vgg.carry(regions.content, β), β)
    E_m = matting(matting_laplacian(I, p.epsilon))
    E_tv = total_variation(scale=255)
    α, Γ, λ = p.content_weight, p.style_weight, p.matting_weight
    L = α * E_c + Γ * E_s + p.variation_weight * E_tv

    O = yield from descend(L, vgg, gray_noise(I, p.seed), stage="style", steps=p.steps, optimizer=p.optimizer)
    O = yield from descend(L + λ * E_m, vgg, O, stage="photoreal", steps=p.steps, optimizer=p.optimizer)
    O = O.clamp(0, 1)
    if p.smooth_radius:
        O = smooth_local_affine(O, I, p.smooth_radius, p.smooth_edge)
    if p.refine:
        O = refine_posterization(O, I)
    return O if I.shape == content.shape else render(O, content)


def refine_posterization(output: Tensor, image: Tensor, radius: int = 8, edge: float = 0.1) -> Tensor:
    """Guided(O) + I − guided(I): the photograph's own fine detail over the smoothed result (supplement).

    Both guided filters follow the photograph I, radius 8 and ε = 0.1². Images 3×H×W; returns 3×H×W in [0, 1].
    """

    def guided(x: Tensor) -> Tensor:
        return apply_affine(guided_maps(x, image, radius, edge**2), image)

    return (guided(output) + image - guided(image)).clamp(0, 1)
