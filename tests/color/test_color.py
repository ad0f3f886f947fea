"""Colour spaces: published values, round trips and gradients."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from photostyle.color.spaces import balanced, lab_from_srgb, linear_from_srgb, luma, srgb_from_lab, srgb_from_linear

channel = st.floats(0, 1)


def color(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


GRID = torch.cartesian_prod(*[torch.linspace(0, 1, 9, dtype=torch.float64)] * 3).T  # 3×729


@pytest.mark.parametrize(
    ("srgb", "lab"),
    [
        ((1, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 1, 0), (87.73, -86.18, 83.18)),
        ((0, 0, 1), (32.30, 79.19, -107.86)),
        ((0.5, 0.5, 0.5), (53.39, 0, 0)),
        ((1, 1, 1), (100, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
    ],
)
def test_published_lab_values(srgb: tuple[float, ...], lab: tuple[float, ...]) -> None:
    torch.testing.assert_close(lab_from_srgb(color(*srgb)), color(*lab), rtol=0, atol=0.02)


def test_every_gray_has_no_colour() -> None:
    grays = torch.linspace(0, 1, 101, dtype=torch.float64).expand(3, -1)
    L, a, b = lab_from_srgb(grays)
    assert float(a.abs().max()) < 1e-9 and float(b.abs().max()) < 1e-9
    assert bool((L.diff() > 0).all()) and float(L[-1]) == pytest.approx(100)


def test_published_linear_values() -> None:
    srgb = color(0, 0.04045, 0.5, 1)
    torch.testing.assert_close(linear_from_srgb(srgb), color(0, 0.0031308, 0.2140411, 1), rtol=0, atol=1e-6)


def test_curves_have_no_step_where_their_halves_meet() -> None:
    for curve, joint in ((linear_from_srgb, 0.04045), (srgb_from_linear, 0.0031308)):
        below, above = curve(color(joint - 1e-9, joint + 1e-9))
        assert abs(float(above - below)) < 1e-7


@given(channel, channel, channel)
def test_linear_and_back(r: float, g: float, b: float) -> None:
    image = color(r, g, b)
    torch.testing.assert_close(srgb_from_linear(linear_from_srgb(image)), image, rtol=0, atol=1e-6)


@given(channel, channel, channel)
def test_lab_and_back(r: float, g: float, b: float) -> None:
    image = color(r, g, b)
    torch.testing.assert_close(srgb_from_lab(lab_from_srgb(image)), image, rtol=0, atol=1e-6)


def test_shapes_and_types_are_kept() -> None:
    for shape in ((3,), (3, 5), (3, 4, 5)):
        for function in (linear_from_srgb, srgb_from_linear, lab_from_srgb, srgb_from_lab):
            out = function(torch.full(shape, 0.5))
            assert out.shape == shape and out.dtype == torch.float32
    torch.testing.assert_close(lab_from_srgb(GRID.view(3, 27, 27)).flatten(1), lab_from_srgb(GRID))


def test_colours_outside_srgb_come_back_outside() -> None:
    green = srgb_from_lab(color(80, -140, 60))
    assert float(green[0]) < 0


@pytest.mark.parametrize("function", [linear_from_srgb, srgb_from_linear, lab_from_srgb])
def test_gradients_agree_with_finite_differences(function) -> None:
    image = color(0.02, 0.3, 0.6, 0.9, 0.25, 0.5).view(3, 2).requires_grad_()
    assert torch.autograd.gradcheck(function, (image,))


def test_gradient_of_lab_and_back() -> None:
    lab = lab_from_srgb(color(0.2, 0.3, 0.6)).requires_grad_()
    assert torch.autograd.gradcheck(srgb_from_lab, (lab,))


@pytest.mark.parametrize("function", [linear_from_srgb, srgb_from_linear, lab_from_srgb])
def test_gradients_are_finite_even_at_black_and_outside(function) -> None:
    image = color(0, 0, 0, -0.1, 1.2, 1).view(3, 2).requires_grad_()
    function(image).sum().backward()
    assert image.grad is not None and bool(image.grad.isfinite().all())


def test_luma_by_hand() -> None:
    torch.testing.assert_close(luma(torch.eye(3, dtype=torch.float64)), color(0.2126, 0.7152, 0.0722))
    assert float(luma(color(1, 1, 1))) == pytest.approx(1)


# --- the cast of a photograph ----------------------------------------------------------------------------


def cast(image: Tensor) -> Tensor:
    """Logarithms of the channels' root mean squares, beside their mean: 0 for grey."""
    x = image.square().mean((1, 2)).sqrt().log()
    return x - x.mean()


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_grey_photograph_has_no_cast_to_take_out(dark: float, bright: float) -> None:
    gray = torch.linspace(dark, bright, 35, dtype=torch.float64).view(5, 7).expand(3, -1, -1)
    torch.testing.assert_close(balanced(gray), gray)


@given(st.floats(0.3, 1), st.floats(0.3, 1), st.floats(0.3, 1))
def test_half_of_a_cast_is_taken_out(r: float, g: float, b: float) -> None:
    picture = torch.rand(3, 6, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    tinted = 0.5 * color(r, g, b)[:, None, None] * picture  # so dark that nothing is clipped
    once = balanced(tinted)
    torch.testing.assert_close(cast(once), cast(tinted) / 2)
    torch.testing.assert_close(cast(balanced(once)), cast(tinted) / 4)


def test_only_the_strengths_of_channels_change() -> None:
    picture = 0.6 * torch.rand(3, 6, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    tinted = color(1, 0.5, 0.4)[:, None, None] * picture
    gain = balanced(tinted) / tinted
    torch.testing.assert_close(gain, gain[:, :1, :1].expand_as(gain))
    assert float(gain[0, 0, 0]) < 1 < float(gain[1, 0, 0]) < float(gain[2, 0, 0])


@pytest.mark.parametrize("image", [torch.zeros(3, 2, 2), torch.ones(3, 1, 1), color(1, 0, 0).view(3, 1, 1)])
def test_a_balanced_photograph_is_one(image: Tensor) -> None:
    found = balanced(image)
    assert found.shape == image.shape and found.dtype == image.dtype
    assert bool(((found >= 0) & (found <= 1)).all())
