"""Pictures that hold light rather than colours on a screen, OpenEXR and Radiance HDR, read by OpenImageIO.

Their numbers are linear, and 1 is white only by custom: lamps and the sun are far above it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import numpy.typing as npt

from photostyle.errors import ImageError

if TYPE_CHECKING:
    from OpenImageIO import ImageInput, ImageSpec

SCENE_FORMATS = {"EXR": (".exr",), "HDR": (".hdr", ".rgbe")}
"""What is read here, and how files of it are called."""

_MARKS = {b"v/1\x01": "EXR", b"#?RADIANCE": "HDR", b"#?RGBE": "HDR"}


@dataclass(frozen=True)
class SceneHeader:
    """`size` is width and height as stored; `chromaticity` x and y of white, red, green and blue, None if not said."""

    size: tuple[int, int]
    frames: int
    chromaticity: tuple[float, ...] | None


@dataclass(frozen=True)
class Scene:
    """`light` H×W×C (1 gray, 3 RGB) float32, linear, finite and of any size; `alpha` H×W in [0, 1] or None.

    Light is not multiplied by alpha. `orientation` is EXIF's; `cropped`: the frame is larger than what has pixels.
    """

    light: npt.NDArray[np.float32]
    alpha: npt.NDArray[np.float32] | None
    orientation: int
    cropped: bool


def scene_format(head: bytes) -> str | None:
    """EXR or HDR by the first bytes, None for all else."""
    return next((format for mark, format in _MARKS.items() if head.startswith(mark)), None)


def scene_header(name: str, format: str, stream: BinaryIO) -> SceneHeader:
    """What the file says before any pixel is decoded. Raises ImageError as `read_scene`."""
    with _opened(name, format, stream) as file:
        spec = file.spec()
        said = spec.get("chromaticities")  # of red, green, blue and white
        chromaticity = (*said[6:], *said[:6]) if said is not None and len(said) == 8 else None
        return SceneHeader((spec.width, spec.height), spec.get_int_attribute("oiio:subimages", 1), chromaticity)


def read_scene(name: str, format: str, stream: BinaryIO) -> Scene:
    """Read the first picture in the file.

    Raises ImageError without OpenImageIO, for a file that is damaged, that has neither R, G and B nor Y, that is deep
    (several depths in a pixel), or that holds NaN or infinity.
    """
    with _opened(name, format, stream) as file:
        spec = file.spec()
        colors, opacity = _channels(name, spec)
        pixels = file.read_image("float")
        if pixels is None:
            raise _damaged(name, file.geterror())
    values = np.asarray(pixels, np.float32).reshape(spec.height, spec.width, spec.nchannels)
    light, alpha = values[..., colors], None
    if not np.isfinite(values[..., [*colors, *opacity]]).all():
        raise ImageError(f"{name} holds NaN or infinity: mend it, or save it as TIFF with 16 bits per channel.")
    if opacity:
        alpha = values[..., opacity[0]].clip(0, 1)
        light = light / np.maximum(alpha, np.float32(1e-6))[..., None]
    whole = (spec.x, spec.y, spec.width, spec.height)
    cropped = whole != (spec.full_x, spec.full_y, spec.full_width, spec.full_height)
    return Scene(light, alpha, spec.get_int_attribute("Orientation", 1), cropped)


def _channels(name: str, spec: ImageSpec) -> tuple[list[int], list[int]]:
    """Where the colours stand among the channels, and where alpha."""
    if spec.deep:
        raise ImageError(f"{name} is a deep OpenEXR, of several depths in a pixel: flatten it.")
    names = list(spec.channelnames)
    known = next((wanted for wanted in ("RGB", "Y") if set(wanted) <= set(names)), None)
    if known is None:
        raise ImageError(f"{name} has the channels {', '.join(names)}: export a picture with R, G and B.")
    return [names.index(channel) for channel in known], [names.index("A")] if "A" in names else []


@contextmanager
def _opened(name: str, format: str, stream: BinaryIO) -> Iterator[ImageInput]:
    try:
        import OpenImageIO as oiio
    except ImportError as error:
        install = "install it with `pip install 'photostyle[exr]'`"
        raise ImageError(f"{name} is {format}, which needs OpenImageIO: {install}, or convert the file.") from error
    with TemporaryDirectory() as folder:  # it opens files by name alone
        copy = Path(folder) / f"picture{SCENE_FORMATS[format][0]}"
        stream.seek(0)
        with copy.open("wb") as target:
            shutil.copyfileobj(stream, target)
        file = oiio.ImageInput.open(str(copy))
        if file is None:
            raise _damaged(name, oiio.geterror().replace(str(copy), name))
        try:
            yield file
        finally:
            file.close()


def _damaged(name: str, said: str) -> ImageError:
    words = " ".join(said.splitlines()[:1]).strip().rstrip(".") or "it ends too early"
    return ImageError(f"{name} is damaged or incomplete ({words}): use another copy.")
