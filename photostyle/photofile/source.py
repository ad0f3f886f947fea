"""An open file: what its header says, before any pixel is decoded."""

from __future__ import annotations

import io
import os
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import tifffile
from PIL import Image, UnidentifiedImageError
from PIL.TiffImagePlugin import TiffImageFile

from photostyle.errors import ImageError, is_shortage
from photostyle.files import StrPath, reason
from photostyle.photofile.directories import BIG_TIFF, TIFF, directories
from photostyle.photofile.metadata import BITS_PER_SAMPLE, ICC_PROFILE, PLANAR, XMP
from photostyle.photofile.raw import RAW_SUFFIXES, preview_exif, raw_kind, raw_size
from photostyle.photofile.scene import SCENE_FORMATS, scene_format, scene_header

MIN_SIDE = 8  # pixels; the deepest layers of a VGG see nothing smaller
MOST_ASPECT = 12  # the longer side by the shorter; the first steps of a transfer, at 36 pixels, still see 3
MOST_PIXELS = 200e6  # of a photograph, unless another limit is given

EXTENSIONS = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"),
    "PNG": (".png", ".apng"),
    "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",),
    "AVIF": (".avif", ".avifs"),
    "BMP": (".bmp", ".dib"),
    "GIF": (".gif",),
    "HEIF": (".heic", ".heif", ".hif", ".heics"),
    "RAW": RAW_SUFFIXES,
    **SCENE_FORMATS,
}
"""What is read, and how files of it are called."""

_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_PILLOWS = ("JPEG", "PNG", "TIFF", "WEBP", "AVIF", "BMP", "GIF")  # what Pillow reads by itself
_DRAWINGS = ("BMP", "PPM")  # what label images come in as well


@dataclass(frozen=True)
class Source:
    """A file that was recognised. `file` is Pillow's, None for what others read: some TIFF, raw files, EXR and HDR."""

    name: str  # in messages
    stream: BinaryIO
    file: Image.Image | None
    format: str
    size: tuple[int, int]  # width and height as stored, before it is set upright
    frames: int = 1
    raw_mode: str = ""  # how Pillow's decoder calls the stored pixels
    known_bits: int = 0  # per channel; 0: of formats whose headers tell
    raw_kind: str = ""  # CR2, NEF, DNG …
    chromaticity: tuple[float, ...] | None = None  # of EXR: x and y of white, red, green and blue
    notes: list[str] = field(default_factory=list)

    @cached_property
    def exif(self) -> Image.Exif:
        """EXIF; of a TIFF its own directory. In some PNG it stands behind the pixels, which are decoded then."""
        if self.file is not None:
            return self.file.getexif()
        if self.format == "RAW" and self.head(4) not in TIFF:
            return preview_exif(self.name, self.raw_kind, self.stream)
        exif, start = Image.Exif(), self.head(4)
        if start in TIFF and start not in BIG_TIFF:
            self.stream.seek(0)
            exif.load_from_fp(self.stream)
        return exif

    @cached_property
    def info(self) -> Mapping[Any, Any]:
        """What Pillow found: icc_profile, xmp, dpi, gamma, chromaticity, srgb, transparency …"""
        if self.file is not None:
            return self.file.info
        if self.format in SCENE_FORMATS:
            return {"gamma": 1.0, "chromaticity": self.chromaticity}
        tags = {"xmp": XMP} if self.format == "RAW" else {"xmp": XMP, "icc_profile": ICC_PROFILE}  # of a raw's preview
        return {name: self.exif[tag] for name, tag in tags.items() if tag in self.exif}

    @property
    def bits(self) -> int:
        """Per channel, as stored."""
        if self.known_bits:
            return self.known_bits
        head = self.head(4096)
        if self.format == "PNG":  # signature 8 bytes, chunk length 4, "IHDR" 4, width 4, height 4, depth 1
            return head[24]
        if self.format == "AVIF" and (at := head.find(b"av1C")) >= 0:  # AV1-ISOBMFF 2.3.3: version, level, then flags
            return 12 if head[at + 6] & 0x20 else 10 if head[at + 6] & 0x40 else 8
        return int(self.info.get("bit_depth", 8))

    def head(self, size: int) -> bytes:
        """The first bytes of the file."""
        self.stream.seek(0)
        return self.stream.read(size)


