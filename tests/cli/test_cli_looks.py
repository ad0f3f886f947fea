"""`--save-look` and `photostyle apply`: a look on other frames."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from commands import QUICK, fails
from PIL import Image
from typer.testing import Result

from photostyle import __version__, fade, find_look, load_image, load_look, save_image, save_look
from photostyle.network.weights import cached_path
from photostyle.photofile import read_note

ROOT = Path(__file__).parents[2]
Run = Callable[..., Result]
pytestmark = pytest.mark.usefixtures("small")


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
