"""Neural patches: neighbours and energies against slow loops over the paper's equations, and hand-made cases."""

from __future__ import annotations

import math
from itertools import product

import pytest
import torch
from torch import Tensor

from photostyle.terms.energy import Energy, Extract
from photostyle.terms.patches import Patches, correlation, cut, join, nearest, patch_style

WEIGHTS = {"one": 1.0, "two": 0.5}


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def patches(
    C: int, h: int, w: int, size: int = 3, stride: int = 1, seed: int = 0, guide: Tensor | None = None
) -> Patches:
    return cut(random(C, h, w, seed=seed), random(3, h, w, seed=seed + 100), size, stride, guide)


def windows(features: Tensor, size: int, stride: int) -> list[Tensor]:
    """By slicing: those that `cut` should make, where the stride reaches the border."""
    _, h, w = features.shape
    starts = product(range(0, h - size + 1, stride), range(0, w - size + 1, stride))
    return [features[:, y : y + size, x : x + size] for y, x in starts]


def labels(h: int, w: int, at: int) -> Tensor:
    left = torch.zeros(h, w, dtype=torch.float64)
    left[:, :at] = 1
    return torch.stack([left, 1 - left])


def total(E: Energy, extract: Extract, image: Tensor) -> Tensor:
    return torch.stack(list(E.parts(extract(image, E.reads)).values())).sum()


@pytest.mark.parametrize(("size", "stride"), [(1, 1), (2, 1), (3, 1), (3, 2), (5, 1)])
def test_patches_are_windows(size: int, stride: int) -> None:
    F = random(4, 7, 9)
    made = cut(F, random(3, 7, 9), size, stride)
    expected = windows(F, size, stride)
    assert len(made) == len(expected)
    for pixels, window in zip(made.pixels[made.index], expected, strict=True):
        assert torch.equal(pixels, window.flatten(1).T)


def test_the_last_patches_end_at_the_border() -> None:
    made = cut(random(2, 6, 8), random(3, 6, 8), 3, 2)
    assert len(made) == 3 * 4  # rows from 0, 2, 3; columns from 0, 2, 4, 5
    assert set(made.index.flatten().tolist()) == set(range(48))


def test_colors_and_guides_are_those_under_each_pixel() -> None:
    image, guide = random(3, 8, 12), random(2, 4, 6)
    made = cut(random(5, 4, 6), image, 3, 1, guide)
    means = image.unflatten(1, (4, 2)).unflatten(3, (6, 2)).mean((2, 4))
    torch.testing.assert_close(made.colors, means.flatten(1).T)
    torch.testing.assert_close(made.guide, guide.flatten(1).T)


def test_only_patches_wholly_inside() -> None:
    inside = torch.ones(5, 6, dtype=torch.bool)
    inside[2, 3] = False
    made = cut(random(2, 5, 6), random(3, 5, 6), 3, inside=inside)
    assert 0 < len(made) == sum(bool(window.all()) for window in windows(inside[None], 3, 1))
    assert not (made.index == 2 * 6 + 3).any()


def test_joined_patches_are_those_of_all_parts() -> None:
    parts = [patches(3, 5, 5), patches(3, 4, 6, seed=1), patches(3, 3, 3, seed=2)]
    whole = join(parts)
    assert torch.equal(whole.pixels[whole.index], torch.cat([part.pixels[part.index] for part in parts]))
    assert torch.equal(whole.colors[whole.index], torch.cat([part.colors[part.index] for part in parts]))


def slow_nearest(F_O: Tensor, F_S: Tensor, size: int, M_O: Tensor, M_S: Tensor, γ: float, variety: float) -> list[int]:
    """Window by window, by the equation."""

    def units(F: Tensor) -> list[Tensor]:
        return [window / window.norm() for window in windows(F, size, 1)]

    O, S = units(F_O), units(F_S)
    maps = windows(M_O, size, 1), windows(M_S, size, 1)
    mean = [sum(float((o * s).sum()) for o in O) / len(O) for s in S]
    found = []
    for o, m_o in zip(O, maps[0], strict=True):
        scores = [
            float((o * s).sum()) - variety * mean[j] - γ / 2 * float((m_o - m_s).square().sum()) / size**2
            for j, (s, m_s) in enumerate(zip(S, maps[1], strict=True))
        ]
        found.append(max(range(len(S)), key=scores.__getitem__))
    return found


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize(("γ", "variety"), [(0.0, 0.0), (0.3, 0.0), (0.0, 1.0), (0.3, 0.5)])
def test_neighbours_are_those_of_a_slow_loop(size: int, γ: float, variety: float) -> None:
    F_O, F_S = random(4, 6, 7).abs(), random(4, 7, 5, seed=1).abs()
    M_O, M_S = random(2, 6, 7, seed=2), random(2, 7, 5, seed=3)
    O, S = cut(F_O, random(3, 6, 7), size, 1, M_O), cut(F_S, random(3, 7, 5), size, 1, M_S)
    chosen = nearest(O, S, semantic_weight=γ, variety=variety)
    assert chosen.tolist() == slow_nearest(F_O, F_S, size, M_O, M_S, γ, variety)


