"""Gatys, Ecker & Bethge, "Image Style Transfer Using Convolutional Neural Networks" (CVPR 2016).

    L = α·L_content + β·Σ_l w_l E_l,   L_content = ½ ‖F(O) − F(I)‖²,   E_l = ‖G_l(O) − G_l(S)‖² / (4 N_l² M_l²)

The style is that of the whole picture: regions are not read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from photostyle.descend import Optimizer, Steps, descend
from photostyle.image import fit
from photostyle.regions import Regions
from photostyle.terms import content as content_term
from photostyle.terms import style as style_term
from photostyle.vgg import VGG


@dataclass(frozen=True)
class NeuralStyle:
    """The numbers of Gatys et al. 2016, section 2 and the caption of figure 3."""

    size: int = field(default=512, metadata={"help": "long side of the result, pixels", "min": 16, "draft": 256})
    steps: int = field(default=500, metadata={"help": "iterations of the descent", "min": 1, "draft": 100})
    content_weight: float = field(default=1.0, metadata={"help": "α", "min": 0})
    style_weight: float = field(default=1e3, metadata={"help": "β", "min": 0})
    content_layer: str = field(default="relu4_2", metadata={"help": "layer whose features are kept"})
    start: Literal["noise", "content"] = field(default="noise", metadata={"help": "the first image"})
    optimizer: Optimizer = field(default="lbfgs", metadata={"help": "method of descent"})
    seed: int = field(default=0, metadata={"help": "seed of the noise", "min": 0})

    STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")


def neural_style(content: Tensor, style: Tensor, regions: Regions, vgg: VGG, p: NeuralStyle) -> Steps:
    """L = α·L_content + β·Σ L_style by gradient descent on the pixels (section 2.3)."""
    I = fit(content, p.size)
    S = fit(style, p.size)
    with torch.no_grad():
        F_I, F_S = vgg(I, {p.content_layer}), vgg(S, p.STYLE_LAYERS)
    # ½ Σ = ½ · count · mean;  1 / (4 N² M²) is in the Gram matrices but for the ¼, and w_l = 1/5
    E_content = content_term(F_I, {p.content_layer: F_I[p.content_layer].numel() / 2})
    E_style = style_term(F_S, dict.fromkeys(p.STYLE_LAYERS, 1 / 4 / len(p.STYLE_LAYERS)))
    L = p.content_weight * E_content + p.style_weight * E_style
    O = I if p.start == "content" else noise(I, p.seed)
    O = yield from descend(L, vgg, O, stage="style", steps=p.steps, optimizer=p.optimizer)
    return O.clamp(0, 1)


def noise(like: Tensor, seed: int) -> Tensor:
    """A mid-grey image with a trace of white noise, of the size of `like`, the same on every device."""
    generator = torch.Generator().manual_seed(seed)
    return (0.45 + 1e-3 * torch.randn(like.shape, generator=generator)).to(like)
