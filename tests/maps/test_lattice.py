"""Colour maps against a loop over eight corners, where they are exact, and where they are bounded."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor

from photostyle.color.path import between
from photostyle.color.spaces import lab_from_srgb, luma, srgb_from_lab
from photostyle.maps.lattice import ColorMap, cube, interpolate, slopes
from photostyle.maps.tone import find_tone


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def naive(nodes: Tensor, color: Tensor) -> Tensor:
    """Trilinear interpolation of one colour, corner by corner."""
    n = nodes.shape[-1] - 1
    result = torch.zeros(3, dtype=nodes.dtype)
    cell = [min(int(x * n), n - 1) for x in color.tolist()]
    for corner in itertools.product((0, 1), repeat=3):
        weight = 1.0
        for x, first, step in zip(color.tolist(), cell, corner, strict=True):
            weight *= x * n - first if step else first + 1 - x * n
        r, g, b = (first + step for first, step in zip(cell, corner, strict=True))
        result += weight * nodes[:, r, g, b]
    return result


@pytest.mark.parametrize("size", [2, 5, 9])
def test_against_a_loop_over_the_corners(size: int) -> None:
    map, colors = ColorMap.of(random(3, size, size, size)), random(3, 50, seed=1)
    expected = torch.stack([naive(map.nodes, color) for color in colors.T], dim=1)
    torch.testing.assert_close(map(colors), expected)
    torch.testing.assert_close(interpolate(map.nodes, colors.view(1, 3, 5, 10))[0].flatten(1), expected)


def test_slopes_are_exact_in_the_nodes_and_the_colours() -> None:
    nodes, colors = random(3, 4, 4, 4).requires_grad_(), (0.02 + 0.9 * random(3, 7, seed=1)).requires_grad_()
    tilt, height = random(3, 4, seed=2).requires_grad_(), random(7, seed=3)
    assert torch.autograd.gradcheck(lambda n, t, x: ColorMap(n, t)(x, height), (nodes, tilt, colors))


def test_the_identity_is_exact_and_goes_on_beyond_the_cube() -> None:
    colors = 3 * random(3, 6, 7) - 1
    torch.testing.assert_close(ColorMap.identity().to(colors)(colors), colors, rtol=0, atol=1e-7)


def test_affine_maps_are_exact() -> None:
    A, b, colors = random(3, 3), random(3, seed=1), random(3, 40, seed=2)
    for size in (2, 9):
        torch.testing.assert_close(ColorMap.affine(A, b, size)(colors), A @ colors + b[:, None], atol=1e-6, rtol=0)


def test_lerp_goes_from_the_one_to_the_other() -> None:
    one, other = ColorMap.identity(3).to(random(1)), ColorMap.of(random(3, 5, 5, 5))
    colors = random(3, 30, seed=1)
    torch.testing.assert_close(one.lerp(other, 0.0)(colors), colors)
    torch.testing.assert_close(one.lerp(other, 1.0)(colors), other(colors))
    nodes = cube(17).double()
    torch.testing.assert_close(one.lerp(other, 0.3)(nodes), between(nodes, other(nodes), 0.3), rtol=0, atol=1e-6)


def test_composition_is_exact_for_affine_maps_and_at_the_nodes() -> None:
    A, B = 0.3 * random(3, 3), 0.3 * random(3, 3, seed=1)  # within the cube
    a, b, colors = 0.1 * random(3, seed=2), random(3, seed=3), random(3, 40, seed=4)
    composed = ColorMap.affine(A, a).then(ColorMap.affine(B, b))
    torch.testing.assert_close(composed(colors), B @ (A @ colors + a[:, None]) + b[:, None], atol=1e-6, rtol=0)
    one, other = ColorMap.of(random(3, 5, 5, 5)), ColorMap.of(random(3, 3, 3, 3, seed=1))
    nodes = ColorMap.identity(5).nodes.double()
    torch.testing.assert_close(one.then(other)(nodes), other(one(nodes)))
    with pytest.raises(ValueError, match="height"):
        ColorMap(random(3, 2, 2, 2), random(3, 4)).then(one)


def test_resampling_to_a_finer_lattice_that_holds_the_old_nodes_changes_nothing() -> None:
    map, colors = ColorMap.of(random(3, 5, 5, 5)), random(3, 60, seed=1)
    torch.testing.assert_close(map.resample(9)(colors), map(colors), atol=1e-6, rtol=0)
    assert map.resample(3).size == 3


def test_height_adds_an_affine_function_of_colour() -> None:
    map = ColorMap(ColorMap.identity(2).nodes.double(), random(3, 4))
    colors, height = random(3, 20, seed=1), 2 * random(20, seed=2) - 1
    slant = map.tilt[:, :3] @ colors + map.tilt[:, 3:]
    torch.testing.assert_close(map(colors, height), colors + height * slant)
    torch.testing.assert_close(map(colors), colors)


@pytest.mark.parametrize("gain", [1.0, 2.5, 4.0])
@pytest.mark.parametrize("kind", ["noise", "black and white", "inverted"])
def test_no_slope_is_above_the_limit(kind: str, gain: float) -> None:
    nodes = random(3, 9, 9, 9)
    if kind == "black and white":
        nodes = (nodes > 0.5).double()
    if kind == "inverted":
        nodes = 6 * (0.5 - ColorMap.identity(9).nodes.double())
    limited = ColorMap.of(nodes).limited(gain)
    assert limited.gain() <= gain * (1 + 1e-5)
    i, j = torch.randint(2000, (2, 4000), generator=torch.Generator().manual_seed(0))
    colors = random(3, 2000, seed=1)
    change = (limited(colors[:, i]) - limited(colors[:, j])).norm(dim=0)
    # within a cell the slope is at most that of its edges together
    assert bool((change <= 3**0.5 * gain * (colors[:, i] - colors[:, j]).norm(dim=0) * 1.001 + 1e-9).all())


def test_a_map_within_the_limit_is_left_alone() -> None:
    map = ColorMap.affine(1.5 * torch.eye(3), -0.2 * torch.ones(3), 5)
    assert torch.equal(map.limited(1.6).nodes, map.nodes)


def test_slopes_by_hand() -> None:
    map = ColorMap.affine(torch.diag(torch.tensor([1.0, 2.0, 3.0])), torch.zeros(3), 3)
    means = [float(slope.mean()) for slope in slopes(map.nodes)]
    assert means == pytest.approx([1, 2, 3, (14 / 3) ** 0.5], rel=1e-5)


def test_a_style_without_chroma_gives_none() -> None:
    grays = random(1, 200).expand(3, -1)
    tone = find_tone(grays)
    assert tone.certainty == 1
    map = ColorMap(random(3, 9, 9, 9), random(3, 4, seed=1)).toned(tone)
    lab = lab_from_srgb(map(random(3, 300, seed=2), 2 * random(300, seed=3) - 1).clamp(0, 1))
    assert float(lab[1:].norm(dim=0).max()) < 1e-2


def test_a_sepia_style_gives_sepia_and_keeps_light() -> None:
    L = 25 + 65 * random(200)
    sepia = srgb_from_lab(torch.stack([L, 0.08 * L, 18 - 0.1 * L])).clamp(0, 1)
    tone = find_tone(sepia)
    assert tone.certainty > 0.9
    nodes = 0.2 + 0.6 * random(3, 5, 5, 5)
    toned = ColorMap.of(nodes).toned(tone).nodes
    lab, before = lab_from_srgb(toned), lab_from_srgb(nodes)
    torch.testing.assert_close(lab[0], before[0], atol=0.2, rtol=0)
    assert float((lab[1:] - tone.of(lab[0])).abs().max()) < 1


def test_a_colourful_style_has_no_tone() -> None:
    assert find_tone(random(3, 300)).certainty == 0
    map = ColorMap.of(random(3, 5, 5, 5))
    torch.testing.assert_close(map.toned(find_tone(random(3, 300))).nodes, map.nodes)
    assert float(luma(map.nodes).std()) > 0
