"""Colour transfer: what arrives of the style's colours, what stays of the photograph, region by region."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from photostyle._transfer import transfer, transfer_steps
from photostyle.color.spaces import lab_from_srgb
from photostyle.color.transport import covariance, directions
from photostyle.descent.steps import finish
from photostyle.recipes import RECIPES
from photostyle.recipes.pitie2007 import (
    DistributionTransfer,
    broken_line,
    distribution_transfer,
    grain_equation,
    histogram,
    linear_map,
    match_marginals,
    regrain,
    rotations,
)
from photostyle.recipes.reinhard2001 import lalphabeta_from_srgb, srgb_from_lalphabeta, statistics_map
from photostyle.regions.recolor import paired_colors, recolor, sample
from photostyle.regions.regions import Regions
from photostyle.solvers.poisson import ScreenedPoisson, solve

BASELINES = [name for name, recipe in RECIPES.items() if not recipe.network]
VARIANTS = [
    *((name, {}) for name in BASELINES),
    ("reinhard", {"space": "lab"}),
    ("reinhard", {"space": "lalphabeta"}),
    ("pitie", {"regrain": False}),
]


def _quantiles(x: Tensor, count: int) -> Tensor:
    """Evenly spaced quantiles of each row."""
    return torch.quantile(x, (torch.arange(count).to(x) + 0.5) / count, dim=1).T


@pytest.fixture
def content(picture) -> Tensor:
    return picture(40, 56, dtype=torch.float32)


@pytest.fixture
def style(picture) -> Tensor:
    return (0.15 + 0.6 * picture(44, 36, seed=3, dtype=torch.float32)).flip(0)


def halves(H: int, W: int, at: int) -> Tensor:
    left = torch.zeros(H, W)
    left[:, :at] = 1
    return torch.stack([left, 1 - left])


def colors(seed: int, n: int = 500) -> Tensor:
    """Correlated sRGB colours 3×n well inside [0, 1]."""
    generator = torch.Generator().manual_seed(seed)
    mix = torch.rand(3, 3, generator=generator, dtype=torch.float64)
    x = mix @ torch.rand(3, n, generator=generator, dtype=torch.float64)
    return 0.2 + 0.5 * x / x.max()


def sliced_distance(x: Tensor, y: Tensor) -> float:
    d = directions(32, seed=9, dtype=x.dtype)
    return float((_quantiles(d @ x, 100) - _quantiles(d @ y, 100)).abs().mean())


# --- all of them -------------------------------------------------------------------------------------


def test_these_recipes_need_no_network(content, style, monkeypatch) -> None:
    def no_network(*_: object) -> None:
        raise AssertionError("weights were loaded")

    monkeypatch.setattr("photostyle.network.network.load_weights", no_network)
    assert {"reinhard", "monge-kantorovich", "pitie"} <= set(BASELINES)
    for name in BASELINES:
        transfer(content, style, recipe=name, device="cpu")


@pytest.mark.parametrize(("recipe", "options"), VARIANTS)
def test_the_colors_come_closer_to_the_style(content, style, recipe: str, options) -> None:
    result = transfer(content, style, recipe=recipe, device="cpu", **options)
    before, after = (sliced_distance(image.flatten(1), style.flatten(1)) for image in (content, result))
    assert after < 0.25 * before


@pytest.mark.parametrize(("recipe", "options"), VARIANTS)
def test_a_photograph_given_its_own_look_stays(content, recipe: str, options) -> None:
    result = transfer(content, content, recipe=recipe, device="cpu", **options)
    torch.testing.assert_close(result, content, rtol=0, atol=2e-5)


@pytest.mark.parametrize(("recipe", "options"), VARIANTS)
def test_what_lies_in_one_region_does_not_touch_another(content, style, recipe: str, options) -> None:
    regions = Regions(("left", "right"), halves(40, 56, 20), halves(44, 36, 10))
    other_content, other_style = content.clone(), style.clone()
    other_content[:, :, 20:] = content[:, :, 20:].flip(1) ** 2
    other_style[:, :, 10:] = 1 - style[:, :, 10:]
    one = transfer(content, style, regions, recipe=recipe, device="cpu", **options)
    other = transfer(other_content, other_style, regions, recipe=recipe, device="cpu", **options)
    # the last column's forward difference, by which regraining weighs it, reaches over the border
    torch.testing.assert_close(one[:, :, :19], other[:, :, :19], rtol=0, atol=5e-3 if options == {} else 1e-6)
    assert not torch.allclose(one[:, :, 20:], other[:, :, 20:], atol=0.05)


@pytest.mark.parametrize(("recipe", "options"), VARIANTS)
def test_a_region_without_partner_stays_as_it_is(content, style, recipe: str, options) -> None:
    faint = torch.cat([torch.full((1, 44, 36), 0.4), torch.full((1, 44, 36), 0.6)])  # left is nowhere the larger part
    regions = Regions(("left", "right"), halves(40, 56, 20), faint)
    result = transfer(content, style, regions, recipe=recipe, device="cpu", **options)
    assert torch.equal(result[:, :, :20], content[:, :, :20])
    assert not torch.allclose(result[:, :, 20:], content[:, :, 20:], atol=0.05)


@pytest.mark.parametrize(("recipe", "options"), VARIANTS)
def test_a_style_of_one_color_gives_its_color(content, recipe: str, options) -> None:
    blue = torch.tensor([0.2, 0.3, 0.7])[:, None, None].expand(3, 20, 20)
    for image in (content, torch.full((3, 20, 20), 0.6), torch.zeros(3, 20, 20), torch.ones(3, 20, 20)):
        result = transfer(image, blue, recipe=recipe, device="cpu", **options)
        assert bool(result.isfinite().all())
        torch.testing.assert_close(result.mean((1, 2)), blue[:, 0, 0], rtol=0, atol=0.02)
    assert bool(transfer(blue, content, recipe=recipe, device="cpu", **options).isfinite().all())


@pytest.mark.parametrize(("recipe", "options"), VARIANTS)
def test_the_smallest_photographs(recipe: str, options) -> None:
    for H, W in ((1, 1), (1, 7), (5, 1), (2, 2)):
        result = transfer(torch.rand(3, H, W), torch.rand(3, 3, 2), recipe=recipe, device="cpu", **options)
        assert result.shape == (3, H, W) and bool(result.isfinite().all())


# --- recolouring by regions --------------------------------------------------------------------------


def test_masks_blend_the_maps() -> None:
    image, m = torch.full((3, 1, 4), 0.5), torch.tensor([[[1.0, 0.75, 0.25, 0.0]]])
    result = recolor(image, torch.cat([m, 1 - m]), [lambda c: c + 0.4, None])
    torch.testing.assert_close(result, 0.5 + 0.4 * m.expand(3, 1, 4))


def test_bands_join_without_a_seam(picture, monkeypatch) -> None:
    image, masks = picture(37, 20), torch.rand(2, 37, 20, dtype=torch.float64)
    masks /= masks.sum(0)
    maps = [lambda c: c**2, lambda c: 1 - c]
    whole = recolor(image, masks, maps)
    monkeypatch.setattr("photostyle.regions.recolor._BAND", 64)
    assert torch.equal(recolor(image, masks, maps), whole)


def test_a_large_photograph_is_sampled_evenly(picture, monkeypatch) -> None:
    image = picture(90, 120)
    assert sample(image, image[:1])[0].shape == image.shape
    monkeypatch.setattr("photostyle.regions.recolor._SAMPLE", 1200)
    few, mask = sample(image, image[:1])
    assert few.shape == (3, 30, 40) and torch.equal(few, image[:, ::3, ::3]) and torch.equal(mask, few[:1])
    whole = Regions.whole(image, image)
    ((x, _),) = paired_colors(image, image, whole)
    torch.testing.assert_close(x.mean(1), image.mean((1, 2)), rtol=0, atol=0.01)
    torch.testing.assert_close(x.std(1), image.flatten(1).std(1), rtol=0.05, atol=0)


# --- Reinhard et al. 2001 ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("space", "into"), [("lab", lab_from_srgb), ("lalphabeta", lalphabeta_from_srgb)], ids=["lab", "lalphabeta"]
)
def test_mean_and_standard_deviation_are_the_styles(space: str, into) -> None:
    x, y = colors(1), colors(2, 300)
    moved = into(statistics_map(x, y, space)(x))
    torch.testing.assert_close(moved.mean(1), into(y).mean(1))
    torch.testing.assert_close(moved.std(1, correction=0), into(y).std(1, correction=0))


def test_lalphabeta_by_hand() -> None:
    """White is LMS (0.9996, 0.9999, 1.0003) by the paper's matrix (eq. 4), whose rows add up to nearly 1."""
    white, mid = torch.ones(3, 1, dtype=torch.float64), torch.full((3, 1), 0.5, dtype=torch.float64)
    sums = [0.3811 + 0.5783 + 0.0402, 0.1967 + 0.7244 + 0.0782, 0.0241 + 0.1288 + 0.8444]
    for image, light in ((white, 1.0), (mid, ((0.5 + 0.055) / 1.055) ** 2.4), (0 * mid, 0.0)):
        L, M, S = (math.log10(light * total + 1 / 255 / 12.92) for total in sums)
        expected = [(L + M + S) / 3**0.5, (L + M - 2 * S) / 6**0.5, (L - M) / 2**0.5]
        assert lalphabeta_from_srgb(image)[:, 0].tolist() == pytest.approx(expected, abs=1e-12)


