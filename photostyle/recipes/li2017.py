"""Li, Wang, Liu & Hou, "Demystifying Neural Style Transfer" (IJCAI 2017, arXiv 1701.01036).

    L = L_content + γ · Σ_k w_k L_k,   L_k = Σ_l MMD²_k(F_l(O), F_l(S)) / Z_k,l

where k goes over kernels, the statistics of batch normalisation, and (not in the paper) the transport between
Gaussians; several weights at once fuse them. In each region by itself; one region is the paper.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from torch import Tensor

from photostyle.descent.descend import Optimizer, descend
from photostyle.descent.spectrum import SpectrumMetric
from photostyle.descent.steps import Steps
from photostyle.image import fit, resize, shrink
from photostyle.network.vgg import VGG
from photostyle.recipes._gatys_settings import CONTENT, Levels, layer_weights, level_sizes, shared_steps
from photostyle.recipes._starts import finer, gray_noise, mixed_colors
from photostyle.recipes._strokes import in_strokes
from photostyle.recipes.pitie2007 import linear_map
from photostyle.recipes.settings import setting
from photostyle.regions.recolor import match_colors
from photostyle.regions.regions import Regions
from photostyle.terms.content import content as content_term
from photostyle.terms.content import power
from photostyle.terms.energy import Energy
from photostyle.terms.mmd import (
    Towards,
    bn_distance,
    distribution_style,
    gaussian_mmd,
    gaussian_transport,
    linear_mmd,
    paired_gaussian_mmd,
    polynomial_mmd,
)
from photostyle.terms.smoothness import smoothness


@dataclass(frozen=True)
class DiscrepancyStyle(Levels):
    """Weights of relative terms: a picture without any features costs 1 in each; Z is so chosen, α is 1."""

    balance: float = setting(20.0, "γ, style against content", least=0)
    style_layers: str = setting(
        "relu1_1,relu2_1,relu3_1,relu4_1,relu5_1",
        "layers whose features are matched, with weights: relu3_1,relu4_1:0.5",
    )
    variation_weight: float = setting(1.0, "of total variation: smooths grain", least=0)
    chroma_weight: float = setting(30.0, "of the variation of chroma", least=0)
    linear_weight: float = setting(0.0, "kernel xᵀy: means", least=0)
    poly_weight: float = setting(0.0, "kernel (xᵀy + c)^d: Gram matrices", least=0)
    gaussian_weight: float = setting(1.0, "kernel exp(−‖x − y‖² / 2σ²)", least=0)
    bn_weight: float = setting(0.0, "mean and standard deviation of channels", least=0)
    w2_weight: float = setting(0.0, "transport between Gaussians", least=0)
    degree: int = setting(2, "d of the polynomial kernel", least=2, most=5)
    offset: float = setting(0.0, "c of it, relative to E‖y‖² of the style", least=0)
    bandwidth: float = setting(1.0, "σ of the Gaussian kernel, relative to √E‖y‖² of the style", least=0.01)
    gaussian: Literal["fourier", "pairs"] = setting("fourier", "how its MMD is estimated; pairs: as in the paper")
    start: Literal["recolored", "content", "noise"] = setting(
        "recolored", "the first image: the content in the style's colours or its own, or noise"
    )
    optimizer: Optimizer = setting("lbfgs", "method of descent")
    seed: int = setting(0, "seed of the noise and of the pairs", least=0)

    CONTENT_LAYER = "relu4_2"

    def distances(self) -> dict[str, tuple[float, Towards]]:
        """Term name → its weight and its distance, of those with a weight."""
        gaussian: Towards = partial(gaussian_mmd, bandwidth=self.bandwidth)
        if self.gaussian == "pairs":
            gaussian = partial(paired_gaussian_mmd, bandwidth=self.bandwidth, seed=self.seed)
        terms: dict[str, tuple[float, Towards]] = {
            "linear": (self.linear_weight, linear_mmd),
            "polynomial": (self.poly_weight, partial(polynomial_mmd, degree=self.degree, offset=self.offset)),
            "gaussian": (self.gaussian_weight, gaussian),
            "bn": (self.bn_weight, bn_distance),
            "w2": (self.w2_weight, gaussian_transport),
        }
        return {name: term for name, term in terms.items() if term[0]}


def discrepancy_style(content: Tensor, style: Tensor, regions: Regions, vgg: VGG, p: DiscrepancyStyle) -> Steps:
    """L = L_content + γ Σ_k w_k L_k by gradient descent on the pixels, coarse to fine; at most `p.size` large.

    What is larger than `p.sketch` is rendered after it. Raises SettingsError where layers or their weights cannot be
    read, ImageError if a side of a style to render with is under 8 pixels.
    """
    w = layer_weights("style_layers", p.style_layers)
    whole = fit(content, p.size)
    finest = fit(whole, p.sketch)
    vgg = vgg.mirroring()
    O = None
    sizes = level_sizes(max(finest.shape), p.levels)
    for size, steps in zip(sizes, shared_steps(p.steps, len(sizes)), strict=True):
        I, S = fit(content, size), fit(style, size)
        here = regions.fit(I, S)
        first = first_image(I, S, here, p)
        if O is None:
            O = first
        elif p.manner == "pattern":
            O = resize(O, I.shape[1:])
        else:
            O = finer(O, first)
        L = objective(I, S, here, w, vgg, p)
        metric = SpectrumMetric(I.shape[1:], mixed_colors([S], [1.0])[1]) if p.optimizer == "lbfgs" else None
        O = yield from descend(L, vgg, O, stage=f"{size} px", steps=steps, optimizer=p.optimizer, metric=metric)
    assert O is not None
    O = O.clamp(0, 1)
    if finest.shape == whole.shape:
        return O
    maps = (regions.style, regions.content) if len(regions.names) > 1 else None
    return (yield from in_strokes(O, style, (whole.shape[1], whole.shape[2]), p.seed, maps))


def objective(I: Tensor, S: Tensor, regions: Regions, w: Mapping[str, float], vgg: VGG, p: DiscrepancyStyle) -> Energy:
    """The energy of one level, whose photographs and regions (K×h×w) have its size; w are the weights of layers."""
    with torch.no_grad():
        F_I, F_S = vgg(I, {p.CONTENT_LAYER, *w}), vgg(S, w)
    M_I = {l: shrink(regions.content, F_I[l].shape[1:]) for l in w}
    M_S = {l: shrink(regions.style, F_S[l].shape[1:]) for l in w}
    L = CONTENT[p.manner] * content_term(F_I, {p.CONTENT_LAYER: 1 / power(F_I[p.CONTENT_LAYER])})
    for name, (w_k, towards) in p.distances().items():
        L += distribution_style(name, towards, F_S, M_S, M_I, {l: p.balance * w_k * w_l for l, w_l in w.items()})
    return L + smoothness(I.numel(), p.variation_weight, p.chroma_weight)


def first_image(I: Tensor, S: Tensor, regions: Regions, p: DiscrepancyStyle) -> Tensor:
    """What the descent starts from, of the size of I (3×H×W)."""
    if p.start == "recolored":
        return match_colors(I, S, regions, linear_map)
    return I if p.start == "content" else gray_noise(I, p.seed)
