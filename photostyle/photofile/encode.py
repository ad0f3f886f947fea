"""Levels to the bytes of a file. Pillow writes all but PNG of 16 bits and TIFF, which are written here."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin, TiffImagePlugin

from photostyle.photofile.metadata import EXIF_IFD, GPS_IFD, ICC_PROFILE, XMP
from photostyle.photofile.spaces import Levels

_STRIP = 2**20  # bytes of pixels that are compressed at a time
_EFFORT = 4  # of zlib, 1 to 9; more takes long and gains little on photographs


@dataclass(frozen=True)
class Picture:
    """All that goes into a file: `levels` H×W×3 or H×W×4 (with alpha) of 8 or 16 bits, and what belongs to them."""

    levels: Levels
    icc: bytes  # a profile, or nothing for numbers that are no colours of a space
    exif: Image.Exif | None
    xmp: bytes | None
    resolution: tuple[float, float] | None  # pixels per inch


def encode(picture: Picture, format: str, quality: int) -> bytes:
    """Return the bytes of a file. Raises OSError or ValueError for what a format cannot hold."""
    if format == "TIFF":
        return _tiff(picture)
    if format == "PNG" and picture.levels.dtype == np.uint16:
        return _png(picture)
    # A format ignores options that it does not know.
    options: dict[str, Any] = {"quality": quality, "subsampling": "4:4:4", "icc_profile": picture.icc}
    if picture.exif is not None:
        options["exif"] = picture.exif.tobytes()
    if picture.resolution:
        options["dpi"] = picture.resolution
    if picture.xmp and format == "PNG":
        options["pnginfo"] = texts = PngImagePlugin.PngInfo()
        texts.add_itxt("XML:com.adobe.xmp", picture.xmp.decode("utf-8", "replace"))
    elif picture.xmp:
        options["xmp"] = picture.xmp
    buffer = io.BytesIO()
    Image.fromarray(picture.levels).save(buffer, format, **options)
    return buffer.getvalue()


def _png(picture: Picture) -> bytes:
    """PNG of 16 bits (W3C PNG, third edition), every row by the Paeth filter."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(name)))

    height, width, channels = picture.levels.shape
    parts = [b"\x89PNG\r\n\x1a\n"]
    parts.append(chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, {3: 2, 4: 6}[channels], 0, 0, 0)))
    if picture.icc:
        parts.append(chunk(b"iCCP", b"ICC Profile\0\0" + zlib.compress(picture.icc)))
    if picture.resolution:
        parts.append(chunk(b"pHYs", struct.pack(">IIB", *(round(x / 0.0254) for x in picture.resolution), 1)))
    if picture.exif is not None:
        parts.append(chunk(b"eXIf", picture.exif.tobytes()[6:]))
    if picture.xmp:
        parts.append(chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + picture.xmp))
    squeeze = zlib.compressobj(_EFFORT, strategy=zlib.Z_FILTERED)
    for block, above in _strips(picture.levels):
        if data := squeeze.compress(_paeth(block, above)):
            parts.append(chunk(b"IDAT", data))
    parts += [chunk(b"IDAT", squeeze.flush()), chunk(b"IEND", b"")]
    return b"".join(parts)


def _paeth(block: Levels, above: Levels) -> bytes:
    """Rows of 16-bit pixels, `above` the row before them, each byte less its best neighbour: left, above or between."""
    rows = np.concatenate([above, block]).astype(">u2")
    step = 2 * block.shape[2]  # bytes of a pixel
    data = np.pad(rows.reshape(len(rows), -1).view(np.uint8), ((0, 0), (step, 0))).astype(np.int16)
    left, up, corner = data[1:, :-step], data[:-1, step:], data[:-1, :-step]
    to_left, to_up, to_corner = np.abs(up - corner), np.abs(left - corner), np.abs(left + up - 2 * corner)
    best = np.where((to_left <= to_up) & (to_left <= to_corner), left, np.where(to_up <= to_corner, up, corner))
    filtered = (data[1:, step:] - best).astype(np.uint8)
    return np.pad(filtered, ((0, 0), (1, 0)), constant_values=4).tobytes()  # 4 says: Paeth


def _tiff(picture: Picture) -> bytes:
    """TIFF 6.0 in strips, each by Deflate of horizontal differences."""
    height, width, channels = picture.levels.shape
    bits = 8 * picture.levels.itemsize
    strips = []
    for block, _ in _strips(picture.levels):
        differences = np.concatenate([block[:, :1], block[:, 1:] - block[:, :-1]], axis=1)
        strip = zlib.compress(differences.astype(differences.dtype.newbyteorder("<")).tobytes(), _EFFORT)
        strips.append(strip + bytes(len(strip) % 2))  # offsets are even, as the standard asks
    offsets = [0, *np.cumsum([len(strip) for strip in strips]).tolist()]  # Pillow adds where the directory ends
    directory = TiffImagePlugin.ImageFileDirectory_v2(b"II*\0\0\0\0\0")
    values: dict[int, Any] = dict(picture.exif or {})
    for part in (EXIF_IFD, GPS_IFD):
        if picture.exif and (below := picture.exif.get_ifd(part)):
            values[part] = below
    values |= {256: width, 257: height, 258: (bits,) * channels, 259: 8, 262: 2, 273: tuple(offsets[:-1])}
    values |= {277: channels, 278: _rows(picture.levels), 279: tuple(map(len, strips)), 284: 1, 317: 2}
    if channels == 4:
        values[338] = 2  # alpha that the colours were not multiplied by
    # The standard asks for all three. Without a unit 1 by 1 says that pixels are square; left out, readers guess 1 dpi.
    x, y = picture.resolution or (1, 1)
    values |= {282: x, 283: y, 296: 2 if picture.resolution else 1}
    if picture.xmp:
        directory.tagtype[XMP] = 1  # bytes
        values[XMP] = picture.xmp
    directory.tagtype[ICC_PROFILE] = 7  # bytes that are left alone
    values[ICC_PROFILE] = picture.icc
    for tag in (273, 279):
        directory.tagtype[tag] = 4  # 32 bits
    for tag, value in values.items():
        directory[tag] = value
    return b"".join([b"II*\0\x08\0\0\0", directory.tobytes(8), *strips])


def _rows(levels: Levels) -> int:
    return max(1, _STRIP // levels[0].nbytes)


def _strips(levels: Levels) -> Iterator[tuple[Levels, Levels]]:
    """Blocks of rows, each with the row above it, which is zero for the first."""
    above = np.zeros_like(levels[:1])
    for top in range(0, len(levels), _rows(levels)):
        block = levels[top : top + _rows(levels)]
        yield block, above
        above = block[-1:]
