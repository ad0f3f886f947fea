"""Distances between distributions of features: against loops over pixels, closed forms and exhaustive draws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import partial
from itertools import product
from math import exp
from typing import get_args

import pytest
import scipy.linalg
import torch
from torch import Tensor
from walking import walk

from photostyle.descent.steps import Step
from photostyle.errors import SettingsError
from photostyle.network.vgg import VGG
from photostyle.recipes.li2017 import DiscrepancyStyle, discrepancy_style
from photostyle.recipes.luan2017 import DeepPhoto, deep_photo
from photostyle.recipes.photo import Photo, picture_objective
from photostyle.regions.regions import Regions
from photostyle.terms.energy import Energy, Features
from photostyle.terms.gram import augmented_style, gram, regional_grams
from photostyle.terms.mmd import (
    Distance,
    StyleTerm,
    Towards,
    bn_distance,
    distribution_style,
    gaussian_mmd,
    gaussian_transport,
    linear_mmd,
    paired_gaussian_mmd,
    polynomial_mmd,
    style_term,
)

Kernel = Callable[[Tensor, Tensor], float]

DISTANCES: dict[str, Towards] = {
    "linear": linear_mmd,
    "gram": polynomial_mmd,
    "offset": partial(polynomial_mmd, offset=0.7),
    "cubic": partial(polynomial_mmd, degree=3, offset=0.2),
    "gaussian": gaussian_mmd,
    "pairs": paired_gaussian_mmd,
    "bn": bn_distance,
    "w2": gaussian_transport,
}
NOT_NEGATIVE = [name for name in DISTANCES if name != "pairs"]


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def shares(n: int, seed: int) -> Tensor:
    p = random(n, seed=seed) + 0.1
    return p / p.sum()


@pytest.fixture
def sides() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Features and shares of an output (7 pixels of 3 channels) and of a style (5 pixels)."""
    return random(7, 3) ** 2, shares(7, 1), random(5, 3, seed=2), shares(5, 3)


def double_loop(k: Kernel, X: Tensor, p: Tensor, Y: Tensor, q: Tensor) -> float:
    """E k(x, x′) + E k(y, y′) − 2 E k(x, y), pixel by pixel."""

    def mean(A: Tensor, a: Tensor, B: Tensor, b: Tensor) -> float:
        return sum(float(a[i] * b[j]) * k(A[i], B[j]) for i in range(len(A)) for j in range(len(B)))

    return mean(X, p, X, p) + mean(Y, q, Y, q) - 2 * mean(X, p, Y, q)


def value(E: Energy, features: Features) -> float:
    (part,) = E.parts(features).values()
    return float(part)


def test_the_linear_kernel_by_pixels_and_as_means(sides) -> None:
    X, p, Y, q = sides
    d = float(linear_mmd(Y, q)(X, p))
    assert d == pytest.approx(double_loop(lambda x, y: float(x @ y), X, p, Y, q), rel=1e-12)
    means = [(Z * r[:, None]).sum(0) for Z, r in ((X, p), (Y, q))]
    assert d == pytest.approx(float((means[0] - means[1]).square().sum()), rel=1e-12)


@pytest.mark.parametrize("offset", [0.0, 0.4, 3.0])
def test_the_polynomial_kernel_of_degree_two_by_pixels(sides, offset: float) -> None:
    X, p, Y, q = sides
    c = offset * float((q[:, None] * Y * Y).sum())
    loops = double_loop(lambda x, y: float(x @ y + c) ** 2, X, p, Y, q)
    assert float(polynomial_mmd(Y, q, offset=offset)(X, p)) == pytest.approx(loops, rel=1e-12)


def test_matching_gram_matrices_is_the_polynomial_kernel() -> None:
    """1 / (4 N² M²) Σ (G − A)² = 1 / (4 N²) MMD² with k(x, y) = (xᵀy)²: what the paper proves."""
    F, S = random(5, 4, 6), random(5, 4, 6, seed=1)
    N, M = 5, 24
    style_loss = float((gram(F) - gram(S)).square().sum()) / (4 * N**2 * M**2)
    even = torch.full((M,), 1 / M, dtype=torch.float64)
    discrepancy = float(polynomial_mmd(S.flatten(1).T, even, degree=2, offset=0.0)(F.flatten(1).T, even))
    assert discrepancy / (4 * N**2) == pytest.approx(style_loss, rel=1e-13)
    loops = double_loop(lambda x, y: float(x @ y) ** 2, F.flatten(1).T, even, S.flatten(1).T, even)
    assert loops / (4 * N**2) == pytest.approx(style_loss, rel=1e-12)


