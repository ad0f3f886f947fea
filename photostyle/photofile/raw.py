"""A camera's raw files: what they are told by, and the photograph that LibRaw develops from one.

A raw file holds what the sensor counted, one colour at each place. Developing it finds the other two, and brings all
three to sRGB under the white balance that the camera chose. Most kinds are TIFFs in their outer form, and the picture
that a reader of TIFF finds in one is a thumbnail.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from photostyle.errors import ImageError
from photostyle.photofile.directories import TIFF, directories
from photostyle.photofile.metadata import PHOTOMETRIC

if TYPE_CHECKING:
    from rawpy import RawPy

RAW_SUFFIXES = (
    *(".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".fff", ".gpr", ".iiq", ".kdc", ".mef", ".mos"),
    *(".mrw", ".nef", ".nrw", ".orf", ".pef", ".raf", ".rw2", ".rwl", ".sr2", ".srf", ".srw", ".x3f"),
)
"""How raw files are called."""

_MARKS: dict[str, tuple[int, tuple[bytes, ...]]] = {  # a kind: where its mark stands, and how it may read
    "CR2": (8, (b"CR\2",)),
    "CR3": (4, (b"ftypcrx ",)),
    "CRW": (6, (b"HEAPCCDR",)),
    "IIQ": (8, (b"IIII", b"MMMM")),
    "MRW": (0, (b"\0MRM",)),
    "ORF": (0, (b"IIRO", b"IIRS", b"MMOR")),
    "RAF": (0, (b"FUJIFILMCCD-RAW",)),
    "RW2": (0, (b"IIU\0",)),
    "X3F": (0, (b"FOVb",)),
}
_SENSOR = (32803, 34892)  # photometric interpretations: a mosaic of colours (TIFF/EP), linear colours (DNG)
_DNG_VERSION, _BASELINE_EXPOSURE = 0xC612, 0xC62A
_EXTENTS = ((0x0111, 0x0117), (0x0144, 0x0145))  # where strips and tiles begin, and how long they are
MOST_STOPS = 5  # of light, up or down, that a file asks for; what is beyond is a damaged number
_ORIENTATIONS = (1, 2, 4, 3, 5, 8, 6, 7)  # EXIF's, by LibRaw's bits: 1 mirrors columns, 2 rows, 4 exchanges the two


@dataclass(frozen=True)
class Developed:
    """`levels` H×W×C of 16 bits, sRGB (C = 3) or gray (C = 1), as the sensor lay; `orientation` is EXIF's.

    `balanced` says whether the camera left its white balance in the file; without one it is that of daylight.
    """

    levels: npt.NDArray[np.uint16]
    orientation: int
    balanced: bool


def raw_kind(name: str, stream: BinaryIO) -> str | None:
    """Which kind of raw file it is (CR2, NEF, DNG …) by what it holds; None if it is none.

    A TIFF counts as one if any directory in it is of a sensor's data, or if it is called so: in some, only what the
    maker alone can read tells. "TIFF/EP" is a kind that neither its name nor its content names.
    """
    stream.seek(0)
    head = stream.read(16)
    for kind, (at, marks) in _MARKS.items():
        if head[at:].startswith(marks):
            return kind
    if not head.startswith(TIFF):
        return None
    suffix = Path(name).suffix.lower()
    if suffix in RAW_SUFFIXES:
        return suffix[1:].upper()
    inside = directories(stream)
    if any(_DNG_VERSION in directory for directory in inside):
        return "DNG"
    return "TIFF/EP" if any(map(_is_sensors, inside)) else None


def raw_size(name: str, kind: str, stream: BinaryIO) -> tuple[int, int]:
    """Width and height of what `develop` gives; no pixel is decoded. Raises ImageError as it does."""
    with _opened(name, kind, stream) as raw:
        rows, columns = _frame(raw)
        return columns.stop - columns.start, rows.stop - rows.start


def develop(name: str, kind: str, stream: BinaryIO) -> Developed:
    """Develop a raw file by LibRaw, whose demosaicing is by AHD, or X-Trans's own.

    Equal light gives equal levels in every frame: nothing is brightened to fill the range, and white is where the
    sensor ends, not the brightest that a frame happens to hold. A DNG's BaselineExposure is heeded, as its
    specification asks. What lies beyond the frame that the camera shows is cut off.

    Raises ImageError without rawpy, for a kind that LibRaw does not know, and for a file that is damaged.
    """
    import rawpy

    with _opened(name, kind, stream) as raw:
        frame, (height, width) = _frame(raw), (raw.sizes.height, raw.sizes.width)
        balanced = raw.num_colors == 1 or raw.camera_whitebalance[0] > 0
        orientation = _ORIENTATIONS[raw.sizes.flip & 7]
        levels = raw.postprocess(
            use_camera_wb=balanced,  # where there is none LibRaw would guess one from the picture
            output_color=rawpy.ColorSpace.sRGB,
            gamma=(2.4, 12.92),  # sRGB's curve: the power, and the slope in the dark
            output_bps=16,
            no_auto_bright=True,
            adjust_maximum_thr=0.0,
            bright=_gain(stream),
            user_flip=0,
        )
        array = np.asarray(levels).astype(np.uint16)  # a copy, for LibRaw's own memory goes with `raw`
    array = array if array.ndim == 3 else array[..., None]
    return Developed(array[frame] if array.shape[:2] == (height, width) else array, orientation, balanced)


def preview_exif(name: str, kind: str, stream: BinaryIO) -> Image.Exif:
    """The EXIF of the JPEG that a camera puts into its raw file; empty where there is none."""
    import rawpy

    with _opened(name, kind, stream) as raw, suppress(rawpy.LibRawError):
        preview = raw.extract_thumb()
        if preview.format == rawpy.ThumbFormat.JPEG:
            with Image.open(io.BytesIO(bytes(preview.data)), formats=["JPEG"]) as image:
                return image.getexif()
    return Image.Exif()


@contextmanager
def _opened(name: str, kind: str, stream: BinaryIO) -> Iterator[RawPy]:
    try:
        import rawpy
    except ImportError as error:
        install = "install it with `pip install 'photostyle[raw]'`"
        raise ImageError(
            f"{name} is a raw file of a camera ({kind}), which needs rawpy: {install}, or convert the file."
        ) from error
    _check_whole(name, stream)
    stream.seek(0)
    try:
        with rawpy.imread(stream) as raw:
            yield raw
    except rawpy.LibRawFileUnsupportedError as error:
        version = ".".join(map(str, rawpy.libraw_version))
        raise ImageError(
            f"{name} is a raw file of a camera ({kind}) that LibRaw {version} does not know, or cut short: "
            "develop it in another program, or use another copy."
        ) from error
    except rawpy.LibRawError as error:
        said = " ".join(
            part.decode("utf-8", "replace") if isinstance(part, bytes) else str(part) for part in error.args
        )
        raise ImageError(f"{name} is damaged or incomplete ({said}): use another copy.") from error


def _check_whole(name: str, stream: BinaryIO) -> None:
    """Raise ImageError if the sensor's data would go on behind the end of the file.

    LibRaw finds that out as well, but says so on standard error.
    """
    size = stream.seek(0, os.SEEK_END)
    for directory in filter(_is_sensors, directories(stream)):
        for starts, counts in _EXTENTS:
            extents = zip(directory.get(starts, ()), directory.get(counts, ()), strict=False)
            if any(start + count > size for start, count in extents):
                raise ImageError(f"{name} is cut short: use another copy.")


def _frame(raw: RawPy) -> tuple[slice, slice]:
    """The rows and columns that the camera shows of those that the sensor has, all if it does not say."""
    sizes = raw.sizes
    top, left = sizes.crop_top_margin - sizes.top_margin, sizes.crop_left_margin - sizes.left_margin
    height, width = sizes.crop_height, sizes.crop_width
    inside = min(top, left) >= 0 and top + height <= sizes.height and left + width <= sizes.width
    if not (inside and height and width):
        top, left, height, width = 0, 0, sizes.height, sizes.width
    return slice(top, top + height), slice(left, left + width)


def _gain(stream: BinaryIO) -> float:
    """What a DNG asks its light to be multiplied by, 1 where it does not."""
    inside = directories(stream)
    try:
        stops = float(inside[0].get(_BASELINE_EXPOSURE, 0)) if inside else 0.0
    except (TypeError, ValueError):  # no number
        return 1.0
    return 2**stops if abs(stops) <= MOST_STOPS else 1.0  # NaN, of a fraction by 0, is not


def _is_sensors(directory: ImageFileDirectory_v2) -> bool:
    return directory.get(PHOTOMETRIC) in _SENSOR
