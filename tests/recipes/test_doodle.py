"""Champandard 2016: maps, the front door and the command `photostyle doodle`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from commands import run_command
from PIL import Image
from torch import Tensor
from typer.testing import Result

from photostyle import load_image, read_note, save_image
from photostyle._doodle import doodle, doodle_steps, load_maps
from photostyle._transfer import transfer
from photostyle.descent.steps import finish
from photostyle.errors import DescentError, ImageError, RegionsError, SettingsError
from photostyle.network.vgg import VGG
from photostyle.recipes._starts import mapped_noise
from photostyle.recipes.champandard2016 import SemanticStyle, semantic_regions, semantic_style
from photostyle.regions.regions import Regions

Picture = Callable[..., Tensor]
QUICK: dict[str, Any] = {"size": 32, "steps": 3}


def halves(height: int, width: int, at: int) -> Tensor:
    """Two labels, the first down to that row."""
    top = torch.zeros(height, width)
    top[:at] = 1
    return torch.stack([top, 1 - top])


@pytest.fixture
def style() -> Tensor:
    """Bright over dark, both with grain."""
    grain = 0.1 * torch.rand(3, 48, 48, generator=torch.Generator().manual_seed(0))
    return 0.1 + grain + 0.7 * halves(48, 48, 24)[:1]


STYLE_MAP = halves(48, 48, 24)
TARGET_MAP = halves(24, 32, 12).flip(0)  # the first label below


@pytest.fixture
def vgg(fake_weights) -> VGG:
    return VGG(fake_weights())


# --- the recipe --------------------------------------------------------------------------------------


def test_a_doodle_is_laid_out_as_its_map_says(style: Tensor, vgg: VGG) -> None:
    """What is bright above in the style is bright below where the map turns it upside down."""
    p = SemanticStyle(size=64, steps=30, octaves=1, start="noise")
    O = finish(semantic_style(style, STYLE_MAP, TARGET_MAP, None, vgg, p))
    assert O.shape == (3, 48, 64) and 0 <= float(O.min()) <= float(O.max()) <= 1
    assert float(O[:, 30:].mean()) > float(O[:, :18].mean()) + 0.4


def test_the_maps_decide_by_their_weight(style: Tensor, vgg: VGG) -> None:
    """Without maps the content's own brightness decides."""
    content = style[:, :, :36]
    upside_down = halves(48, 36, 24).flip(0)
    means = []
    for weight in (0.0, 10.0):
        p = SemanticStyle(size=48, steps=20, semantic_weight=weight, content_weight=0.0, color_weight=20.0)
        O = finish(semantic_style(style, STYLE_MAP, upside_down, content, vgg, p))
        means.append(float(O[:, 28:].mean() - O[:, :20].mean()))
    assert means[0] < -0.4 and means[1] > 0.3


def test_the_recipe_takes_regions_for_maps(style: Tensor, vgg: VGG) -> None:
    content = style[:, :, :36]
    regions = Regions(("a", "b"), halves(48, 36, 20), STYLE_MAP)
    p = SemanticStyle(**QUICK)
    assert torch.equal(
        finish(semantic_regions(content, style, regions, vgg, p)),
        finish(semantic_style(style, regions.style, regions.content, content, vgg, p)),
    )


def test_continuous_maps_of_any_channels(picture: Picture, style: Tensor, vgg: VGG) -> None:
    for channels in (1, 3, 5):
        maps = [
            torch.rand(channels, *size, generator=torch.Generator().manual_seed(0)) for size in ((48, 48), (20, 30))
        ]
        O = finish(semantic_style(style, *maps, None, vgg, SemanticStyle(**QUICK)))
        assert O.shape == (3, 21, 32) and bool(O.isfinite().all())


def test_the_start_has_the_colours_that_go_with_the_map() -> None:
    """Red is on the style's first label alone, blue on the second: so it is in the picture."""
    S = torch.zeros(3, 10, 12)
    S[0, :, :4], S[2, :, 4:] = 0.8, 0.6
    M_S = (S[[0, 2]] > 0).float()
    M_O = halves(16, 20, 9)
    O = mapped_noise(torch.zeros(3, 16, 20), S, M_S, M_O, seed=0)
    expected = torch.stack([0.8 * M_O[0], torch.zeros(16, 20), 0.6 * M_O[1]])
    torch.testing.assert_close(O, expected, rtol=0, atol=1e-3)


def test_where_the_map_is_between_two_the_start_is_too(picture: Picture) -> None:
    """A map that is the style's own brightness: the darker the map, the darker the start."""
    ramp = torch.linspace(0, 1, 40).expand(1, 20, 40)
    O = mapped_noise(torch.zeros(3, 30, 30), ramp.expand(3, -1, -1), ramp, ramp.flip(2), seed=0)
    columns = O.mean((0, 1))
    assert (
        float(columns[:10].mean()) > 0.7 > 0.6 > float(columns[10:20].mean()) > 0.4 > 0.3 > float(columns[20:].mean())
    )
    assert not torch.equal(O, mapped_noise(torch.zeros(3, 30, 30), ramp.expand(3, -1, -1), ramp, ramp.flip(2), seed=1))


