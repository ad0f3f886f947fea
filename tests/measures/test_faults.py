"""Tints, contrast and gain where their values are known."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from photostyle.color.spaces import lab_from_srgb, srgb_from_lab
from photostyle.measures.faults import contrast, gain, lipschitz, tint

WHOLE = torch.ones(1, 60, 80)


def with_tint(image: Tensor, field: Tensor) -> Tensor:
    lab = lab_from_srgb(image.double())
    lab[1] += field
    return srgb_from_lab(lab)


def test_the_photograph_and_functions_of_its_colours_have_no_tint(picture) -> None:
    I = picture(60, 80)
    assert tint(I, I, WHOLE)[0] < 1e-3
    lab = lab_from_srgb(I)
    graded = torch.stack([lab[0], 0.5 * lab[1] + 0.001 * lab[0] * lab[2], lab[2] + 3])
    assert tint(srgb_from_lab(graded), I, WHOLE)[0] < 0.3


def test_a_drift_of_chroma_is_a_tint_of_its_size() -> None:
    """On a plain grey ground a* swings by 6 from left to right: neither colour nor height tells left from right."""
    I = torch.full((3, 60, 80), 0.5).double()
    drift = 6 * torch.linspace(-torch.pi, torch.pi, 80).sin()
    both, plain = tint(with_tint(I, drift), I, WHOLE)
    assert both == pytest.approx(6 / 2**0.5, rel=0.05)
    assert plain == pytest.approx(both)


def test_grain_is_no_tint_and_height_explains() -> None:
    I = torch.full((3, 60, 80), 0.5).double()
    grain = 6 * (torch.rand(60, 80, generator=torch.Generator().manual_seed(0)) - 0.5)
    assert tint(with_tint(I, grain), I, WHOLE)[0] < 0.8
    gradient = torch.linspace(-6, 6, 60)[:, None]
    assert tint(with_tint(I, gradient), I, WHOLE)[0] < 0.2


def test_another_tint_for_each_region_is_none() -> None:
    I = torch.full((3, 60, 80), 0.5).double()
    left = torch.zeros(60, 80)
    left[:, :30] = 1
    halves = torch.stack([left, 1 - left])
    two = with_tint(I, 8 * left)
    assert tint(two, I, halves)[0] < 0.1 < tint(two, I, WHOLE)[0]


def test_contrast_is_one_between_the_photograph_and_the_style(picture) -> None:
    I, S = picture(60, 80), 0.5 + 0.3 * (picture(60, 80, seed=1) - 0.5)
    assert contrast(I, I, S, WHOLE, WHOLE) == pytest.approx(1, abs=0.01)
    assert contrast(0.5 + 0.6 * (I - 0.5), I, S, WHOLE, WHOLE) == pytest.approx(1, abs=0.01)
    assert contrast(0.5 + 0.1 * (I - 0.5), I, S, WHOLE, WHOLE) < 0.6
    assert contrast(0.5 + 1.9 * (I - 0.5), I, S, WHOLE, WHOLE) > 1.4


def test_gain_is_the_slope(picture) -> None:
    I = picture(60, 80) * 0.3 + 0.3
    for slope in (1.0, 2.0):
        assert gain(slope * I - 0.3 * slope + 0.2, I, WHOLE) == pytest.approx(slope, rel=0.02)
    assert lipschitz(2 * I, I, WHOLE) == pytest.approx(2)


def test_a_step_between_regions_is_no_gain(picture) -> None:
    I = picture(60, 80) * 0.3 + 0.3
    left = torch.zeros(60, 80)
    left[:, :40] = 1
    halves = torch.stack([left, 1 - left])
    stepped = I + 0.3 * left
    assert gain(stepped, I, halves) == pytest.approx(1, rel=0.02) and gain(stepped, I, WHOLE) > 2
    assert lipschitz(stepped, I, halves) == pytest.approx(1)
