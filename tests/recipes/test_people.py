"""People in a transfer: skin keeps its hue, unless the style has none or the user does not want it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from shades import coloured, skin_of, turned
from torch import Tensor
from typer.testing import Result

from photostyle import (
    Adjustment,
    Look,
    Regions,
    adjust_look,
    load_image,
    load_look,
    make_look,
    resize,
    save_image,
    save_look,
    transfer,
)
from photostyle.color.spaces import lab_from_srgb, luma
from photostyle.maps.blend import RegionalMaps, find_borders
from photostyle.maps.lattice import SIZE, ColorMap, cube
from photostyle.people.skin import SKIN, find_skin
from photostyle.recipes._people import with_natural_skin

QUICK = {"size": 64, "steps": 1, "device": "cpu"}


LIGHTS = {"blue night": (0.12, 0.2, 0.5), "forest": (0.5, 0.9, 0.4), "sunset": (1.2, 0.7, 0.3)}


def found(portrait: Tensor, light: tuple[float, float, float]) -> RegionalMaps:
    """The look of a coloured light, in two regions that part the portrait through the face."""
    map = ColorMap.of(coloured(cube(SIZE), *light))
    masks = torch.zeros(2, 256, 256)
    masks[0, :, :128], masks[1, :, 128:] = 1, 1
    return RegionalMaps([map, map], map, ("left", "right"), masks, find_borders(masks, portrait))


@pytest.fixture
def varied(picture: Callable[..., Tensor]) -> Tensor:
    """A style of many hues."""
    return picture(60, 80, seed=1, dtype=torch.float32)


@pytest.mark.parametrize("light", LIGHTS.values(), ids=LIGHTS)
def test_skin_keeps_its_hue_and_all_else_has_the_look(
    portrait: Tensor, varied: Tensor, light: tuple[float, float, float]
) -> None:
    free = found(portrait, light)
    kept = with_natural_skin(free, portrait, portrait, varied)
    assert kept.names == ("left", "right", SKIN)
    before, after = free.apply(portrait), kept.apply(portrait)
    assert float(turned(portrait, before).mean()) > 4
    assert float(turned(portrait, after).mean()) < 3
    assert float(turned(portrait, after).quantile(0.95)) < 5
    skin = find_skin(portrait)
    assert skin is not None
    away = F.max_pool2d(skin.mask[None], 41, 1, 20)[0] < 0.01
    torch.testing.assert_close(after[:, away], before[:, away], atol=2e-3, rtol=0)
    face = skin.mask > 0.95
    light_of = (lab_from_srgb(image)[0, face].mean() for image in (before, after))
    assert abs(float(next(light_of) - next(light_of))) < 1


def test_what_is_painted_within_a_face_has_the_look(portrait: Tensor, varied: Tensor) -> None:
    """Lips of their own, in a face of another region: they go with their look, as if there were no skin."""
    image = resize(portrait, (512, 512))
    lips = torch.zeros(512, 512)
    lips[182:200, 208:260] = 1
    masks = torch.stack([1 - lips, lips])
    maps = [ColorMap.of(coloured(cube(SIZE), *LIGHTS[name])) for name in ("blue night", "sunset")]
    free = RegionalMaps(maps, maps[0], ("all", "lips"), masks, find_borders(masks, image))
    kept = with_natural_skin(free, image, image, varied)
    assert kept.names == ("all", "lips", SKIN)
    before, after = ((maps.apply(image) - image)[:, 188:194, 220:248].mean((1, 2)) for maps in (free, kept))
    assert float(before.norm()) > 0.1
    torch.testing.assert_close(after, before, atol=0.01, rtol=0)
    away = F.max_pool2d(lips[None], 25, 1, 12)[0] < 0.5
    assert float(turned(image, kept.apply(image), away).mean()) < 3


def test_of_a_style_without_colour_skin_has_none(portrait: Tensor, varied: Tensor) -> None:
    free = found(portrait, LIGHTS["forest"])
    assert with_natural_skin(free, portrait, portrait, luma(varied).expand(3, -1, -1)) is free


def test_a_landscape_is_as_if_there_were_no_such_thing(picture: Callable[..., Tensor], varied: Tensor) -> None:
    land = picture(256, 256, dtype=torch.float32)
    free = found(land, LIGHTS["forest"])
    assert with_natural_skin(free, land, land, varied) is free


def test_a_region_of_that_name_is_the_users_own(portrait: Tensor, varied: Tensor) -> None:
    own = replace(found(portrait, LIGHTS["forest"]), names=("left", SKIN))
    assert with_natural_skin(own, portrait, portrait, varied) is own


@pytest.mark.usefixtures("small_network")
class TestFrontDoors:
    """Through Python, looks and the command line."""

    def test_it_is_on_unless_it_is_not_wanted(self, portrait: Tensor, varied: Tensor) -> None:
        style = coloured(varied, 0.3, 0.5, 1.0)
        natural, free = (transfer(portrait, style, skin=skin, **QUICK) for skin in ("natural", "free"))
        assert torch.equal(transfer(portrait, style, **QUICK), natural)
        assert float(turned(portrait, natural).mean()) < 3 < float(turned(portrait, free).mean())

    def test_a_look_keeps_it_in_a_file_and_when_adjusted(
        self, portrait: Tensor, varied: Tensor, tmp_path: Path
    ) -> None:
        look = make_look(portrait, coloured(varied, 0.3, 0.5, 1.0), **QUICK)
        assert look.names == ("all", SKIN)
        save_look(look, tmp_path / "look.safetensors")
        read = load_look(tmp_path / "look.safetensors")
        assert isinstance(read, Look) and read.names == look.names
        assert float(turned(portrait, read.apply(portrait)).mean()) < 3
        half = adjust_look(read, Adjustment(strength=0.5))
        assert float(turned(portrait, half.apply(portrait)).mean()) < 3

    def test_on_another_photograph_skin_is_that_of_its_own_faces(self, portrait: Tensor, varied: Tensor) -> None:
        style = coloured(varied, 0.3, 0.5, 1.0)
        look = make_look(portrait, style, **QUICK)
        other = torch.cat([0.5 * torch.ones(3, 256, 150), portrait.flip(2)], dim=2)
        masks, _ = look.find_regions(other)
        skin = find_skin(other)
        assert skin is not None
        torch.testing.assert_close(masks[1], skin.mask)
        torch.testing.assert_close(masks.sum(0), torch.ones_like(masks[0]))
        masks, _ = look.find_regions(varied)
        assert not bool(masks[1].any())

    def test_a_look_of_several_regions_finds_both_them_and_skin(self, portrait: Tensor, varied: Tensor) -> None:
        halves = torch.zeros(2, 60, 80)
        halves[0, :30], halves[1, 30:] = 1, 1
        sides = torch.zeros(2, 256, 256)
        sides[0, :128], sides[1, 128:] = 1, 1
        look = make_look(portrait, varied, Regions(("up", "down"), sides, halves), **QUICK)
        assert look.names == ("up", "down", SKIN)
        other = torch.cat([0.5 * torch.ones(3, 256, 150), portrait.flip(2)], dim=2)
        masks, (said,) = look.find_regions(other)
        assert len(masks) == 4 and SKIN in said
        torch.testing.assert_close(masks.sum(0), torch.ones_like(masks[0]))

    def test_the_command_line_tells_of_it_and_turns_it_off(
        self, portrait: Tensor, varied: Tensor, run: Callable[..., Result], tmp_path: Path
    ) -> None:
        paths = tmp_path / "content.png", tmp_path / "style.png"
        for image, path in zip((portrait, coloured(varied, 0.3, 0.5, 1.0)), paths, strict=True):
            save_image(image, path)
        options = ["--regions", "none", "--size", 64, "--steps", 1]
        told = run("transfer", *paths, "-o", tmp_path / "natural.png", *options)
        assert told.exit_code == 0 and "skin keeps its natural hue" in told.output.replace("\n", " ")
        quiet = run("transfer", *paths, "-o", tmp_path / "free.png", *options, "--skin", "free")
        assert quiet.exit_code == 0 and "skin" not in quiet.output
        assert (tmp_path / "natural.png").read_bytes() != (tmp_path / "free.png").read_bytes()
        wrong = run("transfer", *paths, "-o", tmp_path / "wrong.png", *options, "--skin", "blue")
        assert wrong.exit_code == 2 and "skin must be one of natural, free" in wrong.output.replace("\n", " ")
        assert not (tmp_path / "wrong.png").exists()

    def test_a_look_lies_where_regions_are_painted_and_skin_where_faces_are(
        self, portrait: Tensor, varied: Tensor, run: Callable[..., Result], tmp_path: Path
    ) -> None:
        """Painted are the backdrop and what is below; the face lies across both."""
        halves = torch.zeros(2, 60, 80)
        halves[0, :30], halves[1, 30:] = 1, 1
        sides = torch.zeros(2, 256, 256)
        sides[0, :70], sides[1, 70:] = 1, 1
        painted = Regions(("blue", "green"), sides, halves)
        look = make_look(portrait, coloured(varied, 0.3, 0.5, 1.0), painted, **QUICK)
        other = torch.cat([0.5 * torch.ones(3, 256, 150), portrait.flip(2)], dim=2)
        labels = torch.zeros(3, 256, 406)
        labels[2, :70], labels[1, 70:] = 1, 1
        save_look(look, tmp_path / "look.safetensors")
        for name, image in (("other.png", other), ("labels.png", labels)):
            save_image(image, tmp_path / name)
        files = [tmp_path / name for name in ("look.safetensors", "other.png", "out.png")]
        done = run("apply", *files[:2], "-o", files[2], "--regions", tmp_path / "labels.png")
        assert done.exit_code == 0
        after = load_image(files[2])
        assert float(turned(other, after).mean()) < 3
        masks = torch.stack([labels[2], labels[1], torch.zeros(256, 406)])
        away = F.max_pool2d(skin_of(other)[None], 41, 1, 20)[0] < 0.01
        torch.testing.assert_close(after[:, away], look.apply(other, masks)[:, away], atol=0.02, rtol=0)
