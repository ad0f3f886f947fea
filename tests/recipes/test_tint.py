"""A style without colour, or of one hue: the result has that hue only, whatever the recipe, to its last step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from typer.testing import CliRunner
from walking import walk

from photostyle import RECIPES, DescentError, Regions, Step, doodle, load_image, save_image, transfer, transfer_steps
from photostyle.cli import app
from photostyle.color.spaces import lab_from_srgb, luma, srgb_from_lab
from photostyle.recipes.tint import find_tint, tinted

pytestmark = pytest.mark.usefixtures("small_network")
examples = settings(max_examples=40, derandomize=True, deadline=None, database=None)

QUICK: dict[str, dict[str, Any]] = {
    "photo": {"size": 48, "steps": 2},
    "luan": {"size": 40, "steps": 3},
    "gatys": {"size": 40, "steps": 3, "levels": 1},
    "mmd": {"size": 40, "steps": 3, "levels": 1},
    "mrf": {"size": 40, "steps": 2, "octaves": 1},
    "doodle": {"size": 40, "steps": 2, "octaves": 1},
    "whitening": {"size": 48},
    "reinhard": {},
    "monge-kantorovich": {},
    "pitie": {"steps": 4},
}


def random(seed: int, height: int = 40, width: int = 48) -> Tensor:
    """Colours of all hues, smooth and with grain."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, 4, 5, generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear")[0]
    return (0.1 + 0.7 * smooth + 0.15 * torch.rand(3, height, width, generator=generator)).clamp(0, 1)


def rounded(image: Tensor) -> Tensor:
    return (255 * image).round() / 255


def gray(seed: int) -> Tensor:
    return rounded(luma(random(seed))[None].expand(3, -1, -1))


def printed(seed: int, inks: tuple[tuple[float, float], tuple[float, float]]) -> Tensor:
    """A photograph printed from one a*b* in its shadows to another in its lights, in levels of 8 bits."""
    L = 30 + 50 * luma(random(seed))
    t = (L - 30) / 50
    (a, b), (c, d) = inks
    return rounded(srgb_from_lab(torch.stack([L, a + t * (c - a), b + t * (d - b)])).clamp(0, 1))


def chroma_of(image: Tensor) -> Tensor:
    return lab_from_srgb(image)[1:].flatten(1)


def off_line(image: Tensor, inks: tuple[tuple[float, float], tuple[float, float]]) -> float:
    """How far the colours of a picture are from the line between two inks, at most (ΔE)."""
    start, end = (torch.tensor(ink)[:, None] for ink in inks)
    ab, along = chroma_of(image) - start, end - start
    t = ((ab * along).sum(0) / along.square().sum().clamp(min=1e-6)).clamp(0, 1)
    return float((ab - t * along).norm(dim=0).max())


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("regional", [False, True])
def test_no_recipe_has_colors_that_a_gray_style_lacks(recipe: str, regional: bool) -> None:
    content, style = random(1), gray(2)
    masks = torch.zeros(2, 40, 48)
    masks[0, :20], masks[1, 20:] = 1, 1
    regions = Regions(("top", "rest"), masks, masks) if regional else None
    steps, result = walk(transfer_steps(content, style, regions, recipe=recipe, device="cpu", **QUICK.get(recipe, {})))
    assert float(chroma_of(result).norm(dim=0).max()) < 0.01
    if recipe != "photo":  # which gives its maps the style's tone when they are found, and not on the way
        assert all(float(chroma_of(step.image.clamp(0, 1)).norm(dim=0).max()) < 0.01 for step in steps)
    assert float(result.std()) > 0.01


@pytest.mark.parametrize("recipe", RECIPES)
def test_no_recipe_has_a_hue_that_the_style_lacks(recipe: str) -> None:
    """Sepia, and two inks."""
    for inks in (((6.0, 12.0), (8.0, 22.0)), ((-4.0, -24.0), (6.0, 18.0))):
        result = transfer(random(1), printed(2, inks), recipe=recipe, device="cpu", **QUICK.get(recipe, {}))
        # a very dark or bright colour of that chroma may lie outside sRGB
        inside = ((result > 0.002) & (result < 0.998)).all(0)
        assert off_line(result[:, inside], inks) < 3
        assert float(inside.float().mean()) > 0.5


