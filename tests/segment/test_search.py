"""The regions that two photographs get, and when they get none."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from photostyle.color.spaces import linear_from_srgb, srgb_from_linear
from photostyle.errors import RegionsError, SettingsError
from photostyle.image import fit
from photostyle.network.backbones import DEFAULT_BACKBONE, SCENE_BACKBONE
from photostyle.network.weights import Weights, load_weights
from photostyle.regions.regions import Regions
from photostyle.segment import find as segment
from photostyle.segment import search
from photostyle.segment.cells import Cells
from photostyle.segment.judge import ALIKE, Judge
from photostyle.segment.partitions import Labels
from photostyle.segment.proportions import in_other_proportions
from photostyle.segment.search import common_regions
from photostyle.segment.traits import find_traits

Networks = tuple[Weights, Weights]
Scene = Callable[..., Tensor]
Picture = Callable[..., Tensor]
FakeWeights = Callable[..., Weights]


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


def test_sky_is_sky_on_both_sides(networks: Networks, scene: Scene) -> None:
    """With another horizon and other proportions; to two cells, with an untrained network."""
    content, style = scene(160, 240, 0.4, sky=0.9, land=0.5), scene(200, 160, 0.6, sky=0.8, land=0.45, seed=1)
    regions = common_regions(content, style, *networks, count=2)
    assert regions.names == ("region 1", "region 2") and regions.notes == ()
    assert_partition(regions, content, style)
    sky = int(regions.content[:, 0, 0].argmax())
    assert overlap(regions.content[sky], slice(0, 64)) > 0.75
    assert overlap(regions.style[sky], slice(0, 120)) > 0.75


def test_the_same_photograph_twice_has_the_same_regions_twice(networks: Networks, picture: Picture) -> None:
    image = picture(150, 190, dtype=torch.float32)
    regions = common_regions(image, image, *networks, count=3)
    assert len(regions.names) == 3
    assert torch.equal(regions.content, regions.style)
    again = common_regions(image, image, *networks, count=3)
    assert torch.equal(regions.content, again.content) and torch.equal(regions.style, again.style)


@pytest.mark.parametrize("count", [1, 3, 8])
def test_as_many_as_asked_for_largest_first(networks: Networks, picture: Picture, count: int) -> None:
    content, style = picture(200, 260, dtype=torch.float32), picture(240, 200, seed=1, dtype=torch.float32)
    regions = common_regions(content, style, *networks, count=count)
    assert 1 < len(regions.names) <= count or len(regions.names) == count == 1
    assert (regions.notes == ()) == (len(regions.names) == count)
    assert_partition(regions, content, style)
    areas = [sum(shares) for shares in regions.shares]
    assert areas == sorted(areas, reverse=True)


@pytest.mark.parametrize("count", [0, -1, 9])
def test_a_count_out_of_range(networks: Networks, count: int) -> None:
    image = torch.zeros(3, 16, 16)
    with pytest.raises(SettingsError, match=f"counted from 1 to 8, not {count}"):
        common_regions(image, image, *networks, count=count)


def test_nothing_to_divide_in_a_single_colour(networks: Networks, scene: Scene) -> None:
    plain, other = torch.full((3, 100, 140), 0.4), scene(100, 100, 0.5, 0.9, 0.4)
    for content, style in ((plain, plain), (plain, other), (other, plain)):
        for count, said in ((4, "Found 1 of 4 regions"), (None, "No regions are common")):
            regions = common_regions(content, style, *networks, count=count)
            assert regions.names == ("all",)
            (note,) = regions.notes
            assert note.startswith(said)
            assert_partition(regions, content, style)


@pytest.mark.parametrize(
    ("one", "other"),
    [((1, 1), (1, 1)), ((8, 8), (9, 30)), ((17, 16), (100, 100)), ((4, 900), (900, 3)), ((2, 3000), (60, 60))],
)
def test_tiny_and_extreme_photographs(
    networks: Networks, picture: Picture, one: tuple[int, int], other: tuple[int, int]
) -> None:
    content, style = picture(*one, dtype=torch.float32), picture(*other, seed=1, dtype=torch.float32)
    for count in (8, None):
        regions = common_regions(content, style, *networks, count=count)
        assert 1 <= len(regions.names) <= 8
        assert_partition(regions, content, style)


def test_a_large_photograph_keeps_its_size(networks: Networks, scene: Scene) -> None:
    content, style = scene(701, 999, 0.4, 0.9, 0.5), scene(333, 500, 0.5, 0.1, 0.4)
    regions = common_regions(content, style, *networks, count=2)
    assert_partition(regions, content, style)
    sky = int(regions.content[:, 0, 0].argmax())
    assert overlap(regions.content[sky], slice(0, round(0.4 * 701))) > 0.85


# --- first, do no harm -----------------------------------------------------------------------------------


def test_one_change_of_exposure_needs_no_regions(networks: Networks, scene: Scene) -> None:
    """The same scene a stop darker is taken as a whole, and it is said; regions are there for who needs them."""
    content = scene(160, 240, 0.4, sky=0.8, land=0.5)
    style = srgb_from_linear(linear_from_srgb(scene(160, 240, 0.4, sky=0.8, land=0.5, seed=1)) / 2)
    regions = common_regions(content, style, *networks)
    assert regions.names == ("all",)
    (note,) = regions.notes
    assert note.endswith("they are taken as a whole.")
    assert len(common_regions(content, style, *networks, needed=True).names) > 1


def test_regions_of_one_light_share_one_look(monkeypatch: pytest.MonkeyPatch, networks: Networks, scene: Scene) -> None:
    """Two views of one scene, a third darker in one, that show much sky and little: found so, unless asked for."""
    monkeypatch.setattr(Judge, "gains", lambda *_: False)
    content = scene(160, 240, 0.25, sky=0.8, land=0.3)
    style = srgb_from_linear(linear_from_srgb(scene(160, 240, 0.7, sky=0.8, land=0.3, seed=1)) / 1.5)
    regions = common_regions(content, style, *networks)
    assert regions.one_look and len(regions.names) == 2
    (note,) = regions.notes
    assert "one light" in note
    for sky, there in zip(regions.content, regions.style, strict=True):
        assert float(sky.mean()) == pytest.approx(0.25 if sky[0, 0] else 0.75, abs=0.05)
        assert float(there.mean()) == pytest.approx(0.7 if there[0, 0] else 0.3, abs=0.05)
    assert not common_regions(content, style, *networks, count=2).one_look
    assert not common_regions(content, style, *networks, needed=True).one_look


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


def test_no_region_is_very_small_unless_regions_are_needed(
    monkeypatch: pytest.MonkeyPatch, networks: Networks, scene: Scene
) -> None:
    monkeypatch.setattr(Judge, "gains", lambda *_: True)
    monkeypatch.setattr(search, "partitions", lambda sides, traits, most: [[_speck(side.grid, 0.03) for side in sides]])
    content, style = scene(160, 240, 0.4, 0.9, 0.3), scene(200, 160, 0.6, 0.8, 0.25, seed=1)
    assert common_regions(content, style, *networks).names == ("all",)
    assert len(common_regions(content, style, *networks, needed=True).names) == 2


def _speck(grid: tuple[int, int], share: float) -> Labels:
    """The upper left cells, so many of all, are region 1."""
    cells = np.zeros(grid[0] * grid[1], np.int64)
    cells[: round(share * len(cells))] = 1
    return cells


def test_two_lights_in_one_photograph_need_regions(networks: Networks, scene: Scene) -> None:
    """A blue sky over red land becomes a red sky over blue land: no change of the whole does that."""
    content, style = scene(160, 240, 0.4, sky=0.7, land=0.5), scene(160, 240, 0.4, sky=0.7, land=0.5, seed=1)
    for image, (sky, land) in ((content, (2, 0)), (style, (0, 2))):
        image[sky, :64] += 0.25
        image[land, 64:] += 0.25
    regions = common_regions(content.clamp(0, 1), style.clamp(0, 1), *networks)
    assert len(regions.names) > 1 and regions.notes == ()
    sky = int(regions.content[:, 0, 0].argmax())
    assert overlap(regions.content[sky], slice(0, 64)) > 0.9
    assert overlap(regions.style[sky], slice(0, 64)) > 0.9


def test_regions_that_are_no_gain_are_joined(halves: Callable[..., Cells]) -> None:
    sides = [halves(0.7, 0.3), halves(0.4, 0.6)]
    judge = Judge(sides, find_traits(sides))
    above = np.repeat([0, 1], 96)
    quarters = above * 2 + np.tile(np.repeat([0, 1], 8), 12)
    (content, style), cost = search._joined([quarters, quarters], judge.divided([quarters, quarters]), judge)
    assert (content == above).all() and (style == above).all()
    assert cost == judge.divided([above, above])


def test_many_regions_may_be_the_best_few(halves: Callable[..., Cells]) -> None:
    """Two and two quarters made one are better than halves that end in the wrong place."""
    sides = [halves(0.7, 0.3), halves(0.2, 0.8)]
    judge = Judge(sides, find_traits(sides))
    above, early = np.repeat([0, 1], 96), np.repeat([0, 1], [64, 128])
    quarters = above * 2 + np.tile(np.repeat([0, 1], 8), 12)
    first, other = (([l, r], judge.divided([l, r])) for l, r in ((above, early), (quarters, quarters)))
    (content, style), cost = search._least(first, [other], judge)
    assert (content == above).all() and (style == above).all()
    assert cost == judge.divided([above, above])


def test_what_does_not_gain_is_not_taken_however_little_it_costs(halves: Callable[..., Cells]) -> None:
    """Nor is what costs more, though it gains."""
    sides = [halves(0.7, 0.3), halves(0.2, 0.8)]
    judge = Judge(sides, find_traits(sides))
    above = np.repeat([0, 1], 96)
    three = above + np.repeat([0, 1], [144, 48])
    good = [above, above], judge.divided([above, above])
    unlike = [three, 2 - three], 0.0
    assert search._least(good, [unlike], judge) is good
    cheap = [above, above], -1.0
    assert search._least(cheap, [([three, three], judge.divided([three, three]))], judge) is cheap


def test_sky_goes_to_sky_where_nothing_else_gains(
    monkeypatch: pytest.MonkeyPatch, networks: Networks, scene: Scene
) -> None:
    """Its partners may be less alike than others, and it must gain all the same."""
    content, style = scene(160, 240, 0.4, 0.9, 0.3), scene(160, 240, 0.6, 0.2, 0.4, seed=1)
    sky = [np.repeat([1, 0], [rows * 30, (20 - rows) * 30]) for rows in (8, 12)]  # of cells
    monkeypatch.setattr(search, "sky_and_rest", lambda traits: sky)
    monkeypatch.setattr(Judge, "gains", lambda self, labels, cost, least=ALIKE: labels is sky and least < ALIKE)
    regions = common_regions(content, style, *networks)
    above = int(regions.content[:, 0, 0].argmax())
    assert overlap(regions.content[above], slice(0, 64)) > 0.9 and overlap(regions.style[above], slice(0, 96)) > 0.9
    assert not regions.one_look
    needed = common_regions(content, style, *networks, needed=True)  # the same, to be paired otherwise
    assert torch.equal(needed.content, regions.content) and torch.equal(needed.style, regions.style)
    monkeypatch.setattr(Judge, "gains", lambda *_: False)
    monkeypatch.setattr(search, "in_other_proportions", lambda *_: None)
    assert common_regions(content, style, *networks).names == ("all",)


def test_one_of_two_regions() -> None:
    labels: list[Labels] = [np.array([0, 1, 2, 3]), np.array([3, 2, 1, 0])]
    content, style = search._one(labels, 1, 2)
    assert content.tolist() == [0, 1, 1, 2] and style.tolist() == [2, 1, 1, 0]


# --- with the default networks ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained() -> Networks:
    return load_weights(SCENE_BACKBONE), load_weights(DEFAULT_BACKBONE)


@pytest.mark.weights
def test_sky_by_day_and_by_night(trained: Networks, scene: Scene) -> None:
    content, style = scene(256, 384, 0.35, 0.85, 0.45), scene(256, 300, 0.55, 0.08, 0.4, seed=3)
    regions = common_regions(content, style, *trained, count=2)
    sky = int(regions.content[:, 0, 0].argmax())
    assert overlap(regions.content[sky], slice(0, 90)) > 0.9
    assert overlap(regions.style[sky], slice(0, 141)) > 0.9


@pytest.mark.weights
def test_an_object_on_its_ground(trained: Networks) -> None:
    """A striped square, dark on white and bright on black."""
    stripes = (torch.arange(96) // 4 % 2).expand(1, 96, 96)
    content, style = torch.full((3, 192, 256), 0.95), torch.full((3, 256, 192), 0.05)
    content[:, 48:144, 80:176] = 0.1 + 0.3 * stripes
    style[:, 80:176, 48:144] = 0.6 + 0.3 * stripes
    regions = common_regions(content, style, *trained, count=2)
    thing = int(regions.content[:, 96, 128].argmax())
    for found, ground, image in (
        (regions.content[thing], 0.95, content),
        (regions.style[thing], 0.05, style),
    ):
        truth = (image[0] != ground).float()
        assert float((found * truth).sum() / torch.maximum(found, truth).sum()) > 0.95


# --- the front door --------------------------------------------------------------------------------------


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


def test_regions_of_large_photographs_are_found_and_kept_small(picture, monkeypatch, fake_weights) -> None:
    """What a photograph shows is told on a small copy; larger, it costs no more, and masks are enlarged when needed."""
    monkeypatch.setattr(segment, "load_weights", lambda name: fake_weights(name))
    content, style = picture(700, 900, dtype=torch.float32), picture(800, 600, seed=1, dtype=torch.float32)
    regions = segment.find_regions(content, style, count=2)
    assert regions.guided
    assert regions.content.shape[1:] == (348, 448) and regions.style.shape[1:] == (448, 336)
    assert regions.fit(content, style).content.shape[1:] == (700, 900)
    again = segment.find_regions(fit(content, 448), fit(style, 448), count=2)
    assert torch.equal(again.content, regions.content) and torch.equal(again.style, regions.style)
