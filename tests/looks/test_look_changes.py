"""Looks learned, mixed, taken back, looked at and examined; from Python and from the command line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from photostyle import (
    Adjustment,
    ImageError,
    SettingsError,
    __version__,
    adjust_look,
    blend_looks,
    describe_look,
    draw_look,
    find_look,
    invert_look,
    learn_look,
    load_look,
    save_image,
    save_look,
)
from photostyle.cli import app
from photostyle.color.difference import delta_e
from photostyle.color.path import between
from photostyle.color.spaces import luma
from photostyle.image import resize
from photostyle.looks.chart import light_of, main_colors
from photostyle.looks.look import Look
from photostyle.looks.scene import Scene
from photostyle.maps.lattice import ColorMap, cube
from photostyle.tables.soundness import examine

WARM = ColorMap.affine(torch.diag(torch.tensor([0.9, 0.8, 0.6])), torch.tensor([0.1, 0.05, 0.0]))
COLD = ColorMap.affine(torch.diag(torch.tensor([0.6, 0.8, 0.9])), torch.zeros(3))


@pytest.fixture
def photograph(picture) -> torch.Tensor:
    """Soft shapes in all colours."""
    return resize(picture(9, 12, dtype=torch.float32), (90, 120)).clamp(0, 1)


def look_of(photograph: torch.Tensor, *maps: ColorMap, names: tuple[str, ...] = ("all",)) -> Look:
    masks = torch.zeros(len(maps), *photograph.shape[1:])
    for k, mask in enumerate(masks.tensor_split(len(maps), dim=2)):
        mask[k] = 1
    scene = Scene(photograph, masks, torch.zeros(len(maps), 0), "")
    return Look(maps, maps[0], names, scene, photograph, {"version": __version__})


def edited(image: torch.Tensor) -> torch.Tensor:
    """A curve, a warmer balance, tinted shadows: as an editor does it."""
    y = (image**0.8 * torch.tensor([1.0, 0.95, 0.85]).view(3, 1, 1)).clamp(0, 1)
    return (y + torch.tensor([0.0, 0.01, 0.05]).view(3, 1, 1) * (1 - luma(y))).clamp(0, 1)


# --- learned -------------------------------------------------------------------------------------------


def test_an_editor_s_grade_is_learned_and_given_to_another_photograph(photograph, picture) -> None:
    look, said = learn_look([(photograph, edited(photograph))], {"editor": "by hand"})
    other = resize(picture(7, 9, seed=5, dtype=torch.float32), (70, 90)).clamp(0, 1)
    assert float(delta_e(look.apply(photograph), edited(photograph)).mean()) < 0.5
    assert float(delta_e(look.apply(other), edited(other)).mean()) < 1.5
    assert look.names == ("all",) and look.facts == {"version": __version__, "editor": "by hand"}
    assert len(said) == 1 and "ΔE2000 0." in said[0]


def test_a_photograph_that_was_moved_or_resized_is_registered(photograph) -> None:
    after = edited(photograph)
    for before, changed in (
        (photograph[:, 2:, :-1], after[:, :-2, 1:]),
        (photograph, resize(after, (45, 60))),
        (resize(photograph, (180, 240)), after),
    ):
        look, _ = learn_look([(before, changed)])
        assert float(delta_e(look.apply(photograph), after).mean()) < 1.0


def test_several_pairs_show_more_colours(photograph) -> None:
    dark, light = 0.4 * photograph, 0.6 + 0.4 * photograph
    one, _ = learn_look([(dark, edited(dark))])
    both, _ = learn_look([(dark, edited(dark)), (light, edited(light))])
    error = [float(delta_e(look.apply(light), edited(light)).mean()) for look in (one, both)]
    assert error[1] < 0.5 * error[0]


def test_no_change_is_learned_as_no_change(photograph, picture) -> None:
    look, _ = learn_look([(photograph, photograph)])
    other = picture(40, 50, seed=3, dtype=torch.float32)
    torch.testing.assert_close(look.apply(other), other, rtol=0, atol=2e-3)


def test_what_was_done_here_and_there_is_told(photograph) -> None:
    after = photograph.clone()
    after[:, :, 60:] *= 0.4
    _, said = learn_look([(photograph, after)])
    assert "differs from place to place" in said[1]


def test_what_cannot_be_learned(photograph, picture) -> None:
    with pytest.raises(ImageError, match="nothing to learn from"):
        learn_look([])
    with pytest.raises(ImageError, match="do not show the same"):
        learn_look([(photograph, resize(picture(9, 12, seed=7, dtype=torch.float32), (90, 120)).clamp(0, 1))])
    with pytest.raises(ImageError, match="120×90 and after 90×90: they must be the same photograph"):
        learn_look([(photograph, photograph[:, :, :90])])


# --- mixed ---------------------------------------------------------------------------------------------


def test_a_blend_goes_from_the_one_to_the_other(photograph) -> None:
    one, other = look_of(photograph, WARM), look_of(photograph, COLD)
    for weight in (0.0, 0.3, 1.0):
        mixed = blend_looks(one, other, weight).apply(photograph)
        assert float(delta_e(mixed, between(WARM(photograph), COLD(photograph), weight)).mean()) < 0.3


def test_regions_are_mixed_by_name_and_with_what_the_other_has_in_common(photograph) -> None:
    one = look_of(photograph, WARM, COLD, names=("sky", "land"))
    other = look_of(photograph, COLD, WARM, names=("land", "sea"))
    mixed = blend_looks(one, other, 1.0)
    assert mixed.names == ("sky", "land")
    for map in mixed.maps:  # the sky takes the common map of the other, which is COLD too
        torch.testing.assert_close(map(photograph), COLD(photograph))
    assert blend_looks(look_of(photograph, WARM), one, 0.25).names == ("sky", "land")
    with pytest.raises(SettingsError, match="between 0 and 1"):
        blend_looks(one, other, 1.5)


# --- taken back ----------------------------------------------------------------------------------------


def test_an_inverse_takes_a_look_back(photograph) -> None:
    look = look_of(photograph, WARM)
    back = invert_look(look)
    torch.testing.assert_close(back.apply(look.apply(photograph)), photograph, rtol=0, atol=5e-3)
    torch.testing.assert_close(back.after, photograph, rtol=0, atol=5e-3)


def test_what_loses_colours_cannot_be_taken_back(photograph) -> None:
    grey = ColorMap.affine(torch.full((3, 3), 1 / 3), torch.zeros(3))
    with pytest.raises(ImageError, match="cannot be taken back"):
        invert_look(look_of(photograph, grey))


# --- looked at and examined ----------------------------------------------------------------------------


def test_a_chart_shows_every_region(photograph) -> None:
    one, two = (
        draw_look(look_of(photograph, *maps, names=names))
        for maps, names in (((WARM,), ("all",)), ((WARM, COLD), ("Himmel ☀", "b")))
    )
    assert two.shape[1] > one.shape[1] and two.shape[2] == one.shape[2]
    assert float(one.min()) >= 0 and float(one.max()) == 1
    with_other = draw_look(look_of(photograph, COLD))
    assert not torch.equal(one, with_other)


def test_what_is_said_of_a_look(photograph) -> None:
    lines = describe_look(look_of(photograph, WARM))
    assert lines[0] == f"version: {__version__}"
    assert lines[1].startswith("all (100% of its photograph): light L* 0 to ") and "gain 0.9" in lines[1]
    before, after = light_of(ColorMap.identity())
    assert before == pytest.approx(after, abs=0.01)
    colors = main_colors(photograph, torch.ones(9, 12))
    assert colors.shape == (3, 8) and bool((colors.mean(0).diff() > 0).all())


def test_folds_of_a_look_are_where_light_comes_out_darker(photograph) -> None:
    upside_down = ColorMap.of(1 - cube(9))
    assert examine(upside_down, photograph.flatten(1)).folds == 1
    swapped = ColorMap.of(cube(9).flip(0))
    assert examine(swapped, photograph.flatten(1)).folds == 0
    assert examine(ColorMap.affine(2 * torch.eye(3), torch.zeros(3)), torch.full((3, 5), 0.4)).clipped == 0
    sound = examine(ColorMap.affine(2 * torch.eye(3), torch.zeros(3)), torch.full((3, 5), 0.6))
    assert (sound.clipped, round(sound.gain, 3)) == (1, 2)


# --- from the command line -----------------------------------------------------------------------------


def run(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["look", *map(str, arguments)])
    return done.exit_code, done.output


def test_from_the_command_line(photograph, tmp_path: Path) -> None:
    save_image(photograph, tmp_path / "before.png")
    save_image(edited(photograph), tmp_path / "after.png")
    a, b, c = (tmp_path / f"{name}.safetensors" for name in "abc")
    code, said = run("learn", tmp_path / "before.png", tmp_path / "after.png", "-o", a)
    assert code == 0 and "off by ΔE2000 0." in said
    assert load_look(a).facts["after"] == "after.png"
    assert run("invert", a, "-o", b)[0] == 0
    assert run("blend", a, b, "-o", c, "--weight", "0.5")[0] == 0
    code, said = run("show", a, "-o", tmp_path / "chart.png")
    assert code == 0 and "middle grey goes to" in said and (tmp_path / "chart.png").exists()
    assert run("check", a)[0] == 0
    half = tmp_path / "half.safetensors"
    assert run("adjust", a, "-o", half, "--strength", "0.5", "--exposure", "-0.3", "--region", "all=0.8")[0] == 0
    expected = adjust_look(load_look(a), Adjustment(0.5, -0.3, regions={"all": 0.8}))
    torch.testing.assert_close(load_look(half).maps[0].nodes, expected.maps[0].nodes)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("learn", "before.png", "-o", "a.safetensors"), "in pairs"),
        (("learn", "before.png", "none.png", "-o", "a.safetensors"), "There is no file"),
        (("learn", "before.png", "before.png", "-o", "a.png"), "use .safetensors"),
        (("show", "none.safetensors"), "There is no file"),
        (("show", "local.safetensors"), "no colour maps"),
        (("show", "good.safetensors", "-o", "chart.xyz"), "extension"),
        (("blend", "good.safetensors", "good.safetensors", "-o", "good.safetensors"), "input"),
        (("adjust", "good.safetensors", "-o", "b.safetensors", "--region", "all"), "as in sky=0.5, not 'all'"),
        (("adjust", "good.safetensors", "-o", "b.safetensors", "--region", "sea=1"), "no region 'sea'"),
        (("adjust", "good.safetensors", "-o", "b.safetensors", "--exposure", "9"), "less than or equal to 3"),
        (("invert", "local.safetensors", "-o", "b.safetensors"), "no colour maps"),
        (("check", "before.png"), "is no look"),
    ],
)
def test_bad_input_is_one_sentence(photograph, tmp_path: Path, monkeypatch, arguments, words: str) -> None:
    monkeypatch.chdir(tmp_path)
    save_image(photograph, "before.png")
    save_look(find_look(photograph, photograph), "local.safetensors")
    save_look(look_of(photograph, WARM), "good.safetensors")
    before = sorted(path.name for path in tmp_path.iterdir())
    code, said = run(*arguments)
    assert code == 2 and words in " ".join(said.replace("│", " ").split()), said
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_look_that_folds_is_told(photograph, tmp_path: Path) -> None:
    save_look(replace(look_of(photograph, ColorMap.of(1 - cube(9)))), tmp_path / "a.safetensors")
    code, said = run("check", tmp_path / "a.safetensors")
    assert code == 1 and "all folds: in 100.0% of its photograph" in said
