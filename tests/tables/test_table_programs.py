"""The tables that are written, in the programs that they are for, against our own application of the same files."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from photostyle import fade, load_image, load_table, make_table, save_photograph, save_table
from photostyle.color.difference import delta_e
from photostyle.color.spaces import luma
from photostyle.maps.lattice import ColorMap, cube

ROOT = Path(__file__).parents[2]
MOST = 0.5  # mean ΔE2000


def film() -> ColorMap:
    """A strong look: contrast, warm lights and teal shadows, less green, and much that leaves the range."""
    x = cube(17)
    y = 0.5 + 1.25 * (x - 0.45) + 0.15 * (luma(x) - 0.5) * torch.tensor([1.0, 0.0, -1.0]).view(3, 1, 1, 1)
    y[1] -= 0.2 * (x[1] - x.mean(0)).clamp(min=0)
    return ColorMap.of(y)


@pytest.fixture
def photograph(tmp_path: Path) -> Path:
    """A photograph, 8 bits, with a ramp of saturated colours at its foot."""
    image = load_image(ROOT / "examples" / "palace-night" / "content.jpg")[:, ::3, ::3].clone()
    ramp = torch.linspace(0, 1, image.shape[2])
    image[:, -30:-20] = torch.stack([ramp, 1 - ramp, 0 * ramp])[:, None]
    image[:, -20:-10] = torch.stack([0 * ramp, ramp, 1 - ramp])[:, None]
    image[:, -10:] = torch.stack([1 - ramp, ramp * 0, ramp])[:, None]
    save_photograph(image, tmp_path / "photo.png", metadata=False)
    return tmp_path / "photo.png"


def program(*names: str) -> str:
    """The first of these that is installed; the test is skipped where none is."""
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.skip(f"{names[0]} is not installed")
    return found


def run(*args: object) -> None:
    subprocess.run(list(map(str, args)), check=True, capture_output=True, timeout=120)


def compare(photograph: Path, table: Path, result: Path, space: str = "srgb") -> None:
    """Their result is ours, and neither is the photograph."""
    before, theirs = load_image(photograph), load_image(result)
    ours = load_table(table, space=space).apply(before)
    assert float(delta_e(theirs, ours).mean()) <= MOST
    assert float(delta_e(before, ours).mean()) > 10 * MOST


@pytest.mark.parametrize("interpolation", ["trilinear", "tetrahedral"])
@pytest.mark.parametrize("suffix", ["cube", "3dl"])
def test_ffmpeg_lut3d(tmp_path: Path, photograph: Path, interpolation: str, suffix: str) -> None:
    ffmpeg = program("ffmpeg")
    table, result = tmp_path / f"film.{suffix}", tmp_path / "result.png"
    save_table(make_table(film(), 33 if suffix == "cube" else 17), table)
    run(ffmpeg, "-i", photograph, "-vf", f"format=gbrp,lut3d={table}:interp={interpolation}", result)
    compare(photograph, table, result)


def test_ffmpeg_lut3d_in_16_bits(tmp_path: Path, photograph: Path) -> None:
    ffmpeg = program("ffmpeg")
    table, result, deep = tmp_path / "film.cube", tmp_path / "result.png", tmp_path / "deep.png"
    image = fade(load_image(photograph), load_image(photograph).flip(2), 0.31)  # levels between those of 8 bits
    save_photograph(image, deep, bits=16, metadata=False)
    save_table(make_table(film(), 65), table)
    run(ffmpeg, "-i", deep, "-vf", f"format=gbrp16,lut3d={table}:interp=tetrahedral", "-pix_fmt", "rgb48be", result)
    ours = load_table(table).apply(load_image(deep))
    assert float((load_image(result) - ours).abs().max()) < 2e-4


@pytest.mark.parametrize(("size", "bits"), [(64, 8), (64, 16), (144, 16)])
def test_ffmpeg_haldclut(tmp_path: Path, photograph: Path, size: int, bits) -> None:
    ffmpeg = program("ffmpeg")
    table, result = tmp_path / "film.png", tmp_path / "result.png"
    save_table(make_table(film(), size), table, bits=bits)
    run(ffmpeg, "-i", photograph, "-i", table, "-filter_complex", "[0][1]haldclut", result)
    compare(photograph, table, result)


@pytest.mark.parametrize(("size", "bits"), [(64, 8), (100, 16)])
def test_graphicsmagick(tmp_path: Path, photograph: Path, size: int, bits) -> None:
    gm = program("gm")
    table, result = tmp_path / "film.png", tmp_path / "result.png"
    save_table(make_table(film(), size), table, bits=bits)
    run(gm, "convert", photograph, "-hald-clut", table, result)
    compare(photograph, table, result)


@pytest.mark.parametrize(("size", "bits"), [(64, 8), (100, 16)])
def test_imagemagick(tmp_path: Path, photograph: Path, size: int, bits) -> None:
    magick = program("magick", "convert-im6", "convert-im6.q16")
    table, result = tmp_path / "film.png", tmp_path / "result.png"
    save_table(make_table(film(), size), table, bits=bits)
    run(magick, photograph, table, "-hald-clut", result)
    compare(photograph, table, result)


def through_opencolorio(image: Tensor, table: Path) -> Tensor:
    """3×H×W float32 through a file, by the library of studios and of Blender, Krita, Nuke."""
    ocio = pytest.importorskip("PyOpenColorIO")
    transform = ocio.FileTransform(str(table), interpolation=ocio.INTERP_TETRAHEDRAL)
    processor = ocio.Config.CreateRaw().getProcessor(transform).getDefaultCPUProcessor()
    pixels = np.ascontiguousarray(image.permute(1, 2, 0).numpy())
    processor.applyRGB(pixels)
    return torch.from_numpy(pixels).permute(2, 0, 1)


@pytest.mark.parametrize(
    ("name", "size", "space"),
    [
        ("film.cube", 17, "srgb"),
        ("film.cube", 33, "srgb"),
        ("film.cube", 33, "display-p3"),
        ("film.cube", 65, "rec709"),
        ("film.cube", 33, "linear"),  # with a shaper, in Resolve's dialect
        ("film.3dl", 17, "srgb"),
        ("film.3dl", 33, "srgb"),
    ],
)
def test_opencolorio_gives_the_same_numbers(tmp_path: Path, photograph: Path, name: str, size: int, space: str) -> None:
    image = load_image(photograph)
    save_table(make_table(film(), size, space=space), tmp_path / name)
    table = load_table(tmp_path / name, space=space)
    theirs = through_opencolorio(image, tmp_path / name)
    torch.testing.assert_close(theirs, table(image), rtol=0, atol=2e-4 if space == "linear" else 2e-5)


@pytest.mark.parametrize(
    "head",
    [
        "LUT_1D_SIZE 3\n{rows}",
        "DOMAIN_MIN 0 0 0\nDOMAIN_MAX 2 2 2\nLUT_1D_SIZE 3\n{rows}",
        "DOMAIN_MIN -0.5 0 0.25\nDOMAIN_MAX 1 1.5 1\nLUT_3D_SIZE 2\n{cube}",
        "LUT_3D_SIZE 2\nLUT_3D_INPUT_RANGE 0.1 0.8\n{cube}",
        "LUT_1D_SIZE 3\nLUT_1D_INPUT_RANGE 0 0.5\n{rows}",
        "LUT_1D_SIZE 3\nLUT_1D_INPUT_RANGE 0 1.5\nLUT_3D_SIZE 2\nLUT_3D_INPUT_RANGE 0.1 0.7\n{rows}{cube}",
    ],
)
def test_wild_files_mean_to_opencolorio_what_they_mean_to_us(tmp_path: Path, photograph: Path, head: str) -> None:
    noise = torch.rand(11, 3, generator=torch.Generator().manual_seed(0))
    lines = [" ".join(f"{x:.6f}" for x in row) for row in noise.tolist()]
    text = head.format(rows="\n".join(sorted(lines[:3])) + "\n", cube="\n".join(lines[3:]) + "\n")
    (tmp_path / "wild.cube").write_text(text)
    image = load_image(photograph)
    theirs = through_opencolorio(image, tmp_path / "wild.cube")
    torch.testing.assert_close(theirs, load_table(tmp_path / "wild.cube")(image), rtol=0, atol=2e-5)
