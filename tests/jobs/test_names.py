"""Names as people have them: not UTF-8, alike but for an ending, of files that are not read; lists from any program."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
import torch
from commands import run_command as run
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from photostyle import FileError, ImageError, SettingsError, load_image, load_photograph, read_note, save_image
from photostyle.batch.journal import Journal, last_records
from photostyle.batch.lines import Line, read_lines
from photostyle.batch.plan import plan
from photostyle.jobs.naming import apart, copy_names
from photostyle.jobs.run import partial_of
from photostyle.photofile import FORMATS
from photostyle.photofile.source import EXTENSIONS, foreign_kind
from photostyle.wording import json_bytes, legible

ROOT = Path(__file__).parents[2]
examples = settings(max_examples=100, derandomize=True, deadline=None, database=None)

CAFE = os.fsdecode(b"caf\xe9")  # as a system of Latin-1 wrote it
QUICK = ("--recipe", "reinhard", "--regions", "none")
filenames = st.binary(min_size=1, max_size=40).map(os.fsdecode)
stems = st.text("aAb.é ", min_size=1, max_size=4).map(lambda stem: f"x{stem}x")
suffixes = st.sampled_from([".jpg", ".JPG", ".png", ".tif", ".gif", ".bmp", ".jpeg"])


@pytest.fixture
def folder(tmp_path: Path, picture: Callable[..., torch.Tensor]) -> Path:
    """A folder, itself of such a name, with a photograph of such a name and a plain one; beside it style.png."""
    place = tmp_path / f"{CAFE}s"
    try:
        place.mkdir()
    except OSError:
        pytest.skip("this file system takes UTF-8 alone")
    save_image(picture(24, 36), place / f"{CAFE}.png")
    save_image(picture(24, 36, seed=1), place / "plain.png")
    save_image(picture(40, 40, seed=2), tmp_path / "style.png")
    return place


# --- names that are not UTF-8 ------------------------------------------------------------------------


@examples
@given(st.text() | filenames)
def test_any_name_is_legible_and_comes_back_from_json(name: str) -> None:
    legible(name).encode("utf-8")
    assert json.loads(json_bytes({"name": name}).decode("utf-8")) == {"name": name}
    if name.isascii():
        assert legible(name) == name


def test_a_byte_is_shown_as_the_byte() -> None:
    assert legible(f"{CAFE} \ud800 ü") == "caf\\xe9 \\ud800 ü"


@examples
@given(filenames.filter(lambda name: "/" not in name and "\0" not in name and name not in (".", "..")))
def test_a_partial_result_has_a_name_that_a_disk_takes(name: str) -> None:
    path = Path(name * 9)
    partial = partial_of(path)
    assert len(os.fsencode(partial.name)) <= 255 or len(os.fsencode(path.suffix)) > 200
    assert partial.stem.endswith("-partial")


def test_a_transfer_of_any_name(folder: Path, tmp_path: Path) -> None:
    """Once through the real program, all streams decoded strictly."""
    photo, out = folder / f"{CAFE}.png", folder / f"{CAFE}-out.jpg"
    words = [
        "transfer",
        photo,
        tmp_path / "style.png",
        "-o",
        out,
        *QUICK,
        "--save-look",
        folder / f"{CAFE}.safetensors",
    ]
    line = [sys.executable, "-m", "photostyle", *map(os.fspath, words)]
    done = subprocess.run(line, capture_output=True, check=False, cwd=ROOT)
    said = done.stdout.decode() + done.stderr.decode()
    assert done.returncode == 0, said
    assert "caf\\xe9-out.jpg" in done.stdout.decode()
    assert read_note(out)["content"] == f"{CAFE}.png"
    applied = run("apply", folder / f"{CAFE}.safetensors", photo, "-o", folder / "applied")
    assert applied.exit_code == 0 and (folder / "applied" / f"{CAFE}.png").is_file()


@pytest.mark.parametrize(
    "words", [("transfer", "{}/none.png", "{}/plain.png", "-o", "{}/out.png"), ("batch", "{}/none", "-o", "{}/out")]
)
def test_an_error_about_any_name_is_a_sentence(folder: Path, words: tuple[str, ...]) -> None:
    done = run(*(word.format(folder) for word in words))
    assert done.exit_code == 2
    assert done.stderr.startswith("Error: ") and "caf\\xe9s/none" in done.stderr


@pytest.mark.parametrize("workers", [0, 1])
def test_a_batch_of_any_names_is_done_remembered_and_reported(folder: Path, tmp_path: Path, workers: int) -> None:
    out, report = folder / "out", folder / f"{CAFE}.json"
    words = ["batch", folder, "-o", out, "--style", tmp_path / "style.png", *QUICK, "--workers", workers]
    done = run(*words, "--json", report)
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in out.glob("*.png")) == [f"{CAFE}.png", "plain.png"]
    found = json.loads(report.read_text(encoding="utf-8"))
    assert {row["output"] for row in found["tasks"]} == {f"{CAFE}.png", "plain.png"}
    assert {row["state"] for row in found["tasks"]} == {"done"}
    assert set(last_records([out / "journal.jsonl"])) == {f"{CAFE}.png", "plain.png"}
    assert "2 were there" in run(*words, "--resume").stdout


def test_what_fails_in_a_batch_is_told_by_any_name(folder: Path, tmp_path: Path) -> None:
    (folder / f"{CAFE}.png").write_bytes(b"no photograph")
    done = run("batch", folder, "-o", folder / "out", "--style", tmp_path / "style.png", *QUICK, "--workers", 0)
    assert done.exit_code == 1
    assert "Error: caf\\xe9.png: " in done.stderr and "Wrote 1 photographs" in done.stdout


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_list_may_hold_any_name(folder: Path, tmp_path: Path, kind: str) -> None:
    jobs = folder / f"jobs.{kind}"
    line = json.dumps({"content": f"{CAFE}.png"})  # in which the byte is \udce9
    jobs.write_bytes(os.fsencode(f"content\n{CAFE}.png\n") if kind == "csv" else line.encode())
    done = run("batch", jobs, "-o", folder / "out", "--style", tmp_path / "style.png", *QUICK, "--workers", 0)
    assert done.exit_code == 0, done.output
    assert (folder / "out" / f"{CAFE}.png").is_file()


def test_a_name_that_no_file_can_have_is_a_sentence(tmp_path: Path) -> None:
    for name in ("a\0b.jpg", "a\ud800b.jpg"):
        line = Line("line 1", {"content": name, "style": name})
        with pytest.raises(ImageError, match=r"line 1: .* cannot be read"):
            plan([line], str(tmp_path), options={"recipe": "reinhard"})


@examples
@given(st.lists(filenames, min_size=1, max_size=4, unique=True))
def test_a_journal_remembers_any_name(names: list[str]) -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as place:
        path = Path(place) / "journal.jsonl"
        with Journal(path) as journal:
            for name in names:
                journal.write({"state": "done", "output": name, "key": "1"})
        path.read_bytes().decode("utf-8")
        assert set(last_records([path])) == set(names)


# --- names of results --------------------------------------------------------------------------------


@examples
@given(
    st.lists(st.builds(str.__add__, stems, suffixes), min_size=1, max_size=8, unique=True),
    st.sampled_from([None, ".png", ".jpg", ".webp"]),
    st.lists(st.builds(str.__add__, stems, st.just(".png")), max_size=2),
)
def test_no_two_results_have_one_name(photographs: list[str], extension: str | None, taken: list[str]) -> None:
    candidates = [copy_names(name, extension) for name in photographs]
    found = apart(candidates, taken)
    assert len({name.casefold() for name in [*found, *set(taken)]}) == len(found) + len({t.casefold() for t in taken})
    for photograph, name in zip(photographs, found, strict=True):
        assert PurePosixPath(name).suffix.lower() in FORMATS
        assert extension is None or name.endswith(extension)
        assert name.startswith(PurePosixPath(photograph).stem)
    # the same whoever asks, and in whatever order, but for names that differ in capitals alone
    if len({name.casefold() for name in photographs}) == len(photographs):
        assert apart(candidates[::-1], taken)[::-1] == found


def test_what_changes_its_ending_gives_way() -> None:
    names = ["a.jpg", "a.png", "a.tif", "b.gif", "c.BMP", "sub/a.jpg"]
    assert apart([copy_names(name, ".png") for name in names]) == [
        *("a.jpg.png", "a.png", "a.tif.png", "b.png", "c.png", "sub/a.png")
    ]
    assert apart([copy_names(name) for name in ("a.gif", "a.jpg", "b.gif")]) == ["a.gif.jpg", "a.jpg", "b.jpg"]
    assert apart([copy_names("a.jpg", ".png", "-dusk"), copy_names("a.tif", ".png", "-dusk")]) == [
        *("a.jpg-dusk.png", "a.tif-dusk.png")
    ]
    assert apart([("A.jpg",), ("a.jpg",), ("a-2.jpg",)]) == ["A.jpg", "a-3.jpg", "a-2.jpg"]
    assert apart([("a.jpg",), ("a.jpg",)]) == ["a.jpg", "a.jpg"]  # one thing, asked for twice


def test_photographs_of_one_stem_are_all_done_and_found_again(
    tmp_path: Path, picture: Callable[..., torch.Tensor]
) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for seed, name in enumerate(("a.jpg", "a.png", "a.tif", "b.jpg")):
        save_image(picture(24, 36, seed=seed), photos / name)
    save_image(picture(40, 40), tmp_path / "style.png")
    words = ["batch", photos, "-o", tmp_path / "out", "--style", tmp_path / "style.png", *QUICK, "--workers", 0]
    assert run(*words, "--format", "png").exit_code == 0
    expected = ["a.jpg.png", "a.png", "a.tif.png", "b.png"]
    assert sorted(path.name for path in (tmp_path / "out").glob("*.png")) == expected
    assert "4 were there" in run(*words, "--format", "png", "--resume").stdout
    shards = [run(*words, "--format", "png", "--resume", "--shard", f"{i}/2").stdout for i in (1, 2)]
    assert all("2 were there" in said for said in shards)


def test_a_look_for_photographs_of_one_stem(tmp_path: Path, picture: Callable[..., torch.Tensor]) -> None:
    from photostyle import find_look, save_look

    scene = picture(24, 36, dtype=torch.float32)
    save_look(find_look(scene, scene**2), tmp_path / "look.safetensors")
    levels = (scene * 255).byte().permute(1, 2, 0).numpy()
    files = [tmp_path / f"a.{ending}" for ending in ("bmp", "gif", "jpg")]
    for file in files:
        Image.fromarray(levels).save(file)
    done = run("apply", tmp_path / "look.safetensors", *files, "-o", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.bmp.jpg", "a.gif.jpg", "a.jpg"]


# --- files that are not read -------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
def test_bmp_is_read(mode: str, tmp_path: Path) -> None:
    levels = np.random.default_rng(0).integers(0, 256, (9, 13, 3), dtype=np.uint8)
    image = Image.fromarray(levels).convert(mode)
    image.save(tmp_path / "a.bmp", dpi=(300, 300))
    found = load_photograph(tmp_path / "a.bmp")
    expected = np.asarray(image.convert("RGB")) / 255
    assert np.abs(found.opaque().permute(1, 2, 0).numpy() - expected).max() < 1e-6
    assert found.format == "BMP" and found.bits == 8
    assert found.resolution == pytest.approx((300, 300), abs=0.02)


def test_every_picture_that_pillow_knows_is_read_or_called_foreign() -> None:
    read = {suffix for known in EXTENSIONS.values() for suffix in known}
    for suffix in Image.registered_extensions():
        assert (foreign_kind(f"a{suffix.upper()}") is None) == (suffix in read), suffix
    assert foreign_kind("a.NEF") is None and foreign_kind("a.jxl") == "JPEG XL"
    assert foreign_kind("notes.txt") is None and foreign_kind("a") is None and foreign_kind("film.mp4") is None


def test_a_picture_that_is_not_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.psd").write_bytes(b"8BPS\0\1" + bytes(50))
    with pytest.raises(ImageError, match=r"a\.psd is called PSD, which is not read: save it as PNG or TIFF"):
        load_image(tmp_path / "a.psd")


def test_what_a_folder_holds_and_is_not_read_is_told(tmp_path: Path) -> None:
    for name in ("a.jpg", "notes.txt", "a.xmp", "b.PSD", "sub/c.tga", *(f"{i}.jxl" for i in range(5))):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    told: list[str] = []
    assert [line.name for line in read_lines(str(tmp_path), "out", told.append)] == ["a.jpg"]
    (sentence,) = told
    assert "0.jxl (JPEG XL)" in sentence and "and 2 more" in sentence and "notes" not in sentence
    (tmp_path / "a.jpg").unlink()
    with pytest.raises(FileError, match="holds no photographs"):
        read_lines(str(tmp_path), "out", told.append)


# --- lists of any program ----------------------------------------------------------------------------

cells = st.text("ab ,;\t\"'éß\\|", max_size=8).map(str.strip)


@st.composite
def spelled(draw: st.DrawFn, column: str) -> str:
    """A column's name in capitals, with hyphens or blanks."""
    letters = [draw(st.sampled_from([letter, letter.upper()])) for letter in column]
    return draw(st.sampled_from(["", " "])) + "".join(letters).replace("_", draw(st.sampled_from(["_", "-", " "])))