def test_lalphabeta_and_back() -> None:
    cube = torch.cartesian_prod(*[torch.linspace(0, 1, 9, dtype=torch.float64)] * 3).T
    torch.testing.assert_close(srgb_from_lalphabeta(lalphabeta_from_srgb(cube)), cube)
    extreme = torch.tensor([[1e5], [-1e5], [1e5]])
    assert bool(srgb_from_lalphabeta(extreme).isfinite().all())


def test_rounding_is_not_stretched() -> None:
    """A sky of two neighbouring values of 8 bits does not become noise of full contrast."""
    sky = torch.full((3, 1000), 128 / 255)
    sky[:, ::50] += 1 / 255
    for space in ("lab", "lalphabeta"):
        moved = statistics_map(sky, colors(2).float(), space)(sky)
        assert float((moved.amax(1) - moved.amin(1)).max()) < 1.5 * float((colors(2).amax(1) - colors(2).amin(1)).max())


# --- Pitié & Kokaram 2007 ----------------------------------------------------------------------------


def test_mean_and_covariance_are_the_styles() -> None:
    x, y = colors(1), colors(2, 300)
    moved = linear_map(x, y, ridge=1e-8)(x)
    torch.testing.assert_close(moved.mean(1), y.mean(1))
    torch.testing.assert_close(covariance(moved, 0), covariance(y, 0), rtol=1e-3, atol=1e-7)


