"""Li, Wang, Liu & Hou, "Demystifying Neural Style Transfer" (IJCAI 2017, arXiv 1701.01036).

    L = L_content + γ · Σ_k w_k L_k,   L_k = Σ_l MMD²_k(F_l(O), F_l(S)) / Z_k,l

where k goes over kernels, the statistics of batch normalisation, and (not in the paper) the transport between
Gaussians; several weights at once fuse them. In each region by itself; one region is the paper.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Literal

import torch
from torch import Tensor

from photostyle.descend import Optimizer, Steps, descend
from photostyle.image import fit, shrink
from photostyle.mmd import (
    Towards,
    bn_distance,
    distribution_style,
    gaussian_mmd,
    gaussian_transport,
    linear_mmd,
    paired_gaussian_mmd,
    polynomial_mmd,
)
from photostyle.recipes.gatys2016 import noise
from photostyle.regions import Regions
from photostyle.terms import content as content_term
from photostyle.vgg import VGG


@dataclass(frozen=True)
class DiscrepancyStyle:
    """Weights of relative terms: a picture without any features costs 1 in each; Z is so chosen, α is 1."""

    size: int = field(default=512, metadata={"help": "long side of the result, pixels", "min": 16, "draft": 256})
    steps: int = field(default=500, metadata={"help": "iterations of the descent", "min": 1, "draft": 200})
    balance: float = field(default=10.0, metadata={"help": "γ, style against content", "min": 0})
    linear_weight: float = field(default=0.0, metadata={"help": "kernel xᵀy: means", "min": 0})
    poly_weight: float = field(default=0.0, metadata={"help": "kernel (xᵀy + c)^d: Gram matrices", "min": 0})
    gaussian_weight: float = field(default=1.0, metadata={"help": "kernel exp(−‖x − y‖² / 2σ²)", "min": 0})
    bn_weight: float = field(default=0.0, metadata={"help": "mean and standard deviation of channels", "min": 0})
    w2_weight: float = field(default=0.0, metadata={"help": "transport between Gaussians", "min": 0})
    degree: int = field(default=2, metadata={"help": "d of the polynomial kernel", "min": 2, "max": 5})
    offset: float = field(default=0.0, metadata={"help": "c of it, relative to E‖y‖² of the style", "min": 0})
    bandwidth: float = field(
        default=1.0, metadata={"help": "σ of the Gaussian kernel, relative to √E‖y‖² of the style", "min": 0.01}
    )
    gaussian: Literal["fourier", "pairs"] = field(
        default="fourier", metadata={"help": "how its MMD is estimated; pairs: as in the paper"}
    )
    start: Literal["noise", "content"] = field(default="noise", metadata={"help": "the first image"})
    optimizer: Optimizer = field(default="lbfgs", metadata={"help": "method of descent"})
    seed: int = field(default=0, metadata={"help": "seed of the noise and of the pairs", "min": 0})

    CONTENT_LAYER = "relu4_2"
    STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")

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
    """L = L_content + γ Σ_k w_k L_k by gradient descent on the pixels; the result has the size of the descent."""
    I = fit(content, p.size)
    S = fit(style, p.size)
    regions = regions.fit(I, S)
    with torch.no_grad():
        F_I, F_S = vgg(I, {p.CONTENT_LAYER, *p.STYLE_LAYERS}), vgg(S, p.STYLE_LAYERS)
    M_I = {l: shrink(regions.content, F_I[l].shape[1:]) for l in p.STYLE_LAYERS}
    M_S = {l: shrink(regions.style, F_S[l].shape[1:]) for l in p.STYLE_LAYERS}
    L = content_term(F_I, {p.CONTENT_LAYER: 1 / float(F_I[p.CONTENT_LAYER].square().mean())})
    for name, (w, towards) in p.distances().items():
        each = p.balance * w / len(p.STYLE_LAYERS)
        L += distribution_style(name, towards, F_S, M_S, M_I, dict.fromkeys(p.STYLE_LAYERS, each))
    O = I if p.start == "content" else noise(I, p.seed)
    O = yield from descend(L, vgg, O, stage="style", steps=p.steps, optimizer=p.optimizer)
    return O.clamp(0, 1)
