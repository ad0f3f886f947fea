"""The studio's server: what a page can ask for, and what nobody can."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen
from zipfile import ZipFile

import numpy as np
import pytest
import raws
import torch
from commands import run_command
from PIL import Image
from pointing import Discs, discs
from torch import Tensor

pytest.importorskip("fastapi", reason="the extra studio is not installed")
from starlette.testclient import TestClient

from photostyle import RECIPES, SettingsError, Step, fade, load_image
from photostyle.photofile import read_note
from photostyle.regions.palette import PALETTE
from photostyle.studio.controls import recipe_facts
from photostyle.studio.picture import receive
from photostyle.studio.serve import serve, studio
from photostyle.studio.service import MOST_JOBS, Limits
from photostyle.studio.worker import Pace, Task, Worker

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.usefixtures("small_network")


@pytest.fixture
def client() -> Iterator[TestClient]:
    """A page of a running studio."""
    with studio(limits=Limits(bytes=200_000, pixels=100_000)) as app, TestClient(app, "http://127.0.0.1") as page:
        yield page


class Page:
    """One session of a client."""

    def __init__(self, client: TestClient) -> None:
        self.client = client
        self.id: str = client.post("/api/sessions").json()["id"]

    def ask(self, method: str, path: str, status: int = 200, **body: Any) -> Any:
        answer = self.client.request(method, f"/api/sessions/{self.id}{path}", **body)
        assert answer.status_code == status, answer.text
        is_json = answer.content and answer.headers.get("content-type") == "application/json"
        return answer.json() if is_json else answer.content

    def done(self, job: dict[str, Any], state: str = "done") -> dict[str, Any]:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            facts: dict[str, Any] = self.ask("GET", f"/jobs/{job['id']}")
            if facts["state"] not in ("waiting", "running"):
                assert facts["state"] == state, facts
                return facts
            time.sleep(0.02)
        raise AssertionError("the job does not end")


@pytest.fixture
def page(client: TestClient) -> Page:
    return Page(client)


def file(seed: int = 0, size: tuple[int, int] = (72, 48), format: str = "PNG", **options: Any) -> bytes:
    """A photograph of two flat halves with some grain."""
    width, height = size
    pixels = np.random.default_rng(seed).integers(0, 30, (height, width, 3)).astype(np.uint8)
    pixels[: height // 2] += np.array([40 * (seed + 1), 90, 200], np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format, **options)
    return buffer.getvalue()


def halves(top: str, bottom: str, size: tuple[int, int] = (72, 48)) -> bytes:
    """A label image of two halves."""
    image = Image.new("RGB", size, PALETTE[bottom])
    image.paste(PALETTE[top], (0, 0, size[0], size[1] // 2))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def both(page: Page) -> None:
    for seed, side in enumerate(("content", "style")):
        page.ask("PUT", f"/photographs/{side}?name={side}.png", content=file(seed))


def painted(page: Page) -> None:
    both(page)
    for side in ("content", "style"):
        page.ask("PUT", f"/regions/{side}.png", 204, content=halves("blue", "green"))
    regions = [{"color": color, "name": color, "model": color} for color in ("blue", "green")]
    page.ask("PUT", "/regions", json=regions)


# ---- the path


def test_from_two_photographs_to_a_file(page: Page) -> None:
    both(page)
    found = page.done(page.ask("POST", "/find?count=2", 202))["outcome"]["regions"]
    assert [region["color"] for region in found] == ["blue", "green"]
    labels = Image.open(io.BytesIO(page.ask("GET", "/regions/content.png")))
    assert labels.size == (72, 48)
    assert {color for _, color in labels.getcolors() or ()} == {PALETTE["blue"], PALETTE["green"]}

    preview = page.done(page.ask("POST", "/preview", 202, json={}))["outcome"]["result"]
    assert (preview["quality"], preview["painted"]) == ("draft", True)
    made = page.done(page.ask("POST", "/render", 202, json={"recipe": "reinhard", "strength": 0.5}))
    state = page.ask("GET", "")
    assert [result["id"] for result in state["results"]] == [made["outcome"]["result"]["id"]]  # previews are not kept
    assert state["preview"]["id"] == preview["id"]
    for size in ("thumb", "view", "full"):
        picture = Image.open(io.BytesIO(page.ask("GET", f"/results/{preview['id']}/{size}.jpg")))
        assert (picture.format, picture.size) == ("JPEG", (72, 48))


def test_a_download_is_faded_and_keeps_metadata(page: Page, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "my garden"
    jpeg = file(0, format="JPEG", quality=95, exif=exif)
    page.ask("PUT", "/photographs/content?name=garden.jpg", content=jpeg)
    page.ask("PUT", "/photographs/style?name=evening.png", content=file(1))
    made = page.done(page.ask("POST", "/render", 202, json={"recipe": "reinhard"}))["outcome"]["result"]
    paths = {}
    for strength in (0, 0.5, 1):
        paths[strength] = tmp_path / f"{strength}.png"
        paths[strength].write_bytes(page.ask("GET", f"/results/{made['id']}/download?format=PNG&strength={strength}"))
    (tmp_path / "garden.jpg").write_bytes(jpeg)
    before, after = load_image(tmp_path / "garden.jpg"), load_image(paths[1])
    assert (before - after).abs().max() > 0.1
    assert torch.allclose(load_image(paths[0]), before, atol=0.6 / 255)
    assert torch.allclose(load_image(paths[0.5]), fade(before, after, 0.5), atol=1.1 / 255)
    with Image.open(paths[1]) as written:
        assert written.getexif()[0x010E] == "my garden"
    note = read_note(paths[0.5])
    assert (note["recipe"], note["strength"], note["content"]) == ("reinhard", 0.5, "garden.jpg")


def test_16_bits_stay_16_bits(page: Page, tmp_path: Path) -> None:
    from photostyle import bit_depth, save_photograph

    deep = tmp_path / "deep.png"
    save_photograph(torch.linspace(0.2, 0.7, 3 * 40 * 40).reshape(3, 40, 40), deep, bits=16)
    page.ask("PUT", "/photographs/content?name=deep.png", content=deep.read_bytes())
    page.ask("PUT", "/photographs/style", content=file(1))
    made = page.done(page.ask("POST", "/render", 202, json={"recipe": "reinhard"}))["outcome"]["result"]
    result = tmp_path / "result.png"
    result.write_bytes(page.ask("GET", f"/results/{made['id']}/download?format=PNG"))
    assert bit_depth(result) == 16


def test_painted_regions_change_the_preview_where_they_are(page: Page, tmp_path: Path) -> None:
    """Only a dropped region's pixels take another look."""
    painted(page)
    wish = {"recipe": "reinhard", "snapped": False}
    first = _shown(page, page.done(page.ask("POST", "/preview", 202, json=wish)))
    page.ask("PUT", "/regions/style.png", 204, content=halves("green", "blue"))
    second = _shown(page, page.done(page.ask("POST", "/preview", 202, json=wish)))
    assert (first - second).abs().mean() > 0.1  # sky and ground have changed places in the style


