"""A camera's raw files: told by what they hold, developed alike in every frame, and what is wrong is said."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import raws
import torch
from commands import run_command
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from photostyle.batch.lines import read_lines
from photostyle.batch.plan import plan
from photostyle.errors import ImageError
from photostyle.photofile import bit_depth, decode, load_photograph, read_note, save_photograph
from photostyle.photofile.raw import preview_exif, raw_kind
from photostyle.photofile.source import EXTENSIONS

pytest.importorskip("rawpy", reason="raw files need rawpy (extra raw)")

ROOT = Path(__file__).parents[2]
HEIGHT, WIDTH = 48, 64
LEVEL = 16 / 65535  # LibRaw computes in integers
THUMBNAIL = Image.new("RGB", (24, 16), (200, 10, 10))


def halves(
    left: tuple[float, ...] = (0.2, 0.5, 0.35), right: tuple[float, ...] = (0.05, 0.1, 0.4)
) -> NDArray[np.float64]:
    """Linear light in two colours, side by side."""
    light = np.empty((HEIGHT, WIDTH, 3))
    light[:, : WIDTH // 2], light[:, WIDTH // 2 :] = left, right
    return light


def shown(light: object) -> torch.Tensor:
    """Linear light as sRGB (IEC 61966-2-1)."""
    x = np.asarray(light, np.float64)
    return torch.from_numpy(np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055)).float()


def check_colors(pixels: torch.Tensor, light: NDArray[np.float64], within: float = LEVEL) -> None:
    """Away from the edges, where two colours meet and demosaicing guesses."""
    expected = shown(light).permute(2, 0, 1)
    assert pixels.shape == expected.shape
    for columns in (slice(8, WIDTH // 2 - 8), slice(WIDTH // 2 + 8, WIDTH - 8)):
        assert (pixels - expected)[:, 8:-8, columns].abs().max() < within


def error(data: bytes, name: str = "a.dng") -> str:
    stream = io.BytesIO(data)
    stream.name = name
    with pytest.raises(ImageError) as caught:
        load_photograph(stream)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# What comes out


@given(
    left=st.tuples(*[st.floats(0.01, 0.99)] * 3),
    neutral=st.tuples(*[st.floats(0.3, 1)] * 3),
)
def test_the_colours_are_those_of_the_light_under_the_cameras_white_balance(
    left: tuple[float, ...], neutral: tuple[float, ...]
) -> None:
    neutral = tuple(np.round(np.array(neutral) / max(neutral), 4))
    photo = load_photograph(io.BytesIO(raws.dng(halves(left), neutral=neutral)))
    check_colors(photo.pixels, halves(left), 0.002)  # of 14 bits and less, where the neutral is dark
    assert photo.notes == () and photo.alpha is None and photo.profile is None


def test_colours_that_were_found_before(tmp_path: Path) -> None:
    check_colors(load_photograph(io.BytesIO(raws.linear_dng(halves()))).pixels, halves())


def test_what_is_known_of_a_raw_file(tmp_path: Path) -> None:
    taken = {0x9003: raws.text("2024:05:06 07:08:09")}
    path = tmp_path / "frame.DNG"
    path.write_bytes(raws.dng(halves(), exif=taken))
    photo = load_photograph(path)
    assert (photo.format, photo.bits, bit_depth(path), photo.resolution) == ("RAW", 16, 16, (300, 300))
    exif = photo.exif or b""
    assert b"Maker\0" in exif and b"Model 1\0" in exif and b"2024:05:06 07:08:09\0" in exif
    assert read_note(path) == {}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("write", [raws.dng, raws.linear_dng])
def test_every_orientation(write: Callable[..., bytes], orientation: int) -> None:
    light = halves()
    light[: HEIGHT // 2] *= 0.3  # no turn of it is like another
    plain = load_photograph(io.BytesIO(write(light))).pixels
    turned = load_photograph(io.BytesIO(write(light, orientation=orientation)))
    image = Image.fromarray(plain.mul(255).byte().permute(1, 2, 0).numpy())
    ways = Image.Transpose
    way = {
        2: ways.FLIP_LEFT_RIGHT,
        3: ways.ROTATE_180,
        4: ways.FLIP_TOP_BOTTOM,
        5: ways.TRANSPOSE,
        6: ways.ROTATE_270,
        7: ways.TRANSVERSE,
        8: ways.ROTATE_90,
    }.get(orientation)
    expected = np.asarray(image if way is None else image.transpose(way))
    assert np.array_equal(turned.pixels.mul(255).byte().permute(1, 2, 0).numpy(), expected)


def test_equal_light_gives_equal_levels_whatever_else_is_in_the_frame() -> None:
    """Neither the mean nor the brightest spot of a frame moves the rest."""
    left = (0.2, 0.3, 0.25)
    frames = [
        load_photograph(io.BytesIO(raws.dng(halves(left, right)))).pixels[:, 8:-8, 8:24]
        for right in ((0.001,) * 3, (0.3,) * 3, (0.8,) * 3, (0.95,) * 3, (1.0,) * 3)
    ]
    assert all(torch.equal(frame, frames[0]) for frame in frames)


def test_a_dark_frame_stays_dark() -> None:
    light = halves((0.002, 0.003, 0.002), (0.001, 0.001, 0.004))
    check_colors(load_photograph(io.BytesIO(raws.dng(light))).pixels, light, 0.003)


@pytest.mark.parametrize("stops", [-1.0, 0.5, 1.0])
def test_the_exposure_that_a_dng_asks_for(stops: float) -> None:
    asked = raws.dng(halves(), {0xC62A: raws.fractions(stops)})
    check_colors(load_photograph(io.BytesIO(asked)).pixels, (halves() * 2**stops).clip(0, 1), 4 * LEVEL)


@pytest.mark.parametrize("value", [raws.fractions(1000), (10, 1, bytes(8)), raws.text("bright"), raws.longs(1, 2)])
def test_an_exposure_that_is_no_number_of_stops_is_none(value: raws.Tag) -> None:
    check_colors(load_photograph(io.BytesIO(raws.dng(halves(), {0xC62A: value}))).pixels, halves())


def test_what_lies_beyond_the_cameras_frame_is_cut_off() -> None:
    """In DNG the crop counts from the active area, and both from the sensor."""
    light = halves()
    light[:10], light[40:], light[:, :12], light[:, 52:] = 1, 1, 1, 1
    whole = load_photograph(io.BytesIO(raws.dng(light))).pixels
    active = {0xC68D: raws.longs(2, 4, 46, 60)}
    crop = {0xC61F: raws.longs(8, 8), 0xC620: raws.longs(40, 30)}
    cut = load_photograph(io.BytesIO(raws.dng(light, active | crop))).pixels
    assert cut.shape == (3, 30, 40) and torch.equal(cut, whole[:, 10:40, 12:52])
    turned = load_photograph(io.BytesIO(raws.dng(light, active | crop, orientation=6))).pixels
    assert torch.equal(turned, cut.rot90(-1, (1, 2)))


def test_without_a_white_balance_it_is_daylight_and_said(tmp_path: Path) -> None:
    (tmp_path / "a.dng").write_bytes(raws.dng(halves(), neutral=None))
    photo = load_photograph(tmp_path / "a.dng")
    check_colors(photo.pixels, halves())
    said = "holds no white balance of the camera: it is developed for daylight."
    assert photo.notes == (f"{tmp_path / 'a.dng'} {said}",)


@pytest.mark.parametrize(("suffix", "bits"), [(".tif", 16), (".jpg", 8)])
def test_a_copy_keeps_what_its_format_has_room_for(tmp_path: Path, suffix: str, bits: int) -> None:
    photo = load_photograph(
        io.BytesIO(raws.dng(halves(), exif={0x9003: raws.text("2024:05:06 07:08:09")}, orientation=6))
    )
    save_photograph(photo.pixels, tmp_path / f"a{suffix}", like=photo)
    again = load_photograph(tmp_path / f"a{suffix}")
    assert again.bits == bits and again.resolution == (300, 300) and again.pixels.shape == photo.pixels.shape
    assert b"2024:05:06 07:08:09" in (again.exif or b"")
    if bits == 16:
        assert torch.equal(again.pixels, photo.pixels)


# What is a raw file


def test_a_thumbnail_is_never_taken_for_the_photograph(tmp_path: Path) -> None:
    """Whatever the file is called, and though any reader of TIFF finds the thumbnail first."""
    data = raws.below_a_thumbnail(halves(), THUMBNAIL)
    with Image.open(io.BytesIO(data)) as image:
        assert image.size == THUMBNAIL.size
    for name, kind in (("a.nef", "NEF"), ("a.tif", "TIFF/EP"), ("a.jpg", "TIFF/EP"), ("a", "TIFF/EP")):
        (tmp_path / name).write_bytes(data)
        photo = load_photograph(tmp_path / name)
        assert photo.pixels.shape == (3, HEIGHT, WIDTH) and photo.format == "RAW"
        misled = f"{tmp_path / name} is a raw file of a camera ({kind}) in spite of its name."
        assert (misled in photo.notes) == (name in ("a.tif", "a.jpg"))


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"II*\0\x10\0\0\0CR\2\0", "CR2"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1", "CR3"),
        (b"II\x1a\0\0\0HEAPCCDR", "CRW"),
        (b"II*\0\x08\0\0\0IIII", "IIQ"),
        (b"\0MRM\0\0", "MRW"),
        (b"IIRO\x08\0\0\0", "ORF"),
        (b"MMOR\0\0\0\x08", "ORF"),
        (b"FUJIFILMCCD-RAW 0201", "RAF"),
        (b"IIU\0\x18\0\0\0", "RW2"),
        (b"FOVb\0\0", "X3F"),
    ],
)
def test_kinds_by_their_first_bytes(head: bytes, kind: str) -> None:
    assert raw_kind("a.jpg", io.BytesIO(head + bytes(50))) == kind
    said = error(head + bytes(50), "a")
    assert f"a is a raw file of a camera ({kind}) that LibRaw" in said or "a is damaged or incomplete (" in said


def test_no_other_picture_is_one(tmp_path: Path) -> None:
    image = Image.new("RGB", (16, 16))
    for suffix in (".jpg", ".png", ".tif", ".webp", ".avif", ".bmp", ".gif", ".ppm"):
        image.save(tmp_path / f"a{suffix}")
        assert raw_kind(f"a{suffix}", io.BytesIO((tmp_path / f"a{suffix}").read_bytes())) is None
    image.save(tmp_path / "a.nef", "JPEG")
    photo = load_photograph(tmp_path / "a.nef")
    assert photo.notes == (f"{tmp_path / 'a.nef'} is a JPEG in spite of its name.",)


def test_the_exif_of_a_preview() -> None:
    """Which is where cameras put it in files that are no TIFFs."""
    data = raws.below_a_thumbnail(halves(), THUMBNAIL)
    assert preview_exif("a", "RAF", io.BytesIO(data))[0x0110] == "Model of the preview"
    assert dict(preview_exif("a", "RAF", io.BytesIO(raws.dng(halves())))) == {}


# What is wrong with one


def test_without_its_reader_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rawpy", None)
    for name, data, kind in (
        ("frame.CR2", b"II*\0\x10\0\0\0CR\2\0" + bytes(50), "CR2"),
        ("frame", raws.dng(halves()), "DNG"),
        ("frame.nef", raws.below_a_thumbnail(halves(), THUMBNAIL), "NEF"),
    ):
        assert error(data, name) == (
            f"{name} is a raw file of a camera ({kind}), which needs rawpy: "
            "install it with `pip install 'photostyle[raw]'`, or convert the file."
        )


def test_a_truncated_one(capfd: pytest.CaptureFixture[str]) -> None:
    whole = raws.dng(halves())
    sensors = HEIGHT * WIDTH * 2
    for size in range(len(whole) - sensors, len(whole), 500):
        assert error(whole[:size]) == "a.dng is cut short: use another copy."
    assert capfd.readouterr() == ("", "")  # LibRaw would complain by itself


def test_what_libraw_says_is_part_of_the_sentence() -> None:
    deflated = raws.dng(halves(), {0x0103: raws.shorts(8)})
    said = "a.dng is damaged or incomplete (Corrupted data or unexpected EOF): use another copy."
    assert error(deflated) == said


def test_any_damage_is_an_image_error_or_nothing() -> None:
    random = np.random.default_rng(0)
    for whole in (raws.dng(halves()), raws.below_a_thumbnail(halves(), THUMBNAIL)):
        data = np.frombuffer(whole, np.uint8)
        for _ in range(60):
            broken = data[: random.integers(1, len(data) + 1)].copy()
            broken[random.integers(0, min(600, len(broken)), 3)] = random.integers(0, 256, 3)
            try:
                load_photograph(io.BytesIO(broken.tobytes()))
            except ImageError as caught:
                assert "\n" not in str(caught)


def test_a_tiff_that_is_only_called_a_raw_file(tmp_path: Path) -> None:
    Image.new("RGB", (16, 16)).save(tmp_path / "a.dng", "TIFF")
    said = error((tmp_path / "a.dng").read_bytes())
    assert said.startswith("a.dng is a raw file of a camera (DNG) that LibRaw ") and "develop it" in said


def test_its_size_is_looked_at_before_it_is_developed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "develop", None)
    with pytest.raises(ImageError, match=r"has 0\.0 megapixels, more than 0\.003071: make it smaller"):
        load_photograph(io.BytesIO(raws.dng(halves())), most_pixels=HEIGHT * WIDTH - 1)


# On the command line


def test_a_raw_file_is_given_a_style(tmp_path: Path) -> None:
    (tmp_path / "frame.dng").write_bytes(raws.dng(halves(), orientation=6))
    Image.linear_gradient("L").convert("RGB").save(tmp_path / "style.png")
    quick = ("--recipe", "reinhard", "--regions", "none")
    done = run_command("transfer", tmp_path / "frame.dng", tmp_path / "style.png", "-o", tmp_path / "out.tif", *quick)
    assert done.exit_code == 0, done.stderr
    out = load_photograph(tmp_path / "out.tif")
    assert out.bits == 16 and out.pixels.shape == (3, WIDTH, HEIGHT) and b"Model 1" in (out.exif or b"")


def test_a_truncated_one_is_one_sentence_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "frame.dng").write_bytes(raws.dng(halves())[:3000])
    Image.linear_gradient("L").convert("RGB").save(tmp_path / "style.png")
    line = [sys.executable, "-m", "photostyle", "transfer", "frame.dng", "style.png", "-o", "out.tif"]
    env = os.environ | {"PYTHONPATH": str(ROOT)}  # a process of its own, for what a library in C would say
    done = subprocess.run(line, capture_output=True, text=True, check=False, cwd=tmp_path, env=env)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "Error: frame.dng is cut short: use another copy.\n"
    assert not (tmp_path / "out.tif").exists()


def test_a_batch_takes_raw_files(tmp_path: Path) -> None:
    """A folder as cameras leave it, with a JPEG beside each raw file; no result takes the place of another."""
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    (photos / "a.DNG").write_bytes(raws.dng(halves()))
    Image.fromarray((halves() * 255).astype(np.uint8)).save(photos / "a.jpg")
    (photos / "b.dng").write_bytes(raws.dng(halves())[:3000])
    Image.linear_gradient("L").convert("RGB").save(tmp_path / "style.png")
    options = ("--recipe", "reinhard", "--regions", "none", "--workers", 0)
    done = run_command("batch", photos, "--style", tmp_path / "style.png", "-o", out, *options)
    assert done.exit_code != 0 and "b.dng is cut short: use another copy." in done.stderr
    assert sorted(path.name for path in out.iterdir() if path.suffix == ".jpg") == ["a.DNG.jpg", "a.jpg"]
    deep = run_command(
        "batch", photos, "--style", tmp_path / "style.png", "-o", tmp_path / "deep", "--format", "tif", *options
    )
    assert "b.dng" in deep.stderr and load_photograph(tmp_path / "deep" / "a.DNG.tif").bits == 16


def test_a_batch_finds_raw_files_of_every_kind(tmp_path: Path) -> None:
    for suffix in EXTENSIONS["RAW"]:
        (tmp_path / f"a{suffix.upper()}").touch()
    told: list[str] = []
    lines = read_lines(str(tmp_path), str(tmp_path / "out"), told.append)
    assert len(lines) == len(EXTENSIONS["RAW"]) and told == []
    style = str(tmp_path / "a.DNG")
    tasks = plan(lines, str(tmp_path / "out"), style=style, options={"recipe": "reinhard", "regions": "none"})
    assert len({task.output for task in tasks}) == len(lines)
