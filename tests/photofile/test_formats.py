"""Files of photographs: what they hold comes out, copies keep it, what is wrong is said, and nothing is half done."""

from __future__ import annotations

import io
import os
import stat
import struct
import subprocess
import sys
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from PIL import ExifTags, Image, ImageCms, PngImagePlugin
from torch import Tensor

from photostyle.errors import ImageError, SettingsError
from photostyle.photofile import (
    FORMATS,
    Photograph,
    bit_depth,
    check_writable,
    load_image,
    load_photograph,
    read_note,
    save_image,
    save_photograph,
    source,
    spaces,
)
from photostyle.photofile.decode import decode
from photostyle.photofile.source import Source, opened

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
    table, body, at = b"", b"", 128 + 4 + 12 * len(tags)
    for name, data in tags:
        table += name + struct.pack(">II", at + len(body), len(data))
        body += data
    head = struct.pack(">I4sI4s4s4s", at + len(body), bytes(4), 0x02400000, b"mntr", b"GRAY", b"XYZ ")
    head += struct.pack(">6H", 2000, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    head += struct.pack(">iii", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


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


def tiff16(rgb: np.ndarray) -> bytes:
    """A 16-bit RGB TIFF, which Pillow cannot write."""
    height, width, _ = rgb.shape
    bits_at = 8 + 2 + 12 * 9 + 4
    fields = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 3, bits_at), (259, 3, 1, 1), (262, 3, 1, 2)]
    fields += [(273, 4, 1, bits_at + 6), (277, 3, 1, 3), (278, 4, 1, height), (279, 4, 1, rgb.size * 2)]
    directory = struct.pack("<H", len(fields)) + b"".join(struct.pack("<HHII", *field) for field in fields)
    samples = struct.pack("<HHH", 16, 16, 16) + rgb.astype("<u2").tobytes()
    return b"II*\0" + struct.pack("<I", 8) + directory + bytes(4) + samples


def sixteen(image: Tensor) -> np.ndarray:
    """3×H×W in [0, 1] → H×W×3 levels of 16 bits, each of which must be one."""
    levels = image.double() * 65535
    assert (levels - levels.round()).abs().max() < 0.02
    return levels.round().int().permute(1, 2, 0).numpy()


def error(path: Path) -> str:
    with pytest.raises(ImageError) as caught:
        load_image(path)
    return str(caught.value)


# Reading


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_round_trip(tmp_path: Path, suffix: str) -> None:
    image, path = picture(), tmp_path / f"a{suffix}"
    save_image(image, path)
    again = load_image(path)
    assert again.shape == (3, 24, 16) and again.dtype == torch.float32 and again.is_contiguous()
    assert again.min() >= 0 and again.max() <= 1
    exact = FORMATS[suffix] in ("PNG", "TIFF")
    assert (again - image).abs().max() <= (1e-7 if exact else 0.05)
    assert bit_depth(path) == 8


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_every_level_comes_back(tmp_path: Path, suffix: str) -> None:
    levels = torch.arange(256.0).reshape(1, 16, 16).expand(3, 16, 16) / 255
    save_image(levels, tmp_path / f"a{suffix}")
    assert torch.equal(load_image(tmp_path / f"a{suffix}"), levels)


def test_a_string_is_a_path(tmp_path: Path) -> None:
    save_image(picture(), str(tmp_path / "A.PNG"))
    assert load_image(str(tmp_path / "A.PNG")).shape == (3, 24, 16)


# Where the file's first row and first column lie in the scene (EXIF 2.3, tag 0x0112), as NumPy on H×W×3.
AS_STORED = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],  # top, right
    3: lambda a: a[::-1, ::-1],  # bottom, right
    4: lambda a: a[::-1],  # bottom, left
    5: lambda a: a.transpose(1, 0, 2),  # left, top
    6: lambda a: np.rot90(a, 1),  # right, top: the camera was turned, so the file is turned counterclockwise
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),  # right, bottom
    8: lambda a: np.rot90(a, -1),  # left, bottom
}


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation(tmp_path: Path, orientation: int, suffix: str) -> None:
    upright = picture().permute(1, 2, 0).mul(255).byte().numpy()
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"a{suffix}"
    stored = Image.fromarray(np.ascontiguousarray(AS_STORED[orientation](upright)))
    stored.save(path, exif=exif, **({} if suffix == ".tif" else {"quality": 95}))
    expected = torch.from_numpy(upright).permute(2, 0, 1) / 255
    assert load_image(path).shape == expected.shape
    assert (load_image(path) - expected).abs().max() < 0.08