@examples
@given(st.integers(0, 10_000), st.tuples(*[st.floats(-15, 15)] * 4))
def test_prints_are_measured(seed: int, ink: tuple[float, float, float, float]) -> None:
    inks = (ink[:2], ink[2:])
    style = printed(seed, inks)
    tint = find_tint([style])
    assert tint.line.certainty == 1 or tint.grey
    assert bool(tint.note)
    other = tint(random(seed + 1))
    inside = ((other > 0.002) & (other < 0.998)).all(0)
    assert off_line(other[:, inside], inks) < 3
    # a print keeps itself
    assert float((tint(style) - style).square().mean().sqrt()) < 0.004


@examples
@given(st.integers(0, 10_000))
def test_a_gray_style_says_so_and_a_colorful_one_changes_nothing(seed: int) -> None:
    assert find_tint([gray(seed)]).note == "The style has no colour, and so the result has none."
    style, image = random(seed), random(seed + 1)
    style[0, :20] = style[0, :20] / 3  # of several hues for sure
    style[2, :, :20] = style[2, :, :20] / 3
    tint = find_tint([style])
    assert not tint.note and tint(image) is image


def test_what_is_in_no_region_has_no_say() -> None:
    style, masks = gray(1), torch.ones(1, 40, 48)
    style[:, :, :10] = torch.tensor([0.8, 0.2, 0.1])[:, None, None]
    assert not find_tint([style]).grey
    masks[:, :, :12] = 0
    assert find_tint([style], masks).grey
    assert not find_tint([style], torch.zeros(1, 40, 48)).grey  # nothing counts: then all does


def test_a_gray_and_a_colorful_style_together_have_colors() -> None:
    assert find_tint([gray(1), gray(2)]).grey and not find_tint([gray(1), random(2)]).note


@pytest.mark.parametrize("keeping", ["luma", "histogram"])
def test_colors_that_are_to_stay_stay(keeping: str) -> None:
    result = transfer(random(1), gray(2), recipe="gatys", original_colors=keeping, device="cpu", **QUICK["gatys"])
    assert float(chroma_of(result).norm(dim=0).mean()) > 5


def test_strength_fades_into_the_colors_of_the_content() -> None:
    content = random(1)
    half = transfer(content, gray(2), recipe="reinhard", strength=0.5, device="cpu")
    assert float(chroma_of(half).norm(dim=0).mean()) > 0.3 * float(chroma_of(content).norm(dim=0).mean())


@pytest.mark.parametrize("with_content", [False, True])
def test_a_doodle_of_a_gray_picture_is_gray(with_content: bool) -> None:
    maps = torch.zeros(2, 40, 48)
    maps[0, :20], maps[1, 20:] = 1, 1
    content = random(3) if with_content else None
    result = doodle(gray(2), maps, maps, content, device="cpu", **QUICK["doodle"])
    assert float(chroma_of(result).norm(dim=0).max()) < 0.01


def test_an_energy_that_explodes_leaves_no_other_hue() -> None:
    def explode() -> Any:
        yield Step("only", 1, 1, random(1))
        raise DescentError("The energy is infinite.", random(2))

    steps = tinted(explode(), find_tint([gray(3)]))
    assert float(chroma_of(next(steps).image).norm(dim=0).max()) < 0.01
    with pytest.raises(DescentError) as caught:
        next(steps)
    assert caught.value.image is not None
    assert float(chroma_of(caught.value.image).norm(dim=0).max()) < 0.01


def test_a_tint_that_is_closed_closes_its_recipe() -> None:
    closed = []

    def endless() -> Any:
        try:
            while True:
                yield Step("on", 1, 0, random(1))
        finally:
            closed.append(True)

    steps = tinted(endless(), find_tint([gray(3)]))
    next(steps)
    steps.close()
    assert closed == [True]


def test_bands_join_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    tint, image = find_tint([printed(1, ((2, 10), (6, 20)))]), random(2)
    whole = tint(image)
    monkeypatch.setattr("photostyle.recipes.tint._BAND", 100)
    assert torch.equal(tint(image), whole)


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_it_is_told_and_true_of_the_file(suffix: str, tmp_path: Path, picture: Callable[..., Tensor]) -> None:
    save_image(random(1), tmp_path / "content.png")
    save_image(gray(2), tmp_path / "style.jpg")
    out = tmp_path / f"out{suffix}"
    words = ["transfer", tmp_path / "content.png", tmp_path / "style.jpg", "-o", out, "--recipe", "pitie"]
    done = CliRunner().invoke(app, list(map(str, [*words, "--regions", "none"])), catch_exceptions=False)
    assert done.exit_code == 0
    assert "Note: The style has no colour, and so the result has none." in done.stderr
    assert float(chroma_of(load_image(out)).norm(dim=0).max()) < 1
