"""What a session holds: photographs, their regions, results and what they are called."""

from __future__ import annotations

import io
import shutil
import threading
from zipfile import ZipFile

import numpy as np
import pytest
from asking import Page, both, file, halves, painted
from PIL import Image

pytestmark = pytest.mark.usefixtures("small_network")


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
