"""Cells, their traits, and the ways in which they are divided."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from photostyle.network.hed import EdgeDetector
from photostyle.network.lite import Lite
from photostyle.network.weights import Weights
from photostyle.segment.cells import Cells, _likeness, look
from photostyle.segment.partitions import _alone, _by_classes, least_share, partitions, regions_in, sky_and_rest
from photostyle.segment.traits import Traits, find_traits

Networks = tuple[Weights, Weights]
Scene = Callable[..., Tensor]
Picture = Callable[..., Tensor]
FakeWeights = Callable[..., Weights]


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


def test_traits_are_shared_within_borders(networks: Networks, scene: Scene) -> None:
    """The walk hardly leaves the sky, and evens out what is in it."""
    things, edges = networks
    sides = [look(scene(96, 128, 0.5, 0.9, 0.4, seed=n), Lite(things), EdgeDetector(edges)) for n in (0, 1)]
    for side, traits in zip(sides, find_traits(sides), strict=True):
        x = traits.weighed(0.3, 0.4, 0.3).reshape(-1, *side.grid)
        sky, land = x[:, :5].reshape(len(x), -1), x[:, 7:].reshape(len(x), -1)
        spread = max(part.std(1).max() for part in (sky, land))
        assert np.linalg.norm(sky.mean(1) - land.mean(1)) > 3 * spread


def test_the_least_share_is_that_of_either_side() -> None:
    ten = np.arange(10)
    assert least_share([(ten > 3).astype(np.int64), (ten > 8).astype(np.int64)]) == pytest.approx(0.1)
    assert least_share([np.zeros(10, np.int64), np.ones(10, np.int64)]) == 0


def test_every_region_is_on_both_sides(networks: Networks, picture: Picture) -> None:
    things, edges = networks
    images = picture(200, 260, dtype=torch.float32), picture(240, 200, seed=1, dtype=torch.float32)
    sides = [look(image, Lite(things), EdgeDetector(edges)) for image in images]
    ways = list(partitions(sides, find_traits(sides)))
    assert {regions_in(way) for way in ways} >= {2, 3}
    for way in ways:
        shares = [np.bincount(labels, minlength=regions_in(way)) / labels.size for labels in way]
        assert np.min(shares) >= 0.01


def test_a_ground_is_a_ground_whatever_its_light(halves: Callable[..., Cells]) -> None:
    """Divided alone, each half is a cluster; they are paired by what they show, and the other way round too."""
    sides = [halves(0.9, 0.1), halves(0.1, 0.9)]
    points = [t.weighed(0.9, 0.4, 0.3).T for t in find_traits(sides)]
    (here, there), (same, swapped), *_ = _alone(sides, points, [t.weighed(0, 0, 0).T for t in find_traits(sides)])
    assert (here == there).all() and (same == here).all() and (swapped == 1 - there).all()
    assert (here == here[0]).reshape(12, 16).all(axis=1).tolist() == 6 * [True] + 6 * [False]


def _traits(classes: str) -> Traits:
    """Cells that show nothing but their classes: s(ky), w(ater), p(lants)."""
    scene = np.array([[0.8 if shown == c else 0.1 for shown in classes] for c in "swp"])
    n = len(classes)
    return Traits(np.ones((2, n)), np.zeros((3, n)), np.zeros((2, n)), scene / scene.sum(0))


@pytest.mark.parametrize(
    ("content", "style", "expected"),
    [
        ("sspp", "pppss"[::-1], ("0011", "00111")),  # what both show
        ("sspp", "ssww", ("0011", "0011")),  # what only one shows, goes with what only the other shows
        ("sswp", "ssspp", ("0001", "00011")),  # or, if the other shows no more, with what it is most like
    ],
)
def test_classes_that_both_photographs_show(content: str, style: str, expected: tuple[str, str]) -> None:
    traits = [_traits(content), _traits(style)]
    if content == "sswp":  # the water looks more like sky than like plants
        traits[0].scene[:, 2] = [0.3, 0.6, 0.1]
    ((here, there),) = _by_classes(traits)
    assert ("".join(map(str, here)), "".join(map(str, there))) == expected


@pytest.mark.parametrize(("content", "style"), [("ssss", "ssss"), ("ssss", "pppp"), ("sspp", "ssss")])
def test_one_class_or_none_in_common_is_no_division(content: str, style: str) -> None:
    assert list(_by_classes([_traits(content), _traits(style)])) == []


@pytest.mark.parametrize(
    ("content", "style", "expected"),
    [("sspp", "wsw", ("1100", "010")), ("ssss", "sp", None), ("sp", "pw", None), ("sp", "p" * 39 + "s", None)],
)
def test_sky_and_what_is_not(content: str, style: str, expected: tuple[str, str] | None) -> None:
    """A fortieth is too little to be told."""
    labels = sky_and_rest([_traits(content), _traits(style)])
    assert (labels and tuple("".join(map(str, side)) for side in labels)) == expected


def test_meaning_is_half_what_is_shown_and_half_its_class() -> None:
    traits = _traits("sw")
    shown, scene = np.array([[3.0, 0.0], [0.0, 4.0]]), np.array([[0.5, 0.5], [0.5, 0.0], [0.0, 0.5]])
    z = Traits(shown, traits.color, traits.place, scene).meaning
    assert z.T @ z == pytest.approx(np.array([[1, 0.25], [0.25, 1]]))
