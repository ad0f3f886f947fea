"""From files to photographs."""

from __future__ import annotations

import math
from typing import BinaryIO

import numpy as np
import torch
from torch import Tensor

from photostyle.errors import ImageError
from photostyle.files import StrPath
from photostyle.photofile.decode import Raster, decode
from photostyle.photofile.metadata import (
    RESOLUTION_UNIT,
    X_RESOLUTION,
    Y_RESOLUTION,
    clean_exif,
    clean_xmp,
    find_note,
)
from photostyle.photofile.photograph import Photograph
from photostyle.photofile.source import MOST_PIXELS, Source, opened
from photostyle.photofile.spaces import (
    HDR,
    SRGB,
    Levels,
    Space,
    cicp_space,
    gamma_space,
    icc_space,
    profile_kind,
    profile_name,
    through_lcms,
    to_floats,
)

_CHUNK = 2**20  # pixels whose colours are converted at a time


def load_photograph(path: StrPath | BinaryIO, *, most_pixels: float | None = None) -> Photograph:
    """Read a JPEG, PNG, TIFF, WebP, AVIF, BMP, GIF or, with pillow-heif, HEIC: the first picture in it.

    With rawpy, a camera's raw file is developed (`photofile.raw.develop` says how). With OpenImageIO, OpenEXR and
    Radiance HDR are read.
    `path` is a file, a binary stream, or "-" for standard input; what it holds decides, not its name. Pixels become
    sRGB: through the embedded ICC profile or PNG's, AVIF's and HEIC's shorter marks; a file without any, or with a
    profile that is broken or made for another kind of pixels, counts as sRGB, as in web browsers. They keep the
    precision of 16 bits unless the profile is a table; colours that sRGB does not have are clipped, and `notes` says
    so. Grayscale, palette and CMYK become RGB.

    Raises ImageError if there is no such file, it may not be read, is no photograph, is damaged, has a side under 8
    pixels or one more than 12 times the other, more than `most_pixels` (None: `MOST_PIXELS`), NaN in floating
    point, or a high dynamic range (PQ, HLG).
    """
    with opened(path, MOST_PIXELS if most_pixels is None else most_pixels) as source:
        raster = decode(source)
        notes = source.notes
        if source.frames > 1:
            notes.append(f"Only the first of the {source.frames} pictures in {source.name} is used.")
        pixels, profile = find_colors(source, raster)
        alpha = None
        if raster.alpha is not None and raster.alpha.min() < 1:
            alpha = torch.from_numpy(np.ascontiguousarray(raster.alpha))[None]
            pixels.masked_fill_(alpha == 0, 1)
        try:
            exif = clean_exif(source.exif)
        except Exception:  # Pillow's reader of EXIF is trustful
            exif = None
            notes.append(f"The EXIF in {source.name} is damaged and was left out.")
        bits = 8 if source.bits <= 8 or source.format == "AVIF" else 16
        if bits == 8 < source.bits:
            notes.append(f"{source.name} has {source.bits} bits per channel, of which 8 are read.")
        xmp, resolution = clean_xmp(source.info.get("xmp")), _resolution(source)
        return Photograph(pixels, alpha, profile, bits, exif, xmp, resolution, source.format, tuple(notes))


def load_image(path: StrPath | BinaryIO, *, most_pixels: float = MOST_PIXELS) -> Tensor:
    """The pixels of `load_photograph` alone: 3×H×W float32 sRGB in [0, 1], upright, laid over white."""
    return load_photograph(path, most_pixels=most_pixels).opaque()


def bit_depth(path: StrPath) -> int:
    """Return the bits per channel in a photograph's header, at least 8. Raises ImageError as `load_image`."""
    with opened(path) as source:
        return max(8, source.bits)


def read_note(path: StrPath) -> dict[str, object]:
    """Return the note that `save_photograph` stored, {} if there is none. Raises ImageError as `load_image`."""
    with opened(path) as source:
        return find_note(source.exif)


