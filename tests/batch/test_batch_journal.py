"""What a batch remembers, what it tries again, and how long the rest takes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from batches import planned

from photostyle import ImageError, SettingsError
from photostyle.batch import work
from photostyle.batch.journal import Journal, last_records
from photostyle.batch.plan import Task
from photostyle.batch.run import Progress, run, unfinished
from photostyle.batch.work import Outcome, perform


def test_the_last_record_of_an_output_counts_and_torn_lines_do_not(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal(path) as journal:
        journal.write({"state": "started", "output": "a.jpg", "key": "1"})
        journal.write({"state": "done", "output": "a.jpg", "key": "1"})
    with path.open("ab") as file:
        file.write('{"at": 9e9, "state": "failed", "output": "a.jpg", "key": "ü'.encode()[:-1])
    with Journal(path) as journal:
        assert journal.last["a.jpg"]["state"] == "done"
        journal.write({"state": "done", "output": "ö.jpg", "key": "2"})
    assert {name: record["key"] for name, record in last_records([path]).items()} == {"a.jpg": "1", "ö.jpg": "2"}


def test_a_journal_has_one_writer(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal(path), pytest.raises(SettingsError, match="Another batch is at work"):
        Journal(path)
    with Journal(path):  # it has let go
        pass
    with pytest.raises(ImageError, match="cannot be"):
        Journal(tmp_path / "journal.jsonl" / "below")


class Scripted:
    """An engine that ends tasks as it is told: for each output the outcomes of its tries."""

    workers, threads, free, closed = 1, 1, False, False

    def __init__(self, script: dict[str, list[Outcome | BaseException]]) -> None:
        self.script, self.tasks, self.free = script, [], True  # type: ignore[var-annotated]

    def start(self, task: Task) -> None:
        self.tasks.append(task)
        self.free = False

    def wait(self) -> tuple[Task, Outcome]:
        self.free = True
        outcome = self.script[self.tasks[-1].output].pop(0)
        if isinstance(outcome, BaseException):
            raise outcome
        return self.tasks[-1], outcome

    def close(self) -> None:
        self.closed = True


def named(*names: str) -> list[Task]:
    return [Task({"content": name}, name, name, {}, key=f"key of {name}") for name in names]


def test_what_may_pass_is_tried_again_a_few_times_and_the_rest_goes_on(tmp_path: Path) -> None:
    crash, mistake, fine = Outcome("crashed", again=True), Outcome("no photograph"), Outcome(size=7)
    engine = Scripted({"a": [crash, fine], "b": [mistake], "c": [crash] * 5, "d": [fine]})
    tasks, told = named("a", "b", "c", "d"), []
    with Journal(tmp_path / "j.jsonl") as journal:
        report = run(
            tasks, tasks, engine, journal, None, retries=2, tell=lambda record, progress: told.append(record["output"])
        )
    assert "".join(task.output for task in engine.tasks) == "abcdacc" == "".join(told)
    assert engine.closed
    assert report["counts"] == {"done": 2, "reused": 0, "failed": 2}
    ends = {row["output"]: (row["state"], row["attempts"], row["reason"]) for row in report["tasks"]}
    assert ends == {
        "a": ("done", 2, ""),
        "b": ("failed", 1, "no photograph"),
        "c": ("failed", 3, "crashed"),
        "d": ("done", 1, ""),
    }


def test_an_interrupt_ends_the_engine_and_leaves_the_journal(tmp_path: Path) -> None:
    engine = Scripted({"a": [Outcome(size=1)], "b": [KeyboardInterrupt()], "c": []})
    with Journal(tmp_path / "j.jsonl") as journal, pytest.raises(KeyboardInterrupt):
        run(named("a", "b", "c"), named("a", "b", "c"), engine, journal, tmp_path / "part")
    assert engine.closed
    assert {name: r["state"] for name, r in last_records([tmp_path / "j.jsonl"]).items()} == {
        "a": "done",
        "b": "started",
    }


def test_done_means_the_same_key_and_a_result_of_the_same_size(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1234567")
    [task] = [replace(task, target=str(tmp_path / "a")) for task in named("a")]
    record = {"state": "done", "key": task.key, "size": 7}
    assert unfinished([task], {"a": record}) == []
    for other in ({"key": "x"}, {"size": 8}, {"state": "started"}, {"state": "failed"}):
        assert unfinished([task], {"a": record | other}) == [task]
    (tmp_path / "a").unlink()
    assert unfinished([task], {"a": record}) == [task] == unfinished([task], {})


def test_the_rate_says_how_long_the_rest_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    progress = Progress(total=10, reused=2, began=100.0)
    monkeypatch.setattr("photostyle.batch.run.monotonic", lambda: 120.0)
    assert progress.seconds_left is None
    progress.done, progress.failed = 3, 1
    assert (progress.left, progress.rate, progress.seconds_left) == (4, 0.2, pytest.approx(20))


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (OSError(28, "No space left on device"), True),
        (MemoryError(), True),
        (FileNotFoundError(2, "No such file"), False),
        (ValueError("a mistake in the program"), False),
        (SettingsError("a mistake of the user"), False),
    ],
)
def test_which_errors_may_pass(
    photos: Path, style: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, again: bool
) -> None:
    def fail(*_: Any, **__: Any) -> str:
        raise error

    monkeypatch.setattr(work.Transfer, "run", fail)
    outcome = perform(planned(photos, style, tmp_path / "out")[0])
    assert outcome.again is again
    assert outcome.error