@examples
@given(
    st.data(),
    st.permutations(["content", "style", "content_regions", "strength"]),
    st.lists(st.tuples(cells, cells, cells, cells), min_size=1, max_size=4),
    st.sampled_from(",;\t"),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_a_list_is_read_whatever_stands_between_its_columns(
    data: st.DataObject,
    columns: list[str],
    rows: list[tuple[str, ...]],
    mark: str,
    encoding: str,
    end: str,
) -> None:
    from tempfile import TemporaryDirectory

    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=mark, lineterminator=end)
    writer.writerow([data.draw(spelled(column)) for column in columns])
    full = [("x" + row[0], *row[1:]) for row in rows]
    order = [columns.index(column) for column in ("content", "style", "content_regions", "strength")]
    for row in full:
        writer.writerow([row[order.index(place)] for place in range(4)])
    with TemporaryDirectory() as place:
        path = Path(place) / "jobs.csv"
        path.write_bytes(text.getvalue().encode(encoding))
        found = [line.values for line in read_lines(str(path), "out")]
        folder = {"content", "style", "content_regions"}
        expected = [
            {
                column: os.path.join(place, cell) if column in folder else cell
                for column, cell in zip(("content", "style", "content_regions", "strength"), row, strict=True)
                if cell
            }
            for row in full
        ]
        assert found == expected


def test_a_list_without_the_column_says_what_it_has(tmp_path: Path) -> None:
    (tmp_path / "jobs.csv").write_text("Foto;Stil\na.jpg;b.jpg\n")
    with pytest.raises(SettingsError, match="commas, semicolons or tabs between; it names 'foto;stil'"):
        read_lines(str(tmp_path / "jobs.csv"), "out")


def test_columns_of_objects_are_named_alike(tmp_path: Path) -> None:
    (tmp_path / "jobs.jsonl").write_text('{"Content": "a.jpg", "Style": "b.jpg", "Content-Weight": 2}\n')
    (line,) = read_lines(str(tmp_path / "jobs.jsonl"), "out")
    assert set(line.values) == {"content", "style", "content_weight"}
