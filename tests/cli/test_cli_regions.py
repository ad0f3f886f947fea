"""The command line: regions that are found, painted, matched and dropped."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from commands import QUICK, fails
from typer.testing import Result

from photostyle import load_image, load_regions, save_image
from photostyle.network import weights as weights_module
from photostyle.network.backbones import BACKBONES
from photostyle.network.weights import cached_path
from photostyle.photofile import read_note

Run = Callable[..., Result]
pytestmark = pytest.mark.usefixtures("small")


@pytest.fixture
def halves(tmp_path: Path, picture: Callable[..., torch.Tensor]) -> tuple[Path, Path]:
    """Two photographs of a bright, plain upper half over a dark, rough lower one."""
    paths = tmp_path / "day.png", tmp_path / "dusk.png"
    for seed, (height, width, path) in enumerate(((96, 128, paths[0]), (112, 96, paths[1]))):
        image = 0.3 * picture(height, width, seed=seed)
        image[:, : height // 2] = 0.9 + 0.1 * image[:, : height // 2].mean()
        save_image(image, path)
    return paths


def test_regions_are_found_and_written_down(run: Run, halves: tuple[Path, Path], tmp_path: Path) -> None:
    folder = tmp_path / "regions"
    result = run("regions", *halves, "-o", folder, "-k", 2)
    assert result.exit_code == 0, result.stderr
    assert "region 1: " in result.stderr
    facts = json.loads((folder / "regions.json").read_text())
    assert [region["name"] for region in facts["regions"]] == ["region 1", "region 2"]
    assert sum(region["content"] for region in facts["regions"]) == pytest.approx(1, abs=1e-3)
    assert load_image(folder / "overlay.png").shape[0] == 3
    again = load_regions(folder / "content_regions.png", folder / "style_regions.png")
    assert again.names == ("blue", "green")
    assert again.content.shape[1:] == (96, 128)
    for region, (here, there) in zip(facts["regions"], again.shares, strict=True):
        assert (region["content"], region["style"]) == (pytest.approx(here, abs=0.05), pytest.approx(there, abs=0.05))


def test_a_transfer_finds_regions_unless_told_otherwise(run: Run, halves: tuple[Path, Path], tmp_path: Path) -> None:
    for name, options in {"auto": (), "none": ("--regions", "none")}.items():
        result = run("transfer", *halves, "-o", tmp_path / f"{name}.png", *QUICK, *options)
        assert result.exit_code == 0, result.stderr
        assert ("Regions: " in result.stderr or "as a whole" in result.stderr) == (name == "auto")
        assert read_note(tmp_path / f"{name}.png")["regions"] == name


def test_regions_can_be_matched_and_dropped(
    run: Run, pair: tuple[Path, Path], labels: tuple[Path, Path], tmp_path: Path
) -> None:
    painted = ("--content-regions", labels[0], "--style-regions", labels[1])
    result = run("transfer", *pair, "-o", tmp_path / "a.png", *QUICK, *painted, "--match", "red=green")
    assert result.exit_code == 0, result.stderr
    assert "Regions: blue: 50% of the content" in result.stderr
    assert re.search(r"green: 50% of the content \([\w ]+, [\w ]+\), 6% of the style \([\w ]+, [\w ]+\)", result.stderr)
    assert "Region green covers 50% of the content and 6% of the style: no match?" in result.stderr
    result = run("transfer", *pair, "-o", tmp_path / "b.png", *QUICK, *painted, "--drop", "red")
    assert "Region red (50.0% of the content) is dropped and is merged into blue." in result.stderr


def test_matches_are_looked_at_by_the_network_of_the_transfer(
    run: Run,
    pair: tuple[Path, Path],
    labels: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fake_weights: Callable[..., weights_module.Weights],
) -> None:
    """Who has another network has no need of the default one: it is not fetched."""
    other = fake_weights("vgg19")
    monkeypatch.setitem(BACKBONES, "vgg19", other.backbone)
    weights_module._write(other.backbone, other.tensors, cached_path("vgg19"))
    cached_path("vgg16-hed").unlink()
    monkeypatch.setattr(weights_module, "_fill_cache", lambda *_, **__: pytest.fail("it is fetched"))
    painted = ("--content-regions", labels[0], "--style-regions", labels[1])
    result = run("transfer", *pair, "-o", tmp_path / "a.png", *QUICK, *painted, "--backbone", "vgg19")
    assert result.exit_code == 0, result.stderr
    assert "Regions: blue: " in result.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--match", "red=green", "--regions", "none"), "as a whole"),
        (("--match", "red"), "pairs of names"),
        (("--drop", "red"), "no region 'red'"),
        (("--regions-model", "some/model"), "--regions learned"),
        (("--regions", "guess"), "auto"),
    ],
)
def test_bad_matches(run: Run, pair: tuple[Path, Path], tmp_path: Path, options: tuple[str, ...], words: str) -> None:
    result = run("transfer", *pair, "-o", tmp_path / "a.png", *options)
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())


def test_a_learned_model_that_is_not_there(run: Run, pair: tuple[Path, Path], tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    learned = ("--regions", "learned", "--regions-model", folder)
    result = run("transfer", *pair, "-o", tmp_path / "a.png", *QUICK, *learned)
    assert result.exit_code == 2
    assert "lacks config.json, model.safetensors" in result.stderr
    assert not (tmp_path / "a.png").exists()
    for options in (("--method", "learned", "-k", 3), ("-k", 99), ("--model", "some/model")):
        assert run("regions", *pair, "-o", tmp_path / "none", *options).exit_code == 2
    assert not (tmp_path / "none").exists()


def test_regions_that_are_not_there(
    run: Run, pair: tuple[Path, Path], labels: tuple[Path, Path], tmp_path: Path
) -> None:
    painted = ("--content-regions", labels[0], "--style-regions", labels[1])
    for options in (("--match", "pink=green"), ("--match", "red=pink"), ("--drop", "pink")):
        fails(run("transfer", *pair, "-o", tmp_path / "a.png", *painted, *options), "no region 'pink'", "blue")
    result = run("transfer", *pair, "-o", tmp_path / "a.png", *painted, "--regions", "none")
    assert result.exit_code == 2
    assert "label images are given" in result.stderr
