"""Rendering and textures: of the style's own pixels, where the map says, seamless, the same for a seed."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from commands import run_command
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from photostyle import finish, load_image, read_note, save_image, texture
from photostyle.errors import ImageError
from photostyle.synthesis.cost import Compared, Windows, window_cost
from photostyle.synthesis.field import Field, random_field
from photostyle.synthesis.laying import lay
from photostyle.synthesis.octaves import Plan, octave_parts, octaves
from photostyle.synthesis.render import render

Picture = Callable[..., Tensor]


@pytest.fixture
def sample() -> Tensor:
    """Stripes, eight pixels from one to the next, with grain."""
    x = torch.arange(48)
    stripes = 0.5 + 0.4 * torch.sin(2 * torch.pi * x / 8).expand(3, 48, 48)
    return (stripes + 0.02 * torch.rand(3, 48, 48, generator=torch.Generator().manual_seed(0))).clamp(0, 1)


def test_windows_that_agree_make_their_source() -> None:
    windows = Windows(side=8, stride=4)
    source = np.random.default_rng(0).random((24, 32, 3), np.float32)
    grid = windows.grid(24, 32)
    own = Field(*(4 * axis for axis in np.indices(grid)))
    trust = 0.1 + np.random.default_rng(1).random(grid, np.float32)
    np.testing.assert_allclose(lay(own, source, windows, trust, peak=2.0), source, atol=1e-6)


def test_even_windows_that_fit_badly_give_way_to_what_is_meant() -> None:
    """Of two windows over a pixel the one that means what is wanted there has it, however little it is trusted."""
    windows = Windows(side=2, stride=1)
    source = np.repeat(np.array([1, 0], np.float32), 4)[None, :, None].repeat(4, 0)  # what is white is meant
    field = Field(np.zeros((1, 2), np.int64), np.array([[0, 5]]))
    wanted = np.array([[[1], [1], [0]]], np.float32).repeat(2, 0)
    for trust in (1.0, 1e-3):
        meaning = Compared(wanted, source, 20.0)
        laid = lay(field, source, windows, np.array([[trust, 1.0]], np.float32), meaning=meaning)
        np.testing.assert_allclose(laid, wanted, atol=1e-2)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 99),
    grid=st.tuples(st.integers(3, 7), st.integers(3, 7)),
    sides=st.sampled_from([(8, 4), (8, 2), (5, 3), (4, 4), (3, 1)]),
    band=st.integers(1, 40),
    meant=st.booleans(),
    around=st.booleans(),
)
def test_a_picture_laid_in_bands_is_the_picture(
    seed: int, grid: tuple[int, int], sides: tuple[int, int], band: int, meant: bool, around: bool
) -> None:
    rng = np.random.default_rng(seed)
    windows, source = Windows(*sides), rng.random((12, 14, 3), np.float32)
    field = random_field(grid, windows.room(12, 14), windows.stride, rng)
    trust = 0.1 + rng.random(grid, np.float32)
    map = rng.random((*windows.covered(grid), 2), np.float32)
    meaning = Compared(map, rng.random((12, 14, 2), np.float32), 5.0) if meant else None
    whole, banded = (
        lay(field, source, windows, trust, peak=1.5, meaning=meaning, around=around, band=rows) for rows in (999, band)
    )
    np.testing.assert_array_equal(banded, whole)


def test_what_is_laid_around_goes_on_beyond_its_border() -> None:
    """The picture is that of a grid twice as large on which everything is there twice."""
    rng = np.random.default_rng(0)
    windows, source, grid = Windows(8, 2), rng.random((20, 20, 3), np.float32), (6, 9)
    field = random_field(grid, windows.room(20, 20), 2, rng)
    trust = 0.1 + rng.random(grid, np.float32)
    twice = lay(Field(np.tile(field.y, (2, 2)), np.tile(field.x, (2, 2))), source, windows, np.tile(trust, (2, 2)))
    once = lay(field, source, windows, trust, around=True)
    np.testing.assert_allclose(once[:12, :18], twice[12:24, 18:36], rtol=1e-5)
    np.testing.assert_array_equal(once[12:, 18:], once[:6, :6])  # what windows reach over


@pytest.mark.parametrize(("picture", "style"), [((200, 384), (90, 80)), ((1024, 1024), (512, 512)), ((48, 40), (8, 9))])
def test_octaves_double_and_style_and_picture_are_reduced_alike(
    picture: tuple[int, int], style: tuple[int, int]
) -> None:
    """Else what is laid at one octave would be of another size at the next."""
    motifs = torch.rand(3, *style)
    seen = [(octave.size, octave.source.shape[:2]) for octave in octaves(motifs, picture, Plan(), False)]
    assert seen[-1] == (picture, style)
    for (small, few), (large, many) in pairwise(seen):
        for before, after in zip((*small, *few), (*large, *many), strict=True):
            assert after / 2 == pytest.approx(before, abs=0.76)  # each rounded


def test_octaves_begin_where_there_is_still_something() -> None:
    assert octave_parts((200, 384), (200, 384)) == [1 / 8, 1 / 4, 1 / 2, 1]
    assert octave_parts((1024, 1024), (100, 100)) == [1 / 4, 1 / 2, 1]
    assert octave_parts((20, 400), (300, 300)) == [1]


def test_a_picture_is_of_the_styles_pixels(sample: Tensor) -> None:
    """Red and blue are never mixed where the style has them apart, however blurred the sketch."""
    style = torch.zeros(3, 40, 40)
    style[0, :20], style[2, 20:] = 1, 1
    sketch = torch.full((3, 12, 16), 0.5)
    sketch[1] = 0
    made = finish(render(style, (48, 64), Plan(sketch), 0))
    assert made.shape == (3, 48, 64) and float(made[1].abs().max()) < 1e-5
    torch.testing.assert_close(made[0] + made[2], torch.ones(48, 64), rtol=0, atol=1e-4)


def test_each_thing_is_where_its_map_says_to_the_pixel() -> None:
    style = torch.zeros(3, 64, 64)
    style[0, :32], style[2, 32:] = 1, 1
    above = torch.zeros(64, 64)
    above[:32] = 1
    y, x = torch.meshgrid(torch.arange(64), torch.arange(96), indexing="ij")
    wanted = (y * 3 > x + 40).float()  # the other way round, and aslant
    maps = torch.stack([above, 1 - above]), torch.stack([wanted, 1 - wanted])
    made = finish(render(style, (64, 96), Plan(maps=maps), 0))
    assert float((made[0] - wanted).abs().mean()) < 0.02


def test_the_same_seed_gives_the_same_picture(sample: Tensor) -> None:
    size = (64, 64)
    assert torch.equal(texture(sample, size, seed=3), texture(sample, size, seed=3))
    assert not torch.equal(texture(sample, size, seed=3), texture(sample, size, seed=4))


def strangeness(picture: Tensor, sample: Tensor) -> Tensor:
    """How far every window of 6×6 pixels is from the nearest of the sample's: rows × columns."""

    def windows(image: Tensor) -> Tensor:
        return image.unfold(1, 6, 1).unfold(2, 6, 1).permute(1, 2, 0, 3, 4).flatten(2)

    each = windows(picture)
    return torch.cdist(each.flatten(0, 1), windows(sample).flatten(0, 1)).amin(1).view(each.shape[:2])


