"""Photographs: what a file holds comes out, what is wrong with it is said, nothing is left half done."""

from __future__ import annotations

import os
import stat
import struct
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms
from torch import Tensor

import photostyle.image as module
from photostyle.errors import ImageError, SettingsError
from photostyle.image import (
    FORMATS,
    bit_depth,
    check_writable,
    fit_size,
    load_image,
    read_note,
    resize,
    save_image,
    shrink,
)

SUFFIXES = sorted(FORMATS)


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


def png16(rgb: np.ndarray) -> bytes:
    """A 16-bit RGB PNG, which Pillow cannot write."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    height, width, _ = rgb.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in rgb)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
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


@pytest.mark.parametrize("profile", [b"junk", srgb_profile()[:300], gray_profile(1.0)])
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


@pytest.mark.parametrize("suffix, encode", [(".png", png16), (".tif", tiff16)])
def test_rgb_of_16_bits_is_found_out_and_read_at_8(tmp_path: Path, suffix: str, encode: object) -> None:
    path = tmp_path / f"a{suffix}"
    rgb = np.arange(24 * 16 * 3, dtype=np.uint16).reshape(24, 16, 3) * 56
    path.write_bytes(encode(rgb))  # type: ignore[operator]
    assert bit_depth(path) == 16
    expected = torch.from_numpy(rgb.astype(np.float32)).permute(2, 0, 1) / 65535
    assert (load_image(path) - expected).abs().max() <= 1 / 255


# What is wrong with a file


def test_no_such_file(tmp_path: Path) -> None:
    assert error(tmp_path / "a.png") == f"There is no file {tmp_path / 'a.png'}: check the name."


def test_a_folder(tmp_path: Path) -> None:
    assert error(tmp_path) == f"{tmp_path} is a folder, not a photograph: name a file in it."


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(module, "open", refuse, raising=False)  # chmod would not stop root
    assert "a.png may not be read" in error(tmp_path / "a.png")


@pytest.mark.parametrize("data", [b"", b"Dear photograph", b"GIF89a" + bytes(50)])
def test_no_photograph(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.jpg").write_bytes(data)
    assert "a.jpg is no JPEG, PNG, TIFF or WebP, or cut short: convert or replace it." in error(tmp_path / "a.jpg")


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


def test_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pillow(picture()).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 24 * 16 // 2 - 1)
    assert "a.png has more than 178 megapixels" in error(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 24 * 16 - 1)  # here Pillow would warn
    assert torch.equal(load_image(tmp_path / "a.png"), picture())


def test_floating_point_pixels(tmp_path: Path) -> None:
    solid("F", 0.5).save(tmp_path / "a.tif")
    assert error(tmp_path / "a.tif").endswith("has F pixels: save it with 8 or 16 bits per channel.")


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


@pytest.mark.parametrize("description", ["OLYMPUS DIGITAL CAMERA", "[1, 2]", "12"])
def test_a_foreign_description_is_no_note(tmp_path: Path, description: str) -> None:
    exif = Image.Exif()
    exif[0x010E] = description
    pillow(picture()).save(tmp_path / "a.jpg", exif=exif)
    assert read_note(tmp_path / "a.jpg") == {}


def test_a_note_from_nowhere(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="There is no file"):
        read_note(tmp_path / "a.jpg")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_equal_images_give_equal_bytes(tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    save_image(picture(), tmp_path / f"a{suffix}", note={"seed": 1})
    module._srgb_profile.cache_clear()  # as in another process,
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
    listed = r"use one of \.jpg, \.jpeg, \.png, \.tif, \.tiff, \.webp"
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


# Sizes


@pytest.mark.parametrize("change", [resize, shrink])
@pytest.mark.parametrize("size", [(5, 7), (31, 40), (24, 16), (1, 1)])
def test_a_constant_stays_constant(change: object, size: tuple[int, int]) -> None:
    for dtype in (torch.float32, torch.float64):
        changed = change(torch.full((2, 24, 16), 0.3, dtype=dtype), size)  # type: ignore[operator]
        assert changed.shape == (2, *size) and changed.dtype == dtype
        assert torch.allclose(changed, torch.tensor(0.3, dtype=dtype), atol=1e-6)


def test_resize_to_the_same_size_changes_nothing() -> None:
    assert torch.equal(resize(picture(), (24, 16)), picture())


def test_resize_follows_a_ramp_and_stays_in_range() -> None:
    ramp = (torch.arange(64.0) + 0.5).expand(1, 8, 64) / 64
    for width in (32, 128):
        expected = (torch.arange(float(width)) + 0.5) / width
        inner = slice(width // 8, -width // 8)  # the border knows only one side
        assert torch.allclose(resize(ramp, (8, width))[0, 0, inner], expected[inner], atol=1e-3)
    edge = torch.zeros(1, 8, 8)
    edge[..., 4:] = 1
    assert resize(edge, (40, 40)).min() >= 0 and resize(edge, (40, 40)).max() <= 1  # Lanczos would overshoot


def test_resize_does_not_alias() -> None:
    stripes = (torch.arange(64) % 2).float().expand(1, 64, 64)
    assert (resize(stripes, (64, 16))[..., 2:-2] - 0.5).abs().max() < 0.05


def test_shrink_by_hand() -> None:
    image = torch.tensor([[[1.0, 2.0, 3.0], [4.0, 5.0, 9.0]]])  # 1×2×3
    assert shrink(image, (1, 1)).item() == pytest.approx(4)
    assert shrink(image, (1, 3))[0, 0].tolist() == pytest.approx([2.5, 3.5, 6])
    # Three columns become two: each takes one whole and half of the middle one.
    assert shrink(image, (2, 2))[0].flatten().tolist() == pytest.approx([4 / 3, 8 / 3, 13 / 3, 23 / 3])


def test_shrink_keeps_the_mean_and_the_gradient() -> None:
    image = torch.rand(3, 17, 23, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(shrink(image, (5, 7)).mean((1, 2)), image.mean((1, 2)))
    assert torch.autograd.gradcheck(lambda x: shrink(x, (2, 3)), image[:1, :5, :7].clone().requires_grad_())


def test_fit_size() -> None:
    assert fit_size(300, 400, 200) == (150, 200)
    assert fit_size(400, 300, 200) == (200, 150)
    assert fit_size(525, 700, 448) == (336, 448)
    assert fit_size(300, 400, 800) == (300, 400)
    assert fit_size(300, 400, 800, enlarge=True) == (600, 800)
    assert fit_size(1, 5000, 100) == (1, 100)