@pytest.mark.parametrize("budget", [5_000, 20_000, 100_000])
def test_tiles_change_nothing(budget: int) -> None:
    O, S = patches(4, 9, 8, guide=labels(9, 8, 4)), patches(4, 7, 11, seed=1, guide=labels(7, 11, 5))
    for settings in ({}, {"semantic_weight": 0.5}, {"variety": 0.7}):
        assert torch.equal(nearest(O, S, budget=budget, **settings), nearest(O, S, **settings))


def test_a_tile_keeps_within_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """The largest table of scores, seen where it is made."""
    seen = []
    plain = torch.addmm

    def spy(*args: Tensor) -> Tensor:
        table = plain(*args)
        seen.append(sum(x.numel() for x in (*args, table)) * 8)
        return table

    monkeypatch.setattr(torch, "addmm", spy)
    nearest(patches(4, 20, 20), patches(4, 20, 20, seed=1), budget=200_000)
    assert len(seen) > 4 and max(seen) <= 200_000


def test_correlation_does_not_see_brightness_and_knows_its_range() -> None:
    F = random(4, 6, 6)
    image = random(3, 6, 6)
    O, S = cut(F, image), cut(3 * F, image)
    everyone = torch.arange(len(O))
    torch.testing.assert_close(correlation(O, S, everyone), torch.ones(len(O), dtype=torch.float64))
    torch.testing.assert_close(correlation(O, cut(-F, image), everyone), -torch.ones(len(O), dtype=torch.float64))
    assert nearest(O, S).tolist() == everyone.tolist()


def test_a_patch_of_zeros_is_like_nothing() -> None:
    zeros = cut(torch.zeros(2, 4, 4), torch.zeros(3, 4, 4))
    chosen = nearest(zeros, zeros)
    assert bool(correlation(zeros, zeros, chosen).isfinite().all())
    parts = patch_style({"one": zeros}, {"one": zeros}, {"one": 1.0}).parts(
        {"one": torch.zeros(2, 4, 4), "image": torch.zeros(3, 4, 4)}
    )
    assert float(parts["patches"]) == 0


def test_neighbours_of_the_same_label_if_labels_weigh_enough() -> None:
    O, S = patches(4, 8, 9, guide=labels(8, 9, 4)), patches(4, 9, 10, seed=1, guide=labels(9, 10, 6))

    def wrong(weight: float) -> float:
        """Mean share of pixels whose label differs from that of their neighbour."""
        chosen = nearest(O, S, semantic_weight=weight)
        return float((O.guide[O.index] - S.guide[S.index[chosen]]).abs().mean())

    assert wrong(100) == 0 < wrong(0)


def test_black_is_a_label_too() -> None:
    """A map of one channel, where correlation could not tell one gray from another."""
    F_O, F_S = random(4, 6, 8), random(4, 6, 8, seed=1)
    half = labels(6, 8, 4)[:1]
    O, S = cut(F_O, random(3, 6, 8), 1, 1, half), cut(F_S, random(3, 6, 8), 1, 1, half)
    chosen = nearest(O, S, semantic_weight=100)
    assert torch.equal(S.guide[chosen], O.guide)


def test_variety_spreads_the_use_of_patches() -> None:
    """All windows of the output lean the same way, and one of the style leans there most."""
    lean = torch.ones(6, 1, 1, dtype=torch.float64)
    O = cut(lean + 0.3 * random(6, 12, 12), random(3, 12, 12), 1)
    S = cut(0.7 * lean + random(6, 12, 12, seed=1), random(3, 12, 12), 1)
    used = [len(set(nearest(O, S, variety=variety).tolist())) for variety in (0.0, 0.5, 1.0)]
    assert used == sorted(used) and used[2] > 2 * used[0]


