"""The default recipe's promises: no change where none is asked for, sliders where sliders are, no hue from nowhere."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from photostyle._transfer import transfer
from photostyle.color.spaces import lab_from_srgb, luma
from photostyle.maps.grade import COUNT, SLIDERS, color_map, prices, slide
from photostyle.network.vgg import VGG
from photostyle.recipes._search import Search, View, value_of
from photostyle.recipes.grading import Samples, _lasso, first_modes, first_sliders, need, take_samples
from photostyle.recipes.photo import Photo, bounded_maps, color_objective, first_grade, levels, picture_objective
from photostyle.regions.regions import Regions
from photostyle.terms.energy import Energy

pytestmark = pytest.mark.usefixtures("small_network")
QUICK = {"size": 64, "steps": 3, "device": "cpu"}


@pytest.fixture
def content(picture) -> Tensor:
    """A photograph of plain ground, texture and light, in levels of 8 bits."""
    I = F.interpolate(picture(12, 16)[None], (72, 96), mode="bicubic")[0].clamp(0, 1)
    I[:, :30] = I[:, :30] * 0.5 + 0.3
    return (255 * I).round().div(255).float()


def samples_of(content: Tensor, style: Tensor, fake_weights, regions: Regions | None = None) -> list[Samples]:
    return take_samples(content, style, regions or Regions.whole(content, style), VGG(fake_weights()))


def halves(H: int, W: int) -> Tensor:
    top = torch.zeros(H, W)
    top[:30] = 1
    return torch.stack([top, 1 - top])


@pytest.mark.parametrize("regional", [False, True])
def test_its_own_style_comes_back_unchanged(content, regional: bool) -> None:
    masks = halves(72, 96)
    regions = Regions(("top", "rest"), masks, masks) if regional else None
    result = transfer(content, content, regions, **QUICK)
    assert torch.equal((255 * result).round(), (255 * content).round())


def test_a_grade_of_sliders_comes_back_as_that(content, fake_weights) -> None:
    u = torch.zeros(8)
    u[SLIDERS.index("exposure")], u[SLIDERS.index("warmth")] = -0.8, 0.5
    style = slide(content.flatten(1), u).view_as(content).clamp(0, 1)
    samples = samples_of(content, style, fake_weights)
    _, found, modes = first_grade(samples, Photo())
    torch.testing.assert_close(found[:3], u[:3], atol=0.2, rtol=0)
    assert need(samples, found) < 1 and not modes.any()
    result = transfer(content, style, **QUICK)
    assert float((result - style).square().mean()) < 0.1 * float((content - style).square().mean())


@pytest.mark.parametrize("regional", [False, True])
def test_an_achromatic_style_gives_an_achromatic_picture(content, regional: bool) -> None:
    style = luma(content.flip(2)).square()[None].expand(3, -1, -1).contiguous()
    masks = halves(72, 96)
    regions = Regions(("top", "rest"), masks, masks) if regional else None
    result = transfer(content, style, regions, **QUICK)
    assert float(lab_from_srgb(result)[1:].norm(dim=0).max()) < 1


@pytest.mark.parametrize("kind", ["noise", "one colour", "black and white", "inverted"])
def test_maps_are_bounded_for_any_style(content, kind: str) -> None:
    style = {
        "noise": torch.rand(content.shape, generator=torch.Generator().manual_seed(0)),
        "one colour": torch.tensor([0.9, 0.1, 0.4]).view(3, 1, 1).expand_as(content).contiguous(),
        "black and white": (luma(content) > 0.45).float()[None].expand_as(content).contiguous(),
        "inverted": 1 - content,
    }[kind]
    result = transfer(content, style, **QUICK)
    step = (content[:, :, 1:] - content[:, :, :-1]).norm(dim=0)
    # within a cell of the lattice a slope is at most that of its edges together
    assert bool(((result[:, :, 1:] - result[:, :, :-1]).norm(dim=0) <= 3**0.5 * Photo.MOST * step + 0.02).all())


def test_painted_borders_bring_no_fringe(fake_weights) -> None:
    """A roof before the sky, which was painted two pixels too low, goes to night: nothing is lighter than both."""
    sky, roof = torch.tensor([0.6, 0.75, 0.95]), torch.tensor([0.35, 0.2, 0.15])
    content, top = torch.empty(3, 60, 80), torch.zeros(60, 80)
    content[:, :30], content[:, 30:] = sky.view(3, 1, 1), roof.view(3, 1, 1)
    top[:32] = 1
    night = torch.empty(3, 60, 80)
    night[:, :32] = torch.tensor([0.05, 0.05, 0.15]).view(3, 1, 1)
    night[:, 32:] = torch.tensor([0.5, 0.4, 0.2]).view(3, 1, 1)
    masks = torch.stack([top, 1 - top])
    result = transfer(content, night, Regions(("sky", "roof"), masks, masks), **QUICK)
    above, below = result[:, 5].mean(1), result[:, 55].mean(1)
    line = below - above
    column = result.mean(2)
    t = ((column - above[:, None]) * line[:, None]).sum(0) / line.square().sum()
    assert float(t.min()) > -0.1 and float(t.max()) < 1.1
    assert bool((t[:28] < 0.15).all()) and bool((t[33:] > 0.85).all())


def test_samples_of_a_small_region_are_enough(picture, fake_weights) -> None:
    I = picture(200, 256, dtype=torch.float32)
    spot = torch.zeros(200, 256)
    spot[100:112, 100:112] = 1
    masks = torch.stack([spot, 1 - spot])
    small, large = samples_of(I, I, fake_weights, Regions(("spot", "rest"), masks, masks))
    assert 100 <= small.colors.shape[1] <= 144 and 500 < large.colors.shape[1] < 1000
    assert small.share == pytest.approx(144 / (200 * 256), rel=0.02)


def test_the_lasso_is_zero_or_the_minimum() -> None:
    generator = torch.Generator().manual_seed(0)
    B = torch.randn(200, COUNT, generator=generator, dtype=torch.float64)
    G, q = B.T @ B / 200, torch.randn(COUNT, 3, generator=generator, dtype=torch.float64)
    assert not _lasso(G, q, 1e4).any()
    λ, price = 0.5, prices().double()[:, None]

    def value(c: Tensor) -> Tensor:
        return (c * (G @ c)).sum() - 2 * (q * c).sum() + λ * (price * c.square()).sum().sqrt()

    c = _lasso(G, q, λ).requires_grad_()
    (slope,) = torch.autograd.grad(value(c), c)
    assert float(slope.abs().max()) < 1e-6 * float(q.abs().max())


def test_dearer_modes_are_smaller(content, fake_weights) -> None:
    style = content.flip(0).square()
    samples = samples_of(content, style, fake_weights)
    u = first_sliders(samples)
    cheap, dear, none = (float(first_modes(samples, u, 0.2, λ, λ).norm()) for λ in (1e-3, 0.1, 1e3))
    assert cheap > dear > none == 0


def test_coordinates_lead_to_the_grade_and_back(content, fake_weights) -> None:
    search = Search(samples_of(content, content.square(), fake_weights))
    generator = torch.Generator().manual_seed(1)
    u, c = torch.randn(8, generator=generator), 0.01 * torch.randn(1, COUNT, 3, generator=generator)
    back = search.grade(search.locate(u, c))
    torch.testing.assert_close(back[0], u)
    torch.testing.assert_close(back[1], c, atol=1e-4, rtol=0)
    nothing = search.grade(torch.zeros_like(search.locate(u, c)))
    assert not nothing[0].any() and not nothing[1].any()


def test_what_the_energy_sees_is_what_is_blended(content, fake_weights) -> None:
    """The picture of a view is that of the maps applied, and its energy is zero at the photograph itself."""
    masks = halves(72, 96)
    regions = Regions(("top", "rest"), masks, masks)
    samples = samples_of(content, content, fake_weights, regions)
    vgg, search = VGG(fake_weights()), Search(samples)
    view = View(search, samples, content, masks, vgg)
    c = 0.01 * torch.randn(2, COUNT, 3, generator=torch.Generator().manual_seed(1))
    c[:, -4:] = 0
    x = search.locate(torch.zeros(8), c)
    seen = view(x, {"image"})["image"]
    u, modes = search.grade(x)
    one, other = (color_map(u, c_k) for c_k in modes)
    torch.testing.assert_close(seen, masks[0] * one(content) + masks[1] * other(content), atol=2e-3, rtol=0)
    # but for colours that no sample has, where the bounded maps are carried on from those that there are
    one, other, _ = bounded_maps(u, modes, samples, Photo())
    torch.testing.assert_close(seen, masks[0] * one(content) + masks[1] * other(content), atol=8e-3, rtol=0)
    L = color_objective(samples, Photo()) + picture_objective(content, content, regions, vgg, Photo())
    zero = torch.zeros_like(x)
    parts = L.parts(view(zero, L.reads))
    assert sum(float(part) for part in parts.values()) < 1e-3
    moved = L.parts(view(x, L.reads))
    assert sum(float(part) for part in moved.values()) > 0.01


def test_every_term_of_the_maps_falls(content, fake_weights) -> None:
    from photostyle.descent.descend import descend

    samples = samples_of(content, content.flip(0).square(), fake_weights)
    search = Search(samples)
    view = View(search, samples, content, torch.ones(1, 72, 96), VGG(fake_weights()))
    whole = color_objective(samples, Photo())
    start = search.locate(torch.full((8,), 2.0), 0.05 * torch.ones(1, COUNT, 3))
    for name in ("color", "gain", "simplicity"):
        L = Energy(tuple(replace(term, weight=1.0) for term in whole.terms if term.name == name))
        before = value_of(L, samples, *search.grade(start))
        steps = descend(L, view, start, stage="s", steps=25)
        try:
            while True:
                next(steps)
        except StopIteration as stop:
            after = value_of(L, samples, *search.grade(stop.value))
        assert 0 <= after < 0.9 * before, name


def test_levels_share_the_steps() -> None:
    assert levels(Photo()) == [(96, 3), (256, 4)]
    assert levels(Photo(size=96, steps=3)) == [(96, 3)]
    assert sum(steps for _, steps in levels(Photo(size=384, steps=20))) == 20
    assert levels(Photo(size=256, steps=1)) == [(256, 1)]


def landscape(sky: float, seed: int) -> tuple[Tensor, Tensor]:
    """A photograph (3×72×96) whose sky is so large a part of it, over dark land, both textured; and its masks."""
    top = torch.zeros(72, 96)
    top[: round(72 * sky)] = 1
    noise = F.interpolate(torch.randn(1, 3, 18, 24, generator=torch.Generator().manual_seed(seed)), (72, 96))[0]
    blue, green = torch.tensor([0.5, 0.65, 0.85]).view(3, 1, 1), torch.tensor([0.25, 0.3, 0.15]).view(3, 1, 1)
    return (top * (blue + 0.04 * noise) + (1 - top) * (green + 0.1 * noise)).clamp(0, 1), torch.stack([top, 1 - top])


@pytest.mark.parametrize(("here", "there"), [(0.3, 0.7), (0.7, 0.3), (0.5, 0.5)])
def test_regions_of_one_light_have_one_look(fake_weights, here: float, there: float) -> None:
    """Two views of one scene, one of them edited: the other comes out as that edit would leave it, sky and land."""
    (content, ours), (scene, theirs) = landscape(here, 0), landscape(there, 1)
    edit = 0.7 * torch.tensor([-0.8, 0.5, 0.0, 0.4, 0.3, 0.0, 0.0, 0.5])
    style, truth = (slide(image.flatten(1), edit).view_as(image).clamp(0, 1) for image in (scene, content))
    regions = Regions(("sky", "land"), ours, theirs)
    error, of_whole = (
        float((transfer(content, style, given, **QUICK) - truth).square().mean().sqrt()) for given in (regions, None)
    )
    assert error < 0.02 and error < of_whole + 0.002
    settings, _, modes = first_grade(samples_of(content, style, fake_weights, regions), Photo())
    assert settings.unity > 10 and torch.equal(modes[0], modes[1])


def test_regions_of_two_lights_have_a_look_each(fake_weights) -> None:
    (content, masks), (night, _) = landscape(0.5, 0), landscape(0.5, 1)
    night = torch.where(masks[0] > 0.5, night * torch.tensor([0.1, 0.1, 0.3]).view(3, 1, 1), night.flip(0) + 0.3)
    settings, _, modes = first_grade(
        samples_of(content, night, fake_weights, Regions(("sky", "land"), masks, masks)), Photo()
    )
    assert settings.unity == Photo().unity and settings.leave == Photo().leave
    assert not torch.equal(modes[0], modes[1])


@pytest.mark.parametrize(("strength", "bold"), [(1.0, False), (4.5, True)])
def test_an_edit_that_goes_too_far_is_another_light(fake_weights, strength: float, bold: bool) -> None:
    """Sliders explain night and day of one view alike: how far they go tells one light from two."""
    content = landscape(0.5, 0)[0]
    edit = strength * torch.tensor([-0.9, -0.3, 0.0, 0.3, 0.0, 0.0, 0.0, 0.0])
    style = slide(content.flatten(1), edit).view_as(content).clamp(0, 1)
    samples = samples_of(content, style, fake_weights, Regions.whole(content, style))
    assert need(samples, first_sliders(samples)) < 1
    settings, _, _ = first_grade(samples, Photo())
    assert (settings.style_weight > 0.1 * Photo().style_weight) is bold
