"""Every recipe with the papers' network, from a file as its authors publish it: seeded weights, few channels."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import h5py
import pytest
import torch
from commands import run_command
from torch import Tensor

from photostyle import doodle, load_image, save_image, transfer
from photostyle.network.backbones import BACKBONES
from photostyle.network.weights import Weights
from photostyle.recipes import RECIPES

Picture = Callable[..., Tensor]

TINY = {"size": 64, "sketch": 32, "steps": 3}  # what has a sketch renders, too


@pytest.fixture
def vgg19(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake_weights: Callable[..., Weights]) -> Path:
    """The file that is named; the cache is empty, so that nothing else can have been read."""
    fake, path = fake_weights("vgg19"), tmp_path / "vgg19.h5"
    with h5py.File(path, "w") as file:
        for name, tensor in fake.tensors.items():
            layer, kind = name.removeprefix("conv").split(".")
            stem = "block{}_conv{}".format(*layer.split("_"))
            letter, values = ("W", tensor.permute(2, 3, 1, 0)) if kind == "weight" else ("b", tensor)
            file[f"{stem}/{stem}_{letter}_1:0"] = values.contiguous().numpy()
    digest = f"md5:{hashlib.md5(path.read_bytes()).hexdigest()}"
    monkeypatch.setitem(BACKBONES, "vgg19", replace(fake.backbone, digest=digest))
    monkeypatch.setenv("PHOTOSTYLE_CACHE", str(tmp_path / "cache"))
    return path


def tiny(recipe: str) -> dict[str, Any]:
    known = {field.name for field in fields(RECIPES[recipe].settings)}
    return {name: value for name, value in TINY.items() if name in known}


@pytest.mark.parametrize("recipe", [name for name, recipe in RECIPES.items() if recipe.network])
def test_every_recipe_that_looks(recipe: str, vgg19: Path, picture: Picture) -> None:
    content, style = picture(48, 64, dtype=torch.float32), 0.6 * picture(50, 44, seed=1, dtype=torch.float32)
    made = transfer(content, style, recipe=recipe, backbone="vgg19", weights_path=vgg19, device="cpu", **tiny(recipe))
    assert made.shape == content.shape and 0 <= float(made.min()) < float(made.max()) <= 1
    assert float((made - content).abs().mean()) > 0.01


def test_a_doodle(vgg19: Path, picture: Picture) -> None:
    style, above = picture(40, 48, dtype=torch.float32), torch.zeros(40, 48)
    above[:20] = 1
    maps = torch.stack([above, 1 - above])
    made = doodle(style, maps, maps.flip(1), backbone="vgg19", weights_path=vgg19, device="cpu", **TINY)
    assert made.shape == (3, 53, 64) and bool(made.isfinite().all())


def test_the_command(vgg19: Path, tmp_path: Path, picture: Picture) -> None:
    for name, seed in (("c.png", 0), ("s.png", 1)):
        save_image(picture(48, 64, seed), tmp_path / name)
    options = ["--recipe", "mrf", "--size", "64", "--sketch", "32", "--steps", "2"]
    named = ["--backbone", "vgg19", "--weights-path", vgg19, "--device", "cpu"]
    out = tmp_path / "o.png"
    done = run_command("transfer", tmp_path / "c.png", tmp_path / "s.png", "-o", out, *options, *named)
    assert done.exit_code == 0 and load_image(out).shape == (3, 48, 64), done.output
