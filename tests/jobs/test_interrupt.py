"""Ctrl-C, kill -9 and going on: the best so far is kept, no file is half written, a resumed run has the same bits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from typer.testing import Result
from walking import walk

from photostyle import Step, load_image, save_image, transfer_steps
from photostyle import files as files_module
from photostyle.descent import checkpoint as checkpoint_module
from photostyle.descent.checkpoint import Checkpoint, digest
from photostyle.descent.descend import descend
from photostyle.descent.place import KEEPER
from photostyle.errors import SettingsError
from photostyle.network.vgg import VGG
from photostyle.photofile import read_note
from photostyle.terms.energy import energy

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.usefixtures("small_network")
Run = Callable[..., Result]

RECIPES: dict[str, dict[str, Any]] = {
    "photo": {"size": 36, "steps": 6},
    "luan": {"size": 32, "steps": 5},
    "gatys": {"size": 32, "steps": 8, "levels": 2},
    "gatys by adam": {"recipe": "gatys", "size": 32, "steps": 6, "optimizer": "adam"},
    "mmd": {"size": 32, "steps": 5},
    "mrf": {"size": 40, "steps": 14},
}


@pytest.fixture
def pair(tmp_path: Path, picture: Callable[..., Tensor]) -> tuple[Path, Path]:
    content, style = tmp_path / "content.png", tmp_path / "style.png"
    save_image(picture(60, 90), content)
    save_image(picture(48, 48, seed=1), style)
    return content, style


# --- the same bits -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RECIPES)
def test_a_resumed_run_ends_in_the_same_bits(picture: Callable[..., Tensor], tmp_path: Path, name: str) -> None:
    """Closed in every stage and once more soon after, each time gone on by a new Checkpoint."""
    content, style = picture(32, 48).float(), picture(32, 32, seed=1).float()
    options = {"recipe": name} | RECIPES[name]

    def start() -> Any:
        return transfer_steps(content, style, **options)

    steps, expected = walk(start())
    stages = [step.stage for step in steps]
    ends = {stage: len(stages) - stages[::-1].index(stage) for stage in stages}
    for at in sorted({1, len(steps) - 1, *(end - 2 for end in ends.values() if end > 2), *ends.values()}):
        folder = tmp_path / str(at)
        done = 0
        for stop in (at, 2):
            with Checkpoint(folder, {}, resume=bool(done), every=1e9).keeping():
                going = start()
                for _ in range(min(stop, len(steps) - done)):
                    next(going)
                    done += 1
                going.close()
        with Checkpoint(folder, {}, resume=True).keeping():
            rest, result = walk(start())
        assert torch.equal(result, expected), f"stopped at {at}"
        assert len(rest) == len(steps) - done
        assert [(step.stage, step.iteration) for step in rest] == [
            (step.stage, step.iteration) for step in steps[done:]
        ]


def test_keeping_changes_nothing(picture: Callable[..., Tensor], tmp_path: Path) -> None:
    content, style = picture(48, 64).float(), picture(40, 40, seed=1).float()
    _, expected = walk(transfer_steps(content, style, size=32, steps=8))
    with Checkpoint(tmp_path / "kept", {}, every=0).keeping():
        _, result = walk(transfer_steps(content, style, size=32, steps=8))
    assert torch.equal(result, expected)
    assert KEEPER.get() is None


def test_an_interrupted_evaluation_loses_one_step(tmp_path: Path) -> None:
    """Ctrl-C in the midst of an evaluation: what was done before it is kept."""
    calls = 0

    def value(features: Any) -> Tensor:
        nonlocal calls
        calls += 1
        if calls == 9:
            raise KeyboardInterrupt
        x = features["image"]
        return (torch.linspace(1, 50, x.numel()).view_as(x) * (x - 0.3).square()).sum()

    def run() -> tuple[list[Step], Tensor]:
        return walk(descend(energy("bowl", {"image"}, value), lambda x, _: {"image": x}, zeros, stage="s", steps=20))

    zeros = torch.zeros(3, 4, 4)
    with pytest.raises(KeyboardInterrupt), Checkpoint(tmp_path, {}, every=1e9).keeping():
        run()
    with Checkpoint(tmp_path, {}, resume=True).keeping():
        rest, result = run()
    steps, expected = run()
    assert torch.equal(result, expected)
    assert 0 < len(rest) < len(steps)


def test_places_come_back_from_a_file_to_the_last_bit(tmp_path: Path) -> None:
    """Also numbers that JSON writes in an unusual way, and tensors that are stored by columns."""
    from photostyle.descent.place import Place

    image = torch.rand(3, 5, 7).transpose(1, 2)
    place = Place(image, 0.1 + 0.2, -image / 3, ((image, image / 7, 1e-300),), 12, (float("inf"), 1 / 3))
    keeper = Checkpoint(tmp_path, {})
    assert keeper.begin(image) is None
    keeper.keep(place, now=True)
    back = Checkpoint(tmp_path, {}, resume=True).begin(image)
    assert back is not None
    assert torch.equal(back.x, image) and torch.equal(back.slope, place.slope)
    assert torch.equal(back.memory[0][0], image) and torch.equal(back.memory[0][1], image / 7)
    numbers = (back.value, back.memory[0][2], back.iteration, back.energies, back.ended)
    assert numbers == (0.1 + 0.2, 1e-300, 12, (float("inf"), 1 / 3), False)


def test_a_descent_is_written_now_and_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At most once in so many seconds, and when it ends."""
    now, writes = [0.0], []
    monkeypatch.setattr(checkpoint_module, "monotonic", lambda: now[0])
    keeper = Checkpoint(tmp_path, {}, every=10)
    monkeypatch.setattr(checkpoint_module, "write_whole", lambda path, data: writes.append(now[0]))
    E = energy("slope", {"image"}, lambda f: f["image"].exp().sum())
    with keeper.keeping():
        for _ in descend(E, lambda x, _: {"image": x}, torch.zeros(3, 2, 2), stage="s", steps=12, optimizer="adam"):
            now[0] += 4
    assert writes == [12, 24, 36, 48]


