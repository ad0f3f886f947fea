"""Gatys, Ecker & Bethge, "Image Style Transfer Using Convolutional Neural Networks" (CVPR 2016).

    L = α·L_content + β·Σ_l w_l E_l,
    L_content = ‖F(O) − F(I)‖² / ‖F(I)‖²,   E_l = ‖G_l(O) − G_l(S)‖² / ‖G_l(S)‖²

Terms are relative, so that weights mean the same at every size and with every network. The style is that of the
whole picture: regions are not read. Colours may stay the content's, in the two ways of Gatys, Bethge, Hertzmann &
Shechtman, "Preserving Color in Neural Artistic Style Transfer" (arXiv 1606.05897).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from photostyle.color.spaces import chroma, luma
from photostyle.descent.descend import Optimizer, descend
from photostyle.descent.spectrum import SpectrumMetric
from photostyle.descent.steps import Steps
from photostyle.errors import SettingsError
from photostyle.image import fit, resize
from photostyle.network.vgg import VGG
from photostyle.photofile import load_image
from photostyle.recipes._gatys_settings import (
    CONTENT,
    Levels,
    blend_shares,
    layer_weights,
    level_sizes,
    shared_steps,
)
from photostyle.recipes._starts import colored_noise, finer, gray_noise, mixed_colors, recolored
from photostyle.recipes._strokes import in_strokes
from photostyle.recipes.settings import setting
from photostyle.regions.regions import Regions
from photostyle.terms.content import content as content_term
from photostyle.terms.content import power
from photostyle.terms.energy import Extract, Features
from photostyle.terms.gram import gram
from photostyle.terms.gram import style as style_term
from photostyle.terms.smoothness import smoothness


@dataclass(frozen=True)
class NeuralStyle(Levels):
    """Weights of relative terms; docs/departures.md has the settings that are the paper's."""

    content_weight: float = setting(1.0, "α; for a pattern a twentieth of it counts", least=0)
    style_weight: float = setting(20.0, "β", least=0)
    variation_weight: float = setting(1.0, "of total variation: smooths grain", least=0)
    chroma_weight: float = setting(30.0, "of the variation of chroma", least=0)
    content_layers: str = setting("relu4_2", "layers whose features are kept; with weights: relu3_2:0.5,relu4_2:2")
    style_layers: str = setting(
        "relu1_1,relu2_1,relu3_1,relu4_1,relu5_1",
        "layers whose Gram matrices are matched, with weights as above",
    )
    style_blend: str = setting("", "a weight for each of several style images, as 2,1; empty: all the same")
    style_scale: float = setting(1.0, "long side of the style image, relative to the result's", least=0.05, most=4)
    original_colors: Literal["no", "luma", "histogram"] = setting(
        "no", "keep the content's colours: descend in luma alone, or recolour the style first"
    )
    start: Literal["recolored", "content", "noise", "statistics"] = setting(
        "recolored", "the first image: the content in the style's colours or its own, noise, or that in them"
    )
    start_image: str = setting("", "a file to start from instead", is_file=True)
    optimizer: Optimizer = setting("lbfgs", "method of descent")
    seed: int = setting(0, "seed of the noise", least=0)


