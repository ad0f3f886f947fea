"""What files hold comes out: every format, orientation, and what is transparent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from pictures import SUFFIXES, gray_profile, picture, pillow, solid, srgb_profile, swapped_profile
from PIL import Image

from photostyle.photofile import (
    FORMATS,
    bit_depth,
    load_image,
    save_image,
)


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