# --- refusals ----------------------------------------------------------------------------------------


def test_a_checkpoint_of_another_job_is_refused(tmp_path: Path) -> None:
    Checkpoint(tmp_path, {"size": 32, "content": "a", "steps": 4})
    with pytest.raises(SettingsError, match=r"another job \(content, size differ\)"):
        Checkpoint(tmp_path, {"size": 33, "content": "b", "steps": 4}, resume=True)
    with pytest.raises(SettingsError, match="resume it"):
        Checkpoint(tmp_path, {"size": 32, "content": "a", "steps": 4})
    assert Checkpoint(tmp_path, {"size": 32, "content": "a", "steps": 4}, resume=True).found


def test_photographs_are_told_apart_by_their_pixels(picture: Callable[..., Tensor]) -> None:
    image = picture(5, 6).float()
    other = image.clone()
    other[2, 4, 5] = other[2, 4, 5].nextafter(torch.tensor(1.0))
    assert digest(image) == digest(image.clone()) == digest(image.transpose(1, 2).contiguous().transpose(1, 2))
    assert len({digest(image), digest(other), digest(image.view(3, 6, 5)), digest(image, image)}) == 4


@pytest.mark.parametrize("data", [b"", b"no descent", None])
def test_a_damaged_checkpoint_says_which_file(tmp_path: Path, data: bytes | None) -> None:
    keeper = Checkpoint(tmp_path, {})
    E = energy("square", {"image"}, lambda f: f["image"].square().sum())
    with keeper.keeping():
        walk(descend(E, lambda x, _: {"image": x}, torch.ones(3, 4, 4), stage="s", steps=3))
    (path,) = tmp_path.glob("descent*")
    path.write_bytes(path.read_bytes()[:-7] if data is None else data)
    with pytest.raises(SettingsError, match=r"descent-0001\.safetensors is damaged: delete it"):
        Checkpoint(tmp_path, {}, resume=True).begin(torch.ones(3, 4, 4))
    (tmp_path / "checkpoint.json").write_text("{")
    with pytest.raises(SettingsError, match="is damaged"):
        Checkpoint(tmp_path, {}, resume=True)