def neural_style(
    content: Tensor, style: Tensor | Sequence[Tensor], regions: Regions, vgg: VGG, p: NeuralStyle
) -> Steps:
    """L = α·L_content + β·Σ L_style by gradient descent on the pixels (section 2.3), on the last of `p.levels` sizes.

    What is larger than `p.sketch` is rendered after it. One style image 3×H×W or several. Raises SettingsError where
    layers or weights cannot be read or are not one for each style image, or where a picture of several is to be
    rendered; ImageError where `p.start_image` cannot be read or a side of a style to render with is under 8 pixels.
    """
    styles = [style] if isinstance(style, Tensor) else list(style)
    b = blend_shares(p.style_blend, len(styles))
    w_c, w_s = layer_weights("content_layers", p.content_layers), layer_weights("style_layers", p.style_layers)
    O = load_image(p.start_image).to(content) if p.start_image else None
    whole = fit(content, p.size)
    finest = fit(whole, p.sketch)
    if finest.shape != whole.shape and len(styles) > 1:
        raise SettingsError(
            f"A picture of several styles is not rendered of their pixels: give a sketch of {max(whole.shape)} too."
        )
    vgg = vgg.mirroring()
    sizes = level_sizes(max(finest.shape), p.levels)
    for size, steps in zip(sizes, shared_steps(p.steps, len(sizes)), strict=True):
        I = fit(content, size)
        S = [in_colors_of(I, fit(s, round(p.style_scale * size), enlarge=True), p) for s in styles]
        first = first_image(I, S, b, p)
        if O is None:
            O = first
        elif p.manner == "pattern" or p.start_image:
            O = resize(O, I.shape[1:])
        else:
            O = finer(O, first)
        extract: Extract = vgg
        if p.original_colors == "luma":
            O = luma(O) + chroma(I)
            extract = luma_only(vgg, chroma(I))
        with torch.no_grad():
            F_I = extract(I, w_c)
            F_S = blend([vgg(s, w_s) for s in S], b)
        E_c = content_term(F_I, {l: w / power(F_I[l]) for l, w in w_c.items()})
        E_s = style_term(F_S, {l: w / power_of_gram(F_S[l]) for l, w in w_s.items()})
        Υ = smoothness(I.numel(), p.variation_weight, p.chroma_weight)
        L = CONTENT[p.manner] * p.content_weight * E_c + p.style_weight * E_s + Υ
        metric = SpectrumMetric(I.shape[1:], mixed_colors(S, b)[1]) if p.optimizer == "lbfgs" else None
        O = yield from descend(L, extract, O, stage=f"{size} px", steps=steps, optimizer=p.optimizer, metric=metric)
    assert O is not None
    O = O.clamp(0, 1)
    if finest.shape != whole.shape:
        (s,) = styles
        S_whole = in_colors_of(whole, fit(s, round(p.style_scale * max(whole.shape))), p)
        O = yield from in_strokes(O, S_whole, (whole.shape[1], whole.shape[2]), p.seed)
    return in_gamut(O, chroma(whole)) if p.original_colors == "luma" else O


def blend(features: Sequence[Features], b: Sequence[float]) -> dict[str, Tensor]:
    """Features (C×n) side by side, whose Gram matrix over the number of pixels is Σ_i b_i G_i over theirs."""
    blended = {}
    for l in features[0]:
        F = [f[l].flatten(1) for f in features]  # C×n_i each
        n = sum(f.shape[1] for f in F)
        blended[l] = torch.cat([(b_i * n / f.shape[1]) ** 0.5 * f for b_i, f in zip(b, F, strict=True)], dim=1)
    return blended


def power_of_gram(F: Tensor) -> float:
    """‖G‖² of features (C×n), G = F Fᵀ / (C·n)."""
    return max(float((gram(F) / F.numel()).square().sum()), 1e-12)


def first_image(I: Tensor, S: Sequence[Tensor], b: Sequence[float], p: NeuralStyle) -> Tensor:
    """What the descent starts from, of the size of I (3×H×W)."""
    if p.start == "content":
        return I
    if p.start == "recolored":
        return torch.stack([b_i * recolored(I, s) for b_i, s in zip(b, S, strict=True)]).sum(0).clamp(0, 1)
    return gray_noise(I, p.seed) if p.start == "noise" else colored_noise(I, S, b, p.seed)


def in_colors_of(I: Tensor, S: Tensor, p: NeuralStyle) -> Tensor:
    """The style image; with original colours, its colours or its luma with mean and covariance of I's."""
    if p.original_colors == "histogram":
        return recolored(S, I)
    if p.original_colors == "luma":
        return recolored(luma(S)[None], luma(I)[None]).expand(3, -1, -1)
    return S


def luma_only(vgg: VGG, tint: Tensor) -> Extract:
    """The network on the luma of a picture whose chroma is `tint`. All channels have one slope, so chroma stays."""

    def extract(image: Tensor, layers: Collection[str]) -> Features:
        return vgg((image - tint).mean(0).expand(3, -1, -1), layers)

    return extract


def in_gamut(O: Tensor, tint: Tensor) -> Tensor:
    """The luma of O, as far as it can be shown with that chroma, and the chroma."""
    return luma(O).clamp(-tint.amin(0), 1 - tint.amax(0)) + tint