@pytest.mark.parametrize("orientation", [0, 9, 255])
def test_a_senseless_orientation_is_no_orientation(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    pillow(picture()).save(tmp_path / "a.png", exif=exif)
    assert torch.equal(load_image(tmp_path / "a.png"), picture())


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
def test_a_profile_is_converted(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    solid("RGB", (255, 0, 0)).save(path, icc_profile=swapped_profile())
    assert load_image(path).mean((1, 2)).tolist() == pytest.approx([0, 1, 0], abs=0.02)


def test_the_srgb_profile_changes_nothing(tmp_path: Path) -> None:
    pillow(picture()).save(tmp_path / "a.png", icc_profile=srgb_profile())
    assert torch.equal(load_image(tmp_path / "a.png"), picture())


@pytest.mark.parametrize("profile", [b"junk", srgb_profile()[:300], gray_profile(1.0), bytes(200)])
def test_a_broken_or_foreign_profile_counts_as_srgb(tmp_path: Path, profile: bytes) -> None:
    pillow(picture()).save(tmp_path / "a.png", icc_profile=profile)
    assert torch.equal(load_image(tmp_path / "a.png"), picture())


@pytest.mark.parametrize("mode", ["L", "LA", "I;16"])
def test_a_gray_profile(tmp_path: Path, mode: str) -> None:
    """Half the light in a linear gray is 188 of 255 in sRGB."""
    color: object = {"L": 128, "LA": (128, 255), "I;16": 32896}[mode]
    solid(mode, color).save(tmp_path / "a.png", icc_profile=gray_profile(1.0))
    assert load_image(tmp_path / "a.png").mean((1, 2)).tolist() == pytest.approx([188 / 255] * 3, abs=1 / 255)


def test_a_gray_image_with_an_rgb_profile(tmp_path: Path) -> None:
    solid("L", 100).save(tmp_path / "a.png", icc_profile=srgb_profile())
    assert torch.equal(load_image(tmp_path / "a.png"), torch.full((3, 24, 16), 100 / 255))


def test_cmyk(tmp_path: Path) -> None:
    solid("CMYK", (255, 0, 0, 0)).save(tmp_path / "a.jpg", quality=100)
    assert load_image(tmp_path / "a.jpg").mean((1, 2)).tolist() == pytest.approx([0, 1, 1], abs=0.02)


def test_grayscale_bilevel_and_palette(tmp_path: Path) -> None:
    solid("L", 51).save(tmp_path / "l.png")
    assert torch.equal(load_image(tmp_path / "l.png"), torch.full((3, 24, 16), 0.2))
    solid("1", 1).save(tmp_path / "1.png")
    assert torch.equal(load_image(tmp_path / "1.png"), torch.ones(3, 24, 16))
    solid("RGB", (255, 0, 51)).quantize(4).save(tmp_path / "p.png")
    assert load_image(tmp_path / "p.png")[:, 3, 3].tolist() == pytest.approx([1, 0, 0.2])


def test_transparency_is_laid_over_white(tmp_path: Path) -> None:
    quarter_white = pytest.approx([1, 51 / 255, 51 / 255], abs=1e-6)
    solid("RGBA", (255, 0, 0, 204)).save(tmp_path / "rgba.png")
    assert load_image(tmp_path / "rgba.png")[:, 0, 0].tolist() == quarter_white
    solid("LA", (0, 204)).save(tmp_path / "la.png")
    assert load_image(tmp_path / "la.png")[:, 0, 0].tolist() == pytest.approx([51 / 255] * 3, abs=1e-6)
    palette = solid("P", 1)
    palette.putpalette([0, 0, 0, 255, 0, 0])
    palette.save(tmp_path / "p.png", transparency=bytes([255, 204]))
    assert load_image(tmp_path / "p.png")[:, 0, 0].tolist() == quarter_white
    solid("RGB", (255, 0, 0)).save(tmp_path / "key.png", transparency=(255, 0, 0))
    assert torch.equal(load_image(tmp_path / "key.png"), torch.ones(3, 24, 16))


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_gray_of_16_bits_keeps_its_depth(tmp_path: Path, suffix: str) -> None:
    levels = np.arange(24 * 16, dtype=np.uint16).reshape(24, 16) * 170
    Image.fromarray(levels).save(tmp_path / f"a{suffix}")
    image = load_image(tmp_path / f"a{suffix}")
    assert torch.equal((image * 65535).round().int(), torch.from_numpy(levels.astype(np.int32)).expand(3, 24, 16))
    assert bit_depth(tmp_path / f"a{suffix}") == 16


@pytest.mark.parametrize("suffix, encode", [(".png", raw_png), (".tif", tiff16)])
def test_colors_of_16_bits_keep_their_depth(tmp_path: Path, suffix: str, encode: object) -> None:
    path = tmp_path / f"a{suffix}"
    rgb = np.arange(24 * 16 * 3, dtype=np.uint16).reshape(24, 16, 3) * 56
    path.write_bytes(encode(rgb))  # type: ignore[operator]
    assert bit_depth(path) == 16 and load_photograph(path).bits == 16
    assert np.array_equal(sixteen(load_image(path)), rgb)


@pytest.mark.parametrize("compression", [None, "adobe_deflate"])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_tiff_of_16_bits(tmp_path: Path, compression: str | None, order: str, channels: int) -> None:
    levels = np.random.default_rng(0).integers(0, 65536, (24, 16, channels), np.uint16)
    alpha = {"extrasamples": ["unassalpha"]} if channels in (2, 4) else {}
    kind = "rgb" if channels > 2 else "minisblack"
    array = levels if channels > 1 else levels[..., 0]
    tifffile.imwrite(tmp_path / "a.tif", array, photometric=kind, byteorder=order, compression=compression, **alpha)
    photo = load_photograph(tmp_path / "a.tif")
    assert photo.bits == 16 and (photo.alpha is None) == (channels in (1, 3))
    color = levels[..., :3] if channels > 2 else levels[..., :1].repeat(3, axis=2)
    assert np.array_equal(sixteen(photo.pixels), color)
    if photo.alpha is not None:
        assert np.array_equal((photo.alpha[0] * 65535).round().int().numpy(), levels[..., -1])


def test_lzw_needs_nothing_more(tmp_path: Path) -> None:
    """Pillow writes no colours of 16 bits, but it does write LZW: the bytes of such a TIFF taken for 8-bit gray."""
    levels = np.random.default_rng(0).integers(0, 256, (24, 16, 3), np.uint16) * 257
    Image.fromarray(levels.astype(np.uint8)).save(tmp_path / "8.tif", compression="tiff_lzw")
    assert np.array_equal(sixteen(load_image(tmp_path / "8.tif")), levels)
    plain = np.frombuffer(levels.astype("<u2").tobytes(), np.uint8).reshape(24, -1)
    Image.fromarray(plain).save(tmp_path / "bytes.tif", compression="tiff_lzw")
    with Image.open(tmp_path / "bytes.tif") as file:
        strip = (tmp_path / "bytes.tif").read_bytes()[file.tag_v2[273][0] :][: file.tag_v2[279][0]]
    whole = bytearray(tiff16(levels))
    for field in range(10, 10 + 12 * 9, 12):
        tag = struct.unpack_from("<H", whole, field)[0]
        if tag in (259, 279):
            struct.pack_into("<I", whole, field + 8, {259: 5, 279: len(strip)}[tag])
    (tmp_path / "16.tif").write_bytes(bytes(whole[: 8 + 2 + 12 * 9 + 4 + 6]) + strip)
    assert np.array_equal(sixteen(load_image(tmp_path / "16.tif")), levels)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("channels", [3, 4])
def test_tiff_with_one_plane_for_each_channel(tmp_path: Path, dtype: str, channels: int) -> None:
    levels = np.random.default_rng(0).integers(0, np.iinfo(dtype).max + 1, (24, 16, channels)).astype(dtype)
    planes = np.ascontiguousarray(np.moveaxis(levels, -1, 0))
    extra = {"extrasamples": ["unassalpha"]} if channels == 4 else {}
    tifffile.imwrite(tmp_path / "a.tif", planes, photometric="rgb", planarconfig="separate", **extra)
    photo = load_photograph(tmp_path / "a.tif")
    visible = levels[..., 3] > 0 if channels == 4 else np.full((24, 16), True)
    found = np.round(photo.pixels.double().permute(1, 2, 0).numpy() * np.iinfo(dtype).max)
    assert np.array_equal(found[visible], levels[..., :3][visible])


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_big_tiff(tmp_path: Path, dtype: str) -> None:
    most = 1 if dtype == "float32" else np.iinfo(dtype).max
    levels = (np.linspace(0, 1, 24 * 16 * 3).reshape(24, 16, 3) * most).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", levels, photometric="rgb", bigtiff=True)
    photo = load_photograph(tmp_path / "a.tif")
    assert photo.bits == (8 if dtype == "uint8" else 16)
    assert np.allclose(photo.pixels.permute(1, 2, 0) * most, levels, atol=most * 1e-6)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_png_of_16_bits(tmp_path: Path, channels: int) -> None:
    levels = np.random.default_rng(0).integers(0, 65536, (24, 16, channels), np.uint16)
    (tmp_path / "a.png").write_bytes(raw_png(levels))
    photo = load_photograph(tmp_path / "a.png")
    color = levels[..., :3] if channels > 2 else levels[..., :1].repeat(3, axis=2)
    assert photo.bits == 16 and np.array_equal(sixteen(photo.pixels), color)
    if channels in (2, 4):
        assert photo.alpha is not None
        assert np.array_equal((photo.alpha[0] * 65535).round().int().numpy(), levels[..., -1])


def test_one_color_as_transparency_is_exact_at_16_bits(tmp_path: Path) -> None:
    levels = np.full((8, 8, 3), 1000, np.uint16)
    levels[2, 3] = 1001  # of the same upper byte
    (tmp_path / "a.png").write_bytes(raw_png(levels, chunk(b"tRNS", struct.pack(">3H", 1001, 1001, 1001))))
    (tmp_path / "b.png").write_bytes(raw_png(levels[..., :1], chunk(b"tRNS", struct.pack(">H", 1001))))
    for name in ("a.png", "b.png"):
        alpha = load_photograph(tmp_path / name).alpha
        assert alpha is not None and alpha.sum() == 63 and alpha[0, 2, 3] == 0


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_png_of_few_bits(tmp_path: Path, depth: int) -> None:
    row = np.full((8, depth, 1), 0b11100100, np.uint8)  # the values 3 2 1 0 at two bits
    (tmp_path / "a.png").write_bytes(raw_png(row, depth=depth))
    per = 8 // depth
    values = [(0b11100100 >> (8 - depth * (i % per + 1))) % 2**depth / (2**depth - 1) for i in range(8)]
    assert load_image(tmp_path / "a.png")[1, 5].tolist() == pytest.approx(values, abs=0.5 / 255)
    assert bit_depth(tmp_path / "a.png") == 8


def test_twelve_bits_of_gray_in_a_tiff_where_white_is_zero(tmp_path: Path) -> None:
    levels = np.arange(64, dtype=np.uint16).reshape(8, 8) * 1000
    tifffile.imwrite(tmp_path / "a.tif", levels, photometric="miniswhite")
    assert np.array_equal(sixteen(load_image(tmp_path / "a.tif"))[..., 0], 65535 - levels)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_floating_point(tmp_path: Path, dtype: str, planar: str) -> None:
    values = np.linspace(0, 1, 24 * 16 * 3).reshape(24, 16, 3).astype(dtype)
    stored = values if planar == "contig" else np.moveaxis(values, -1, 0)
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb", planarconfig=planar, compression="adobe_deflate")
    photo = load_photograph(tmp_path / "a.tif")
    assert photo.bits == 16 and photo.notes == ()
    assert np.array_equal(photo.pixels.permute(1, 2, 0).numpy(), values.astype(np.float32))
    assert bit_depth(tmp_path / "a.tif") == int(dtype[5:])


def test_gray_in_floating_point_upright(tmp_path: Path) -> None:
    values = np.linspace(0, 1, 24 * 16, dtype=np.float32).reshape(24, 16)
    turned = np.ascontiguousarray(np.rot90(values))
    tifffile.imwrite(tmp_path / "a.tif", turned, photometric="minisblack", extratags=[(274, "H", 1, 6, True)])
    assert np.array_equal(load_image(tmp_path / "a.tif")[2].numpy(), values)


@pytest.mark.parametrize("white", [255, 65535])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_floating_point_of_levels_is_read_as_levels(tmp_path: Path, white: int, dtype: str) -> None:
    values = np.random.default_rng(0).integers(0, white + 1, (24, 16, 3)).astype(dtype)
    if not np.isfinite(values).all():
        pytest.skip("float16 ends at 65504")
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb")
    photo = load_photograph(tmp_path / "a.tif")
    expected = values.astype(np.float32) / np.float32(white)
    assert np.allclose(photo.pixels.permute(1, 2, 0).numpy(), expected, atol=1e-6)
    (note,) = photo.notes
    assert note == (
        f"The values in {tmp_path / 'a.tif'} go up to {values.max():.6g}: they are taken for levels from 0 to {white}."
    )


@pytest.mark.parametrize("most", [1.5, 30, 300, 60_000])
def test_lamps_brighter_than_white_leave_the_rest_as_it_is(tmp_path: Path, most: float) -> None:
    values = np.random.default_rng(0).random((24, 16, 3), np.float32)
    values[:2] = most
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb")
    photo = load_photograph(tmp_path / "a.tif")
    assert np.array_equal(photo.pixels.permute(1, 2, 0).numpy(), values.clip(0, 1))
    assert photo.notes == (f"8.3 % of the values in {tmp_path / 'a.tif'} are not between 0 and 1 and were clipped.",)


@pytest.mark.parametrize("most", [4, 40, 1023, 4095, 1e6])
def test_floating_point_of_no_known_range_is_an_error(tmp_path: Path, most: float) -> None:
    values = np.linspace(0, most, 24 * 16, dtype=np.float32).reshape(24, 16)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="minisblack")
    words = error(tmp_path / "a.tif")
    assert "a.tif is in floating point and" in words and "divide them so that white is 1" in words


def test_floating_point_outside_its_range(tmp_path: Path) -> None:
    values = np.full((8, 8, 3), 0.5, np.float32)
    values[0, 0] = (-1, 0.25, 3)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb")
    photo = load_photograph(tmp_path / "a.tif")
    assert photo.pixels[:, 0, 0].tolist() == [0, 0.25, 1]
    assert photo.notes == (f"1.0 % of the values in {tmp_path / 'a.tif'} are not between 0 and 1 and were clipped.",)
    for wrong in (np.nan, np.inf):
        values[3, 3, 1] = wrong
        tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb")
        assert "a.tif holds NaN or infinity: mend it, or save it with 16 bits" in error(tmp_path / "a.tif")


def test_tiff_with_associated_alpha(tmp_path: Path) -> None:
    """The colours are stored multiplied by alpha: half-transparent red is 0.5, 0, 0, 0.5."""
    for dtype, most in ((np.uint8, 255), (np.uint16, 65535), (np.float32, 1)):
        pixel = np.array([most * 0.5, 0, 0, most * 0.5]).astype(dtype)
        array = np.broadcast_to(pixel, (8, 8, 4)).copy()
        tifffile.imwrite(tmp_path / "a.tif", array, photometric="rgb", extrasamples=["assocalpha"])
        photo = load_photograph(tmp_path / "a.tif")
        assert photo.alpha is not None and photo.alpha.mean().item() == pytest.approx(0.5, abs=1 / 255)
        assert photo.pixels.mean((1, 2)).tolist() == pytest.approx([1, 0, 0], abs=1 / 255)


def test_tiff_of_a_kind_that_is_no_photograph(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((8, 8), np.int16), photometric="minisblack")
    assert "a.tif has int16 pixels: save it with 8 or 16 bits" in error(tmp_path / "a.tif")
    Image.new("LAB", (8, 8)).save(tmp_path / "b.tif")
    assert "b.tif has LAB pixels: save it as RGB." in error(tmp_path / "b.tif")


# Colours


PRIMARIES = {  # of three well-known spaces, X Y Z under D50 as their profiles give them
    "Display P3": ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407)),
    "Adobe RGB": ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)),
    "ProPhoto": ((0.79767, 0.28804, 0.0), (0.13519, 0.71188, 0.0), (0.03134, 0.00009, 0.82491)),
}
SRGB_PARAMETERS = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
CURVES = {"Display P3": SRGB_PARAMETERS, "Adobe RGB": (563 / 256,), "ProPhoto": (1.8,)}

