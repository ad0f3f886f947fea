"""Li & Wand, "Combining Markov Random Fields and Convolutional Neural Networks for Image Synthesis" (CVPR 2016).

    E(O) = E_s(Φ(O), Φ(S)) + α₁ E_c(Φ(O), Φ(I)) + α₂ Υ(O)                              (eq. 1)

E_s draws each patch of features to the most alike of the style's, E_c keeps the content, Υ is total
variation; coarse to fine in octaves. Without content (weight 0, from noise) it makes a texture of the
content's proportions. The style is that of the whole picture: regions are not read.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from photostyle.descent.descend import descend
from photostyle.descent.steps import Steps
from photostyle.image import check_image, fit, fit_size, resize, shrink
from photostyle.network.vgg import VGG
from photostyle.recipes._guides import along_edges, coarse, in_colors_of
from photostyle.recipes._starts import recolored, white_noise
from photostyle.recipes.settings import setting
from photostyle.regions.regions import Regions
from photostyle.synthesis.octaves import SIDE, Plan
from photostyle.synthesis.render import render
from photostyle.terms.content import content as content_term
from photostyle.terms.content import power
from photostyle.terms.energy import Energy, Features
from photostyle.terms.patches import cut, join, patch_style
from photostyle.terms.smoothness import smoothness

_SMALLEST = 96  # pixels; the layers of a smaller octave would hold hardly a patch, and all becomes dull
_FAITHFUL = 8.0  # the sketch has the content, which pixels that fit each other know nothing of
_VARIETY = 0.05  # what the same pixels cost again: less, and a motif is laid side by side with itself


@dataclass(frozen=True)
class Sizes:
    """The sizes that recipes of patches go through: a sketch descends in octaves, and what is larger is rendered."""

    size: int = setting(1024, "long side of the result, pixels", least=16, draft=512, best=2048)
    sketch: int = setting(
        192,
        "long side of the picture that descends; a larger one is rendered after it, of the style's own pixels",
        least=16,
        best=384,
    )
    steps: int = setting(20, "iterations at each octave", least=1, best=40)
    octaves: int = setting(3, "sizes to go through, each twice the one before", least=1)


@dataclass(frozen=True)
class MarkovStyle(Sizes):
    """Weights of relative terms: each is divided by the power of what it is compared with."""

    content_weight: float = setting(
        1.0, "α₁, from the style (0.3: its patches decide) to the content (3: shapes stay)", least=0
    )
    style_weight: float = setting(1.0, "of E_s", least=0)
    variation_weight: float = setting(0.5, "α₂", least=0)
    chroma_weight: float = setting(30.0, "of the variation of chroma", least=0)
    color_weight: float = setting(1.0, "how much patches keep their colours, beside their features", least=0)
    patch: int = setting(3, "side of a patch, in pixels of the layer", least=1)
    stride: int = setting(2, "from one patch to the next, in pixels of the layer", least=1)
    rotations: int = setting(0, "turned copies of the style, to either side", least=0)
    rotation_step: float = setting(7.5, "degrees from copy to copy", least=0, most=180)
    scales: int = setting(0, "copies of the style made larger, and as many smaller", least=0)
    scale_step: float = setting(1.05, "factor from copy to copy", least=1, most=2)
    confidence: float = setting(0.0, "correlation below which a patch is left alone", least=0, most=1)
    rematch: int = setting(10, "steps from one search for neighbours to the next", least=1)
    start: Literal["recolored", "content", "noise"] = setting(
        "recolored", "the first image: the content in the style's colours or its own, or noise"
    )
    seed: int = setting(0, "seed of the noise", least=0)

    CONTENT_LAYER = "relu4_2"
    STYLE_LAYERS = ("relu3_1", "relu4_1")


def markov_style(content: Tensor, style: Tensor, regions: Regions, vgg: VGG, p: MarkovStyle) -> Steps:
    """Coarse to fine, from noise or the content; the result (3×H×W, in [0, 1]) has a long side of `size` at most.

    What is larger than the `sketch` is rendered after it, of the style's own pixels. Raises ImageError then, before any
    work, if a side of the style is under 8 pixels.
    """
    size = fit_size(content.shape[1], content.shape[2], p.size)
    longest = min(p.size, p.sketch)
    rendered = max(size) > longest
    if rendered:
        check_image(style, "The style", least=SIDE)
    I, S = fit(content, longest), fit(style, longest)
    O = first_image(I, S, p)
    for part in octaves(p.octaves, I):
        O = yield from _octave(O, scaled(I, part), scaled(S, part), vgg, p)
    O = O.clamp(0, 1)
    if not rendered:
        return O
    return (yield from render(style, size, _plan(O, content, style, max(size), p), p.seed))


def _plan(O: Tensor, content: Tensor, style: Tensor, long_side: int, p: MarkovStyle) -> Plan:
    if not p.content_weight:  # there are no edges but those that patches have made
        return Plan(coarse(O), variety=_VARIETY)
    guide = in_colors_of(style, along_edges(O, content, long_side))
    return Plan(guide, sketch_weight=_FAITHFUL * p.content_weight, variety=_VARIETY)


def _octave(O: Tensor, I: Tensor, S: Tensor, vgg: VGG, p: MarkovStyle) -> Steps:
    with torch.no_grad():
        F_I = vgg(I, {p.CONTENT_LAYER, *p.STYLE_LAYERS})
        copies = [(T, vgg(T, p.STYLE_LAYERS), inside) for T, inside in turned(S, p)]
    β, k = layer_weights(copies[0][1], F_I, p.STYLE_LAYERS, p.patch)
    Ψ_S = {l: join([cut(F[l], T, k[l], p.stride, inside=covered(inside, F[l])) for T, F, inside in copies]) for l in β}
    E_c = content_term(F_I, {p.CONTENT_LAYER: 1 / power(F_I[p.CONTENT_LAYER])})
    Υ = smoothness(I.numel(), p.variation_weight, p.chroma_weight)

    def E(F_O: Features) -> Energy:
        Ψ_O = {l: cut(F_O[l], F_O["image"], k[l], p.stride) for l in β}
        E_s = patch_style(Ψ_O, Ψ_S, β, color_weight=p.color_weight, confidence=p.confidence)
        return p.style_weight * E_s + p.content_weight * E_c + Υ

    O = resize(O.clamp(0, 1), I.shape[1:])
    return (yield from rematched(E, {"image", *β}, vgg, O, steps=p.steps, every=p.rematch))


def rematched(
    E: Callable[[Features], Energy],
    layers: Collection[str],
    vgg: VGG,
    O: Tensor,
    *,
    steps: int,
    every: int,
) -> Steps:
    """`descend` from O, the energy made anew every so many steps from the features that O then has at these layers."""
    stage = f"{max(O.shape[1:])} px"
    for done in range(0, steps, every):
        with torch.no_grad():
            F_O = vgg(O, layers)
        run = descend(E(F_O), vgg, O, stage=stage, steps=min(every, steps - done))
        while True:
            try:
                step = next(run)
            except StopIteration as stop:
                O = stop.value
                break
            yield replace(step, iteration=done + step.iteration, of=steps)
    return O


def octaves(count: int, image: Tensor) -> list[float]:
    """Parts of its size to go through, at most `count`, each twice the one before and the last 1; none is too small."""
    longest = max(image.shape[1:])
    return [2.0**-n for n in reversed(range(count)) if n == 0 or longest / 2**n >= _SMALLEST]


def scaled(image: Tensor, part: float) -> Tensor:
    """A C×H×W image reduced to that part of its size."""
    return resize(image, scaled_size(image.shape[1:], part))


def scaled_size(size: Sequence[int], part: float) -> tuple[int, int]:
    """That part of a (height, width), no side under 1."""
    height, width = (max(1, round(part * length)) for length in size)
    return height, width


def layer_weights(
    F_S: Features, F_O: Features, layers: Collection[str], patch: int
) -> tuple[dict[str, float], dict[str, int]]:
    """Per layer, a weight that makes the term relative, and the side of a patch, which both images must hold."""
    β = {l: 1 / len(layers) / power(F_S[l]) for l in layers}
    return β, {l: min(patch, *F_S[l].shape[1:], *F_O[l].shape[1:]) for l in layers}


def first_image(I: Tensor, S: Tensor, p: MarkovStyle) -> Tensor:
    """What the descent starts from, of the size of I (3×H×W)."""
    if p.start == "recolored":
        return recolored(I, S).clamp(0, 1)
    return I if p.start == "content" else white_noise(I, p.seed)


def turned(image: Tensor, p: MarkovStyle) -> Iterator[tuple[Tensor, Tensor | None]]:
    """The image, then turned and scaled copies of it, each with a mask (1×H×W) of where it shows the image."""
    yield image, None
    theta = [n * math.radians(p.rotation_step) for n in range(-p.rotations, p.rotations + 1)]
    factors = [p.scale_step**n for n in range(-p.scales, p.scales + 1)]
    for angle, factor in product(theta, factors):
        if (angle, factor) != (0.0, 1.0):
            yield turn(image, angle, factor)


def turn(image: Tensor, angle: float, factor: float) -> tuple[Tensor, Tensor]:
    """A 3×H×W image turned about its middle (radians) and scaled, on as many pixels; and where there is any (1×H×W)."""
    _, H, W = image.shape
    size = (max(1, round(factor * H)), max(1, round(factor * W)))
    cos, sin = math.cos(angle), math.sin(angle)
    matrix = torch.tensor([[cos, -sin * H / W, 0], [sin * W / H, cos, 0]]).to(image)
    grid = affine_grid(matrix[None], [1, 1, *size], align_corners=False)
    sampled = grid_sample(image[None], grid, padding_mode="reflection", align_corners=False)[0]
    return sampled, (grid.abs() <= 1).all(-1).to(image)


def covered(inside: Tensor | None, features: Tensor) -> Tensor | None:
    """Which pixels of a layer (C×h×w) lie wholly inside: h×w."""
    return None if inside is None else shrink(inside, features.shape[1:])[0] > 0.999