@contextmanager
def opened(path: StrPath | BinaryIO, most_pixels: float = MOST_PIXELS, *, drawn: bool = False) -> Iterator[Source]:
    """Open a photograph, or a picture that was `drawn`, whose size is in bounds.

    Whatever goes wrong until it is closed is an ImageError.
    """
    name = name_of(path)
    with _stream(path, name) as stream, _PILLOW:
        try:
            source = _recognise(name, stream, _DRAWINGS if drawn else ())
            _note_misleading_name(source)
            with source.file or nullcontext():
                _check_size(source, most_pixels, 1 if drawn else MIN_SIDE)
                yield source
        except ImageError:
            raise
        except UnidentifiedImageError as error:
            if kind := foreign_kind(name):
                raise ImageError(f"{name} is called {kind}, which is not read: save it as PNG or TIFF.") from error
            known = "no JPEG, PNG, TIFF or WebP (nor AVIF, HEIC, BMP, GIF, EXR, HDR or a camera's raw file)"
            raise ImageError(f"{name} is {known}, or cut short: convert or replace it.") from error
        except Exception as error:  # on damaged files decoders raise nearly anything
            if is_shortage(error):
                raise
            raise ImageError(f"{name} is damaged or incomplete ({reason(error)}): use another copy.") from error


def foreign_kind(name: str) -> str | None:
    """What a file is by its name if that is a kind of picture which is not read; None for all other names."""
    suffix = Path(name).suffix.lower()
    if any(suffix in known for known in EXTENSIONS.values()):
        return None
    more = {".jxl": "JPEG XL", ".psb": "PSB", ".svg": "SVG"}
    return more.get(suffix) or Image.registered_extensions().get(suffix)


def name_of(path: StrPath | BinaryIO) -> str:
    """What to call a file, a stream or "-" in a sentence."""
    if path == "-":
        return "Standard input"
    return os.fspath(path) if isinstance(path, (str, os.PathLike)) else str(getattr(path, "name", "The stream"))


@contextmanager
def _stream(path: StrPath | BinaryIO, name: str) -> Iterator[BinaryIO]:
    if not isinstance(path, (str, os.PathLike)) or path == "-":
        stream = sys.stdin.buffer if isinstance(path, (str, os.PathLike)) else path
        yield io.BytesIO(stream.read())  # a pipe cannot go back
        return
    if os.path.isdir(path):  # asked first, since the error of open() differs between systems
        raise ImageError(f"{name} is a folder, not a photograph: name a file in it.")
    try:
        stream = open(path, "rb")  # noqa: SIM115  closed below; what is raised meanwhile has another meaning
    except FileNotFoundError as error:
        raise ImageError(f"There is no file {name}: check the name.") from error
    except PermissionError as error:
        raise ImageError(f"{name} may not be read: ask for permission or use a copy.") from error
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        raise ImageError(f"{name} cannot be opened ({reason(error)}): check the name.") from error
    with stream:
        yield stream


class _Unlimited:
    """Without Pillow's own limit of pixels and its warnings about metadata, as long as any photograph is read.

    Both belong to the whole process: the first reader puts them away and the last one puts them back, so that
    photographs can be read side by side.
    """

    def __init__(self) -> None:
        self._changing = threading.Lock()
        self._readers = 0
        self._limit: int | None = None
        self._warnings = warnings.catch_warnings()

    def __enter__(self) -> None:
        with self._changing:
            if not self._readers:
                self._limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
                self._warnings = warnings.catch_warnings()
                self._warnings.__enter__()
                warnings.simplefilter("ignore")
            self._readers += 1

    def __exit__(self, *_: object) -> None:
        with self._changing:
            self._readers -= 1
            if not self._readers:
                Image.MAX_IMAGE_PIXELS = self._limit
                self._warnings.__exit__(None, None, None)


