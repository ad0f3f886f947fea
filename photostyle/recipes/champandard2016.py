"""Champandard, "Semantic Style Transfer and Turning Two-Bit Doodles into Fine Artworks" (arXiv 1603.01768).

    E(O) = E_s(Φ(O) ‖ γ M_O, Φ(S) ‖ γ M_S) + α E_c(Φ(O), Φ(I)) + Υ(O)

The patches of Li & Wand 2016, each with what semantic maps say of it: a patch of the output is drawn to
one of the style that looks alike and means the same. The content I may be missing: then the maps alone
say what is where, a doodle. Maps have any number of channels: labels, colours, anything continuous.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from photostyle.descent.steps import Steps
from photostyle.image import fit, fit_size, resize
from photostyle.network.vgg import VGG
from photostyle.recipes._starts import mapped_noise, white_noise
from photostyle.recipes.li2016 import layer_weights, octaves, rematched, scaled
from photostyle.recipes.settings import setting
from photostyle.regions.regions import Regions
from photostyle.terms.content import content as content_term
from photostyle.terms.content import power
from photostyle.terms.energy import Energy, Features
from photostyle.terms.patches import cut, patch_style
from photostyle.terms.smoothness import smoothness


@dataclass(frozen=True)
class SemanticStyle:
    """Weights of relative terms: each is divided by the power of what it is compared with."""

    size: int = setting(384, "long side of the result, pixels", least=16, draft=192, best=512)
    steps: int = setting(40, "iterations at each octave", least=1, draft=20, best=100)
    octaves: int = setting(3, "sizes to go through, each twice the one before", least=1)
    semantic_weight: float = setting(10.0, "γ, how much the maps count beside the features", least=0)
    content_weight: float = setting(0.5, "α, where there is a content image", least=0)
    style_weight: float = setting(1.0, "of E_s", least=0)
    variation_weight: float = setting(0.5, "of total variation, Υ", least=0)
    chroma_weight: float = setting(30.0, "of the variation of chroma", least=0)
    variety: float = setting(0.0, "how much patches that fit everywhere are avoided", least=0, most=1)
    color_weight: float = setting(20.0, "how much patches keep their colours, beside their features", least=0)
    patch: int = setting(3, "side of a patch, in pixels of the layer", least=1)
    stride: int = setting(1, "from one patch to the next, in pixels of the layer", least=1)
    rematch: int = setting(10, "steps from one search for neighbours to the next", least=1)
    start: Literal["content", "maps", "noise"] = setting(
        "content", "the first image; maps, as without content: noise in colours that go with the map"
    )
    seed: int = setting(0, "seed of the noise", least=0)

    CONTENT_LAYER = "relu4_2"
    STYLE_LAYERS = ("relu3_1", "relu4_1")


def semantic_regions(content: Tensor, style: Tensor, regions: Regions, vgg: VGG, p: SemanticStyle) -> Steps:
    """`semantic_style` with the masks of the regions for maps."""
    return semantic_style(style, regions.style, regions.content, content, vgg, p)


def semantic_style(
    style: Tensor, style_map: Tensor, target_map: Tensor, content: Tensor | None, vgg: VGG, p: SemanticStyle
) -> Steps:
    """Coarse to fine; the result (3×H×W, in [0, 1]) has the proportions of the target map.

    The style is 3×H×W with its map K×H′×W′, the target map K×h×w with the content, if there is one,
    3×h′×w′: each map of its image's proportions, values in [0, 1]. With content the result is no larger
    than that; without, its long side is `p.size`.
    """
    S = fit(style, p.size)
    height, width = target_map.shape[1:]
    size = fit_size(height, width, p.size, enlarge=True)
    I = fit(content, p.size) if content is not None else S.new_zeros(3, *size)  # without content only a size
    α = p.content_weight if content is not None else 0.0
    if p.start == "noise":
        O = white_noise(I, p.seed)
    elif p.start == "content" and content is not None:
        O = I
    else:
        O = mapped_noise(I, S, style_map, target_map, p.seed)
    for part in octaves(p.octaves, I):
        O = yield from _octave(O, scaled(I, part), scaled(S, part), target_map, style_map, α, vgg, p)
    return O.clamp(0, 1)


def _octave(O: Tensor, I: Tensor, S: Tensor, M_O: Tensor, M_S: Tensor, α: float, vgg: VGG, p: SemanticStyle) -> Steps:
    with torch.no_grad():
        F_I, F_S = vgg(I, {p.CONTENT_LAYER, *p.STYLE_LAYERS}), vgg(S, p.STYLE_LAYERS)
    β, k = layer_weights(F_S, F_I, p.STYLE_LAYERS, p.patch)
    Ψ_S = {l: cut(F_S[l], S, k[l], p.stride, M_S) for l in β}
    E_c = content_term(F_I, {p.CONTENT_LAYER: 1 / power(F_I[p.CONTENT_LAYER])})
    Υ = smoothness(I.numel(), p.variation_weight, p.chroma_weight)

    def E(F_O: Features) -> Energy:
        Ψ_O = {l: cut(F_O[l], F_O["image"], k[l], p.stride, M_O) for l in β}
        E_s = patch_style(
            Ψ_O,
            Ψ_S,
            β,
            color_weight=p.color_weight,
            semantic_weight=p.semantic_weight,
            variety=p.variety,
        )
        return p.style_weight * E_s + α * E_c + Υ

    O = resize(O.clamp(0, 1), I.shape[1:])
    return (yield from rematched(E, {"image", *β}, vgg, O, steps=p.steps, every=p.rematch))