def test_in_regions_the_polynomial_kernel_is_the_augmented_style() -> None:
    F, S = {"a": random(4, 5, 6)}, {"a": random(4, 6, 7, seed=1)}
    masks, style_masks = (torch.softmax(4 * random(2, h, w, seed=h), dim=0) for h, w in ((5, 6), (6, 7)))
    E = distribution_style("poly", polynomial_mmd, S, {"a": style_masks}, {"a": masks}, {"a": 1.0})
    power = float(regional_grams(S["a"], style_masks).square().sum())
    gram_style = augmented_style(S, {"a": style_masks}, {"a": masks}, {"a": 1 / power})
    assert value(E, F) == pytest.approx(value(gram_style, F), rel=1e-13)


def test_higher_degrees_are_right_on_average_over_all_signs(sides, monkeypatch) -> None:
    """Degree 3 in one channel and an offset takes 3·2 signs: all 64 columns of them, each once."""
    X, p, Y, q = sides
    X, Y = X[:, :1], Y[:, :1]
    every = torch.tensor(list(product([0, 1], repeat=6))).T.reshape(3, 2, 64)
    monkeypatch.setattr(torch, "randint", lambda *args, **options: every)
    c = 0.5 * float((q[:, None] * Y * Y).sum())
    loops = double_loop(lambda x, y: float(x @ y + c) ** 3, X, p, Y, q)
    assert float(polynomial_mmd(Y, q, degree=3, offset=0.5, count=64)(X, p)) == pytest.approx(loops, rel=1e-12)


def gaussian_kernel(Y: Tensor, q: Tensor, bandwidth: float) -> Kernel:
    variance = bandwidth**2 * float((q[:, None] * Y * Y).sum())
    return lambda x, y: exp(-float((x - y) @ (x - y)) / (2 * variance))


@pytest.mark.parametrize("bandwidth", [0.3, 1.0])
def test_the_gaussian_kernel_by_pixels(sides, bandwidth: float) -> None:
    """With as many frequencies as this the estimate is within a few per cent."""
    X, p, Y, q = sides
    X = X + 0.3
    loops = double_loop(gaussian_kernel(Y, q, bandwidth), X, p, Y, q)
    estimate = float(gaussian_mmd(Y, q, bandwidth, count=50_000)(X, p))
    assert estimate == pytest.approx(loops, rel=0.03)
    assert float(gaussian_mmd(Y, q, 2 * bandwidth, count=50_000)(X, p)) != pytest.approx(loops, rel=0.1)


def test_the_gaussian_kernel_tells_apart_what_two_moments_do_not() -> None:
    """−1 and 1, against −√2, 0 (twice) and √2: the same mean and variance."""
    X, Y = torch.tensor([[-1.0], [1.0]]).double(), torch.tensor([[-(2**0.5)], [0], [0], [2**0.5]]).double()
    p, q = torch.full((2,), 1 / 2).double(), torch.full((4,), 1 / 4).double()
    for blind in (linear_mmd, polynomial_mmd, bn_distance, gaussian_transport):
        assert float(blind(Y, q)(X, p)) == pytest.approx(0, abs=1e-9)
    assert float(gaussian_mmd(Y, q, bandwidth=0.5, count=64)(X, p)) > 0.01
    assert float(polynomial_mmd(Y, q, degree=4, count=64)(X, p)) > 0.01


def test_the_mean_of_the_papers_estimate_over_all_draws_is_the_discrepancy(monkeypatch) -> None:
    """Every draw of two of three pixels and two of two, each weighted by its probability."""
    X, p, Y, q = random(3, 2), shares(3, 1), random(2, 2, seed=2) + 0.2, shares(2, 3)
    mean, total = 0.0, 0.0
    for i, i2, j, j2 in product(range(3), range(3), range(2), range(2)):
        draws = iter([i, i2, j, j2])
        monkeypatch.setattr(torch, "multinomial", lambda *args, _draws=draws, **options: torch.tensor([next(_draws)]))
        weight = float(p[i] * p[i2] * q[j] * q[j2])
        mean += weight * float(paired_gaussian_mmd(Y, q, 0.5, count=1)(X, p))
        total += weight
    assert total == pytest.approx(1)
    assert mean == pytest.approx(double_loop(gaussian_kernel(Y, q, 0.5), X, p, Y, q), rel=1e-12)


