"""The default recipe: the look as a map of colour for each region, found at low resolution, applied at any.

    L(T) = style + content + λ·matting + γ·gamut      of the picture  O = Σ_k m_k T_k(I),  and
           κ·transport of colours + μ·gain + ν·simplicity      of the maps T_k

The unknown is not the picture but the maps (`grade`): smooth, bounded and of few numbers. They can draw no noise, and
no tint drifts through a sky. The start is the simplest grade that takes the colours over (`_grading`); a few steps of
descent on features follow; then the maps are bounded, and applied to the photograph itself (`blend`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from functools import partial

import torch
from torch import Tensor

from photostyle.blend import blend, find_borders, follow
from photostyle.descend import Memory, Steps, walk
from photostyle.energy import Energy, Features
from photostyle.grade import AFFINE, COUNT, SLIDERS, color_map, heights, lattice, modes, prices, slide, split_modes
from photostyle.image import fit, shrink
from photostyle.lattice import ColorMap, find_tone
from photostyle.matting import matting_laplacian
from photostyle.mmd import StyleTerm, style_term
from photostyle.recipes._grading import ENTROPY, LAB, SLIDER_PRICE, Samples, first_grade, graded, take_samples
from photostyle.regions import Regions
from photostyle.terms import color_transport, gain, gamut, matting, power, regional_grams, saturated, simplicity
from photostyle.terms import content as content_term
from photostyle.transport import matrix_power
from photostyle.vgg import VGG


@dataclass(frozen=True)
class Photo:
    """Weights of relative terms: a layer's style is 1 for a picture without features, before its logarithm is taken."""

    size: int = field(
        default=192, metadata={"help": "long side of the finest level, pixels", "min": 32, "draft": 96, "best": 320}
    )
    steps: int = field(default=11, metadata={"help": "iterations over all levels", "min": 1, "draft": 4, "best": 30})
    content_weight: float = field(default=0.0, metadata={"help": "keeps what is shown", "min": 0})
    style_weight: float = field(default=1.5, metadata={"help": "brings the look", "min": 0})
    style_term: StyleTerm = field(default="gram", metadata={"help": "what of the features is compared"})
    matting_weight: float = field(default=50.0, metadata={"help": "keeps it a photograph", "min": 0})
    color_weight: float = field(default=10.0, metadata={"help": "keeps to the style's colours", "min": 0})
    gamut_weight: float = field(default=2.5, metadata={"help": "keeps colours displayable", "min": 0})
    gain_weight: float = field(default=10.0, metadata={"help": "keeps contrast from growing without end", "min": 0})
    simplicity_weight: float = field(default=1.0, metadata={"help": "keeps to what sliders can do", "min": 0})
    unity: float = field(default=0.1, metadata={"help": "how dear it is that regions differ in look", "min": 0})
    leave: float = field(
        default=0.2, metadata={"help": "cost above which a colour of the style need not land anywhere", "min": 1e-3}
    )
    epsilon: float = field(default=1e-5, metadata={"help": "ε of the matting Laplacian", "min": 0})

    CONTENT_LAYER = "relu4_2"
    STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
    SMALL = 448  # long side of the photographs from which all is found
    LEVELS = ((0.5, 0.62), (1.0, 0.38))  # (part of the size, part of the steps)
    COARSEST = 96  # long side: below it the deepest layer sees hardly anything
    LIMIT, MOST = 2.5, 4.0  # slopes of a map: from here on they cost, and this is the end


_SLIDER = 0.3  # of a slider's spread, to a unit of `Search`
_FIRST = 0.01  # the largest change of the first step, in the units of `Search`
_RIDGE = 1e-3  # of modes that the photograph hardly has, times their price


def photo(content: Tensor, style: Tensor, regions: Regions, vgg: VGG, p: Photo) -> Steps:
    """The maps found coarse to fine, then applied at the content's own size (3×H×W, in [0, 1]).

    All but the network's part of it is done on the processor: it is small, and some of it needs float64.
    """
    I, S = (fit(image, p.SMALL).cpu() for image in (content, style))
    regions = regions.fit(I, S)
    borders = find_borders(regions.content, I)
    regions = replace(regions, content=borders.masks, style=follow(regions.style, S))
    samples = take_samples(I, S, regions, vgg)
    search = Search(samples)
    # the start costs what the descent will cost, with simplicity at twice its weight
    λ = 2 * p.simplicity_weight / max(p.color_weight, 1e-6)
    x = search.locate(*first_grade(samples, p.leave, λ, λ * p.unity))
    memory: Memory = ()
    for size, steps in levels(p):
        I_s, S_s = fit(I, size), fit(S, size)
        here = regions.fit(I_s, S_s)
        L = objective(I_s, S_s, here, samples, vgg, p)
        view = View(search, samples, I_s, here.content, vgg)
        if not memory:  # at first: what is no better than the photograph as it is, is no start
            x = min(torch.zeros_like(x), x, key=partial(value_at, L, view))
        place = yield from walk(L, view, x, stage=f"{max(I_s.shape)} px", steps=steps, first=_FIRST, memory=memory)
        x, memory = place.x, place.memory
    return blend(bounded_maps(*search.grade(x), samples, p), content, borders)


def levels(p: Photo) -> list[tuple[int, int]]:
    """Long side and steps of each level."""
    if p.size < 2 * p.COARSEST * 0.8:
        return [(p.size, p.steps)]
    return [(round(scale * p.size), max(1, round(part * p.steps))) for scale, part in p.LEVELS]