# Where sRGB's red, green and blue and its middle gray lie in them, from published tables of colour conversions.
KNOWN = {
    "Display P3": ((0.9175, 0.2003, 0.1386), (0.4584, 0.9853, 0.2983), (0.0, 0.0, 0.9596)),
    "Adobe RGB": ((0.8586, 0.0, 0.0), (0.5650, 1.0, 0.2344), (0.0, 0.0, 0.9810)),
    "ProPhoto": ((0.7022, 0.2757, 0.1036), (0.5402, 0.9276, 0.3046), (0.3361, 0.1372, 0.9225)),
}


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
    table, body, at = b"", b"", 128 + 4 + 12 * len(tags)
    for tag, data in tags:
        body += bytes(-len(body) % 4)
        table += tag + struct.pack(">II", at + len(body), len(data))
        body += data
    head = struct.pack(">I4sI4s4s4s", at + len(body), bytes(4), 0x04200000, b"mntr", b"RGB ", b"XYZ ")
    head += struct.pack(">6H", 2000, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    head += struct.pack(">iii", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


@pytest.mark.parametrize("name", KNOWN)
def test_known_colors_of_wide_spaces(tmp_path: Path, name: str) -> None:
    """Both ways, at 16 bits: the tables have four digits."""
    colors = np.array([*KNOWN[name], (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)])
    levels = np.round(colors * 65535).astype(np.uint16)[:, None, :].repeat(8, axis=1).repeat(2, axis=0)
    profile = chunk(b"iCCP", b"x\0\0" + zlib.compress(rgb_profile(name)))
    (tmp_path / "a.png").write_bytes(raw_png(levels, profile))
    photo = load_photograph(tmp_path / "a.png")
    srgb = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0], [1, 1, 1]])
    found = photo.pixels[:, ::2, 0].T.double().numpy()
    # Where the curve of sRGB is steep, four digits become two.
    assert np.abs(found - srgb).max() < 0.02 and np.abs(found - srgb).mean() < 0.003
    save_photograph(
        torch.from_numpy(srgb.T[:, :, None].repeat(2, axis=1).repeat(8, axis=2).astype(np.float32)),
        tmp_path / "b.png",
        like=photo,
    )
    with Image.open(tmp_path / "b.png") as file:
        assert file.info["icc_profile"] == rgb_profile(name) == photo.profile
        # Pillow itself shows the upper byte only.
        assert np.abs(np.asarray(file)[::2, 0] / 255 - colors).max() < 1.2 / 255


@pytest.mark.parametrize("name", KNOWN)
def test_colors_agree_with_little_cms(tmp_path: Path, name: str) -> None:
    colors = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(colors).save(tmp_path / "a.png", icc_profile=rgb_profile(name))
    ours = load_image(tmp_path / "a.png").permute(1, 2, 0).numpy() * 255
    theirs = spaces.through_lcms(colors, rgb_profile(name)).astype(np.float32)
    assert np.abs(ours - theirs).max() < 1.5 and np.abs(ours - theirs).mean() < 0.3


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("bits", [8, 16])
def test_a_wide_photograph_comes_back_in_its_own_space(tmp_path: Path, name: str, bits: int) -> None:
    """Colours that sRGB has survive reading, and writing with the kept profile, to one level."""
    most = 2**bits - 1
    inner = np.random.default_rng(0).uniform(0.35, 0.65, (16, 24, 3))
    levels = np.round(inner * most).astype(np.uint8 if bits == 8 else np.uint16)
    profile = chunk(b"iCCP", b"x\0\0" + zlib.compress(rgb_profile(name)))
    (tmp_path / "a.png").write_bytes(raw_png(levels, profile))
    photo = load_photograph(tmp_path / "a.png")
    inside = ~torch.stack([photo.pixels == 0, photo.pixels == 1]).any(0).any(0).numpy()
    assert inside.mean() > 0.8
    save_photograph(photo.pixels, tmp_path / "b.png", like=photo)
    with opened(tmp_path / "b.png") as file:
        again = decode(file).levels
    assert np.abs(again.astype(int) - levels)[inside].max() <= 1
    save_photograph(photo.pixels, tmp_path / "c.png", like=photo, profile="srgb")
    copy = load_photograph(tmp_path / "c.png")
    assert copy.profile == spaces.srgb_profile() and (copy.pixels - photo.pixels).abs().max() <= 0.51 / most


