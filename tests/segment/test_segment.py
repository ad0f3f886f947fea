"""Automatic regions: cuts with known answers, both sides named alike, and photographs with nothing to cut."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from photostyle.errors import RegionsError, SettingsError
from photostyle.network.vgg import VGG
from photostyle.network.weights import Weights, load_weights
from photostyle.regions.regions import Regions
from photostyle.segment import clusters
from photostyle.segment import find as segment
from photostyle.segment.clusters import cluster_regions
from photostyle.segment.refine import refine_masks

Scene = Callable[..., Tensor]
Picture = Callable[..., Tensor]
FakeWeights = Callable[..., Weights]


@pytest.fixture
def vgg(fake_weights: FakeWeights) -> VGG:
    return VGG(fake_weights())


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


def test_sky_is_sky_on_both_sides(vgg: VGG, scene: Scene) -> None:
    """In another light, with another horizon and other proportions, and with an untrained network."""
    content, style = scene(160, 240, 0.4, sky=0.9, land=0.5), scene(200, 160, 0.6, sky=0.6, land=0.3, seed=1)
    regions = cluster_regions(content, style, vgg)
    assert regions.names == ("region 1", "region 2") and regions.notes == ()
    assert_partition(regions, content, style)
    sky = int(regions.content[:, 0, 0].argmax())
    assert overlap(regions.content[sky], slice(0, 64)) > 0.9
    assert overlap(regions.style[sky], slice(0, 120)) > 0.9


def test_the_same_photograph_twice_has_the_same_regions_twice(vgg: VGG, picture: Picture) -> None:
    image = picture(150, 190, dtype=torch.float32)
    regions = cluster_regions(image, image, vgg, count=3)
    assert len(regions.names) == 3
    assert torch.equal(regions.content, regions.style)
    again = cluster_regions(image, image, vgg, count=3)
    assert torch.equal(regions.content, again.content) and torch.equal(regions.style, again.style)


def test_sides_may_be_swapped(vgg: VGG, scene: Scene) -> None:
    a, b = scene(120, 160, 0.5, 0.9, 0.5), scene(160, 120, 0.3, 0.1, 0.4, seed=1)
    one, other = cluster_regions(a, b, vgg), cluster_regions(b, a, vgg)
    assert torch.equal(one.content, other.style) and torch.equal(one.style, other.content)


@pytest.mark.parametrize("count", [1, 3, 8])
def test_as_many_as_asked_for_largest_first(vgg: VGG, picture: Picture, count: int) -> None:
    content, style = picture(200, 260, dtype=torch.float32), picture(240, 200, seed=1, dtype=torch.float32)
    regions = cluster_regions(content, style, vgg, count=count)
    assert regions.names == tuple(f"region {n}" for n in range(1, len(regions.names) + 1))
    assert 1 < len(regions.names) <= count or len(regions.names) == count == 1
    assert_partition(regions, content, style)
    areas = [sum(shares) for shares in regions.shares]
    assert areas == sorted(areas, reverse=True)


def test_a_larger_count_only_divides_what_there_was(vgg: VGG, picture: Picture) -> None:
    """Except for islands and borders, whose cells may change hands."""
    content, style = picture(200, 260, dtype=torch.float32), picture(240, 200, seed=1, dtype=torch.float32)
    two, three = (cluster_regions(content, style, vgg, count=count) for count in (2, 3))
    assert len(three.names) == 3
    shared = three.content.flatten(1) @ two.content.flatten(1).T  # 3×2, pixels
    assert float(shared.amax(1).sum()) > 0.95 * content[0].numel()


def test_no_border_in_common_is_one_region(vgg: VGG, picture: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit above and below the cost of the cut decides; who asks for two gets two all the same."""
    content, style = picture(120, 160, dtype=torch.float32), picture(160, 120, seed=1, dtype=torch.float32)
    sides = [clusters._look(image, vgg) for image in (content, style)]
    cut = clusters._cut(sides, [np.ones(side.z.shape[1], bool) for side in sides])
    assert cut is not None and cut.cost > 0
    monkeypatch.setattr(clusters, "_CLEAR", 1.01 * cut.cost)
    assert len(cluster_regions(content, style, vgg).names) == 2
    monkeypatch.setattr(clusters, "_CLEAR", 0.99 * cut.cost)
    regions = cluster_regions(content, style, vgg)
    assert len(regions.names) == 1 and regions.notes[0].startswith("No clear border")
    assert len(cluster_regions(content, style, vgg, count=2).names) == 2


@pytest.mark.parametrize("count", [0, -1, 9])
def test_a_count_out_of_range(vgg: VGG, count: int) -> None:
    image = torch.zeros(3, 16, 16)
    with pytest.raises(SettingsError, match=f"counted from 1 to 8, not {count}"):
        cluster_regions(image, image, vgg, count=count)


def test_nothing_to_cut_in_a_single_colour(vgg: VGG, scene: Scene) -> None:
    plain, other = torch.full((3, 100, 140), 0.4), scene(100, 100, 0.5, 0.9, 0.4)
    for content, style in ((plain, plain), (plain, other), (other, plain)):
        regions = cluster_regions(content, style, vgg, count=4)
        assert regions.names == ("region 1",)
        (note,) = regions.notes
        assert note.startswith("Found 1 of 4 regions")
        assert_partition(regions, content, style)


