"""The bench: what it measures, what it uses again, how it reports what went wrong, and its page and tables."""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from functools import partial
from html.parser import HTMLParser
from pathlib import Path

import pytest
import torch
from PIL import Image
from typer.testing import CliRunner, Result

from photostyle import (
    RECIPES,
    ImageError,
    Measures,
    Regions,
    SettingsError,
    Step,
    find_regions,
    load_image,
    save_image,
)
from photostyle.bench import run as bench
from photostyle.bench import task as tasks
from photostyle.bench import worker
from photostyle.bench.summary import summarize, winners
from photostyle.bench.task import Row, Task, attempt
from photostyle.cli import app
from photostyle.measures.figures import MEASURES
from photostyle.photofile import read_note

ROOT = Path(__file__).parents[2]
Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def small(small_network: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network of few channels; measures on few pixels."""
    monkeypatch.setattr("photostyle.measures.measure.LONG_SIDE", 64)


@pytest.fixture(autouse=True)
def computed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tasks that were really done, in this process, by a default recipe that halves the content's light."""

    def dim(content, style, regions, vgg, settings):  # type: ignore[no-untyped-def]
        yield Step("only", 1, 1, content, {})
        return content / 2

    monkeypatch.setitem(RECIPES, "photo", replace(RECIPES["photo"], run=dim))
    done: list[str] = []

    def here(task: Task, source: Path) -> Row:
        done.append(f"{Path(task.output).stem} {task.recipe}")
        return attempt(task)

    monkeypatch.setattr(bench, "spawn", here)
    return done


@pytest.fixture
def pairs(tmp_path: Path, picture: Callable[..., torch.Tensor]) -> Path:
    """Two tiny pairs: `01` with label images and a published result, the other with neither; and an empty folder."""
    folder = tmp_path / "pairs"
    for i, name in enumerate(("01", "two <b>")):
        (folder / name).mkdir(parents=True)
        save_image(picture(40, 60, seed=i), folder / name / "content.jpg")
        save_image(picture(48, 48, seed=i + 5), folder / name / "style.png")
    save_image(picture(40, 60, seed=9), folder / "01" / "authors_result.png")
    for role, size in (("content", (60, 40)), ("style", (48, 48))):
        labels = Image.new("RGB", size, "blue")
        labels.paste("red", (0, 20, *size))
        labels.save(folder / "01" / f"{role}_regions.png")
    (folder / "nothing").mkdir()
    return folder


@pytest.fixture
def run(tmp_path: Path, pairs: Path) -> Run:
    """`run("--only", "01", …)`: the command in this process over the two pairs, results in `out`."""

    def invoke(*args: object) -> Result:
        words = ["bench", pairs, "-o", tmp_path / "out", "--json", tmp_path / "bench.json", *args]
        return CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)

    return invoke


def read(tmp_path: Path) -> tuple[dict[tuple[str, str], Row], Row]:
    """The rows by pair and recipe, and the whole report."""
    report = json.loads((tmp_path / "bench.json").read_text(encoding="utf-8"))
    return {(row["pair"], row["recipe"]): row for row in report["rows"]}, report


# --- the work ----------------------------------------------------------------------------------------


def test_pictures_and_figures(run: Run, pairs: Path, tmp_path: Path) -> None:
    done = run()
    assert done.exit_code == 0
    rows, report = read(tmp_path)
    assert list(rows) == [
        *(("01", recipe) for recipe in ("untouched", "published", "photo")),
        *(("two <b>", recipe) for recipe in ("untouched", "photo")),
    ]
    content, result = load_image(pairs / "01" / "content.jpg"), load_image(tmp_path / "out" / "photo" / "01.png")
    assert torch.allclose(result, content / 2, atol=0.003)
    assert read_note(tmp_path / "out" / "photo" / "01.png")["recipe"] == "photo"
    assert rows["01", "untouched"]["matting_energy"] < rows["01", "published"]["matting_energy"]
    assert rows["01", "untouched"]["edge_ssim"] == pytest.approx(1)
    ours = rows["01", "photo"]
    assert (ours["width"], ours["height"]) == (60, 40)
    assert 0 < ours["seconds"] < 60
    assert ours["cpu_seconds"] >= 0
    assert ours["peak_memory_mb"] > 50  # Python and PyTorch alone are more
    assert "seconds" not in rows["01", "untouched"]
    assert report["summary"]["photo"]["pairs"] == 2
    assert report["summary"]["photo"]["compared"] == 1
    assert {"cpu", "cores", "torch", "python"} <= set(report["machine"])
    assert report["settings"]["photo"].keys() == {f.name for f in fields(RECIPES["photo"].settings)}
    assert len(re.findall(r"^01 +(untouched|published|photo) ", done.stdout, re.M)) == 3
    assert re.search(r"^wins +photo( +[01]/1){4}", done.stdout, re.M)


