"""The command line: bad input, one by one, and nothing written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from commands import fails
from PIL import Image
from typer.testing import Result

Run = Callable[..., Result]
pytestmark = pytest.mark.usefixtures("small")


def bad_files(folder: Path) -> Iterator[tuple[str, str]]:
    """Files that are no photographs, with a word of what is said about them."""
    (folder / "folder.jpg").mkdir()
    (folder / "text.jpg").write_text("not a picture")
    Image.new("RGB", (1, 1)).save(folder / "tiny.png")
    whole = (folder / "content.png").read_bytes()
    (folder / "cut.png").write_bytes(whole[: len(whole) // 2])
    yield from {
        "missing.jpg": "There is no file",
        "folder.jpg": "is a folder",
        "text.jpg": "is no JPEG, PNG, TIFF or WebP",
        "tiny.png": "1×1",
        "cut.png": "damaged",
    }.items()


def test_files_that_are_no_photographs(run: Run, pair: tuple[Path, Path], tmp_path: Path) -> None:
    output = tmp_path / "out.jpg"
    for name, words in bad_files(tmp_path):
        fails(run("transfer", tmp_path / name, pair[1], "-o", output), name, words)
        fails(run("transfer", pair[0], tmp_path / name, "-o", output), name, words)
        fails(run("evaluate", *pair, tmp_path / name), name, words)
        assert not output.exists()


def test_a_file_that_may_not_be_read(run: Run, pair: tuple[Path, Path], tmp_path: Path) -> None:
    pair[0].chmod(0)
    try:
        pair[0].read_bytes()
    except PermissionError:
        fails(run("transfer", *pair, "-o", tmp_path / "out.jpg"), "may not be read")
    else:
        pytest.skip("this user may read everything")


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("nowhere/out.jpg", "there is no folder"),
        ("out.xyz", "extension"),
        ("folder.jpg", "is a folder"),
        ("content.png", "is one of the input files"),
    ],
)
def test_an_unwritable_output_is_found_before_the_work(
    run: Run, pair: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str, words: str
) -> None:
    (tmp_path / "folder.jpg").mkdir()
    before = pair[0].read_bytes()
    monkeypatch.setattr("photostyle.jobs.pair.load_photograph", lambda path: pytest.fail("the work has started"))
    fails(run("transfer", *pair, "-o", tmp_path / output), words)
    assert pair[0].read_bytes() == before


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--recipe", "paint"], ["no recipe 'paint'", "photo, luan, gatys"]),
        (["--frobnicate", "3"], ["There is no option --frobnicate"]),
        (["--frobnicate"], ["There is no option --frobnicate"]),
        (["--no-frobnicate"], ["There is no option --no-frobnicate"]),
        (["--refine"], ["no setting 'refine'"]),  # which another recipe has
        (["--seed", "1"], ["no setting 'seed'"]),
        (["--steps", "0"], ["steps must be at least 1"]),
        (["--steps", "many"], ["--steps"]),
        (["--content-weight", "-3"], ["content_weight must be at least 0"]),
        (["--content-weight", "much"], ["content_weight must be a number"]),
        (["--content-weight"], ["content_weight must be a number"]),
        (["--recipe", "luan", "--optimizer", "sgd"], ["lbfgs, adam"]),
        (["--strength", "1.5"], ["--strength"]),
        (["--strength", "-0.1"], ["--strength"]),
        (["--strength", "nan"], ["--strength"]),
        (["--strength", "half"], ["--strength", "'half'"]),
        (["--strength", "0.3,,1"], ["--strength", "0.3,0.6,1"]),
        (["--strength", "0.3,2"], ["--strength"]),
        (["--strength", "0.5,1,0.50"], ["--strength", "twice"]),
        (["--save-look", "look.png"], ["look.png", ".safetensors"]),
        (["--save-look", "nowhere/look.safetensors"], ["no folder"]),
        (["--jpeg-quality", "101"], ["--jpeg-quality"]),
        (["--backbone", "resnet"], ["one of vgg16-hed, vgg19, ", "not 'resnet'"]),
        (["--backbone", "efficientnet-lite2"], ["one of vgg16-hed, vgg19, ", "not 'efficientnet-lite2'"]),
        (["--weights-path", "missing.h5"], ["missing.h5"]),
        (["--pooling", "median"], ["median"]),
        (["--device", "abacus"], ["no device 'abacus'"]),
        (["third.jpg"], ["one style, not 2"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_bad_options(run: Run, pair: tuple[Path, Path], tmp_path: Path, options: list[str], words: list[str]) -> None:
    fails(run("transfer", *pair, "-o", tmp_path / "out.jpg", *options), *words)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["content.png", "style.png"]


def test_regions_of_other_proportions(
    run: Run, pair: tuple[Path, Path], labels: tuple[Path, Path], tmp_path: Path
) -> None:
    wrong = ["--content-regions", labels[1], "--style-regions", labels[1]]
    fails(run("transfer", *pair, "-o", tmp_path / "out.jpg", *wrong), "48×48", "60×40")
    fails(run("evaluate", *pair, pair[0], *wrong), "48×48", "60×40")


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--typo", "There is no option --typo."),
        ("--content-wieght", "There is no option --content-wieght: perhaps --content-weight is meant."),
        ("--ouptut=x.png", "There is no option --ouptut: perhaps --output is meant."),
        ("--no-steps", "There is no option --no-steps"),
    ],
)
def test_an_unknown_option_takes_no_photograph_for_its_value(run: Run, option: str, words: str) -> None:
    result = run("transfer", option, "day.jpg", "night.jpg", "-o", "out.png")
    assert result.exit_code == 2
    assert words in result.stderr and result.stderr.count("\n") == 1