def test_the_papers_estimate_draws_by_the_shares(sides) -> None:
    X, _, Y, q = sides
    p = torch.tensor([0.6, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05]).double()
    loops = double_loop(gaussian_kernel(Y, q, 0.3), X, p, Y, q)
    assert float(paired_gaussian_mmd(Y, q, 0.3, count=100_000)(X, p)) == pytest.approx(loops, rel=0.03)
    even = torch.full_like(p, 1 / 7)
    assert loops != pytest.approx(double_loop(gaussian_kernel(Y, q, 0.3), X, even, Y, q), rel=0.1)


def test_the_papers_estimate_is_the_same_for_a_seed(sides) -> None:
    X, p, Y, q = sides
    d = paired_gaussian_mmd(Y, q, seed=3)
    assert float(d(X, p)) == float(d(X, p)) == float(paired_gaussian_mmd(Y, q, seed=3)(X, p))
    assert float(paired_gaussian_mmd(Y, q, seed=4)(X, p)) != float(d(X, p))


def test_bn_by_the_formula(sides) -> None:
    X, p, Y, q = sides
    direct = 0.0
    for i in range(3):
        (μ, σ), (ν, τ) = (moments_of_channel(Z[:, i].tolist(), r.tolist()) for Z, r in ((X, p), (Y, q)))
        direct += (μ - ν) ** 2 + (σ - τ) ** 2
    assert float(bn_distance(Y, q)(X, p)) == pytest.approx(direct, rel=1e-12)


def moments_of_channel(x: list[float], p: list[float]) -> tuple[float, float]:
    mean = sum(a * b for a, b in zip(x, p, strict=True))
    return mean, sum(b * (a - mean) ** 2 for a, b in zip(x, p, strict=True)) ** 0.5


def covariance(X: Tensor, p: Tensor) -> Tensor:
    centred = X - p @ X
    return centred.T @ (p[:, None] * centred)


@pytest.mark.parametrize(("pixels", "style_pixels"), [(40, 30), (40, 3), (3, 40), (3, 4)])
def test_gaussian_transport_by_scipys_square_root(pixels: int, style_pixels: int) -> None:
    """With three pixels the covariance of five channels has rank two."""
    X, p, Y, q = random(pixels, 5) ** 2, shares(pixels, 1), random(style_pixels, 5, seed=2), shares(style_pixels, 3)
    A, B = covariance(X, p), covariance(Y, q)
    ridge = 1e-12 * torch.eye(5, dtype=torch.float64)  # SciPy's square root wants full rank
    root = scipy.linalg.sqrtm((B + ridge).numpy())
    inner = torch.from_numpy(scipy.linalg.sqrtm(root @ (A + ridge).numpy() @ root).real)
    W2 = float((p @ X - q @ Y).square().sum() + A.trace() + B.trace() - 2 * inner.trace())
    assert float(gaussian_transport(Y, q)(X, p)) == pytest.approx(W2, rel=1e-5)


