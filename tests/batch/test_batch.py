"""Many photographs: what is planned, what is remembered, what is tried again, and what survives being killed."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import pytest
import torch
from commands import run_command
from typer.testing import CliRunner, Result

from photostyle import (
    RECIPES,
    DescentError,
    FileError,
    ImageError,
    PhotostyleError,
    SettingsError,
    Step,
    find_look,
    load_image,
    load_look,
    save_image,
    save_look,
    transfer,
)
from photostyle.batch import local, storage, work
from photostyle.batch.journal import Journal, last_records
from photostyle.batch.lines import Line, read_lines
from photostyle.batch.local import Local
from photostyle.batch.plan import Task, heaviest, plan
from photostyle.batch.run import Progress, run, share, unfinished
from photostyle.batch.work import Outcome, perform
from photostyle.cli import app
from photostyle.jobs.memory import estimate
from photostyle.network.backbones import BACKBONES, FINDERS

ROOT = Path(__file__).parents[2]
QUICK: dict[str, Any] = {"recipe": "reinhard", "regions": "none"}
QUICKLY = ("--recipe", "reinhard", "--regions", "none")
Batch = Callable[..., Result]


@pytest.fixture
def photos(tmp_path: Path, picture: Callable[..., torch.Tensor]) -> Path:
    """A folder of four small photographs, one of them in a folder of its own and one called as another."""
    folder = tmp_path / "photos"
    (folder / "sub").mkdir(parents=True)
    for i, name in enumerate(("a.jpg", "b.png", "c.tif", "sub/a.jpg")):
        save_image(picture(24, 36, seed=i), folder / name)
    (folder / "notes.txt").write_text("not a photograph")
    return folder


@pytest.fixture
def style(tmp_path: Path, picture: Callable[..., torch.Tensor]) -> Path:
    save_image(picture(40, 40, seed=9), tmp_path / "style.png")
    return tmp_path / "style.png"


@pytest.fixture
def batch(tmp_path: Path, photos: Path, style: Path) -> Batch:
    """`batch("--resume", …)`: the command in this process, from the photographs into `out`, with the style."""

    def invoke(*args: object, jobs: object = photos, out: object = tmp_path / "out") -> Result:
        given = ["batch", jobs, "-o", out, "--workers", 0, *QUICKLY, *args]
        if not {"--style", "--look"} & set(map(str, args)):
            given += ["--style", style]
        return run_command(*given)

    return invoke


def records(tmp_path: Path, state: str, journal: str = "out/journal.jsonl") -> list[str]:
    """The outputs of the journal's records of one state."""
    lines = (tmp_path / journal).read_text(encoding="utf-8").splitlines()
    return [record["output"] for record in map(json.loads, lines) if record["state"] == state]


def planned(photos: Path, style: Path, out: Path, **options: Any) -> list[Task]:
    given = {"style": str(style), "options": QUICK} | options
    return plan(read_lines(str(photos), str(out)), str(out), **given)


# --- lines -------------------------------------------------------------------------------------------


def test_the_lines_of_a_folder_are_its_photographs_but_not_its_results(photos: Path) -> None:
    out = photos / "out"
    (out / "sub").mkdir(parents=True)
    for name in ("out/a.jpg", "out/sub/a.jpg", ".hidden.jpg"):
        (photos / name).write_bytes(b"")
    assert [line.name for line in read_lines(str(photos), str(out))] == ["a.jpg", "b.png", "c.tif", "sub/a.jpg"]
    assert len(read_lines(str(photos / "sub"), str(photos))) == 1  # the results go to where the photographs are from


