"""Faces: where the network that finds them says they are, at every size, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from photostyle import load_image, resize
from photostyle.people.faces import Face, find_faces
from photostyle.people.yunet import STRIDES, look

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
BOX = torch.tensor([88, 39, 88 + 58, 39 + 71]) / 256
"""Where libfacedetection itself, whose numbers the network has, finds the astronaut's face: sure by 0.93."""


def box(face: Face) -> Tensor:
    return torch.tensor([face.left, face.top, face.right, face.bottom])


def test_the_network_says_what_its_authors_program_says(portrait: Tensor) -> None:
    sure, boxes = look(portrait)[0]  # such a face is the affair of the finest cells
    assert float(sure.max()) == pytest.approx(0.93, abs=0.01)
    (found,) = boxes[:, sure == sure.max()].T / 256
    torch.testing.assert_close(found, BOX, atol=1.5 / 256, rtol=0)  # the program cuts it to whole pixels
    assert all(float(others.max()) < 0.1 for others, _ in look(portrait)[1:])


@pytest.mark.parametrize("size", [64, 100, 233, 700, 1500])
def test_a_face_is_found_at_every_size(portrait: Tensor, size: int) -> None:
    (face,) = find_faces(resize(portrait, (size, size)))
    torch.testing.assert_close(box(face), BOX, atol=0.04, rtol=0)


@pytest.mark.parametrize("light", [0.1, 0.4])
def test_a_face_is_found_in_little_light_and_in_none_but_one_colour(portrait: Tensor, light: float) -> None:
    for colors in (light * portrait, light * portrait * torch.tensor([0.3, 0.6, 1.0])[:, None, None]):
        (face,) = find_faces(colors)
        torch.testing.assert_close(box(face), BOX, atol=0.04, rtol=0)


def test_each_of_several_faces_is_found_once(portrait: Tensor) -> None:
    faces = find_faces(torch.cat([portrait, portrait.flip(2), resize(portrait, (128, 256))], dim=1))
    assert len(faces) == 3
    assert all(a is b or a.overlap(b) == 0 for a in faces for b in faces)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*/*.jpg")), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_landscape_has_no_face(path: Path) -> None:
    assert find_faces(load_image(path)) == []


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (5, 7), (33, 31)])
def test_a_picture_of_any_shape_may_have_none(shape: tuple[int, int]) -> None:
    assert find_faces(torch.rand(3, *shape, generator=torch.Generator().manual_seed(0))) == []


def test_every_cell_has_its_say() -> None:
    found = look(torch.rand(3, 50, 70))
    for stride, (sure, boxes) in zip(STRIDES, found, strict=True):
        assert sure.shape == boxes.shape[1:] == (64 // stride, 96 // stride)
        assert 0 <= float(sure.min()) <= float(sure.max()) <= 1
        assert bool((boxes[2:] > boxes[:2]).all())


def test_what_boxes_share() -> None:
    one = Face(0, 0, 0.5, 0.5, 1)
    assert one.overlap(one) == 1
    assert one.overlap(Face(0.25, 0, 0.75, 0.5, 1)) == pytest.approx(1 / 3)
    assert one.overlap(Face(0.5, 0.5, 1, 1, 1)) == 0


def test_numbers_that_are_not_the_networks_would_be_seen(portrait: Tensor) -> None:
    """The test of the known answer can fail: upside down there is none."""
    assert find_faces(F.pad(portrait.flip(1), (0, 0, 0, 40))) == []
