"""Photographs, a style, and the command that gives it to them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from batches import QUICKLY, Batch
from commands import run_command
from typer.testing import Result

from photostyle import save_image


@pytest.fixture
def photos(tmp_path: Path, picture: Callable[..., torch.Tensor]) -> Path:
    """A folder of four small photographs, one of them in a folder of its own and one called as another."""
    folder = tmp_path / "photos"
    (folder / "sub").mkdir(parents=True)
    for i, name in enumerate(("a.jpg", "b.png", "c.tif", "sub/a.jpg")):
        save_image(picture(24, 36, seed=i), folder / name)
    (folder / "notes.txt").write_text("not a photograph")
    return folder


@pytest.fixture
def style(tmp_path: Path, picture: Callable[..., torch.Tensor]) -> Path:
    save_image(picture(40, 40, seed=9), tmp_path / "style.png")
    return tmp_path / "style.png"


@pytest.fixture
def batch(tmp_path: Path, photos: Path, style: Path) -> Batch:
    """`batch("--resume", …)`: the command in this process, from the photographs into `out`, with the style."""

    def invoke(*args: object, jobs: object = photos, out: object = tmp_path / "out") -> Result:
        given = ["batch", jobs, "-o", out, "--workers", 0, *QUICKLY, *args]
        if not {"--style", "--look"} & set(map(str, args)):
            given += ["--style", style]
        return run_command(*given)

    return invoke
