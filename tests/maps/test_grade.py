"""The family of grades: sliders by hand, modes that nest, and the map of a grade."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from photostyle.color.spaces import linear_from_srgb, luma
from photostyle.maps.grade import (
    AFFINE,
    COUNT,
    SLIDERS,
    SPREAD,
    basis,
    color_map,
    heights,
    lattice,
    modes,
    prices,
    slide,
    split_modes,
)


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def slider(name: str, value: float = 1.0) -> Tensor:
    u = torch.zeros(8)
    u[SLIDERS.index(name)] = value
    return u


def test_sliders_at_zero_change_nothing() -> None:
    x = random(3, 50)
    torch.testing.assert_close(slide(x, torch.zeros(8)), x, atol=1e-6, rtol=0)


def test_exposure_is_in_stops_of_light() -> None:
    x = 0.3 * random(3, 50)
    light = linear_from_srgb(slide(x, slider("exposure")))
    torch.testing.assert_close(light, 2 * linear_from_srgb(x), atol=1e-6, rtol=1e-4)


def test_warmth_moves_red_against_blue_and_green_stays() -> None:
    x = 0.3 + 0.3 * random(3, 50)
    change = linear_from_srgb(slide(x, slider("warmth"))) / linear_from_srgb(x)
    expected = torch.tensor([2 ** SPREAD[1], 1, 2 ** -SPREAD[1]])[:, None].expand(3, 50)
    torch.testing.assert_close(change, expected, atol=1e-3, rtol=0)


def test_saturation_keeps_luma_and_contrast_the_middle() -> None:
    x = random(3, 50)
    torch.testing.assert_close(luma(slide(x, slider("saturation"))), luma(x), atol=1e-5, rtol=0)
    middle = torch.full((3, 1), 0.5)
    torch.testing.assert_close(slide(middle, slider("contrast", 2.0)), middle, atol=1e-5, rtol=0)


def test_shadows_are_coloured_and_white_is_not() -> None:
    black_and_white = torch.tensor([[0.0, 1.0]]).repeat(3, 1)
    y = slide(black_and_white, slider("shadow red"))
    torch.testing.assert_close(y[:, 0], torch.tensor([SPREAD[5], 0, 0]), atol=1e-6, rtol=0)
    torch.testing.assert_close(y[:, 1], torch.ones(3), atol=1e-6, rtol=0)


def test_affine_modes_are_exact_and_the_cheapest() -> None:
    """Constant and linear functions of colour are combinations of the four first modes, at any colour."""
    x = random(3, 100)
    φ = modes(x)[:, AFFINE].double()
    wanted = torch.cat([torch.ones(1, 100), x]).T.double()
    solution = torch.linalg.lstsq(φ, wanted).solution
    torch.testing.assert_close(φ @ solution, wanted, atol=1e-5, rtol=0)
    cheapest = prices()[: COUNT - len(AFFINE)] == 1
    assert int(cheapest.sum()) == 4 and all(bool(cheapest[n]) for n in AFFINE)


def test_modes_have_about_the_power_of_one() -> None:
    power = modes(random(3, 4000)).square().mean(0)
    assert float(power.min()) > 0.2 and float(power.max()) < 2.5


def test_the_map_of_a_grade_is_the_grade() -> None:
    c, x, h = 0.02 * torch.randn(COUNT, 3, generator=torch.Generator().manual_seed(1)), random(3, 200), random(200)
    map = color_map(torch.zeros(8), c)
    torch.testing.assert_close(map(x, h), x + (basis(x, h) @ c).T, atol=1e-5, rtol=0)
    u = 0.5 * torch.randn(8, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(color_map(u, 0 * c)(x), slide(x, u), atol=0.02, rtol=0)


def test_the_nodes_of_a_lattice_differ_by_slopes() -> None:
    u = torch.zeros(8, dtype=torch.float64, requires_grad=True)
    c = torch.zeros(COUNT, 3, dtype=torch.float64, requires_grad=True)
    flat, _ = split_modes(c)
    assert lattice(u, c, 3).shape == (3, 3, 3, 3) and flat.shape == (COUNT - 4, 3)
    assert torch.autograd.gradcheck(lambda u, c: lattice(u, c, 2), (u + 0.1, c))


def test_heights_run_from_the_top_of_a_region_to_its_bottom() -> None:
    masks = torch.zeros(2, 100, 4)
    masks[0, :50] = 1
    masks[1, 60:] = 1
    y = heights(masks)
    assert float(y[0, 0]) == -1 and float(y[0, 49]) == 1 and float(y[0, 80]) == 1
    assert float(y[0, 24]) == pytest.approx(0, abs=0.06)
    assert float(y[1, 59]) == -1 and float(y[1, 99]) == 1
    assert bool((y.diff(dim=1) >= 0).all())


def test_the_height_of_an_empty_region_is_a_number() -> None:
    assert bool(heights(torch.zeros(1, 10, 10)).isfinite().all())