def test_the_whole_photograph_gets_mean_and_covariance(content, style) -> None:
    result = transfer(content, style, recipe="monge-kantorovich", ridge=1e-8, device="cpu").flatten(1)
    assert float(result.min()) > 0 and float(result.max()) < 1  # nothing was clamped
    torch.testing.assert_close(result.mean(1), style.flatten(1).mean(1), rtol=1e-3, atol=0)
    torch.testing.assert_close(covariance(result, 0), covariance(style.flatten(1), 0), rtol=1e-2, atol=1e-4)


# --- Pitié, Kokaram & Dahyot 2007: the colours -------------------------------------------------------


def test_rotations_are_orthogonal_and_begin_with_the_axes() -> None:
    R = rotations(5, seed=1)
    assert len(R) == 5 and torch.equal(R[0], torch.eye(3, dtype=torch.float64))
    for one in R:
        torch.testing.assert_close(one @ one.T, torch.eye(3, dtype=torch.float64))
    assert not torch.equal(R[1], rotations(5, seed=2)[1]) and len(rotations(1, seed=0)) == 1


def test_a_histogram_by_hand() -> None:
    shares, parts = histogram(torch.tensor([0.1, 0.9, 1.0, 4.0]), bins=4)  # the highest value is in the last bin
    assert shares.tolist() == [0.5, 0.25, 0, 0.25]
    assert parts.tolist() == pytest.approx([0.25, 0.25, 0, 1])


def test_ranks_by_hand() -> None:
    """Half of x is 0.2, a quarter 1.5, a quarter 3.0; of y each quarter is a value: the first two share theirs."""
    x, y = histogram(torch.tensor([0.2, 0.2, 1.5, 3.0]), 4), histogram(torch.tensor([0.5, 1.5, 2.5, 3.5]), 4)
    knots, shifts = broken_line(x, y)
    assert knots.tolist() == pytest.approx([0.2, 1.5, 2.5, 3.0])  # no colour is in the third bin: its middle
    assert (knots + shifts).tolist() == pytest.approx([1.0, 2.5, 3.1666667, 3.5])