def test_pairs_are_the_page_s(page: Page) -> None:
    painted(page)
    page.ask(
        "PUT",
        "/regions",
        json=[{"color": "blue", "name": "Sky", "model": "green"}, {"color": "green", "name": "Ground", "model": ""}],
    )
    wish = {"recipe": "reinhard", "snapped": False}
    made = page.done(page.ask("POST", "/render", 202, json=wish))["outcome"]["result"]
    assert "--match blue=green" in made["command"]
    assert page.ask("GET", f"/results/{made['id']}/content_regions.png") == halves("blue", "green")
    page.ask("PUT", "/regions", json=[{"color": "blue", "name": "Sky", "model": ""}])
    assert "pair at least one" in page.ask("POST", "/preview", 422, json=wish)["error"]


def test_the_command_line_shown_makes_the_same_picture(page: Page, tmp_path: Path, monkeypatch: Any) -> None:
    from typer.testing import CliRunner

    from photostyle.cli import app

    painted(page)
    wish = {"recipe": "pitie", "settings": {"steps": 3}, "snapped": False}
    made = page.done(page.ask("POST", "/render", 202, json=wish))["outcome"]["result"]
    monkeypatch.chdir(tmp_path)
    for seed, side in enumerate(("content", "style")):
        Path(f"{side}.png").write_bytes(file(seed))
        Path(f"{side}_regions.png").write_bytes(page.ask("GET", f"/results/{made['id']}/{side}_regions.png"))
    words = shlex.split(made["command"].replace("result.jpg", "result.png"))
    assert words[0] == "photostyle"
    run = CliRunner().invoke(app, words[1:])
    assert run.exit_code == 0, run.output
    Path("studio.png").write_bytes(page.ask("GET", f"/results/{made['id']}/download?format=PNG"))
    difference = (load_image("studio.png") - load_image("result.png")).abs() * 255
    # the page keeps results in 16 bits: where that crosses the noise of dithering it is one level, now and then
    assert float(difference.max()) < 1.01 and float(difference.mean()) < 0.01


def test_a_settings_file_says_what_was_chosen(page: Page) -> None:
    both(page)
    wish = {"recipe": "pitie", "quality": "best", "strength": 0.25, "settings": {"steps": 2}}
    made = page.done(page.ask("POST", "/render", 202, json=wish))["outcome"]["result"]
    kept = page.ask("GET", f"/results/{made['id']}/settings.json")
    assert {name: kept[name] for name in wish} == wish


def test_a_doodle_needs_no_photograph_to_change(page: Page) -> None:
    page.ask("PUT", "/photographs/style", content=file(1, (64, 64)))
    state = page.ask("PUT", "/canvas", json={"width": 96, "height": 64})
    assert state["pictures"]["content"]["blank"]
    wish = {"recipe": "doodle", "settings": {"size": 64, "steps": 1, "octaves": 1}}
    assert "Paint regions" in page.ask("POST", "/render", 422, json=wish)["error"]
    assert "recipe doodle" in page.ask("POST", "/render", 422, json={"recipe": "photo"})["error"]
    page.ask("PUT", "/regions/content.png", 204, content=halves("blue", "green", (96, 64)))
    page.ask("PUT", "/regions/style.png", 204, content=halves("green", "blue", (64, 64)))
    made = page.done(page.ask("POST", "/render", 202, json=wish))["outcome"]["result"]
    assert made["width"] / made["height"] == pytest.approx(1.5, abs=0.05)
    assert made["command"].startswith("photostyle doodle")


def test_a_doodle_to_start_from() -> None:
    """An example's regions on an empty canvas, and what it is made of."""
    with studio() as app, TestClient(app, "http://127.0.0.1") as client:
        page = Page(client)
        state = page.ask("PUT", "/example", json={"name": "maple-autumn", "doodle": True})
    assert state["pictures"]["content"]["blank"] and not state["pictures"]["style"]["blank"]
    assert (state["painted"], [region["color"] for region in state["regions"]]) == (
        ["content", "style"],
        ["green", "black"],
    )


