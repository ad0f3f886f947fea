"""Colours that nobody has come out paler; those that the photograph or the style has are left alone."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from photostyle.color.spaces import srgb_from_lab
from photostyle.maps.grade import basis, heights_in
from photostyle.maps.lattice import ColorMap, cube
from photostyle.maps.restrain import lch_from_srgb, paler, restrained, richest

angles = st.floats(-180, 180)


def color(light: float, chroma: float, degrees: float) -> Tensor:
    """3×1, sRGB."""
    h = math.radians(degrees)
    return srgb_from_lab(torch.tensor([[light], [chroma * math.cos(h)], [chroma * math.sin(h)]]))


def grey(n: int = 50) -> Tensor:
    return torch.linspace(0.4, 0.6, n).expand(3, n)


def near(light: float, degrees: float, colors: Tensor, least: float = 1.0) -> float:
    return float(richest(torch.tensor([light]), torch.tensor([math.radians(degrees)]), lch_from_srgb(colors), least))


def test_a_hue_that_nobody_has_comes_out_paler_in_its_hue_and_light() -> None:
    found = color(50, 25, 110).expand(3, 50)
    L, C, h = lch_from_srgb(paler(found, grey(), color(50, 25, 280).expand(3, 50)))
    torch.testing.assert_close(L, torch.full_like(L, 50), rtol=0, atol=0.05)
    torch.testing.assert_close(h, torch.full_like(h, math.radians(110)), rtol=0, atol=0.02)
    assert float(C.min()) >= 2 and float(C.max()) < 5


@given(angles, st.floats(-20, 20))
def test_what_the_style_has_is_left_to_the_bit(degrees: float, turn: float) -> None:
    found = color(50, 20, degrees).expand(3, 50)
    assert torch.equal(paler(found, grey(), color(50, 20, degrees + turn).expand(3, 50)), found)


@given(angles, st.floats(25, 75))
def test_what_the_photograph_has_may_be_lit_and_richer_even_if_it_is_one_pixel(degrees: float, light: float) -> None:
    colors = torch.cat([grey(300), color(40, 20, degrees)], dim=1)
    rich = color(light, 1.4 * 20 * (light + 16) / 56, degrees)
    found = torch.cat([grey(300), rich], dim=1)
    assert torch.equal(paler(found, colors, grey()), found)


def test_a_few_twigs_do_not_make_a_green_sky() -> None:
    found = color(80, 25, 110).expand(3, 50)
    twigs = torch.cat([grey(990), color(80, 25, 110).expand(3, 10)], dim=1)
    trees = torch.cat([grey(500), color(30, 25, 110).expand(3, 500)], dim=1)
    for style in (twigs, trees):  # too few of them, and too dark
        assert float(lch_from_srgb(paler(found, grey(), style))[1].max()) < 5


@given(angles)
def test_the_richer_a_colour_is_the_richer_it_stays(degrees: float) -> None:
    found = torch.cat([color(50, chroma, degrees) for chroma in range(0, 60, 2)], dim=1)
    chroma = lch_from_srgb(paler(found, grey(found.shape[1]), grey()))[1]
    assert bool((chroma.diff() > -0.01).all())


@given(angles, angles)
def test_hue_is_periodic(degrees: float, other: float) -> None:
    """Turned together, and by a whole turn, the colours find each other as before."""
    colors = torch.cat([color(50, 20, degrees), color(50, 10, degrees + 25)], dim=1)
    turned = torch.cat([color(50, 20, degrees + other), color(50, 10, degrees + 25 + other)], dim=1)
    for at in (10.0, 45.0):
        found = near(50, degrees + at, colors, 0.5)
        assert found == pytest.approx(near(50, degrees + at + 360, colors, 0.5), abs=1e-2)
        assert found == pytest.approx(near(50, degrees + at + other, turned, 0.5), abs=1e-2)


def test_the_chroma_that_enough_colours_have() -> None:
    colors = torch.cat([color(50, chroma, 0) for chroma in (10.0, 20.0, 30.0)], dim=1)
    assert near(50, 0, colors, 0.9) == pytest.approx(30, abs=0.1)
    assert near(50, 0, colors, 1.9) == pytest.approx(20, abs=0.1)
    assert near(50, 0, colors, 3.1) == 0  # there are not so many
    assert near(50, 30, colors, 0.9) == pytest.approx(20, abs=0.1)  # 30 degrees away each is half a colour
    assert near(50, 61, colors, 0.01) == near(76, 0, colors, 0.01) == 0


def test_a_map_is_changed_at_the_colours_alone_that_need_it() -> None:
    """Greys that come out green at one end; at the other they stay what they are."""
    X = cube(17)
    map = ColorMap.of(X + 0.15 * (X.mean(0) - 0.5).clamp(min=0) * torch.tensor([0.0, 1, -4]).view(3, 1, 1, 1))
    x, h = torch.linspace(0.1, 0.9, 400).expand(3, 400), torch.zeros(400)
    after = restrained(map, x, h, x)
    before = lch_from_srgb(map(x))[1]
    assert float(before.max()) > 35 and float(lch_from_srgb(after(x))[1].max()) < 8
    change = (after(x) - map(x)).abs().amax(0)
    assert float(change[x[0] < 0.2].max()) == 0 and float(change[x[0] < 0.5].max()) < 0.01
    assert torch.equal(after.tilt, map.tilt)


def test_a_map_without_fault_is_the_same() -> None:
    map, x = ColorMap.identity(), torch.rand(3, 100, generator=torch.Generator().manual_seed(0))
    assert restrained(map, x, torch.zeros(100), 1 - x) is map


def test_what_follows_the_height_is_no_way_out() -> None:
    """A grey wall, greener towards its foot."""
    tilt = torch.zeros(3, 4)
    tilt[:, 3] = torch.tensor([-0.05, 0.05, -0.1])
    map = ColorMap(cube(17), tilt)
    h = torch.linspace(0, 1, 300)
    x = (0.3 + 0.4 * h).expand(3, 300)
    assert float(lch_from_srgb(map(x, h))[1].max()) > 12
    assert float(lch_from_srgb(restrained(map, x, h, x)(x, h))[1].max()) < 6


def test_heights_are_read_from_a_basis() -> None:
    x, h = torch.rand(3, 20, generator=torch.Generator().manual_seed(0)), torch.linspace(-1, 1, 20)
    torch.testing.assert_close(heights_in(basis(x, h)), h)