def test_a_checkpoint_is_removed_with_what_a_killed_writer_left(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    keeper = Checkpoint(folder, {})
    (folder / ".photostyle-0123.tmp").touch()
    (folder / "descent-0001.safetensors").touch()
    (folder / "mine.txt").touch()
    keeper.clear()
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]
    (folder / "mine.txt").unlink()
    keeper.clear()
    assert not folder.exists()


# --- the command line --------------------------------------------------------------------------------


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """`interrupted(n)`: Ctrl-C at the n-th look at the network while an image descends."""
    plain = VGG.__call__

    def after(n: int) -> None:
        calls = 0

        def call(self: VGG, image: Tensor, layers: Any) -> Any:
            nonlocal calls
            calls += image.requires_grad
            if calls == n and image.requires_grad:
                raise KeyboardInterrupt
            return plain(self, image, layers)

        monkeypatch.setattr(VGG, "__call__", call)

    return after


@pytest.mark.parametrize(("recipe", "size"), [("photo", (60, 90)), ("luan", (60, 90)), ("gatys", (27, 40))])
def test_ctrl_c_keeps_the_best_so_far(
    run: Run, pair: tuple[Path, Path], tmp_path: Path, interrupted: Callable[[int], None], recipe: str, size: Any
) -> None:
    """In the photograph's own size where the recipe's result has it."""
    out, partial = tmp_path / "out.png", tmp_path / "out-partial.png"
    interrupted(8)
    given = ("transfer", *pair, "-o", out, "--recipe", recipe, "--size", 40, "--steps", 30, "--regions", "none")
    result = run(*given)
    assert result.exit_code == 130 and result.stdout == ""
    assert result.stderr.splitlines()[-2:] == [f"The best so far is in {partial}.", "Interrupted."]
    assert not out.exists()
    assert load_image(partial).shape == (3, *size)
    assert read_note(partial)["partial"] is True
    assert "--resume" not in result.stderr


def test_ctrl_c_before_the_first_step_leaves_nothing(
    run: Run, pair: tuple[Path, Path], tmp_path: Path, interrupted: Callable[[int], None]
) -> None:
    before = set(tmp_path.iterdir())
    interrupted(1)
    result = run(
        "transfer", *pair, "-o", tmp_path / "out.png", "--recipe", "luan", "--start", "content", "--regions", "none"
    )
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (130, "Interrupted.")
    assert set(tmp_path.iterdir()) == before


