"""Stylisation in closed form: features whitened and coloured region by region, decoded, made a photograph again.

Li, Fang, Yang, Wang, Lu & Yang, "Universal Style Transfer via Feature Transforms" (NIPS 2017, arXiv 1705.08086):
an affine map of the features gives them the style's mean and covariance,

    F̂ = T (F − μ_F) + μ_S,        T Σ_F Tᵀ = Σ_S,        F ← α F̂ + (1 − α) F,

layer by layer, the deepest first, each decoded to an image before the next. Their T is Σ_S^½ Σ_F^-½ (whitening, then
colouring); of all T the one that moves features least is the default here (Lu et al., "A Closed-Form Solution to
Universal Style Transfer", ICCV 2019, arXiv 1906.00668). Li, Liu, Li, Yang & Kautz, "A Closed-form Solution to
Photorealistic Image Stylization" (ECCV 2018, arXiv 1802.06474) transform each region by itself and then smooth by the
affinity of the matting Laplacian; here by local affine maps of the photograph, which is the model behind that affinity.

Their decoders are trained. Without one, the decoder is the linear map from features to colours that fits the two
photographs best: closed form as well.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from photostyle.color.transport import matrix_power
from photostyle.descent.steps import Step, Steps
from photostyle.image import exact, fit, shrink
from photostyle.matting.guided import window_mean
from photostyle.matting.render import apply_maps, feather, fit_maps
from photostyle.network.vgg import VGG
from photostyle.recipes._decoder import Decode, load_decoder
from photostyle.recipes.settings import setting
from photostyle.regions.regions import Regions
from photostyle.solvers.poisson import ScreenedPoisson, solve

Transport = Literal["least", "whitening"]

_RADII = (32, 8, 2)  # of the windows of the affine maps, pixels of the layer
_MARGIN = 16  # pixels added on each side, so that no feature sees the zeros beyond; a multiple of every layer's stride
_BORDER = 3  # pixels by which a region's border may move to follow the photograph's
_SURFACE = 1e-3  # a variance of colour: what varies less is one surface, and no border runs through it
_COLOR_RIDGE = 1e-3  # of the mean variance of colours: they are three, and seldom short of pixels
_STEEPEST = 4.0  # slope of the map of colours: a sky that hardly varies does not get all of a style's contrast
_ROUNDING = 1e-6  # of a feature's square: a variance that is none
_SIGHT = 8  # pixels of a layer that its features look at, to each side
_NOISE = 1e-4  # a variance of colour: that of grain and rounding
_DECODER_RIDGE = 1e-4  # of the mean variance of the features


@dataclass(frozen=True)
class Whitening:
    """Chosen by eye and by measure: the papers' numbers belong to their decoders."""

    size: int = setting(256, "long side at which features are taken, pixels", least=16)
    transport: Transport = setting("least", "move features as little as possible, or whiten and colour as published")
    blend: float = setting(0.5, "α: share of the style in the network's features", least=0, most=1)
    ridge: float = setting(0.1, "part of the features' mean variance that counts as noise", least=1e-6)
    smoothness: float = setting(1e-3, "variance of colour below which detail follows its surroundings", least=1e-8)
    decoder: str = setting("", "file of a trained decoder, .safetensors", is_file=True)

    LAYERS = ("relu2_2", "relu1_2", "image")  # the image is the zeroth layer: it sets the colours


