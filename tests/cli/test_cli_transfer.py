"""`photostyle transfer`: what it writes, and what becomes of one that goes wrong."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch
from commands import QUICK, fails
from PIL import Image
from typer.testing import Result

from photostyle import RECIPES, DescentError, Step, __version__, load_image
from photostyle.cli.progress import equation
from photostyle.color.difference import delta_e
from photostyle.color.path import between
from photostyle.photofile import bit_depth, read_note
from photostyle.recipes.photo import photo_maps

Run = Callable[..., Result]
pytestmark = pytest.mark.usefixtures("small")


def test_transfer_writes_a_photograph_and_says_so(run: Run, pair: tuple[Path, Path], tmp_path: Path) -> None:
    output = tmp_path / "out.jpg"
    result = run("transfer", *pair, "-o", output, *QUICK)
    assert result.exit_code == 0
    assert re.fullmatch(rf"Wrote {re.escape(str(output))}: 60×40 pixels in \d+\.\d s\.\n", result.stdout)
    assert load_image(output).shape == (3, 40, 60)
    assert "left)" in result.stderr and "energy" not in result.stderr
    loud = run("transfer", *pair, "-o", output, *QUICK, "--verbose")
    assert "energy" in loud.stderr and "style" in loud.stderr


def test_the_file_says_how_it_was_made(run: Run, pair: tuple[Path, Path], tmp_path: Path) -> None:
    output = tmp_path / "out.png"
    run("transfer", *pair, "-o", output, *QUICK, "--recipe", "gatys", "--strength", 0.5, "--seed", 7)
    note = read_note(output)
    assert note["settings"] == {f.name: f.default for f in fields(RECIPES["gatys"].settings)} | {
        "size": 32,
        "steps": 3,
        "seed": 7,
    }
    del note["settings"]
    assert note == {
        "regions": "none",
        "recipe": "gatys",
        "quality": "standard",
        "backbone": "vgg16-hed",
        "pooling": "average",
        "strength": 0.5,
        "seed": 7,
        "version": __version__,
        "content": "content.png",
        "style": "style.png",
    }


@pytest.mark.parametrize("recipe", RECIPES)
def test_equal_seeds_give_equal_bytes(run: Run, pair: tuple[Path, Path], tmp_path: Path, recipe: str) -> None:
    outputs = tmp_path / "a.jpg", tmp_path / "b.jpg"
    known = {setting.name for setting in fields(RECIPES[recipe].settings)}
    quick = [part for name, value in (("size", 32), ("steps", 3)) if name in known for part in (f"--{name}", value)]
    for output in outputs:
        assert run("transfer", *pair, "-o", output, *quick, "--recipe", recipe).exit_code == 0
    assert outputs[0].read_bytes() == outputs[1].read_bytes()


def test_settings_of_the_recipe_are_options(run: Run, pair: tuple[Path, Path], tmp_path: Path) -> None:
    """Before, between and behind the files, with and without =, switches included."""
    output = tmp_path / "out.png"
    content, style = pair
    args = ["--refine", content, "--content-weight", 3, style, "--matting-weight=20", "-o", output]
    result = run(
        "transfer", *args, "--recipe", "luan", "--size", 32, "--steps", 1, "--no-refine", "--optimizer", "adam"
    )
    assert result.exit_code == 0
    settings = read_note(output)["settings"]
    assert isinstance(settings, dict)
    wanted = {"content_weight": 3.0, "matting_weight": 20.0, "refine": False, "optimizer": "adam"}
    assert wanted.items() <= settings.items()


def test_regions_that_had_to_be_merged_are_reported(
    run: Run, pair: tuple[Path, Path], labels: tuple[Path, Path], tmp_path: Path
) -> None:
    args = ["transfer", *pair, "-o", tmp_path / "out.jpg", *QUICK, "--content-regions", labels[0]]
    result = run(*args, "--style-regions", labels[1])
    assert result.exit_code == 0
    assert "Note: Region green" in result.stderr
    fails(run(*args), "--style-regions")


def test_the_result_keeps_what_the_photograph_had(run: Run, pair: tuple[Path, Path], tmp_path: Path) -> None:
    deep = tmp_path / "deep.png"
    Image.new("I;16", (40, 32), 30000).save(deep)
    quick = ("--recipe", "reinhard")
    assert run("transfer", deep, pair[1], "-o", tmp_path / "out.png", *quick).exit_code == 0
    assert bit_depth(tmp_path / "out.png") == 16
    assert run("transfer", deep, pair[1], "-o", tmp_path / "8.png", *quick, "--bits", "8").exit_code == 0
    assert bit_depth(tmp_path / "8.png") == 8
    result = run("transfer", deep, pair[1], "-o", tmp_path / "out.jpg", *quick)
    assert "Note: JPEG has 8 bits per channel" in result.stderr
    assert run("transfer", deep, pair[1], "-o", tmp_path / "bare.png", *quick, "--strip-metadata").exit_code == 0
    assert read_note(tmp_path / "bare.png") == {} != read_note(tmp_path / "8.png")

    clear = tmp_path / "clear.png"
    Image.new("RGBA", (40, 32), (200, 100, 50, 60)).save(clear)
    assert run("transfer", clear, pair[1], "-o", tmp_path / "clear-out.png", *quick).exit_code == 0
    with Image.open(tmp_path / "clear-out.png") as image:
        assert image.mode == "RGBA" and image.getchannel("A").getextrema() == (60, 60)


def test_a_style_that_is_an_icon(run: Run, pair: tuple[Path, Path], tmp_path: Path) -> None:
    Image.new("RGB", (31, 64), (9, 90, 200)).save(tmp_path / "icon.png")
    fails(run("transfer", pair[0], tmp_path / "icon.png", "-o", tmp_path / "a.png"), "icon.png is 31×64", "at least 32")


def test_photographs_that_are_too_large(run: Run, pair: tuple[Path, Path], tmp_path: Path) -> None:
    fails(run("transfer", *pair, "-o", tmp_path / "a.png", "--most-pixels", 0.001), "megapixel")
    assert not (tmp_path / "a.png").exists()


def test_from_standard_input_to_standard_output(pair: tuple[Path, Path]) -> None:
    command = [sys.executable, "-m", "photostyle", "transfer", "-", str(pair[1]), "-o", "-", "--recipe", "reinhard"]
    command += ["--regions", "none"]
    done = subprocess.run(command, input=pair[0].read_bytes(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    with Image.open(io.BytesIO(done.stdout)) as made, Image.open(pair[0]) as given:
        assert made.size == given.size
    assert b"Wrote -" in done.stderr


def test_several_styles_are_for_recipes_that_blend_them(run: Run, pair: tuple[Path, Path], tmp_path: Path) -> None:
    styles = (pair[1], pair[0])
    quick = ("--size", 32, "--steps", 2)
    result = run("transfer", pair[0], *styles, "-o", tmp_path / "a.png", "--recipe", "gatys", *quick)
    assert result.exit_code == 0, result.stderr
    assert read_note(tmp_path / "a.png")["more_styles"] == [pair[0].name]
    fails(run("transfer", pair[0], *styles, "-o", tmp_path / "b.png"), "takes one style, not 2; several are for gatys")


def test_previews(run: Run, pair: tuple[Path, Path], tmp_path: Path) -> None:
    args = [
        "transfer",
        *pair,
        "-o",
        tmp_path / "out.jpg",
        "--recipe",
        "gatys",
        "--levels",
        1,
        "--size",
        32,
        "--steps",
        5,
    ]
    assert run(*args, "--preview-every", 2).exit_code == 0
    names = ["0002-32-px.jpg", "0004-32-px.jpg"]
    assert sorted(path.name for path in (tmp_path / "out-previews").iterdir()) == names
    assert run(*args, "--preview-every", 4, "--preview-dir", tmp_path / "a" / "b").exit_code == 0
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == names[1:]
    fails(run(*args, "--preview-dir", tmp_path / "c"), "--preview-every")
    fails(run(*args, "--preview-every", 2, "--preview-dir", pair[0]), "cannot be made")


def test_quiet_says_nothing(run: Run, pair: tuple[Path, Path], tmp_path: Path) -> None:
    result = run("transfer", *pair, "-o", tmp_path / "out.jpg", *QUICK, "--quiet")
    assert (result.exit_code, result.output) == (0, "")


def test_strength_nought_is_the_content(run: Run, pair: tuple[Path, Path], tmp_path: Path) -> None:
    output = tmp_path / "out.png"
    run("transfer", *pair, "-o", output, *QUICK, "--strength", 0)
    assert torch.equal(load_image(output), load_image(pair[0]))


def test_several_strengths_come_from_one_descent(
    run: Run, pair: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is between the content and the result at strength 1, and knows its own strength."""
    runs = []
    photo = RECIPES["photo"]
    counted = replace(photo, maps=lambda *args: runs.append(1) or photo_maps(*args))  # type: ignore[func-returns-value]
    monkeypatch.setitem(RECIPES, "photo", counted)
    result = run("transfer", *pair, "-o", tmp_path / "out.png", *QUICK, "--strength", "0.3,1,0")
    assert result.exit_code == 0
    files = {s: tmp_path / f"out-{s}.png" for s in ("0.3", "1", "0")}
    assert all(str(file) in result.stdout for file in files.values())
    assert len(runs) == 1
    assert not (tmp_path / "out.png").exists()
    assert {s: read_note(file)["strength"] for s, file in files.items()} == {s: float(s) for s in files}
    content, full = load_image(pair[0]), load_image(files["1"])
    assert torch.equal(load_image(files["0"]), content)
    assert not torch.equal(full, content)
    assert float(delta_e(load_image(files["0.3"]), between(content, full, 0.3)).mean()) < 1
    run("transfer", *pair, "-o", tmp_path / "out.png", *QUICK)
    assert torch.equal(load_image(tmp_path / "out.png"), full)


