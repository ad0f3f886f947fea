"""Photographs labelled by eye: `photographs.csv` says where each is, `labels.npz` what its cells show.

They are in packages of free licences, which hold them as they are or amid other files, at an offset in bytes:

    mkdir packages && cd packages
    apt-get download NAME=VERSION…      # those of photographs.csv
    for package in *.deb; do dpkg-deb --extract $package .; done

The wheels of matplotlib, scikit-image and scikit-learn are unpacked there by `unzip`. The package of npm writes its
panoramas as text:

    npm pack @pmndrs/assets@1.7.0
    tar --extract --file pmndrs-assets-1.7.0.tgz package/hdri
    for text in package/hdri/*.exr.js
    do sed 's/.*base64,//; s/[^A-Za-z0-9+/=].*//' $text | base64 --decode > ${text%.js}; done

Of a panorama a photograph is a part. Those of the package `pairs` are not free: they are the pairs of Luan et al. 2017,
a folder of their own.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from photostyle import load_image, load_weights
from photostyle.color.spaces import adapted, balanced
from photostyle.image import fit
from photostyle.network.backbones import SCENE_BACKBONE
from photostyle.network.lite import Lite
from photostyle.segment.parsing import LAYERS, evidence, on_cells

_HERE = Path(__file__).parent
_SIZE = 448  # long side that the network sees, pixels
UNTOLD = 255  # a label; the others are places in `photostyle.segment.parsing.CLASSES`


@dataclass(frozen=True)
class Labelled:
    """A photograph with a label for each cell of 8×8 pixels."""

    path: Path
    offset: int  # bytes before it in the file
    part: tuple[int, ...]  # left, top, right and bottom in pixels, or nothing: all of it
    labels: Tensor  # 56×56, uint8, from the upper left cell; what is outside the photograph is untold

    @property
    def name(self) -> str:
        return f"{self.path.parent.name}/{self.path.name}" + (f" at {self.offset}" if self.offset else "")

    def load(self) -> Tensor:
        """The photograph, 3×H×W, at the size that the network sees."""
        image = load_image(BytesIO(self.path.read_bytes()[self.offset :]))
        if self.part:
            left, top, right, bottom = self.part
            image = image[:, top:bottom, left:right]
        return fit(image, _SIZE)


def labelled(use: str, folder: Path) -> Iterator[Labelled]:
    """Photographs for a use, "fit" or "measure", of those packages that are in the folder."""
    labels = torch.from_numpy(np.load(_HERE / "labels.npz")["labels"])
    with (_HERE / "photographs.csv").open(newline="") as file:
        for row, label in zip(csv.DictReader(file), labels, strict=True):
            path = folder / row["file"]
            if row["use"] == use and path.exists():
                yield Labelled(path, int(row["offset"]), tuple(map(int, row["part"].split())), label)


class Eye:
    """What `photostyle.segment.parsing` sees in a photograph."""

    def __init__(self) -> None:
        self._lite = Lite(load_weights(SCENE_BACKBONE))

    def __call__(self, image: Tensor) -> Tensor:
        """The evidence in each cell of an image, C×h×w."""
        seen = balanced(adapted(image))
        return evidence(on_cells(self._lite(seen, LAYERS), seen), seen)
