"""Regions as strangers ask for them: every mistake is one sentence, and nothing is written or replaced."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from torch import Tensor
from typer.testing import Result

from photostyle import SettingsError, save_image
from photostyle.jobs import regions
from photostyle.jobs.regions import FILES
from photostyle.regions.corrections import read_match

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, picture: Callable[..., Tensor], small_network: Path
) -> Path:
    """Two photographs and a label image, where the commands run."""
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate(("content.png", "style.png")):
        save_image(picture(40, 60, seed=seed), name)
    labels = Image.new("RGB", (60, 40), "blue")
    labels.paste((0, 255, 0), (0, 20, 60, 40))
    labels.save("labels.png")
    return tmp_path


@pytest.mark.parametrize("output", ["content.png", "content.png/found", "taken"])
def test_a_folder_that_cannot_be_made_is_told_before_the_work(
    run: Run, monkeypatch: pytest.MonkeyPatch, folder: Path, output: str
) -> None:
    """A file is there, above it, or a folder stands where one of the files should be."""
    monkeypatch.setattr(regions, "find_regions", lambda *_, **__: pytest.fail("too late"))
    (folder / "taken" / FILES[2]).mkdir(parents=True)
    before = sorted(folder.rglob("*"))
    failed = run("regions", "content.png", "style.png", "-o", output)
    assert failed.exit_code == 2 and failed.stderr.count("\n") == 1
    assert output.split("/")[0] in failed.stderr
    assert sorted(folder.rglob("*")) == before


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="for this user no folder is read-only")
def test_a_folder_that_is_read_only(run: Run, folder: Path) -> None:
    (folder / "kept").mkdir(mode=0o500)
    failed = run("regions", "content.png", "style.png", "-o", "kept/found")
    assert failed.exit_code == 2 and "read-only" in failed.stderr


@pytest.mark.parametrize("role", [0, 1])
@pytest.mark.parametrize("name", FILES[:3])
def test_no_photograph_is_replaced(run: Run, role: int, name: str) -> None:
    files = ["content.png", "style.png"]
    Path("found").mkdir()
    files[role] = str(Path(files[role]).rename(Path("found") / name))
    before = Path(files[role]).read_bytes()
    failed = run("regions", *files, "-o", "found")
    assert failed.exit_code == 2 and "is one of the input files" in failed.stderr
    assert Path(files[role]).read_bytes() == before and len(list(Path("found").iterdir())) == 1


def test_regions_found_anew_replace_the_older_ones(run: Run) -> None:
    for _ in range(2):
        assert run("regions", "content.png", "style.png", "-o", "a/new/folder").exit_code == 0
        assert sorted(path.name for path in Path("a/new/folder").iterdir()) == sorted(FILES)


def test_a_region_takes_one_look() -> None:
    with pytest.raises(SettingsError, match="match gives sky both sea and land: name one of them"):
        read_match("sky=sea, sky=land")
    assert read_match("sky=sea, sky=sea, land=sea") == {"sky": "sea", "land": "sea"}


@pytest.mark.parametrize(
    "given", [("--content-regions", "labels.png", "--style-regions", "labels.png"), ("--drop", "x"), ("--match", "x=y")]
)
def test_a_recipe_that_reads_no_regions_says_so(run: Run, given: tuple[str, ...]) -> None:
    options = ("-o", "out.png", "--size", 32, "--steps", 1)
    told = "Note: The recipe gatys takes the photographs as a whole: regions change nothing."
    done = run("transfer", "content.png", "style.png", "--recipe", "gatys", *options, *given)
    assert done.exit_code == 0 and told in done.stderr
    done = run("transfer", "content.png", "style.png", "--recipe", "gatys", *options)
    assert done.exit_code == 0 and told not in done.stderr