_PILLOW = _Unlimited()


def _recognise(name: str, stream: BinaryIO, more_formats: Sequence[str]) -> Source:
    head = stream.read(32)
    stream.seek(0)
    if not head:
        raise ImageError(f"{name} is empty: use another copy.")
    if kind := raw_kind(name, stream):
        size = raw_size(name, kind, stream)
        return Source(name, stream, None, "RAW", size, known_bits=16, raw_kind=kind)
    if format := scene_format(head):
        header = scene_header(name, format, stream)
        return Source(
            name, stream, None, format, header.size, header.frames, known_bits=16, chromaticity=header.chromaticity
        )
    stream.seek(0)
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS and b"avif" not in head:
        _register_heif(name)
    try:
        known = [format for format in EXTENSIONS if format in Image.OPEN or format in _PILLOWS]
        file = Image.open(stream, formats=[*known, *more_formats])
    except UnidentifiedImageError:
        if head[:4] not in TIFF:
            raise
        return _by_tifffile(name, stream)
    format = "JPEG" if file.format == "MPO" else str(file.format)  # cameras put previews behind the photograph
    frames = getattr(file, "n_frames", 1) if file.format != "MPO" else 1
    bits = 0
    if isinstance(file, TiffImageFile):
        bits = max(map(int, file.tag_v2.get(BITS_PER_SAMPLE, (1,))))
        if file.mode in ("I", "F") or (bits > 8 and file.tag_v2.get(PLANAR) == 2):  # which Pillow gets wrong
            return _by_tifffile(name, stream)
    return Source(name, stream, file, format, file.size, frames, _raw_mode(file), bits)


def _note_misleading_name(source: Source) -> None:
    suffix, format = Path(source.name).suffix.lower(), source.format
    if suffix and suffix not in EXTENSIONS.get(format, ()) and any(suffix in known for known in EXTENSIONS.values()):
        what = f"a raw file of a camera ({source.raw_kind})" if format == "RAW" else f"a {format}"
        source.notes.append(f"{source.name} is {what} in spite of its name.")


def _by_tifffile(name: str, stream: BinaryIO) -> Source:
    """A TIFF whose kind of pixels Pillow does not know: floating point, or 16 bits with one plane for each channel."""
    if not directories(stream):  # which tifffile would say on standard error
        raise UnidentifiedImageError(name)
    stream.seek(0)
    try:
        with tifffile.TiffFile(stream) as tiff:
            page, frames = tiff.pages.first, len(tiff.pages)
            size, bits = (page.imagewidth, page.imagelength), int(page.bitspersample)
    except Exception as error:  # on damaged files it raises nearly anything
        raise UnidentifiedImageError(name) from error
    return Source(name, stream, None, "TIFF", size, frames, known_bits=bits)


def _raw_mode(file: Image.Image) -> str:
    tiles = getattr(file, "tile", None) or [None]
    args = getattr(tiles[0], "args", "")
    return str(args if isinstance(args, str) else args[0] if args else "")


def _check_size(source: Source, most_pixels: float, least: int) -> None:
    width, height = source.size
    if min(width, height) < least:
        raise ImageError(f"{source.name} is {width}×{height} pixels: a photograph needs at least {least} on each side.")
    if max(width, height) > MOST_ASPECT * min(width, height):
        most = f"its longer side may be {MOST_ASPECT} times the shorter"
        raise ImageError(f"{source.name} is {width}×{height} pixels, too narrow for a photograph: {most}; crop it.")
    if width * height > most_pixels:
        sizes = f"has {width * height / 1e6:.1f} megapixels, more than {most_pixels / 1e6:g}"
        raise ImageError(f"{source.name} {sizes}: make it smaller or raise the limit.")


def _register_heif(name: str) -> None:
    try:
        import pillow_heif
    except ImportError as error:
        install = "install it with `pip install 'photostyle[heif]'`"
        raise ImageError(f"{name} is HEIC, which needs pillow-heif: {install}, or convert the file.") from error
    pillow_heif.register_heif_opener(thumbnails=False)