def test_several_styles_are_for_a_recipe_that_blends_them(page: Page, tmp_path: Path) -> None:
    both(page)
    for seed in (2, 3):
        state = page.ask("POST", f"/styles?name=more{seed}.png", 201, content=file(seed))
    first, second = (picture["id"] for picture in state["more_styles"])
    assert page.ask("DELETE", f"/styles/{first}")["more_styles"] == state["more_styles"][1:]
    wish = {"recipe": "gatys", "settings": {"steps": 1}}
    made = page.done(page.ask("POST", "/render", 202, json=wish))["outcome"]["result"]
    assert made["command"].startswith("photostyle transfer content.png style.png more3.png -o")
    (tmp_path / "result.png").write_bytes(page.ask("GET", f"/results/{made['id']}/download?format=PNG"))
    assert read_note(tmp_path / "result.png")["more_styles"] == ["more3.png"]
    one = page.done(page.ask("POST", "/render", 202, json={"recipe": "reinhard"}))["outcome"]["result"]
    assert "more3.png" not in one["command"]
    page.ask("DELETE", f"/styles/{second}")
    page.ask("GET", f"/photographs/{second}/edit.jpg")  # a result was made of it
    page.ask("GET", f"/photographs/{first}/edit.jpg", 404)
    for _ in range(8):
        page.ask("POST", "/styles", 201, content=file(2))
    assert "remove one first" in page.ask("POST", "/styles", 422, content=file(2))["error"]


def test_cutting_out_what_is_marked(page: Page, tmp_path: Path, monkeypatch: Any) -> None:
    page.ask("PUT", "/photographs/content?name=a.png", content=file())
    marks = Image.new("L", (72, 48), 128)
    marks.paste(255, (0, 0, 72, 6))
    marks.paste(0, (0, 42, 72, 48))
    buffer = io.BytesIO()
    marks.save(buffer, "PNG")
    made = page.done(page.ask("POST", "/cutout?full=true", 202, content=buffer.getvalue()))["outcome"]["result"]
    path = tmp_path / "cut.png"
    path.write_bytes(page.ask("GET", f"/results/{made['id']}/download?format=PNG"))
    with Image.open(path) as cut:
        alpha = np.asarray(cut.convert("RGBA"))[..., 3] / 255
    assert alpha[:22].mean() > 0.9 and alpha[26:].mean() < 0.1  # the halves of the photograph

    from typer.testing import CliRunner

    from photostyle.cli import app

    monkeypatch.chdir(tmp_path)
    Path("a.png").write_bytes(file())
    Path("trimap.png").write_bytes(page.ask("GET", f"/results/{made['id']}/trimap.png"))
    run = CliRunner().invoke(app, shlex.split(made["command"])[1:])
    assert run.exit_code == 0, run.output
    with Image.open(path) as cut, Image.open("cutout.png") as again:
        assert np.abs(np.asarray(cut).astype(int) - np.asarray(again)).max() <= 1  # of 16 bits, rounded twice

    nothing = page.ask("POST", "/cutout", 202, content=halves("black", "black"))
    assert "foreground" in page.done(nothing, "failed")["error"]


def test_a_rough_stroke_goes_to_the_edge(page: Page) -> None:
    page.ask("PUT", "/photographs/content", content=file())
    trimap = np.full((30, 40), 128, np.uint8)
    trimap[:6], trimap[-6:] = 255, 0
    buffer = io.BytesIO()
    Image.fromarray(trimap).save(buffer, "PNG")
    alpha = Image.open(io.BytesIO(page.ask("POST", "/snap/content?x=10&y=8", content=buffer.getvalue())))
    inside = np.asarray(alpha) >= 128
    edge = 24 - 8  # the border of the halves, in the cut-out
    assert inside[: edge - 1].mean() > 0.97 and inside[edge + 1 :].mean() < 0.03
    page.ask("POST", "/snap/content?x=60&y=8", 422, content=buffer.getvalue())
    assert "nothing to paint on" in page.ask("POST", "/snap/style?x=0&y=0", 422, content=buffer.getvalue())["error"]


def test_a_click_selects_a_thing_of_the_small_photograph(page: Page) -> None:
    """By the wand, and by a segmenter that the studio was started with."""
    page.ask("PUT", "/photographs/content", content=file())
    clicks = {"inside": [[30, 10]], "outside": [[30, 40]]}
    mask = Image.open(io.BytesIO(page.ask("POST", "/select/content", json=clicks)))
    assert mask.size == (72, 48) and mask.mode == "L"
    assert mask.tobytes() == Image.open(io.BytesIO(page.ask("POST", "/select/content", json=clicks))).tobytes()
    assert page.client.get("/api/about").json()["learned"] is False
    for wrong, said in (
        ({"inside": [[72, 10]]}, "The point 72,10 is not in the photograph"),
        ({"inside": []}, "inside"),
        ({"inside": [[1, 2, 3]]}, "not understood"),
    ):
        assert said in page.ask("POST", "/select/content", 422, json=wrong)["error"]
    assert "nothing to paint on" in page.ask("POST", "/select/style", 422, json=clicks)["error"]


def test_a_photograph_is_looked_at_once() -> None:
    looks: list[Tensor] = []

    class Counting(Discs):
        def look(self, photograph: Tensor) -> Any:
            looks.append(photograph)
            return super().look(photograph)

    with studio(segmenter=Counting()) as app, TestClient(app, "http://127.0.0.1") as client:
        page = Page(client)
        assert client.get("/api/about").json()["learned"] is True
        for n in range(3):
            page.ask("PUT", "/photographs/content", content=file())
            for x in (10, 30):
                mask = Image.open(io.BytesIO(page.ask("POST", "/select/content", json={"inside": [[x, 20]]})))
                assert (np.asarray(mask) == 255 * discs([(x, 20)], 48, 72).numpy()).all()
            assert len(looks) == n + 1