def whitening(content: Tensor, style: Tensor, regions: Regions, vgg: VGG, p: Whitening) -> Steps:
    """Layer by layer, the deepest first; then rendered at the content's own size (3×H×W, in [0, 1]).

    With `p.decoder` its layer takes the place of those above the image. Raises WeightsError if it does not fit.
    """
    trained = load_decoder(p.decoder, vgg) if p.decoder else None
    layers = (trained[0], "image") if trained else p.LAYERS
    I, S = fit(content, p.size), fit(style, p.size)
    O = I
    regions = regions.fit(I, S)
    # a border drawn two pixels off would give a skyline the sky's light
    masks = feather(regions.content, I, I, _BORDER, _SURFACE)
    style_masks = feather(regions.style, S, S, _BORDER, _SURFACE)
    for i, layer in enumerate(layers, start=1):
        F_O, F_S = features(O, vgg, layer), features(S, vgg, layer)
        M_O, M_S = shrink(masks, F_O.shape[1:]), shrink(style_masks, F_S.shape[1:])
        decode = trained[1] if trained and i == 1 else linear_decoder([(F_O, O), (F_S, S)])
        # the network's features go part of the way, as α says; colours, which are sure to be right, all of it
        α, ridge, steepest = (1.0, _COLOR_RIDGE, _STEEPEST) if layer == "image" else (p.blend, p.ridge, math.inf)
        moved = torch.lerp(F_O, move_features(F_O, M_O, F_S, M_S, ridge, p.transport, steepest), α)
        # what the decoder loses it loses on both sides, and so it is not in the change
        change = decode(moved) - decode(F_O)
        seen = shrink(O, change.shape[1:])
        if layer != "image":
            change = evened(change, seen, shrink(masks, change.shape[1:]))
        O = redraw(O, seen, seen + change, p.smoothness)
        yield Step(layer, i, len(layers), O)
    return redraw(content, I, O, p.smoothness)


def evened(change: Tensor, image: Tensor, masks: Tensor) -> Tensor:
    """A change of colour (3×h×w) in which plain ground has the change that it has far from all that is drawn on it.

    A feature looks some pixels around. Of a sky beside a roof it tells the edge, and that edge's change would be a halo
    in the sky. So of plain pixels of the image (3×h×w) those with much around them have little say, and the change goes
    on along plain ground, within its region (masks K×h×w):

        min Σ ψ ‖D − change‖² + φ ‖∇D‖²,    ψ = (near + noise) / (around + noise),    φ = noise·w² / (‖∇I‖² + noise/w²)

    where near and around are the variances in a window of a pixel and its neighbours, and in one of the width w of a
    feature's sight. Where all is plain, or all has texture, nothing is held back.
    """
    near, around = (
        (window_mean(image.square().sum(0), r) - window_mean(image, r).square().sum(0)).clamp(min=0)
        for r in (1, _SIGHT)
    )
    near = -F.max_pool2d(-near[None], 3, 1, 1)[0]  # beside an edge the ground is plain to one side
    ψ = (near + _NOISE) / (around + _NOISE)
    across = _joined(image, masks, 2)
    down = _joined(image, masks, 1)
    A = ScreenedPoisson(ψ, across, down)
    return torch.stack([solve(A, D) for D in change])


def _joined(image: Tensor, masks: Tensor, axis: int) -> Tensor:
    """φ on the edges between neighbours along an axis, cut where regions meet."""
    n = image.shape[axis] - 1
    step = image.diff(dim=axis).square().sum(0)
    together = (masks.narrow(axis, 1, n) * masks.narrow(axis, 0, n)).sum(0)
    return together * _NOISE * _SIGHT**2 / (step + _NOISE / _SIGHT**2)


def redraw(photograph: Tensor, before: Tensor, after: Tensor, ridge: float) -> Tensor:
    """The photograph (3×H×W), changed as `after` is against `before` (3×h×w each), by local affine maps.

    Maps are fitted in ever smaller windows, the widest leaning on no change at all: equal images change nothing.
    """
    unchanged = torch.eye(3, 4).to(before)[:, :, None, None].expand(3, 4, *before.shape[1:])
    return apply_maps(fit_maps(after, before, _RADII, ridge, unchanged), photograph)


