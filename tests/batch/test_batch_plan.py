"""Lists of photographs, and what is planned for them."""

from __future__ import annotations

import csv
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from batches import QUICK, Batch, planned

from photostyle import FileError, ImageError, PhotostyleError, SettingsError
from photostyle.batch import local
from photostyle.batch.lines import Line, read_lines
from photostyle.batch.plan import heaviest, plan
from photostyle.batch.run import share
from photostyle.batch.work import perform
from photostyle.jobs.memory import estimate
from photostyle.network.backbones import BACKBONES, FINDERS


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
