"""The command line itself, and the commands that evaluate, list and demonstrate."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest
from commands import fails
from PIL import Image
from typer.testing import Result

from photostyle import RECIPES, Measures, __version__, load_image
from photostyle.jobs import evaluate as evaluating
from photostyle.jobs.pair import Pair
from photostyle.network.backbones import BACKBONES
from photostyle.network.weights import cached_path

ROOT = Path(__file__).parents[2]
Run = Callable[..., Result]
pytestmark = pytest.mark.usefixtures("small")


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