def test_gaussian_transport_of_a_shift_and_a_stretch() -> None:
    """Between a distribution and itself moved by t and stretched by s about its mean: ‖t‖² + (s − 1)² tr Σ."""
    Y, q, t = random(30, 4), shares(30, 1), torch.tensor([1.0, 2.0, 0.0, -1.0]).double()
    mean = q @ Y
    X = mean + 1.5 * (Y - mean) + t
    expected = 6 + 0.25 * float(covariance(Y, q).trace())
    assert float(gaussian_transport(Y, q)(X, q)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("name", NOT_NEGATIVE)
def test_equal_distributions_are_at_no_distance(name: str) -> None:
    """However their pixels lie, and however often each is there."""
    Y, q = random(6, 4), shares(6, 1)
    order = [3, 1, 0, 5, 4, 2]
    distance = DISTANCES[name](Y, q)
    for X, p in ((Y, q), (Y[order], q[order]), (Y.repeat(3, 1), q.repeat(3) / 3)):
        assert float(distance(X, p)) == pytest.approx(0, abs=1e-9)
    assert float(distance(Y + 0.3, q)) > 1e-4


@pytest.mark.parametrize("name", DISTANCES)
def test_slopes_by_finite_differences(sides, name: str) -> None:
    X, p, Y, q = sides
    distance: Distance = DISTANCES[name](Y, q)
    assert torch.autograd.gradcheck(lambda x: distance(x, p), (X.clone().requires_grad_(),))


@pytest.mark.parametrize("name", DISTANCES)
@pytest.mark.parametrize("flat", ["output", "style", "channel"])
def test_slopes_stay_finite_where_nothing_varies(name: str, flat: str) -> None:
    X, Y, p = random(9, 4).float(), random(9, 4, seed=1).float(), torch.full((9,), 1 / 9)
    if flat == "channel":
        X[:, 1] = 0
    elif flat == "output":
        X = X[:1].repeat(9, 1)
    else:
        Y = torch.zeros_like(Y)
    X.requires_grad_()
    d = DISTANCES[name](Y, p)(X, p)
    (slope,) = torch.autograd.grad(d, X)
    assert bool(d.isfinite()) and bool(slope.isfinite().all()) and float(slope.abs().max()) < 100


def test_gaussian_transport_has_a_bounded_slope_between_few_pixels_of_many_channels() -> None:
    """Rank 7 in 64 channels, in single precision, at equality and near it: where roots have infinite slopes."""
    Y, p = 100 * random(8, 64).float(), torch.full((8,), 1 / 8)
    distance = gaussian_transport(Y, p)
    for X in (Y.clone(), Y + 0.1 * random(8, 64, seed=1).float()):
        X.requires_grad_()
        d = distance(X, p)
        (slope,) = torch.autograd.grad(d, X)
        assert float(d.detach()) < 1e-4 * float(Y.square().sum() / 8)
        assert float(slope.norm()) < 0.01 * float(Y.norm())


@pytest.mark.parametrize("name", DISTANCES)
def test_single_precision_is_enough(sides, name: str) -> None:
    X, p, Y, q = sides
    double = float(DISTANCES[name](Y, q)(X, p))
    single = float(DISTANCES[name](Y.float(), q.float())(X.float(), p.float()))
    assert single == pytest.approx(double, rel=1e-3, abs=1e-5)


def two_masks(h: int, w: int) -> Tensor:
    left = torch.zeros(h, w, dtype=torch.float64)
    left[:, : w // 2] = 1
    left[:, w // 2] = 0.4
    return torch.stack([left, 1 - left])


@pytest.mark.parametrize("name", DISTANCES)
def test_a_picture_without_features_costs_the_weights(name: str) -> None:
    target = {"a": random(3, 4, 5), "b": random(2, 3, 3, seed=1)}
    masks = {"a": two_masks(4, 5), "b": two_masks(3, 3)}
    E = distribution_style(name, DISTANCES[name], target, masks, masks, {"a": 2.0, "b": 0.5})
    assert E.reads == {"a", "b"} and [term.name for term in E.terms] == [name]
    rel = 0.5 if name == "pairs" else 1e-9  # other draws for the scale than for the value
    assert value(E, {l: torch.zeros_like(F) for l, F in target.items()}) == pytest.approx(2.5, rel=rel)


@pytest.mark.parametrize("name", NOT_NEGATIVE)
def test_regions_are_compared_with_their_partners(name: str) -> None:
    """The style with its halves exchanged, masks and all, is the same style."""
    target = random(3, 4, 6)
    target[:, :, 3:] += 1
    left = torch.zeros(4, 6).double()
    left[:, :3] = 1
    masks, exchanged = torch.stack([left, 1 - left]), torch.stack([1 - left, left])
    E = distribution_style(name, DISTANCES[name], {"a": target}, {"a": masks}, {"a": exchanged}, {"a": 1.0})
    assert value(E, {"a": target.roll(3, dims=2)}) == pytest.approx(0, abs=1e-9)
    assert value(E, {"a": target}) > 1e-2


@pytest.mark.parametrize("name", DISTANCES)
def test_empty_regions_are_left_out(name: str) -> None:
    F, S = {"a": random(3, 4, 5)}, {"a": random(3, 4, 5, seed=1)}
    all_, none = torch.ones(4, 5).double(), torch.zeros(4, 5).double()

    def at(style_masks: list[Tensor], masks: list[Tensor]) -> float:
        here, there = {"a": torch.stack(masks)}, {"a": torch.stack(style_masks)}
        return value(distribution_style(name, DISTANCES[name], S, there, here, {"a": 1.0}), F)

    alone = at([all_], [all_])
    assert at([all_, all_], [all_, none]) == at([all_, none], [all_, all_]) == alone
    assert at([none], [all_]) == 0


def test_a_style_without_features_in_a_layer_is_left_out_there() -> None:
    all_ = {l: torch.ones(1, 2, 3).double() for l in "ab"}
    S = {"a": torch.zeros(3, 2, 3).double(), "b": random(3, 2, 3)}
    F = {"a": random(3, 2, 3, seed=1), "b": random(3, 2, 3, seed=2)}
    both = distribution_style("x", linear_mmd, S, all_, all_, {"a": 1.0, "b": 1.0})
    assert value(both, F) == value(distribution_style("x", linear_mmd, S, all_, all_, {"b": 1.0}), F) > 0


def test_in_place_of_gram_a_picture_without_features_costs_about_the_same() -> None:
    """The same weights go with every term: some units of 1, not thousandths or thousands."""
    target = {"a": 100 * random(3, 4, 5), "b": random(2, 3, 3, seed=1)}
    masks = {"a": two_masks(4, 5), "b": two_masks(3, 3)}
    nothing = {l: torch.zeros_like(F) for l, F in target.items()}
    costs = {
        kind: value(style_term(kind, target, masks, masks, {"a": 2e-9, "b": 3.0}), nothing)
        for kind in get_args(StyleTerm)
    }
    assert costs["gram"] == value(augmented_style(target, masks, masks, {"a": 2e-9, "b": 3.0}), nothing)
    assert all(costs["gram"] <= cost * (1 + 1e-9) and cost <= 4 * costs["gram"] for cost in costs.values())


@pytest.mark.parametrize("kind", get_args(StyleTerm))
def test_photo_takes_any_style_term(picture, fake_weights, kind: StyleTerm) -> None:
    I, S = picture(16, 20, dtype=torch.float32), picture(18, 16, seed=1, dtype=torch.float32)
    vgg = VGG(fake_weights())
    L = picture_objective(I, S, Regions.whole(I, S), vgg, Photo(style_term=kind))
    assert {term.name for term in L.terms} >= {"style", "matting"}
    x = I.clone().requires_grad_()
    style = L.parts(vgg(x, L.reads))["style"]
    (slope,) = torch.autograd.grad(style, x)
    assert 0 < float(style.detach()) < 10 and bool(slope.isfinite().all()) and float(slope.abs().max()) > 0
    if kind == "gram":
        assert all(term.value(vgg(I, L.reads)).isfinite() for term in L.terms)
    else:
        gram_style = picture_objective(I, S, Regions.whole(I, S), vgg, Photo()).parts(vgg(I, L.reads))["style"]
        assert float(style.detach()) != pytest.approx(float(gram_style), rel=1e-4)


def results(picture, fake_weights, run, settings, regions: Regions | None = None) -> tuple[list[Step], Tensor]:
    """The steps of a recipe at a tiny size, and its image."""
    I, S = picture(24, 32, dtype=torch.float32), 0.7 * picture(30, 26, seed=1, dtype=torch.float32)
    return walk(run(I, S, regions or Regions.whole(I, S), VGG(fake_weights()), settings))


@pytest.mark.parametrize("kind", get_args(StyleTerm))
def test_luan_takes_any_style_term(picture, fake_weights, kind: StyleTerm) -> None:
    seen, O = results(picture, fake_weights, deep_photo, DeepPhoto(size=24, steps=3, style_term=kind, start="noise"))
    assert bool(O.isfinite().all()) and seen[0].parts["style"] > seen[2].parts["style"] > 0
    if kind != "gram":
        assert not torch.equal(
            O, results(picture, fake_weights, deep_photo, DeepPhoto(size=24, steps=3, start="noise"))[1]
        )


WEIGHTS = [f.name for f in fields(DiscrepancyStyle) if f.name.endswith("_weight")]
ROUGH = {"levels": 1, "variation_weight": 0.0, "chroma_weight": 0.0}


@pytest.mark.parametrize("weight", WEIGHTS)
def test_the_recipe_lowers_each_term(picture, fake_weights, weight: str) -> None:
    only = {"levels": 1} | dict.fromkeys(WEIGHTS, 0.0) | {weight: 1.0}
    settings = DiscrepancyStyle(size=24, steps=8, start="content", balance=30.0, **only)
    seen, O = results(picture, fake_weights, discrepancy_style, settings)
    (name,) = set(seen[0].parts) - {"content"}
    assert weight.startswith(name[:2]) and seen[-1].parts[name] < 0.7 * seen[0].parts[name]
    assert O.shape == (3, 18, 24) and float(O.min()) >= 0 and float(O.max()) <= 1


def test_the_recipe_fuses_terms_by_their_weights(picture, fake_weights) -> None:
    settings = DiscrepancyStyle(
        size=24, steps=1, linear_weight=1.0, bn_weight=0.5, gaussian_weight=0.25, w2_weight=0.1, **ROUGH
    )
    seen, _ = results(picture, fake_weights, discrepancy_style, settings)
    assert set(seen[0].parts) == {"content", "linear", "bn", "gaussian", "w2"}


def test_the_recipe_without_style_keeps_the_content(picture, fake_weights) -> None:
    settings = DiscrepancyStyle(size=32, steps=3, gaussian_weight=0.0, start="content", **ROUGH)
    _, O = results(picture, fake_weights, discrepancy_style, settings)
    torch.testing.assert_close(O, picture(24, 32, dtype=torch.float32), rtol=0, atol=1e-5)


def test_the_recipe_looks_at_regions_and_at_the_seed_of_pairs(picture, fake_weights) -> None:
    settings = DiscrepancyStyle(size=24, steps=2, start="content", gaussian="pairs")
    _, whole = results(picture, fake_weights, discrepancy_style, settings)
    regions = Regions(("a", "b"), two_masks(24, 32).float(), two_masks(30, 26).float())
    assert not torch.equal(whole, results(picture, fake_weights, discrepancy_style, settings, regions)[1])
    other = DiscrepancyStyle(size=24, steps=2, start="content", gaussian="pairs", seed=1)
    assert not torch.equal(whole, results(picture, fake_weights, discrepancy_style, other)[1])
    assert torch.equal(whole, results(picture, fake_weights, discrepancy_style, settings)[1])


def test_the_recipe_goes_coarse_to_fine_from_the_content_in_the_colours_of_the_style(picture, fake_weights) -> None:
    I, S = (picture(144, 192, seed=seed, dtype=torch.float32) for seed in (0, 1))
    recipe = discrepancy_style(I, S, Regions.whole(I, S), VGG(fake_weights()), DiscrepancyStyle(size=192, steps=6))
    seen, O = walk(recipe)
    assert [(step.stage, step.of) for step in seen] == [("96 px", 3)] * 3 + [("192 px", 3)] * 3
    assert O.shape == I.shape
    once = DiscrepancyStyle(size=32, steps=1, optimizer="adam", **ROUGH)
    seen, _ = results(picture, fake_weights, discrepancy_style, once)
    S = 0.7 * picture(30, 26, seed=1, dtype=torch.float32)
    torch.testing.assert_close(seen[0].image.flatten(1).mean(1), S.flatten(1).mean(1), rtol=0, atol=0.03)


def test_each_layer_of_the_recipe_counts_by_its_weight(picture, fake_weights) -> None:
    def style_part(layers: str) -> float:
        settings = DiscrepancyStyle(size=32, steps=1, start="content", style_layers=layers, optimizer="adam", **ROUGH)
        return results(picture, fake_weights, discrepancy_style, settings)[0][0].parts["gaussian"]

    one, two, both = (style_part(layers) for layers in ("relu1_1", "relu3_1", "relu1_1:3,relu3_1"))
    assert min(one, two) < both < max(one, two)
    with pytest.raises(SettingsError, match="style_layers"):
        style_part("relu1_1,relu1_1")
