"""The command line: what it answers, what it writes, and how it fails."""

from __future__ import annotations

import io
import json
import re
import runpy
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from typer.testing import Result

from photostyle import (
    RECIPES,
    DescentError,
    Measures,
    Step,
    __version__,
    fade,
    find_look,
    load_image,
    load_look,
    load_regions,
    save_image,
    save_look,
)
from photostyle.cli.progress import equation
from photostyle.color.difference import delta_e
from photostyle.color.path import between
from photostyle.jobs import evaluate as evaluating
from photostyle.jobs.pair import Pair
from photostyle.network import weights as weights_module
from photostyle.network.backbones import BACKBONES
from photostyle.network.weights import cached_path
from photostyle.photofile import bit_depth, read_note
from photostyle.recipes.photo import photo_maps

ROOT = Path(__file__).parents[2]
Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def small(request: pytest.FixtureRequest) -> None:
    """A network of few channels, but for tests of the real one."""
    if not request.node.get_closest_marker("weights"):
        request.getfixturevalue("small_network")


@pytest.fixture
def pair(tmp_path: Path, picture: Callable[..., torch.Tensor]) -> tuple[Path, Path]:
    """Two small photographs of different shape."""
    content, style = tmp_path / "content.png", tmp_path / "style.png"
    save_image(picture(40, 60), content)
    save_image(picture(48, 48, seed=1), style)
    return content, style


@pytest.fixture
def labels(tmp_path: Path) -> tuple[Path, Path]:
    """Their label images: blue over red; the style has a green corner that the content has not."""
    content, style = Image.new("RGB", (60, 40), "blue"), Image.new("RGB", (48, 48), "blue")
    content.paste("red", (0, 20, 60, 40))
    style.paste("red", (0, 24, 48, 48))
    style.paste((0, 255, 0), (0, 0, 12, 12))
    paths = tmp_path / "content-labels.png", tmp_path / "style-labels.png"
    content.save(paths[0])
    style.save(paths[1])
    return paths


QUICK = ("--size", 32, "--steps", 3)


def fails(result: Result, *words: str) -> None:
    """One sentence on stderr, exit code 2, and no result."""
    assert result.exit_code == 2
    assert result.stdout == ""
    lines = result.stderr.strip().splitlines()
    assert lines[-1].startswith("Error: ")
    assert all(word in lines[-1] for word in words), lines[-1]
    assert len(lines) == 1 or lines[0].startswith("Usage: ")
    assert "Traceback" not in result.stderr