@torch.no_grad()
def features(image: Tensor, vgg: VGG, layer: str) -> Tensor:
    """C×h×w at that layer (`image`: the 3×H×W image itself), without the dark rim that padding with zeros leaves."""
    padded = F.pad(image[None], [_MARGIN] * 4, mode="replicate")[0]
    stride = 1 if layer == "image" else 2 ** (int(layer[4]) - 1)
    rows, columns = (slice(_MARGIN // stride, _MARGIN // stride - (-side // stride)) for side in image.shape[1:])
    return vgg(padded, {layer})[layer][:, rows, columns]


def move_features(
    content: Tensor,
    masks: Tensor,
    style: Tensor,
    style_masks: Tensor,
    ridge: float,
    transport: Transport,
    steepest: float = math.inf,
) -> Tensor:
    """Features (C×h×w) with the mean and covariance of the style's (C×h'×w') in each region, blended by the masks.

    Masks K×h×w, adding up to 1, and K×h'×w'; a pixel counts by its share in the region. A region without mass on
    either side stays as it is.
    """
    X, Y = content.flatten(1), style.flatten(1)
    moved = torch.zeros_like(X)
    for m, n in zip(masks.flatten(1), style_masks.flatten(1), strict=True):
        here = m > 0
        if m.sum() > 0 and n.sum() > 0:
            given = *moments(X[:, here], m[here]), *moments(Y[:, n > 0], n[n > 0])
            T, b = feature_map(*given, ridge, transport, steepest)
            moved[:, here] += m[here] * (T.to(X) @ X[:, here] + b.to(X)[:, None])
        else:
            moved += m * X
    return moved.view_as(content)


def moments(X: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Weighted mean (C) and covariance (C×C) of features C×n, in float64 from here on."""
    w = weights / weights.sum()
    μ = X @ w
    D = X - μ[:, None]
    return exact(μ), exact((D * w) @ D.T)


def feature_map(
    μ: Tensor, Σ: Tensor, ν: Tensor, Σ_S: Tensor, ridge: float, transport: Transport, steepest: float = math.inf
) -> tuple[Tensor, Tensor]:
    """T (C×C) and b (C), so that T x + b has mean ν and covariance Σ_S where x has μ and Σ.

    `ridge` times the mean variance of both is added to both covariances. So a region of fewer pixels than channels,
    of one pixel or of one colour has a map as well, and what does not vary is not stretched into noise; nor is any
    direction stretched more than `steepest` times.
    """
    unit = float((Σ.diagonal() + Σ_S.diagonal()).mean() + _ROUNDING * (μ.square() + ν.square()).mean()) / 2 + 1e-12
    grain = ridge * torch.eye(len(Σ)).to(Σ)
    Σ, Σ_S = Σ / unit + grain, Σ_S / unit + grain
    inverse = matrix_power(Σ, -0.5)
    if transport == "whitening":
        T = matrix_power(Σ_S, 0.5) @ inverse
    else:
        root = matrix_power(Σ, 0.5)
        T = inverse @ matrix_power(root @ Σ_S @ root, 0.5) @ inverse
    U, slopes, V = torch.linalg.svd(T)
    T = U * slopes.clamp(max=steepest) @ V
    return T, ν - T @ μ


def linear_decoder(pairs: list[tuple[Tensor, Tensor]]) -> Decode:
    """The affine map from features (C×h×w) to colours that fits all pairs (features, 3×H×W image) best.

    Images are reduced to the size of their features. Ridge regression; the mean colour is exact.
    """
    X = torch.cat([f.flatten(1) for f, _ in pairs], dim=1)
    Y = torch.cat([shrink(image, f.shape[1:]).flatten(1) for f, image in pairs], dim=1)
    μ, ν = X.mean(1, keepdim=True), Y.mean(1, keepdim=True)
    D = X - μ
    Σ = exact(D @ D.T) / D.shape[1]
    Σ += (_DECODER_RIDGE * Σ.diagonal().mean() + 1e-12) * torch.eye(len(Σ)).to(Σ)
    A = torch.linalg.solve(Σ, exact(D @ (Y - ν).T) / D.shape[1]).T.to(X)
    return lambda f: (A @ (f.flatten(1) - μ) + ν).view(3, *f.shape[1:])
