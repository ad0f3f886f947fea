"""Automatic regions: scenes with known regions, what dividing them costs, and photographs with nothing to divide."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from scipy.sparse import coo_array
from torch import Tensor

from photostyle.color.spaces import lab_from_srgb, linear_from_srgb, srgb_from_linear
from photostyle.errors import RegionsError, SettingsError
from photostyle.image import shrink
from photostyle.network.vgg import VGG
from photostyle.network.weights import Weights, load_weights
from photostyle.regions.regions import Regions
from photostyle.segment import find as segment
from photostyle.segment import search
from photostyle.segment.cells import Cells, _likeness, look
from photostyle.segment.judge import Judge, _across
from photostyle.segment.masks import without_islands
from photostyle.segment.partitions import Labels, _alone, least_share, partitions, sky_and_land
from photostyle.segment.proportions import in_other_proportions
from photostyle.segment.refine import refine_masks
from photostyle.segment.search import common_regions
from photostyle.segment.traits import find_traits

Scene = Callable[..., Tensor]
Picture = Callable[..., Tensor]
FakeWeights = Callable[..., Weights]


@pytest.fixture
def weights(fake_weights: FakeWeights) -> Weights:
    return fake_weights()


@pytest.fixture
def scene() -> Scene:
    """`scene(H, W, horizon, sky, land)`: flat sky over textured land; the horizon is a share of the height."""

    def make(height: int, width: int, horizon: float, sky: float, land: float, seed: int = 0) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        image = torch.full((3, height, width), sky)
        rows = round(horizon * height)
        texture = 0.3 * (torch.rand(1, height - rows, width, generator=generator) - 0.5)
        image[:, rows:] = (land + texture) * torch.tensor([0.8, 1.0, 0.6])[:, None, None]
        return image.clamp(0, 1)

    return make


def assert_partition(regions: Regions, content: Tensor, style: Tensor) -> None:
    for masks, image in ((regions.content, content), (regions.style, style)):
        assert masks.shape[1:] == image.shape[1:]
        assert set(masks.unique().tolist()) <= {0.0, 1.0}
        assert torch.equal(masks.sum(0), torch.ones(image.shape[1:]))


def overlap(mask: Tensor, rows: slice) -> float:
    """IoU of a mask and a band of rows."""
    band = torch.zeros_like(mask)
    band[rows] = 1
    return float((mask * band).sum() / torch.maximum(mask, band).sum())


def test_sky_is_sky_on_both_sides(weights: Weights, scene: Scene) -> None:
    """With another horizon and other proportions; to two cells, with an untrained network."""
    content, style = scene(160, 240, 0.4, sky=0.9, land=0.5), scene(200, 160, 0.6, sky=0.8, land=0.45, seed=1)
    regions = common_regions(content, style, weights, count=2)
    assert regions.names == ("region 1", "region 2") and regions.notes == ()
    assert_partition(regions, content, style)
    sky = int(regions.content[:, 0, 0].argmax())
    assert overlap(regions.content[sky], slice(0, 64)) > 0.75
    assert overlap(regions.style[sky], slice(0, 120)) > 0.75


def test_the_same_photograph_twice_has_the_same_regions_twice(weights: Weights, picture: Picture) -> None:
    image = picture(150, 190, dtype=torch.float32)
    regions = common_regions(image, image, weights, count=3)
    assert len(regions.names) == 3
    assert torch.equal(regions.content, regions.style)
    again = common_regions(image, image, weights, count=3)
    assert torch.equal(regions.content, again.content) and torch.equal(regions.style, again.style)


@pytest.mark.parametrize("count", [1, 3, 8])
def test_as_many_as_asked_for_largest_first(weights: Weights, picture: Picture, count: int) -> None:
    content, style = picture(200, 260, dtype=torch.float32), picture(240, 200, seed=1, dtype=torch.float32)
    regions = common_regions(content, style, weights, count=count)
    assert 1 < len(regions.names) <= count or len(regions.names) == count == 1
    assert (regions.notes == ()) == (len(regions.names) == count)
    assert_partition(regions, content, style)
    areas = [sum(shares) for shares in regions.shares]
    assert areas == sorted(areas, reverse=True)


@pytest.mark.parametrize("count", [0, -1, 9])
def test_a_count_out_of_range(weights: Weights, count: int) -> None:
    image = torch.zeros(3, 16, 16)
    with pytest.raises(SettingsError, match=f"counted from 1 to 8, not {count}"):
        common_regions(image, image, weights, count=count)


def test_nothing_to_divide_in_a_single_colour(weights: Weights, scene: Scene) -> None:
    plain, other = torch.full((3, 100, 140), 0.4), scene(100, 100, 0.5, 0.9, 0.4)
    for content, style in ((plain, plain), (plain, other), (other, plain)):
        for count, said in ((4, "Found 1 of 4 regions"), (None, "No regions are common")):
            regions = common_regions(content, style, weights, count=count)
            assert regions.names == ("all",)
            (note,) = regions.notes
            assert note.startswith(said)
            assert_partition(regions, content, style)


@pytest.mark.parametrize(
    ("one", "other"),
    [((1, 1), (1, 1)), ((8, 8), (9, 30)), ((17, 16), (100, 100)), ((4, 900), (900, 3)), ((2, 3000), (60, 60))],
)
def test_tiny_and_extreme_photographs(
    weights: Weights, picture: Picture, one: tuple[int, int], other: tuple[int, int]
) -> None:
    content, style = picture(*one, dtype=torch.float32), picture(*other, seed=1, dtype=torch.float32)
    for count in (8, None):
        regions = common_regions(content, style, weights, count=count)
        assert 1 <= len(regions.names) <= 8
        assert_partition(regions, content, style)


def test_a_large_photograph_keeps_its_size(weights: Weights, scene: Scene) -> None:
    content, style = scene(701, 999, 0.4, 0.9, 0.5), scene(333, 500, 0.5, 0.1, 0.4)
    regions = common_regions(content, style, weights, count=2)
    assert_partition(regions, content, style)
    sky = int(regions.content[:, 0, 0].argmax())
    assert overlap(regions.content[sky], slice(0, round(0.4 * 701))) > 0.85


# --- first, do no harm -----------------------------------------------------------------------------------


def test_one_change_of_exposure_needs_no_regions(weights: Weights, scene: Scene) -> None:
    """The same scene a stop darker is taken as a whole, and it is said; regions are there for who needs them."""
    content = scene(160, 240, 0.4, sky=0.8, land=0.5)
    style = srgb_from_linear(linear_from_srgb(scene(160, 240, 0.4, sky=0.8, land=0.5, seed=1)) / 2)
    regions = common_regions(content, style, weights)
    assert regions.names == ("all",)
    (note,) = regions.notes
    assert note.endswith("they are taken as a whole.")
    assert len(common_regions(content, style, weights, needed=True).names) > 1


@pytest.fixture
def bright_is_sky(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is brighter than a middle grey is taken for the sky."""

    def sky_of(features: Any, image: Tensor) -> Tensor:
        return (shrink(image, features["relu4_3"].shape[1:]).mean(0) > 0.55).float()

    monkeypatch.setattr("photostyle.segment.cells.sky_of", sky_of)


