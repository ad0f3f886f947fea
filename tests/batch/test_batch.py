"""`photostyle batch`: what it makes, how it fails, and how it goes on."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from batches import Batch, records
from typer.testing import CliRunner

from photostyle import (
    RECIPES,
    DescentError,
    SettingsError,
    Step,
    find_look,
    load_image,
    load_look,
    save_image,
    save_look,
    transfer,
)
from photostyle.batch import local, storage
from photostyle.batch.plan import Task
from photostyle.batch.work import Outcome, perform
from photostyle.cli import app


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
