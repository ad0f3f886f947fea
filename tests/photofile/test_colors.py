"""What numbers mean as colours: profiles, and the marks of formats."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from pictures import SRGB_PARAMETERS, chunk, error, parametric, raw_png, rgb_profile, solid
from PIL import Image

from photostyle.photofile import (
    load_image,
    load_photograph,
    save_photograph,
    spaces,
)
from photostyle.photofile.decode import decode
from photostyle.photofile.source import opened

# Where sRGB's red, green and blue and its middle gray lie in them, from published tables of colour conversions.
KNOWN = {
    "Display P3": ((0.9175, 0.2003, 0.1386), (0.4584, 0.9853, 0.2983), (0.0, 0.0, 0.9596)),
    "Adobe RGB": ((0.8586, 0.0, 0.0), (0.5650, 1.0, 0.2344), (0.0, 0.0, 0.9810)),
    "ProPhoto": ((0.7022, 0.2757, 0.1036), (0.5402, 0.9276, 0.3046), (0.3361, 0.1372, 0.9225)),
}


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
