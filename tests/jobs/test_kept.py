"""Whatever makes a picture of a photograph, the picture keeps what the photograph has.

Depth, colour profile, EXIF, resolution; an orientation is applied, and then there is none.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import torch
from commands import run_command
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from torch import Tensor

from photostyle import Adjustment, Photograph, find_look, load_photograph, save_image, save_look, save_photograph

pytestmark = pytest.mark.usefixtures("small_network")
examples = settings(max_examples=24, derandomize=True, deadline=None, database=None)

_EXIF_IFD, _ARTIST, _TAKEN, _ORIENTATION = 0x8769, 0x013B, 0x9003, 0x0112
_TALL = 5  # from this orientation on, width and height are exchanged


def _gamma_profile() -> bytes:
    """An RGB profile that is not sRGB: its curves replaced by a gamma of 1.8, in place."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = int.from_bytes(data[128:132])
    for entry in (data[132 + 12 * i : 144 + 12 * i] for i in range(count)):
        if entry[:4] in (b"rTRC", b"gTRC", b"bTRC"):
            start = int.from_bytes(entry[4:8])
            data[start : start + 16] = b"para" + bytes(8) + round(1.8 * 65536).to_bytes(4)
    return bytes(data)


PROFILE = _gamma_profile()


@dataclass(frozen=True)
class Kind:
    """A photograph, as it may come; `resolution` in pixels per inch, `orientation` as EXIF counts them."""

    suffix: str
    bits: int
    profile: bytes | None
    resolution: tuple[float, float] | None
    orientation: int
    artist: str

    def write(self, path: Path) -> None:
        exif = Image.Exif()
        exif[_ORIENTATION], exif[_ARTIST] = self.orientation, self.artist
        exif.get_ifd(_EXIF_IFD)[_TAKEN] = "2024:05:06 07:08:09"
        pixels = scene(48, 40)
        like = Photograph(pixels, bits=self.bits, profile=self.profile, exif=exif.tobytes(), resolution=self.resolution)
        save_photograph(pixels, path, like=like)

    def check(self, path: Path, size: tuple[int, int] | None = None) -> None:
        """`size` is width and height where it is not the photograph's own."""
        found = load_photograph(path)
        deep = path.suffix in (".png", ".tif")
        assert found.bits == (self.bits if deep and self.suffix in (".png", ".tif") else 8)
        if self.profile:
            assert found.profile == self.profile
        if self.resolution is None:
            assert found.resolution is None
        else:
            assert found.resolution == pytest.approx(self.resolution, abs=0.02)  # whole pixels per metre
        with Image.open(path) as file:
            exif = file.getexif()
            assert exif[_ARTIST] == self.artist and exif.get_ifd(_EXIF_IFD)[_TAKEN] == "2024:05:06 07:08:09"
            assert exif.get(_ORIENTATION, 1) == 1
            assert file.size == (size or ((48, 40) if self.orientation >= _TALL else (40, 48)))


kinds = st.builds(
    Kind,
    suffix=st.sampled_from([".png", ".tif", ".jpg"]),
    bits=st.sampled_from([8, 16]),
    profile=st.sampled_from([None, PROFILE]),
    resolution=st.none() | st.tuples(st.integers(30, 4000), st.integers(30, 4000)),
    orientation=st.integers(1, 8),
    artist=st.text("ABCabc .", min_size=1, max_size=20).filter(str.strip).map(str.strip),
)
targets = st.sampled_from([".png", ".tif", ".jpg", ".webp"])


