"""YuNet, a network of fifty thousand numbers that finds faces (Wu, Peng & Yu, Machine Intelligence Research 2023).

A separable convolution is a mixture of channels followed by a 3×3 filter of each. Ten of them, two by two, see the
picture at strides 8, 16 and 32; what the coarser see is added to the finer; and at each stride every cell says whether
a face has its middle there, and where its box lies. The numbers are those that its authors trained on WIDER FACE
and published in libfacedetection (BSD-3-Clause, beside them in `yunet.md`), in 16 bits.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from photostyle.tensors import read_tensors

STRIDES = (8, 16, 32)
_FILE = Path(__file__).with_name("yunet.safetensors")


@torch.no_grad()
def look(image: Tensor) -> list[tuple[Tensor, Tensor]]:
    """How sure each cell of a picture (3×H×W, sRGB in [0, 1]) is of a face, and the face's box, at each of `STRIDES`.

    h×w in [0, 1] and 4×h×w: left, top, right and bottom in pixels.
    """
    height, width = image.shape[1:]
    coarsest = STRIDES[-1]
    x = 255 * image.flip(0)[None].float().cpu()  # blue, green, red
    x = F.pad(x, (0, -width % coarsest, 0, -height % coarsest))
    x = F.conv2d(x, *_numbers("stem"), stride=2, padding=1).relu()
    x = F.max_pool2d(_separable(x, "body.0"), 2)
    x = F.max_pool2d(_pair(_pair(x, 1), 2), 2)
    seen = [x := _pair(x, 3), x := _pair(F.max_pool2d(x, 2), 4), _pair(F.max_pool2d(x, 2), 5)]
    found = []
    for level in (2, 1, 0):
        here = _separable(seen[level], f"neck.{level}")
        if level:
            seen[level - 1] = seen[level - 1] + F.interpolate(here, scale_factor=2, mode="nearest")
        found.append(_read(here, level))
    return found[::-1]


def _read(x: Tensor, level: int) -> tuple[Tensor, Tensor]:
    kind, thing, box = (_separable(x, f"{head}.{level}", last=True)[0] for head in ("kind", "thing", "box"))
    rows, columns = torch.meshgrid(*map(torch.arange, box.shape[1:]), indexing="ij")
    middle, half = box[:2] + torch.stack([columns, rows]), box[2:].exp() / 2
    sure = (kind.sigmoid() * thing.sigmoid()).sqrt()[0]
    return sure, STRIDES[level] * torch.cat([middle - half, middle + half])


def _pair(x: Tensor, number: int) -> Tensor:
    return _separable(_separable(x, f"body.{number}.0"), f"body.{number}.1")


def _separable(x: Tensor, name: str, last: bool = False) -> Tensor:
    x = F.conv2d(x, *_numbers(f"{name}.mix"))
    weight, bias = _numbers(f"{name}.filter")
    x = F.conv2d(x, weight, bias, padding=1, groups=len(bias))
    return x if last else x.relu()


def _numbers(layer: str) -> tuple[Tensor, Tensor]:
    tensors = _weights()
    return tensors[f"{layer}.weight"], tensors[f"{layer}.bias"]


@cache
def _weights() -> dict[str, Tensor]:
    return {name: tensor.float() for name, tensor in read_tensors(_FILE)[1].items()}
