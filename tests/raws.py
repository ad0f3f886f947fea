"""Small raw files that tests make themselves: of a sensor whose colours are those of sRGB."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

GREY = (0.5, 1.0, 0.7)  # as the sensor sees it

# The colour matrix of such a sensor: from XYZ under D65 to linear sRGB (IEC 61966-2-1).
_FROM_XYZ = (3.2404542, -1.5371385, -0.4985314, -0.969266, 1.8760108, 0.041556, 0.0556434, -0.2040259, 1.0572252)
_D65 = 21
_CFA, _LINEAR = 32803, 34892
_BLACK, _WHITE = 512, 16383  # levels, of 14 bits

Tag = tuple[int, int, bytes]  # the number of its type, how many values, and their bytes
Tags = dict[int, Tag]


def shorts(*values: int) -> Tag:
    return 3, len(values), struct.pack(f"<{len(values)}H", *values)


def longs(*values: int) -> Tag:
    return 4, len(values), struct.pack(f"<{len(values)}I", *values)


def octets(*values: int) -> Tag:
    return 1, len(values), bytes(values)


def text(words: str) -> Tag:
    data = words.encode() + b"\0"
    return 2, len(data), data


def fractions(*values: float) -> Tag:
    parts = [part for value in values for part in (round(value * 10_000), 10_000)]
    return 10, len(values), struct.pack(f"<{len(parts)}i", *parts)


CAMERA = {0x010F: text("Maker"), 0x0110: text("Model 1"), 0x011A: fractions(300), 0x011B: fractions(300)}


def dng(
    light: NDArray[np.float64],
    more: Tags | None = None,
    *,
    neutral: Sequence[float] | None = GREY,
    orientation: int = 1,
    exif: Tags | None = None,
) -> bytes:
    """A DNG of linear sRGB, H×W×3. Without a `neutral` its sensor sees grey as grey, but the file does not say so."""
    counted = _mosaic(light, neutral or (1, 1, 1))
    return _dng(counted, _MOSAIC | (more or {}), neutral, orientation, exif)


def linear_dng(light: NDArray[np.float64], *, orientation: int = 1) -> bytes:
    """A DNG whose colours were found before, as telephones and scanners write it."""
    return _dng((light * 65535).round().astype(np.uint16), {0x0106: shorts(_LINEAR)}, (1, 1, 1), orientation, None)


def below_a_thumbnail(light: NDArray[np.float64], thumbnail: Image.Image) -> bytes:
    """A raw file that is no DNG: the directory of a small JPEG first, and below it that of the sensor's data.

    The JPEG's own EXIF calls the camera "Model of the preview".
    """
    jpeg, exif = io.BytesIO(), Image.Exif()
    exif[0x0110] = "Model of the preview"
    thumbnail.save(jpeg, "JPEG", quality=95, exif=exif)
    small = np.frombuffer(jpeg.getvalue()[:2] + jpeg.getvalue()[20:], np.uint8)  # EXIF first, without JFIF's own header
    file = bytearray(b"II*\0\0\0\0\0")
    sensors = _add_picture(file, _mosaic(light, GREY), _MOSAIC)
    kind = {0x00FE: longs(1), 0x0103: shorts(6), 0x0106: shorts(6), 0x0115: shorts(3), 0x0102: shorts(8, 8, 8)}
    kind |= {0x0100: longs(thumbnail.width), 0x0101: longs(thumbnail.height), 0x014A: longs(sensors)}
    return _begun(file, _add_picture(file, small[None, :, None], kind | CAMERA))


def _mosaic(light: NDArray[np.float64], neutral: Sequence[float]) -> NDArray[np.uint16]:
    """What the sensor counts, H×W×1: red and green, and below them green and blue."""
    seen = light * np.asarray(neutral)
    plane = seen[..., 1].copy()
    plane[0::2, 0::2] = seen[0::2, 0::2, 0]
    plane[1::2, 1::2] = seen[1::2, 1::2, 2]
    return (_BLACK + plane.clip(0, 1) * (_WHITE - _BLACK)).round().astype(np.uint16)[..., None]


_MOSAIC = {
    0x0106: shorts(_CFA),
    0x828D: shorts(2, 2),
    0x828E: octets(0, 1, 1, 2),
    0xC61A: longs(_BLACK),
    0xC61D: longs(_WHITE),
}


def _dng(
    levels: NDArray[np.uint16], more: Tags, neutral: Sequence[float] | None, orientation: int, exif: Tags | None
) -> bytes:
    file = bytearray(b"II*\0\0\0\0\0")
    tags = CAMERA | {0x0112: shorts(orientation), 0xC612: octets(1, 4, 0, 0)}
    tags |= {0xC614: text("Maker Model 1"), 0xC621: fractions(*_FROM_XYZ), 0xC65A: shorts(_D65)}
    if neutral is not None:
        tags[0xC628] = fractions(*neutral)
    if exif is not None:
        tags[0x8769] = longs(_placed(file, exif))
    return _begun(file, _add_picture(file, levels, tags | more))


def _add_picture(file: bytearray, levels: NDArray[np.generic], more: Tags) -> int:
    """Write a directory and then, in one strip, its levels, H×W×C; where it is."""
    height, width, channels = levels.shape
    tags = {0x00FE: longs(0), 0x0100: longs(width), 0x0101: longs(height), 0x0103: shorts(1)}
    tags |= {0x0102: shorts(*[8 * levels.itemsize] * channels), 0x0115: shorts(channels)}
    tags |= {0x0111: longs(0), 0x0116: longs(height), 0x0117: longs(levels.nbytes)} | more
    draft = file.copy()
    _placed(draft, tags)
    at = _placed(file, tags | {0x0111: longs(len(draft))})
    file += levels.tobytes() + bytes(levels.nbytes % 2)
    return at


def _placed(file: bytearray, tags: Tags) -> int:
    """Write a directory; where it is."""
    at, entries, behind = len(file), b"", b""
    start = at + 2 + 12 * len(tags) + 4
    for number, (kind, count, data) in sorted(tags.items()):
        if len(data) > 4:
            value = struct.pack("<I", start + len(behind))
            behind += data + bytes(len(data) % 2)
        else:
            value = data.ljust(4, b"\0")
        entries += struct.pack("<HHI", number, kind, count) + value
    file += struct.pack("<H", len(tags)) + entries + bytes(4) + behind
    return at


def _begun(file: bytearray, first: int) -> bytes:
    file[4:8] = struct.pack("<I", first)
    return bytes(file)
