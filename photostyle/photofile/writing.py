"""From photographs to files."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from photostyle.errors import ImageError, SettingsError
from photostyle.files import StrPath, check_target, reason, write_whole
from photostyle.photofile.encode import Picture, encode
from photostyle.photofile.metadata import drop_maker_note, stamp
from photostyle.photofile.photograph import Photograph
from photostyle.photofile.source import name_of
from photostyle.photofile.spaces import SRGB, Levels, Space, icc_space, srgb_profile

FORMATS = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WEBP",
    ".avif": "AVIF",
    ".heic": "HEIF",
}
_DEEP = ("PNG", "TIFF")  # formats of 16 bits
_LEVEL = 0.01  # of a level: as near to one, a value is it
_CHUNK = 2**20  # pixels whose colours are converted at a time
_JPEG_SEGMENT = 65_533 - len("Exif\0\0")  # bytes
_JPEG_XMP = 65_504


def save_photograph(
    pixels: Tensor,
    path: StrPath | BinaryIO,
    *,
    like: Photograph | None = None,
    format: str | None = None,
    bits: Literal[8, 16] | None = None,
    profile: Literal["keep", "srgb"] = "keep",
    quality: int = 95,
    metadata: bool = True,
    note: Mapping[str, object] | None = None,
    dither: bool | None = None,
) -> tuple[str, ...]:
    """Write a 3×H×W tensor, sRGB in [0, 1], as a photograph `like` another; return sentences about what was not kept.

    The extension chooses the format (`FORMATS`); for a stream, or "-", standard output, it is `format`, or else
    that of `like`, or else PNG. Kept of `like` are, where the format has room: the ICC profile (unless `profile` is
    "srgb"), the bits per channel (unless given as `bits`), alpha, EXIF, XMP and resolution; orientation is reset and
    the software named. Without `metadata` EXIF, XMP and `note` stay out. `note` says how the picture was made:
    `read_note` returns it; values that JSON does not know are kept as text.

    Values are clamped and rounded to the nearest level. With `dither`, values between two levels are dithered instead
    if the file has 8 bits: noise of one level, always the same, keeps skies free of steps. Use it for pixels that were
    computed; None: if `like` had 16 bits. `quality`, 1 to 100, is for
    JPEG, WebP, AVIF (all three at full colour resolution) and HEIC. Equal arguments give equal bytes.
    The file appears whole or not at all: after a failure an older file at `path` is as it was.

    Raises ImageError if the pixels are not 3×H×W floats, hold NaN or infinity, or cannot be written to `path`;
    SettingsError if an option is out of range.
    """
    like = like or Photograph(pixels)
    name, format = _target(path, format or like.format)
    _check_options(bits, profile, quality)
    if pixels.ndim != 3 or pixels.shape[0] != 3 or not pixels.is_floating_point():
        raise ImageError(f"Cannot save {tuple(pixels.shape)} of {pixels.dtype}: give a 3×H×W tensor of floats.")
    if not pixels.isfinite().all():
        raise ImageError(f"{name} was not written: the image holds NaN or infinity; try gentler settings.")
    notes = []
    alpha = _alpha_of_size(like.alpha, pixels) if like.alpha is not None else None
    if alpha is not None and format == "JPEG":
        pixels = 1 + alpha * (pixels.detach().cpu() - 1)
        alpha = None
        notes.append(f"JPEG has no transparency: {name} is laid over white.")
    if alpha is not None:  # under what cannot be seen there is nothing to be found
        pixels = pixels.detach().cpu().masked_fill(alpha == 0, 1)
    depth = (bits or like.bits) if format in _DEEP else 8
    if depth < (bits or like.bits):
        notes.append(f"{format} has 8 bits per channel, so {name} has.")
    icc = like.profile if profile == "keep" and like.profile else None
    space = (icc_space(icc) if icc else None) or SRGB
    levels = _levels(
        pixels, alpha, space, depth, dither=depth == 8 and (like.bits > depth if dither is None else dither)
    )
    exif = stamp(like.exif, (pixels.shape[2], pixels.shape[1]), like.resolution, note) if metadata else None
    xmp = like.xmp if metadata else None
    if format == "JPEG" and exif is not None and len(exif.tobytes()) > _JPEG_SEGMENT and drop_maker_note(exif):
        notes.append(f"The EXIF is too long for JPEG: {name} is without the camera's maker note.")
    if format == "JPEG" and xmp and len(xmp) > _JPEG_XMP:
        xmp = None
        notes.append(f"The XMP is too long for JPEG: {name} is without it.")
    try:
        data = encode(Picture(levels, icc or srgb_profile(), exif, xmp, like.resolution), format, quality)
    except (OSError, ValueError) as error:
        raise ImageError(f"{name} could not be written ({reason(error)}): try another format.") from error
    _write(path, data)
    return tuple(notes)


def save_image(image: Tensor, path: StrPath, *, quality: int = 95, note: Mapping[str, object] | None = None) -> None:
    """`save_photograph` of pixels alone: 8 bits, an sRGB profile, and the note."""
    save_photograph(image, path, quality=quality, note=note)


def check_writable(path: StrPath) -> None:
    """Raise ImageError if `save_photograph` could not write to `path`; touch nothing. For before the long work."""
    _target(path, None)


def _target(path: StrPath | BinaryIO, format: str | None) -> tuple[str, str]:
    """What to call the file in a sentence, and its format."""
    if path == "-" or not isinstance(path, str | os.PathLike):
        name = "Standard output" if path == "-" else name_of(path)
        chosen = format if format and format in FORMATS.values() else "PNG"
    else:
        check_target(path, FORMATS)
        name, chosen = name_of(path), FORMATS[Path(path).suffix.lower()]
    if chosen == "HEIF":
        if importlib.util.find_spec("pillow_heif") is None:
            raise ImageError(
                f"{name}: HEIC needs pillow-heif: `pip install 'photostyle[heif]'`, or write another format."
            )
        import pillow_heif

        pillow_heif.register_heif_opener(thumbnails=False)
    return name, chosen


def _write(path: StrPath | BinaryIO, data: bytes) -> None:
    if path != "-" and isinstance(path, str | os.PathLike):
        write_whole(path, data)
        return
    stream = sys.stdout.buffer if isinstance(path, str | os.PathLike) else path
    try:
        stream.write(data)
        stream.flush()
    except OSError as error:
        raise ImageError(f"{name_of(path)} could not be written ({reason(error)}).") from error


def _check_options(bits: int | None, profile: str, quality: int) -> None:
    if not 1 <= quality <= 100:
        raise SettingsError(f"quality is {quality}: choose a whole number from 1 to 100.")
    if bits not in (None, 8, 16):
        raise SettingsError(f"bits is {bits}: choose 8 or 16.")
    if profile not in ("keep", "srgb"):
        raise SettingsError(f"profile is {profile!r}: choose keep or srgb.")


def _alpha_of_size(alpha: Tensor, pixels: Tensor) -> Tensor:
    """1×H×W at the size of the pixels."""
    height, width = pixels.shape[1:]
    if alpha.shape[1:] == pixels.shape[1:]:
        return alpha
    plane = Image.fromarray(alpha[0].numpy()).resize((width, height), Image.Resampling.BICUBIC)
    return torch.from_numpy(np.array(plane)).clamp(0, 1)[None]


def _levels(pixels: Tensor, alpha: Tensor | None, space: Space, bits: int, *, dither: bool) -> Levels:
    """Pixels, in the colours of the space, as H×W×3 or, with alpha, H×W×4 levels."""
    _, height, width = pixels.shape
    most = 2**bits - 1
    levels = np.empty((height, width, 3 if alpha is None else 4), np.uint8 if bits == 8 else np.uint16)
    generator = torch.Generator().manual_seed(0)
    rows = max(1, _CHUNK // width)
    for top in range(0, height, rows):
        part = space.from_srgb(pixels[:, top : top + rows].detach().to("cpu", torch.float32).clamp(0, 1)) * most
        nearest = part.round()
        if dither:
            # floor(x + noise) is x on average; what is a level but for rounding stays one, and what is grey stays grey
            noisy = (part + torch.rand(part.shape[1:], generator=generator)).floor().clamp_(0, most)
            part = torch.where((part - nearest).abs() < _LEVEL, nearest, noisy)
        else:
            part = nearest
        levels[top : top + rows, :, :3] = part.permute(1, 2, 0).numpy()
    if alpha is not None:
        levels[..., 3] = (alpha[0] * most).round().numpy()
    return levels