@pytest.mark.parametrize(
    "setting", [{"variety": 1.0}, {"seed": 1}, {"stride": 2}, {"patch": 1}, {"color_weight": 0.0}, {"start": "noise"}]
)
def test_settings_make_a_difference(style: Tensor, vgg: VGG, setting: dict[str, Any]) -> None:
    usual, other = (
        finish(semantic_style(style, STYLE_MAP, TARGET_MAP, None, vgg, SemanticStyle(size=64, steps=3, octaves=1, **s)))
        for s in ({}, setting)
    )
    assert not torch.equal(usual, other)


# --- the front door ----------------------------------------------------------------------------------


@pytest.mark.usefixtures("little_network")
def test_a_doodle_is_the_end_of_its_steps(style: Tensor) -> None:
    options = QUICK | {"device": "cpu"}
    steps = doodle_steps(style, STYLE_MAP, TARGET_MAP, **options)
    assert torch.equal(doodle(style.double(), STYLE_MAP.double(), TARGET_MAP, **options), finish(steps))


@pytest.mark.usefixtures("little_network")
def test_with_content_it_is_the_recipe_of_that_name(style: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    content, target = style[:, :, :36], halves(48, 36, 20)
    options = QUICK | {"device": "cpu"}
    regions = Regions(("a", "b"), target, STYLE_MAP)
    assert torch.equal(
        doodle(style, STYLE_MAP, target, content, **options),
        transfer(content, style, regions, recipe="doodle", **options),
    )


NAN = torch.full((2, 24, 32), float("nan"))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"style": torch.zeros(1, 48, 48)}, ImageError, "The style must be a 3×H×W tensor"),
        ({"content": torch.zeros(3, 24)}, ImageError, "The content must be a 3×H×W tensor"),
        ({"style_map": torch.zeros(2, 48, 20)}, RegionsError, "style map is 20×48 but the style is 48×48"),
        ({"content": torch.zeros(3, 50, 10)}, RegionsError, "target map is 32×24 but the content is 10×50"),
        ({"target_map": torch.zeros(3, 24, 32)}, RegionsError, "style map has 2 channels and the target map 3"),
        ({"target_map": NAN}, RegionsError, "target map must be K×H×W, finite floats"),
        ({"target_map": torch.zeros(24, 32)}, RegionsError, "target map must be K×H×W"),
        ({"target_map": torch.zeros(2, 24, 32, dtype=torch.uint8)}, RegionsError, "uint8"),
        ({"brush": 3}, SettingsError, "no setting 'brush'.*semantic_weight"),
        ({"variety": 2}, SettingsError, "variety must be at most 1"),
        ({"pooling": "deep"}, SettingsError, "pooling must be one of average, max"),
        ({"device": "abacus"}, SettingsError, "no device 'abacus'"),
    ],
)
def test_mistakes_are_told_before_any_work(
    style: Tensor, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    def no_network(*_: object) -> None:
        raise AssertionError("weights were loaded before the check")

    monkeypatch.setattr("photostyle.network.network.load_weights", no_network)
    given = {"style": style, "style_map": STYLE_MAP, "target_map": TARGET_MAP} | options
    with pytest.raises(error, match=message):
        next(doodle_steps(**given))


# --- maps from files ---------------------------------------------------------------------------------


def paint(path: Path, size: tuple[int, int], above: Any, below: Any, mode: str = "RGB") -> Path:
    """A map of two flat colours, one over the other."""
    image = Image.new(mode, size, above)
    image.paste(below, (0, size[1] // 2, *size))
    image.save(path)
    return path


def fade_to(path: Path, size: tuple[int, int]) -> Path:
    """A map of many colours: from black to white, row by row."""
    image = Image.new("L", size)
    image.putdata([round(255 * y / (size[1] - 1)) for y in range(size[1]) for _ in range(size[0])])
    image.convert("RGB").save(path)
    return path


def test_flat_colors_are_labels(tmp_path: Path) -> None:
    maps = load_maps(
        paint(tmp_path / "s.png", (48, 40), "red", "blue"), paint(tmp_path / "t.png", (30, 20), "blue", "red")
    )
    assert set(maps.labels) == {"red", "blue"} and maps.style.shape == (2, 40, 48) and maps.target.shape == (2, 20, 30)
    red = maps.labels.index("red")
    assert bool((maps.style[red, :20] == 1).all()) and bool((maps.target[red, 10:] == 1).all())


def test_a_label_that_the_style_lacks_is_told(tmp_path: Path) -> None:
    image = Image.new("RGB", (40, 40), "red")
    image.paste("lime", (0, 0, 40, 10))
    image.paste("blue", (0, 30, 40, 40))
    image.save(tmp_path / "t.png")
    maps = load_maps(paint(tmp_path / "s.png", (40, 40), "red", "blue"), tmp_path / "t.png")
    assert len(maps.labels) == 2 and "green" in maps.notes[0] and "merged into red" in maps.notes[0]


def test_many_colors_are_colors(tmp_path: Path) -> None:
    flat, many = paint(tmp_path / "s.png", (48, 40), "red", "blue"), fade_to(tmp_path / "t.png", (30, 200))
    for kind in ("auto", "colors"):
        maps = load_maps(flat, many, kind)
        assert maps.labels == () and maps.style.shape == (3, 40, 48) and maps.target.shape == (3, 200, 30)
    assert torch.equal(load_maps(flat, flat, "colors").style, load_image(flat))
    with pytest.raises(RegionsError, match=r"t\.png is not a label image"):
        load_maps(flat, many, "labels")


def test_gray_maps_and_transparent_ones(tmp_path: Path) -> None:
    gray = [paint(tmp_path / f"{n}.png", (32, 32), 0, 200, "L") for n in "ab"]
    assert len(load_maps(*gray).labels) == 2
    clear = paint(tmp_path / "c.png", (32, 32), (255, 0, 0, 0), (0, 0, 255, 255), "RGBA")
    assert torch.equal(load_maps(clear, clear, "colors").style[:, 0, 0], torch.ones(3))


def test_maps_that_cannot_be(tmp_path: Path) -> None:
    flat = paint(tmp_path / "s.png", (32, 32), "red", "blue")
    with pytest.raises(ImageError, match="no file"):
        load_maps(tmp_path / "none.png", flat)
    with pytest.raises(RegionsError, match="Nothing can be paired"):
        load_maps(flat, paint(tmp_path / "t.png", (32, 32), "black", "yellow"))
    with pytest.raises(SettingsError, match="auto, labels, colors, not 'words'"):
        load_maps(flat, flat, "words")  # type: ignore[arg-type]


# --- the command -------------------------------------------------------------------------------------


@pytest.fixture
def run(small_network: Path) -> Callable[..., Result]:
    """`run(path, …)`: the command in this process, with a network of few channels."""

    def invoke(*args: object) -> Result:
        return run_command("doodle", *args)

    return invoke


@pytest.fixture
def files(tmp_path: Path, style: Tensor) -> tuple[Path, Path, Path]:
    """A style, its map, and a target map of another shape."""
    save_image(style, tmp_path / "style.png")
    return (
        tmp_path / "style.png",
        paint(tmp_path / "style-map.png", (48, 48), "red", "blue"),
        paint(tmp_path / "target-map.png", (64, 40), "blue", "red"),
    )


SMALL = ("--size", 32, "--steps", 2, "--semantic-weight", 20)


def test_the_command_writes_a_picture_and_how_it_was_made(run, files: tuple[Path, ...], tmp_path: Path) -> None:
    output = tmp_path / "out.png"
    result = run(*files, "-o", output, *SMALL)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith(f"Wrote {output}: 32×20 pixels in ")
    assert "Labels: blue, red." in result.stderr and "32 px: 2/2" in result.stderr
    assert load_image(output).shape == (3, 20, 32)
    note = read_note(output)
    assert (note["recipe"], note["maps"], note["style_map"]) == ("doodle", "labels", "style-map.png")
    assert note["settings"]["semantic_weight"] == 20 and note["settings"]["steps"] == 2  # type: ignore[index]


def test_the_command_with_content_and_colors(run, files: tuple[Path, ...], tmp_path: Path, picture: Picture) -> None:
    save_image(picture(40, 64), tmp_path / "content.jpg")
    output = tmp_path / "out.jpg"
    result = run(*files, "-o", output, "--content", tmp_path / "content.jpg", "--maps", "colors", "-q", *SMALL)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    assert read_note(output)["maps"] == "colors" and read_note(output)["content"] == "content.jpg"


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("-o", "out.bmp"), "extension"),
        (("-o", "style.png"), "one of the input files"),
        (("-o", "out.png", "--size", "huge"), "size must be a whole number"),
        (("-o", "out.png", "--brush", "3"), "There is no option --brush"),
        (("-o", "out.png", "--content", "none.jpg"), "no file none.jpg"),
        (("-o", "out.png", "--content", "style.png"), "target map is 64×40 but the content is 48×48"),
        (("-o", "out.png", "--backbone", "resnet"), "resnet"),
    ],
)
def test_mistakes_end_in_one_line(
    run, files: tuple[Path, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    before = (tmp_path / "style.png").read_bytes()
    result = run(*files, *args)
    assert result.exit_code == 2 and result.stdout == ""
    assert result.stderr.splitlines()[-1].startswith("Error: ") and words in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "out.png").exists() and (tmp_path / "style.png").read_bytes() == before


def test_the_last_good_image_is_kept(run, files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: object, **__: object) -> Any:
        raise DescentError("The energy is not finite (patches): lower the weights.", torch.full((3, 20, 32), 0.5))
        yield

    monkeypatch.setattr("photostyle.jobs.doodle.doodle_steps", breaks)
    result = run(*files, "-o", tmp_path / "out.png")
    assert result.exit_code == 2 and "out-partial.png" in result.stderr
    assert read_note(tmp_path / "out-partial.png")["partial"] is True and not (tmp_path / "out.png").exists()