@pytest.mark.parametrize("recipe", BASELINES)
@settings(max_examples=30, derandomize=True, deadline=None, database=None)
@given(st.tuples(*[st.integers(0, 255)] * 3), st.integers(0, 2**31), st.booleans())
def test_what_has_no_spread_goes_to_the_mean(recipe: str, level: tuple[int, ...], seed: int, flat: bool) -> None:
    """A blown-out sky: one colour, that of the style's region, whatever the seed."""
    color = (torch.tensor(level) / 255)[:, None, None]
    style = colors(seed % 1000).float().view(3, 20, 25)
    if flat:
        style = style.mean((1, 2), keepdim=True).expand_as(style)
    content = color.expand(3, 16, 24)
    p = RECIPES[recipe].settings(**({"seed": seed} if recipe == "pitie" else {}))
    result = finish(RECIPES[recipe].run(content, style, Regions.whole(content, style), None, p))
    assert float((result - result[:, :1, :1]).abs().max()) < 1e-4
    if recipe == "reinhard":  # whose mean is that of L*a*b*
        assert float((lab_from_srgb(result).mean((1, 2)) - lab_from_srgb(style).mean((1, 2))).abs().max()) < 0.05
    else:
        torch.testing.assert_close(result[:, 0, 0], style.mean((1, 2)), rtol=0, atol=1e-3)


def test_marginals_match_on_each_axis() -> None:
    x, y, R = colors(1, 4000), colors(2, 3000), rotations(2, seed=0)[1]
    moved = match_marginals(x, y, R, bins=300)(x)
    width = float((R @ y).max() - (R @ y).min()) / 300
    error = _quantiles(R @ moved, 500) - _quantiles(R @ y, 500)
    assert float(error.abs().mean()) < width and float(error.abs().max()) < 10 * width


def test_order_on_the_axes_is_kept_and_strangers_are_shifted() -> None:
    """t is ascending, and a colour beyond all that was seen moves as the last that was."""
    x, y = colors(1), colors(2)
    move = match_marginals(x, y, torch.eye(3, dtype=torch.float64), bins=50)
    line = torch.linspace(-0.5, 1.5, 4000, dtype=torch.float64).expand(3, -1)
    assert float((move(line)[:, 1:] - move(line)[:, :-1]).min()) >= -1e-12
    far = move(line) - line
    torch.testing.assert_close(far[:, 0], far[:, 50])
    torch.testing.assert_close(far[:, -1], far[:, -50])


def test_the_distance_falls_to_nearly_nothing(content, style) -> None:
    p = DistributionTransfer(regrain=False)
    steps = distribution_transfer(content, style, Regions.whole(content, style), None, p)
    distances, parts = [sliced_distance(content.flatten(1), style.flatten(1))], []
    for step in steps:
        distances.append(sliced_distance(step.image.flatten(1), style.flatten(1)))
        parts.append(step.parts["color"])
    assert len(parts) == p.steps
    assert distances[1] < 0.5 * distances[0] and distances[-1] < 0.05 * distances[0]
    assert all(b < 1.2 * a + 1e-4 for a, b in pairwise(distances))
    assert parts[-1] < 0.05 * parts[0]


def test_the_sample_decides_and_the_photograph_follows(picture, style, monkeypatch) -> None:
    """A map found on every third row and column brings the colours of the whole photograph as well."""
    content = picture(90, 120, dtype=torch.float32)
    before = sliced_distance(content.flatten(1), style.flatten(1))
    monkeypatch.setattr("photostyle.regions.recolor._SAMPLE", 1200)
    steps = transfer_steps(content, style, recipe="pitie", regrain=False, device="cpu")
    assert next(steps).image.shape == (3, 30, 40)
    result = transfer(content, style, recipe="pitie", regrain=False, device="cpu")
    assert result.shape == content.shape
    assert sliced_distance(result.flatten(1), style.flatten(1)) < 0.1 * before


# --- Pitié, Kokaram & Dahyot 2007: the grain ---------------------------------------------------------


def dense(A: ScreenedPoisson) -> Tensor:
    """The matrix of A, entry by entry from its definition."""
    H, W = A.psi.shape
    M = torch.zeros(H * W, H * W, dtype=A.psi.dtype)
    for y in range(H):
        for x in range(W):
            M[y * W + x, y * W + x] += A.psi[y, x]
            for v, u, weights in ((y, x + 1, A.across), (y + 1, x, A.down)):
                if v < H and u < W:
                    p, q = y * W + x, v * W + u
                    M[p, p] += weights[y, x]
                    M[q, q] += weights[y, x]
                    M[p, q] -= weights[y, x]
                    M[q, p] -= weights[y, x]
    return M


def random_equation(H: int, W: int) -> ScreenedPoisson:
    """Coefficients over six decades."""
    generator = torch.Generator().manual_seed(H * W)

    def rough(*size: int) -> Tensor:
        return 10 ** (6 * torch.rand(size, generator=generator, dtype=torch.float64) - 3)

    return ScreenedPoisson(rough(H, W) / 10, rough(H, W - 1), rough(H - 1, W))


