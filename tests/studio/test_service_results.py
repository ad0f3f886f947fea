"""From photographs to results, as a page asks for them."""

from __future__ import annotations

import io
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from asking import Page, both, file, halves, painted
from PIL import Image
from pointing import Discs, discs
from starlette.testclient import TestClient
from torch import Tensor

from photostyle import fade, load_image
from photostyle.photofile import read_note
from photostyle.regions.palette import PALETTE
from photostyle.studio.serve import studio

pytestmark = pytest.mark.usefixtures("small_network")


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
