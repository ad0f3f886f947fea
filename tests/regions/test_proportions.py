"""Regions that share one look: what counts for how much, and that every recipe gains by it or is unharmed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from photostyle._transfer import transfer
from photostyle.maps.grade import slide
from photostyle.recipes import RECIPES
from photostyle.regions.counted import counted
from photostyle.regions.regions import Regions

masks = st.builds(
    lambda seed, count, total: total * torch.softmax(3 * torch.randn(count, 12, 10, generator=_seeded(seed)), dim=0),
    st.integers(0, 2**16),
    st.integers(1, 4),
    st.floats(0.05, 1),
)


def _seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@settings(deadline=None)  # the first takes as long as torch takes to start
@given(masks)
def test_as_many_places_are_taken_as_count(m: Tensor) -> None:
    taken = counted(m)
    assert int(taken.sum(0).max()) <= 1
    total = m.sum(0)
    own = m > 0.5 * total
    assert bool((own | ~taken).all())
    wanted = (own * total).flatten(1).double().sum(1)
    assert bool(((taken.flatten(1).sum(1) - wanted).abs() <= 0.5 + 1e-6).all())


@settings(deadline=None)  # the first takes as long as torch takes to start
@given(masks)
def test_of_hard_masks_every_place_is_taken(m: Tensor) -> None:
    hard = torch.zeros_like(m).scatter(0, m.argmax(0, keepdim=True), 1)
    assert torch.equal(counted(hard), hard > 0)


@settings(deadline=None)  # the first takes as long as torch takes to start
@given(masks, st.integers(0, 2**16))
def test_each_part_of_the_style_counts_as_much_as_it_is_of_the_content(m: Tensor, seed: int) -> None:
    here = torch.softmax(torch.randn(len(m), 8, 14, generator=_seeded(seed)), dim=0)
    regions = Regions(tuple(map(str, range(len(m)))), here, m, one_look=True)
    one = regions.in_proportion()
    assert one.names == ("all",) and not one.one_look and torch.equal(one.content, torch.ones(1, 8, 14))
    ratio = one.style.sum() / here.mean((1, 2)).sum()
    weights = here.mean((1, 2)) / m.mean((1, 2))
    parts = (weights / weights.max())[:, None, None] * m  # of what a pixel counts, each region's part
    torch.testing.assert_close(parts.sum(0, keepdim=True), one.style)
    torch.testing.assert_close(parts.sum((1, 2)), ratio * here.mean((1, 2)), rtol=1e-4, atol=1e-5)


def landscape(sky: float, seed: int) -> tuple[Tensor, Tensor]:
    """A photograph (3×72×96) whose sky is so large a part of it, over dark land, both textured; and its masks."""
    top = torch.zeros(72, 96)
    top[: round(72 * sky)] = 1
    noise = F.interpolate(torch.randn(1, 3, 18, 24, generator=_seeded(seed)), (72, 96))[0]
    blue, green = torch.tensor([0.5, 0.65, 0.85]).view(3, 1, 1), torch.tensor([0.25, 0.3, 0.15]).view(3, 1, 1)
    return (top * (blue + 0.04 * noise) + (1 - top) * (green + 0.1 * noise)).clamp(0, 1), torch.stack([top, 1 - top])


@pytest.mark.usefixtures("small_network")
@pytest.mark.parametrize("recipe", ["photo", "reinhard", "monge-kantorovich", "pitie", "whitening"])
def test_the_edit_of_a_scene_is_found_whatever_each_view_shows_of_it(recipe: str) -> None:
    """Of one scene two views, of which one shows much sky and is edited: the other comes out as if edited so too."""
    (content, ours), (scene, theirs) = landscape(0.3, 0), landscape(0.75, 1)
    edit = 0.7 * torch.tensor([-0.8, 0.5, 0.0, 0.4, 0.3, 0.0, 0.0, 0.5])
    style, truth = (slide(image.flatten(1), edit).view_as(image).clamp(0, 1) for image in (scene, content))
    regions = Regions(("sky", "land"), ours, theirs, one_look=True)
    shared, of_whole = (
        float((transfer(content, style, given, recipe=recipe, device="cpu") - truth).square().mean().sqrt())
        for given in (regions, None)
    )
    assert shared < 0.75 * of_whole


@pytest.mark.parametrize("recipe", [name for name, recipe in RECIPES.items() if recipe.regional])
def test_regions_of_one_look_reach_a_recipe_as_one_unless_it_is_placed(
    monkeypatch: pytest.MonkeyPatch, small_network: None, recipe: str
) -> None:
    given: list[Regions] = []

    def run(content: Tensor, style: Any, regions: Regions, vgg: Any, p: Any) -> Any:
        given.append(regions)
        return content
        yield

    monkeypatch.setitem(RECIPES, recipe, replace(RECIPES[recipe], run=run, maps=None))
    (content, ours), (style, theirs) = landscape(0.3, 0), landscape(0.75, 1)
    for one_look in (True, False):
        transfer(content, style, Regions(("sky", "land"), ours, theirs, one_look=one_look), recipe=recipe, device="cpu")
    shared, own = given
    assert own.names == ("sky", "land")
    assert shared.names == (("sky", "land") if RECIPES[recipe].placed else ("all",))
