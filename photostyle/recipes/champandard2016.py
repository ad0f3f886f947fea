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
from photostyle.image import check_image, fit, fit_size, resize
from photostyle.network.vgg import VGG
from photostyle.recipes._guides import along_edges, coarse
from photostyle.recipes._starts import mapped_noise, white_noise
from photostyle.recipes.li2016 import Sizes, layer_weights, octaves, rematched, scaled, scaled_size
from photostyle.recipes.settings import setting
from photostyle.regions.regions import Regions
from photostyle.synthesis.octaves import SIDE, Plan
from photostyle.synthesis.render import render
from photostyle.terms.content import content as content_term
from photostyle.terms.content import power
from photostyle.terms.energy import Energy, Features
from photostyle.terms.patches import cut, patch_style
from photostyle.terms.smoothness import smoothness

_FAITHFUL = 0.5  # how much the sketch counts beside pixels that fit each other, in the rendering
_MEANT = 0.3  # and the maps
_VARIETY = 0.003  # what the same pixels cost again: more, and plain skies get clouds


@dataclass(frozen=True)
class SemanticStyle(Sizes):
    """Weights of relative terms: each is divided by the power of what it is compared with."""

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
    regions = regions.fit(content, style)
    return semantic_style(style, regions.style, regions.content, content, vgg, p)


def semantic_style(
    style: Tensor, style_map: Tensor, target_map: Tensor, content: Tensor | None, vgg: VGG, p: SemanticStyle
) -> Steps:
    """Coarse to fine; the result (3×H×W, in [0, 1]) has the proportions of the target map.

    The style is 3×H×W with its map K×H′×W′, the target map K×h×w with the content, if there is one,
    3×h′×w′: each map of its image's proportions, values in [0, 1]. With content the result is no larger
    than that; without, its long side is `p.size`. What is larger than the `sketch` is rendered after it, of the style's
    own pixels. Raises ImageError then, before any work, if a side of the style is under 8 pixels.
    """
    height, width = target_map.shape[1:]
    if content is not None:
        whole = fit_size(content.shape[1], content.shape[2], p.size)
    else:
        whole = fit_size(height, width, p.size, enlarge=True)
    size = fit_size(*whole, p.sketch)
    rendered = whole != size
    if rendered:
        check_image(style, "The style", least=SIDE)
    S = fit(style, min(p.size, p.sketch))
    I = None if content is None else resize(content, size)
    if p.start == "noise":
        O = white_noise(S.new_empty(3, *size), p.seed)
    elif p.start == "content" and I is not None:
        O = I
    else:
        O = mapped_noise(S.new_empty(3, *size), S, style_map, target_map, p.seed)
    for part in octaves(p.octaves, O):
        O = resize(O.clamp(0, 1), scaled_size(size, part))
        O = yield from _octave(
            O, None if I is None else scaled(I, part), scaled(S, part), target_map, style_map, vgg, p
        )
    O = O.clamp(0, 1)
    if not rendered:
        return O
    guide = coarse(O) if content is None or not p.content_weight else along_edges(O, content, max(whole))
    plan = Plan(guide, (style_map, target_map), sketch_weight=_FAITHFUL, map_weight=_MEANT, variety=_VARIETY)
    return (yield from render(style, whole, plan, p.seed))


def _octave(O: Tensor, I: Tensor | None, S: Tensor, M_O: Tensor, M_S: Tensor, vgg: VGG, p: SemanticStyle) -> Steps:
    with torch.no_grad():
        F_O, F_S = vgg(O, p.STYLE_LAYERS), vgg(S, p.STYLE_LAYERS)
        F_I = {} if I is None else vgg(I, {p.CONTENT_LAYER})
    β, k = layer_weights(F_S, F_O, p.STYLE_LAYERS, p.patch)
    Ψ_S = {l: cut(F_S[l], S, k[l], p.stride, M_S) for l in β}
    kept = smoothness(O.numel(), p.variation_weight, p.chroma_weight)
    if F_I:
        E_c = content_term(F_I, {p.CONTENT_LAYER: 1 / power(F_I[p.CONTENT_LAYER])})
        kept = p.content_weight * E_c + kept

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
        return p.style_weight * E_s + kept

    return (yield from rematched(E, {"image", *β}, vgg, O, steps=p.steps, every=p.rematch))
