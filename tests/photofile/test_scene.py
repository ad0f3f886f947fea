"""OpenEXR and Radiance HDR: linear light becomes colours, what a screen cannot show is clipped and said."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from photostyle.errors import ImageError
from photostyle.photofile import load_photograph, save_photograph
from photostyle.photofile.scene import scene_format

HEIGHT, WIDTH = 24, 16


def light(seed: int = 0) -> NDArray[np.float32]:
    """Light that halves hold exactly."""
    return np.random.default_rng(seed).random((HEIGHT, WIDTH, 3)).astype(np.float16).astype(np.float32)


def shown(linear: NDArray[np.float32]) -> torch.Tensor:
    """Linear light, H×W×3, as sRGB, 3×H×W (IEC 61966-2-1)."""
    x = linear.astype(np.float64).clip(0, 1)
    return (
        torch.from_numpy(np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055)).permute(2, 0, 1).float()
    )


def write(path: Path, values: NDArray[np.float32], names: str = "RGB", **facts: Any) -> None:
    oiio = pytest.importorskip("OpenImageIO", reason="EXR and HDR need OpenImageIO (extra exr)")
    spec = oiio.ImageSpec(
        values.shape[1], values.shape[0], values.shape[2], "half" if path.suffix == ".exr" else "float"
    )
    spec.channelnames = tuple(names)
    for fact, value in facts.items():
        if isinstance(value, tuple):
            spec.attribute(fact, oiio.TypeDesc(f"float[{len(value)}]"), value)
        elif fact.startswith("full"):
            setattr(spec, fact, value)
        else:
            spec.attribute(fact, value)
    out = oiio.ImageOutput.create(str(path))
    assert out.open(str(path), spec) and out.write_image(np.ascontiguousarray(values)) and out.close()


def error(path: Path) -> str:
    with pytest.raises(ImageError) as caught:
        load_photograph(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@given(seed=st.integers(0, 99))
def test_linear_light_becomes_srgb(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    path = tmp_path_factory.mktemp("scene") / "a.exr"
    write(path, light(seed))
    photo = load_photograph(path)
    assert (photo.pixels - shown(light(seed))).abs().max() < 1e-5
    assert (photo.format, photo.bits, photo.notes, photo.profile) == ("EXR", 16, (), None)
    assert torch.equal(load_photograph(io.BytesIO(path.read_bytes())).pixels, photo.pixels)


def test_radiance(tmp_path: Path) -> None:
    write(tmp_path / "a.hdr", light())
    photo = load_photograph(tmp_path / "a.hdr")
    # Its three channels share an exponent: a step is 1/256 of the brightest, or half of that.
    linear = torch.from_numpy(light()).permute(2, 0, 1)
    near = (photo.pixels - shown(light())).abs()[linear > 0.25]
    assert near.max() < 0.01 and photo.format == "HDR"


@pytest.mark.parametrize("orientation", [3, 6])
def test_orientation(tmp_path: Path, orientation: int) -> None:
    write(tmp_path / "a.exr", light(), Orientation=orientation)
    turned = load_photograph(tmp_path / "a.exr").pixels
    expected = shown(light()).rot90({3: 2, 6: -1}[orientation], (1, 2))
    assert turned.shape == expected.shape and (turned - expected).abs().max() < 1e-5


def test_what_is_brighter_than_white_is_clipped_and_said(tmp_path: Path) -> None:
    values = light()
    values[:6], values[6:9, :, 0] = 8, -0.5
    write(tmp_path / "a.exr", values)
    photo = load_photograph(tmp_path / "a.exr")
    assert (photo.pixels - shown(values)).abs().max() < 1e-5
    name = tmp_path / "a.exr"
    assert photo.notes == (
        f"25.0 % of the pixels in {name} are brighter than white (up to 8) and were clipped.",
        f"12.5 % of the pixels in {name} are darker than black and were clipped.",
    )


def test_a_scene_that_is_bright_all_over_is_no_table_of_levels(tmp_path: Path) -> None:
    """In TIFF such numbers would be levels from 0 to 255."""
    write(tmp_path / "a.exr", np.full((HEIGHT, WIDTH, 3), 200, np.float32))
    assert load_photograph(tmp_path / "a.exr").pixels.min() > 1 - 1e-6


def test_alpha_was_multiplied_in(tmp_path: Path) -> None:
    alpha = np.full((HEIGHT, WIDTH, 1), 0.5, np.float32)
    write(tmp_path / "a.exr", np.concatenate([light() * 0.5, alpha], axis=2), "RGBA")
    photo = load_photograph(tmp_path / "a.exr")
    assert photo.alpha is not None and (photo.alpha - 0.5).abs().max() < 1e-6
    assert (photo.pixels - shown(light())).abs().max() < 2e-3  # what was halved is a half of fewer bits in the dark


def test_primaries_are_heeded(tmp_path: Path) -> None:
    """Rec. 2020's green lies outside sRGB, its white does not."""
    rec2020 = (0.708, 0.292, 0.17, 0.797, 0.131, 0.046, 0.3127, 0.329)
    values = np.full((HEIGHT, WIDTH, 3), 0.5, np.float32)
    values[: HEIGHT // 2] = (0, 0.5, 0)
    write(tmp_path / "a.exr", values, chromaticities=rec2020)
    photo = load_photograph(tmp_path / "a.exr")
    assert (photo.pixels[:, -1] - shown(values)[:, -1]).abs().max() < 1e-3
    assert (photo.pixels[0, 0] == 0).all() and "has colours outside sRGB in 50.0 %" in photo.notes[0]


def test_gray(tmp_path: Path) -> None:
    write(tmp_path / "a.exr", light()[..., :1], "Y")
    gray = light()[..., :1].repeat(3, axis=2)
    assert (load_photograph(tmp_path / "a.exr").pixels - shown(gray)).abs().max() < 1e-5


def test_a_larger_frame_is_said(tmp_path: Path) -> None:
    write(tmp_path / "a.exr", light(), full_width=WIDTH + 4)
    photo = load_photograph(tmp_path / "a.exr")
    assert photo.pixels.shape == (3, HEIGHT, WIDTH) and "is larger or smaller than its picture" in photo.notes[0]


def test_a_copy_has_sixteen_bits(tmp_path: Path) -> None:
    write(tmp_path / "a.exr", light())
    photo = load_photograph(tmp_path / "a.exr")
    save_photograph(photo.pixels, tmp_path / "b.tif", like=photo)
    again = load_photograph(tmp_path / "b.tif")
    assert again.bits == 16 and (again.pixels - photo.pixels).abs().max() < 1e-5


# What is wrong


def test_channels_that_are_no_colours(tmp_path: Path) -> None:
    write(tmp_path / "a.exr", light()[..., :2], "UV")
    assert error(tmp_path / "a.exr").endswith("a.exr has the channels U, V: export a picture with R, G and B.")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_number(tmp_path: Path, value: float) -> None:
    values = light()
    values[3, 3] = value
    write(tmp_path / "a.exr", values)
    assert "a.exr holds NaN or infinity" in error(tmp_path / "a.exr")


@pytest.mark.parametrize("name", ["a.exr", "a.hdr"])
def test_a_truncated_one(tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / name, light())
    whole = (tmp_path / name).read_bytes()
    for part in (0.05, 0.3, 0.6, 0.9):
        (tmp_path / name).write_bytes(whole[: int(part * len(whole))])
        said = error(tmp_path / name)
        assert said.startswith(f"{tmp_path / name} is damaged or incomplete (") and "picture." not in said
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("head", "format"), [(b"v/1\x01\2\0\0\0", "EXR"), (b"#?RADIANCE\n", "HDR"), (b"#?RGBE\n", "HDR")]
)
def test_without_its_reader_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, head: bytes, format: str
) -> None:
    assert scene_format(head) == format
    monkeypatch.setitem(sys.modules, "OpenImageIO", None)
    (tmp_path / "a").write_bytes(head + bytes(50))
    assert error(tmp_path / "a").endswith(
        f"a is {format}, which needs OpenImageIO: install it with `pip install 'photostyle[exr]'`, or convert the file."
    )


def test_its_size_is_looked_at_before_it_is_read(tmp_path: Path) -> None:
    write(tmp_path / "a.exr", light())
    with pytest.raises(ImageError, match=r"more than 0\.000383: make it smaller"):
        load_photograph(tmp_path / "a.exr", most_pixels=HEIGHT * WIDTH - 1)
