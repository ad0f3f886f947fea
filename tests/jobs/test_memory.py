"""Memory: what is estimated is about what is taken; where there is less, the size is lowered or a sentence says so."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from commands import run_command
from torch import Tensor
from typer.testing import CliRunner, Result

from photostyle import RECIPES, find_look, load_image, save_image, save_look
from photostyle.cli import app
from photostyle.errors import DescentError, SettingsError
from photostyle.jobs import memory
from photostyle.jobs.memory import estimate, explained, free_memory, size_that_fits
from photostyle.network.vgg import VGG
from photostyle.photofile import read_note

ROOT = Path(__file__).parents[2]
SHAPE = (4000, 6000)

PEAK = """
import sys, torch
from photostyle import transfer_steps
from photostyle.bench.task import peak_memory as peak
recipe, height, width, size = sys.argv[1], *map(int, sys.argv[2:])
torch.set_num_threads(1)
images = [torch.rand(3, height, width) for _ in range(2)]
before = peak()
for _ in transfer_steps(*images, recipe=recipe, **({"size": size, "steps": 1} if size else {})):
    pass
print(peak() - before)
"""

MATTE = """
import torch
from photostyle import find_alpha
from photostyle.bench.task import peak_memory as peak
torch.set_num_threads(1)
image, known = torch.rand(3, 500, 700), torch.linspace(0, 1, 700).mul(3).floor().div(2).clamp(0, 1).expand(500, 700)
before = peak()
find_alpha(image, known)
print(peak() - before)
"""


@pytest.mark.weights
@pytest.mark.parametrize(
    ("recipe", "shape", "size"),
    [
        ("photo", (192, 256), 256),
        ("photo", (1500, 2000), 64),
    ],
)
def test_the_estimate_is_about_what_is_taken(recipe: str, shape: tuple[int, int], size: int) -> None:
    """Not less, and at most some three times as much."""
    command = [sys.executable, "-c", PEAK, recipe, *map(str, (*shape, size))]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    said, taken = estimate(recipe, shape, size or None), int(done.stdout)
    assert 0.3 * said < taken < 1.05 * said, (taken, said)


# --- the size ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("recipe", [name for name, recipe in RECIPES.items() if recipe.network])
@pytest.mark.parametrize("gigabytes", [2, 4, 16])
def test_the_largest_size_that_fits(recipe: str, gigabytes: int) -> None:
    free = gigabytes * 1e9
    size = size_that_fits(recipe, SHAPE, 6000, free)
    assert size is not None and 64 <= size < 6000
    assert estimate(recipe, SHAPE, size) <= free < estimate(recipe, SHAPE, size + 1)


def test_what_fits_stays() -> None:
    assert size_that_fits("photo", SHAPE, 256, 8e9) == 256
    assert size_that_fits("photo", SHAPE, 40, 8e9) == 40  # smaller than any that would be chosen
    assert size_that_fits("reinhard", SHAPE, None, 8e9) is None


def test_a_size_beyond_the_photograph_takes_no_more() -> None:
    assert estimate("gatys", (300, 400), 9000) == estimate("gatys", (300, 400), 400)


@pytest.mark.parametrize(("recipe", "size"), [("photo", 256), ("photo", 40), ("pitie", None)])
def test_where_nothing_fits_a_sentence_says_what_to_lower(recipe: str, size: int | None) -> None:
    with pytest.raises(SettingsError, match=r"6000×4000 pixels, and 0\.5 GB are free: make the photograph smaller"):
        size_that_fits(recipe, SHAPE, size, 5e8)


# --- what is free ------------------------------------------------------------------------------------


def test_there_is_memory_free_here() -> None:
    assert 1e7 < free_memory(torch.device("cpu")) < 1e14


def write(folder: Path, **files: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("_", ".", 1)).write_text(f"{content}\n")


def test_groups_of_the_second_version(tmp_path: Path) -> None:
    """The narrowest of the group and those above it; caches can be taken back."""
    own = tmp_path / "own"
    own.write_text("0::/slice/job\n")
    root = tmp_path / "groups"
    write(root / "slice" / "job", memory_max="max", memory_current=500, memory_stat="anon 400\ninactive_file 100")
    assert memory._free_in_group(root, own) == math.inf
    write(root / "slice", memory_max=2000, memory_current=1500, memory_stat="anon 900\ninactive_file 300")
    assert memory._free_in_group(root, own) == 800
    write(root / "slice" / "job", memory_max=700)
    assert memory._free_in_group(root, own) == 300
    write(root / "slice" / "job", memory_current=900)
    assert memory._free_in_group(root, own) == 0


def test_groups_of_the_first_version(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.write_text("5:cpu:/a\n4:memory:/docker/x\n0::/\n")
    files = {"memory_limit_in_bytes": 1000, "memory_usage_in_bytes": 600, "memory_stat": "total_inactive_file 50"}
    write(tmp_path / "groups" / "memory", **files)  # within a container its own path is not there
    assert memory._free_in_group(tmp_path / "groups", own) == 450


def test_without_groups_there_is_no_limit(tmp_path: Path) -> None:
    assert memory._free_in_group(tmp_path, tmp_path / "none") == math.inf


# --- shortages ---------------------------------------------------------------------------------------

SHORTAGES = [
    MemoryError(),
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 10 bytes."),
    RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"),
]


@pytest.mark.parametrize("error", SHORTAGES, ids=str)
def test_a_shortage_is_a_sentence(error: Exception) -> None:
    with (
        pytest.raises(SettingsError, match="not enough memory: make the photographs smaller, lower --size"),
        explained(),
    ):
        raise error


def test_a_real_shortage_on_the_processor() -> None:
    with pytest.raises(SettingsError, match="not enough memory"), explained():
        torch.empty(2**57)


@pytest.mark.parametrize("error", [RuntimeError("shapes differ"), DescentError("It is not finite."), KeyError("x")])
def test_other_errors_stay_what_they_are(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, explained():
        raise error
    assert caught.value is error


# --- the command line --------------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path: Path, small_network: Path, picture: Callable[..., Tensor]) -> Callable[..., Result]:
    """`run(*options)`: a transfer of an 80×120 photograph into `out.png`."""
    save_image(picture(80, 120), tmp_path / "content.png")
    save_image(picture(48, 48, seed=1), tmp_path / "style.png")

    def invoke(*options: object) -> Result:
        files = (tmp_path / "content.png", tmp_path / "style.png", "-o", tmp_path / "out.png")
        return run_command("transfer", *files, "--regions", "none", "--steps", 2, *options)

    return invoke


def test_the_size_is_lowered_with_a_notice(
    run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the file says at which size it was made."""
    free = estimate("gatys", (80, 120), 90)
    monkeypatch.setattr(memory, "free_memory", lambda device: free)
    result = run("--recipe", "gatys", "--size", 110)
    assert result.exit_code == 0
    assert "Note: --size 110 needs more memory than is free; it is lowered to 90." in result.stderr
    assert load_image(tmp_path / "out.png").shape == (3, 60, 90)
    assert read_note(tmp_path / "out.png")["settings"]["size"] == 90  # type: ignore[index]


