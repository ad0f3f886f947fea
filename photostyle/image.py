"""Photographs: files on one side, tensors 3×H×W of float32 sRGB in [0, 1] on the other.

What a file loses on its way in: 16-bit RGB is read at 8 bits per channel (`bit_depth` tells; 16-bit grayscale
keeps its depth), transparency is laid over white, and of several pages or frames only the first is read.
"""

from __future__ import annotations

import functools
import io
import json
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageCms, TiffImagePlugin, UnidentifiedImageError
from torch import Tensor

from ._version import __version__
from .errors import ImageError, SettingsError
from .files import StrPath, check_target, reason, write_whole

Pixels = npt.NDArray[np.float32]

MIN_SIDE = 8  # pixels; the deepest layers of a VGG see nothing smaller
FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".tif": "TIFF", ".tiff": "TIFF", ".webp": "WEBP"}

_DESCRIPTION, _ORIENTATION, _SOFTWARE, _BITS_PER_SAMPLE = 0x010E, 0x0112, 0x0131, 0x0102  # TIFF tags

# EXIF orientation set upright: the axes of C×H×W to reverse, from 5 on after exchanging rows and columns.
_REVERSED = {2: (2,), 3: (1, 2), 4: (1,), 5: (), 6: (2,), 7: (1, 2), 8: (1,)}


def load_image(path: StrPath) -> Tensor:
    """Read a JPEG, PNG, TIFF or WebP photograph as 3×H×W float32 sRGB in [0, 1], upright.

    The EXIF orientation is applied. An embedded colour profile is converted to sRGB; a file without one, or
    with one that is broken or made for another kind of pixels, counts as sRGB, as in web browsers.
    Grayscale, palette and CMYK become RGB. The module's docstring lists what is lost.

    Raises ImageError if there is no such file, it may not be read, is no photograph, is damaged, has a side
    under 8 pixels or more than 178 megapixels.
    """
    with _opened(path) as file:
        pixels = _read_pixels(path, file)
        # Only now: Pillow turns a TIFF upright by itself while decoding it, and then forgets its orientation.
        orientation = file.getexif().get(_ORIENTATION, 1)
    image = torch.from_numpy(pixels).permute(2, 0, 1)  # 3×H×W
    if orientation in (5, 6, 7, 8):
        image = image.transpose(1, 2)
    return image.flip(_REVERSED.get(orientation, ())).contiguous()


def bit_depth(path: StrPath) -> int:
    """Return the bits per channel in a photograph's header, at least 8. Raises ImageError as `load_image`."""
    with _opened(path) as file:
        if isinstance(file, TiffImagePlugin.TiffImageFile):
            return max(8, *map(int, file.tag_v2.get(_BITS_PER_SAMPLE, (8,))))
        if file.format == "PNG":  # signature 8 bytes, chunk length 4, "IHDR" 4, width 4, height 4, depth 1
            with open(path, "rb") as stream:
                return max(8, stream.read(25)[24])
        return 8


def save_image(image: Tensor, path: StrPath, *, quality: int = 95, note: Mapping[str, object] | None = None) -> None:
    """Write a 3×H×W tensor, sRGB in [0, 1], as an 8-bit photograph with an sRGB profile.

    The extension chooses the format (`FORMATS`). Values are clamped and rounded to the nearest of 256 levels.
    `quality`, 1 to 100, is for JPEG (at full colour resolution) and WebP. `note` says how the image was made:
    `read_note` returns it; values that JSON does not know are kept as text. Equal arguments give equal bytes.
    The file appears whole or not at all: after a failure an older file at `path` is as it was.

    Raises ImageError if the image is not 3×H×W floats, holds NaN or infinity, or cannot be written to `path`;
    SettingsError if `quality` is out of range.
    """
    check_writable(path)
    if not 1 <= quality <= 100:
        raise SettingsError(f"quality is {quality}: choose a whole number from 1 to 100.")
    if image.ndim != 3 or image.shape[0] != 3 or not image.is_floating_point():
        raise ImageError(f"Cannot save {tuple(image.shape)} of {image.dtype}: give a 3×H×W tensor of floats.")
    if not image.isfinite().all():
        raise ImageError(f"{path} was not written: the image holds NaN or infinity; try gentler settings.")
    try:
        data = _encode(image, FORMATS[Path(path).suffix.lower()], quality, note)
    except (OSError, ValueError) as error:
        raise ImageError(f"{path} could not be written ({reason(error)}): try another format.") from error
    write_whole(path, data)


