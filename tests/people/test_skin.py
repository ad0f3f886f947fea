"""Skin: found at every shade, with the hands that belong to it, and without walls of its colour."""

from __future__ import annotations

import pytest
import torch
from shades import SHADES, shaded, skin_of
from torch import Tensor

from photostyle.color.spaces import linear_from_srgb, luma, srgb_from_linear
from photostyle.people.skin import SKIN, find_skin, said_of_skin

FACE = slice(60, 100), slice(100, 134)
PLAIN = torch.tensor([0.3, 0.4, 0.5])[:, None, None]


def test_the_face_is_skin_and_the_rest_is_not(portrait: Tensor) -> None:
    skin = find_skin(portrait)
    assert skin is not None and skin.faces == 1
    assert float(skin.mask[FACE].min()) > 0.9
    assert float(skin.mask[180:].max()) < 0.1  # the suit, which is orange
    assert float(skin.mask[:, :50].max()) < 0.1  # flag and backdrop
    assert 0.02 < float(skin.mask.mean()) < 0.08


@pytest.mark.parametrize("shade", SHADES.values(), ids=SHADES)
def test_skin_is_found_at_every_shade(portrait: Tensor, shade: tuple[float, float, float]) -> None:
    before = skin_of(portrait)
    after = skin_of(shaded(portrait, before, shade))
    assert float(torch.minimum(before, after).sum() / torch.maximum(before, after).sum()) > 0.85


@pytest.mark.parametrize("light", [0.25, 0.5])
def test_skin_is_found_in_little_light(portrait: Tensor, light: float) -> None:
    before, after = skin_of(portrait), skin_of(light * portrait)
    assert float(torch.minimum(before, after).sum() / torch.maximum(before, after).sum()) > 0.7


def skin_color(portrait: Tensor) -> Tensor:
    return portrait[:, *FACE].flatten(1).median(1).values[:, None, None]


def test_a_hand_belongs_to_the_face_and_a_wall_or_a_strap_does_not(portrait: Tensor) -> None:
    wide = PLAIN.repeat(1, 300, 700)
    wide[:, :256, 200:456] = portrait
    y, x = torch.meshgrid(torch.arange(300), torch.arange(700), indexing="ij")
    hand = (y - 230).square() + (x - 240).square() < 22**2
    strap = (x > 420) & (x < 424) & (y > 150)
    wall = x > 500
    mask = skin_of(torch.where(hand | strap | wall, skin_color(portrait), wide))
    grown = torch.nn.functional.interpolate(mask[None, None], (300, 700), mode="bilinear")[0, 0]
    assert float(grown[hand].mean()) > 0.9
    assert float(grown[strap].mean()) < 0.2
    assert float(grown[wall].mean()) < 0.01


def dark_hair(portrait: Tensor) -> tuple[Tensor, Tensor]:
    """Where hair is, around the upper half of the head and down to the jaw, and hair of skin's own hue, but dark."""
    y, x = torch.meshgrid(torch.arange(256), torch.arange(256), indexing="ij")
    away = torch.hypot((x - 117) / 29, (y - 75) / 36)
    where = (away > 1.15) & (away < 1.7) & (y < 95)
    texture = 0.7 + 0.6 * torch.rand(256, 256, generator=torch.Generator().manual_seed(0))
    return where, srgb_from_linear(0.12 * texture * linear_from_srgb(skin_color(portrait))).clamp(0, 1)


def test_brown_hair_is_no_skin_though_it_has_its_hue(portrait: Tensor) -> None:
    where, hair = dark_hair(portrait)
    mask = skin_of(torch.where(where, hair, portrait))
    assert float(mask[where].mean()) < 0.1
    assert float(mask[FACE].min()) > 0.9


def test_the_neck_is_skin_in_shade_as_dark_as_hair(portrait: Tensor) -> None:
    where, hair = dark_hair(portrait)
    image = torch.where(where, hair, portrait)
    neck = torch.zeros(256, 256, dtype=torch.bool)
    neck[105:125, 104:130] = True
    assert float(skin_of(torch.where(neck, hair, image))[neck].mean()) > 0.9


def test_a_wall_behind_that_has_the_colour_of_skin_is_not_skin(portrait: Tensor) -> None:
    wall = portrait.clone()
    wall[:, 30:120, :86] = skin_color(portrait)  # up to the cheek
    assert float(skin_of(wall)[40:110, :70].mean()) < 0.1


def test_who_has_no_colour_has_no_skin_to_keep(portrait: Tensor) -> None:
    assert find_skin(luma(portrait).expand(3, -1, -1)) is None


def test_green_things_with_a_face_are_no_people(portrait: Tensor) -> None:
    assert find_skin(portrait[[1, 0, 2]] * torch.tensor([0.6, 1.0, 0.6])[:, None, None]) is None


def test_where_no_face_is_there_is_no_skin(portrait: Tensor) -> None:
    assert find_skin(skin_color(portrait).expand(3, 200, 300)) is None


def test_each_person_has_a_shade_of_their_own(portrait: Tensor) -> None:
    one = skin_of(portrait)
    pair = torch.cat([portrait, shaded(portrait, one, SHADES["dark"])], dim=2)
    skin = find_skin(pair)
    assert skin is not None and skin.faces == 2
    half = skin.mask.shape[1] // 2
    assert 0.8 < float(skin.mask[:, :half].sum() / skin.mask[:, half:].sum()) < 1.25


def test_it_is_told_where_skin_is_a_region() -> None:
    assert said_of_skin(("sky", "land")) == ()
    (sentence,) = said_of_skin(("sky", SKIN))
    assert "natural hue" in sentence and "free" in sentence
