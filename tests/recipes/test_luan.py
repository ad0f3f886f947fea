"""Deep Photo Style Transfer: units that no network changes, two stages of which the second keeps the first."""

from __future__ import annotations

from dataclasses import fields
from itertools import pairwise
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from walking import walk

from photostyle.descent.steps import Step
from photostyle.image import fit_size
from photostyle.network.vgg import VGG
from photostyle.network.vggs import VGGS
from photostyle.network.weights import Weights
from photostyle.recipes import luan2017
from photostyle.recipes.luan2017 import DeepPhoto, content_and_style, deep_photo, octaves
from photostyle.recipes.photo import Photo, photo
from photostyle.recipes.pitie2007 import linear_map
from photostyle.regions.recolor import match_colors
from photostyle.regions.regions import Regions

IDLE = {
    "content_weight": 0.0,
    "style_weight": 0.0,
    "matting_weight": 0.0,
    "smooth_radius": 0,
}  # the result is the start


examples = settings(max_examples=100, derandomize=True, deadline=None, database=None)


@pytest.fixture
def content(picture) -> Tensor:
    return picture(24, 32, dtype=torch.float32)


@pytest.fixture
def style(picture) -> Tensor:
    return 0.7 * picture(30, 26, seed=1, dtype=torch.float32)


def halves(content: Tensor, style: Tensor) -> Regions:
    def split(image: Tensor, at: int) -> Tensor:
        left = torch.zeros_like(image[0])
        left[:, :at] = 1
        return torch.stack([left, 1 - left])

    return Regions(("left", "right"), split(content, 10), split(style, 20))


def run(content: Tensor, style: Tensor, weights: Weights, **settings: Any) -> tuple[list[Step], Tensor]:
    p = DeepPhoto(**{"size": 32, "steps": 4, "start": "recolored"} | settings)
    return walk(deep_photo(content, style, halves(content, style), VGG(weights), p))


def louder(weights: Weights) -> Weights:
    """The same network, each layer's features twice as large again as those of the layer before."""
    tensors, scale = {}, 1.0
    for name, tensor in weights.tensors.items():
        if name.startswith("conv"):
            if name.endswith("weight"):
                tensors[name], scale = 2 * tensor, 2 * scale
            else:
                tensors[name] = scale * tensor
        else:
            tensors[name] = tensor
    return Weights(weights.backbone, tensors)


def test_louder_features_are_louder(content, fake_weights) -> None:
    weights = fake_weights()
    layers = ("relu1_1", "relu2_1", "relu5_1")
    soft, loud = (VGG(w)(content, layers) for w in (weights, louder(weights)))
    for layer, factor in zip(layers, (2, 2**3, 2**11), strict=True):
        assert torch.equal(loud[layer], factor * soft[layer]) and soft[layer].any()


@pytest.mark.parametrize("backbone", VGGS)
def test_a_network_with_louder_features_gives_the_same_picture(content, style, fake_weights, backbone: str) -> None:
    """By powers of two, which are exact: to the last bit."""
    weights = fake_weights(backbone)
    (seen, O), (loud, P) = (run(content, style, w) for w in (weights, louder(weights)))
    assert torch.equal(O, P)
    assert [step.parts for step in seen] == [step.parts for step in loud]


def test_a_picture_without_features_costs_what_it_costs_the_authors(content, style, fake_weights) -> None:
    """The first line of the log of a program with their network and weights: docs/departures.md."""
    vgg, p = VGG(fake_weights()), DeepPhoto()
    L = content_and_style(content, style, halves(content, style), vgg, p)
    nothing = {l: torch.zeros_like(F) for l, F in vgg(content, L.reads).items()}
    parts = L.parts(nothing)
    assert float(parts["content"]) == pytest.approx(2_091_179, rel=2e-3)
    assert float(parts["style"]) == pytest.approx(30_021 + 700_350 + 153_033 + 12_404_635 + 657, rel=2e-3)


def test_the_content_costs_no_content_and_the_style_no_style(content, fake_weights) -> None:
    vgg = VGG(fake_weights())
    L = content_and_style(content, content, Regions.whole(content, content), vgg, DeepPhoto())
    parts = L.parts(vgg(content, L.reads))
    assert float(parts["content"]) == 0 and float(parts["style"]) == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("start", ["recolored", "noise"])
def test_the_second_stage_keeps_what_the_first_has_reached(content, style, fake_weights, start: str) -> None:
    """Style never rises to more than twice what it was, nor does the energy of the first stage to more than 1.5 times
    that."""
    seen, _ = run(content, style, fake_weights(), steps=25, start=start)
    first, second = (
        [step.parts for step in seen if step.stage == stage] for stage in ("style, 32 px", "photoreal, 32 px")
    )
    assert max(parts["style"] for parts in second) < 2 * first[-1]["style"]
    assert max(parts["style"] + parts["content"] for parts in second) < 1.5 * sum(first[-1].values())


def test_the_three_optimizers_go_three_ways(content, style, fake_weights) -> None:
    one, two, three = (run(content, style, fake_weights(), optimizer=o)[1] for o in ("metric", "lbfgs", "adam"))
    assert not torch.equal(one, two) and not torch.equal(one, three) and not torch.equal(two, three)


@pytest.mark.parametrize(
    ("shape", "first", "last", "sizes"),
    [
        ((467, 700), 96, 700, [96, 192, 384, 700]),
        ((467, 700), 96, 448, [96, 192, 448]),
        ((467, 700), 96, 256, [96, 256]),
        ((467, 700), 96, 100, [100]),
        ((467, 700), 0, 700, [700]),
        ((200, 300), 96, 700, [96, 192, 300]),  # a photograph smaller than that
        ((20, 700), 96, 700, [700]),  # of 11 × 384 pixels nothing would be seen
    ],
)
def test_sizes(shape: tuple[int, int], first: int, last: int, sizes: list[int]) -> None:
    assert octaves(shape, first, last) == sizes