def test_a_texture_is_like_its_sample_nearly_everywhere(sample: Tensor) -> None:
    made = texture(sample, (64, 72))
    other = sample.flatten(1)[:, torch.randperm(48 * 48, generator=torch.Generator().manual_seed(0))]
    found, chance = (strangeness(image, sample).median() for image in (made, other.view_as(sample)))
    assert made.shape == (3, 64, 72) and float(found) < 0.25 * float(chance)


def test_what_fits_nowhere_does_not_give_way_to_what_is_plain() -> None:
    """Of a sample that is plain in a third, and elsewhere hardly ever joins."""
    y, x = torch.meshgrid(torch.arange(96), torch.arange(96), indexing="ij")
    pattern = torch.sin(x / 3.1 + 2 * torch.sin(y / 7)) * torch.sin(y / 4.3 + torch.cos(x / 9))
    sample = (
        (0.5 + 0.4 * pattern * (x >= 32) + 0.02 * torch.rand(96, 96, generator=torch.Generator().manual_seed(0)))
        .expand(3, 96, 96)
        .contiguous()
    )

    def plain(image: Tensor) -> float:
        return float((torch.nn.functional.avg_pool2d((image[:1] - 0.5).abs(), 8) < 0.06).float().mean())

    assert plain(sample) == pytest.approx(1 / 3, abs=0.01)
    found, bare = (
        sum(plain(finish(render(sample, (96, 96), Plan(stride=2, detail=detail), n))) for n in range(3)) / 3
        for detail in (0.4, 0.0)
    )
    assert found < 0.5 < 0.65 < bare