def _shown(page: Page, job: dict[str, Any]) -> Tensor:
    data = page.ask("GET", f"/results/{job['outcome']['result']['id']}/full.jpg")
    pixels = np.asarray(Image.open(io.BytesIO(data))).astype(np.float32) / 255
    return torch.from_numpy(pixels).permute(2, 0, 1)


# ---- several photographs


def test_what_is_painted_belongs_to_the_two_photographs(page: Page) -> None:
    """Another reference takes nothing away; what is painted on the photograph stays, on the first reference too."""
    painted(page)
    first = page.ask("GET", "")["pictures"]["style"]["id"]
    state = page.ask("PUT", "/photographs/style?name=other.png", content=file(2))
    assert [picture["name"] for picture in state["photographs"]["style"]] == ["style.png", "other.png"]
    assert (state["pictures"]["style"]["name"], state["painted"]) == ("other.png", ["content"])
    assert [region["color"] for region in state["regions"]] == ["blue", "green"]
    assert page.ask("GET", "/regions/content.png") == halves("blue", "green")
    page.ask("GET", "/regions/style.png", 404)
    page.ask("PUT", "/regions/style.png", 204, content=halves("green", "blue"))
    page.ask("PUT", "/chosen/style", json={"id": first})
    assert page.ask("GET", "/regions/style.png") == halves("blue", "green")
    page.ask("PUT", "/chosen/style", 422, json={"id": "none"})


def test_photographs_can_be_exchanged_and_removed(page: Page) -> None:
    painted(page)
    page.ask("PUT", "/regions/style.png", 204, content=halves("green", "blue"))
    before = page.ask("GET", "")["pictures"]
    after = page.ask("PUT", "/swap")["pictures"]
    assert [after[side]["id"] for side in ("style", "content")] == [before[side]["id"] for side in ("content", "style")]
    assert page.ask("GET", "/regions/content.png") == halves("green", "blue")
    state = page.ask("DELETE", f"/photographs/content/{before['style']['id']}")
    assert state["pictures"]["content"]["id"] == before["content"]["id"]
    assert "content" not in page.ask("DELETE", f"/photographs/content/{before['content']['id']}")["pictures"]
    assert "missing" in page.ask("PUT", "/swap", 422)["error"]


def test_one_look_on_several_photographs_as_a_zip(page: Page) -> None:
    both(page)
    state = page.ask("PUT", "/photographs/content?name=content.png", content=file(3))
    assert len(state["photographs"]["content"]) == 2
    wishes = [{"recipe": "reinhard", "content": picture["id"]} for picture in state["photographs"]["content"]]
    made = [page.done(page.ask("POST", "/render", 202, json=wish))["outcome"]["result"] for wish in wishes]
    assert [result["content"]["id"] for result in made] == [wish["content"] for wish in wishes]
    data = page.ask("GET", "/results.zip?format=PNG&" + "&".join(f"id={result['id']}" for result in made))
    with ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist() == ["content-reinhard.png", "content-reinhard-2.png"]
        pictures = [np.asarray(Image.open(io.BytesIO(archive.read(name)))) for name in archive.namelist()]
    assert np.abs(pictures[0].astype(int) - pictures[1]).max() > 20
    page.ask("GET", "/results.zip?id=none", 404)


def test_regions_are_named_by_what_and_where_they_are(page: Page) -> None:
    painted(page)
    regions = page.ask("GET", "")["regions"]
    assert regions[0]["seen"]["content"] == {"what": "upper, blue", "share": 0.5}
    page.ask("PUT", "/regions", json=[regions[0] | {"name": "Sky"}, regions[1]])
    assert [region["name"] for region in page.ask("GET", "")["regions"]] == ["Sky", "green"]


def test_notes_have_the_page_s_names(page: Page) -> None:
    """Not those of the colours in the label images."""
    painted(page)
    page.ask("PUT", "/regions/style.png", 204, content=halves("green", "green"))
    names = [{"color": "blue", "name": "Sky", "model": "blue"}, {"color": "green", "name": "Meadow", "model": "green"}]
    page.ask("PUT", "/regions", json=names)
    notes = page.done(page.ask("POST", "/render", 202, json={"recipe": "reinhard"}))["notes"]
    assert any("1 (Sky)" in note and "2 (Meadow)" in note for note in notes), notes
    assert not any(word in note for note in notes for word in ("blue", "content", "the style"))


def test_what_goes_wrong_is_said_in_the_page_s_words() -> None:
    from photostyle.studio.words import spoken

    assert spoken("The content is small; paint the style, in a style.") == (
        "The photograph is small; paint the reference, in a style."
    )
    assert spoken("Region blue is merged into black.", {"blue": "1 (Sky)"}) == "Region 1 (Sky) is merged into black."


def test_a_result_can_have_a_name(page: Page) -> None:
    both(page)
    made = page.done(page.ask("POST", "/render", 202, json={"recipe": "reinhard"}))["outcome"]["result"]
    page.ask("PATCH", f"/results/{made['id']}", json={"name": "Evening"})
    assert page.ask("GET", "")["results"][0]["name"] == "Evening"
    page.ask("PATCH", f"/results/{made['id']}", 422, json={"name": "x" * 61})


def test_a_thumbnail_shows_its_strength(page: Page) -> None:
    both(page)
    pictures = []
    for strength in (0, 1):
        made = page.done(page.ask("POST", "/render", 202, json={"recipe": "reinhard", "strength": strength}))
        data = page.ask("GET", f"/results/{made['outcome']['result']['id']}/thumb.jpg")
        pictures.append(np.asarray(Image.open(io.BytesIO(data))).astype(int))
    before = np.asarray(Image.open(io.BytesIO(file(0)))).astype(int)
    none, whole = (np.abs(picture.mean((0, 1)) - before.mean((0, 1))).max() for picture in pictures)
    assert none < 2 < 5 < whole