@examples
@given(st.tuples(st.integers(1, 900), st.integers(1, 900)), st.integers(0, 900), st.integers(16, 900))
def test_sizes_grow_to_the_last(shape: tuple[int, int], first: int, last: int) -> None:
    sizes = octaves(shape, first, last)
    assert sizes[-1] == min(last, max(shape))
    assert all(size >= first and min(fit_size(*shape, long_side=size)) >= 16 for size in sizes[:-1])
    assert all(1.4 < large / small < 2.9 for small, large in pairwise(sizes))


def test_both_stages_go_from_coarse_to_fine(picture, style, fake_weights) -> None:
    """Each size has its own number of steps, and goes on from the picture of the one before."""
    I = picture(64, 96, dtype=torch.float32)
    seen, result = run(I, style, fake_weights(), size=72, coarse=24, coarse_steps=3, steps=2)
    expected = [(24, 16, 3), (48, 32, 3), (72, 48, 2)]  # width, height, steps
    assert [(step.stage, *step.image.shape[1:]) for step in seen] == [
        (f"{stage}, {W} px", H, W) for W, H, steps in expected for stage in ("style", "photoreal") for _ in range(steps)
    ]
    assert result.shape == I.shape
    alone, _ = run(I, style, fake_weights(), size=72, coarse=0, steps=2)
    assert not torch.equal(alone[0].image, seen[12].image)


CHANGES: dict[str, Any] = {
    "size": 40,
    "steps": 3,
    "coarse": 0,
    "coarse_steps": 3,
    "tolerance": 0.9,
    "content_weight": 50.0,
    "style_weight": 10.0,
    "style_term": "bn",
    "matting_weight": 1e5,
    "drift_weight": 0.0,
    "variation_weight": 1e-3,
    "epsilon": 1e-3,
    "smooth_radius": 0,
    "smooth_edge": 0.5,
    "refine": True,
    "start": "content",
    "optimizer": "lbfgs",
    "seed": 1,
}


def test_changes_has_every_setting() -> None:
    assert list(CHANGES) == [f.name for f in fields(DeepPhoto)]


@pytest.mark.parametrize("name", CHANGES)
def test_every_number_is_read_from_the_settings(picture, style, fake_weights, name: str) -> None:
    """Another one gives another picture: it is written down nowhere else."""
    I = picture(48, 64, dtype=torch.float32)
    usual: dict[str, Any] = {"size": 48, "coarse": 24, "coarse_steps": 2, "steps": 12 if name == "tolerance" else 2}
    usual |= {"smooth_radius": 45, "start": "noise" if name == "seed" else "recolored"}
    one, other = (run(I, style, fake_weights(), **usual | change)[1] for change in ({}, {name: CHANGES[name]}))
    assert not torch.equal(one, other)


def test_idle_stages_hand_on_the_photograph(picture, style, fake_weights) -> None:
    """From size to size and up to the photograph's own, where nothing pulls nothing changes."""
    I = picture(64, 96, dtype=torch.float32)
    _, result = run(I, style, fake_weights(), size=72, coarse=24, start="content", **IDLE)
    torch.testing.assert_close(result, I, rtol=0, atol=2e-3)


def test_where_the_descent_starts(content, style, fake_weights) -> None:
    weights, regions = fake_weights(), halves(content, style)
    starts = {
        start: run(content, style, weights, start=start, **IDLE)[1] for start in ("content", "recolored", "graded")
    }
    assert torch.equal(starts["content"], content)
    assert torch.equal(starts["graded"], walk(photo(content, style, regions, VGG(weights), Photo()))[1])
    assert torch.equal(starts["recolored"], match_colors(content, style, regions, linear_map))


@pytest.mark.parametrize(("long_side", "radius"), [(32, 1), (350, 8), (700, 15)])
def test_the_smoothing_is_as_wide_as_the_picture_is_large(monkeypatch, picture, long_side: int, radius: int) -> None:
    radii = []
    monkeypatch.setattr(luan2017, "smooth_local_affine", lambda O, I, radius, edge: radii.append(radius) or O)
    I = picture(8, long_side, dtype=torch.float32)
    p = DeepPhoto(size=long_side, steps=1, **IDLE | {"smooth_radius": 15, "optimizer": "lbfgs", "start": "content"})

    class Deaf(VGG):
        def __init__(self) -> None:
            pass

        def __call__(self, image: Tensor, layers: Any) -> dict[str, Tensor]:
            return {layer: torch.ones(2, 1, 1) for layer in layers}

        def carry(self, masks: Tensor, layers: Any) -> dict[str, Tensor]:
            return {layer: torch.ones(1, 1, 1) for layer in layers}

    walk(deep_photo(I, I, Regions.whole(I, I), Deaf(), p))
    assert radii == [radius]


def test_a_stage_ends_when_nothing_more_is_gained(content, style, fake_weights) -> None:
    seen, _ = run(content, style, fake_weights(), steps=60, tolerance=0.9)
    assert [step.stage for step in seen] == 11 * ["style, 32 px"] + 11 * ["photoreal, 32 px"]


@pytest.mark.parametrize("size", [16, 32])
def test_a_photograph_in_its_own_style_comes_back(content, fake_weights, size: int) -> None:
    """At the size of the descent, smoothed, and rendered from a smaller one. (The matting term would change noise.)"""
    p = DeepPhoto(size=size, steps=3, matting_weight=0.0)
    regions = Regions.whole(content, content)
    _, result = walk(deep_photo(content, content, regions, VGG(fake_weights()), p))
    torch.testing.assert_close(result, content, rtol=0, atol=1e-3)
