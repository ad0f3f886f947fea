"""What is refused, and whom nobody lets in."""

from __future__ import annotations

import base64
import io
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import raws
from asking import Page, both, file, halves
from PIL import Image
from starlette.testclient import TestClient

from photostyle import SettingsError
from photostyle.regions.palette import PALETTE
from photostyle.studio.controls import recipe_facts
from photostyle.studio.picture import receive
from photostyle.studio.serve import serve, studio

pytestmark = pytest.mark.usefixtures("small_network")


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