def slow_energy(F_O: Tensor, F_S: Tensor, size: int, chosen: list[int]) -> float:
    O, S = windows(F_O, size, 1), windows(F_S, size, 1)
    squares = [float((o - S[j]).square().sum()) for o, j in zip(O, chosen, strict=True)]
    return sum(squares) / (len(O) * O[0].numel())


def cut_all(extract: Extract, image: Tensor, stride: int = 1) -> dict[str, Patches]:
    features = extract(image, WEIGHTS)
    return {l: cut(features[l], image, 3, stride) for l in WEIGHTS}


def test_the_energy_is_that_of_a_slow_loop(picture, network: Extract) -> None:
    O, S = picture(9, 10), picture(11, 8, seed=1)
    E = patch_style(cut_all(network, O), cut_all(network, S), WEIGHTS, color_weight=2.0)
    F_O, F_S = network(O, {"image", *WEIGHTS}), network(S, WEIGHTS)
    expected = 0.0
    for l, weight in WEIGHTS.items():
        chosen = slow_nearest(F_O[l], F_S[l], 3, F_O[l][:0], F_S[l][:0], 0, 0)
        expected += weight * slow_energy(F_O[l], F_S[l], 3, chosen)
    parts = E.parts(F_O)
    assert float(parts["patches"]) == pytest.approx(expected, rel=1e-9)
    chosen = slow_nearest(F_O["one"], F_S["one"], 3, F_O["one"][:0], F_S["one"][:0], 0, 0)
    colors = patch_style(
        {"one": cut_all(network, O)["one"]}, {"one": cut_all(network, S)["one"]}, {"one": 1.0}, color_weight=2.0
    ).parts(F_O)["patch colors"]
    assert float(colors) == pytest.approx(2 * slow_energy(O, S, 3, chosen), rel=1e-9)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("confidence", [0.0, 0.9])
def test_the_gradient_is_that_of_finite_differences(picture, network: Extract, stride: int, confidence: float) -> None:
    O, S = picture(9, 10), picture(11, 8, seed=1)
    E = patch_style(
        cut_all(network, O, stride), cut_all(network, S, stride), WEIGHTS, color_weight=2.0, confidence=confidence
    )
    x = picture(9, 10, seed=7).requires_grad_()
    (slope,) = torch.autograd.grad(total(E, network, x), x)
    direction = random(3, 9, 10, seed=3)
    ε = 1e-5
    with torch.no_grad():
        difference = (total(E, network, x + ε * direction) - total(E, network, x - ε * direction)) / (2 * ε)
    assert float((slope * direction).sum()) == pytest.approx(float(difference), rel=1e-6)


def test_the_style_itself_has_no_energy(picture, network: Extract) -> None:
    S = picture(12, 10)
    E = patch_style(cut_all(network, S), cut_all(network, S), WEIGHTS, color_weight=1.0)
    assert 0 <= float(total(E, network, S)) < 1e-12
    assert float(total(E, network, picture(12, 10, seed=1))) > 1e-3


def test_the_energy_does_not_depend_on_the_size() -> None:
    """A picture of equal pixels, at any size, is as far from another."""
    S = cut(torch.full((2, 6, 6), 3.0), torch.ones(3, 6, 6))
    for h, w in ((5, 5), (9, 14)):
        F_O = {"one": torch.full((2, h, w), 1.0), "image": torch.zeros(3, h, w)}
        E = patch_style({"one": cut(F_O["one"], F_O["image"])}, {"one": S}, {"one": 1.0}, color_weight=1.0)
        assert {name: float(part) for name, part in E.parts(F_O).items()} == pytest.approx(
            {"patches": 4.0, "patch colors": 1.0}
        )


def test_patches_without_confidence_are_left_alone(picture, network: Extract) -> None:
    O, S = picture(12, 12), picture(12, 12, seed=1)
    least = correlation(*[cut_all(network, x)["one"] for x in (O, S)], torch.arange(100)).max()
    energies = []
    for confidence in (0.0, float(least), 1.0):
        E = patch_style(cut_all(network, O), cut_all(network, S), {"one": 1.0}, confidence=confidence)
        energies.append(float(total(E, network, O)))
    assert energies[0] >= energies[1] > energies[2] == 0
    assert math.isfinite(sum(energies))