def test_a_csv_and_a_jsonl_say_the_same(tmp_path: Path) -> None:
    rows = [
        {"content": "a.jpg", "style": "/else/s.png", "strength": "0.5", "output": ""},
        {"content": "b, c.jpg", "style": "s3://bucket/s.png", "strength": "", "output": "x/y.png"},
    ]
    with (tmp_path / "jobs.csv").open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    (tmp_path / "jobs.jsonl").write_text("\n\n".join(map(json.dumps, rows)), encoding="utf-8")
    found, same = (
        [line.values for line in read_lines(str(tmp_path / name), "out")] for name in ("jobs.csv", "jobs.jsonl")
    )
    assert found == same
    assert found == [
        {"content": str(tmp_path / "a.jpg"), "style": "/else/s.png", "strength": "0.5"},
        {"content": str(tmp_path / "b, c.jpg"), "style": "s3://bucket/s.png", "output": "x/y.png"},
    ]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("jobs.csv", "content,style\na.jpg,s.jpg\nb.jpg\n", "line 3 should have 2 cells"),
        ("jobs.csv", "content,style\na.jpg,s.jpg,x\n", "line 2 should have 2 cells"),
        ("jobs.csv", "photo,style\na.jpg,s.jpg\n", "line 1: name each column once, and one of them content"),
        ("jobs.csv", "content,content\na.jpg,s.jpg\n", "line 1: name each column once"),
        ("jobs.csv", 'content,style\na.jpg,"s.jpg\n', "is not CSV"),
        ("jobs.csv", "content,style\n,s.jpg\n", "line 2 names no content"),
        ("jobs.csv", "content,style\n", "holds no jobs"),
        ("jobs.jsonl", '{"content": "a.jpg"}\n{"content": \n', "line 2 is not JSON"),
        ("jobs.jsonl", '["a.jpg"]\n', "line 1 should be an object"),
        ("jobs.jsonl", '{"content": 3}\n', "line 1: content should be the path of a file, not 3"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=said):
        read_lines(str(tmp_path / name), "out")


def test_nothing_to_read(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for path, said in ((tmp_path / "empty", "holds no photographs"), (tmp_path / "none", "does not exist")):
        with pytest.raises(FileError, match=said):
            read_lines(str(path), "out")


# --- the plan ----------------------------------------------------------------------------------------


def test_results_are_named_after_their_photographs(photos: Path, style: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert [task.output for task in planned(photos, style, out)] == ["a.jpg", "b.png", "c.tif", "sub/a.jpg"]
    names = [task.output for task in planned(photos, style, out, extension=".webp")]
    assert names == ["a.webp", "b.webp", "c.webp", "sub/a.webp"]
    pair = {"content": str(photos / "a.jpg"), "style": str(style)}
    lines = [Line("1", pair), Line("2", pair | {"output": "x/y.PNG"}), Line("3", {"content": str(photos / "a.jpg")})]
    tasks = plan(lines, str(out), style=str(style), options=QUICK)
    assert [task.output for task in tasks] == ["a-style.jpg", "x/y.PNG", "a.jpg"]
    assert tasks[1].target == str(out / "x" / "y.PNG")


@pytest.mark.parametrize("name", ["../a.jpg", "/a.jpg", "s3://bucket/a.jpg", "a.bmp", "a", ""])
def test_an_output_stays_in_its_folder_and_can_be_written(photos: Path, style: Path, name: str) -> None:
    line = Line("line 7", {"content": str(photos / "a.jpg"), "output": name})
    with pytest.raises(SettingsError, match="line 7: output"):
        plan([line], "out", style=str(style), options=QUICK)


def test_two_results_never_have_one_name(photos: Path, style: Path) -> None:
    lines = [Line(where, {"content": str(photos / "a.jpg"), "output": f"{where}.jpg"}) for where in ("x", "X")]
    with pytest.raises(SettingsError, match=r"x and X would both be written to X\.jpg"):
        plan(lines, "out", style=str(style), options=QUICK)


def test_a_result_never_replaces_a_photograph(photos: Path, style: Path, tmp_path: Path) -> None:
    line = Line("1", {"content": str(photos / "a.jpg")})
    (tmp_path / "alias").symlink_to(photos)
    for out in (photos, tmp_path / "alias"):
        with pytest.raises(ImageError, match="is one of the input files"):
            plan([line], str(out), style=str(style), options=QUICK)
    named = [("a.jpg", "x.jpg"), ("b.png", "sub/a.jpg"), ("sub/a.jpg", "z.jpg")]  # the second would replace the third
    lines = [Line(name, {"content": str(photos / name), "output": output}) for name, output in named]
    with pytest.raises(ImageError, match="is one of the input files"):
        plan(lines, str(photos), style=str(style), options=QUICK)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"recipe": "no"}, "no"),
        ({"quality": "high"}, "quality is draft or standard or best"),
        ({"backbone": "vgg99"}, "one of vgg16-hed, vgg19, vgg19-torch, vgg16-torch, not 'vgg99'"),
        ({"backbone": "efficientnet-lite2"}, "not 'efficientnet-lite2'"),
        ({"strength": "2"}, "strength should be a number from 0 to 1, not '2'"),
        ({"strength": "half"}, "strength should be a number"),
        ({"regions": "painted"}, "regions is auto or learned or none"),
        ({"regions_model": "m"}, "regions_model is for regions learned"),
        ({"match": "blue"}, "match should be pairs"),
        ({"sice": "3"}, "no setting 'sice'"),
        ({"space": "rgb"}, "space must be one of lab, lalphabeta"),
        ({"content_regions": "x.png"}, "Regions come in pairs"),
        ({"look": "x.safetensors", "style": "s.png"}, "a style or a look"),
        ({"look": "x.safetensors"}, "A look takes a strength, but no recipe, regions"),
    ],
)
def test_a_wrong_setting_names_its_line(photos: Path, values: dict[str, str], said: str) -> None:
    line = Line("jobs.csv, line 5", {"content": str(photos / "a.jpg")} | values)
    with pytest.raises(PhotostyleError, match=said) as caught:
        plan([line], "out", style=None if "look" in values else "s.png", options=QUICK)
    assert str(caught.value).startswith("jobs.csv, line 5: ")