def test_a_draft_that_makes_room_while_it_is_asked_for_is_gone_not_an_error(page: Page) -> None:
    both(page)
    made = page.done(page.ask("POST", "/preview", 202, json={"recipe": "pitie"}))["outcome"]["result"]
    session = page.client.app._app.state.service.sessions.get(page.id)  # type: ignore[attr-defined]
    shutil.rmtree(session.find_result(made["id"]).folder)
    assert "made room" in page.ask("GET", f"/results/{made['id']}/view.jpg", 404)["error"]


def test_a_session_is_told_while_it_changes(page: Page) -> None:
    """Requests run in threads: what one adds to must not be read half-way by another."""
    both(page)
    stop, wrong = threading.Event(), []

    def ask() -> None:
        while not stop.is_set():
            answer = page.client.get(f"/api/sessions/{page.id}")
            if answer.status_code != 200:
                wrong.append(answer.text)

    asking = threading.Thread(target=ask)
    asking.start()
    for n in range(20):
        page.ask("POST", "/preview", 202, json={"recipe": "reinhard", "strength": n / 20})
        page.ask("PUT", "/swap")
    stop.set()
    asking.join()
    assert wrong == []


# ---- jobs


def test_one_job_runs_and_the_others_know_their_place() -> None:
    worker, go, started = Worker(), threading.Event(), threading.Event()
    order: list[int] = []

    def work(number: int) -> Callable[[Task], dict[str, Any]]:
        def do(task: Task) -> dict[str, Any]:
            started.set()
            assert go.wait(10)
            order.append(number)
            return {}

        return do

    tasks = [Task("test", work(number)) for number in range(3)]
    for task in tasks:
        worker.submit(task)
    assert started.wait(10)
    assert [worker.place(task) for task in tasks] == [0, 1, 2]
    assert [task.state for task in tasks] == ["running", "waiting", "waiting"]
    worker.cancel(tasks[1])
    assert (tasks[1].state, worker.place(tasks[2])) == ("cancelled", 1)
    go.set()
    _until(lambda: tasks[2].is_over)
    worker.close()
    assert order == [0, 2]


def test_cancelling_closes_the_recipe_and_the_next_job_runs() -> None:
    closed = threading.Event()

    def endless() -> Iterator[Step]:
        image = torch.zeros(3, 8, 8)
        try:
            for i in range(10**9):
                yield Step("endless", i, 0, image)
                time.sleep(0.001)
        finally:
            closed.set()

    worker = Worker()
    first = Task("test", lambda task: {"image": task.follow(endless())})  # type: ignore[arg-type]
    second = Task("test", lambda task: {"well": "done"})
    worker.submit(first)
    worker.submit(second)
    _until(lambda: first.iteration > 3)
    worker.cancel(first)
    _until(lambda: second.is_over)
    worker.close()
    assert (first.state, second.state, second.outcome) == ("cancelled", "done", {"well": "done"})
    assert closed.is_set()


def test_a_fault_in_a_job_is_told_and_the_worker_goes_on() -> None:
    def fault(task: Task) -> dict[str, Any]:
        raise ZeroDivisionError("by nothing")

    def wrong(task: Task) -> dict[str, Any]:
        raise SettingsError("Choose another.")

    worker = Worker()
    tasks = [Task("test", fault), Task("test", wrong), Task("test", lambda task: {})]
    for task in tasks:
        worker.submit(task)
    _until(lambda: tasks[2].is_over)
    worker.close()
    assert [task.state for task in tasks] == ["failed", "failed", "done"]
    assert "ZeroDivisionError" in tasks[0].error and tasks[1].error == "Choose another."


