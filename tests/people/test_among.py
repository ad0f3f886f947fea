"""Skin among other regions: what lies within a face is a region of its own, and whatever the face lies in keeps it."""

from __future__ import annotations

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shades import skin_of
from torch import Tensor

from photostyle.people.among import skin_among


def box(top: int, bottom: int, left: int, right: int) -> Tensor:
    mask = torch.zeros(256, 256)
    mask[top:bottom, left:right] = 1
    return mask


EYES = box(66, 72, 96, 108) + box(66, 72, 126, 138)
LIPS = box(92, 99, 106, 128)
BEARD = box(93, 110, 98, 136)
SUIT = box(150, 256, 0, 256)
LEFT = box(0, 256, 0, 117)  # goes through the middle of the face
BEHIND = box(0, 256, 0, 97)  # reaches over a cheek


def among(portrait: Tensor, *parts: Tensor) -> Tensor:
    """Where skin is beside these regions and one that is all the rest."""
    masks = torch.stack([*parts, 1 - sum(parts, torch.zeros(256, 256))])
    here = skin_among(masks, portrait)
    assert here is not None
    return here


@pytest.mark.parametrize("part", [EYES, LIPS, BEARD], ids=["eyes", "lips", "beard"])
def test_what_lies_within_a_face_is_left_to_its_region(portrait: Tensor, part: Tensor) -> None:
    here = among(portrait, part)
    assert float(here[part > 0].max()) == 0
    torch.testing.assert_close(here, skin_of(portrait) * (1 - part))


@pytest.mark.parametrize("part", [SUIT, LEFT, BEHIND], ids=["suit", "half of the face", "behind"])
def test_skin_stays_where_a_face_goes_on_into_a_region(portrait: Tensor, part: Tensor) -> None:
    torch.testing.assert_close(among(portrait, part), skin_of(portrait))


def test_eyes_and_lips_at_once(portrait: Tensor) -> None:
    torch.testing.assert_close(among(portrait, EYES, LIPS, BEHIND), skin_of(portrait) * (1 - EYES) * (1 - LIPS))


def test_a_small_face_is_not_a_part_of_a_large_one(portrait: Tensor) -> None:
    """Painted by itself, face alone."""
    small = torch.nn.functional.interpolate(portrait[None], (72, 72), mode="area")[0]
    both = torch.full((3, 256, 400), 0.4)
    both[:, :, :256], both[:, 60:132, 300:372] = portrait, small
    skin = skin_of(both)
    child = torch.zeros_like(skin)
    child[:, 270:] = skin[:, 270:] > 0
    assert float(child.sum()) < 0.25 * float(skin.sum())
    here = skin_among(torch.stack([child, 1 - child]), both)
    assert here is not None
    torch.testing.assert_close(here, skin)


def test_soft_regions_take_their_share(portrait: Tensor) -> None:
    torch.testing.assert_close(among(portrait, 0.75 * LIPS), skin_of(portrait) * (1 - 0.75 * LIPS))


def test_masks_may_be_smaller_than_the_photograph(portrait: Tensor) -> None:
    small = torch.nn.functional.avg_pool2d(torch.stack([LIPS, 1 - LIPS]), 4)
    here = skin_among(small, portrait)
    assert here is not None and here.shape == (64, 64)
    assert float(here[small[0] == 1].max()) == 0


def test_without_a_face_there_is_none(portrait: Tensor) -> None:
    assert skin_among(torch.ones(1, 256, 256), portrait.flip(1)) is None


@given(seed=st.integers(0, 10**6), count=st.integers(1, 6), cells=st.sampled_from([1, 4, 16, 64]))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_there_is_never_more_skin_than_the_photograph_shows(
    portrait: Tensor, seed: int, count: int, cells: int
) -> None:
    """Whatever is painted; and what is taken from it belongs to regions that are smaller than it."""
    labels = torch.randint(count, (cells, cells), generator=torch.Generator().manual_seed(seed))
    labels = labels.repeat_interleave(256 // cells, 0).repeat_interleave(256 // cells, 1)
    masks = torch.stack([(labels == k).float() for k in range(count)])
    here, skin = skin_among(masks, portrait), skin_of(portrait)
    assert here is not None
    assert float(here.min()) >= 0 and bool((here <= skin).all())
    for mask in masks:
        if float(mask.sum()) > float(skin.sum()):
            torch.testing.assert_close(here * mask, skin * mask)