def test_every_strength_is_checked_for_its_file(
    run: Run, pair: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("photostyle.jobs.pair.load_photograph", lambda path: pytest.fail("the work has started"))
    (tmp_path / "out-0.6.jpg").mkdir()
    fails(run("transfer", *pair, "-o", tmp_path / "out.jpg", "--strength", "0.3,0.6"), "out-0.6.jpg", "is a folder")
    pair[0].rename(tmp_path / "new-1.png")
    args = ["transfer", tmp_path / "new-1.png", pair[1], "-o", tmp_path / "new.png"]
    fails(run(*args, "--strength", "0.5,1"), "new-1.png", "one of the input files")


def use_recipe(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """The default recipe takes one step, then raises."""

    def recipe(content, style, regions, vgg, settings):  # type: ignore[no-untyped-def]
        yield Step("only", 1, 2, content, {"style": 1.0})
        raise error

    monkeypatch.setitem(RECIPES, "photo", replace(RECIPES["photo"], run=recipe, maps=None))


def test_the_last_good_image_is_kept(
    run: Run, pair: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_recipe(monkeypatch, DescentError("The energy is not finite.", torch.full((3, 20, 30), 0.5)))
    fails(run("transfer", *pair, "-o", tmp_path / "out.png", "--quiet"), "not finite", "out-partial.png")
    assert load_image(tmp_path / "out-partial.png").shape == (3, 40, 60)
    assert read_note(tmp_path / "out-partial.png")["partial"] is True
    assert not (tmp_path / "out.png").exists()


def test_without_a_good_image_nothing_is_written(
    run: Run, pair: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_recipe(monkeypatch, DescentError("The energy\nis not finite."))
    fails(run("transfer", *pair, "-o", tmp_path / "out.png", "--quiet"), "The energy is not finite.")
    assert not list(tmp_path.glob("out*"))


def test_interrupted(run: Run, pair: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_recipe(monkeypatch, KeyboardInterrupt())
    result = run("transfer", *pair, "-o", tmp_path / "out.png", "--quiet")
    assert (result.exit_code, result.output) == (130, "Interrupted.\n")
    assert [path.name for path in tmp_path.glob("out*")] == ["out-partial.png"]


def test_the_energy_reads_as_an_equation() -> None:
    image = torch.zeros(3, 8, 8)
    assert equation(Step("a", 1, 2, image, {"style": 0.5, "matting": 0.25})) == "energy 0.75 = style 0.5 + matting 0.25"
    assert equation(Step("a", 1, 2, image)) == ""