def test_the_time_that_is_left_is_known_from_the_last_job_like_it(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("photostyle.studio.worker.monotonic", lambda: now)
    task = Task("test", lambda task: {}, expected=[2.0, 8.0, 10.0])
    task.state, task._began = "running", 0.0
    task.enter("one")
    now = 4.0  # twice as slow as the last time
    task.enter("two")
    now = 8.0
    task.iteration, task.of = 1, 4
    part, left = task.left()
    assert part == pytest.approx((2 + 8 / 4) / 20)
    assert left == pytest.approx(2 * (20 - 4))


def test_the_time_that_is_left_is_that_of_the_whole_job_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of a part says nothing of what comes after it; and a part without steps goes on by the clock."""
    now = 0.0
    monkeypatch.setattr("photostyle.studio.worker.monotonic", lambda: now)
    task = Task("test", lambda task: {})
    task.state = "running"
    task.enter("128 px")
    now = 6.0
    task.iteration, task.of = 8, 8
    assert task.left()[1] is None
    known = Task("test", lambda task: {}, expected=[4.0, 6.0])
    known.state, known._began = "running", 6.0
    known.enter("one")
    now = 10.0
    known.enter("two")
    now = 13.0
    assert known.left() == (pytest.approx(0.7), pytest.approx(3.0))
    now = 30.0  # longer than expected: nearly done, whatever the clock says
    part, left = known.left()
    assert part < 1 and left is not None and left < 3


def test_a_job_of_another_size_is_a_measure_too() -> None:
    """Where no job was just like it: what depends on the size of the photograph is scaled."""
    worker = Worker()
    first = Task("test", lambda task: {}, Pace(("render", "photo"), pixels=1e6))
    worker.submit(first)
    _until(lambda: first.is_over)
    worker.learn(first.pace, [("128 px", 4.0), ("finishing", 2.0)])
    second = Task("test", lambda task: {}, Pace(("render", "photo"), pixels=3e6))
    worker.submit(second)
    worker.close()
    assert second.expected == [4.0, 6.0]


def test_a_new_preview_takes_the_place_of_the_one_that_waits(page: Page) -> None:
    both(page)
    slow = page.ask("POST", "/render", 202, json={"recipe": "gatys", "settings": {"steps": 10**6}})
    first = page.ask("POST", "/preview", 202, json={})
    second = page.ask("POST", "/preview", 202, json={"recipe": "reinhard"})
    assert page.ask("GET", f"/jobs/{first['id']}")["state"] == "cancelled"
    assert page.ask("GET", f"/jobs/{second['id']}")["before"] == 1
    _until(lambda: page.ask("GET", f"/jobs/{slow['id']}")["live"] > 0)
    assert Image.open(io.BytesIO(page.ask("GET", f"/jobs/{slow['id']}/live.jpg"))).format == "JPEG"
    page.ask("DELETE", f"/jobs/{slow['id']}")
    page.done(slow, "cancelled")
    page.done(second)


def test_a_render_that_is_asked_for_twice_is_made_once(page: Page) -> None:
    """As long as it is not done; another order is another render."""
    both(page)
    slow = page.ask("POST", "/render", 202, json={"recipe": "gatys", "settings": {"steps": 10**6}})
    wish = {"recipe": "reinhard"}
    first, again = (page.ask("POST", "/render", 202, json=wish) for _ in range(2))
    other = page.ask("POST", "/render", 202, json=wish | {"quality": "best"})
    assert first["id"] == again["id"] != other["id"]
    page.ask("DELETE", f"/jobs/{slow['id']}")
    page.done(first)
    page.done(other)
    assert len(page.ask("GET", "")["results"]) == 2


def test_a_render_does_not_wait_for_drafts(page: Page) -> None:
    """A draft is of no use once the whole picture is wanted."""
    both(page)
    slow = page.ask("POST", "/render", 202, json={"recipe": "gatys", "settings": {"steps": 10**6}})
    draft = page.ask("POST", "/preview", 202, json={"recipe": "reinhard"})
    made = page.ask("POST", "/render", 202, json={"recipe": "reinhard"})
    assert made["before"] == 1
    page.done(draft, "cancelled")
    page.ask("DELETE", f"/jobs/{slow['id']}")
    page.done(made)


def test_a_render_finds_regions_if_it_is_to(page: Page) -> None:
    both(page)
    wish = {"recipe": "reinhard"}
    assert not page.done(page.ask("POST", "/render", 202, json=wish))["outcome"]["result"]["painted"]
    made = page.done(page.ask("POST", "/render", 202, json=wish | {"find": True}))["outcome"]["result"]
    assert made["painted"] and "--content-regions" in made["command"]
    assert page.ask("GET", "")["regions"]


def test_too_many_jobs_are_refused(page: Page) -> None:
    both(page)
    jobs = [page.ask("POST", "/render", 202, json={"recipe": "gatys", "settings": {"steps": 10**6}})]
    _until(lambda: page.ask("GET", f"/jobs/{jobs[0]['id']}")["state"] == "running")
    jobs += [page.ask("POST", "/render", 202, json={"strength": n / MOST_JOBS}) for n in range(MOST_JOBS)]
    assert "are waiting" in page.ask("POST", "/render", 422, json={})["error"]
    for job in jobs:
        page.ask("DELETE", f"/jobs/{job['id']}")
    for job in jobs:
        page.done(job, "cancelled")


def _until(holds: Callable[[], object]) -> None:
    until = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < until, "it never holds"
        time.sleep(0.01)


# ---- what is refused


def test_uploads_are_limited_in_bytes_and_pixels(page: Page) -> None:
    path = "/photographs/content?name=large.png"
    assert "larger than 0 MB" in page.ask("PUT", path, 413, content=bytes(200_001))["error"]
    chunks = (bytes(50_000) for _ in range(5))  # without a length in the header
    page.ask("PUT", path, 413, content=chunks)
    assert "large.png" in page.ask("PUT", path, 422, content=file(size=(400, 300), format="JPEG"))["error"]
    assert "large.png" in page.ask("PUT", path, 422, content=b"#!/bin/sh")["error"]
    assert page.ask("GET", "")["pictures"] == {}


def test_what_is_no_png_is_no_mask(page: Page) -> None:
    both(page)
    for data in (b"no picture", file(format="JPEG"), file()[:60]):
        assert "not a PNG" in page.ask("PUT", "/regions/content.png", 422, content=data)["error"]
    assert (
        "at most 4096"
        in page.ask("PUT", "/regions/content.png", 422, content=halves("red", "blue", (5000, 8)))["error"]
    )


def written(image: Image.Image, format: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format)
    return buffer.getvalue()


def test_a_mask_of_any_kind_comes_back_in_the_papers_colours(page: Page) -> None:
    """Worn, with numbers for colours, or with transparency, which is no region."""
    expected = Image.open(io.BytesIO(halves("black", "white"))).convert("RGB")
    numbers = Image.new("L", expected.size)
    numbers.paste(1, (0, 0, expected.width, expected.height // 2))
    layer = Image.open(io.BytesIO(halves("blue", "red"))).convert("RGBA")
    layer.paste((9, 9, 9, 0), (0, 0, 20, layer.height))

    def shown(data: bytes) -> Image.Image:
        return Image.open(io.BytesIO(page.ask("POST", "/mask?name=mask", content=data)))

    assert shown(written(expected, "JPEG")).tobytes() == expected.tobytes()
    assert shown(written(expected.convert("1"), "TIFF")).tobytes() == expected.tobytes()
    assert {color for _, color in shown(written(numbers, "PNG")).getcolors() or ()} == {(0, 0, 255), (0, 255, 0)}
    purple = shown(written(layer, "PNG"))
    assert purple.getpixel((3, 3)) == PALETTE["purple"] and purple.getpixel((40, 3)) == PALETTE["blue"]


def test_a_mask_that_cannot_be_read_says_why(page: Page) -> None:
    own = written(Image.new("RGB", (32, 32), (200, 100, 50)), "PNG")
    shades = written(Image.linear_gradient("L"), "PNG")
    for data, words in ((shades, "mine.png is not a label image"), (own, "#c86432 in mine.png is none of the paper's")):
        assert words in page.ask("POST", "/mask?name=mine.png", 422, content=data)["error"]


def test_what_is_transparent_has_no_say_and_stays_so(page: Page) -> None:
    """Whatever colour is hidden there, the result is the same, and white where it is shown without alpha."""
    made = []
    for hidden in ((255, 0, 255, 0), (0, 255, 0, 0)):
        for seed, side in enumerate(("content", "style")):
            image = Image.open(io.BytesIO(file(seed))).convert("RGBA")
            image.paste(hidden, (0, 0, 30, image.height))
            page.ask("PUT", f"/photographs/{side}?name={side}.png", content=written(image, "PNG"))
        job = page.done(page.ask("POST", "/render", 202, json={"recipe": "reinhard"}))
        made.append(page.ask("GET", f"/results/{job['outcome']['result']['id']}/download?format=PNG"))
        view = page.ask("GET", f"/results/{job['outcome']['result']['id']}/full.jpg")
        assert np.asarray(Image.open(io.BytesIO(view)))[:, :20].min() > 240
    pictures = [np.asarray(Image.open(io.BytesIO(data))) for data in made]
    assert (pictures[0] == pictures[1]).all()
    assert (pictures[0][:, :30, 3] == 0).all() and (pictures[0][:, 30:, 3] == 255).all()


def test_sessions_cannot_see_each_other(client: TestClient) -> None:
    one, other = Page(client), Page(client)
    both(one)
    job = one.ask("POST", "/render", 202, json={"recipe": "reinhard"})
    made = one.done(job)["outcome"]["result"]
    picture = one.ask("GET", "")["pictures"]["content"]["id"]
    for path in (f"/photographs/{picture}/edit.jpg", f"/results/{made['id']}/view.jpg", f"/jobs/{job['id']}"):
        one.ask("GET", path)
        other.ask("GET", path, 404)
    one.ask("DELETE", "", 204)
    assert "This session is over" in one.ask("GET", "", 410)["error"]  # a status of its own: the page begins anew


@pytest.mark.parametrize(
    "path",
    [
        "/../../pyproject.toml",
        "/%2e%2e/%2e%2e/app.py",
        "/..%2f..%2fapp.py",
        "/app.js/../../app.py",
        "//etc/passwd",
        "/api/sessions/..%2f..%2fetc/photographs/x/edit.jpg",
        "/api/examples/..%2f..%2f/content.jpg",
        "/api/sessions/{id}/photographs/..%2f..%2fetc%2fpasswd/edit.jpg",
        "/api/sessions/{id}/results/%2e%2e/download",
        "/api/sessions/{id}/regions/..%2fcontent.png",
    ],
)
def test_no_path_leads_out_of_the_session(page: Page, path: str) -> None:
    both(page)
    answer = page.client.get(path.replace("{id}", page.id))
    assert answer.status_code in (404, 422), answer.text[:200]
    assert b"root:" not in answer.content and b"make_app" not in answer.content


def test_a_raw_file_is_taken_and_stays_one(page: Page, tmp_path: Path) -> None:
    pytest.importorskip("rawpy", reason="raw files need rawpy (extra raw)")
    raw = raws.below_a_thumbnail(np.full((48, 64, 3), 0.3), Image.new("RGB", (24, 16)))
    shown = page.ask("PUT", "/photographs/content?name=frame.NEF", content=raw)["pictures"]["content"]
    assert (shown["name"], shown["width"], shown["height"]) == ("frame.NEF", 64, 48)
    kept = receive(raw, "frame.NEF", tmp_path, 1e6)
    assert kept.path.suffix == ".nef" and kept.load().format == "RAW"


def test_names_of_uploads_are_only_shown(page: Page) -> None:
    name = "..%2F..%2Fetc%2Fcron.d%2Fjob%0A.png"
    shown = page.ask("PUT", f"/photographs/content?name={name}", content=file())["pictures"]["content"]["name"]
    assert shown == "job.png"
    page.ask("PUT", "/photographs/style?name=%22x%22;rm%20-rf%20~.png", content=file(1))
    made = page.done(page.ask("POST", "/render", 202, json={"recipe": "reinhard"}))["outcome"]["result"]
    assert shlex.split(made["command"])[3] == '"x";rm -rf ~.png'  # quoted for the shell


def test_settings_that_name_files_of_the_server_are_withheld(page: Page) -> None:
    both(page)
    offered = {recipe["name"]: {s["name"] for s in recipe["settings"]} for recipe in recipe_facts()}
    assert "start_image" not in offered["gatys"] and "content_layers" in offered["gatys"]
    wish = {"recipe": "gatys", "settings": {"start_image": "/etc/passwd"}}
    assert "cannot be set from the studio" in page.ask("POST", "/render", 422, json=wish)["error"]


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"recipe": "none"}, "There is no recipe"),
        ({"settings": {"size": 3}}, "at least 32"),
        ({"settings": {"no": 3}}, "no setting 'no'"),
        ({"strength": 2}, "strength"),
        ({"quality": "perfect"}, "quality"),
    ],
)
def test_wrong_wishes_are_sentences(page: Page, wish: dict[str, Any], words: str) -> None:
    both(page)
    assert words in page.ask("POST", "/render", 422, json=wish)["error"]


def test_a_job_without_photographs_is_refused(page: Page) -> None:
    assert "missing" in page.ask("POST", "/find", 422)["error"]


# ---- who may come in


def test_other_names_of_this_computer_are_not_answered(client: TestClient) -> None:
    """DNS rebinding: the attacker's own name points here."""
    for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8487", "", "[::1"):
        assert client.get("/api/about", headers={"host": host}).status_code == 403
    for host in ("127.0.0.1:8487", "localhost:8487", "[::1]:8487", "192.168.1.5"):
        assert client.get("/api/about", headers={"host": host}).status_code == 200


def test_pages_of_others_can_ask_for_nothing(client: TestClient) -> None:
    foreign: list[dict[str, str]] = [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ]
    for headers in foreign:
        assert client.post("/api/sessions", headers=headers).status_code == 403
    assert (
        client.get("/api/about", headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}).status_code
        == 403
    )
    assert client.get("/", headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}).status_code == 200
    own = {"origin": "http://127.0.0.1", "sec-fetch-site": "same-origin"}
    assert client.post("/api/sessions", headers=own).status_code == 201