def test_where_not_even_the_smallest_fits(
    run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda device: 1e6)
    result = run()
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1].startswith("Error: This takes about 0.2 GB of memory")
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize("name", ["matte", "regions", "apply", "doodle"])
def test_every_command_that_computes_looks_for_room_first(
    run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    content, style = tmp_path / "content.png", tmp_path / "style.png"
    save_look(find_look(load_image(content), load_image(content)), tmp_path / "a.safetensors")
    files = {
        "matte": (content, "--trimap", content),
        "regions": (content, style),
        "apply": (tmp_path / "a.safetensors", content),
        "doodle": (style, style, content),
    }[name]
    before = set(tmp_path.iterdir())
    monkeypatch.setattr(memory, "free_memory", lambda device: 1e5)
    words = [str(word) for word in (name, *files, "-o", tmp_path / ("new" if name == "regions" else "out.png"))]
    result = CliRunner().invoke(app, words, prog_name="photostyle", catch_exceptions=False)
    assert result.exit_code == 2, result.stderr
    assert result.stderr.splitlines()[-1].startswith("Error: This takes about ")
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize("error", SHORTAGES, ids=str)
def test_a_shortage_in_any_command_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def short(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("photostyle.photofile.reading.decode", short)
    save_image(torch.rand(3, 40, 40), tmp_path / "a.png")
    words = ["evaluate", *[str(tmp_path / "a.png")] * 3]
    result = CliRunner().invoke(app, words, prog_name="photostyle", catch_exceptions=False)
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: There is not enough memory: make the photographs smaller")


def test_a_matte_takes_what_is_said() -> None:
    command = [sys.executable, "-c", MATTE]
    taken = int(subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout)
    assert 0.3 * estimate("matte", (500, 700), None) < taken < 1.05 * estimate("matte", (500, 700), None)


@pytest.mark.parametrize("error", SHORTAGES, ids=str)
def test_a_shortage_in_the_midst_of_it(
    run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def short(*_: object) -> None:
        raise error

    monkeypatch.setattr(VGG, "__call__", short)
    result = run()
    assert result.exit_code == 2 and "Traceback" not in result.stderr
    assert result.stderr.splitlines()[-1].startswith("Error: There is not enough memory: make")
    assert not (tmp_path / "out.png").exists()