def test_missing_files_are_told_at_once(photos: Path, style: Path) -> None:
    lines = [Line(f"line {i}", {"content": f"{i}.jpg"}) for i in range(7)]
    with pytest.raises(ImageError, match=r"line 0: There is no file 0.jpg.* line 4: .* and 2 more"):
        plan(lines, "out", style=str(style), options=QUICK)


def test_a_lines_own_values_go_first(photos: Path, style: Path) -> None:
    content = {"content": str(photos / "a.jpg")}
    lines = [Line("1", content), Line("2", content | {"strength": 0.5, "output": "b.jpg", "match": "a=b, c=d"})]
    one, two = (task.options for task in plan(lines, "out", style=str(style), options=QUICK | {"strength": 1}))
    assert (one["strength"], two["strength"]) == (1.0, 0.5)
    assert (one["match"], two["match"]) == ({}, {"a": "b", "c": "d"})
    assert two["settings"] == {"space": "lab"}


def test_the_key_is_of_what_a_result_depends_on(photos: Path, style: Path, tmp_path: Path) -> None:
    def key(**options: Any) -> str:
        return planned(photos, style, tmp_path / "out", **options)[0].key

    first = key()
    os.utime(photos / "a.jpg", (0, 0))
    assert key() == key(device="cpu") == key(options=QUICK | {"space": "lab", "quality": "draft"}) == first
    others = [
        key(options=QUICK | {"space": "lalphabeta"}),
        key(options=QUICK | {"strength": 0.5}),
        key(options={"recipe": "photo"}),
        key(options={"recipe": "photo", "backbone": "vgg19"}),
        key(saving={"quality": 80}),
        key(extension=".png"),
        key(weights_path=str(style)),
    ]
    style.write_bytes(style.read_bytes() + b"\0")
    others.append(key())
    (photos / "a.jpg").write_bytes(b"other")
    others.append(key())
    assert len({first, *others}) == 10


