"""Looks that are colour maps of regions: applied to their own scene and to others, and kept in a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner

from photostyle import (
    Adjustment,
    ImageError,
    Regions,
    SettingsError,
    __version__,
    adjust_look,
    load_image,
    look_steps,
    make_look,
    save_image,
    transfer,
)
from photostyle.cli import app
from photostyle.looks.file import load_look, save_look
from photostyle.looks.look import Look
from photostyle.looks.scene import Scene, find_again, kinds_of, same_scene
from photostyle.maps.lattice import ColorMap
from photostyle.network.vgg import VGG
from photostyle.people.skin import SKIN

QUICK = {"size": 64, "steps": 2, "device": "cpu"}
RED, DARK = (
    ColorMap.affine(torch.eye(3), torch.tensor([0.2, 0, 0])),
    ColorMap.affine(0.5 * torch.eye(3), torch.zeros(3)),
)


def halves(height: int = 60, width: int = 80) -> torch.Tensor:
    top = torch.zeros(height, width)
    top[: height // 2] = 1
    return torch.stack([top, 1 - top])


def scene(height: int = 60, width: int = 80) -> torch.Tensor:
    """Plain above, busy below, as a sky over land."""
    land = torch.rand(3, height // 2, width, generator=torch.Generator().manual_seed(0)) * 0.5 + 0.1
    sky = torch.tensor([0.5, 0.6, 0.75])[:, None, None].expand(3, height - height // 2, width)
    return torch.cat([sky, land], dim=1)


@pytest.fixture
def look(fake_weights) -> Look:
    before = scene()
    kinds = kinds_of(before, halves(), VGG(fake_weights()))
    return Look(
        (RED, DARK), ColorMap.identity(2), ("sky", "land"), Scene(before, halves(), kinds, "vgg16-hed"), before, {}
    )


# --- from a transfer -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("small_network")
@pytest.mark.parametrize("regional", [False, True])
def test_a_look_gives_what_the_transfer_gives(picture, regional: bool) -> None:
    content, style = scene().float(), picture(60, 80, seed=1, dtype=torch.float32)
    regions = Regions(("sky", "land"), halves(), halves()) if regional else None
    look = make_look(content, style, regions, **QUICK)
    torch.testing.assert_close(look.apply(content), transfer(content, style, regions, **QUICK), rtol=0, atol=1e-6)
    assert look.names == (("sky", "land") if regional else ("all",))
    assert look.facts == {"version": __version__, "recipe": "photo", "quality": "standard"}
    torch.testing.assert_close(look.after, look.apply(content), rtol=0, atol=1e-6)
    less = transfer(content, style, regions, **QUICK, strength=0.4)
    adjusted = adjust_look(look, Adjustment(0.4)).apply(content, look.scene.masks)
    torch.testing.assert_close(less, adjusted, rtol=0, atol=1e-5)
    none = transfer(content, style, regions, **QUICK, strength=0)
    torch.testing.assert_close(none, content, rtol=0, atol=1e-5)


@pytest.mark.usefixtures("small_network")
def test_recipes_that_find_no_maps_say_so(picture) -> None:
    with pytest.raises(SettingsError, match="reinhard finds no colour maps; those that do are photo"):
        next(look_steps(picture(40, 40), picture(40, 40), recipe="reinhard"))


# --- on photographs ------------------------------------------------------------------------------------


def test_each_region_has_its_map(look: Look) -> None:
    after = look.apply(scene(), halves())
    torch.testing.assert_close(
        after[:, :24], scene()[:, :24] + torch.tensor([0.2, 0, 0]).view(3, 1, 1), rtol=0, atol=1e-5
    )
    torch.testing.assert_close(after[:, 42:], 0.5 * scene()[:, 42:], rtol=0, atol=1e-5)


def test_what_is_none_of_the_regions_takes_the_common_map(look: Look) -> None:
    none = torch.cat([torch.zeros(2, 60, 80), torch.ones(1, 60, 80)])
    torch.testing.assert_close(look.apply(scene(), none), scene(), rtol=0, atol=1e-5)


@pytest.mark.parametrize("stops", [-2, -0.15, 0, 1])
def test_frames_of_the_scene_keep_its_regions(look: Look, stops: float) -> None:
    frame = (scene() * 2**stops).clamp(0, 1) + 0.02 * torch.randn(3, 60, 80, generator=torch.Generator().manual_seed(1))
    frame[:, 35:45, 10:25] = 0.9  # something passes
    masks, notes = look.find_regions(frame.clamp(0, 1))
    assert torch.equal(masks, torch.cat([halves(), torch.zeros(1, 60, 80)])) and notes == ()


def test_another_scene_is_looked_at_anew(look: Look, fake_weights) -> None:
    """The land above, the sky below: not where they were but where they are now."""
    other = scene().flip(1)
    assert not same_scene(look.scene.before, other)
    masks, (note,) = look.find_regions(other, VGG(fake_weights()))
    torch.testing.assert_close(masks.sum(0), torch.ones(60, 80))
    assert float(masks[1, :20].mean()) > float(masks[1, 40:].mean())
    assert "Another scene" in note and "sky: " in note and "land: " in note


def test_which_networks_its_regions_are_found_by(look: Look, portrait: torch.Tensor) -> None:
    """On its own scene none, nor where only one region is told apart: skin is known by faces."""
    assert look.networks == ("vgg16-hed",)
    assert look.networks_in(scene()) == () and look.networks_in(scene().flip(1)) == look.networks
    one = replace(look, names=("all", SKIN))
    assert one.networks == one.networks_in(portrait) == ()
    masks, _ = one.find_regions(portrait)
    torch.testing.assert_close(masks.sum(0), torch.ones(masks.shape[1:]))
    assert masks.shape[0] == 3 and 0.05 < float(masks[1].mean()) < 0.5


def test_a_look_of_one_map_goes_anywhere(look: Look, picture) -> None:
    one = replace(look, maps=(DARK,), names=("all",))
    for size in ((60, 80), (33, 90)):
        photograph = picture(*size, dtype=torch.float32)
        torch.testing.assert_close(one.apply(photograph), 0.5 * photograph, rtol=0, atol=1e-5)


def test_masks_that_do_not_fit(look: Look) -> None:
    with pytest.raises(ImageError, match="2 regions, and the masks are 4"):
        look.apply(scene(), torch.ones(4, 60, 80) / 4)
    with pytest.raises(ImageError, match="other proportions"):
        look.apply(scene(), halves(80, 60))
    with pytest.raises(ImageError, match="The photograph"):
        look.apply(torch.zeros(60, 80))


def test_regions_are_found_where_they_were(look: Look, fake_weights) -> None:
    masks = find_again(look.scene, scene(), VGG(fake_weights()))
    assert float(masks[0, :24].mean()) > 0.5 and float(masks[1, 36:].mean()) > 0.5


# --- in files ------------------------------------------------------------------------------------------


def test_it_comes_back_from_its_file(look: Look, tmp_path: Path) -> None:
    look = replace(look, facts={"recipe": "photo", "content": "Fjäll ×.jpg"})
    for name in ("a", "b"):
        save_look(look, tmp_path / f"{name}.safetensors")
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    again = load_look(tmp_path / "a.safetensors")
    assert isinstance(again, Look)
    assert (again.names, again.facts, again.scene.network) == (look.names, look.facts, "vgg16-hed")
    assert torch.equal(again.scene.kinds, look.scene.kinds)
    torch.testing.assert_close(again.apply(scene()), look.apply(scene()), rtol=0, atol=1e-3)


def damaged(look: Look, path: Path, **changes: torch.Tensor | None) -> None:
    save_look(look, path)
    with safe_open(path, framework="pt") as file:
        about = file.metadata()
    tensors = {name: changes.get(name, tensor) for name, tensor in load_file(path).items()}
    save_file({name: tensor for name, tensor in tensors.items() if tensor is not None}, path, about)


@pytest.mark.parametrize(
    "changes",
    [
        {"nodes": None},
        {"nodes": torch.zeros(2, 3, 2, 2, 2)},
        {"nodes": torch.zeros(3, 3, 2, 2, 3)},
        {"tilts": torch.zeros(3, 3, 3)},
        {"masks": torch.zeros(3, 60, 80, dtype=torch.uint8)},
        {"masks": torch.zeros(2, 0, 80, dtype=torch.uint8)},
        {"before": torch.zeros(1, 60, 80, dtype=torch.uint8)},
        {"kinds": torch.zeros(1, 9)},
    ],
)
def test_files_that_hold_no_whole_look(look: Look, tmp_path: Path, changes) -> None:
    damaged(look, tmp_path / "look.safetensors", **changes)
    with pytest.raises(ImageError, match="holds no whole look: make it again"):
        load_look(tmp_path / "look.safetensors")


def test_numbers_that_are_none(look: Look, tmp_path: Path) -> None:
    damaged(look, tmp_path / "look.safetensors", tilts=torch.full((3, 3, 4), torch.nan))
    with pytest.raises(ImageError, match="NaN or infinity"):
        load_look(tmp_path / "look.safetensors")
    with pytest.raises(ImageError, match="was not written"):
        save_look(replace(look, common=ColorMap.of(torch.full((3, 2, 2, 2), torch.inf))), tmp_path / "b.safetensors")
    assert not (tmp_path / "b.safetensors").exists()


# --- from the command line -----------------------------------------------------------------------------


def applied(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["apply", *map(str, arguments)])
    return done.exit_code, " ".join(done.output.split())


@pytest.fixture
def files(look: Look, tmp_path: Path, small_network) -> Path:
    save_look(look, tmp_path / "look.safetensors")
    save_image(scene(), tmp_path / "frame.png")
    save_image(scene().flip(1), tmp_path / "other.png")
    paint = torch.zeros(3, 60, 80)
    paint[2, :30] = 1  # blue above, red below
    paint[0, 30:] = 1
    save_image(paint, tmp_path / "labels.png")
    return tmp_path


def test_a_look_is_applied_to_frames_and_to_other_scenes(files: Path, look: Look) -> None:
    code, said = applied(files / "look.safetensors", files / "frame.png", files / "other.png", "-o", files / "out")
    assert code == 0 and said.count("Another scene than the look's own") == 1
    frame = load_image(files / "out" / "frame.png")
    torch.testing.assert_close(frame, look.apply(scene()), rtol=0, atol=3 / 255)


def test_where_regions_lie_can_be_told(files: Path, look: Look) -> None:
    where = ("--regions", files / "labels.png", "--match", "blue=land,red=sky")
    code, said = applied(files / "look.safetensors", files / "frame.png", "-o", files / "a.png", *where)
    assert code == 0, said
    expected = look.apply(scene(), halves().flip(0))
    torch.testing.assert_close(load_image(files / "a.png"), expected, rtol=0, atol=3 / 255)
    code, said = applied(files / "look.safetensors", files / "frame.png", "-o", files / "b.png", *where[:2])
    assert code == 0 and "Region blue is none of the look's (sky, land)" in said
    torch.testing.assert_close(load_image(files / "b.png"), scene(), rtol=0, atol=3 / 255)
    code, said = applied(files / "look.safetensors", files / "frame.png", "-o", files / "c.png", "--match", "sky=land")
    assert code == 0
    torch.testing.assert_close(load_image(files / "c.png"), 0.5 * scene(), rtol=0, atol=3 / 255)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("frame.png", "--match", "sky=sea"), "There is no region 'sea'"),
        (("frame.png", "--match", "sea=sky"), "There is no region 'sea'"),
        (("frame.png", "other.png", "--regions", "labels.png"), "regions of one photograph, not of 2"),
        (("frame.png", "--regions", "none.png"), "does not exist"),
    ],
)
def test_regions_that_cannot_be_told(files: Path, monkeypatch, arguments, words: str) -> None:
    monkeypatch.chdir(files)
    code, said = applied("look.safetensors", *arguments, "-o", "out.png" if len(arguments) == 3 else "out")
    assert code == 2 and words in said, said
    assert not (files / "out.png").exists() and not list(files.glob("out/*"))


def test_a_look_of_one_map_has_no_regions_to_tell(files: Path, look: Look, monkeypatch) -> None:
    monkeypatch.chdir(files)
    whole = replace(look.scene, masks=torch.ones(1, 60, 80), kinds=torch.zeros(1, 0))
    one = replace(look, maps=(DARK,), names=("all",), scene=whole)
    save_look(one, "one.safetensors")
    code, said = applied("one.safetensors", "frame.png", "-o", "out.png", "--regions", "labels.png")
    assert code == 2 and "Only a look of several regions" in said