def test_a_password_is_asked_for_everywhere() -> None:
    with studio(password="öpen") as app, TestClient(app, "http://127.0.0.1") as page:
        for path in ("/", "/app.js", "/api/about"):
            answer = page.get(path)
            assert answer.status_code == 401 and "Basic" in answer.headers["www-authenticate"]
        right, wrong = (base64.b64encode(f"me:{word}".encode()).decode() for word in ("öpen", "open"))
        assert page.get("/api/about", headers={"authorization": f"Basic {right}"}).status_code == 200
        for code in (wrong, "%%%", ""):
            assert page.get("/api/about", headers={"authorization": f"Basic {code}"}).status_code == 401


def test_another_address_demands_a_password() -> None:
    with pytest.raises(SettingsError, match=r"--password, or say --insecure-open"):
        serve("0.0.0.0", 0, lambda address: None)


def test_an_address_in_use_is_a_sentence() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SettingsError, match="try another"):
        serve("127.0.0.1", taken.getsockname()[1], lambda address: None)


def test_nothing_stays_on_the_disk_unless_it_is_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))
    (tmp_path / "temp").mkdir()
    for keep in (None, tmp_path / "kept"):
        with studio(keep) as app, TestClient(app, "http://127.0.0.1") as client:
            page = Page(client)
            both(page)
            page.done(page.ask("POST", "/render", 202, json={"recipe": "reinhard"}))
    assert list((tmp_path / "temp").iterdir()) == []
    assert len(list((tmp_path / "kept").rglob("pixels.npy"))) == 1