def test_the_figures_are_those_of_evaluate(run: Run, pairs: Path, tmp_path: Path) -> None:
    run("--only", "01")
    pair = pairs / "01"
    files = [pair / "content.jpg", pair / "style.png", pair / "authors_result.png"]
    labels = ["--content-regions", pair / "content_regions.png", "--style-regions", pair / "style_regions.png"]
    args = [str(arg) for arg in ("evaluate", *files, *labels, "--json")]
    row = read(tmp_path)[0]["01", "published"]
    assert json.loads(CliRunner().invoke(app, args).stdout) == pytest.approx({name: row[name] for name in MEASURES})


def test_the_regions_that_guide_are_not_those_that_judge(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, computed: list[str]
) -> None:
    seen: list[tuple[str, ...]] = []

    def transfer(content: torch.Tensor, style: torch.Tensor, regions: Regions, **_: object) -> torch.Tensor:
        seen.append(regions.names)
        return content / 2

    monkeypatch.setattr(tasks, "transfer", transfer)
    monkeypatch.setattr(
        tasks, "find_regions", partial(find_regions, count=2)
    )  # whether the result gains by them or not
    figures = []
    for guide in ("painted", "auto", "none"):
        run("--only", "01", "--regions", guide)
        figures.append({k: v for k, v in read(tmp_path)[0]["01", "photo"].items() if k in MEASURES})
    assert seen[0] == ("blue", "red")
    assert seen[1][0] == "region 1"
    assert seen[2] == ("all",)
    assert figures[0] == figures[1] == figures[2]  # the same picture, judged by the same label images


def test_every_measure_has_its_column() -> None:
    assert list(MEASURES) == [f.name for f in fields(Measures)]


def test_a_second_run_computes_nothing(run: Run, tmp_path: Path, computed: list[str]) -> None:
    run()
    assert len(computed) == 5
    first = read(tmp_path)[0]
    assert not any(row["reused"] for row in first.values())
    done = run()
    assert len(computed) == 5
    assert done.exit_code == 0
    assert read(tmp_path)[0] == {where: row | {"reused": True} for where, row in first.items()}


