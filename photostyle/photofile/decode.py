"""The pixels of an open file, as the numbers that are stored, set upright.

Pillow decodes them all, but gives 16-bit colours as 8 bits: it keeps the upper byte of each number. Asked to read the
same bytes in the other order, it keeps the lower one; so they are decoded twice. A TIFF that Pillow does not know (in
floating point, or with its channels apart) is read by tifffile, HEIC of more than 8 bits by pillow-heif itself. A raw
file has no pixels yet: it is developed. Of OpenEXR and Radiance HDR, what is brighter than white is clipped.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import tifffile
from PIL import Image, ImageFile

from photostyle.errors import ImageError
from photostyle.photofile.metadata import ORIENTATION, PHOTOMETRIC
from photostyle.photofile.raw import develop
from photostyle.photofile.scene import SCENE_FORMATS, read_scene
from photostyle.photofile.source import Source
from photostyle.photofile.spaces import Levels, to_floats

_DEEP = re.compile(r"(RGB|RGBX|RGBA|RGBa|LA);16([BLN])")
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _SEPARATED = 0, 1, 2, 5  # TIFF's photometric interpretations
_BRIGHT = 0.2  # of the values in floating point, at most, are brighter than white

# EXIF orientation set upright: the axes of H×W to reverse, from 5 on after exchanging rows and columns.
_REVERSED = {2: (1,), 3: (0, 1), 4: (0,), 5: (), 6: (1,), 7: (0, 1), 8: (0,)}


@dataclass(frozen=True)
class Raster:
    """`levels` H×W×C: 1 gray, 3 RGB or 4 CMYK; integers of 8 or 16 bits, or float32; `alpha` H×W in [0, 1] or None.

    `numbers`, H×W, are those of a colour table, None where there is none.
    """

    levels: Levels
    alpha: npt.NDArray[np.float32] | None = None
    numbers: npt.NDArray[np.uint8] | None = None


def decode(source: Source) -> Raster:
    """Read the pixels. Raises ImageError for kinds of pixels that are no photograph's; or what decoders raise."""
    file = source.file
    if source.format == "RAW":
        raster, orientation = _developed(source)
    elif source.format in SCENE_FORMATS:
        raster, orientation = _of_scene(source)
    elif file is None:
        raster = _by_tifffile(source)
        orientation = source.exif.get(ORIENTATION, 1)
    else:
        raster = _by_pillow(source, file)
        # Pillow turns a TIFF upright by itself while decoding it, and then forgets its orientation.
        orientation = file.getexif().get(ORIENTATION, 1)
    return _upright(raster, orientation) if orientation in _REVERSED else raster


def _developed(source: Source) -> tuple[Raster, int]:
    developed = develop(source.name, source.raw_kind, source.stream)
    if not developed.balanced:
        source.notes.append(f"{source.name} holds no white balance of the camera: it is developed for daylight.")
    return Raster(developed.levels), developed.orientation


def _of_scene(source: Source) -> tuple[Raster, int]:
    scene = read_scene(source.name, source.format, source.stream)
    if scene.cropped:
        source.notes.append(f"The frame of {source.name} is larger or smaller than its picture: all of that is read.")
    most = f"{float(scene.light.max()):.4g}"
    for outside, words in (
        (scene.light > 1, f"brighter than white (up to {most})"),
        (scene.light < 0, "darker than black"),
    ):
        if share := float(np.mean(outside.any(-1))):
            share = max(0.1, 100 * share)
            source.notes.append(f"{share:.1f} % of the pixels in {source.name} are {words} and were clipped.")
    return Raster(scene.light.clip(0, 1), scene.alpha), scene.orientation


def _upright(raster: Raster, orientation: int) -> Raster:
    def turn(array: Levels) -> Levels:
        return np.flip(array.swapaxes(0, 1) if orientation > 4 else array, _REVERSED[orientation])

    others = (None if array is None else turn(array) for array in (raster.alpha, raster.numbers))
    return Raster(turn(raster.levels), *others)