def test_colors_that_srgb_has_not_are_clipped_and_said(tmp_path: Path) -> None:
    solid("RGB", (0, 255, 0)).save(tmp_path / "a.png", icc_profile=rgb_profile("Adobe RGB"))
    photo = load_photograph(tmp_path / "a.png")
    assert photo.pixels[:, 0, 0].tolist() == pytest.approx([0, 1, 0], abs=1e-4)
    said = "has colours outside sRGB in 100.0 % of its pixels: they were clipped."
    assert photo.notes == (f"{tmp_path / 'a.png'} {said}",)


@pytest.mark.parametrize("count", [0, 2, 1024])
def test_curves_that_are_tables(tmp_path: Path, count: int) -> None:
    """No entry means linear, and so do two; a table of squares means a gamma of 2."""
    table = np.round(np.linspace(0, 1, count) ** (2 if count > 2 else 1) * 65535).astype(int)
    curve = b"curv" + bytes(4) + struct.pack(f">I{count}H", count, *table)
    solid("RGB", (128, 128, 128)).save(tmp_path / "a.png", icc_profile=rgb_profile("ProPhoto", curve))
    light = 128 / 255 if count < 3 else (128 / 255) ** 2
    photo = load_photograph(tmp_path / "a.png")
    assert photo.pixels.mean().item() == pytest.approx(1.055 * light ** (1 / 2.4) - 0.055, abs=1e-3)
    save_photograph(photo.pixels, tmp_path / "b.png", like=photo)
    with Image.open(tmp_path / "b.png") as file:
        assert file.getpixel((3, 3)) == (128, 128, 128)


@pytest.mark.parametrize(
    "values", [(2.2,), (2.2, 0.9, 0.1), (2.2, 0.8, 0.1, 0.02), SRGB_PARAMETERS, (2.0, 0.9, 0.1, 0.3, 0.2, 0.0, 0.01)]
)
def test_parametric_curves(values: tuple[float, ...]) -> None:
    """Each kind against the standard's own formula, and there and back."""
    space = spaces.icc_space(rgb_profile("ProPhoto", parametric(*values)))
    assert space is not None
    x = torch.linspace(0, 1, 101, dtype=torch.float64)
    g, a, b, c, d, e, f = (*values, *[0.0] * (7 - len(values)))
    expected = {
        1: lambda x: x**g,
        3: lambda x: (a * x + b) ** g,
        4: lambda x: (a * x + b) ** g + c,
        5: lambda x: (a * x + b) ** g if x >= d else c * x,
        7: lambda x: (a * x + b) ** g + e if x >= d else c * x + f,
    }[len(values)]
    light = space.curves[0].light(x)
    assert light.tolist() == pytest.approx([expected(value) for value in x.tolist()], abs=1e-4)
    assert space.curves[0].encoded(light)[1:].tolist() == pytest.approx(x[1:].tolist(), abs=2e-3)


def test_a_curve_that_falls_is_no_curve(tmp_path: Path) -> None:
    curve = b"curv" + bytes(4) + struct.pack(">I3H", 3, 0, 65535, 30000)
    solid("RGB", (9, 99, 200)).save(tmp_path / "a.png", icc_profile=rgb_profile("ProPhoto", curve))
    photo = load_photograph(tmp_path / "a.png")
    assert photo.pixels[:, 0, 0].tolist() == pytest.approx([9 / 255, 99 / 255, 200 / 255]) and photo.profile is None
    assert photo.notes[0].endswith("is not used, for a curve of it does not rise; it counts as sRGB.")


def test_png_marks(tmp_path: Path) -> None:
    """gAMA, cHRM, sRGB and cICP, each alone and against the one that goes before it."""
    gray = np.full((8, 8, 3), 128, np.uint8)
    gamma = chunk(b"gAMA", struct.pack(">I", 100_000))  # linear
    usual = chunk(b"gAMA", struct.pack(">I", 45455))
    swapped = chunk(b"cHRM", struct.pack(">8I", 31270, 32900, 30000, 60000, 64000, 33000, 15000, 6000))  # red is green
    srgb = chunk(b"sRGB", b"\0")
    linear = chunk(b"cICP", bytes([1, 8, 0, 1]))
    red = np.zeros((8, 8, 3), np.uint8)
    red[..., 0] = 255
    light = 1.055 * (128 / 255) ** (1 / 2.4) - 0.055
    for levels, chunks, expected in [
        (gray, [gamma], [light] * 3),
        (gray, [usual], [128 / 255] * 3),
        (gray, [srgb, gamma], [128 / 255] * 3),
        (gray, [linear], [light] * 3),
        (gray, [linear, srgb], [light] * 3),
        (red, [usual, swapped], [0, 1, 0]),
        (red, [chunk(b"cICP", bytes([12, 13, 0, 1]))], [1, 0, 0]),  # P3's red is beyond sRGB's
    ]:
        (tmp_path / "a.png").write_bytes(raw_png(levels, *chunks))
        assert load_image(tmp_path / "a.png").mean((1, 2)).tolist() == pytest.approx(expected, abs=2e-3)


@pytest.mark.parametrize("transfer, name", [(16, "PQ"), (18, "HLG")])
def test_a_high_dynamic_range_is_refused(tmp_path: Path, transfer: int, name: str) -> None:
    (tmp_path / "a.png").write_bytes(
        raw_png(np.zeros((8, 8, 3), np.uint16), chunk(b"cICP", bytes([9, transfer, 0, 1])))
    )
    assert f"a.png has a high dynamic range ({name}): convert it to SDR first." in error(tmp_path / "a.png")


def test_display_p3_by_cicp_is_what_it_is_by_icc(tmp_path: Path) -> None:
    levels = np.random.default_rng(0).integers(0, 65536, (16, 16, 3), np.uint16)
    (tmp_path / "a.png").write_bytes(raw_png(levels, chunk(b"cICP", bytes([12, 13, 0, 1]))))
    (tmp_path / "b.png").write_bytes(
        raw_png(levels, chunk(b"iCCP", b"x\0\0" + zlib.compress(rgb_profile("Display P3"))))
    )
    difference = (load_image(tmp_path / "a.png") - load_image(tmp_path / "b.png")).abs()
    assert difference.max() < 2e-3 and difference.mean() < 1e-4  # steep in the dark


