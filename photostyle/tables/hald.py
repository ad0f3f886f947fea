"""Hald images: a table as a picture, in which every colour stands for what it becomes.

Eskil Steenberg's Hald CLUT: level L is a square of L³ × L³ pixels that holds L² nodes along each axis, row after row,
red changing fastest, then green. A program that can save pictures can make a table of it.
"""

from __future__ import annotations

import numpy as np
import torch

from photostyle.errors import ImageError
from photostyle.photofile.encode import Picture, encode
from photostyle.photofile.spaces import Levels, to_floats
from photostyle.tables.stages import Lattice
from photostyle.tables.table import Table

_LEVELS = range(2, 17)
SIZES = tuple(level**2 for level in range(8, 13))  # of those that are written


def parse(levels: Levels, name: str) -> Table:
    """The table in a picture's numbers, H×W×C as they are stored; `name` is what errors call it.

    Raises ImageError if it is no Hald image of level 2 to 16.
    """
    height, width, channels = levels.shape
    level = round(width ** (1 / 3))
    if height != width or width != level**3 or level not in _LEVELS or channels != 3:
        kind = f"a picture of {width}×{height} pixels" + ("" if channels == 3 else " without red, green and blue")
        sides = ", ".join(str(level**3) for level in _LEVELS[:7])
        raise ImageError(f"{name} is {kind}, and no Hald image: those are squares of {sides} … pixels.")
    size = level**2
    colors = torch.from_numpy(np.array(to_floats(levels)))  # 3 numbers for each node, red fastest
    nodes = colors.reshape(size, size, size, 3).permute(3, 2, 1, 0).contiguous()
    return Table((Lattice(nodes, torch.zeros(3), torch.ones(3)),))


def write(lattice: Lattice, bits: int) -> bytes:
    """The PNG, of 8 or 16 bits, of a lattice over [0, 1] of 64, 81, 100, 121 or 144 nodes along each axis.

    It is clipped to [0, 1], and has no colour profile: its numbers are to be taken as they are.
    """
    most = 2**bits - 1
    side = round(lattice.size**1.5)
    colors = (lattice.nodes.permute(3, 2, 1, 0).reshape(side, side, 3).clamp(0, 1) * most).round()
    levels = colors.numpy().astype(np.uint8 if bits == 8 else np.uint16)
    return encode(Picture(levels, icc=b"", exif=None, xmp=None, resolution=None), "PNG", quality=100)
