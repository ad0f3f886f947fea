"""Maps that leave colours their hue."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from photostyle.color.spaces import lab_from_srgb, linear_from_srgb, srgb_from_lab, srgb_from_linear
from photostyle.maps.hue import keep_hue
from photostyle.maps.lattice import SIZE, ColorMap, cube


def skins() -> Tensor:
    """Colours of skin of every shade in light and shade, 3×n."""
    L, hue, part = torch.meshgrid(
        torch.linspace(25, 85, 13), torch.linspace(35, 70, 8).deg2rad(), torch.tensor([0.18, 0.28, 0.36]), indexing="ij"
    )
    lab = torch.stack([L, part * (L + 16) * hue.cos(), part * (L + 16) * hue.sin()]).flatten(1)
    colors = srgb_from_lab(lab)
    return colors[:, ((colors > 0) & (colors < 1)).all(0)]


def light(red: float, green: float, blue: float) -> ColorMap:
    """The map of a coloured light."""
    gains = torch.tensor([red, green, blue])[:, None, None, None]
    return ColorMap.of(srgb_from_linear(gains * linear_from_srgb(cube(SIZE))))


def turned(before: Tensor, after: Tensor) -> Tensor:
    """Degrees of CIE LCh between hues of colours 3×n."""
    (_, a, b), (_, c, d) = lab_from_srgb(before), lab_from_srgb(after)
    off = (torch.atan2(d, c) - torch.atan2(b, a)).rad2deg()
    return (torch.remainder(off + 180, 360) - 180).abs()


@settings(max_examples=25, deadline=None)
@given(st.floats(0.2, 1.6), st.floats(0.2, 1.6), st.floats(0.2, 1.6))
def test_in_no_light_does_skin_turn_by_more_than_three_degrees(red: float, green: float, blue: float) -> None:
    x = skins()
    map = light(red, green, blue)
    after = keep_hue(map, x)(x).clamp(0, 1)
    L, *ab = lab_from_srgb(after)
    seen = (L > 15) & (torch.stack(ab).norm(dim=0) > 8)  # what is nearly black, white or grey has no hue to speak of
    assert float(turned(x, after)[seen].quantile(0.95)) < 3


@settings(max_examples=25, deadline=None)
@given(st.floats(0.2, 0.9), st.floats(0.2, 0.9), st.floats(0.2, 0.9))
def test_lightness_is_the_looks(red: float, green: float, blue: float) -> None:
    x = skins()
    map = light(red, green, blue)
    off = lab_from_srgb(keep_hue(map, x)(x))[0] - lab_from_srgb(map(x))[0]
    assert float(off.abs().max()) < 1.5


def test_without_it_skin_would_turn() -> None:
    x = skins()
    assert float(turned(x, light(0.3, 0.6, 1.5)(x)).mean()) > 30


def test_chroma_goes_with_the_light() -> None:
    """Skin at a quarter of the light has the chromaticity that it had."""
    x = skins()
    (L, *ab), (L_after, *ab_after) = lab_from_srgb(x), lab_from_srgb(keep_hue(light(0.25, 0.25, 0.25), x)(x))
    was, now = (torch.stack(c).norm(dim=0) / (l + 16) for c, l in ((ab, L), (ab_after, L_after)))
    torch.testing.assert_close(now, was, rtol=0.1, atol=0.01)


def test_nothing_is_done_where_nothing_is_changed() -> None:
    torch.testing.assert_close(keep_hue(ColorMap.identity(), skins()).nodes, cube(SIZE), atol=3e-3, rtol=0)


def test_none_of_it_is_the_map_itself() -> None:
    map = light(0.3, 0.6, 1.5)
    assert torch.equal(keep_hue(map, skins(), 0).nodes, map.nodes)


def test_half_of_it_is_between() -> None:
    map, x = light(0.3, 0.6, 1.5), skins()
    half = torch.lerp(map.nodes, keep_hue(map, x).nodes, 0.5)
    torch.testing.assert_close(keep_hue(map, x, 0.5).nodes, half)


@pytest.mark.parametrize("map", [light(3, 2, 0.1), ColorMap.affine(2.5 * torch.eye(3), torch.tensor([-0.4, 0, 0.9]))])
def test_what_comes_out_can_be_shown_and_is_finite(map: ColorMap) -> None:
    nodes = keep_hue(map, skins()).nodes
    assert bool(nodes.isfinite().all())
    assert 0 <= float(nodes.min()) <= float(nodes.max()) <= 1


def test_greys_stay_grey() -> None:
    greys = torch.linspace(0, 1, SIZE).expand(3, SIZE)
    after = keep_hue(light(0.3, 0.6, 1.5), skins())(greys)
    assert float((after - after.mean(0)).abs().max()) < 1e-3


def test_of_no_colours_at_all_nothing_is_asked() -> None:
    assert bool(keep_hue(light(0.3, 0.6, 1.5), torch.zeros(3, 0)).nodes.isfinite().all())