def table_profile(kind: bytes, channels: int) -> bytes:
    """An ICC profile that is a table of two points per channel, PCS Lab: every channel up is darker, or lighter."""
    count = 2**channels
    grid = [bin(i).count("1") / channels for i in range(count)]
    light = [1 - x if kind == b"CMYK" else x for x in grid]
    lab = b"".join(struct.pack(">BBB", round(255 * x), 128, 128) for x in light)
    ramp = bytes(range(256))
    lut = b"mft1" + bytes(4) + struct.pack(">BBBx9i", channels, 3, 2, *(65536 * (i % 4 == 0) for i in range(9)))
    lut += ramp * channels + lab + ramp * 3
    tags = [(b"A2B0", lut), (b"wtpt", b"XYZ " + bytes(4) + struct.pack(">iii", 63190, 65536, 54061))]
    table, body, at = b"", b"", 128 + 4 + 12 * len(tags)
    for tag, data in tags:
        body += bytes(-len(body) % 4)
        table += tag + struct.pack(">II", at + len(body), len(data))
        body += data
    head = struct.pack(">I4sI4s4s4s", at + len(body), bytes(4), 0x02400000, b"prtr", kind, b"Lab ")
    head += struct.pack(">6H", 2000, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    head += struct.pack(">iii", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def test_a_profile_that_is_a_table(tmp_path: Path) -> None:
    """Lightness is the mean of the inks left white: L* = 50 is 119 of 255 in sRGB."""
    solid("CMYK", (255, 255, 0, 0)).save(tmp_path / "a.tif", icc_profile=table_profile(b"CMYK", 4))
    photo = load_photograph(tmp_path / "a.tif")
    assert photo.pixels.mean((1, 2)).tolist() == pytest.approx([119 / 255] * 3, abs=2 / 255)
    said = f"The colour profile of {tmp_path / 'a.tif'} is a table (unnamed): copies are in sRGB."
    assert photo.profile is None and photo.notes == (said,)
    levels = np.full((8, 8, 3), 65535 // 2, np.uint16)
    (tmp_path / "a.png").write_bytes(
        raw_png(levels, chunk(b"iCCP", b"x\0\0" + zlib.compress(table_profile(b"RGB ", 3))))
    )
    photo = load_photograph(tmp_path / "a.png")
    assert photo.pixels.mean((1, 2)).tolist() == pytest.approx([119 / 255] * 3, abs=2 / 255)
    assert photo.bits == 16 and "is a table (unnamed): it is read at 8 bits per channel, and copies" in photo.notes[0]


# Several pictures, names that deceive, and other containers


def test_only_the_first_picture_is_used_and_said(tmp_path: Path) -> None:
    first, *rest = [solid("RGB", color) for color in ("red", "lime", "blue")]
    for suffix in (".tif", ".png", ".webp", ".gif", ".avif"):
        path = tmp_path / f"a{suffix}"
        first.save(path, save_all=True, append_images=rest)
        photo = load_photograph(path)
        assert photo.pixels.mean((1, 2)).tolist() == pytest.approx([1, 0, 0], abs=0.05)
        assert photo.notes == (f"Only the first of the 3 pictures in {path} is used.",)
    first.save(tmp_path / "a.mpo", save_all=True, append_images=rest)  # a camera's JPEG with previews behind it
    assert load_photograph(tmp_path / "a.mpo").notes == ()


def test_what_a_file_holds_decides_and_not_its_name(tmp_path: Path) -> None:
    pillow(picture()).save(tmp_path / "a.jpg", "PNG")
    photo = load_photograph(tmp_path / "a.jpg")
    assert torch.equal(photo.pixels, picture()) and photo.format == "PNG"
    assert photo.notes == (f"{tmp_path / 'a.jpg'} is a PNG in spite of its name.",)
    pillow(picture()).save(tmp_path / "upload.tmp", "PNG")
    assert load_photograph(tmp_path / "upload.tmp").notes == ()


def test_jpeg_of_every_kind(tmp_path: Path) -> None:
    for options in ({}, {"progressive": True}, {"subsampling": "4:2:0"}, {"optimize": True, "restart_marker_rows": 1}):
        pillow(picture()).save(tmp_path / "a.jpg", quality=95, **options)
        assert (load_image(tmp_path / "a.jpg") - picture()).abs().mean() < 0.02
    solid("L", 77).save(tmp_path / "a.jpg", quality=100)
    assert torch.equal(load_image(tmp_path / "a.jpg"), torch.full((3, 24, 16), 77 / 255))


def test_heic_without_its_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99))
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    assert "is HEIC, which needs pillow-heif: install it with `pip install 'photostyle[heif]'`" in error(
        tmp_path / "a.heic"
    )
    with pytest.raises(ImageError, match="HEIC needs pillow-heif: `pip install"):
        check_writable(tmp_path / "b.heic")


def test_bits_of_avif_are_found_in_its_header() -> None:
    for flags, bits in ((0x0C, 8), (0x4C, 10), (0x6C, 12)):
        stream = io.BytesIO(b"\0\0\0\x20ftypavif" + bytes(40) + b"av1C\x81\x00" + bytes([flags, 0]))
        assert Source("a.avif", stream, None, "AVIF", (8, 8)).bits == bits


# What is wrong with a file


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    assert error(tmp_path / "a.jpg") == f"{tmp_path / 'a.jpg'} is empty: use another copy."


def test_names_that_no_file_can_have(tmp_path: Path) -> None:
    for name in ("a" * 300 + ".png", "a\0b.png"):
        assert "cannot be opened (" in error(tmp_path / name)
        with pytest.raises(ImageError, match=r"cannot be written \("):
            check_writable(tmp_path / name)
        with pytest.raises(ImageError, match=r"cannot be written \("):
            save_image(picture(), tmp_path / name)


def test_long_names_and_names_in_all_letters(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["Bäume und Türme" * 8] * 8)  # a path of a thousand letters
    deep.mkdir(parents=True)
    for name in ("夕焼け 🌇.png", "e\u0301té.png", "a" * 251 + ".png", "'; --.png"):
        save_image(picture(), deep / name)
        assert torch.equal(load_image(deep / name), picture())


def test_no_such_file(tmp_path: Path) -> None:
    assert error(tmp_path / "a.png") == f"There is no file {tmp_path / 'a.png'}: check the name."


def test_a_folder(tmp_path: Path) -> None:
    assert error(tmp_path) == f"{tmp_path} is a folder, not a photograph: name a file in it."


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(source, "open", refuse, raising=False)  # chmod would not stop root
    assert "a.png may not be read" in error(tmp_path / "a.png")


@pytest.mark.parametrize(
    "data", [b"Dear photograph", b"GIF89a" + bytes(50), b"II*\0" + bytes(20), b"PK\3\4" + bytes(50)]
)
def test_no_photograph(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.jpg").write_bytes(data)
    known = "no JPEG, PNG, TIFF or WebP (nor AVIF, HEIC, BMP, GIF, EXR, HDR or a camera's raw file)"
    assert f"a.jpg is {known}, or cut short: convert or replace it." in error(tmp_path / "a.jpg")


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
def test_a_truncated_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    save_image(torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(0)), path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    # The directory of a TIFF stands at its end, the length of a WebP at its beginning.
    assert "is damaged or incomplete (" in error(path) or "or cut short" in error(path)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
def test_any_damage_is_an_image_error_or_nothing(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    random = np.random.default_rng(0)
    save_image(torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(0)), path, note={"seed": 1})
    whole = np.frombuffer(path.read_bytes(), np.uint8)
    for _ in range(150):
        broken = whole[: random.integers(1, len(whole) + 1)].copy()
        broken[random.integers(0, len(broken), 3)] = random.integers(0, 256, 3)
        path.write_bytes(broken.tobytes())
        for read in (load_image, read_note, bit_depth):
            try:
                read(path)
            except ImageError as caught:
                assert "\n" not in str(caught)


@pytest.mark.parametrize("size", [(1, 1), (7, 100), (100, 7)])
def test_too_small(tmp_path: Path, size: tuple[int, int]) -> None:
    Image.new("RGB", size).save(tmp_path / "a.png")
    expected = f"a.png is {size[0]}×{size[1]} pixels: a photograph needs at least 8 on each side."
    assert error(tmp_path / "a.png").endswith(expected)


@pytest.mark.parametrize("size", [(10_000, 8), (8, 10_000), (97, 8)])
def test_too_narrow(tmp_path: Path, size: tuple[int, int]) -> None:
    Image.new("RGB", size).save(tmp_path / "a.png")
    expected = "too narrow for a photograph: its longer side may be 12 times the shorter; crop it."
    assert error(tmp_path / "a.png").endswith(f"a.png is {size[0]}×{size[1]} pixels, {expected}")


def test_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    pillow(picture()).save(path)
    with pytest.raises(ImageError, match=r"a\.png has 0\.0 megapixels, more than 0\.000383: make it smaller or raise"):
        load_photograph(path, most_pixels=24 * 16 - 1)
    assert torch.equal(load_photograph(path, most_pixels=24 * 16).pixels, picture())
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)  # the limit of other users of Pillow is neither heeded nor lost
    assert torch.equal(load_image(path), picture()) and Image.MAX_IMAGE_PIXELS == 100


def test_photographs_are_read_side_by_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large one that is still being read holds up no other; Pillow's limit comes back with the last."""
    path = tmp_path / "a.png"
    pillow(picture()).save(path)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with ThreadPoolExecutor(1) as pool, opened(path):
        assert torch.equal(pool.submit(load_image, path).result(timeout=20), picture())
        assert Image.MAX_IMAGE_PIXELS is None
    assert Image.MAX_IMAGE_PIXELS == 100


@pytest.mark.parametrize("side", [15_000, 65_535])
def test_a_decompression_bomb_is_refused_by_its_header(tmp_path: Path, side: int) -> None:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    (tmp_path / "a.png").write_bytes(SIGNATURE + header + chunk(b"IDAT", zlib.compress(bytes(10**6))))
    assert f"has {side**2 / 1e6:.1f} megapixels, more than 200: make it smaller" in error(tmp_path / "a.png")


# Writing


def test_values_are_clamped_and_rounded(tmp_path: Path) -> None:
    values = torch.tensor([-1.0, 0.49 / 255, 0.51 / 255, 99.6 / 255, 1.0, 7.0, 254.4 / 255, 0.5])
    save_image(values.expand(3, 8, 8), tmp_path / "a.png")
    levels = (load_image(tmp_path / "a.png")[0, 0] * 255).round().int().tolist()
    assert levels == [0, 0, 1, 100, 255, 255, 254, 128]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_other_floats_and_gradients_are_written(tmp_path: Path, dtype: torch.dtype) -> None:
    save_image(picture().to(dtype).requires_grad_(), tmp_path / "a.png")
    assert (load_image(tmp_path / "a.png") - picture()).abs().max() < 0.01


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_not_written(tmp_path: Path, value: float) -> None:
    image = picture()
    image[0, 0, 0] = value
    with pytest.raises(ImageError, match="holds NaN or infinity"):
        save_image(image, tmp_path / "a.png")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("image", [picture()[0], picture()[:2], picture()[None], picture().byte()])
def test_what_is_no_image_is_not_written(tmp_path: Path, image: Tensor) -> None:
    with pytest.raises(ImageError, match="give a 3×H×W tensor of floats"):
        save_image(image, tmp_path / "a.png")


@pytest.mark.parametrize("quality", [0, 101])
def test_quality_has_a_range(tmp_path: Path, quality: int) -> None:
    with pytest.raises(SettingsError, match="from 1 to 100"):
        save_image(picture(), tmp_path / "a.jpg", quality=quality)


@pytest.mark.parametrize("suffix", [".jpg", ".webp"])
def test_quality_costs_bytes(tmp_path: Path, suffix: str) -> None:
    image = torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(0))
    save_image(image, tmp_path / f"low{suffix}", quality=20)
    save_image(image, tmp_path / f"high{suffix}")
    assert (tmp_path / f"low{suffix}").stat().st_size < (tmp_path / f"high{suffix}").stat().st_size