# --- the face itself ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "args", [["--help"], ["--version"], ["transfer", "--help"], ["weights", "--help"], ["transfer"], ["--nonsense"]]
)
def test_help_does_not_wait_for_torch(args: list[str]) -> None:
    code = (
        "import sys\nfrom photostyle.cli import main\ntry: main()\n"
        "finally: print('heavy:', *{'torch', 'scipy', 'h5py', 'PIL'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code, *args], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.stdout.splitlines()[-1].split() == ["heavy:"]


@pytest.mark.parametrize("args", [["--version"], ["--help"]])
def test_python_m_is_the_command(args: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "photostyle", *args], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout == f"photostyle {__version__}\n" or done.stdout.startswith("Usage: photostyle ")


def test_an_error_of_the_whole_program(tmp_path: Path) -> None:
    """Once through a real process, exit code and streams included."""
    command = [sys.executable, "-m", "photostyle", "transfer", "none.jpg", "none.jpg", "-o", tmp_path / "out.jpg"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "Error: There is no file none.jpg: check the name.\n"


def test_the_documentation_is_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "argv", ["docs", "--check"])
        runpy.run_path(str(ROOT / "scripts" / "docs"), run_name="__main__")  # which exits if they are not


# --- regions -----------------------------------------------------------------------------------------


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


# --- transfer ----------------------------------------------------------------------------------------


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


# --- a look on other frames --------------------------------------------------------------------------


@pytest.fixture
def look(pair: tuple[Path, Path], tmp_path: Path) -> Path:
    """The look that makes the content darker and warmer."""
    content = load_image(pair[0])
    warm = content * torch.tensor([0.8, 0.6, 0.4])[:, None, None]
    save_look(find_look(content, warm, {"recipe": "by hand"}), tmp_path / "look.safetensors")
    return tmp_path / "look.safetensors"


@pytest.mark.parametrize("recipe", ["photo", "gatys"])
def test_the_look_of_a_transfer(run: Run, pair: tuple[Path, Path], tmp_path: Path, recipe: str) -> None:
    """It is the look at strength 1, whatever strength was asked for, and gives the transfer's result."""
    look, output = tmp_path / "look.safetensors", tmp_path / "out.png"
    made = run("transfer", *pair, "-o", output, *QUICK, "--recipe", recipe, "--strength", 0, "--save-look", look)
    assert made.exit_code == 0
    assert f"{output}, {look}: " in made.stdout
    facts = load_look(look).facts
    assert (facts["recipe"], facts["backbone"], facts["version"]) == (recipe, "vgg16-hed", __version__)
    assert facts["content"] == "content.png"
    assert json.loads(facts["settings"])["size"] == 32
    assert "strength" not in facts
    run("transfer", *pair, "-o", output, *QUICK, "--recipe", recipe)
    again = tmp_path / "again.png"
    assert run("apply", look, pair[0], "-o", again).stdout == f"Wrote {again}.\n"
    if recipe == "photo":  # a picture by gatys has another size
        error = (load_image(again) - load_image(output)).abs().mean()
        change = (load_image(pair[0]) - load_image(output)).abs().mean()
        assert error < change / 4


def test_a_look_may_not_replace_the_weights(run: Run, pair: tuple[Path, Path], tmp_path: Path) -> None:
    weights = cached_path("vgg16-hed")
    before = weights.read_bytes()
    args = ["transfer", *pair, "-o", tmp_path / "out.png", "--weights-path", weights, "--save-look", weights]
    fails(run(*args), "one of the input files")
    assert weights.read_bytes() == before


def test_apply_to_one_photograph(run: Run, pair: tuple[Path, Path], look: Path, tmp_path: Path) -> None:
    content, output = load_image(pair[0]), tmp_path / "out.png"
    warm = load_look(look).apply(content)
    for strength in (1, 0.25):
        result = run("apply", look, pair[0], "-o", output, "--strength", strength, "--quiet")
        assert (result.exit_code, result.output) == (0, "")
        torch.testing.assert_close(load_image(output), fade(content, warm, strength), rtol=0, atol=1.01 / 255)
    note = read_note(output)
    assert (note["look"], note["content"], note["strength"]) == ("look.safetensors", "content.png", 0.25)
    assert note["made"] == {"recipe": "by hand", "version": __version__}
    sizes = []
    for quality in (20, 95):
        run("apply", look, pair[0], "-o", tmp_path / "out.jpg", "--jpeg-quality", quality)
        sizes.append((tmp_path / "out.jpg").stat().st_size)
    assert sizes[0] < sizes[1]


def test_apply_to_many_photographs(
    run: Run, pair: tuple[Path, Path], look: Path, tmp_path: Path, picture: Callable[..., torch.Tensor]
) -> None:
    """Those that fail are told in a line each, and the others are done."""
    save_image(picture(80, 120, seed=3), tmp_path / "large.jpg")
    (tmp_path / "text.jpg").write_text("not a picture")
    Image.new("RGB", (60, 40), "blue").save(tmp_path / "frame.gif")
    folder = tmp_path / "new" / "out"
    names = ["content.png", "text.jpg", "style.png", "missing.jpg", "frame.gif", "large.jpg"]
    result = run("apply", look, *(tmp_path / name for name in names), "-o", folder)
    assert result.exit_code == 2
    assert sorted(path.name for path in folder.iterdir()) == ["content.png", "frame.jpg", "large.jpg"]
    assert load_image(folder / "large.jpg").shape == (3, 80, 120)
    written = ("content.png", "frame.jpg", "large.jpg")
    assert result.stdout == "".join(f"Wrote {folder / name}.\n" for name in written)
    lines = result.stderr.splitlines()
    words = ["text.jpg is no JPEG", "style.png: ", "There is no file"]
    assert len(lines) == len(words)
    assert all(line.startswith("Error: ") and word in line for line, word in zip(lines, words, strict=True))
    assert "48×48" in lines[1] and "60×40" in lines[1]


def test_apply_into_a_folder_that_is_there(run: Run, pair: tuple[Path, Path], look: Path, tmp_path: Path) -> None:
    (tmp_path / "frames.png").mkdir()
    assert run("apply", look, pair[0], "-o", tmp_path / "frames.png").exit_code == 0
    assert load_image(tmp_path / "frames.png" / "content.png").shape == (3, 40, 60)


def test_apply_refuses_before_it_starts(run: Run, pair: tuple[Path, Path], look: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in (*pair, look)}
    fails(run("apply", look, *pair, "-o", tmp_path), "content.png is one of the input files")
    fails(run("apply", look, pair[0], "-o", pair[0]), "is one of the input files")
    fails(run("apply", look, pair[0], "-o", look), "is one of the input files")
    fails(run("apply", look, *pair, "-o", tmp_path / "out.png"), "one file for 2 photographs")
    fails(run("apply", look, pair[0], tmp_path / "b" / "content.png", "-o", tmp_path / "out"), "Two", "content.png")
    fails(run("apply", look, pair[0], "-o", pair[1] / "out"), "cannot be made")
    fails(run("apply", look, pair[0], "-o", tmp_path / "out.png", "--strength", 1.5), "--strength")
    fails(run("apply", look, pair[0], "-o", tmp_path / "out.png", "--jpeg-quality", 0), "--jpeg-quality")
    fails(run("apply", pair[0], pair[1], "-o", tmp_path / "out.png"), "content.png", "no Hald image")
    fails(run("apply", tmp_path / "none.safetensors", pair[1], "-o", tmp_path / "out"), "There is no file")
    fails(run("apply", cached_path("vgg16-hed"), pair[1], "-o", tmp_path / "out.png"), "holds no look")
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in before}
    assert all(path.read_bytes() == data for path, data in before.items())


