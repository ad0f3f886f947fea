"""Transparent pixels have no say: in no recipe, on neither side, whatever colours are hidden under them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import torch
from commands import run_command
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor
from typer.testing import Result

from photostyle import RECIPES, Photograph, load_photograph, save_photograph
from photostyle.errors import ImageError, RegionsError
from photostyle.regions.regions import Regions

Run = Callable[..., Result]

examples = settings(max_examples=60, derandomize=True, deadline=None, database=None)
PLAIN = ("reinhard", "monge-kantorovich", "pitie")  # of which the right answer is known
TINY = {"size": 32, "steps": 2}


@pytest.fixture(autouse=True)
def small(small_network: Path) -> None:
    """A network of few channels."""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`run("transfer", …)`: the command line in this process, in the folder of the files."""
    monkeypatch.chdir(tmp_path)
    return run_command


def write(path: Path, pixels: Tensor, alpha: Tensor, hidden: tuple[int, int, int]) -> Path:
    """PNG of 8 bits: pixels 3×H×W, alpha H×W, and a colour where nothing is seen."""
    levels = (pixels * 255).round().to(torch.uint8).permute(1, 2, 0).numpy().copy()
    levels[alpha.numpy() == 0] = hidden
    Image.fromarray(np.dstack([levels, (alpha * 255).round().to(torch.uint8).numpy()])).save(path)
    return path


def left_half(height: int, width: int) -> Tensor:
    alpha = torch.zeros(height, width)
    alpha[:, : width // 2] = 1
    return alpha


def options(recipe: str) -> list[str]:
    known = {field.name for field in fields(RECIPES[recipe].settings)}
    return [word for name, value in TINY.items() if name in known for word in (f"--{name}", str(value))]


def pixels_of(path: str) -> Tensor:
    return load_photograph(path).pixels


# --- what fills the gaps -------------------------------------------------------------------------------


@examples
@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**31), st.floats(0.1, 0.95), st.integers(1, 3))
def test_each_pixel_that_is_seen_fills_as_often_as_any_other(
    height: int, width: int, seed: int, share: float, count: int
) -> None:
    chance = torch.Generator().manual_seed(seed)
    pixels = torch.rand(3, height, width, generator=chance)
    alpha = (torch.rand(height, width, generator=chance) < share).float()
    alpha[0, 0] = 1
    labels = torch.randint(count, (height, width), generator=chance)
    masks = (labels == torch.arange(count)[:, None, None]).float()
    filled = Photograph(pixels, alpha[None]).filled(masks)
    assert torch.equal(filled[:, alpha == 1], pixels[:, alpha == 1])
    for label in range(count):
        seen, hidden = (labels == label) & (alpha == 1), (labels == label) & (alpha == 0)
        if not seen.any():
            continue
        same = (filled[:, hidden][:, :, None] == pixels[:, seen][:, None]).all(0)  # hidden × seen
        assert bool((same.sum(1) >= 1).all())
        uses = same.sum(0)
        assert int(uses.max()) - int(uses.min()) <= 1


def test_what_is_half_transparent_keeps_its_colour() -> None:
    pixels, alpha = torch.rand(3, 8, 8), torch.linspace(0.1, 1, 64).view(1, 8, 8)
    assert torch.equal(Photograph(pixels, alpha).filled(), pixels)
    assert Photograph(pixels).filled() is pixels


def test_all_transparent_is_an_error() -> None:
    with pytest.raises(ImageError, match="wholly transparent: there is nothing to see"):
        Photograph(torch.rand(3, 8, 8), torch.zeros(1, 8, 8)).filled()


def test_regions_of_the_style_lose_what_is_transparent() -> None:
    masks = torch.stack([left_half(8, 8), 1 - left_half(8, 8)])
    regions = Regions(("left", "right"), masks, masks)
    half = torch.ones(1, 8, 8)
    half[:, :4] = 0.25
    seen = regions.seen(half)
    assert torch.equal(seen.style, masks * half) and torch.equal(seen.content, masks)
    assert regions.seen(None) is regions
    with pytest.raises(RegionsError, match="Region right of the style is wholly transparent"):
        regions.seen(left_half(8, 8)[None])


# --- the command line ----------------------------------------------------------------------------------