@pytest.mark.parametrize("name", FINDERS)
def test_the_key_is_of_the_networks_that_find_regions(
    photos: Path, style: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def key(guide: str) -> str:
        return planned(photos, style, tmp_path / "out", options=QUICK | {"regions": guide})[0].key

    guides = ("auto", "learned", "none")
    before = [key(guide) for guide in guides]
    monkeypatch.setitem(BACKBONES, name, replace(BACKBONES[name], digest="sha256:of other weights"))
    assert [key(guide) != k for guide, k in zip(guides, before, strict=True)] == [True, False, False]


def test_the_key_is_of_the_version_too(
    photos: Path, style: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = planned(photos, style, tmp_path / "out")
    monkeypatch.setattr("photostyle.batch.plan.__version__", "0.0.1")
    after = planned(photos, style, tmp_path / "out")
    assert not {task.key for task in before} & {task.key for task in after}
    assert "where the batch was planned" in perform(after[0]).error


def test_shards_share_the_work_out(photos: Path, style: Path, tmp_path: Path) -> None:
    shards = [planned(photos, style, tmp_path, shard=(i, 3)) for i in (1, 2, 3)]
    assert [[task.output for task in shard] for shard in shards] == [["a.jpg", "sub/a.jpg"], ["b.png"], ["c.tif"]]


@pytest.mark.parametrize(
    ("cores", "most", "workers", "threads", "cards", "expected"),
    [
        (8, 100, None, None, 0, (4, 2)),
        (8, 100, 2, None, 0, (2, 4)),
        (8, 100, None, 1, 0, (8, 1)),
        (2, 100, None, None, 0, (1, 2)),
        (1, 100, None, None, 0, (1, 1)),
        (8, 1, None, None, 0, (1, 8)),  # one photograph has all cores
        (8, 100, None, None, 2, (2, 4)),  # a worker for each card
        (2, 100, 5, None, 0, (5, 1)),
    ],
)
def test_cores_are_shared_out(
    cores: int, most: int, workers: int | None, threads: int | None, cards: int, expected: tuple[int, int]
) -> None:
    assert share(cores, most, workers, threads, cards) == expected


def test_workers_are_as_many_as_memory_has_room_for(
    batch: Batch, photos: Path, style: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = planned(photos, style, tmp_path / "out", options={"recipe": "photo", "size": 256})
    descent = estimate("photo", (24, 36), 256)
    assert heaviest(tasks) == pytest.approx(250e6 + descent + 12 * (24 * 36 + 40 * 40))
    assert heaviest([]) == heaviest([replace(tasks[0], files={"content": "memory://a.jpg"})]) == 250e6

    class Counted(local.Here):
        def __init__(self, workers: int, *_: object) -> None:
            super().__init__()
            self.workers = workers

    monkeypatch.setattr("photostyle.batch.start.Local", Counted)
    room = 2.5 * heaviest(planned(photos, style, tmp_path / "out"))
    monkeypatch.setattr("photostyle.batch.start.free_memory", lambda device: room)
    done = batch("--workers", 3)
    assert done.exit_code == 0
    assert "Note: --workers 3 need more memory than is free (0.3 GB each): lowered to 2." in done.stderr
    assert "4 of 4 photographs to do, 2 at a time" in done.stderr


# --- the journal -------------------------------------------------------------------------------------


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


# --- running -----------------------------------------------------------------------------------------


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


# --- the command -------------------------------------------------------------------------------------


def test_a_folder_in_one_style(batch: Batch, photos: Path, style: Path, tmp_path: Path) -> None:
    done = batch("--json", tmp_path / "report.json")
    assert done.exit_code == 0
    assert "Wrote 4 photographs" in done.stdout
    for name in ("a.jpg", "b.png", "c.tif", "sub/a.jpg"):
        expected = transfer(load_image(photos / name), load_image(style), recipe="reinhard")
        assert (load_image(tmp_path / "out" / name) - expected).abs().mean() < 0.02, name
    assert sorted(path.name for path in (tmp_path / "out").iterdir() if not path.name.startswith(".journal")) == [
        *("a.jpg", "b.png", "c.tif", "journal.jsonl", "sub")
    ]
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert report["counts"] == {"done": 4, "reused": 0, "failed": 0}
    assert {row["state"] for row in report["tasks"]} == {"done"}
    assert report["peak_memory_mb"] > 50


def test_a_rerun_does_what_is_missing_or_changed(
    batch: Batch, photos: Path, tmp_path: Path, picture: Callable[..., torch.Tensor]
) -> None:
    assert batch().exit_code == 0
    again = batch()
    assert again.exit_code == 2
    assert "--resume continues" in again.stderr
    assert "4 were there" in batch("--resume").stdout
    (tmp_path / "out" / "b.png").unlink()
    save_image(picture(24, 36, seed=50), photos / "c.tif")
    save_image(picture(24, 36, seed=51), photos / "new.png")
    assert batch("--resume").exit_code == 0
    assert Counter(records(tmp_path, "done")) == {"a.jpg": 1, "sub/a.jpg": 1, "b.png": 2, "c.tif": 2, "new.png": 1}
    assert "Wrote 5 photographs" in batch("--resume", "--space", "lalphabeta").stdout


def test_failures_are_told_at_the_end_and_do_not_stop_the_rest(
    batch: Batch, photos: Path, tmp_path: Path, picture: Callable[..., torch.Tensor]
) -> None:
    (photos / "b.png").write_bytes(b"no photograph")
    done = batch()
    assert done.exit_code == 1
    assert "Wrote 3 photographs" in done.stdout
    assert "1 failed" in done.stdout
    assert [line[:14] for line in done.stderr.splitlines() if line.startswith("Error")] == ["Error: b.png: "]
    assert records(tmp_path, "started").count("b.png") == 1  # another try would not help
    save_image(picture(24, 36), photos / "b.png")
    assert batch("--resume").exit_code == 0
    assert records(tmp_path, "started").count("a.jpg") == 1


def test_ctrl_c_is_130_and_can_be_resumed(batch: Batch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(task: Task) -> Outcome:
        if task.output == "c.tif":
            raise KeyboardInterrupt
        return perform(task)

    monkeypatch.setattr(local, "perform", interrupted)
    done = batch()
    assert done.exit_code == 130
    assert "--resume" in done.stderr
    monkeypatch.undo()
    assert batch("--resume").exit_code == 0
    assert records(tmp_path, "done") == ["a.jpg", "b.png", "c.tif", "sub/a.jpg"]


def test_the_last_good_image_of_a_descent_is_kept(
    batch: Batch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, picture: Callable[..., torch.Tensor]
) -> None:
    def explode(content: torch.Tensor, *_: Any) -> Any:
        yield Step("only", 1, 1, content, {})
        raise DescentError("The energy is infinite.", content)

    monkeypatch.setitem(RECIPES, "reinhard", replace(RECIPES["reinhard"], run=explode))
    done = batch()
    assert done.exit_code == 1
    assert f"The last good image is in {tmp_path / 'out' / 'a-partial.jpg'}" in done.stderr
    assert (tmp_path / "out" / "sub" / "a-partial.jpg").is_file()
    assert not list((tmp_path / "out").glob(".photostyle-part*"))


def test_shards_keep_journals_of_their_own_and_any_run_reads_them_all(batch: Batch, tmp_path: Path) -> None:
    for i in (1, 2):
        assert batch("--shard", f"{i}/2").exit_code == 0
    assert sorted(path.name for path in (tmp_path / "out").glob("journal*")) == [
        *("journal-1-of-2.jsonl", "journal-2-of-2.jsonl")
    ]
    assert "Wrote 0 photographs" in (whole := batch("--resume")).stdout
    assert "4 were there" in whole.stdout


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--look", "x.safetensors", "--style", "y.jpg"], "give one"),
        (["--shard", "3/2"], "--shard should be as in 2/20"),
        (["--shard", "0/2"], "--shard should be as in 2/20"),
        (["--address", "here:1"], "are for --engine ray"),
        (["--engine", "ray"], "leave --engine ray out"),
        (["--nonsense", "3"], "There is no option --nonsense"),
        (["--device", "tpu"], "no device 'tpu'"),
    ],
)
def test_mistakes_before_the_start_are_2(batch: Batch, tmp_path: Path, args: list[str], said: str) -> None:
    done = batch(*args)
    assert done.exit_code == 2
    assert said in done.stderr
    assert not (tmp_path / "out").exists()


def test_results_in_memory(batch: Batch, photos: Path, tmp_path: Path) -> None:
    """Storage that fsspec knows: here its memory, which only this process has."""
    fsspec = pytest.importorskip("fsspec", reason="storage elsewhere needs fsspec (extra ray)")
    memory = fsspec.filesystem("memory")
    memory.put(str(photos), "/in", recursive=True)
    args = ("--journal", tmp_path / "out" / "journal.jsonl")
    try:
        assert batch(*args, jobs="memory://in", out="memory://results").exit_code == 0
        assert batch(jobs=photos, out=tmp_path / "here").exit_code == 0
        for name in ("a.jpg", "b.png", "c.tif", "sub/a.jpg"):
            assert memory.cat_file(f"/results/{name}") == (tmp_path / "here" / name).read_bytes()
        memory.rm("/results/b.png")
        assert batch(*args, "--resume", jobs="memory://in", out="memory://results").exit_code == 0
        assert records(tmp_path, "done").count("b.png") == 2
        assert records(tmp_path, "done").count("a.jpg") == 1
        assert "name a local --journal" in batch(jobs=photos, out="memory://results").stderr
    finally:
        memory.store.clear()


def test_file_urls_are_paths_and_unknown_storage_is_explained(batch: Batch, photos: Path, tmp_path: Path) -> None:
    assert batch(jobs=photos.as_uri(), out=(tmp_path / "out").as_uri()).exit_code == 0
    assert (tmp_path / "out" / "a.jpg").is_file()
    with pytest.raises(SettingsError, match="nowhere://x is out of reach"):
        storage.digest("nowhere://x")


# --- frames ------------------------------------------------------------------------------------------


def test_a_look_keeps_the_frames_of_a_film_together(
    batch: Batch, tmp_path: Path, picture: Callable[..., torch.Tensor]
) -> None:
    """A bright disc passes: in the input only its surroundings change from frame to frame, and so in the results."""
    scene, calm = picture(48, 64), 0.3 + 0.3 * picture(40, 40, seed=4)  # with less contrast than the scene
    y, x = torch.meshgrid(torch.arange(48), torch.arange(64), indexing="ij")
    frames = []
    (tmp_path / "frames").mkdir()
    for i in range(6):
        disc = ((y - 24) ** 2 + (x - 8 * i - 10) ** 2 < 60)[None]
        frames.append(torch.where(disc, 0.95, scene))
        save_image(frames[-1], tmp_path / "frames" / f"{i:04d}.png")
    save_look(find_look(scene, transfer(scene, calm, recipe="reinhard")), tmp_path / "film.safetensors")
    line = [
        "batch",
        tmp_path / "frames",
        "-o",
        tmp_path / "film",
        "--workers",
        0,
        "--look",
        tmp_path / "film.safetensors",
    ]
    assert CliRunner().invoke(app, [str(word) for word in line], catch_exceptions=False).exit_code == 0

    before = [load_image(path) for path in sorted((tmp_path / "frames").glob("*.png"))]
    after = [load_image(path) for path in sorted((tmp_path / "film").glob("*.png"))]
    apart = [transfer(frame, calm.float(), recipe="reinhard") for frame in before]
    assert len(after) == 6
    for i in range(5):
        still = (before[i] == before[i + 1]).all(0)
        assert torch.equal(after[i][:, still], after[i + 1][:, still])
        assert (after[i] - after[i + 1]).abs().mean() <= (before[i] - before[i + 1]).abs().mean()
        assert not torch.allclose(apart[i][:, still], apart[i + 1][:, still], atol=1e-3)  # each by itself: flicker
    look = load_look(tmp_path / "film.safetensors")
    assert torch.allclose(after[0], look.apply(before[0]), atol=1.01 / 255)  # dithered


# --- processes, and their deaths ---------------------------------------------------------------------


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


# --- Ray ---------------------------------------------------------------------------------------------

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