def _by_pillow(source: Source, file: Image.Image) -> Raster:
    if source.bits > 8 and source.format == "HEIF":
        return _deep_heif(source)
    if source.bits > 8 and (match := _DEEP.fullmatch(source.raw_mode)):
        return _both_bytes(source, file, *match.groups())
    if file.mode.startswith("I;16"):
        return _deep_gray(source, file)
    if file.mode == "LAB":
        raise ImageError(f"{source.name} has LAB pixels: save it as RGB.")
    numbers = np.asarray(file) if file.mode == "P" else None
    if not file.has_transparency_data:
        mode = {"1": "L", "L": "L", "CMYK": "CMYK"}.get(file.mode, "RGB")
        return Raster(_channels(file.convert(mode)), numbers=numbers)
    rgba = file.convert("RGBA")
    mode = "L" if file.mode in ("1", "L", "LA", "La") else "RGB"
    return Raster(_channels(rgba.convert(mode)), to_floats(np.asarray(rgba.getchannel("A"))), numbers)


def _channels(image: Image.Image) -> Levels:
    array = np.asarray(image)
    return array if array.ndim == 3 else array[..., None]


def _deep_gray(source: Source, file: Image.Image) -> Raster:
    gray = np.asarray(file).astype(np.uint16)
    if source.bits < 16:  # 12 bits
        gray = np.round(gray * np.float32(65535 / (2**source.bits - 1))).astype(np.uint16)
    if source.format == "TIFF" and source.exif.get(PHOTOMETRIC) == _WHITE_IS_ZERO:
        gray = 65535 - gray
    key = source.info.get("transparency")
    alpha = (gray != key).astype(np.float32) if isinstance(key, int) else None
    return Raster(gray[..., None], alpha)


def _both_bytes(source: Source, file: Image.Image, kind: str, order: str) -> Raster:
    """Colours of 16 bits, decoded once for the upper and once for the lower bytes."""
    if kind == "LA":  # four bytes for each pixel, as in RGBA of 8 bits
        pairs = _decoded(source, file, "RGBA", "RGBA").astype(np.uint16)
        gray, opacity = pairs[..., 0] << 8 | pairs[..., 1], pairs[..., 2] << 8 | pairs[..., 3]
        return Raster(gray[..., None], to_floats(opacity))
    if order == "N":
        order = "L" if sys.byteorder == "little" else "B"
    straight = "RGBA" if kind == "RGBa" else kind  # Pillow would divide by alpha in 8 bits
    upper = np.asarray(file) if straight == kind else _decoded(source, file, file.mode, f"{straight};16{order}")
    levels = upper.astype(np.uint16) << 8
    levels |= _decoded(source, file, file.mode, f"{straight};16{'L' if order == 'B' else 'B'}")
    if levels.shape[2] == 3:
        key = source.info.get("transparency")
        return Raster(levels, (levels != key).any(-1).astype(np.float32) if isinstance(key, tuple) else None)
    alpha = to_floats(levels[..., 3])
    rgb: Levels = levels[..., :3]
    return Raster(_unmultiplied(rgb, alpha) if kind == "RGBa" else rgb, alpha)


def _deep_heif(source: Source) -> Raster:
    """HEIC of 10 or 12 bits, upright, of which pillow-heif gives Pillow the upper 8."""
    import pillow_heif  # which has opened it

    source.stream.seek(0)
    stored = np.asarray(pillow_heif.open_heif(source.stream, convert_hdr_to_8bit=False)) >> (16 - source.bits)
    levels = np.round(stored * np.float32(65535 / (2**source.bits - 1))).astype(np.uint16)
    if levels.ndim == 2:
        return Raster(levels[..., None])
    return Raster(levels[..., :3], to_floats(levels[..., 3]) if levels.shape[2] == 4 else None)


def _decoded(source: Source, file: Image.Image, mode: str, raw_mode: str) -> npt.NDArray[np.uint8]:
    """Decode the file anew, its bytes taken for pixels of another kind and the same size."""
    source.stream.seek(0)
    with Image.open(source.stream, formats=[str(file.format)]) as again:
        assert isinstance(again, ImageFile.ImageFile)
        again._mode = mode
        again.tile = [
            tile._replace(args=raw_mode if isinstance(tile.args, str) else (raw_mode, *(tile.args or ())[1:]))
            for tile in again.tile
        ]
        return np.asarray(again)