def read_note(path: StrPath) -> dict[str, object]:
    """Return the note that `save_image` stored, {} if there is none. Raises ImageError as `load_image`."""
    with _opened(path) as file:
        description = file.getexif().get(_DESCRIPTION)
    try:
        note = json.loads(description or "{}")
    except (TypeError, ValueError):  # somebody else's description
        return {}
    return note if isinstance(note, dict) else {}


def check_writable(path: StrPath) -> None:
    """Raise ImageError if `save_image` could not write to `path`; touch nothing. For before the long work."""
    check_target(path, FORMATS)


def resize(image: Tensor, size: Sequence[int]) -> Tensor:
    """Resize a C×H×W image to `size` = (H, W) by Lanczos, without aliasing, clamped to [0, 1].

    Computed in float32 on the processor; the result has the image's device and type. Not differentiable.
    """
    height, width = size
    planes = [
        np.asarray(Image.fromarray(plane).resize((width, height), Image.Resampling.LANCZOS))
        for plane in image.detach().to("cpu", torch.float32).contiguous().numpy()
    ]
    return torch.from_numpy(np.stack(planes)).clamp_(0, 1).to(image)


def fit(image: Tensor, long_side: int, *, enlarge: bool = False) -> Tensor:
    """`resize` a C×H×W image to that long side; a smaller one is left alone unless `enlarge`."""
    _, height, width = image.shape
    return resize(image, fit_size(height, width, long_side, enlarge=enlarge))


def check_image(image: Tensor, name: str) -> None:
    """Raise ImageError, a sentence about `name`, unless the image is 3×H×W floats, some, and all of them finite."""
    if image.ndim != 3 or len(image) != 3 or not image.is_floating_point():
        raise ImageError(f"{name} must be a 3×H×W tensor of floats, not {tuple(image.shape)}.")
    if 0 in image.shape:
        raise ImageError(f"{name} is empty.")
    if not torch.isfinite(image).all():
        raise ImageError(f"{name} contains values that are not finite.")


def same_proportions(a: Tensor, b: Tensor) -> bool:
    """Whether two images (…×H×W) agree in aspect ratio within 2 %, or within the two pixels that rounding may cost."""
    (h, w), (H, W) = a.shape[-2:], b.shape[-2:]
    return abs(h * W - w * H) <= 0.02 * w * H or abs(h * W / w - H) <= 2


def shrink(image: Tensor, size: Sequence[int]) -> Tensor:
    """Resize a C×H×W image to `size` = (H, W) by area: each new pixel is the mean of what it covers.

    Exact for any ratio: the whole keeps its mean, masks stay masks. Differentiable, on the image's device.
    """
    rows, columns = (_cover(old, new).to(image) for old, new in zip(image.shape[1:], size, strict=True))
    return rows @ image @ columns.T  # (h×H)(C×H×W)(W×w)


def fit_size(height: int, width: int, long_side: int, *, enlarge: bool = False) -> tuple[int, int]:
    """Return the (H, W) of the same shape whose longer side is `long_side`, no side under 1.

    An image that is already smaller keeps its size unless `enlarge`.
    """
    longest = max(height, width)
    if longest <= long_side and not enlarge:
        return height, width
    return max(1, round(height * long_side / longest)), max(1, round(width * long_side / longest))


@contextmanager
def _opened(path: StrPath) -> Iterator[Image.Image]:
    """Open a photograph whose size is in bounds; whatever goes wrong until it is closed is an ImageError."""
    if os.path.isdir(path):  # asked first, since the error of open() differs between systems
        raise ImageError(f"{path} is a folder, not a photograph: name a file in it.")
    try:
        # Pillow warns from half its limit on, and about metadata that nobody here reads.
        with open(path, "rb") as stream, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(stream, formats=sorted(set(FORMATS.values()))) as file:
                if min(file.size) < MIN_SIDE:
                    size, least = "×".join(map(str, file.size)), f"{MIN_SIDE} on each side"
                    raise ImageError(f"{path} is {size} pixels: a photograph needs at least {least}.")
                yield file
    except (ImageError, MemoryError):
        raise
    except FileNotFoundError as error:
        raise ImageError(f"There is no file {path}: check the name.") from error
    except PermissionError as error:
        raise ImageError(f"{path} may not be read: ask for permission or use a copy.") from error
    except Image.DecompressionBombError as error:  # the limit is Pillow's, twice MAX_IMAGE_PIXELS
        raise ImageError(f"{path} has more than 178 megapixels: make it smaller first.") from error
    except UnidentifiedImageError as error:
        raise ImageError(f"{path} is no JPEG, PNG, TIFF or WebP, or cut short: convert or replace it.") from error
    except Exception as error:  # on damaged files decoders raise nearly anything
        raise ImageError(f"{path} is damaged or incomplete ({reason(error)}): use another copy.") from error