@pytest.mark.parametrize(("H", "W"), [(1, 1), (1, 6), (7, 1), (5, 8), (13, 9), (16, 16)])
def test_the_operator_and_its_solution_agree_with_the_matrix(H: int, W: int) -> None:
    A = random_equation(H, W)
    M, f = dense(A), torch.randn(H, W, dtype=torch.float64)
    torch.testing.assert_close((A @ f).flatten(), M @ f.flatten())
    torch.testing.assert_close(A.diagonal().flatten(), M.diagonal())
    u = solve(A, f, tolerance=1e-12, most=400)
    torch.testing.assert_close(u.flatten(), torch.linalg.solve(M, (A.psi * f).flatten()), rtol=1e-6, atol=1e-8)


def test_a_coarse_grid_poses_the_same_problem() -> None:
    """Constant coefficients: ψ of four pixels, φ as it was (twice the edge over twice the distance)."""
    A = ScreenedPoisson(torch.full((6, 9), 0.3), torch.full((6, 8), 2.0), torch.full((5, 9), 2.0)).coarse()
    assert A.psi.shape == (3, 5) and A.across.shape == (3, 4) and A.down.shape == (2, 5)
    torch.testing.assert_close(A.psi[:, :4], torch.full((3, 4), 1.2))
    torch.testing.assert_close(A.psi[:, 4], torch.full((3,), 0.6))  # the last is only half there
    torch.testing.assert_close(A.across, torch.full((3, 4), 2.0))
    torch.testing.assert_close(A.down[:, :4], torch.full((2, 4), 2.0))


def test_multigrid_keeps_the_steps_few(picture) -> None:
    """A dozen steps, whatever the size: without the coarse grids it would be some hundred."""
    for size in (64, 256):
        image = picture(size, size)
        A = grain_equation(image, torch.ones_like(image[:1]))
        f = picture(size, size, seed=5)[0] - 0.5
        u = solve(A, f, tolerance=0, most=12)
        residual = A.psi * f - A @ u
        assert float(residual.norm()) < 1e-3 * float((A.psi * f).norm())


def test_weights_of_the_grain_by_hand() -> None:
    """One edge of ‖∇I‖ = 10 steps of 8 bits in each of three channels."""
    image = torch.zeros(3, 1, 3, dtype=torch.float64)
    image[:, :, 2] = 10 / 255
    A = grain_equation(image, torch.ones(1, 1, 3, dtype=torch.float64))
    size = 10 * 3**0.5
    φ = [30, 30 / (1 + 10 * size / 255), 30]
    assert A.psi[0].tolist() == pytest.approx([1e-3, 1, 1])  # both sides of the edge
    assert A.across[0].tolist() == pytest.approx([(φ[0] + φ[1]) / 2, (φ[1] + φ[2]) / 2])
    small = grain_equation(image / 10, torch.ones(1, 1, 3, dtype=torch.float64))
    assert small.psi[0].tolist() == pytest.approx([1e-3, 3**0.5 / 5, 3**0.5 / 5])


def test_regraining_solves_the_equation_of_the_paper(picture) -> None:
    """ψ (J − t) = div(φ (∇J − ∇I)), by a dense solve for J itself."""
    I, t = picture(9, 11), picture(9, 11, seed=7)
    masks = halves(9, 11, 4).double()
    A = grain_equation(I, masks)
    M, Ψ = dense(A), torch.diag(A.psi.flatten())
    J = regrain(t.clone(), I, masks)
    for c in range(3):
        right = Ψ @ t[c].flatten() + (M - Ψ) @ I[c].flatten()
        torch.testing.assert_close(J[c].flatten(), torch.linalg.solve(M, right), rtol=0, atol=1e-3)


def test_regraining_takes_noise_away_and_leaves_the_colors(picture) -> None:
    """Grain that only the mapped image has goes; a smooth change of colour stays."""
    ramp = torch.linspace(0, 1, 48, dtype=torch.float64).expand(3, 48, 48)
    image = 0.4 + 0.1 * ramp
    smooth = 1 - 2 * image
    grain = 0.05 * torch.randn(3, 48, 48, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    result = regrain(smooth + grain, image, torch.ones(1, 48, 48, dtype=torch.float64))
    assert float((result - smooth).mean().abs()) < 0.005
    assert float((result - smooth).diff(dim=1).std()) < 0.1 * float(grain.diff(dim=1).std())