def test_apply_loads_no_network(pair: tuple[Path, Path], look: Path, tmp_path: Path) -> None:
    code = (
        "import sys\nfrom photostyle.cli import main\n"
        "heavy = {'scipy', 'h5py', 'photostyle.network.vgg', 'photostyle.recipes'}\n"
        "try: main()\n"
        "finally: print('heavy:', *heavy & set(sys.modules))"
    )
    args = ["apply", look, pair[0], "-o", tmp_path / "out.png", "-q"]
    done = subprocess.run([sys.executable, "-c", code, *args], capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.stdout.split(), done.stderr) == (["heavy:"], "")
    assert (tmp_path / "out.png").exists()


# --- bad input, one by one ---------------------------------------------------------------------------


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


# --- what can go wrong on the way --------------------------------------------------------------------


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


# --- evaluate, recipes, weights, demo ----------------------------------------------------------------


def test_evaluate(run: Run, pair: tuple[Path, Path], labels: tuple[Path, Path]) -> None:
    result = run("evaluate", *pair, pair[0], "--json")
    figures = json.loads(result.stdout)
    assert list(figures) == [f.name for f in fields(Measures)]
    assert all(isinstance(figure, float) for figure in figures.values())
    table = run("evaluate", *pair, pair[0]).stdout
    assert re.search(rf"edge SSIM +{figures['edge_ssim']:.4f} +↑", table)
    assert re.search(rf"color distance +{figures['color_distance']:.4f} +↓", table)
    regional = run("evaluate", *pair, pair[0], "--json", "--content-regions", labels[0], "--style-regions", labels[1])
    assert json.loads(regional.stdout)["color_distance"] != figures["color_distance"]