def _by_tifffile(source: Source) -> Raster:
    source.stream.seek(0)
    try:
        with tifffile.TiffFile(source.stream) as tiff:
            page = tiff.pages.first
            photometric, extra = int(page.photometric), tuple(map(int, page.extrasamples))
            axes, array = page.axes, page.asarray()
    except ValueError as error:
        if "imagecodecs" not in str(error):
            raise
        install = "install it with `pip install 'photostyle[tiff]'`, or save the file uncompressed"
        raise ImageError(f"{source.name} is compressed in a way that needs imagecodecs: {install}.") from error
    count = {_WHITE_IS_ZERO: 1, _BLACK_IS_ZERO: 1, _RGB: 3, _SEPARATED: 4}.get(photometric)
    if count is None or axes not in ("YX", "YXS", "SYX"):
        raise ImageError(f"{source.name} is a TIFF of an unusual kind: save it as RGB with 8 or 16 bits per channel.")
    samples = {"YX": lambda: array[..., None], "YXS": lambda: array, "SYX": lambda: np.moveaxis(array, 0, -1)}[axes]()
    samples = _unsigned(source, samples)
    if photometric == _WHITE_IS_ZERO and samples.dtype != np.float32:
        samples = np.iinfo(samples.dtype).max - samples
    levels: Levels = samples[..., :count]
    if extra[:1] not in ((1,), (2,)):
        return Raster(levels)
    alpha = to_floats(samples[..., count]).clip(0, 1)
    return Raster(_unmultiplied(levels, alpha) if extra[0] == 1 else levels, alpha)


def _unsigned(source: Source, samples: Levels) -> Levels:
    """Samples of any depth as 8 or 16 bits or float32 in [0, 1]."""
    if samples.dtype == np.uint8 or samples.dtype == np.uint16:
        return samples
    if samples.dtype.kind == "u":
        return (samples / np.float64(np.iinfo(samples.dtype).max)).astype(np.float32)
    if samples.dtype.kind != "f":
        raise ImageError(f"{source.name} has {samples.dtype} pixels: save it with 8 or 16 bits per channel.")
    values = samples.astype(np.float32)
    if not np.isfinite(values).all():
        raise ImageError(f"{source.name} holds NaN or infinity: mend it, or save it with 16 bits per channel.")
    white = _white(source.name, values)
    if white > 1:
        words = f"go up to {float(values.max()):.6g}: they are taken for levels from 0 to {white}"
        source.notes.append(f"The values in {source.name} {words}.")
    if outside := float(np.mean((values < 0) | (values > white))):
        share = f"{max(0.1, 100 * outside):.1f} %"
        source.notes.append(f"{share} of the values in {source.name} are not between 0 and {white} and were clipped.")
    return np.clip(values / np.float32(white), 0, 1)


def _white(name: str, values: Levels) -> int:
    """What white is in floating point: 1, or the most of 8 or 16 bits where the values can only be such levels.

    Raises ImageError where they are too large for the first and fit neither of the others.
    """
    above = float(np.mean(values > 1))
    if above <= _BRIGHT:
        return 1  # lamps and the sun may be brighter than white
    bright = float(np.quantile(values[:: max(1, len(values) // 1000)], 0.995))
    for white in (255, 65535):
        if white / 4 < bright <= 1.05 * white:
            return white
    raise ImageError(
        f"{name} is in floating point and {above:.0%} of its values are above 1, the brightest about {bright:.4g}: "
        "divide them so that white is 1, or save it with 16 bits per channel."
    )


def _unmultiplied(levels: Levels, alpha: npt.NDArray[np.float32]) -> Levels:
    """Colours that were multiplied by alpha (TIFF's associated alpha) divided by it again."""
    divided = to_floats(levels) / np.maximum(alpha, np.float32(1e-6))[..., None]
    most = 1 if levels.dtype == np.float32 else np.iinfo(levels.dtype).max
    return (divided.clip(0, 1) * most + (0.5 if most > 1 else 0)).astype(levels.dtype)