def test_jpeg_keeps_full_colour_resolution(tmp_path: Path) -> None:
    save_image(picture(), tmp_path / "a.jpg")
    with Image.open(tmp_path / "a.jpg") as file:
        assert {layer[1:3] for layer in file.layer} == {(1, 1)}  # type: ignore[attr-defined]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_profile_is_srgb_and_the_software_is_named(tmp_path: Path, suffix: str) -> None:
    save_image(picture(), tmp_path / f"a{suffix}")
    with Image.open(tmp_path / f"a{suffix}") as file:
        assert file.info["icc_profile"][36:40] == b"acsp" and file.info["icc_profile"][16:20] == b"RGB "
        assert file.getexif()[0x0131].startswith("photostyle ")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_note_round_trip(tmp_path: Path, suffix: str) -> None:
    note = {"recipe": "photo", "seed": 7, "λ": 1e4, "settings": {"steps": [1, None, True]}, "name": "Süd 🌅"}
    save_image(picture(), tmp_path / f"a{suffix}", note=note)
    assert read_note(tmp_path / f"a{suffix}") == note
    save_image(picture(), tmp_path / f"a{suffix}")
    assert read_note(tmp_path / f"a{suffix}") == {}


def test_a_note_keeps_strange_values_as_text(tmp_path: Path) -> None:
    save_image(picture(), tmp_path / "a.png", note={"style": Path("b.png")})
    assert read_note(tmp_path / "a.png") == {"style": "b.png"}


@pytest.mark.parametrize(
    "description", [b"OLYMPUS DIGITAL CAMERA", b"ASCII\0\0\0[1, 2]", b"ASCII\0\0\0 \xff", b"", "text"]
)
def test_a_foreign_comment_is_no_note(tmp_path: Path, description: object) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = description
    pillow(picture()).save(tmp_path / "a.jpg", exif=exif)
    assert read_note(tmp_path / "a.jpg") == {}


def test_a_note_from_nowhere(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="There is no file"):
        read_note(tmp_path / "a.jpg")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_equal_images_give_equal_bytes(tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    save_image(picture(), tmp_path / f"a{suffix}", note={"seed": 1})
    spaces.srgb_profile.cache_clear()  # as in another process,
    time.sleep(1.1 if suffix == ".png" else 0)  # a second later: Little CMS dates its profiles
    save_image(picture(), tmp_path / f"b{suffix}", note={"seed": 1})
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


@pytest.mark.parametrize("step", ["encode", "fsync", "replace"])
def test_a_failure_leaves_the_old_file(tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"old")

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(*{"encode": (Image.Image, "save")}.get(step, (os, step)), fail)
    with pytest.raises(ImageError, match=r"a\.png could not be written \(No space left on device\): try"):
        save_image(picture(), path)
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_an_interruption_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        save_image(picture(), tmp_path / "a.png")
    assert not list(tmp_path.iterdir())


def test_more_than_a_format_holds_is_an_image_error(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="could not be written"):
        save_image(torch.zeros(3, 8, 16384), tmp_path / "a.webp")
    with pytest.raises(ImageError, match="could not be written"):
        save_image(picture(), tmp_path / "a.jpg", note={"long": "x" * 70000})
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name != "posix", reason="permission bits are a POSIX matter")
def test_permissions_follow_the_umask_and_then_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    before = os.umask(0o027)
    try:
        save_image(picture(), path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        path.chmod(0o600)
        save_image(picture(), path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    finally:
        os.umask(before)


@pytest.mark.skipif(os.name != "posix", reason="links need a privilege on Windows")
def test_a_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "a.png").symlink_to(tmp_path / "real" / "b.png")
    save_image(picture(), tmp_path / "a.png")
    assert (tmp_path / "a.png").is_symlink() and load_image(tmp_path / "real" / "b.png").shape == (3, 24, 16)


# What a copy keeps


def photograph_with_everything(path: Path, **options: object) -> None:
    """EXIF with an orientation, a description, a camera and a place; XMP; a resolution."""
    exif = Image.Exif()
    exif[0x010E], exif[0x010F], exif[0x0112], exif[0x8298] = "Evening at the river", "Kamera", 6, "© Ann"
    exif.get_ifd(0x8769).update(
        {0x9003: "2024:05:06 07:08:09", 0x829A: 0.004, 0xA002: 24, 0xA003: 16, 0x927C: b"M" * 99}
    )
    exif[0x011A], exif[0x011B], exif[0x0128] = 300, 300, 2
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 51.0, 30.0)})
    kind = {".jpg": "JPEG", ".png": "PNG", ".tif": "TIFF", ".webp": "WEBP", ".avif": "AVIF", ".heic": "HEIF"}[
        path.suffix
    ]
    image = pillow(picture(16, 24))
    if kind == "PNG":
        texts = PngImagePlugin.PngInfo()
        texts.add_itxt("XML:com.adobe.xmp", XMP.decode())
        options["pnginfo"] = texts
    elif kind == "TIFF":
        exif[700] = XMP
    else:
        options["xmp"] = XMP
    image.save(path, kind, exif=exif.tobytes(), dpi=(300, 300), quality=95, **options)


XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" '
    b'xmp:Rating="5" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
)
KEEPERS = (".jpg", ".png", ".tif", ".webp", ".avif")


def facts(path: Path) -> tuple[Image.Exif, bytes]:
    with Image.open(path) as file:
        file.load()
        exif, xmp = file.getexif(), file.info.get("xmp", b"")
        exif.get_ifd(0x8769), exif.get_ifd(0x8825), exif.get_ifd(ExifTags.IFD.IFD1)
        return exif, xmp.encode() if isinstance(xmp, str) else xmp


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("target", KEEPERS)
@pytest.mark.parametrize("origin", KEEPERS)
def test_metadata_is_kept(tmp_path: Path, origin: str, target: str, bits: int) -> None:
    photograph_with_everything(tmp_path / f"in{origin}")
    photo = load_photograph(tmp_path / f"in{origin}")
    assert photo.pixels.shape == (3, 24, 16), "set upright"
    path = tmp_path / f"out{target}"
    save_photograph(photo.pixels, path, like=photo, bits=bits, note={"seed": 1})
    exif, xmp = facts(path)
    assert exif.get(0x0112, 1) == 1
    assert exif[0x010E] == "Evening at the river" and exif[0x8298].encode("utf-8", "replace")[-3:] == b"Ann"
    assert exif[0x0131].startswith("photostyle ") and exif[0x010F] == "Kamera"
    camera, place = exif.get_ifd(0x8769), exif.get_ifd(0x8825)
    assert camera[0x9003] == "2024:05:06 07:08:09" and float(camera[0x829A]) == pytest.approx(0.004)
    assert camera[0x927C] == b"M" * 99 and (camera[0xA002], camera[0xA003]) == (16, 24)
    assert tuple(map(float, place[2])) == (48, 51, 30)
    assert b'xmp:Rating="5"' in xmp and b'tiff:Orientation="6"' not in xmp
    again = load_photograph(path)
    assert again.resolution == pytest.approx((300, 300), abs=0.01)
    assert again.pixels.shape == (3, 24, 16) and again.bits == (bits if target in (".png", ".tif") else 8)
    assert read_note(path) == {"seed": 1}


