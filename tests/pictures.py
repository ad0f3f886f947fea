"""Pictures and files for the tests of photographs."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms
from torch import Tensor

from photostyle.errors import ImageError
from photostyle.photofile import (
    FORMATS,
    load_image,
)

SUFFIXES = sorted(suffix for suffix in FORMATS if suffix != ".heic")


def picture(height: int = 24, width: int = 16) -> Tensor:
    """A smooth asymmetric image, 3×H×W, whose values are all multiples of 1/255."""
    y = torch.linspace(0, 1, height)[:, None].expand(height, width)
    x = torch.linspace(0, 1, width).expand(height, width)
    return torch.stack([x, y, (x + y) / 4]).mul(255).round() / 255


def pillow(image: Tensor) -> Image.Image:
    return Image.fromarray(image.mul(255).round().byte().permute(1, 2, 0).contiguous().numpy())


def solid(mode: str, color: object) -> Image.Image:
    return Image.new(mode, (16, 24), color)  # type: ignore[arg-type]


def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def raw_png(levels: np.ndarray, *chunks: bytes, depth: int = 0) -> bytes:
    """A PNG of H×W×C levels, 8 or 16 bits, or of rows packed to fewer; also of the kinds that Pillow cannot write."""
    height, width, channels = levels.shape
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    rows = b"".join(b"\0" + row.tobytes() for row in levels.astype(levels.dtype.newbyteorder(">")))
    header = struct.pack(
        ">IIBBBBB", width * 8 // depth if depth else width, height, depth or 8 * levels.itemsize, kind, 0, 0, 0
    )
    return b"".join(
        [SIGNATURE, chunk(b"IHDR", header), *chunks, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")]
    )


def sixteen(image: Tensor) -> np.ndarray:
    """3×H×W in [0, 1] → H×W×3 levels of 16 bits, each of which must be one."""
    levels = image.double() * 65535
    assert (levels - levels.round()).abs().max() < 0.02
    return levels.round().int().permute(1, 2, 0).numpy()


def error(path: Path) -> str:
    with pytest.raises(ImageError) as caught:
        load_image(path)
    return str(caught.value)


PRIMARIES = {  # of three well-known spaces, X Y Z under D50 as their profiles give them
    "Display P3": ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407)),
    "Adobe RGB": ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)),
    "ProPhoto": ((0.79767, 0.28804, 0.0), (0.13519, 0.71188, 0.0), (0.03134, 0.00009, 0.82491)),
}
SRGB_PARAMETERS = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
CURVES = {"Display P3": SRGB_PARAMETERS, "Adobe RGB": (563 / 256,), "ProPhoto": (1.8,)}


def parametric(*values: float) -> bytes:
    kind = {1: 0, 3: 1, 4: 2, 5: 3, 7: 4}[len(values)]
    return b"para" + bytes(4) + struct.pack(f">HH{len(values)}i", kind, 0, *(round(v * 65536) for v in values))


def rgb_profile(name: str, curve: bytes = b"") -> bytes:
    """The smallest ICC profile of one of those spaces."""
    curve = curve or parametric(*CURVES[name])
    tags = [(b"desc", b"mluc" + bytes(4) + struct.pack(">IIHHII", 1, 12, 0x656E, 0x5553, 2 * len(name), 28))]
    tags[0] = (b"desc", tags[0][1] + name.encode("utf-16-be"))
    tags.append((b"wtpt", b"XYZ " + bytes(4) + struct.pack(">iii", 63190, 65536, 54061)))
    for letter, xyz in zip(b"rgb", PRIMARIES[name], strict=True):
        values = struct.pack(">iii", *(round(value * 65536) for value in xyz))
        tags += [(bytes([letter]) + b"XYZ", b"XYZ " + bytes(4) + values), (bytes([letter]) + b"TRC", curve)]
    return icc_profile(0x04200000, b"RGB ", tags)


def swapped_profile() -> bytes:
    """sRGB with the colorants of red and green exchanged: its red is our green."""
    data = bytearray(srgb_profile())
    for i in range(struct.unpack(">I", data[128:132])[0]):
        at = 132 + 12 * i
        name = bytes(data[at : at + 4])
        data[at : at + 4] = {b"rXYZ": b"gXYZ", b"gXYZ": b"rXYZ"}.get(name, name)
    return bytes(data)


def gray_profile(gamma: float) -> bytes:
    """The smallest ICC profile of a gray with this gamma, version 2.4."""
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    white = b"XYZ " + bytes(4) + struct.pack(">iii", 63190, 65536, 54061)
    tags = [(b"kTRC", curve), (b"wtpt", white)]
    return icc_profile(0x02400000, b"GRAY", tags)


def icc_profile(version: int, kind: bytes, tags: list[tuple[bytes, bytes]]) -> bytes:
    """A display profile of this kind of colours with these tags (ICC.1, clause 7)."""
    table, body, at = b"", b"", 128 + 4 + 12 * len(tags)
    for name, data in tags:
        body += bytes(-len(body) % 4)
        table += name + struct.pack(">II", at + len(body), len(data))
        body += data
    head = struct.pack(">I4sI4s4s4s", at + len(body), bytes(4), version, b"mntr", kind, b"XYZ ")
    head += struct.pack(">6H", 2000, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    head += struct.pack(">iii", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body
