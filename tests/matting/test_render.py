"""Low-resolution results carried to the full-resolution photograph."""

from __future__ import annotations

import pytest
import torch

from photostyle.image import shrink
from photostyle.matting import render as module
from photostyle.matting.guided import apply_affine
from photostyle.matting.render import apply_maps, render

A = torch.tensor([[0.5, 0.2, 0.1], [0.1, 0.6, 0.0], [-0.1, 0.2, 0.5]])
B = torch.tensor([0.05, 0.1, 0.2])


def recolored(image: torch.Tensor) -> torch.Tensor:
    return torch.einsum("oc,chw->ohw", A.to(image), image) + B.to(image)[:, None, None]


def test_nothing_changed_renders_the_photograph(picture) -> None:
    photograph = picture(40, 56)
    unchanged = render(shrink(photograph, (10, 14)), photograph, ridge=1e-9)
    torch.testing.assert_close(unchanged, photograph, rtol=0, atol=1e-5)


def test_an_affine_change_of_colour_arrives_exactly_and_with_all_detail(picture) -> None:
    photograph = picture(41, 55)
    small = shrink(photograph, (11, 14))
    torch.testing.assert_close(
        render(recolored(small), photograph, ridge=1e-9), recolored(photograph), rtol=0, atol=1e-5
    )


def test_a_change_of_brightness_alone_needs_no_ridge_to_be_small(picture) -> None:
    """The ridge holds back the linear part only: what is flat is moved in full."""
    photograph = torch.full((3, 24, 32), 0.4)
    bright = render(torch.full((3, 6, 8), 0.7), photograph, ridge=1e-2)
    torch.testing.assert_close(bright, torch.full_like(photograph, 0.7))


def test_the_result_stays_in_range_and_the_photograph_as_it_was(picture) -> None:
    photograph = picture(24, 32, dtype=torch.float32)
    before = photograph.clone()
    result = render(3 * shrink(photograph, (6, 8)) - 1, photograph)
    assert result.shape == photograph.shape and result.dtype == photograph.dtype
    assert float(result.min()) == 0 and float(result.max()) == 1
    assert torch.equal(photograph, before)


@pytest.mark.parametrize("band", [1, 7, 40, 1000])
def test_the_result_does_not_depend_on_the_height_of_bands(picture, monkeypatch, band: int) -> None:
    photograph = picture(40, 30, dtype=torch.float32)
    output = picture(10, 8, seed=1, dtype=torch.float32)
    whole = render(output, photograph)
    monkeypatch.setattr(module, "_BAND", band)
    torch.testing.assert_close(render(output, photograph), whole, rtol=0, atol=1e-6)


def test_maps_are_interpolated_between_pixel_centres(picture) -> None:
    maps = torch.rand(3, 4, 5, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64) / 4
    photograph = picture(16, 21)
    large = torch.nn.functional.interpolate(maps.flatten(0, 1)[None], (16, 21), mode="bilinear")[0]
    expected = apply_affine(large.unflatten(0, (3, 4)), photograph)
    torch.testing.assert_close(apply_maps(maps, photograph), expected.clamp(0, 1), rtol=0, atol=1e-5)


def test_at_its_own_size_a_map_is_applied_as_it_is(picture) -> None:
    maps = torch.rand(3, 4, 9, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64) / 4
    photograph = picture(9, 7)
    torch.testing.assert_close(
        apply_maps(maps, photograph), apply_affine(maps, photograph).clamp(0, 1), rtol=0, atol=1e-5
    )