def test_a_second_ctrl_c_stops_at_once(
    run: Run,
    pair: tuple[Path, Path],
    tmp_path: Path,
    interrupted: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Here in the midst of writing: nothing is left of it."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = set(tmp_path.iterdir())
    interrupted(5)
    monkeypatch.setattr(files_module.os, "fsync", stop)
    result = run("transfer", *pair, "-o", tmp_path / "out.png", "--regions", "none", "--size", 32)
    assert result.exit_code == 130
    assert set(tmp_path.iterdir()) == before


def test_the_partial_image_has_a_name_that_is_short_enough(
    run: Run, pair: tuple[Path, Path], tmp_path: Path, interrupted: Callable[[int], None]
) -> None:
    interrupted(5)
    result = run("transfer", *pair, "-o", tmp_path / f"{'ü' * 125}.png", "--regions", "none", "--size", 32)
    assert result.exit_code == 130
    assert read_note(tmp_path / f"{'ü' * 121}-partial.png")["partial"] is True


def test_the_partial_image_is_no_input(run: Run, pair: tuple[Path, Path], tmp_path: Path) -> None:
    content = pair[0].rename(tmp_path / "out-partial.png")
    result = run("transfer", content, pair[1], "-o", tmp_path / "out.png")
    assert result.exit_code == 2 and "one of the input files" in result.stderr


def test_resume_from_the_command_line(
    run: Run,
    pair: tuple[Path, Path],
    tmp_path: Path,
    interrupted: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out, kept = tmp_path / "out.png", tmp_path / "kept"
    given = ("transfer", *pair, "-o", out, "--size", 40, "--steps", 20)
    assert run(*given).exit_code == 0
    expected = out.read_bytes()
    out.unlink()
    plain = VGG.__call__
    interrupted(9)
    result = run(*given, "--checkpoint", kept)
    assert result.exit_code == 130 and f"--checkpoint {kept} --resume" in result.stderr
    monkeypatch.setattr(VGG, "__call__", plain)

    refused = run(*given, "--checkpoint", kept)
    assert refused.exit_code == 2 and "resume it, or name another folder" in refused.stderr
    refused = run(*given, "--checkpoint", kept, "--resume", "--content-weight", 3)
    assert refused.exit_code == 2 and "another job (content_weight differ)" in refused.stderr
    refused = run("transfer", pair[1], pair[1], *given[3:], "--checkpoint", kept, "--resume")
    assert refused.exit_code == 2 and "another job (content, regions differ)" in refused.stderr
    assert not out.exists()

    assert run(*given, "--checkpoint", kept, "--resume").exit_code == 0
    assert out.read_bytes() == expected
    assert not kept.exists()


def test_resume_needs_a_folder_and_may_find_nothing(run: Run, pair: tuple[Path, Path], tmp_path: Path) -> None:
    given = ("transfer", *pair, "-o", tmp_path / "out.png", "--size", 32, "--steps", 3, "--regions", "none", "--resume")
    refused = run(*given)
    assert refused.exit_code == 2 and "--checkpoint" in refused.stderr
    result = run(*given, "--checkpoint", tmp_path / "kept")
    assert result.exit_code == 0 and "this is the beginning" in result.stderr


# --- doodles -----------------------------------------------------------------------------------------


def test_a_doodle_is_kept_and_goes_on(
    run: Run,
    pair: tuple[Path, Path],
    tmp_path: Path,
    interrupted: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """To the same pixels; the best so far is beside the output meanwhile."""
    out, kept, plain = tmp_path / "out.png", tmp_path / "kept", VGG.__call__
    maps = (pair[1], pair[1], pair[0], "--maps", "colors")
    given = ("doodle", *maps, "-o", out, "--size", 40, "--steps", 12)
    assert run(*given).exit_code == 0
    expected = load_image(out)
    out.unlink()

    interrupted(9)
    result = run(*given, "--checkpoint", kept)
    assert result.exit_code == 130
    assert result.stderr.splitlines()[-3:] == [
        f"The best so far is in {tmp_path / 'out-partial.png'}.",
        f"To continue from here, repeat the command with --checkpoint {kept} --resume.",
        "Interrupted.",
    ]
    assert read_note(tmp_path / "out-partial.png")["partial"] is True
    assert load_image(tmp_path / "out-partial.png").shape == expected.shape
    assert not out.exists()
    looks = 0

    def counted(self: VGG, image: Tensor, layers: Any) -> Any:
        nonlocal looks
        looks += image.requires_grad
        return plain(self, image, layers)

    monkeypatch.setattr(VGG, "__call__", counted)
    refused = run(*given, "--seed", 1, "--checkpoint", kept, "--resume")
    assert refused.exit_code == 2 and "another job (seed differ)" in refused.stderr
    assert run(*given, "--checkpoint", kept, "--resume").exit_code == 0
    went_on, looks = looks, 0
    assert torch.equal(load_image(out), expected)
    assert not kept.exists()
    assert run(*given).exit_code == 0
    assert went_on < looks
    assert run(*given, "--resume").exit_code == 2


# --- real processes ----------------------------------------------------------------------------------

PROCESS = """
import os, signal, sys, torch
from dataclasses import replace
torch.set_num_threads(1)
from photostyle import cli
from photostyle.descent import checkpoint
from photostyle.network import backbones
name = backbones.DEFAULT_BACKBONE  # the only one without regions that are found
backbones.BACKBONES[name] = replace(backbones.BACKBONES[name], channels=(4, 5, 6, 7, 8))
left, keep = int(sys.argv.pop(1)), checkpoint.Checkpoint.keep
def keep_some(self, place, *, now=False):
    global left
    keep(self, place, now=True)
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
checkpoint.Checkpoint.keep = keep_some
cli.main()
"""
posix = pytest.mark.skipif(os.name != "posix", reason="needs the signals of POSIX")


@posix
@pytest.mark.parametrize("recipe", ["photo", "luan", "gatys"])
def test_a_killed_process_goes_on_in_another(run: Run, pair: tuple[Path, Path], tmp_path: Path, recipe: str) -> None:
    out, kept = tmp_path / "out.png", tmp_path / "kept"
    given = ("transfer", *pair, "-o", out, "--regions", "none", "--recipe", recipe, "--size", 40, "--steps", 16)
    assert run(*given).exit_code == 0
    expected = out.read_bytes()
    out.write_bytes(b"an older file")
    command = [sys.executable, "-c", PROCESS, "13", *map(str, given), "--checkpoint", str(kept)]
    killed = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert out.read_bytes() == b"an older file"
    resumed = run(*given, "--checkpoint", kept, "--resume")
    assert resumed.exit_code == 0, resumed.stderr
    assert out.read_bytes() == expected


@posix
@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_real_signal(pair: tuple[Path, Path], tmp_path: Path, how: signal.Signals, code: int) -> None:
    """That of a terminal and that of `kill`, as soon as there is a first preview of a run without end."""
    out, previews = tmp_path / "out.jpg", tmp_path / "previews"
    given = ("transfer", *pair, "-o", out, "--regions", "none", "--recipe", "gatys", "--size", 48, "--steps", 1_000_000)
    command = [sys.executable, "-c", PROCESS, "0", *map(str, (*given, "--preview-every", 1, "--preview-dir", previews))]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        deadline = time.monotonic() + 60
        while not any(previews.glob("*.jpg")) and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(how)
        _, said = process.communicate(timeout=60)
    assert process.returncode == code, said
    assert said.endswith(f"The best so far is in {tmp_path / 'out-partial.jpg'}.\nInterrupted.\n")
    assert load_image(tmp_path / "out-partial.jpg").shape == (3, 32, 48)
    assert not out.exists() and not list(tmp_path.glob(".photostyle-*"))


BACKGROUND = """
import signal, subprocess, sys
from types import SimpleNamespace
signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell does for what it starts with &
import conftest
conftest.pytest_configure(SimpleNamespace())
child = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
subprocess.run([sys.executable, "-c", child], check=True)
"""


@posix
def test_what_tests_start_hears_ctrl_c_even_if_the_suite_does_not() -> None:
    command = [sys.executable, "-c", BACKGROUND]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1])
    assert done.stdout == "True\n"


@posix
def test_a_process_killed_while_it_writes_leaves_the_older_file(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys\nfrom photostyle import files\n"
        "os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)\nfiles.write_whole(sys.argv[1], b'new' * 10000)"
    )
    out = tmp_path / "out.png"
    out.write_bytes(b"an older file")
    killed = subprocess.run([sys.executable, "-c", code, out], check=False, cwd=ROOT)
    assert killed.returncode == -signal.SIGKILL
    assert out.read_bytes() == b"an older file"