@pytest.mark.parametrize("recipe", [name for name in RECIPES if name != "doodle"])
def test_hidden_colours_change_nothing(run: Run, tmp_path: Path, picture: Callable[..., Tensor], recipe: str) -> None:
    for name, hidden in (("a", (255, 255, 255)), ("b", (255, 0, 255))):
        write(tmp_path / f"content-{name}.png", picture(40, 48), left_half(40, 48), hidden)
        write(tmp_path / f"style-{name}.png", picture(48, 40, seed=1), left_half(48, 40), hidden)
    for name in "ab":
        result = run(
            *("transfer", f"content-{name}.png", f"style-{name}.png", "-o", f"{name}.png", "--recipe", recipe),
            *("--regions", "none", *options(recipe)),
        )
        assert result.exit_code == 0, result.output
        assert f"50% of style-{name}.png is transparent: that has no say in the result." in result.output
    made = [load_photograph(f"{name}.png") for name in "ab"]
    assert torch.equal(made[0].pixels, made[1].pixels)
    assert made[0].alpha is not None and made[1].alpha is not None
    if made[0].pixels.shape[1:] == (40, 48):
        assert torch.equal(made[0].alpha[0], left_half(40, 48))


@pytest.mark.parametrize("recipe", PLAIN)
def test_a_reference_that_is_half_transparent_is_its_other_half(
    run: Run, tmp_path: Path, picture: Callable[..., Tensor], recipe: str
) -> None:
    write(tmp_path / "content.png", picture(40, 48), torch.ones(40, 48), (0, 0, 0))
    whole = picture(40, 80, seed=1)
    write(tmp_path / "clear.png", whole, left_half(40, 80), (0, 255, 0))
    write(tmp_path / "cut.png", whole[:, :, :40], torch.ones(40, 40), (0, 0, 0))
    for name in ("clear", "cut"):
        result = run(
            "transfer", "content.png", f"{name}.png", "-o", f"{name}-out.png", "--recipe", recipe, "--regions", "none"
        )
        assert result.exit_code == 0, result.output
    difference = pixels_of("clear-out.png") - pixels_of("cut-out.png")
    assert float(difference.abs().max()) <= 1.01 / 255


@pytest.mark.parametrize("recipe", PLAIN[:2])
def test_a_photograph_that_is_half_transparent_is_changed_as_its_other_half(
    run: Run, tmp_path: Path, picture: Callable[..., Tensor], recipe: str
) -> None:
    write(tmp_path / "style.png", picture(48, 40, seed=1), torch.ones(48, 40), (0, 0, 0))
    whole = picture(40, 48)
    write(tmp_path / "clear.png", whole, left_half(40, 48), (0, 255, 0))
    write(tmp_path / "cut.png", whole[:, :, :24], torch.ones(40, 24), (0, 0, 0))
    for name in ("clear", "cut"):
        result = run(
            "transfer", f"{name}.png", "style.png", "-o", f"{name}-out.png", "--recipe", recipe, "--regions", "none"
        )
        assert result.exit_code == 0, result.output
    difference = pixels_of("clear-out.png")[:, :, :24] - pixels_of("cut-out.png")
    assert float(difference.abs().max()) <= 1.01 / 255  # dithered by its place


@pytest.mark.parametrize("role", ["content", "style"])
def test_a_picture_that_is_all_transparent_is_refused(
    run: Run, tmp_path: Path, picture: Callable[..., Tensor], role: str
) -> None:
    for name in ("content", "style"):
        alpha = torch.zeros(40, 48) if name == role else torch.ones(40, 48)
        write(tmp_path / f"{name}.png", picture(40, 48), alpha, (9, 9, 9))
    result = run("transfer", "content.png", "style.png", "-o", "out.png", "--recipe", "reinhard")
    assert result.exit_code == 2 and not Path("out.png").exists()
    assert f"{role}.png: The picture is wholly transparent" in " ".join(result.output.split())


def test_nothing_is_hidden_under_what_cannot_be_seen(tmp_path: Path) -> None:
    photograph = Photograph(torch.rand(3, 8, 8), left_half(8, 8)[None])
    save_photograph(photograph.pixels, tmp_path / "a.png", like=photograph)
    levels = np.asarray(Image.open(tmp_path / "a.png"))
    assert (levels[:, 4:, :3] == 255).all() and (levels[:, 4:, 3] == 0).all()


def test_what_was_not_there_is_not_cut_out(run: Run, tmp_path: Path) -> None:
    red, blue = torch.tensor([0.9, 0.3, 0.1]), torch.tensor([0.1, 0.4, 0.8])
    upper = torch.zeros(24, 32)
    upper[:12] = 1
    image = red[:, None, None] * upper + blue[:, None, None] * (1 - upper)
    write(tmp_path / "photo.png", image, left_half(24, 32), (0, 0, 0))
    Image.fromarray((upper * 255).to(torch.uint8).numpy()).save("trimap.png")
    result = run("matte", "photo.png", "--trimap", "trimap.png", "-o", "alpha.png")
    assert result.exit_code == 0, result.output
    assert torch.equal(pixels_of("alpha.png")[0], upper * left_half(24, 32))
