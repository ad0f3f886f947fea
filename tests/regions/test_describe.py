"""Regions are called by where they lie and their colour."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from photostyle.regions.describe import describe


def flat(color: tuple[float, float, float]) -> torch.Tensor:
    return torch.tensor(color)[:, None, None].expand(3, 40, 60)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ((slice(0, 20), slice(0, 60)), "upper, blue"),
        ((slice(20, 40), slice(0, 60)), "lower, blue"),
        ((slice(0, 40), slice(45, 60)), "right, blue"),
        ((slice(0, 10), slice(0, 15)), "upper left, blue"),
        ((slice(10, 30), slice(15, 45)), "middle, blue"),
        ((slice(0, 40), slice(0, 60)), "everywhere, blue"),
        ((slice(0, 0), slice(0, 0)), "nowhere"),
    ],
)
def test_the_place_is_that_of_the_middle(where: tuple[slice, slice], said: str) -> None:
    mask = torch.zeros(40, 60)
    mask[where] = 1
    assert describe(flat((0.25, 0.45, 0.75)), mask) == said


@pytest.mark.parametrize(
    ("color", "said"),
    [
        ((0.02, 0.02, 0.02), "black"),
        ((0.97, 0.97, 0.97), "white"),
        ((0.8, 0.1, 0.1), "red"),
        ((0.3, 0.5, 0.2), "green"),
        ((0.95, 0.6, 0.2), "orange"),
        ((0.6, 0.75, 0.95), "light blue"),
        ((0.05, 0.08, 0.25), "dark blue"),
        ((0.5, 0.5, 0.5), "grey"),
    ],
)
def test_the_colour_is_the_nearest_word(color: tuple[float, float, float], said: str) -> None:
    assert describe(flat(color), torch.ones(40, 60)) == f"everywhere, {said}"


def test_only_what_is_in_the_mask_counts() -> None:
    image = flat((0.8, 0.1, 0.1)).clone()
    image[:, :20] = 0.97
    mask = torch.zeros(40, 60)
    mask[20:] = 1
    assert describe(image, mask).split(", ")[1] == "red"


@given(st.integers(1, 30), st.integers(1, 30), st.data())
def test_every_mask_has_a_name_of_two_parts(h: int, w: int, data: st.DataObject) -> None:
    generator = torch.Generator().manual_seed(data.draw(st.integers(0, 2**31)))
    image, mask = torch.rand(3, h, w, generator=generator), torch.rand(h, w, generator=generator) + 1e-3
    assert len(describe(image, mask).split(", ")) == 2