def test_what_changed_is_computed_again(
    run: Run, pairs: Path, tmp_path: Path, computed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def again(*args: object) -> list[str]:
        computed.clear()
        assert run(*args).exit_code == 0
        return list(computed)

    again()
    shutil.copy(pairs / "two <b>" / "content.jpg", pairs / "01" / "content.jpg")
    assert again() == ["01 untouched", "01 published", "01 photo"]
    shutil.copy(pairs / "01" / "content.jpg", pairs / "01" / "authors_result.png")
    assert again() == ["01 published"]
    assert again("--steps", 9) == ["01 photo", "two <b> photo"]
    assert again("--steps=9") == []
    (tmp_path / "out" / "photo" / "01.png").write_bytes(b"something else")
    (tmp_path / "out" / "published" / "01.json").write_text("{", encoding="utf-8")
    assert again("--steps", 9) == ["01 published", "01 photo"]
    monkeypatch.setattr(bench, "source_hash", lambda source, recipe: "edited")
    assert len(again("--steps", 9)) == 5
    monkeypatch.setattr(bench, "__version__", "99")
    assert len(again("--steps", 9)) == 5


def test_processes_share_the_cores(
    tmp_path: Path, computed: list[str], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "cores", lambda: 8)
    assert [bench.Plan([], {}, "", "", tmp_path, jobs).threads for jobs in (1, 3, 99)] == [8, 2, 1]
    assert run("--jobs", 2).exit_code == 0
    assert len(computed) == 5
    rows, report = read(tmp_path)
    assert (next(iter(rows)), report["threads"]) == (("01", "untouched"), 4)


def test_several_recipes(run: Run, tmp_path: Path) -> None:
    assert run("--recipe", "gatys", "--recipe", "photo", "--size", 32, "--steps", 1, "--only", "01").exit_code == 0
    rows, report = read(tmp_path)
    assert [recipe for _, recipe in rows] == ["untouched", "published", "gatys", "photo"]
    assert report["settings"]["gatys"]["steps"] == report["settings"]["photo"]["steps"] == 1


# --- what can go wrong -------------------------------------------------------------------------------


def test_a_pair_that_fails_does_not_stop_the_others(run: Run, pairs: Path, tmp_path: Path, computed: list[str]) -> None:
    (pairs / "01" / "style.png").unlink()
    done = run("--html", tmp_path / "bench.html")
    assert done.exit_code == 1
    rows, report = read(tmp_path)
    assert all("There is no file" in rows["01", recipe]["error"] for recipe in ("untouched", "published", "photo"))
    assert not rows["two <b>", "photo"].get("error")
    assert report["summary"]["photo"]["pairs"] == 1
    assert re.search(r"^Error: 01 photo: There is no file .*style.png", done.stderr, re.M)
    assert re.search(r"^01 +photo +failed", done.stdout, re.M)
    assert "There is no file" in (tmp_path / "bench.html").read_text(encoding="utf-8")
    computed.clear()
    run()
    assert computed == ["01 untouched", "01 published", "01 photo"]  # failures are tried again


def test_half_of_the_label_images(run: Run, pairs: Path, tmp_path: Path) -> None:
    (pairs / "01" / "style_regions.png").unlink()
    assert run("--only", "01").exit_code == 1
    assert "in pairs" in read(tmp_path)[0]["01", "photo"]["error"]


def test_any_exception_is_a_reason(pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args, **options):  # type: ignore[no-untyped-def]
        raise RuntimeError("out of\nluck")

    monkeypatch.setattr("photostyle.bench.task.transfer", broken)
    files = {"content": str(pairs / "01" / "content.jpg"), "style": str(pairs / "01" / "style.png")}
    task = Task(files, "photo", {}, "vgg16-hed", "cpu", 1, str(tmp_path / "a.png"))
    assert attempt(task) == {"error": "RuntimeError: out of luck"}


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--recipe", "paint"], "no recipe 'paint'"),
        (["--recipe", "photo", "--recipe", "gatys", "--matting-weight", "1"], "no setting 'matting_weight'"),
        (["--only", "01,07"], "no pair 07"),
        (["--device", "abacus"], "no device"),
        (["--backbone", "resnet"], "not 'resnet'"),
        (["--backbone", "efficientnet-lite2"], "not 'efficientnet-lite2'"),
        (["--html", "."], "is a folder"),
    ],
)
def test_bad_options(run: Run, computed: list[str], args: list[str], words: str) -> None:
    done = run(*args)
    assert (done.exit_code, done.stdout, computed) == (2, "", [])
    assert words in done.stderr


def test_a_folder_without_pairs(tmp_path: Path) -> None:
    (tmp_path / "pairs" / "notes").mkdir(parents=True)
    for folder, words in (("pairs", "holds no pairs"), ("none", "There is no folder")):
        done = CliRunner().invoke(app, ["bench", str(tmp_path / folder)])
        assert done.exit_code == 2
        assert words in done.stderr
        with pytest.raises(ImageError, match=words):
            bench.find_pairs(tmp_path / folder)