@pytest.mark.parametrize("suffix", KEEPERS)
def test_metadata_is_left_out_when_asked(tmp_path: Path, suffix: str) -> None:
    photograph_with_everything(tmp_path / "in.jpg")
    photo = load_photograph(tmp_path / "in.jpg")
    for bits in (8, 16):
        path = tmp_path / f"out{suffix}"
        save_photograph(photo.pixels, path, like=photo, bits=bits, metadata=False, note={"content": "in.jpg"})
        data = path.read_bytes()
        for private in (b"river", b"Kamera", b"2024:05", b"xmp", b"in.jpg", b"photostyle", b"Ann"):
            assert private not in data
        assert load_photograph(path).exif in (None, load_photograph(path).exif)
        assert read_note(path) == {} and load_photograph(path).xmp is None


def test_a_thumbnail_of_the_old_picture_is_not_kept(tmp_path: Path) -> None:
    """EXIF whose second directory has a thumbnail, written by hand."""
    thumbnail = io.BytesIO()
    solid("RGB", "red").save(thumbnail, "JPEG")
    data = thumbnail.getvalue()
    first = struct.pack("<HHHIII", 1, 0x0112, 3, 1, 1, 8 + 2 + 12 + 4)
    second = (
        struct.pack("<H", 2) + struct.pack("<HHII", 0x0201, 4, 1, 56) + struct.pack("<HHII", 0x0202, 4, 1, len(data))
    )
    exif = b"Exif\0\0II*\0" + struct.pack("<I", 8) + first + second + bytes(4)
    assert len(exif) - 6 == 56
    pillow(picture()).save(tmp_path / "a.jpg", exif=exif + data)
    assert (tmp_path / "a.jpg").read_bytes().count(b"\xff\xd8\xff") == 2
    photo = load_photograph(tmp_path / "a.jpg")
    save_photograph(photo.pixels, tmp_path / "b.jpg", like=photo)
    assert (tmp_path / "b.jpg").read_bytes().count(b"\xff\xd8\xff") == 1


def test_too_much_metadata_for_jpeg_is_said(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Kamera"
    exif.get_ifd(0x8769)[0x927C] = bytes(70_000)
    photo = Photograph(picture(), exif=exif.tobytes(), xmp=b"<x:xmpmeta/>" + b" " * 70_000)
    said = save_photograph(picture(), tmp_path / "a.jpg", like=photo)
    assert [sentence.partition(":")[0] for sentence in said] == [
        "The EXIF is too long for JPEG",
        "The XMP is too long for JPEG",
    ]
    assert facts(tmp_path / "a.jpg")[0][0x010F] == "Kamera"
    assert save_photograph(picture(), tmp_path / "a.png", like=photo) == ()
    assert len(load_photograph(tmp_path / "a.png").exif or b"") > 70_000


def test_damaged_exif_does_not_stop_anything(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    photograph_with_everything(tmp_path / "a.jpg")
    whole = np.frombuffer((tmp_path / "a.jpg").read_bytes(), np.uint8)
    start = whole.tobytes().index(b"Exif")
    for _ in range(40):
        broken = whole.copy()
        broken[start + 14 + random.integers(0, 250, 4)] = random.integers(0, 256, 4)
        (tmp_path / "b.jpg").write_bytes(broken.tobytes())
        photo = load_photograph(tmp_path / "b.jpg")
        save_photograph(photo.pixels, tmp_path / "c.jpg", like=photo)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp", ".avif"])
@pytest.mark.parametrize("bits", [8, 16])
def test_alpha_is_kept(tmp_path: Path, suffix: str, bits: int) -> None:
    alpha = torch.linspace(0, 1, 24 * 16).reshape(1, 24, 16)
    photo = Photograph(picture(), alpha, bits=bits)
    save_photograph(picture(), tmp_path / f"a{suffix}", like=photo)
    again = load_photograph(tmp_path / f"a{suffix}")
    assert again.alpha is not None and (again.alpha - alpha).abs().max() < (
        0.02 if suffix in (".webp", ".avif") else 0.51 / (2**bits - 1)
    )
    assert torch.equal(again.pixels[:, 0, 0], torch.ones(3)), "what is not there is white"
    half = again.opaque()[:, 12, 8] - again.pixels[:, 12, 8]
    assert torch.allclose(half, (1 - again.alpha[:, 12, 8]) * (1 - again.pixels[:, 12, 8]), atol=1e-6)


def test_alpha_in_jpeg_is_laid_over_white_and_said(tmp_path: Path) -> None:
    photo = Photograph(torch.zeros(3, 24, 16), torch.full((1, 24, 16), 0.2))
    said = save_photograph(torch.zeros(3, 24, 16), tmp_path / "a.jpg", like=photo)
    assert said == (f"JPEG has no transparency: {tmp_path / 'a.jpg'} is laid over white.",)
    assert load_image(tmp_path / "a.jpg").mean().item() == pytest.approx(0.8, abs=0.01)


def test_alpha_follows_a_result_of_another_size(tmp_path: Path) -> None:
    alpha = torch.zeros(1, 24, 16)
    alpha[..., 8:] = 1
    save_photograph(picture(12, 8), tmp_path / "a.png", like=Photograph(picture(), alpha))
    again = load_photograph(tmp_path / "a.png").alpha
    assert again is not None and again[0, 5].round().tolist() == [0, 0, 0, 0, 1, 1, 1, 1]


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("size", [(24, 16), (700, 300), (350, 4000)])
def test_a_gradient_of_16_bits_survives(tmp_path: Path, suffix: str, size: tuple[int, int]) -> None:
    """To the very level, over more than one strip of the file, and as other readers see it."""
    levels = np.random.default_rng(0).integers(0, 3, (*size, 3)).cumsum(1) % 65536
    image = torch.from_numpy((levels / 65535).astype(np.float32)).permute(2, 0, 1)
    save_photograph(image, tmp_path / f"a{suffix}", bits=16)
    again = load_photograph(tmp_path / f"a{suffix}")
    assert again.bits == 16 and np.array_equal(sixteen(again.pixels), levels)
    with Image.open(tmp_path / f"a{suffix}") as file:
        assert np.array_equal(np.asarray(file), levels >> 8)
    if suffix == ".tif":
        assert np.array_equal(tifffile.imread(tmp_path / "a.tif"), levels)


def test_fewer_bits_are_dithered_without_bias(tmp_path: Path) -> None:
    """100.25 is 100 three times of four and 101 once; whole levels stay alone; each run gives the same bytes."""
    image = torch.full((3, 200, 200), 100.25 / 255)
    image[:, :, 100:] = 7 / 255
    deep = Photograph(image, bits=16)
    said = save_photograph(image, tmp_path / "a.webp", like=deep)
    assert said == (f"WEBP has 8 bits per channel, so {tmp_path / 'a.webp'} has.",)
    save_photograph(image, tmp_path / "a.png", like=deep, bits=8)
    levels = load_image(tmp_path / "a.png") * 255
    left = levels[:, :, :100]
    assert set(left.round().unique().tolist()) == {100, 101}
    assert left.mean().item() == pytest.approx(100.25, abs=4 * (0.25 * 0.75 / left[0].numel()) ** 0.5)
    assert levels[:, :, 100:].round().unique().tolist() == [7]
    first = (tmp_path / "a.png").read_bytes()
    save_photograph(image, tmp_path / "a.png", like=deep, bits=8)
    assert (tmp_path / "a.png").read_bytes() == first
    save_photograph(image, tmp_path / "a.png", bits=8)  # what had 8 bits is rounded
    assert (load_image(tmp_path / "a.png") * 255).round().unique().tolist() == [7, 100]


def test_gray_is_dithered_to_gray(tmp_path: Path) -> None:
    gray = torch.rand(1, 40, 50, generator=torch.Generator().manual_seed(0)).expand(3, -1, -1)
    save_photograph(gray, tmp_path / "a.png", dither=True)
    r, g, b = load_photograph(tmp_path / "a.png").pixels
    assert torch.equal(r, g) and torch.equal(g, b) and float((r - gray[0]).abs().mean()) > 0.1 / 255


def test_options_out_of_range(tmp_path: Path) -> None:
    for options, sentence in [
        ({"bits": 12}, "bits is 12: choose 8 or 16"),
        ({"profile": "adobe"}, "profile is 'adobe': choose keep or srgb"),
        ({"quality": 0}, "quality is 0: choose a whole number from 1 to 100"),
    ]:
        with pytest.raises(SettingsError, match=sentence):
            save_photograph(picture(), tmp_path / "a.png", **options)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_quality_changes_the_size(tmp_path: Path) -> None:
    noise = torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(0))
    for suffix in (".jpg", ".webp", ".avif"):
        sizes = []
        for quality in (20, 60, 95):
            save_photograph(noise, tmp_path / f"a{suffix}", quality=quality)
            sizes.append((tmp_path / f"a{suffix}").stat().st_size)
        assert sizes == sorted(set(sizes))


def test_plain_pictures_survive(tmp_path: Path) -> None:
    """All black, all white and of one colour, as wide as may be: each is a picture like others."""
    for value in (0.0, 1.0, 0.2):
        for size in ((8, 96), (96, 8), (8, 8)):
            for bits in (8, 16):
                save_photograph(torch.full((3, *size), value), tmp_path / "a.png", bits=bits)  # type: ignore[arg-type]
                assert torch.equal(load_image(tmp_path / "a.png"), torch.full((3, *size), value))


# HEIC, which needs an extra


def test_heic(tmp_path: Path) -> None:
    pytest.importorskip("pillow_heif")
    photo = Photograph(picture(64, 48), exif=None, resolution=(300.0, 300.0), profile=rgb_profile("Display P3"))
    save_photograph(photo.pixels, tmp_path / "a.heic", like=photo, note={"seed": 1})
    again = load_photograph(tmp_path / "a.heic")
    assert again.format == "HEIF" and (again.pixels - photo.pixels).abs().mean() < 0.02
    assert again.profile == photo.profile and again.resolution == pytest.approx((300, 300))
    assert read_note(tmp_path / "a.heic") == {"seed": 1}
    photograph_with_everything(tmp_path / "b.heic")
    turned = load_photograph(tmp_path / "b.heic")
    assert turned.pixels.shape == (3, 24, 16) and b'tiff:Orientation="6"' not in (turned.xmp or b"")
    (tmp_path / "c.heic").write_bytes((tmp_path / "a.heic").read_bytes()[:-300])
    assert "or cut short: convert or replace it." in error(tmp_path / "c.heic")


@pytest.mark.parametrize("bits", [10, 12])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_heic_of_more_than_8_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bits: int, channels: int) -> None:
    """Every level, without loss: black is 0, white is 1, and as many between them as were stored."""
    heif = pytest.importorskip("pillow_heif")
    monkeypatch.setattr(heif.options, "SAVE_HDR_TO_12_BIT", bits == 12)
    stored = np.arange(64 * 64 * channels).reshape(64, 64, channels)[:, ::-1] % 2**bits
    mode = {1: "I;16", 3: "RGB;16", 4: "RGBA;16"}[channels]
    picture = heif.from_bytes(mode, (64, 64), (stored << (16 - bits)).astype(np.uint16).tobytes())
    picture.save(tmp_path / "a.heic", quality=-1, chroma=444, matrix_coefficients=0)
    photo = load_photograph(tmp_path / "a.heic")
    expected = torch.from_numpy(stored / (2**bits - 1)).permute(2, 0, 1)
    assert photo.bits == 16 and photo.notes == ()
    if channels == 4:
        assert photo.alpha is not None and (photo.alpha - expected[3:]).abs().max() < 1e-5
        expected = torch.where(photo.alpha == 0, 1, expected[:3])
    assert (photo.pixels - expected.expand(3, -1, -1)).abs().max() < 1e-5
    said = save_photograph(photo.pixels, tmp_path / "b.heic", like=photo)
    assert f"HEIF has 8 bits per channel, so {tmp_path / 'b.heic'} has." in said


