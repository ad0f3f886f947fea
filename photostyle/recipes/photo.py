"""The default recipe: the look as a map of colour for each region, found at low resolution, applied at any.

    L(T) = style + content + λ·matting + γ·gamut      of the picture  O = Σ_k m_k T_k(I),  and
           κ·transport of colours + μ·gain + ν·simplicity      of the maps T_k

The unknown is not the picture but the maps (`grade`): smooth, bounded and of few numbers. They can draw no noise, and
no tint drifts through a sky. The start is the simplest grade that takes the colours over (`grading`); a few steps of
descent on features follow; then the maps are bounded, and applied to the photograph itself (`blend`).
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import torch
from torch import Tensor

from photostyle.descent.descend import walk
from photostyle.descent.steps import Step, Steps
from photostyle.image import fit, shrink
from photostyle.maps.blend import BORDER, SURFACE, RegionalMaps, find_borders
from photostyle.maps.grade import color_map, heights_in, prices
from photostyle.maps.lattice import ColorMap
from photostyle.maps.restrain import restrained
from photostyle.maps.settle import settled
from photostyle.maps.tone import find_tone
from photostyle.matting.laplacian import matting_laplacian
from photostyle.matting.render import feather
from photostyle.network.vgg import VGG
from photostyle.recipes._people import with_natural_skin
from photostyle.recipes._search import Search, View, value_of
from photostyle.recipes.grading import (
    SLIDER_PRICE,
    Samples,
    first_modes,
    first_sliders,
    nearest_sliders,
    need,
    take_samples,
    transport,
)
from photostyle.recipes.settings import setting
from photostyle.regions.regions import Regions
from photostyle.terms.content import content as content_term
from photostyle.terms.content import power
from photostyle.terms.energy import Energy
from photostyle.terms.grades import gain, simplicity
from photostyle.terms.gram import regional_grams, saturated
from photostyle.terms.mmd import StyleTerm, style_term
from photostyle.terms.photorealism import gamut, matting


@dataclass(frozen=True)
class Photo:
    """Weights of relative terms: a layer's style is 1 for a picture without features, before its logarithm is taken."""

    size: int = setting(256, "long side of the finest level, pixels", least=32, draft=96, best=384)
    steps: int = setting(7, "iterations over all levels", least=1, draft=3, best=20)
    content_weight: float = setting(0.0, "keeps what is shown", least=0)
    style_weight: float = setting(3.0, "brings the look", least=0)
    style_term: StyleTerm = setting("gram", "what of the features is compared")
    matting_weight: float = setting(300.0, "keeps it a photograph", least=0)
    color_weight: float = setting(10.0, "keeps to the style's colours", least=0)
    gamut_weight: float = setting(2.5, "keeps colours displayable", least=0)
    gain_weight: float = setting(2.0, "keeps contrast from growing without end", least=0)
    simplicity_weight: float = setting(1.0, "keeps to what sliders can do", least=0)
    unity: float = setting(0.1, "how much it costs that regions differ in look", least=0)
    leave: float = setting(0.4, "cost above which a colour of the style need not land anywhere", least=1e-3)
    epsilon: float = setting(1e-5, "ε of the matting Laplacian", least=0)
    skin: Literal["natural", "free"] = setting("natural", "whether faces and skin keep their hue, or go with the look")

    CONTENT_LAYER = "relu4_2"
    STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
    SMALL = 448  # long side of the photographs from which all is found
    COARSEST = 96  # long side: below it the deepest layer sees hardly anything
    LIMIT, MOST = 1.5, 4.0  # slopes of a map: from here on they cost, and this is the end

    MOST_NEED = 2.5  # of `grading.need` that counts
    FREEDOM = 3  # simplicity goes with the need to minus this power
    TIMID = 0.03  # of the weight of style, where nothing is asked for that sliders cannot give
    FAR = 1.0  # norm of sliders: by so much an editor's hand changes a photograph, all in all
    FARTHEST = 1.5  # in one light: beyond it the whole of a photograph is asked for more than an edit
    SHARED = 4  # unity goes with what is asked for to minus this power
    COLOR_STEPS = 6  # of descent without the network, before the others
    COARSE = 0.4  # of the other steps, at the coarsest level
    FIRST = 0.01  # the largest change of a first step, in the units of `Search`


def photo(content: Tensor, style: Tensor, regions: Regions, vgg: VGG, p: Photo) -> Steps:
    """The maps that `photo_maps` finds, applied at the content's own size (3×H×W, in [0, 1])."""
    found = yield from photo_maps(content, style, regions, vgg, p)
    return found.apply(content)


def photo_maps(
    content: Tensor, style: Tensor, regions: Regions, vgg: VGG, p: Photo
) -> Generator[Step, None, RegionalMaps]:
    """The regions' colour maps, found coarse to fine.

    All but the network's part of it is done on the processor: it is small, and some of it needs float64.
    """
    I, S = (fit(image, p.SMALL).cpu() for image in (content, style))
    regions = regions.fit(I, S)
    given = regions.content
    borders = find_borders(given, I)
    regions = replace(regions, content=borders.masks, style=feather(regions.style, S, S, BORDER, SURFACE))
    samples = take_samples(I, S, regions, vgg)
    search = Search(samples)
    p, u, c = first_grade(samples, p)
    L_colors = color_objective(samples, p)
    x, memory = search.locate(u, c), None
    for size, steps in levels(p):
        I_s, S_s = fit(I, size), fit(S, size)
        here = regions.fit(I_s, S_s)
        view = View(search, samples, I_s, here.content, vgg)
        down = partial(walk, extract=view, first=p.FIRST, picture_of=lambda x, features: features["image"])
        if memory is None:
            place = yield from down(L_colors, x=x, stage="colours", steps=p.COLOR_STEPS, memory=())
            x, memory = place.x, place.memory
        L = L_colors + picture_objective(I_s, S_s, here, vgg, p)
        place = yield from down(L, x=x, stage=f"{max(I_s.shape)} px", steps=steps, memory=memory)
        x, memory = place.x, place.memory
    *maps, common = bounded_maps(*search.grade(x), samples, p)
    found = RegionalMaps(maps, common, regions.names, given, borders)
    return found if p.skin == "free" else with_natural_skin(found, content, I, S)


