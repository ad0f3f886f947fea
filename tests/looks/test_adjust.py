"""The way from colour to colour, and looks that are adjusted on it."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from photostyle import Adjustment, Look, SettingsError, adjust_look
from photostyle.color.difference import delta_e
from photostyle.color.path import between
from photostyle.color.spaces import lab_from_srgb, luma
from photostyle.looks.adjust import adjust_map, affine_of, skin
from photostyle.looks.scene import Scene
from photostyle.maps.lattice import ColorMap, cube

RED, GREEN, GREY = (torch.tensor(x, dtype=torch.float64) for x in ((0.8, 0.1, 0.1), (0.1, 0.6, 0.1), (0.5, 0.5, 0.5)))
WARM = ColorMap.affine(torch.diag(torch.tensor([0.9, 0.8, 0.6])), torch.tensor([0.1, 0.05, 0.0]))
COLD = ColorMap.affine(torch.diag(torch.tensor([0.6, 0.8, 0.9])), torch.zeros(3))
part = st.floats(0, 1)
signed = st.floats(-1, 1)
adjustments = st.builds(
    Adjustment, part, st.floats(-3, 3), signed, signed, signed, part, st.dictionaries(st.just("all"), part)
)


def chroma(color: Tensor) -> float:
    return float(lab_from_srgb(color)[1:].norm(dim=0))


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def look_of(*maps: ColorMap, names: tuple[str, ...] = ("all",)) -> Look:
    before = random(3, 40, 60).float()
    masks = torch.zeros(len(maps), 40, 60)
    for k, mask in enumerate(masks.tensor_split(len(maps), dim=2)):
        mask[k] = 1
    return Look(maps, maps[0], names, Scene(before, masks, torch.zeros(len(maps), 0), ""), before, {})


# --- the way -------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.integers(0, 1000), part)
def test_lightness_goes_straight_and_chroma_stays_between(seed: int, t: float) -> None:
    one, other = random(2, 3, 20, seed=seed)
    torch.testing.assert_close(between(one, other, 0.0), one, rtol=0, atol=1e-6)
    torch.testing.assert_close(between(one, other, 1.0), other, rtol=0, atol=1e-6)
    a, b, way = (lab_from_srgb(x) for x in (one, other, between(one, other, t)))
    torch.testing.assert_close(way[0], torch.lerp(a[0], b[0], t), rtol=0, atol=1e-4)
    C, C_a, C_b = (x[1:].norm(dim=0) for x in (way, a, b))
    assert bool((torch.maximum(C_a, C_b) + 1e-3 >= C).all())
    close = torch.cosine_similarity(a[1:], b[1:], dim=0) >= -0.5  # hues up to 120° apart
    torch.testing.assert_close(C[close], torch.lerp(C_a, C_b, t)[close], rtol=1e-4, atol=1e-3)


def test_red_turns_green_by_way_of_yellow_and_not_of_mud() -> None:
    half = between(RED, GREEN, 0.5)
    assert chroma(half) > min(chroma(RED), chroma(GREEN)) > 1.3 * chroma((RED + GREEN) / 2)
    _, a, b = lab_from_srgb(half)
    assert 60 < float(torch.atan2(b, a).rad2deg()) < 110


def test_noise_of_hue_in_greys_is_not_raised() -> None:
    noisy = GREY[:, None] + 1e-3 * (random(3, 100) - 0.5)
    way = between(noisy, GREEN[:, None].expand(3, 100), 0.5)
    assert float(lab_from_srgb(way).std(1).max()) < float(lab_from_srgb(noisy).std(1).max())


# --- maps ----------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=30)
@given(adjustments)
def test_a_look_of_strength_zero_changes_nothing(a: Adjustment) -> None:
    off = adjust_look(look_of(ColorMap(WARM.nodes, 0.1 * torch.ones(3, 4))), Adjustment(**{**vars(a), "strength": 0.0}))
    torch.testing.assert_close(off.apply(off.scene.before), off.scene.before, rtol=0, atol=1e-6)


def test_a_plain_adjustment_changes_nothing_of_a_look() -> None:
    look = look_of(WARM)
    assert adjust_look(look, Adjustment()) is look
    map = adjust_map(ColorMap(WARM.nodes, 0.1 * random(3, 4).float()), Adjustment())
    colors, h = random(3, 50).float(), random(50, seed=1).float()
    torch.testing.assert_close(map(colors, h), ColorMap(WARM.nodes, map.tilt)(colors, h), rtol=0, atol=1e-6)
    torch.testing.assert_close(map.tilt, 0.1 * random(3, 4).float(), rtol=0, atol=1e-6)


def test_each_slider_does_what_its_name_says() -> None:
    x = torch.stack([RED, GREEN, GREY], dim=1).float()

    def changed(**slider: float) -> Tensor:
        return adjust_map(ColorMap.identity(), Adjustment(**slider))(x)

    assert bool((luma(changed(exposure=0.5)) > luma(x) + 0.03).all())
    warm = changed(warmth=1.0)[:, 2]
    assert float(warm[0]) > 0.5 > float(warm[2])
    assert float(changed(contrast=1.0)[0, 0]) > 0.8 and float(changed(contrast=1.0)[1, 0]) < 0.1
    torch.testing.assert_close(changed(contrast=1.0)[:, 2], x[:, 2], rtol=0, atol=1e-6)  # about the middle
    grey = changed(saturation=-1.0)
    torch.testing.assert_close(grey, luma(x).expand(3, 3), rtol=0, atol=1e-6)
    assert chroma(changed(saturation=0.5)[:, 1]) > 1.2 * chroma(x[:, 1])


@settings(deadline=None)
@given(signed)
def test_contrast_leaves_black_white_and_the_order_of_greys(contrast: float) -> None:
    greys = torch.linspace(0, 1, 33).expand(3, 33)
    after = adjust_map(ColorMap.identity(33), Adjustment(contrast=contrast))(greys)[0]
    assert float(after[0]) == pytest.approx(0, abs=1e-6) and float(after[-1]) == pytest.approx(1, abs=1e-6)
    assert bool((after.diff() >= -1e-6).all())


def test_regions_have_strengths_of_their_own() -> None:
    look = look_of(WARM, COLD, names=("sky", "land"))
    adjusted = adjust_look(look, Adjustment(strength=0.8, regions={"sky": 0.0, "land": 0.5}))
    colors = random(3, 80).float()
    torch.testing.assert_close(adjusted.maps[0](colors), colors, rtol=0, atol=1e-6)
    expected = ColorMap.identity().lerp(COLD, 0.4)
    torch.testing.assert_close(adjusted.maps[1](colors), expected(colors), rtol=0, atol=1e-5)
    assert adjusted.facts["regions"] == "{'sky': 0.0, 'land': 0.5}"
    torch.testing.assert_close(adjusted.after, adjusted.apply(look.scene.before, look.scene.masks))


@pytest.mark.parametrize("tone", [(0.88, 0.67, 0.55), (0.55, 0.33, 0.24), (0.36, 0.22, 0.16), (1.0, 0.86, 0.68)])
def test_skin_of_all_peoples_is_kept(tone: tuple[float, float, float]) -> None:
    color = torch.tensor(tone)[:, None]
    assert float(skin(color)) > 0.4
    green = ColorMap.affine(0.5 * torch.eye(3), torch.tensor([0.0, 0.3, 0.0]))
    lost, kept = (adjust_map(green, Adjustment(keep_skin=keep))(color) for keep in (0.0, 1.0))
    before, lost, kept = (lab_from_srgb(x) for x in (color, lost, kept))
    assert float((kept - before)[1:].norm()) < 0.65 * float((lost - before)[1:].norm())
    torch.testing.assert_close(kept[0], lost[0], rtol=0, atol=2.0)  # its lightness goes with the look


def test_sky_leaves_and_greys_are_no_skin() -> None:
    colors = torch.tensor([(0.5, 0.7, 0.95), (0.2, 0.5, 0.15), (0.5, 0.5, 0.5), (0.9, 0.1, 0.1)]).T
    assert float(skin(colors).max()) < 0.05


def test_what_grows_with_the_height_goes_with_the_sliders() -> None:
    map = ColorMap(WARM.nodes, torch.tensor([[0.0, 0.0, 0.0, 0.05]]).expand(3, 4))
    brighter = adjust_map(map, Adjustment(exposure=1.0, strength=1.0))
    colors = 0.2 + 0.4 * random(3, 100).float()
    for h in (-1.0, 0.5, 1.0):
        height = torch.full((100,), h)
        expected = adjust_map(ColorMap.of(map.resample(17)(cube(17), torch.tensor(h))), Adjustment(exposure=1.0))
        assert float(delta_e(brighter(colors, height), expected(colors)).mean()) < 1.5


def test_an_affine_function_of_the_nodes_is_found() -> None:
    A, b = random(3, 3), random(3, seed=1)
    found = affine_of(ColorMap.affine(A, b, 5).nodes)
    torch.testing.assert_close(found, torch.cat([A, b[:, None]], dim=1), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"strength": 1.2}, "strength must lie between 0 and 1, not 1.2"),
        ({"exposure": -4}, "exposure must lie between -3 and 3, not -4"),
        ({"warmth": float("nan")}, "warmth must lie between -1 and 1"),
        ({"regions": {"sea": 0.5}}, "no region 'sea'; it has all"),
        ({"regions": {"all": 2}}, "strength of all must lie between 0 and 1"),
    ],
)
def test_what_is_out_of_range_is_refused(wrong: dict, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        adjust_look(look_of(WARM), Adjustment(**wrong))