def _read_pixels(path: StrPath, file: Image.Image) -> Pixels:
    """Return the pixels, H×W×3 float32 sRGB in [0, 1], as they lie in the file, not yet upright.

    The one place where pixels are decoded. Pillow gives 16-bit RGB as 8-bit: a deeper reader belongs here.
    """
    profile = file.info.get("icc_profile")
    if file.mode.startswith("I;16"):
        gray = np.asarray(file) / np.float32(2 ** bit_depth(path) - 1)
        # Little CMS is given 8 bits only, so the profile becomes a curve through 256 points.
        levels = np.arange(256, dtype=np.uint8)
        curve = _floats(_to_srgb(Image.fromarray(levels[None]), profile))[0]  # 256×3
        return np.stack([np.interp(gray, levels / 255, c) for c in curve.T], axis=-1).astype(np.float32)
    if file.mode in ("I", "F", "LAB"):
        raise ImageError(f"{path} has {file.mode} pixels: save it with 8 or 16 bits per channel.")
    rgba = file.convert("RGBA") if file.has_transparency_data else None
    mode = {"1": "L", "L": "L", "LA": "L", "CMYK": "CMYK"}.get(file.mode, "RGB")
    rgb = _floats(_to_srgb((rgba or file).convert(mode), profile))
    if rgba is None:
        return rgb
    alpha = _floats(rgba.getchannel("A"))[..., None]
    return alpha * rgb + (1 - alpha)


def _floats(image: Image.Image) -> Pixels:
    return np.asarray(image).astype(np.float32) / np.float32(255)


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert an image of mode L, RGB or CMYK from the colours of an ICC profile to sRGB, 8 bits.

    Relative colorimetric with black point compensation: colours that sRGB has stay what they are, and every
    profile supports it, whereas the perceptual intent differs from maker to maker.
    """
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
            if image.mode == "L" and source.profile.xcolor_space == "RGB ":
                image = image.convert("RGB")
            intent, flags = ImageCms.Intent.RELATIVE_COLORIMETRIC, ImageCms.Flags.BLACKPOINTCOMPENSATION
            transform = ImageCms.buildTransform(source, srgb, image.mode, "RGB", intent, flags)
            return transform.apply(image)
        except (OSError, ImageCms.PyCMSError):
            pass  # a broken or foreign profile
    return image.convert("RGB")


def _encode(image: Tensor, format: str, quality: int, note: Mapping[str, object] | None) -> bytes:
    """Return the bytes of a file that holds a 3×H×W image."""
    levels = image.detach().float().clamp(0, 1).mul(255).round().to("cpu", torch.uint8)
    exif = Image.Exif()
    exif[_SOFTWARE] = f"photostyle {__version__}"
    if note is not None:
        exif[_DESCRIPTION] = json.dumps(dict(note), default=str)
    # A format ignores options that it does not know, but in TIFF quality would mean something else.
    options: dict[str, Any] = {"quality": quality, "subsampling": "4:4:4"}
    if format == "TIFF":
        options = {"compression": "tiff_adobe_deflate"}
    picture, buffer = Image.fromarray(levels.permute(1, 2, 0).contiguous().numpy()), io.BytesIO()
    picture.save(buffer, format, icc_profile=_srgb_profile(), exif=exif, **options)
    return buffer.getvalue()


@functools.cache
def _srgb_profile() -> bytes:
    """Return an sRGB profile with a fixed date: Little CMS writes the current time into bytes 24 to 36."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    date = b"".join(part.to_bytes(2, "big") for part in (2000, 1, 1, 0, 0, 0))
    return profile[:24] + date + profile[36:]


def _cover(old: int, new: int) -> Tensor:
    """Return new×old weights: the share of each old cell in each new one, along one axis; rows sum to 1."""
    edges = torch.arange(new + 1, dtype=torch.float64) * (old / new)
    cells = torch.arange(old, dtype=torch.float64)
    overlap = torch.minimum(edges[1:, None], cells + 1) - torch.maximum(edges[:-1, None], cells)
    return overlap.clamp(min=0) * (new / old)