def scene(height: int, width: int) -> Tensor:
    """A bright disc before a dark ground, each with some shade."""
    y, x = torch.meshgrid(torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij")
    disc = ((0.7 - (x * x + y * y).sqrt()) * 8).clamp(0, 1)
    shade = 0.1 * (1 + x) * torch.tensor([1.0, 0.7, 0.4])[:, None, None]
    return 0.1 + shade + 0.6 * disc


def trimap(size: torch.Size) -> Tensor:
    """White where the disc is sure, black where it is not, grey around its edge."""
    y, x = torch.meshgrid(*(torch.linspace(-1, 1, side) for side in size), indexing="ij")
    r = (x * x + y * y).sqrt()
    return torch.where(r < 0.5, 1.0, torch.where(r > 0.85, 0.0, 0.5))


Command = Callable[[Path, str], list[list[object]]]


def _matte(photo: Path, suffix: str) -> list[list[object]]:
    folder, pixels = photo.parent, load_photograph(photo).pixels
    save_image(trimap(pixels.shape[1:]).expand(3, -1, -1), folder / "trimap.png")
    save_image(torch.rand(3, 30, 30), folder / "new.png")
    words: list[object] = ["matte", photo, "--trimap", folder / "trimap.png", "-o", folder / "matte.png"]
    if suffix == ".jpg":  # which has no transparency
        return [[*words, "--background", folder / "new.png", "--composite", folder / "out.jpg"]]
    return [[*words, "--foreground", folder / f"out{suffix}"]]


def _transfer(recipe: str, *more: object) -> Command:
    def words(photo: Path, suffix: str) -> list[list[object]]:
        out = photo.with_name(f"out{suffix}")
        return [["transfer", photo, photo.with_name("style.png"), "-o", out, "--recipe", recipe, *more]]

    return words


def _apply(photo: Path, suffix: str) -> list[list[object]]:
    pixels = load_photograph(photo).pixels
    save_look(find_look(pixels, pixels**1.5), photo.with_name("look.safetensors"))
    return [["apply", photo.with_name("look.safetensors"), photo, "-o", photo.with_name(f"out{suffix}")]]


def _batch(photo: Path, suffix: str) -> list[list[object]]:
    (photo.parent / "jobs.csv").write_text(f"content,style,output\n{photo.name},style.png,out{suffix}\n")
    options = ["--workers", 0, "--recipe", "reinhard", "--regions", "none", "--quiet"]
    return [["batch", photo.parent / "jobs.csv", "-o", photo.parent, *options]]


def _doodle(photo: Path, suffix: str) -> list[list[object]]:
    size = load_photograph(photo).pixels.shape[1:]
    save_image((trimap(size) > 0.7).float().expand(3, -1, -1), photo.with_name("target.png"))
    save_image((trimap(torch.Size((40, 40))) > 0.7).float().expand(3, -1, -1), photo.with_name("source.png"))
    files = [photo.with_name(name) for name in ("style.png", "source.png", "target.png")]
    quick = ["--size", 48, "--steps", 1, "--octaves", 1]
    return [["doodle", *files, "--content", photo, "-o", photo.with_name(f"out{suffix}"), *quick]]


COMMANDS: dict[str, Command] = {
    "a cut-out or a composite": _matte,
    "a transfer": _transfer("reinhard"),
    "a painting": _transfer("gatys", "--size", 48, "--steps", 1, "--levels", 1),
    "a look": _apply,
    "a batch": _batch,
    "a doodle": _doodle,
}


def run(words: list[object]) -> None:
    done = run_command(*words)
    assert done.exit_code == 0, done.output


@examples
@given(kinds, targets, st.sampled_from(sorted(COMMANDS)))
def test_every_command_keeps_what_a_photograph_has(kind: Kind, suffix: str, command: str) -> None:
    with TemporaryDirectory() as folder:
        photo = Path(folder) / f"photo{kind.suffix}"
        kind.write(photo)
        save_image(0.2 + 0.6 * torch.rand(3, 40, 40), photo.with_name("style.png"))
        for words in COMMANDS[command](photo, suffix):
            run(words)
        kind.check(photo.with_name(f"out{suffix}"))


@examples
@given(kinds)
def test_a_matte_is_as_deep_and_as_large_as_the_photograph_but_no_picture_of_it(kind: Kind) -> None:
    with TemporaryDirectory() as folder:
        photo = Path(folder) / f"photo{kind.suffix}"
        kind.write(photo)
        for words in _matte(photo, ".png"):
            run(words)
        original, found = load_photograph(photo), load_photograph(Path(folder) / "matte.png")
        assert found.bits == original.bits and found.pixels.shape == original.pixels.shape
        assert found.resolution == (original.resolution and pytest.approx(original.resolution, abs=0.02))
        assert found.profile is None or found.profile != PROFILE
        with Image.open(Path(folder) / "matte.png") as file:
            assert _ARTIST not in file.getexif()


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_metadata_stays_out_where_it_is_not_wanted(command: str, tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    Kind(".png", 8, None, None, 1, "Ann").write(photo)
    save_image(0.2 + 0.6 * torch.rand(3, 40, 40), tmp_path / "style.png")
    for words in COMMANDS[command](photo, ".png"):
        run([*words, "--strip-metadata"])
    with Image.open(tmp_path / "out.png") as file:
        assert not dict(file.getexif())


@pytest.mark.parametrize("resolution", [None, (300, 300), (72, 150)])
def test_a_tiff_says_a_resolution_only_where_there_is_one(resolution: tuple[int, int] | None, tmp_path: Path) -> None:
    """A reader that finds no resolution in a TIFF guesses one pixel per inch."""
    pixels = torch.rand(3, 9, 11)
    for metadata in (True, False):
        save_photograph(pixels, tmp_path / "a.tif", like=Photograph(pixels, resolution=resolution), metadata=metadata)
        assert load_photograph(tmp_path / "a.tif").resolution == resolution
        with Image.open(tmp_path / "a.tif") as file:
            assert file.info.get("dpi") == resolution


def test_a_ratio_without_a_unit_is_no_resolution(tmp_path: Path) -> None:
    Image.new("RGB", (9, 9)).save(tmp_path / "a.tif", tiffinfo={282: 72, 283: 72, 296: 1})
    assert load_photograph(tmp_path / "a.tif").resolution is None


# --- the studio --------------------------------------------------------------------------------------


@settings(examples, max_examples=12)
@given(kinds, st.sampled_from([("TIFF", ".tif"), ("PNG", ".png")]), st.booleans())
def test_the_studio_keeps_what_a_photograph_has(kind: Kind, target: tuple[str, str], cut: bool) -> None:
    pytest.importorskip("fastapi", reason="the extra studio is not installed")
    from photostyle.studio.picture import receive
    from photostyle.studio.result import Order, Result
    from photostyle.studio.saving import Saving

    with TemporaryDirectory() as folder:
        photo = Path(folder) / f"photo{kind.suffix}"
        kind.write(photo)
        content = receive(photo.read_bytes(), photo.name, Path(folder), 1e6)
        pixels = content.load().pixels
        made = torch.cat([pixels, trimap(pixels.shape[1:])[None]]) if cut else pixels
        mask = io.BytesIO()
        Image.fromarray(np.zeros((8, 8), np.uint8)).save(mask, "PNG")
        result = Result.keep(
            made,
            Path(folder) / "result",
            content=content,
            style=content,
            order=Order("reinhard", "standard", {}),
            note={},
            trimap=mask.getvalue() if cut else None,
        )
        out = Path(folder) / f"out{target[1]}"
        data, _ = result.file(Saving(target[0]), Adjustment())
        out.write_bytes(data)
        kind.check(out)
