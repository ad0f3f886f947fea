"""Li & Wand 2016: octaves, turned copies, and the descent that matches anew."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from walking import walk

from photostyle.descent.steps import Step
from photostyle.network.vgg import VGG
from photostyle.recipes.li2016 import MarkovStyle, covered, markov_style, octaves, rematched, scaled, turn, turned
from photostyle.regions.regions import Regions
from photostyle.terms.energy import Energy, Extract, Features, energy
from photostyle.terms.patches import cut, patch_style

Picture = Callable[..., Tensor]


@pytest.fixture
def vgg(fake_weights) -> VGG:
    return VGG(fake_weights())


@pytest.fixture
def pair(picture: Picture) -> tuple[Tensor, Tensor]:
    return picture(144, 192, dtype=torch.float32), 0.7 * picture(90, 80, seed=1, dtype=torch.float32)


def synthesize(pair: tuple[Tensor, Tensor], vgg: VGG, **settings) -> tuple[list[Step], Tensor]:
    p = MarkovStyle(**{"size": 192, "steps": 3, "octaves": 2, "rematch": 2, **settings})
    return walk(markov_style(*pair, Regions.whole(*pair), vgg, p))


def test_octaves_double_up_to_the_whole_and_are_never_tiny() -> None:
    assert octaves(3, torch.zeros(3, 200, 384)) == [0.25, 0.5, 1]
    assert octaves(9, torch.zeros(3, 256, 100)) == [0.5, 1]
    assert octaves(9, torch.zeros(3, 20, 20)) == [1]
    assert octaves(1, torch.zeros(3, 999, 999)) == [1]
    assert scaled(torch.zeros(3, 90, 121), 0.5).shape == (3, 45, 60)


def test_coarse_to_fine(pair, vgg: VGG) -> None:
    seen, result = synthesize(pair, vgg)
    assert [(step.stage, step.iteration, step.of) for step in seen] == [
        (stage, i, 3) for stage in ("96 px", "192 px") for i in (1, 2, 3)
    ]
    assert [tuple(step.image.shape) for step in seen[::3]] == [(3, 72, 96), (3, 144, 192)]
    assert result.shape == (3, 144, 192) and 0 <= float(result.min()) <= float(result.max()) <= 1


def test_the_result_is_no_larger_than_the_setting(pair, vgg: VGG) -> None:
    assert synthesize(pair, vgg, size=64)[1].shape == (3, 48, 64)


def test_without_content_a_texture_from_noise_of_the_contents_proportions(pair, vgg: VGG, picture: Picture) -> None:
    settings = {"size": 64, "content_weight": 0, "start": "noise", "seed": 3}
    seen, texture = synthesize(pair, vgg, **settings)
    assert texture.shape == (3, 48, 64) and all("content" not in step.parts for step in seen)
    another = picture(144, 192, seed=9, dtype=torch.float32), pair[1]
    assert torch.equal(synthesize(another, vgg, **settings)[1], texture)
    assert not torch.equal(synthesize(pair, vgg, **settings | {"seed": 4})[1], texture)


@pytest.mark.parametrize(
    "setting",
    [
        {"style_weight": 3.0},
        {"content_weight": 0.1},
        {"variation_weight": 0.0},
        {"chroma_weight": 0.0},
        {"color_weight": 0.0},
        {"patch": 1},
        {"stride": 1},
        {"rotations": 1},
        {"scales": 1},
        {"confidence": 0.95},
        {"rematch": 1},
        {"start": "noise"},
        {"start": "content"},
    ],
    ids=lambda setting: next(iter(setting)),
)
def test_every_setting_makes_a_difference(pair, vgg: VGG, setting) -> None:
    usual = {"size": 64, "steps": 4}
    assert not torch.equal(synthesize(pair, vgg, **usual, **setting)[1], synthesize(pair, vgg, **usual)[1])


def test_a_content_equal_to_the_style_stays_as_it_is(pair, vgg: VGG) -> None:
    """Every patch is its own neighbour, and all terms but the variation are at their minimum, 0."""
    I = pair[0]
    seen, result = synthesize((I, I), vgg, variation_weight=0.0, chroma_weight=0.0, octaves=1)
    assert all(step.energy < 1e-6 for step in seen)
    torch.testing.assert_close(result, I, rtol=0, atol=0.02)


def test_the_neighbours_are_found_anew(picture: Picture, network: Extract) -> None:
    """An energy made from present features, as often as asked for, and downhill in between."""
    made = []
    target = picture(9, 8)

    def E(F_O: Features) -> Energy:
        made.append(F_O["image"])
        return energy("square", {"image"}, lambda f: (f["image"] - target).square().sum())

    start = picture(9, 8, seed=1)
    seen, result = walk(rematched(E, {"image"}, network, start, steps=7, every=3))  # type: ignore[arg-type]
    assert 2 <= len(made) <= 3 and torch.equal(made[0], start)
    assert all(torch.equal(image, step.image) for image, step in zip(made[1:], seen[2::3], strict=False))
    assert all(step.of == 7 and step.stage == "9 px" for step in seen)
    torch.testing.assert_close(result, target, rtol=0, atol=1e-4)


def test_with_neighbours_found_anew_patches_come_nearer(picture: Picture, network: Extract) -> None:
    """Measured with neighbours of its own at the end, the image is nearer to the style than before."""
    S, O = picture(20, 20, seed=1), picture(16, 18)
    weights = {"one": 1.0, "two": 0.5}

    def E(F_O: Features) -> Energy:
        F_S = network(S, weights)
        output = {l: cut(F_O[l], F_O["image"]) for l in weights}
        return patch_style(output, {l: cut(F_S[l], S) for l in weights}, weights)

    def distance(image: Tensor) -> float:
        F_O = network(image, {"image", *weights})
        return float(E(F_O).parts(F_O)["patches"])

    _, result = walk(rematched(E, {"image", *weights}, network, O, steps=20, every=5))  # type: ignore[arg-type]
    assert distance(result) < distance(O) / 2


def test_a_copy_not_turned_is_the_image(picture: Picture) -> None:
    image = picture(12, 17)
    copy, inside = turn(image, 0.0, 1.0)
    torch.testing.assert_close(copy, image)
    assert bool(inside.all())


def test_a_quarter_turn_of_a_square_is_exact(picture: Picture) -> None:
    image = picture(14, 14)
    copy, inside = turn(image, math.pi / 2, 1.0)
    torch.testing.assert_close(copy, image.rot90(1, (1, 2)))
    assert bool(inside.all())


def test_a_turned_oblong_keeps_its_shapes(picture: Picture) -> None:
    """A round spot stays round and in the middle, whatever the proportions of the image."""
    y, x = torch.meshgrid(torch.arange(40) - 19.5, torch.arange(80) - 39.5, indexing="ij")
    spot = torch.exp(-(x**2 + y**2) / 50).double().expand(3, -1, -1)
    copy, inside = turn(spot, math.pi / 6, 1.0)
    torch.testing.assert_close(copy * inside, spot * inside, rtol=0, atol=0.01)
    assert 0.4 < float(inside.mean()) < 1 and not bool(inside[0, 0, 0]) and bool(inside[0, 20, 40])
    larger, _ = turn(spot, 0.0, 1.5)
    assert larger.shape == (3, 60, 120)
    assert float(larger.sum() / spot.sum()) == pytest.approx(1.5**2, rel=0.01)


def test_copies_are_counted_to_both_sides(picture: Picture) -> None:
    copies = list(turned(picture(20, 24), MarkovStyle(rotations=1, scales=2, scale_step=1.25)))
    assert len(copies) == 3 * 5
    assert copies[0][1] is None and copies[0][0].shape == (3, 20, 24)
    assert all(inside is not None for _, inside in copies[1:])
    assert {tuple(copy.shape[1:]) for copy, _ in copies} == {(13, 15), (16, 19), (20, 24), (25, 30), (31, 38)}


def test_nothing_outside_a_turned_copy_is_offered(picture: Picture) -> None:
    copy, inside = turn(picture(32, 32), 0.4, 1.0)
    mask = covered(inside, torch.zeros(5, 8, 8))
    assert mask is not None and mask.shape == (8, 8) and 0 < int(mask.sum()) < 64
    for y, x in mask.nonzero().tolist():
        assert bool(inside[0, 4 * y : 4 * y + 4, 4 * x : 4 * x + 4].all())
    assert covered(None, copy) is None


def test_an_image_too_small_for_a_patch_has_smaller_patches(picture: Picture, vgg: VGG) -> None:
    little = picture(8, 9, dtype=torch.float32), picture(40, 10, seed=1, dtype=torch.float32)
    _, result = synthesize(little, vgg, patch=5)
    assert result.shape == (3, 8, 9) and bool(result.isfinite().all())
