"""Where faces are in a photograph."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from photostyle.image import fit
from photostyle.people.yunet import look

SEEN = 640  # long side at which faces are looked for, pixels
_FILLING = 224  # and at which those are seen that fill the photograph
_SURE = 0.8  # what is less is no face: the surest thing that is none, on 58 photographs of landscapes, is at 0.74
_SAME = 0.3  # of the area of both: boxes that share more are of one face


@dataclass(frozen=True)
class Face:
    """The box of a face, in parts of the photograph's width and height, and how sure it is, from 0 to 1."""

    left: float
    top: float
    right: float
    bottom: float
    sure: float

    def overlap(self, other: Face) -> float:
        """What both cover, of what either covers."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        both = max(0.0, width) * max(0.0, height)
        return both / (self.area + other.area - both)

    @property
    def area(self) -> float:
        return (self.right - self.left) * (self.bottom - self.top)


def find_faces(photograph: Tensor, least: float = _SURE) -> list[Face]:
    """The faces in a photograph (3×H×W, sRGB in [0, 1], of any size), the surest first.

    A face is found from about a fiftieth of the photograph's long side on. `least` is how sure it has to be.
    """
    image = fit(photograph, SEEN)
    found = [*_seen(image, least), *_seen(fit(image, _FILLING), least)]
    faces: list[Face] = []
    for face in sorted(found, key=lambda face: -face.sure):
        if all(face.overlap(other) < _SAME for other in faces):
            faces.append(face)
    return faces


def _seen(image: Tensor, least: float) -> list[Face]:
    height, width = image.shape[1:]
    whole = torch.tensor([width, height, width, height])
    found = []
    for cells, boxes in look(image):
        for sure, box in zip(cells[cells > least], boxes[:, cells > least].T, strict=True):
            left, top, right, bottom = (box / whole).tolist()
            found.append(Face(left, top, right, bottom, float(sure)))
    return found
