"""What is wrong with a file is said, and nothing is half done."""

from __future__ import annotations

import io
import struct
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from pictures import SIGNATURE, chunk, error, picture, pillow, solid
from PIL import Image

from photostyle.errors import ImageError
from photostyle.photofile import (
    bit_depth,
    check_writable,
    load_image,
    load_photograph,
    read_note,
    save_image,
    source,
)
from photostyle.photofile.source import Source, opened


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