@pytest.mark.parametrize("harmless", [True, False])
def test_sky_goes_to_sky_where_that_does_no_harm(
    bright_is_sky: None, monkeypatch: pytest.MonkeyPatch, weights: Weights, scene: Scene, harmless: bool
) -> None:
    monkeypatch.setattr(Judge, "gains", lambda self, labels, cost: False)
    monkeypatch.setattr(Judge, "harmless", lambda self, labels: harmless)
    content, style = scene(160, 240, 0.4, 0.9, 0.3), scene(200, 160, 0.6, 0.8, 0.25, seed=1)
    regions = common_regions(content, style, weights)
    assert (len(regions.names) == 2 and not regions.one_look) == harmless
    if harmless:
        sky = int(regions.content[:, 0, 0].argmax())
        assert overlap(regions.content[sky], slice(0, 64)) > 0.85
        assert overlap(regions.style[sky], slice(0, 120)) > 0.85


@pytest.mark.parametrize("horizon", [0.0, 1.0])
def test_without_a_sky_on_both_sides_nothing_is_forced(
    bright_is_sky: None, monkeypatch: pytest.MonkeyPatch, weights: Weights, scene: Scene, horizon: float
) -> None:
    """Neither where there is none, nor where there is nothing else."""
    monkeypatch.setattr(Judge, "gains", lambda self, labels, cost: False)
    monkeypatch.setattr(Judge, "harmless", lambda self, labels: True)
    content, style = scene(160, 240, 0.4, 0.9, 0.3), scene(200, 160, horizon, 0.8, 0.25, seed=1)
    assert len(common_regions(content, style, weights).names) == 1