# ---- the page, and what is said about the interface


def test_the_page_asks_nobody_else(client: TestClient) -> None:
    policy = client.get("/").headers["content-security-policy"]
    assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy
    page = ROOT / "photostyle" / "studio" / "page"
    for path in sorted(path for path in page.rglob("*") if path.suffix in (".html", ".css", ".js", ".svg")):
        assert client.get(f"/{path.relative_to(page)}").status_code == 200
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|@import|//cdn", text), path.name


def test_every_recipe_has_its_controls(client: TestClient) -> None:
    recipes = {recipe["name"]: recipe for recipe in client.get("/api/about").json()["recipes"]}
    assert list(recipes) == list(RECIPES)
    size = recipes["photo"]["settings"][0]
    assert (size["kind"], size["min"], size["values"]) == ("whole", 32, {"draft": 96, "standard": 256, "best": 384})
    term = next(s for s in recipes["photo"]["settings"] if s["name"] == "style_term")
    assert term["kind"] == "choice" and "gram" in term["choices"]
    assert recipes["photo"]["balanced"] and not recipes["reinhard"]["balanced"]


def test_the_interface_is_described_and_the_docs_know_it(client: TestClient) -> None:
    described = client.get("/api/openapi.json").json()
    paths = described["paths"]
    docs = (ROOT / "docs" / "studio.md").read_text(encoding="utf-8")
    for path, methods in paths.items():
        for method, facts in methods.items():
            assert facts["description"], (path, method)
            if path.startswith("/api/sessions/{session}/"):
                assert path.removeprefix("/api/sessions/{session}") in docs, path
    assert "requestBody" in paths["/api/sessions/{session}/photographs/{side}"]["put"]
    json.dumps(described)


def test_the_command_tells_its_address_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """The real process: its page answers, and after a plain `kill` its temporary folder is gone."""
    words = [sys.executable, "-m", "photostyle", "studio", "--port", "0", "--no-browser"]
    environment = os.environ | {"TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout
        said = process.stdout.readline()
        address = re.search(r"http://127\.0\.0\.1:\d+/", said)
        assert address, said
        with urlopen(f"{address[0]}api/about", timeout=30) as answer:
            assert json.load(answer)["version"]
        assert len(list(tmp_path.glob("photostyle-studio-*"))) == 1
        process.terminate()
        assert process.wait(30) == 143  # as every other command that was ended by SIGTERM
    assert list(tmp_path.iterdir()) == []


def test_a_segmenter_that_is_not_there_is_told_before_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("transformers")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    result = run_command("studio", "--port", "0", "--no-browser", "--segmenter", "nobody/nothing")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Error: The model nobody/nothing is neither a folder here nor within reach" in result.stderr