def bounded_maps(u: Tensor, c: Tensor, samples: list[Samples], p: Photo) -> list[ColorMap]:
    """The colour maps of a grade (8, K×COUNT×3), none steeper than `MOST`, none with a hue that its style lacks."""
    maps = (color_map(u, c_k).limited(p.MOST) for c_k in c)
    return [map.toned(find_tone(s.style)) for map, s in zip(maps, samples, strict=True)]


def value_at(L: Energy, view: View, x: Tensor) -> float:
    """The energy at x."""
    with torch.no_grad():
        return sum(float(part) for part in L.parts(view(x, L.reads)).values())


def objective(I: Tensor, S: Tensor, regions: Regions, samples: list[Samples], vgg: VGG, p: Photo) -> Energy:
    """The energy of one level, whose photographs and regions (K×h×w) have its size."""
    content_layer = {p.CONTENT_LAYER} if p.content_weight else set()
    with torch.no_grad():
        F_I, F_S = vgg(I, {*content_layer, *p.STYLE_LAYERS}), vgg(S, p.STYLE_LAYERS)
    M_I = {l: shrink(regions.content.to(F_I[l]), F_I[l].shape[1:]) for l in p.STYLE_LAYERS}
    M_S = {l: shrink(regions.style.to(F_S[l]), F_S[l].shape[1:]) for l in p.STYLE_LAYERS}
    # each layer relative to its target
    β = {l: 1 / max(float(regional_grams(F_S[l], M_S[l]).square().sum()), 1e-12) for l in p.STYLE_LAYERS}
    shares = [s.share for s in samples]
    L = (
        p.style_weight * saturated([style_term(p.style_term, F_S, M_S, M_I, {l: β[l]}) for l in p.STYLE_LAYERS])
        + p.matting_weight / I.numel() * matting(matting_laplacian(I, p.epsilon), I)
        + p.gamut_weight * gamut()
        + p.color_weight
        * color_transport([s.goal for s in samples], [s.extra for s in samples], shares, ENTROPY, p.leave, LAB)
        + p.gain_weight * gain(p.LIMIT, shares)
        + p.simplicity_weight * simplicity(prices(), shares, SLIDER_PRICE, p.unity)
    )
    if p.content_weight:
        L += p.content_weight * content_term(F_I, {p.CONTENT_LAYER: 1 / power(F_I[p.CONTENT_LAYER])})
    return L


class Search:
    """The coordinates x in which the descent moves: a grade's sliders u = 0.3 x_u and modes c_k = W_k x_k.

    W_k = (s_k Σ_i φ_i φ_iᵀ / n + ridge)^-½ over region k's samples, of share s_k: a step in any direction changes the
    picture by about as much, however small a region and however rare a colour. x = 0 changes nothing.
    """

    def __init__(self, samples: list[Samples]) -> None:
        self._W = torch.stack([_whitening(s) for s in samples])  # K×COUNT×COUNT

    def grade(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Sliders u (8) and modes c (K×COUNT×3)."""
        u, c = x.split([len(SLIDERS), len(x) - len(SLIDERS)])
        return _SLIDER * u, self._W @ c.view(len(self._W), COUNT, 3)

    def locate(self, u: Tensor, c: Tensor) -> Tensor:
        """The x of that grade."""
        return torch.cat([u / _SLIDER, torch.linalg.solve(self._W, c).flatten()])


def _whitening(s: Samples) -> Tensor:
    B = s.basis.double()
    H = s.share * (B.T @ B / len(B) + _RIDGE * prices().double().diag())
    return matrix_power(H, -0.5).float()


class View:
    """What the energy sees of x: the picture at one size (3×h×w; masks K×h×w), its features, and the maps themselves."""

    def __init__(self, search: Search, samples: list[Samples], image: Tensor, masks: Tensor, vgg: VGG) -> None:
        self._search, self._samples, self._image, self._masks, self._vgg = search, samples, image, masks, vgg
        self._modes = modes(image.flatten(1))  # n×(COUNT − 4)
        self._heights = heights(masks)[:, :, None].expand_as(masks).flatten(1)  # K×n

    def __call__(self, x: Tensor, layers: Collection[str]) -> Features:
        u, c = self._search.grade(x)
        picture = self.picture(u, c)
        maps = {
            "image": picture,
            "sliders": u,
            "modes": c,
            "nodes": torch.stack([lattice(u, c_k) for c_k in c]),
            "samples": torch.cat([graded(s, u, c_k) for s, c_k in zip(self._samples, c, strict=True)], dim=1),
        }
        seen = {layer for layer in layers if layer not in maps}
        return {**self._vgg(picture.to(self._vgg.device), seen), **maps}

    def picture(self, u: Tensor, c: Tensor) -> Tensor:
        """Σ_k m_k T_k(I), 3×h×w."""
        flat, turning = split_modes(c)
        φ = self._modes
        offsets = torch.einsum("nm,kmc->kcn", φ, flat)
        slants = torch.einsum("nm,kmc->kcn", φ[:, AFFINE], turning)
        m = self._masks.flatten(1)[:, None]  # K×1×n
        change = (m * (offsets + self._heights[:, None] * slants)).sum(0)
        return (slide(self._image.flatten(1), u) + change).view_as(self._image)