# Streams


def test_streams(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    save_photograph(picture(), buffer, format="TIFF", note={"seed": 2})
    assert buffer.getvalue().startswith(b"II*\0")
    buffer.seek(0)
    photo = load_photograph(buffer)
    assert torch.equal(photo.pixels, picture()) and photo.format == "TIFF"
    again = io.BytesIO()
    save_photograph(photo.pixels, again, like=photo)
    assert again.getvalue().startswith(b"II*\0")
    with pytest.raises(ImageError, match="The stream is empty: use another copy"):
        load_photograph(io.BytesIO())


def test_standard_input_and_output(tmp_path: Path) -> None:
    """In a process of its own, through pipes."""
    code = (
        "from photostyle.photofile import check_writable, load_photograph, save_photograph\n"
        "check_writable('-'); photo = load_photograph('-'); save_photograph(1 - photo.pixels, '-', like=photo)"
    )
    save_image(picture(), tmp_path / "a.png")
    command = [sys.executable, "-c", code]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, input=(tmp_path / "a.png").read_bytes(), capture_output=True, check=True, cwd=root)
    (tmp_path / "b.png").write_bytes(done.stdout)
    assert (load_image(tmp_path / "b.png") - (1 - picture())).abs().max() < 1e-6


def test_empty_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    with pytest.raises(ImageError, match="Standard input is empty: use another copy"):
        load_photograph("-")


@pytest.mark.skipif(os.name != "posix", reason="limits of file size are a POSIX matter")
def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    """The system itself refuses to write more than 64 kB."""
    import resource

    path = tmp_path / "a.png"
    save_image(picture(), path)
    before = path.read_bytes()
    noise = torch.rand(3, 256, 256, generator=torch.Generator().manual_seed(0))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, hard))
    try:
        with pytest.raises(ImageError, match=r"a\.png could not be written \(File too large\): try another folder"):
            save_image(noise, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_memory_of_a_large_photograph(tmp_path: Path) -> None:
    """Reading and writing 6 megapixels of 8 bits costs at most three copies in floats beside the process itself."""
    Image.linear_gradient("L").resize((3000, 2000)).convert("RGB").save(tmp_path / "a.jpg")
    code = (
        "from photostyle.bench.task import peak_memory as peak\n"
        "from photostyle.photofile import load_photograph, save_photograph\n"
        "before = peak(); photo = load_photograph('a.jpg'); read = peak()\n"
        "save_photograph(photo.pixels, 'b.jpg', like=photo); print(before, read, peak())"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, check=True, cwd=tmp_path, env=environment)
    before, read, written = map(int, done.stdout.split())
    floats = 6_000_000 * 3 * 4
    libraries = 40_000_000  # bytes of what is loaded when the first file is read and written
    assert 0 < read - before < 3 * floats + libraries and written - before < 3 * floats + libraries


# Whether a file could be written


def test_check_writable_leaves_no_trace(tmp_path: Path) -> None:
    (tmp_path / "old.png").write_bytes(b"old")
    before = tmp_path.stat().st_mtime_ns
    check_writable(tmp_path / "new.jpg")
    check_writable(tmp_path / "old.png")
    assert tmp_path.stat().st_mtime_ns == before and (tmp_path / "old.png").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["old.png"]


def test_check_writable_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "old.png").touch()
    listed = r"use one of \.jpg, \.jpeg, \.png, \.tif, \.tiff, \.webp, \.avif, \.heic"
    for name, sentence in {
        "a.bmp": f"a.bmp has no extension that can be written: {listed}",
        "a": listed,
        "folder.png": r"folder\.png is a folder",
        "none/a.png": "there is no folder .*none; make it first",
        "old.png/a.png": r"there is no folder .*old\.png",
    }.items():
        with pytest.raises(ImageError, match=sentence):
            check_writable(tmp_path / name)
        with pytest.raises(ImageError, match=sentence):
            save_image(picture(), tmp_path / name)
    # Permission bits would not stop root, so the system's answer is played.
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) == tmp_path)
    with pytest.raises(ImageError, match=r"old\.png is write-protected"):
        check_writable(tmp_path / "old.png")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(ImageError, match="its folder is read-only"):
        check_writable(tmp_path / "a.png")