@pytest.mark.parametrize(
    ("one", "other"),
    [((1, 1), (1, 1)), ((8, 8), (9, 30)), ((17, 16), (100, 100)), ((4, 900), (900, 3)), ((2, 3000), (60, 60))],
)
def test_tiny_and_extreme_photographs(vgg: VGG, picture: Picture, one: tuple[int, int], other: tuple[int, int]) -> None:
    content, style = picture(*one, dtype=torch.float32), picture(*other, seed=1, dtype=torch.float32)
    regions = cluster_regions(content, style, vgg, count=8)
    assert 1 <= len(regions.names) <= 8
    assert_partition(regions, content, style)


def test_a_large_photograph_keeps_its_size(vgg: VGG, scene: Scene) -> None:
    content, style = scene(701, 999, 0.4, 0.9, 0.5), scene(333, 500, 0.5, 0.1, 0.4)
    regions = cluster_regions(content, style, vgg)
    assert_partition(regions, content, style)
    sky = int(regions.content[:, 0, 0].argmax())
    assert overlap(regions.content[sky], slice(0, round(0.4 * 701))) > 0.93


# --- the parts -----------------------------------------------------------------------------------------


def normalised_cut(A: NDArray[np.float64], half: NDArray[np.bool_]) -> float:
    """Shi & Malik's eq. 2, from the definition."""
    cut = A[half][:, ~half].sum()
    return float(cut / A[half].sum() + cut / A[~half].sum())


def test_likeness_by_hand() -> None:
    """Two looks at 2×2 cells: one with a step between the columns, one constant."""
    step = np.array([[0.0, 1.0, 0.0, 1.0]])
    A = clusters._likeness([step, np.ones((3, 4))], (2, 2)).toarray()
    # of six pairs of neighbours four are across the step: the mean square is 2/3
    across, along = np.exp(-1.5) + 1e-4, 1 + 1e-4
    diagonal = across / 2**0.5
    expected = [
        [0, across, along, diagonal],
        [across, 0, diagonal, along],
        [along, diagonal, 0, across],
        [diagonal, along, across, 0],
    ]
    assert pytest.approx(np.array(expected)) == A


def test_the_cut_is_the_best_of_all_thresholds() -> None:
    """Against every threshold of every walk, one by one, on a small graph with a weak seam."""
    generator = np.random.default_rng(0)
    looks = [generator.normal(size=(3, 30))]
    looks[0][:, 18:] += 2.0
    A = clusters._likeness(looks, (5, 6))
    r = np.clip(np.arange(30) / 30 + 0.2 * generator.normal(size=30), 0, 1)
    half, cost = clusters._Graph(A).cut(r)
    dense = A.toarray()
    assert cost == pytest.approx(normalised_cut(dense, half))
    L = np.diag(dense.sum(1)) - dense
    best = np.inf
    for walk in clusters._WALKS:
        q = np.linalg.solve(L + walk * np.eye(30), walk * r)
        low, high = np.average(q, weights=1 - r), np.average(q, weights=r)
        for threshold in q[(q >= low) & (q < high)]:
            best = min(best, normalised_cut(dense, q > threshold))
    assert cost == pytest.approx(best)


def test_two_means_finds_two_clouds() -> None:
    generator = np.random.default_rng(0)
    truth = np.arange(80) >= 50
    x = generator.normal(size=(4, 80)) + 8 * truth
    r = clusters._two_means(x, np.where(truth, 0.6, 0.5))
    assert ((r > 0.5) == truth).all()
    assert abs(r - truth).max() < 1e-6


def test_islands_join_what_surrounds_them() -> None:
    labels = np.zeros((20, 20), dtype=np.int64)
    labels[10:] = 1
    labels[4, 4] = labels[15, 10:12] = 2  # two islands: the larger is all there is of region 2
    labels[2, 12] = 1
    clean = clusters._without_islands(labels)
    assert clean[4, 4] == 0 and clean[2, 12] == 0
    assert (clean[15, 10:12] == 2).all()
    assert (clean != labels).sum() == 2


# --- with the default network ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained() -> VGG:
    return VGG(load_weights())


@pytest.mark.weights
def test_sky_by_day_and_by_night(trained: VGG, scene: Scene) -> None:
    content, style = scene(256, 384, 0.35, 0.85, 0.45), scene(256, 300, 0.55, 0.08, 0.4, seed=3)
    regions = cluster_regions(content, style, trained)
    sky = int(regions.content[:, 0, 0].argmax())
    assert overlap(regions.content[sky], slice(0, 90)) > 0.9
    assert overlap(regions.style[sky], slice(0, 141)) > 0.9


@pytest.mark.weights
def test_an_object_on_its_ground(trained: VGG) -> None:
    """A striped square, dark on white and bright on black."""
    stripes = (torch.arange(96) // 4 % 2).expand(1, 96, 96)
    content, style = torch.full((3, 192, 256), 0.95), torch.full((3, 256, 192), 0.05)
    content[:, 48:144, 80:176] = 0.1 + 0.3 * stripes
    style[:, 80:176, 48:144] = 0.6 + 0.3 * stripes
    regions = cluster_regions(content, style, trained)
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
