"""More than 8 bits, and floating point: every level comes back."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from pictures import chunk, error, raw_png, sixteen
from PIL import Image

from photostyle.photofile import (
    bit_depth,
    load_image,
    load_photograph,
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
