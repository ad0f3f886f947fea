"""What is written: pixels, quality, transparency; a whole file, or none."""

from __future__ import annotations

import io
import math
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from pictures import SUFFIXES, picture, sixteen
from PIL import Image
from torch import Tensor

from photostyle.errors import ImageError, SettingsError
from photostyle.photofile import (
    Photograph,
    check_writable,
    load_image,
    load_photograph,
    save_image,
    save_photograph,
    spaces,
)


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
    floats = 6_000_000 * 3 * 4
    libraries = 40_000_000  # bytes of what is loaded when the first file is read and written
    least = math.inf
    for _ in range(3):  # how much of what is freed goes back at once is left to chance, on a busy machine most of all
        done = subprocess.run(command, capture_output=True, check=True, cwd=tmp_path, env=environment)
        before, read, written = map(int, done.stdout.split())
        assert read - before > 0
        least = min(least, max(read, written) - before)
        if least < 3 * floats + libraries:
            break
    assert least < 3 * floats + libraries


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