def test_only_some_pairs(pairs: Path) -> None:
    assert [pair.name for pair in bench.find_pairs(pairs)] == ["01", "two <b>"]
    assert [pair.name for pair in bench.find_pairs(pairs, ["two <b>"])] == ["two <b>"]
    with pytest.raises(SettingsError, match="no pair 03; it has 01"):
        bench.find_pairs(pairs, ["03"])


# --- processes and code ------------------------------------------------------------------------------


def test_a_real_process(pairs: Path, tmp_path: Path) -> None:
    """The protocol, as far as it goes without weights: to a file that is not there."""
    task = Task({"content": str(pairs / "gone.png"), "style": ""}, "photo", {}, "vgg16-hed", "cpu", 1, "")
    with worker.snapshot() as source:
        assert "There is no file" in worker.spawn(task, source)["error"]
    assert not source.exists()
    assert worker.spawn(task, tmp_path).keys() == {"error"}  # or with the package that is installed


@pytest.mark.parametrize(("code", "words"), [("raise SystemExit(3)", "failed"), ("os.kill(os.getpid(), 9)", "SIGKILL")])
def test_a_process_that_dies(tmp_path: Path, code: str, words: str) -> None:
    package = tmp_path / "photostyle" / "bench"
    package.mkdir(parents=True)
    (package / "task.py").write_text(f"import os\n{code}\n", encoding="utf-8")
    for folder in (package, package.parent):
        (folder / "__init__.py").touch()
    assert words in worker.spawn(Task({}, "photo", {}, "", "", 1, ""), tmp_path)["error"]


def test_edited_code_counts_as_new(tmp_path: Path) -> None:
    with worker.snapshot() as source:
        package = source / "photostyle"

        def changed(name: str) -> list[bool]:
            before = [worker.source_hash(source, recipe) for recipe in ("photo", "untouched")]
            path = package / name
            path.write_bytes(path.read_bytes() + b"#\n")
            return [worker.source_hash(source, r) != b for r, b in zip(("photo", "untouched"), before, strict=True)]

        assert changed("measures/measure.py") == [True, True]
        assert changed("bench/task.py") == [True, True]
        assert changed("recipes/photo.py") == [True, False]
        assert changed("segment/parsing.safetensors") == [True, False]
        assert changed("cli/bench.py") == [False, False]
        assert changed("bench/page.py") == [False, False]