def _resolution(source: Source) -> tuple[float, float] | None:
    """Pixels per inch, from PNG's, JPEG's or BMP's own field, or else from EXIF; None if neither says so."""
    exif, own = source.exif, source.info.get("dpi")
    if source.format == "JPEG" and not source.info.get("jfif_unit"):
        own = None  # Pillow's guess
    try:
        if own and source.format in ("PNG", "JPEG", "BMP"):
            x, y = map(float, own)
        else:
            inch = {2: 1.0, 3: 2.54}[exif.get(RESOLUTION_UNIT, 2)]  # 1: a ratio of no unit
            x, y = (float(exif[tag]) * inch for tag in (X_RESOLUTION, Y_RESOLUTION))
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    return (x, y) if 1 < x < math.inf and 1 < y < math.inf else None


def find_colors(source: Source, raster: Raster) -> tuple[Tensor, bytes | None]:
    """The pixels as sRGB, 3×H×W float32 in [0, 1], and the ICC profile that a copy can have as well."""
    levels, kept = raster.levels, None
    profile = source.info.get("icc_profile") or b""
    fitting = {1: ("GRAY", "RGB"), 3: ("RGB",), 4: ("CMYK",)}[levels.shape[2]]
    space: Space | None = None
    try:
        if code_points := _code_points(source):
            space = cicp_space(*code_points)
        elif (kind := profile_kind(profile)) in fitting:
            space = icc_space(profile)
            if space is None:
                levels = _through_table(source, levels, profile)
            elif kind == "RGB":
                kept = profile
        elif "gamma" in source.info and "srgb" not in source.info and not profile:
            space = gamma_space(source.info["gamma"], source.info.get("chromaticity"))
    except ValueError as error:
        source.notes.append(f"The colour profile in {source.name} is not used, for {error}; it counts as sRGB.")
    return _in_srgb(source, levels, space or SRGB), kept


def _in_srgb(source: Source, levels: Levels, space: Space) -> Tensor:
    """H×W×C levels, part by part, for the numbers in between take several times the room of the image."""
    height, width, channels = levels.shape
    image = torch.empty(3, height, width)
    clipped = 0
    rows = max(1, _CHUNK // width)
    for top in range(0, height, rows):
        block = np.ascontiguousarray(levels[top : top + rows])
        if channels == 1:
            block = block.repeat(3, axis=2)
        elif channels == 4:  # of no known printer: each ink takes away its own light
            inks = to_floats(block)
            block = (1 - inks[..., :3]) * (1 - inks[..., 3:])
        part = space.to_srgb(block)
        clipped += int(((part < -0.5 / 255) | (part > 1 + 0.5 / 255)).any(0).sum())
        torch.clamp(part, 0, 1, out=image[:, top : top + rows])
    if clipped:
        share = f"{max(0.1, 100 * clipped / (height * width)):.1f} %"
        source.notes.append(f"{source.name} has colours outside sRGB in {share} of its pixels: they were clipped.")
    return image


def _through_table(source: Source, levels: Levels, profile: bytes) -> Levels:
    """A profile that is a table, applied by Little CMS at 8 bits per channel; the result is in sRGB."""
    depth = "" if levels.dtype == np.uint8 else "it is read at 8 bits per channel, and "
    words = f"is a table ({profile_name(profile)}): {depth}copies are in sRGB."
    if levels.dtype != np.uint8:
        levels = np.round(to_floats(levels) * 255).astype(np.uint8)
    if levels.shape[2] == 1 and profile_kind(profile) == "RGB":
        levels = levels.repeat(3, axis=2)
    converted = through_lcms(levels, profile)
    source.notes.append(f"The colour profile of {source.name} {words}")
    return converted


def _code_points(source: Source) -> tuple[int, int] | None:
    """Primaries and transfer of PNG's cICP, or of nclx in AVIF and HEIC without an ICC profile."""
    head = source.head(2**16)
    if source.format == "PNG":
        at = head.find(b"\0\0\0\4cICP", 0, max(head.find(b"IDAT"), 0))
        found = (head[at + 8], head[at + 9]) if at > 0 else None
    elif source.format in ("AVIF", "HEIF") and not source.info.get("icc_profile"):
        at = head.find(b"colrnclx")
        found = (head[at + 9], head[at + 11]) if at > 0 else None
    else:
        found = None
    if found and found[1] in HDR:
        raise ImageError(f"{source.name} has a high dynamic range ({HDR[found[1]]}): convert it to SDR first.")
    return found
