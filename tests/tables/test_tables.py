"""Tables as values: interpolation against slow oracles, spaces there and back, tables made, fitted and examined."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from photostyle import ImageError, SettingsError, Table, make_table
from photostyle.color.difference import delta_e
from photostyle.maps.lattice import ColorMap, cube
from photostyle.tables import table as table_module
from photostyle.tables.fit import fit_map
from photostyle.tables.soundness import examine
from photostyle.tables.spaces import SPACES
from photostyle.tables.stages import Curves, Lattice, corners

LOW, HIGH = torch.zeros(3).double(), torch.ones(3).double()


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def graded(size: int = 17) -> ColorMap:
    """What an editor does: contrast, warmth, and lights that leave the range."""
    gain, power = torch.tensor([1.12, 1.0, 0.85]), torch.tensor([1.2, 1.1, 0.9])
    return ColorMap.of(gain.view(3, 1, 1, 1) * cube(size) ** power.view(3, 1, 1, 1) + 0.01)


def regraded(colors: Tensor) -> Tensor:
    return graded().to(colors)(colors)


# --- interpolation -----------------------------------------------------------------------------------


def tetrahedral(nodes: Tensor, color: list[float]) -> Tensor:
    """One colour, by the six cases of a textbook."""
    n = nodes.shape[-1] - 1
    cell = [min(int(x * n), n - 1) for x in color]
    r, g, b = (x * n - first for x, first in zip(color, cell, strict=True))
    i, j, k = cell

    def V(r: int, g: int, b: int) -> Tensor:
        return nodes[:, i + r, j + g, k + b]

    if r >= g >= b:
        parts = (1 - r) * V(0, 0, 0) + (r - g) * V(1, 0, 0) + (g - b) * V(1, 1, 0) + b * V(1, 1, 1)
    elif r >= b >= g:
        parts = (1 - r) * V(0, 0, 0) + (r - b) * V(1, 0, 0) + (b - g) * V(1, 0, 1) + g * V(1, 1, 1)
    elif b >= r >= g:
        parts = (1 - b) * V(0, 0, 0) + (b - r) * V(0, 0, 1) + (r - g) * V(1, 0, 1) + g * V(1, 1, 1)
    elif g >= r >= b:
        parts = (1 - g) * V(0, 0, 0) + (g - r) * V(0, 1, 0) + (r - b) * V(1, 1, 0) + b * V(1, 1, 1)
    elif g >= b >= r:
        parts = (1 - g) * V(0, 0, 0) + (g - b) * V(0, 1, 0) + (b - r) * V(0, 1, 1) + r * V(1, 1, 1)
    else:
        parts = (1 - b) * V(0, 0, 0) + (b - g) * V(0, 0, 1) + (g - r) * V(0, 1, 1) + r * V(1, 1, 1)
    return parts


@pytest.mark.parametrize("size", [2, 3, 9])
def test_a_lattice_against_the_six_cases(size: int) -> None:
    nodes, colors = random(3, size, size, size), random(3, 200, seed=1)
    colors[:, :8] = torch.cartesian_prod(*[LOW[:1].new_tensor([0, 1])] * 3).T  # the corners of the cube
    colors[1, 8:20] = colors[0, 8:20]  # and ties
    expected = torch.stack([tetrahedral(nodes, color) for color in colors.T.tolist()], dim=1)
    torch.testing.assert_close(Lattice(nodes, LOW, HIGH)(colors), expected)


def test_a_lattice_over_another_box_and_beyond_it() -> None:
    nodes, low, high = random(3, 4, 4, 4), torch.tensor([-1.0, 0, 0.5]).double(), torch.tensor([1.0, 4, 0.6]).double()
    inside, outside = random(3, 40, seed=1), 3 * random(3, 40, seed=2) - 1
    plain, boxed = Lattice(nodes, LOW, HIGH), Lattice(nodes, low, high)
    for colors in (inside, outside):
        placed = low[:, None] + colors * (high - low)[:, None]
        torch.testing.assert_close(boxed(placed), plain(colors.clamp(0, 1)))


def test_curves_against_a_loop() -> None:
    values, colors = random(3, 7), 1.4 * random(3, 50, seed=1) - 0.2
    expected = torch.empty_like(colors)
    for channel in range(3):
        for i, x in enumerate(colors[channel].clamp(0, 1).tolist()):
            left = min(int(x * 6), 5)
            part = x * 6 - left
            expected[channel, i] = (1 - part) * values[channel, left] + part * values[channel, left + 1]
    torch.testing.assert_close(Curves(values, LOW, HIGH)(colors), expected)


@given(st.lists(st.tuples(*[st.floats(0, 1)] * 3), min_size=1, max_size=20), st.integers(2, 40))
@settings(max_examples=50, deadline=None)
def test_weights_are_a_mean_of_near_nodes(colors: list[tuple[float, ...]], size: int) -> None:
    x = torch.tensor(colors, dtype=torch.float64).T
    index, weights = corners(x, size)
    assert float(weights.min()) >= -1e-12
    torch.testing.assert_close(weights.sum(0), torch.ones_like(weights[0]))
    nodes = cube(size).double().flatten(1)
    # the identity comes back, which only the right nodes in the right parts give
    torch.testing.assert_close((nodes[:, index] * weights).sum(1), x, rtol=0, atol=1e-6)


def test_greys_mix_with_greys_only() -> None:
    """The diagonal of a cell is an edge of all its tetrahedra; trilinear interpolation has no such grace."""
    nodes = random(3, 5, 5, 5)
    diagonal = torch.arange(5)
    nodes[:, diagonal, diagonal, diagonal] = diagonal.double() / 4
    greys = random(1, 50, seed=1).expand(3, -1)
    torch.testing.assert_close(Lattice(nodes, LOW, HIGH)(greys), greys)


# --- spaces ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SPACES)
def test_a_space_there_and_back_also_for_colours_that_srgb_lacks(name: str) -> None:
    colors = 1.6 * random(3, 500) - 0.3
    there = SPACES[name].from_srgb(colors)
    torch.testing.assert_close(SPACES[name].to_srgb(there), colors, rtol=0, atol=1e-6)
    grey = torch.tensor([0.0, 1.0]).double().expand(3, 2)
    torch.testing.assert_close(SPACES[name].from_srgb(grey), grey, rtol=0, atol=1e-5)


def test_known_colours_of_the_spaces() -> None:
    def ends(name: str, *color: float) -> list[float]:
        return SPACES[name].from_srgb(torch.tensor(color, dtype=torch.float64)).tolist()

    assert ends("linear", 0.5, 0.25, 1) == pytest.approx([0.21404, 0.05088, 1], abs=1e-5)
    assert ends("rec709", 0.5, 0.5, 0.5) == pytest.approx([0.21404 ** (1 / 2.4)] * 3, abs=1e-5)
    # sRGB's red in Display P3, as CSS Color 4 has it
    assert ends("display-p3", 1, 0, 0) == pytest.approx([0.9175, 0.2003, 0.1386], abs=1e-3)


# --- tables ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("space", "most"), [("srgb", 1e-5), ("linear", 0.15), ("rec709", 0.1), ("display-p3", 0.5)])
def test_a_table_of_a_space_does_what_the_map_does(picture, space: str, most: float) -> None:
    photograph = picture(40, 60)
    made = make_table(graded(), 33, space=space).apply(photograph)
    assert float(delta_e(made, regraded(photograph)).mean()) < most  # ΔE


def test_without_a_shaper_linear_light_would_be_lost(picture) -> None:
    """What the shaper is for: the same lattice over linear light itself is many times as far off in the shadows."""
    dark = picture(40, 60) / 5
    lattice = cube(33).double()
    space = SPACES["linear"]
    nodes = space.from_srgb(graded().to(lattice)(space.to_srgb(lattice)))
    bare = Table((Lattice(nodes, LOW, HIGH),), "linear").apply(dark)
    shaped = make_table(graded(), 33, space="linear").apply(dark)
    exact = regraded(dark)
    assert float(delta_e(bare, exact).mean()) > 10 * float(delta_e(shaped, exact).mean())


def test_strength_goes_along_the_map_and_bands_do_not_show(picture, monkeypatch) -> None:
    photograph, table = picture(40, 60, dtype=torch.float32), make_table(graded(), 17)
    whole = table.apply(photograph)
    assert whole.dtype == torch.float32
    assert torch.equal(table.apply(photograph, 0.0), photograph)
    half = torch.lerp(photograph, table.recolor(photograph), 0.5).clamp(0, 1)  # clipped at the end, not before
    torch.testing.assert_close(table.apply(photograph, 0.5), half)
    monkeypatch.setattr(table_module, "_BAND", 7 * 60)
    torch.testing.assert_close(table.apply(photograph), whole)


def test_what_a_table_refuses(picture) -> None:
    table = make_table(graded(), 5)
    with pytest.raises(ImageError, match="3×H×W"):
        table.apply(torch.zeros(4, 5, 5))
    for strength in (-0.1, 1.1, float("nan")):
        with pytest.raises(SettingsError, match="between 0 and 1"):
            table.apply(picture(8, 8), strength)
    with pytest.raises(SettingsError, match=r"'prophoto'.*srgb, linear"):
        make_table(graded(), space="prophoto")
    for size in (1, 257):
        with pytest.raises(SettingsError, match="from 2 to 256"):
            make_table(graded(), size)


def test_a_table_is_a_colour_map_again() -> None:
    map = make_table(graded(), 17).color_map(17)
    torch.testing.assert_close(map.nodes, graded().nodes, rtol=0, atol=1e-6)


# --- the best map of a photograph --------------------------------------------------------------------


def test_what_one_map_did_is_found_and_elsewhere_the_map_leant_on(picture) -> None:
    photograph = picture(120, 160) * 0.5
    found = fit_map(photograph, regraded(photograph), ColorMap.identity(), 17)
    lost = delta_e(make_table(found, 17).apply(photograph), regraded(photograph))
    assert float(lost.mean()) < 0.5
    far = torch.tensor([1.0, 0.0, 1.0]).double()  # nothing in the photograph is like it
    torch.testing.assert_close(found.to(far)(far), far, rtol=0, atol=0.02)


def test_leaning_on_the_right_map_costs_nothing(picture) -> None:
    photograph = picture(60, 80)
    found = fit_map(photograph, regraded(photograph), graded(), 33)
    torch.testing.assert_close(found.nodes.float(), graded().resample(33).nodes, rtol=0, atol=3e-3)


def test_two_regions_of_other_colours_fit_into_one_map_and_of_one_colour_into_their_mean() -> None:
    dark, light = 0.1 + 0.2 * random(3, 40, 40), 0.6 + 0.3 * random(3, 40, 40, seed=1)
    before = torch.cat([dark, light], dim=2)
    after = torch.cat([dark + 0.1, light - 0.1], dim=2)
    found = make_table(fit_map(before, after, ColorMap.identity(), 17), 17)
    assert float(delta_e(found.apply(before), after).mean()) < 1
    grey = torch.full((3, 20, 20), 0.5).double()
    before, after = torch.cat([grey, grey], dim=2), torch.cat([grey + 0.1, grey - 0.1], dim=2)
    map = fit_map(before, after, ColorMap.identity(), 17)
    torch.testing.assert_close(map(grey), grey, rtol=0, atol=1e-3)
    weights = torch.cat([torch.ones(20, 20), torch.zeros(20, 20)], dim=1)
    map = fit_map(before, after, ColorMap.identity(), 17, weights)
    torch.testing.assert_close(map(grey), grey + 0.1, rtol=0, atol=0.02)
    assert torch.equal(fit_map(before, after, graded(), 17, 0 * weights).nodes, graded().nodes)


def test_a_fitted_map_is_never_steep() -> None:
    before = 0.5 + 0.02 * random(3, 60, 60)
    after = random(3, 60, 60, seed=1)
    assert fit_map(before, after, ColorMap.identity(), 33).gain() < 6.01


@pytest.mark.parametrize("channels", [1, 3])
def test_what_no_gentle_map_can_follow_is_followed_as_far_as_one_can(channels: int) -> None:
    """A step between two plateaus: slopes are bounded at the step, and the plateaus stay what they are.

    To scale what is still too steep about its mean would take the contrast of everything.
    """
    before = random(3, 120, 120)
    dark = before[:channels].mean(0) < 0.5
    after = torch.where(dark, 0.05 * before, 1 - 0.05 * before)
    found = fit_map(before, after, ColorMap.identity(), 33)
    assert found.gain() < 6.01
    left, leant = delta_e(found.to(before)(before), after), delta_e(before, after)
    assert float(left.mean()) < 0.35 * float(leant.mean())
    assert float(left.median()) < 3


# --- soundness ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "map", [ColorMap.identity(9), graded(9), ColorMap.of(cube(9).mean(0, keepdim=True).expand(3, -1, -1, -1))]
)
def test_sound_maps(map: ColorMap) -> None:
    assert not examine(map).doubts("film.cube")
    assert examine(map).folds == 0


def test_a_map_that_swaps_channels_does_not_fold() -> None:
    assert examine(ColorMap.of(cube(9)[[1, 0, 2]])).folds == 0


def test_faults_by_hand() -> None:
    x = cube(9)
    folded = torch.where(x < 0.5, x, 1 - x)  # up and down again along each axis: half of the octants are mirrored
    found = examine(ColorMap.of(folded))
    assert found.folds == pytest.approx(0.5)
    assert found.gain == pytest.approx(1)
    bright = examine(ColorMap.of(x * torch.tensor([1.0, 1.0, 2.0]).view(3, 1, 1, 1)))
    assert bright.clipped == pytest.approx(4 / 9)
    assert (bright.gain, bright.folds) == (pytest.approx(2), 0)
    steep = examine(ColorMap.of((x > 0.5).float()))
    assert steep.gain == pytest.approx(8)
    words = " ".join(examine(ColorMap.of(12 * folded - 2)).doubts("film.cube"))
    assert all(part in words for part in ("12 times", "50.0%", "clips"))
