"""Many photographs, of which one shows a person: skin is natural there, and the landscapes do not know of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from commands import run_command
from shades import coloured, turned
from torch import Tensor

from photostyle import load_image, make_look, save_image, save_look

pytestmark = pytest.mark.usefixtures("small_network")
QUICK = ("--regions", "none", "--size", 64, "--steps", 1)


@pytest.fixture
def files(tmp_path: Path, portrait: Tensor, picture: Callable[..., Tensor]) -> Path:
    """A folder of photographs, a style in blue light, and its look as it was found on the portrait."""
    (tmp_path / "photos").mkdir()
    save_image(portrait, tmp_path / "photos" / "person.png")
    save_image(picture(64, 96, seed=3), tmp_path / "photos" / "land.png")
    style = coloured(picture(60, 80, seed=1, dtype=torch.float32), 0.3, 0.5, 1.0)
    save_image(style, tmp_path / "style.png")
    save_look(make_look(portrait, style, size=64, steps=1, device="cpu"), tmp_path / "look.safetensors")
    return tmp_path


def batch(files: Path, *options: object) -> dict[str, Any]:
    """The last record of each photograph, by its name."""
    done = run_command("batch", files / "photos", "-o", files / "out", "--workers", 0, *options)
    assert done.exit_code == 0, done.output
    lines = map(json.loads, (files / "out" / "journal.jsonl").read_text(encoding="utf-8").splitlines())
    return {Path(line["output"]).stem: line for line in lines if line["state"] == "done"}


@pytest.mark.parametrize("skin", ["natural", "free"])
def test_a_style_for_all(files: Path, portrait: Tensor, skin: str) -> None:
    records = batch(files, "--style", files / "style.png", *QUICK, "--skin", skin)
    told = {
        name: any("skin keeps its natural hue" in note for note in record["notes"]) for name, record in records.items()
    }
    assert told == {"person": skin == "natural", "land": False}
    off = float(turned(portrait, load_image(files / "out" / "person.png")).mean())
    assert off < 3 if skin == "natural" else off > 3


def test_a_look_for_all(files: Path, portrait: Tensor) -> None:
    batch(files, "--look", files / "look.safetensors")
    assert float(turned(portrait, load_image(files / "out" / "person.png")).mean()) < 3
    assert load_image(files / "out" / "land.png").shape == (3, 64, 96)