def test_regions_of_one_light_share_one_look(
    bright_is_sky: None, monkeypatch: pytest.MonkeyPatch, weights: Weights, scene: Scene
) -> None:
    """Two views of one scene, a third darker in one, that show much sky and little: found so, unless asked for."""
    monkeypatch.setattr(Judge, "gains", lambda self, labels, cost: False)
    content = scene(160, 240, 0.25, sky=0.8, land=0.3)
    style = srgb_from_linear(linear_from_srgb(scene(160, 240, 0.7, sky=0.8, land=0.3, seed=1)) / 1.5)
    regions = common_regions(content, style, weights)
    assert regions.one_look and len(regions.names) == 2
    (note,) = regions.notes
    assert "one light" in note
    for sky, there in zip(regions.content, regions.style, strict=True):
        assert float(sky.mean()) == pytest.approx(0.25 if sky[0, 0] else 0.75, abs=0.05)
        assert float(there.mean()) == pytest.approx(0.7 if there[0, 0] else 0.3, abs=0.05)
    assert not common_regions(content, style, weights, count=2).one_look
    assert not common_regions(content, style, weights, needed=True).one_look


def test_only_in_one_light_and_other_proportions_is_a_look_shared(halves: Callable[..., Cells]) -> None:
    """The upper half against three quarters of the style; the same part of both; and greys turned round."""
    part = [(np.arange(192) >= count).astype(np.int64) for count in (96, 144)]
    no_change = torch.zeros(8)
    here, there = halves(0.8, 0.3), halves(0.7, 0.25, 144)
    assert in_other_proportions([part], [here, there], no_change) is part
    assert in_other_proportions([[part[0], part[0]]], [here, halves(0.7, 0.25)], no_change) is None
    assert in_other_proportions([part], [here, halves(0.25, 0.7, 144)], no_change) is None
    thirds = [np.arange(192) // 64] * 2
    assert in_other_proportions([thirds], [here, there], no_change) is None


def test_the_least_share_is_that_of_either_side() -> None:
    ten = np.arange(10)
    assert least_share([(ten > 3).astype(np.int64), (ten > 8).astype(np.int64)]) == pytest.approx(0.1)
    assert least_share([np.zeros(10, np.int64), np.ones(10, np.int64)]) == 0


def test_no_region_is_very_small_unless_regions_are_needed(
    monkeypatch: pytest.MonkeyPatch, weights: Weights, scene: Scene
) -> None:
    monkeypatch.setattr(Judge, "gains", lambda self, labels, cost: True)
    monkeypatch.setattr(search, "partitions", lambda sides, traits: [[_speck(side.grid, 0.03) for side in sides]])
    content, style = scene(160, 240, 0.4, 0.9, 0.3), scene(200, 160, 0.6, 0.8, 0.25, seed=1)
    assert common_regions(content, style, weights).names == ("all",)
    assert len(common_regions(content, style, weights, needed=True).names) == 2


def _speck(grid: tuple[int, int], share: float) -> Labels:
    """The upper left cells, so many of all, are region 1."""
    cells = np.zeros(grid[0] * grid[1], np.int64)
    cells[: round(share * len(cells))] = 1
    return cells


def test_photographs_that_are_near_are_not_parted_by_their_sky(
    bright_is_sky: None, weights: Weights, scene: Scene
) -> None:
    sides = [look(scene(160, 240, 0.4, 0.9, 0.3, seed=n), VGG(weights, pooling="max"), weights) for n in (0, 1)]
    traits = find_traits(sides)
    assert not Judge(sides, traits).harmless(sky_and_land(traits))


def test_little_but_sky_and_no_sky_have_nothing_in_common(
    bright_is_sky: None, weights: Weights, scene: Scene, picture: Picture
) -> None:
    vgg = VGG(weights, pooling="max")
    sky, land = scene(96, 128, 0.9, 0.9, 0.3), 0.5 * picture(96, 128).float()
    sides = [look(image, vgg, weights) for image in (sky, land)]
    traits = find_traits(sides)
    assert [t.share_of_sky for t in traits] == [pytest.approx(0.9, abs=0.05), 0]
    halves = [(np.arange(side.grid[0] * side.grid[1]) % 2).astype(np.int64) for side in sides]
    assert not Judge(sides, traits).gains(halves, -1e6)


def test_two_lights_in_one_photograph_need_regions(weights: Weights, scene: Scene) -> None:
    """A blue sky over red land becomes a red sky over blue land: no change of the whole does that."""
    content, style = scene(160, 240, 0.4, sky=0.7, land=0.5), scene(160, 240, 0.4, sky=0.7, land=0.5, seed=1)
    for image, (sky, land) in ((content, (2, 0)), (style, (0, 2))):
        image[sky, :64] += 0.25
        image[land, 64:] += 0.25
    regions = common_regions(content.clamp(0, 1), style.clamp(0, 1), weights)
    assert len(regions.names) > 1 and regions.notes == ()
    sky = int(regions.content[:, 0, 0].argmax())
    assert overlap(regions.content[sky], slice(0, 64)) > 0.9
    assert overlap(regions.style[sky], slice(0, 64)) > 0.9


# --- the judge -------------------------------------------------------------------------------------------


@pytest.fixture
def halves() -> Callable[..., Cells]:
    """`halves(upper, lower)`: 16×12 cells that show one thing above and another below, in greys about these two.

    A third number is how many of the 192 cells are above.
    """

    def make(upper: float, lower: float, above: int = 96) -> Cells:
        noise = 0.02 * torch.randn(3, 96, 128, generator=torch.Generator().manual_seed(0))
        seen = noise + torch.where(torch.arange(96) < above // 2, upper, lower)[None, :, None]
        kinds = np.zeros((2, 192))
        kinds[0, :above] = kinds[1, above:] = 1
        lab = lab_from_srgb(shrink(seen, (12, 16))).flatten(1).double().numpy()
        return Cells((12, 16), seen, kinds, np.zeros(192), lab, _likeness(lab, np.zeros(192), (12, 16)))

    return make


def test_wrong_partners_cost_more(halves: Callable[[float, float], Cells]) -> None:
    """Right ones cost what they change; regions more, for nothing and without a border to see, both prices."""
    sides = [halves(0.7, 0.3), halves(0.4, 0.6)]
    judge = Judge(sides, find_traits(sides))
    above = np.repeat([0, 1], 96)
    right, wrong = judge.divided([above, above]), judge.divided([above, 1 - above])
    assert right < 2.5  # two greys, as they were
    assert wrong > right + 5
    quarters = above * 2 + np.tile(np.repeat([0, 1], 8), 12)
    assert judge.divided([quarters, quarters]) > right + 2 * 0.5 + 20 / 2


def test_doubtful_partners_cost_more(halves: Callable[[float, float], Cells]) -> None:
    """Regions of the same greys, once in their places, once upside down, and once of very unlike sizes."""
    sides = [halves(0.5, 0.5), halves(0.5, 0.5)]
    judge = Judge(sides, find_traits(sides))
    above, corner = np.repeat([0, 1], 96), np.repeat([0, 1], [184, 8])
    same = judge.divided([above, above])
    assert judge.divided([above, 1 - above]) > same + 0.5 * 4 + 2  # both are doubtful, besides
    assert judge.divided([above, corner]) > same + 1


def test_how_alike_neighbours_are_across_borders() -> None:
    """Of a square of cells, along whose columns cells are alike, and across them half so; there is no border in one."""
    near = coo_array(np.array([[0, 1, 2, 0], [1, 0, 0, 2], [2, 0, 0, 1], [0, 2, 1, 0.0]]))
    assert _across(np.array([0, 1, 0, 1]), near) == pytest.approx(1 / 1.5)
    assert _across(np.array([0, 0, 1, 1]), near) == pytest.approx(2 / 1.5)
    assert _across(np.zeros(4, int), near) == 0


def test_what_is_near_the_style_needs_no_regions(halves: Callable[[float, float], Cells]) -> None:
    """No gain is none; the nearer two photographs are, and the less alike partners, the more must be gained."""
    above = np.repeat([0, 1], 96)
    far, near = [halves(0.7, 0.3), halves(0.2, 0.8)], [halves(0.7, 0.3), halves(0.68, 0.32)]
    apart, alike = (Judge(sides, find_traits(sides)) for sides in (far, near))
    both = [above, above]
    assert apart.gains(both, apart.divided(both))
    assert not apart.gains(both, apart.whole)
    assert not apart.gains([above, 1 - above], apart.divided(both))  # as much for partners that are not alike
    assert alike.untouched < apart.untouched
    assert not alike.gains(both, alike.divided(both))


def test_regions_that_are_no_gain_are_joined(halves: Callable[[float, float], Cells]) -> None:
    sides = [halves(0.7, 0.3), halves(0.4, 0.6)]
    judge = Judge(sides, find_traits(sides))
    above = np.repeat([0, 1], 96)
    quarters = above * 2 + np.tile(np.repeat([0, 1], 8), 12)
    (content, style), cost = search._joined([quarters, quarters], judge.divided([quarters, quarters]), judge)
    assert (content == above).all() and (style == above).all()
    assert cost == judge.divided([above, above])


# --- the parts -----------------------------------------------------------------------------------------


def test_likeness_by_hand() -> None:
    """At 2×2 cells with a step between the columns, and an edge in the last cell that is half certain."""
    A = _likeness(np.array([[0.0, 1.0, 0.0, 1.0]]), np.array([0, 0, 0, 0.5]), (2, 2)).toarray()
    # of six pairs of neighbours four are across the step: the mean square is 2/3
    across, along = np.exp(-1.5) + 1e-4, 1 + 1e-4
    across_edge, along_edge = np.exp(-6.5) + 1e-4, np.exp(-5) + 1e-4
    expected = [
        [0, across, along, across_edge / 2**0.5],
        [across, 0, across / 2**0.5, along_edge],
        [along, across / 2**0.5, 0, across_edge],
        [across_edge / 2**0.5, along_edge, across_edge, 0],
    ]
    assert pytest.approx(np.array(expected)) == A


def test_traits_are_shared_within_borders(weights: Weights, scene: Scene) -> None:
    """The walk hardly leaves the sky, and evens out what is in it."""
    vgg = VGG(weights, pooling="max")
    sides = [look(scene(96, 128, 0.5, 0.9, 0.4, seed=n), vgg, weights) for n in (0, 1)]
    for side, traits in zip(sides, find_traits(sides), strict=True):
        x = traits.weighed(0.3, 0.4, 0.3).reshape(-1, *side.grid)
        sky, land = x[:, :5].reshape(len(x), -1), x[:, 7:].reshape(len(x), -1)
        spread = max(part.std(1).max() for part in (sky, land))
        assert np.linalg.norm(sky.mean(1) - land.mean(1)) > 3 * spread


def test_every_region_is_on_both_sides(weights: Weights, picture: Picture) -> None:
    vgg = VGG(weights, pooling="max")
    images = picture(200, 260, dtype=torch.float32), picture(240, 200, seed=1, dtype=torch.float32)
    sides = [look(image, vgg, weights) for image in images]
    ways = list(partitions(sides, find_traits(sides)))
    assert {search.regions_in(way) for way in ways} >= {2, 3}
    for way in ways:
        shares = [np.bincount(labels, minlength=search.regions_in(way)) / labels.size for labels in way]
        assert np.min(shares) >= 0.01


def test_a_ground_is_a_ground_whatever_its_light(halves: Callable[[float, float], Cells]) -> None:
    """Divided alone, each half is a cluster; they are paired by what they show, and the other way round too."""
    sides = [halves(0.9, 0.1), halves(0.1, 0.9)]
    points = [t.weighed(0.9, 0.4, 0.3).T for t in find_traits(sides)]
    (here, there), (same, swapped), *_ = _alone(sides, points, [t.weighed(0, 0, 0).T for t in find_traits(sides)])
    assert (here == there).all() and (same == here).all() and (swapped == 1 - there).all()
    assert (here == here[0]).reshape(12, 16).all(axis=1).tolist() == 6 * [True] + 6 * [False]


def test_one_of_two_regions() -> None:
    labels: list[Labels] = [np.array([0, 1, 2, 3]), np.array([3, 2, 1, 0])]
    content, style = search._one(labels, 1, 2)
    assert content.tolist() == [0, 1, 1, 2] and style.tolist() == [2, 1, 1, 0]


def test_islands_join_what_surrounds_them() -> None:
    labels = np.zeros((20, 20), dtype=np.int64)
    labels[10:] = 1
    labels[4, 4] = labels[15, 10:12] = 2  # two islands: the larger is all there is of region 2
    labels[2, 12] = 1
    clean = without_islands(labels)
    assert clean[4, 4] == 0 and clean[2, 12] == 0
    assert (clean[15, 10:12] == 2).all()
    assert (clean != labels).sum() == 2


# --- with the default network ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained() -> Weights:
    return load_weights()


@pytest.mark.weights
def test_sky_by_day_and_by_night(trained: Weights, scene: Scene) -> None:
    content, style = scene(256, 384, 0.35, 0.85, 0.45), scene(256, 300, 0.55, 0.08, 0.4, seed=3)
    regions = common_regions(content, style, trained, count=2)
    sky = int(regions.content[:, 0, 0].argmax())
    assert overlap(regions.content[sky], slice(0, 90)) > 0.9
    assert overlap(regions.style[sky], slice(0, 141)) > 0.9


@pytest.mark.weights
def test_an_object_on_its_ground(trained: Weights) -> None:
    """A striped square, dark on white and bright on black."""
    stripes = (torch.arange(96) // 4 % 2).expand(1, 96, 96)
    content, style = torch.full((3, 192, 256), 0.95), torch.full((3, 256, 192), 0.05)
    content[:, 48:144, 80:176] = 0.1 + 0.3 * stripes
    style[:, 80:176, 48:144] = 0.6 + 0.3 * stripes
    regions = common_regions(content, style, trained, count=2)
    thing = int(regions.content[:, 96, 128].argmax())
    for found, ground, image in (
        (regions.content[thing], 0.95, content),
        (regions.style[thing], 0.05, style),
    ):
        truth = (image[0] != ground).float()
        assert float((found * truth).sum() / torch.maximum(found, truth).sum()) > 0.95


# --- refinement --------------------------------------------------------------------------------------


def test_refined_borders_are_where_the_photograph_has_them() -> None:
    image = torch.full((3, 60, 80), 0.2)
    image[:, :, 42:] = 0.8  # the border that one sees; the mask's is two pixels off
    rough = torch.zeros(2, 60, 80)
    rough[0, :, :40] = rough[1, :, 40:] = 1
    fine = refine_masks(rough, image)
    assert torch.equal(fine > 0.5, torch.stack([image[0] < 0.5, image[0] > 0.5]))
    assert (fine[0, :, 41] - fine[0, :, 42]).min() > 0.4  # as sharp as there
    assert torch.allclose(fine.sum(0), torch.ones(60, 80), atol=1e-3)
    assert fine.min() >= 0


def test_refinement_is_for_the_size_of_the_photograph(picture) -> None:
    image = picture(500, 700, dtype=torch.float32)
    masks = torch.zeros(3, 500, 700)
    masks[0, :200] = masks[1, 200:400] = 1  # the rest of this style belongs to no region
    masks[2, 200:] = 0
    fine = refine_masks(masks, image)
    assert fine.shape == masks.shape
    assert float(fine[2].abs().max()) == 0
    assert float(fine.sum(0)[-50:].max()) < 0.1


def test_one_light_needs_no_regions_unless_they_are_asked_for(picture, monkeypatch, fake_weights) -> None:
    """A photograph and itself are taken as a whole, and it is said; `match` and `drop` find regions, or complain."""
    monkeypatch.setattr(segment, "load_weights", lambda name: fake_weights(name))
    image = picture(70, 90, dtype=torch.float32)
    found = segment.find_regions(image, image)
    assert found.names == ("all",) and "taken as a whole" in found.notes[0]
    assert len(segment.find_regions(image, image, count=2).names) == 2
    with pytest.raises(RegionsError, match="nowhere"):
        segment.find_regions(image, image, match={"nowhere": "region 1"})


def test_found_regions_cover_every_pixel(picture, monkeypatch, fake_weights) -> None:
    monkeypatch.setattr(segment, "load_weights", lambda name: fake_weights(name))
    content, style = picture(70, 90, dtype=torch.float32), picture(80, 60, seed=1, dtype=torch.float32)
    regions = segment.find_regions(content, style, count=2)
    assert regions.content.shape[1:] == (70, 90)
    assert regions.style.shape[1:] == (80, 60)
    for masks in (regions.content, regions.style):
        assert torch.allclose(masks.sum(0), torch.ones(masks.shape[1:]), atol=1e-3)