def first_grade(samples: list[Samples], p: Photo) -> tuple[Photo, Tensor, Tensor]:
    """The settings as this pair asks for them, and the grade to start from: its sliders (8) and modes (K×COUNT×3).

    If sliders alone explain the style, the two photographs are of one light, whatever else they show: then colours
    that are hard to reach are left where they are, and features, which follow what is shown, count for little. The
    more is left unexplained, the freer the maps.

    Little need be left even in two lights: eight sliders bring a grey haze to nearly any clear day, and a sky and a
    land to nearly any other sky and land. But then they go farther than an edit does (`FAR` where regions are several,
    `FARTHEST` where there is one, which two different views of one light may reach), and that counts too. In one light
    regions only tell which colours belong together: the less is asked for, the dearer it is that they differ in look.
    What they pair is of a kind, and so more of its colours must land.
    """
    several = len(samples) > 1
    u = first_sliders(samples)
    left = need(samples, u)
    lack = min(max(1.0, left), p.MOST_NEED)
    far = float(u.norm()) - p.FAR if several else max(0.0, float(u.norm()) - p.FARTHEST)
    asked = min(max(0.0, 2 * (left - 1) + far), 1.0)
    p = replace(
        p,
        style_weight=p.style_weight * (p.TIMID + (1 - p.TIMID) * asked),
        leave=p.leave * (0.125 + (0.875 if several else 0.375) * asked),
        simplicity_weight=p.simplicity_weight * (4 - 3 * asked) / lack**p.FREEDOM,
        unity=p.unity / max(asked**p.SHARED, 1e-3),
    )
    u = nearest_sliders(samples, u, p.leave)
    λ = 2 * p.simplicity_weight / max(p.color_weight, 1e-6)  # twice as dear as in the descent: it goes on from there
    c = first_modes(samples, u, p.leave, λ, λ * p.unity)
    unchanged = torch.zeros_like(u), torch.zeros_like(c)
    # no harm: what is not nearer to the style than the photograph itself, for its price, is no start
    L = color_objective(samples, replace(p, gain_weight=0.0))
    return p, *min(unchanged, (u, c), key=lambda grade: value_of(L, samples, *grade))


def levels(p: Photo) -> list[tuple[int, int]]:
    """Long side and steps of each level."""
    coarse = round(p.COARSE * p.steps)
    if p.size < 1.5 * p.COARSEST or not coarse:
        return [(p.size, p.steps)]
    return [(p.COARSEST, coarse), (p.size, p.steps - coarse)]


def bounded_maps(u: Tensor, c: Tensor, samples: list[Samples], p: Photo) -> list[ColorMap]:
    """The colour maps of a grade (8, K×COUNT×3), and last what they have in common: the mean of the grade.

    None is steeper than `MOST`, none makes a colour that neither photograph has or a hue that its style lacks, and
    none says more of colours that its region lacks than of those that it has.
    """
    shares = torch.tensor([s.share for s in samples])
    grades = [*c, torch.tensordot(shares / shares.sum(), c, dims=1)]
    sides = [(s.colors, heights_in(s.basis), s.style) for s in samples]
    x, h, y = (torch.cat(parts, dim=-1) for parts in zip(*sides, strict=True))
    return [
        settled(restrained(color_map(u, c_k), x, h, y), x).limited(p.MOST).toned(find_tone(y))
        for c_k, (x, h, y) in zip(grades, [*sides, (x, h, y)], strict=True)
    ]


def color_objective(samples: list[Samples], p: Photo) -> Energy:
    """The part of the energy that is of the maps themselves and needs no network."""
    shares = [s.share for s in samples]
    return (
        p.color_weight * transport(samples, p.leave)
        + p.gain_weight * gain(p.LIMIT, shares)
        + p.simplicity_weight * simplicity(prices(), shares, SLIDER_PRICE, p.unity)
    )


def picture_objective(I: Tensor, S: Tensor, regions: Regions, vgg: VGG, p: Photo) -> Energy:
    """The part that is of the picture, at one level, whose photographs and regions (K×h×w) have its size."""
    with torch.no_grad():
        F_I = vgg(I.to(vgg.device), {p.CONTENT_LAYER}) if p.content_weight else {}
        F_S = vgg(S.to(vgg.device), p.STYLE_LAYERS)
    M_I, M_S = (
        {l: shrink(masks.to(vgg.device), vgg.size(l, masks.shape[1:])) for l in p.STYLE_LAYERS}
        for masks in (regions.content, regions.style)
    )
    # each layer relative to its target
    β = {l: 1 / max(float(regional_grams(F_S[l], M_S[l]).square().sum()), 1e-12) for l in p.STYLE_LAYERS}
    L = (
        p.style_weight * saturated([style_term(p.style_term, F_S, M_S, M_I, {l: β[l]}) for l in p.STYLE_LAYERS])
        + p.matting_weight / I.numel() * matting(matting_laplacian(I, p.epsilon), I)
        + p.gamut_weight * gamut()
    )
    if p.content_weight:
        L += p.content_weight * content_term(F_I, {p.CONTENT_LAYER: 1 / power(F_I[p.CONTENT_LAYER])})
    return L
