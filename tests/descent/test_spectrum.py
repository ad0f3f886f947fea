"""The metric of waves and colours: what it does to each, and that descent in it is sound."""

from __future__ import annotations

from math import pi

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from photostyle.descent.spectrum import SpectrumMetric

SIDES = st.integers(1, 12)


def matrix(seed: int) -> Tensor:
    """A covariance of three colours."""
    A = torch.randn(3, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return A @ A.T


def slopes(height: int, width: int, seed: int) -> Tensor:
    return torch.randn(3, height, width, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@given(SIDES, SIDES, st.integers(0, 99))
def test_it_is_symmetric_and_positive(height: int, width: int, seed: int) -> None:
    metric = SpectrumMetric((height, width), matrix(seed))
    g, h = slopes(height, width, seed), slopes(height, width, seed + 100)
    torch.testing.assert_close((g * metric(h)).sum(), (metric(g) * h).sum())
    assert float((g * metric(g)).sum()) > 0


@pytest.mark.parametrize(("waves", "factor"), [(0, 16 / 2), (1, 16 / 2), (2, 16 / 2), (4, 16 / 4), (15, 16 / 15)])
def test_a_wave_counts_by_its_length(waves: int, factor: float) -> None:
    """A cosine of so many half waves along 16 pixels becomes itself, over its frequency; the longest count alike."""
    wave = torch.cos(pi / 16 * waves * (torch.arange(16, dtype=torch.float64) + 0.5)).expand(3, 8, 16)
    metric = SpectrumMetric((8, 16), torch.eye(3, dtype=torch.float64))
    torch.testing.assert_close(metric(wave), factor * wave, rtol=2e-4, atol=1e-9)


def test_rows_and_columns_are_alike() -> None:
    metric, turned = (SpectrumMetric(size, matrix(0)) for size in ((9, 14), (14, 9)))
    g = slopes(9, 14, 0)
    torch.testing.assert_close(metric(g), turned(g.transpose(1, 2)).transpose(1, 2))


def test_colours_go_where_the_style_has_them() -> None:
    """Of greys: what pulls at red alone moves all three; and hardly anything moves a colour that is not there."""
    metric = SpectrumMetric((6, 7), torch.full((3, 3), 0.04, dtype=torch.float64))
    red = torch.zeros(3, 6, 7, dtype=torch.float64)
    red[0] = 1
    moved = metric(red)
    torch.testing.assert_close(moved[0], moved[1], rtol=0.01, atol=0)
    torch.testing.assert_close(moved[1], moved[2])
    tint = torch.tensor([1.0, -1.0, 0.0], dtype=torch.float64).view(3, 1, 1).expand(3, 6, 7)
    assert float(metric(tint).abs().max()) < 0.01 * float(metric(tint.abs()).abs().max())