def test_beside_the_picture_no_memory_grows_with_it() -> None:
    """Windows are compared, and laid, a band at a time; grids have an eighth of the pixels at most."""
    rng = np.random.default_rng(0)
    windows, source = Windows(8, 4), rng.random((32, 64, 3), np.float32)

    def beside(height: int) -> int:
        grid = windows.grid(height, 512)
        field = random_field(grid, windows.room(32, 64), 4, rng)
        picture = np.zeros((*windows.covered(grid), 3), np.float32)
        cost = window_cost(windows, [Compared(picture, source)], np.zeros(windows.room(32, 64), np.float32))
        tracemalloc.start()
        try:
            trust = 1 / (1 + cost(field.y, field.x))
            lay(field, source, windows, trust, out=picture)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    low, high = beside(2048), beside(8192)
    assert high - low < 1.5 * (8192 - 2048) * 512  # bytes, where a picture has twelve for each pixel


def test_a_tile_has_no_seam(sample: Tensor) -> None:
    """Windows across its border are as good as those within; in a picture that does not tile they are not."""

    def seam(made: Tensor) -> float:
        strange = strangeness(made.roll((30, 30), (1, 2)), sample)
        across = torch.cat([strange[25:30].flatten(), strange[:, 25:30].flatten()])
        return float(across.mean() / strange.mean())

    pictures = [[texture(sample, (60, 60), tileable=tileable, seed=n) for n in range(4)] for tileable in (True, False)]
    closed, open_ = (sum(map(seam, some)) / len(some) for some in pictures)
    assert closed < 1.25 < 1.6 < open_


@pytest.mark.parametrize("shape", [(8, 8), (8, 200), (9, 60)])
def test_small_and_narrow_samples(picture: Picture, shape: tuple[int, int]) -> None:
    made = texture(picture(*shape, dtype=torch.float32), (52, 100), tileable=True)
    assert made.shape == (3, 52, 100) and bool(made.isfinite().all())


def test_a_sample_of_one_colour_stays_it() -> None:
    flat = torch.full((3, 20, 20), 0.3)
    torch.testing.assert_close(texture(flat, (50, 30)), torch.full((3, 50, 30), 0.3))


def test_mistakes(picture: Picture) -> None:
    with pytest.raises(ImageError, match="at least 8 on each side"):
        texture(picture(7, 40), (64, 64))
    with pytest.raises(ImageError, match="multiples of 2"):
        texture(picture(40, 40), (64, 61), tileable=True)


def test_the_command(tmp_path: Path, sample: Tensor) -> None:
    save_image(sample, tmp_path / "s.png")
    out = tmp_path / "t.png"
    done = run_command("texture", tmp_path / "s.png", "-o", out, "--size", "64x48", "--tileable", "--seed", 2)
    assert done.exit_code == 0 and "64×48 pixels" in done.output
    assert load_image(out).shape == (3, 48, 64)
    assert read_note(out)["seed"] == 2 and read_note(out)["sample"] == "s.png"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--size", "big"], "as 1024x512"),
        (["--size", "61x64", "--tileable"], "multiples of 2"),
        (["--size", "4x64"], "at least 8"),
    ],
)
def test_mistakes_on_the_command_line(tmp_path: Path, sample: Tensor, options: list[str], message: str) -> None:
    save_image(sample, tmp_path / "s.png")
    done = run_command("texture", tmp_path / "s.png", "-o", tmp_path / "t.png", *options)
    assert done.exit_code == 2 and message in done.output and not (tmp_path / "t.png").exists()
