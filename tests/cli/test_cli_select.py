"""`photostyle select`: a label image of what is pointed at, and how it fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from commands import run_command
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pointing import RADIUS, Discs, discs
from torch import Tensor
from typer.testing import Result

from photostyle import Prompt, load_regions, save_image
from photostyle.jobs.select import _laid, read_prompt
from photostyle.regions.palette import PALETTE

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, picture: Callable[..., Tensor], small_network: Path) -> Run:
    """`run("photo.png", …)`: `photostyle select` in this process, in the folder of the file of 96×64 pixels."""
    monkeypatch.chdir(tmp_path)
    image = 0.1 * picture(64, 96)
    image[:, :32] += 0.8  # the upper half is bright
    save_image(image, tmp_path / "photo.png")

    def invoke(*args: object) -> Result:
        return run_command("select", *args)

    return invoke


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Answers are discs; what segmenter was asked for is listed."""
    calls: list[Any] = []

    def load(method: str, **options: Any) -> Discs:
        calls.append((method, {name: str(value) for name, value in options.items()}))
        return Discs()

    monkeypatch.setattr("photostyle.jobs.select.load_segmenter", load)
    return calls


def painted(path: str = "labels.png") -> np.ndarray[Any, Any]:
    """The names of the colours, H×W."""
    levels = np.asarray(Image.open(path).convert("RGB")).astype(int)
    names = np.full(levels.shape[:2], "", dtype=object)
    for name, color in PALETTE.items():
        names[(levels == color).all(-1)] = name
    return names


def test_regions_in_the_papers_colours_and_the_rest(run: Run, asked: list[Any]) -> None:
    result = run("photo.png", "-o", "labels.png", "-r", "20,20 30,20", "-r", "70,40 not 76,40", "--device", "cpu")
    assert result.exit_code == 0, result.stderr
    names = painted()
    first = discs([(20, 20), (30, 20)], 64, 96).numpy()
    second = (discs([(70, 40)], 64, 96) & ~discs([(76, 40)], 64, 96)).numpy()
    assert ((names == "blue") == first).all()
    assert ((names == "green") == second).all()
    assert (names == "black").sum() == (~first & ~second).sum()
    assert result.stdout.startswith("Wrote labels.png: blue, ")
    assert "; black, the rest, " in result.stdout
    assert asked == [("wand", {"device": "cpu"})]
    run("photo.png", "-o", "labels.png", "-r", "20,20", "--method", "learned", "--model", "mine", "--device", "cpu")
    assert asked[1:] == [("learned", {"device": "cpu", "model": "mine"})]


def test_the_later_region_lies_on_the_earlier_one(run: Run, asked: list[Any]) -> None:
    run("photo.png", "-o", "labels.png", "-r", "30,30", "-r", f"{30 + RADIUS},30")
    assert painted()[30, 30 + RADIUS - 2] == "green"
    assert painted()[30, 30 - 2] == "blue"


def test_two_of_them_are_regions_for_a_transfer(run: Run, small_network: Path) -> None:
    """By the wand itself."""
    for name in ("content.png", "style.png"):
        result = run("photo.png", "-o", name, "-r", "20,20", "--quiet")
        assert (result.exit_code, result.output) == (0, "")
    regions = load_regions("content.png", "style.png")
    assert set(regions.names) <= {"blue", "green"} and "blue" in regions.names
    assert regions.content.shape[1:] == (64, 96)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["-r", "20"], "The region '20' cannot be read: write points as x,y"),
        (["-r", "20,20 not"], "The region '20,20 not' cannot be read"),
        (["-r", "20,20 box 1,2,3"], "cannot be read"),
        (["-r", "20,x"], "cannot be read"),
        (["-r", ""], "Nothing is pointed at"),
        (["-r", "not 20,20"], "Nothing is pointed at"),
        (["-r", "20,20", "-r", "96,20"], "The point 96,20 is not in the photograph, which has 96×64 pixels"),
        (["-r", "20,20", "-r", "20,20"], "Nothing is left of region 1: point at something else"),
        (["-r", "20,20 not 20,20"], "Nothing is left of region 1"),
        (["-r", "1,1"] * 9, "at most 8 regions; these are 9"),
        (["-r", "20,20", "-o", "labels.jpg"], "labels.jpg has no extension that can be written"),
        (["-r", "20,20", "-o", "photo.png"], "photo.png is one of the input files"),
        (["-r", "20,20", "--model", "mine"], "it is for --method learned"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(run: Run, asked: list[Any], args: list[str], said: str) -> None:
    before = sorted(Path().iterdir())
    result = run("photo.png", "-o", "labels.png", *args)
    assert result.exit_code == 2
    assert said in result.stderr and "Traceback" not in result.stderr
    assert sorted(Path().iterdir()) == before


def test_a_model_that_is_not_there(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("transformers")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    result = run("photo.png", "-o", "labels.png", "-r", "20,20", "--method", "learned", "--model", "nobody/nothing")
    assert result.exit_code == 2
    assert "Error: The model nobody/nothing is neither a folder here nor within reach on the hub" in result.stderr


numbers = st.integers(-99, 999).map(float) | st.floats(-999, 999, allow_nan=False)
points = st.lists(st.tuples(numbers, numbers), max_size=3).map(tuple)


@given(inside=points, outside=points, box=st.none() | st.tuples(numbers, numbers, numbers, numbers))
def test_a_prompt_is_what_its_text_says(inside: Any, outside: Any, box: Any) -> None:
    words = [f"{x},{y}" for x, y in inside] + [f"not {x},{y}" for x, y in outside]
    if box:
        words.append(f"box {','.join(map(str, box))}")
    assert read_prompt("  ".join(words)) == Prompt(inside, outside, box)


def test_soft_masks_count_from_a_half_on() -> None:
    assert _laid([torch.tensor([[0.4, 0.5, 1.0]])]).tolist() == [[1, 0, 0]]
