"""Worker processes and a Ray cluster: what survives being killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryFile

import pytest
import torch
from batches import QUICKLY, planned, records
from typer.testing import CliRunner

from photostyle import load_image, save_image, transfer
from photostyle.batch.journal import Journal
from photostyle.batch.local import Local
from photostyle.batch.plan import Task
from photostyle.batch.run import run
from photostyle.batch.work import Outcome
from photostyle.cli import app

ROOT = Path(__file__).parents[2]


@pytest.fixture
def dozen(tmp_path: Path, picture: Callable[..., torch.Tensor]) -> Path:
    """Twelve photographs that take a moment each."""
    folder = tmp_path / "dozen"
    folder.mkdir()
    for i in range(12):
        save_image(picture(300, 400, seed=i), folder / f"{i:02d}.jpg")
    return folder


class KillsFirst:
    """`Local`, whose first worker is killed while it has its first task."""

    def __init__(self) -> None:
        self.inner, self.killed = Local(1, 1), 0
        self.workers = self.threads = 1

    @property
    def free(self) -> bool:
        return self.inner.free

    def start(self, task: Task) -> None:
        self.inner.start(task)
        if not self.killed:
            self.killed = self.inner._processes[0]._process.pid
            os.kill(self.killed, signal.SIGKILL)

    def wait(self) -> tuple[Task, Outcome]:
        return self.inner.wait()

    def close(self) -> None:
        self.inner.close()


def test_a_killed_worker_costs_one_try(dozen: Path, style: Path, tmp_path: Path) -> None:
    tasks, engine = planned(dozen, style, tmp_path / "out"), KillsFirst()
    with Journal(tmp_path / "out" / "journal.jsonl") as journal:
        report = run(tasks, tasks, engine, journal, tmp_path / "out" / ".part")
    assert report["counts"] == {"done": 12, "reused": 0, "failed": 0}
    assert [row["attempts"] for row in report["tasks"]] == [2] + [1] * 11
    assert "00.jpg" in records(tmp_path, "failed")
    check_results(tasks, style, tmp_path / "out")


def check_results(tasks: list[Task], style: Path, out: Path) -> None:
    """Every result once, whole and as `transfer` makes it; nothing else but journals."""
    left = {path.name for path in out.iterdir() if "journal" not in path.name}
    assert left == {task.output for task in tasks}
    image = load_image(style)
    for task in tasks:
        expected = transfer(load_image(task.files["content"]), image, recipe="reinhard")
        assert (load_image(task.target) - expected).abs().mean() < 0.02, task.output


def command(dozen: Path, style: Path, tmp_path: Path, *args: str) -> list[str]:
    words = ["batch", dozen, "-o", tmp_path / "out", "--style", style, *QUICKLY, *args]
    return [sys.executable, "-m", "photostyle", *map(str, words)]


def kill_midway(line: list[str], midway: Callable[[], bool], with_signal: signal.Signals) -> int:
    """Run a command in a session of its own until it is midway, then send it a signal; returns its exit code.

    The deadlines, here and below, are for what would never end.
    """
    with TemporaryFile() as said:
        process = subprocess.Popen(line, cwd=ROOT, stdout=said, stderr=said, start_new_session=True)
        deadline = time.monotonic() + 300
        while not midway() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)
        process.send_signal(with_signal)
        code = process.wait(timeout=120)
        said.seek(0)
        assert midway(), said.read().decode(errors="replace")
    return code


def workers_of(word: str) -> int:
    """How many processes have a word in their environment (Linux).

    But for Ray's agents: without their node they have no work, and look for it for a minute before they end.
    """
    found = 0
    for path in Path("/proc").glob("[0-9]*"):
        try:
            found += (
                word.encode() in (path / "environ").read_bytes() and b"Agent" not in (path / "cmdline").read_bytes()
            )
        except OSError:
            continue
    return found


def check_ended(tmp_path: Path) -> None:
    """Workers do not outlive their driver."""
    if Path("/proc/self/environ").exists():
        deadline = time.monotonic() + 120
        while workers_of(f"PHOTOSTYLE_TEST_BATCH={tmp_path.name}"):
            assert time.monotonic() < deadline
            time.sleep(0.05)


def resume(dozen: Path, style: Path, tmp_path: Path) -> None:
    """Do the rest in this process."""
    here = [str(word) for word in (*command(dozen, style, tmp_path)[3:], "--workers", 0, "--resume")]
    assert CliRunner().invoke(app, here, catch_exceptions=False).exit_code == 0


@pytest.mark.parametrize(("how", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_batch_whose_driver_is_killed_can_be_resumed(
    dozen: Path, style: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: signal.Signals, code: int
) -> None:
    monkeypatch.setenv("PHOTOSTYLE_TEST_BATCH", tmp_path.name)
    journal = tmp_path / "out" / "journal.jsonl"
    line = command(dozen, style, tmp_path, "--workers", "1")
    assert kill_midway(line, lambda: journal.exists() and b'"done"' in journal.read_bytes(), how) == code
    monkeypatch.delenv("PHOTOSTYLE_TEST_BATCH")
    check_ended(tmp_path)
    before = records(tmp_path, "done")
    assert 0 < len(before) < 12
    resume(dozen, style, tmp_path)
    started = Counter(records(tmp_path, "started"))
    assert all(started[output] == 1 for output in before)
    check_results(planned(dozen, style, tmp_path / "out"), style, tmp_path / "out")


RAY_PROCESS = """
import os, signal, sys, time
from photostyle import cli
from photostyle.batch import ray as engine
perform, mark = engine.perform, sys.argv.pop(1)
def dying(task):
    if task.output == "03.jpg" and not os.path.exists(mark):
        open(mark, "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    if task.output == "06.jpg":
        time.sleep(3600)
    return perform(task)
engine.perform = dying
cli.main()
"""
"""The command, whose first try of one photograph is the death of its worker, and whose work on another never ends."""


def test_ray_survives_the_death_of_a_worker_and_ends_with_its_driver(
    dozen: Path, style: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both in one run: Ray takes long to start, and longer on a busy machine."""
    pytest.importorskip("ray", reason="Ray is not installed (extra ray)")
    mark, journal = tmp_path / "mark", tmp_path / "out" / "journal.jsonl"
    words = command(dozen, style, tmp_path, "--engine", "ray", "--workers", "1", "--threads", "1")
    monkeypatch.setenv("PHOTOSTYLE_TEST_BATCH", tmp_path.name)
    line = [sys.executable, "-c", RAY_PROCESS, str(mark), *words[3:]]
    endless = kill_midway(line, lambda: journal.exists() and "06.jpg" in records(tmp_path, "started"), signal.SIGKILL)
    monkeypatch.delenv("PHOTOSTYLE_TEST_BATCH")
    assert endless == -signal.SIGKILL
    check_ended(tmp_path)
    assert records(tmp_path, "failed") == ["03.jpg"]
    assert records(tmp_path, "done") == ["00.jpg", "01.jpg", "02.jpg", "04.jpg", "05.jpg"]
    resume(dozen, style, tmp_path)
    tries = Counter(records(tmp_path, "started"))
    assert tries == {f"{i:02d}.jpg": 2 if i in (3, 6) else 1 for i in range(12)}
    check_results(planned(dozen, style, tmp_path / "out"), style, tmp_path / "out")