def test_evaluate_an_output_of_other_proportions(run: Run, pair: tuple[Path, Path]) -> None:
    fails(run("evaluate", *pair, pair[1]), "48×48", "60×40")


def test_recipes(run: Run) -> None:
    listed = run("recipes").stdout
    assert all(name in listed for name in RECIPES)
    assert "photo (default)" in listed
    facts = json.loads(run("recipes", "--json").stdout)
    assert [name for name, recipe in facts.items() if recipe["default"]] == ["photo"]
    for name, recipe in RECIPES.items():
        assert json.loads(run("recipes", name, "--json").stdout) == {name: facts[name]}
        options = [setting["option"] for setting in facts[name]["settings"]]
        assert [option.split("/")[0] for option in options] == [
            f"--{f.name.replace('_', '-')}" for f in fields(recipe.settings)
        ]
        table = run("recipes", name).stdout
        assert all(option in table for option in options)
    fails(run("recipes", "paint"), "photo, luan, gatys")


def test_every_setting_is_explained(run: Run) -> None:
    for recipe in json.loads(run("recipes", "--json").stdout).values():
        assert all(setting["help"] for setting in recipe["settings"])


def test_weights(run: Run) -> None:
    listed = run("weights", "list").stdout
    assert re.search(r"vgg16-hed \(default\) +VGG-16 +transfers +yes", listed)
    assert re.search(r"vgg19 +VGG-19 +transfers +no", listed)
    assert re.search(r"efficientnet-lite2 +EfficientNet-Lite2 +regions +yes +23 MB +Apache-2.0 *$", listed, re.M)
    assert all(f"\n{name}: {backbone.attribution}\n" in listed for name, backbone in BACKBONES.items())
    path, other = cached_path("vgg16-hed"), cached_path("efficientnet-lite2")
    assert run("weights", "fetch", "vgg16-hed").stdout == f"vgg16-hed is in {path}.\n"
    assert run("weights", "fetch").stdout == f"vgg16-hed is in {path}.\nefficientnet-lite2 is in {other}.\n"
    assert run("weights", "verify").stdout == "vgg16-hed is intact.\nefficientnet-lite2 is intact.\n"
    assert run("weights", "verify", "efficientnet-lite2").stdout == "efficientnet-lite2 is intact.\n"
    fails(run("weights", "verify", "vgg19"), "No weights 'vgg19' are in the cache")
    fails(run("weights", "verify", "resnet"), "no backbone 'resnet'")
    fails(run("weights", "fetch", "resnet"), "no backbone 'resnet'")
    path.write_bytes(path.read_bytes()[:-1])
    fails(run("weights", "verify"), "vgg16-hed")
    path.unlink()
    assert run("weights", "verify").stdout == "efficientnet-lite2 is intact.\n"
    other.unlink()
    fails(run("weights", "verify"), "No weights are in the cache")


@pytest.mark.weights
def test_demo(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the example at a third of its size: what is shown of it needs no more."""
    whole = evaluating.example("palace-night")
    small = {}
    for role, path in whole.files.items():
        with Image.open(path) as picture:
            small[role] = tmp_path / path.name
            size = (picture.width // 3, picture.height // 3)
            picture.resize(size, None if role in ("content", "style") else Image.Resampling.NEAREST).save(small[role])
    pair = Pair(small["content"], [small["style"]], small["content_regions"], small["style_regions"])
    monkeypatch.setattr(evaluating, "example", lambda name: pair if name == "palace-night" else None)
    result = run("demo", "--output", tmp_path / "new" / "out")
    assert result.exit_code == 0
    assert "213×142" in result.stdout
    content = load_image(small["content"])
    picture, sheet = (load_image(tmp_path / "new" / "out" / name) for name in ("demo.jpg", "demo-sheet.png"))
    assert picture.shape == content.shape
    assert sheet.shape[2] > 2.5 * sheet.shape[1]  # three photographs and two lines of figures


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