def test_no_measure_depends_on_what_its_hash_leaves_out() -> None:
    code = (
        "import sys, photostyle.measures.measure\n"
        "print(*{name.split('.')[1] for name in sys.modules if 'photostyle.' in name})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert not set(done.stdout.split()) & (worker._FACES | worker._MAKERS)


def test_peak_memory_is_that_of_the_process_alone() -> None:
    """Also where the process that started it has held more."""
    held = torch.ones(6 * 10**8, dtype=torch.uint8)
    code = (
        "from photostyle.bench.task import peak_memory as peak\n"
        "print(peak()); held = b'1' * 10**8; del held; print(peak())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    before, after = map(int, done.stdout.split())
    assert 5e7 < before < len(held)
    assert before + 8e7 < after < before + 2e8


# --- what it says ------------------------------------------------------------------------------------


def test_summary_by_hand() -> None:
    def row(pair: str, recipe: str, style: float, ssim: float, **more: object) -> Row:
        figures = dict.fromkeys(MEASURES, 1.0) | {"style_distance": style, "matting_energy": 0.1, "edge_ssim": ssim}
        return {"pair": pair, "recipe": recipe, **figures, **more}

    rows = [
        row("a", "published", 0.2, 0.5),
        row("a", "photo", 0.1, 0.4, seconds=1.0),
        row("b", "published", 0.4, 0.5),
        row("b", "photo", 0.3, 0.6, seconds=2.0),
        row("c", "photo", 0.8, 0.6, seconds=6.0),
        {"pair": "d", "recipe": "photo", "error": "No."},
    ]
    photo = summarize(rows)["photo"]
    assert (photo["pairs"], photo["compared"]) == (3, 2)
    assert photo["mean"]["style_distance"] == pytest.approx(0.4)
    assert photo["median"]["style_distance"] == 0.3
    assert (photo["mean"]["seconds"], photo["median"]["seconds"]) == (3, 2)
    none = dict.fromkeys(MEASURES, 0)
    assert photo["wins"] == none | {"style_distance": 2, "edge_ssim": 1}
    assert photo["losses"] == none | {"edge_ssim": 1}
    assert "wins" not in summarize(rows)["published"]
    assert winners(rows) == {(p, "photo", "style_distance") for p in "ab"} | {("b", "photo", "edge_ssim")}
    assert summarize([]) == {}


def test_the_nearer_to_one_wins() -> None:
    contrast = MEASURES["contrast"]
    assert contrast.wins(0.9, 0.8) and contrast.wins(1.1, 0.8) and not contrast.wins(1.6, 0.8)
    assert contrast.arrow == "→ 1"


class Page(HTMLParser):
    """What a page refers to and says, and whether its tags are closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.titles: list[str] = []
        self.open: list[str] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "img"):
            self.open.append(tag)
        self.links += [value or "" for name, value in attributes if name in ("src", "href", "srcset", "action")]
        self.titles += [value or "" for name, value in attributes if name == "data-title"]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def test_the_page_needs_nothing_else(run: Run, tmp_path: Path) -> None:
    assert run("--html", tmp_path / "new" / "bench.html").exit_code == 0
    text = (tmp_path / "new" / "bench.html").read_text(encoding="utf-8")
    page = Page(text)
    assert page.open == []
    assert len(page.links) == 7
    assert all(link.startswith("data:image/jpeg;base64,") for link in page.links)
    assert not re.search(r"https?://|@import|url\(", text)
    assert page.titles == ["content", "style", "published", "photo", "content", "style", "photo"]
    assert "01" in page.words
    assert "two <b>" in page.words
    assert "{{" not in text
    assert str(tmp_path) not in text.replace(" ".join(sys.argv), "")
    assert "prefers-color-scheme: dark" in text


def test_the_tables_of_the_results(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run()
    page = tmp_path / "results.md"
    monkeypatch.setattr(sys, "argv", ["results", str(tmp_path / "bench.json"), str(page)])
    script = str(ROOT / "scripts" / "results")
    with pytest.raises(SystemExit, match="has no place for the tables"):
        runpy.run_path(script, run_name="__main__")
    page.write_text("# Results\n<!-- bench:begin -->\nyesterday\n<!-- bench:end -->\nThe end.\n", encoding="utf-8")
    for _ in range(2):  # the second time nothing changes
        runpy.run_path(script, run_name="__main__")
        text = page.read_text(encoding="utf-8")
        assert text.startswith("# Results\n<!-- bench:begin -->\nMade by `")
        assert text.endswith("\n<!-- bench:end -->\nThe end.\n")
        assert "yesterday" not in text
        rows = [line for line in text.splitlines() if line.startswith("| ")]
        assert [row.split(" | ")[0] for row in rows] == ["| pair", "| 01", "| two <b>", "| mean", "| median", "| wins"]
        assert {row.count("|") for row in rows} == {3 + len(MEASURES)}
        figures = read(tmp_path)[0]
        for row in rows[1:3]:
            name = row.split(" | ")[0][2:]
            assert f"{figures[name, 'photo']['style_distance']:.3f}" in row
        assert " / – / " in rows[2]  # no published result


def test_a_pair_of_a_name_that_is_not_utf_8(run: Run, pairs: Path, tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9")
    try:
        (pairs / "01").rename(pairs / name)
    except OSError:
        pytest.skip("this file system takes UTF-8 alone")
    done = run("--only", name, "--html", tmp_path / "page.html")
    assert done.exit_code == 0, done.output
    assert "caf\\xe9" in done.stdout and "caf\\xe9" in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert (name, "photo") in read(tmp_path)[0]


@pytest.fixture(autouse=True)
def silent_stdout(capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    """The library itself says nothing."""
    yield
    assert capsys.readouterr().out == ""
