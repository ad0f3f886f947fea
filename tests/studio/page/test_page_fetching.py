"""A click that needs a network: the page shows that it is fetched, and paints what was meant when it is there."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest
from driving import Server, in_chromium, layer, opened, rest, serving, work_on
from PIL import Image, ImageDraw
from playwright.sync_api import BrowserContext, Page, expect

from photostyle import PhotostyleError
from photostyle.network import weights
from photostyle.network.backbones import DEFAULT_BACKBONE

pytestmark = in_chromium


@pytest.fixture
def server(fetched: list[str]) -> Iterator[Server]:
    """A studio that has no network yet."""
    with serving() as started:
        yield started


@pytest.fixture
def page(context: BrowserContext, server: Server) -> Page:
    """With a disc on plain ground to click on."""
    page = opened(context, server)
    image = Image.new("RGB", (96, 64), (40, 80, 160))
    ImageDraw.Draw(image).ellipse((30, 14, 66, 50), fill=(230, 200, 60))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    disc = {"name": "disc.png", "mimeType": "image/png", "buffer": buffer.getvalue()}
    page.set_input_files("[data-side=content] input[type=file]", [disc])
    expect(page.locator("[data-side=content] .name")).to_contain_text("disc.png")
    work_on(page, "regions")
    page.keyboard.press("c")
    return page


def test_the_wands_first_click(page: Page, fetched: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    fill, enough = weights._fill_cache, Event()
    monkeypatch.setattr(weights, "_fill_cache", lambda *values, **_: enough.wait(60) and fill(*values))
    canvas = page.locator("[data-side=content] canvas")
    canvas.click()
    expect(page.locator("#job-text")).to_contain_text(f"Getting ready: fetching the network {DEFAULT_BACKBONE}")
    enough.set()
    rest(page)
    assert fetched == [DEFAULT_BACKBONE]
    assert (layer(page)[32, 48] == (0, 0, 255)).all()


def test_a_network_out_of_reach(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said, and nothing is painted; the next click tries again."""
    tries: list[str] = []

    def fail(backbone: weights.Backbone, *_: object, **__: object) -> Path:
        tries.append(backbone.name)
        raise PhotostyleError("There is no way to it.")

    monkeypatch.setattr(weights, "_fill_cache", fail)
    for _ in range(2):
        page.locator("[data-side=content] canvas").click()
        expect(page.locator("#banner")).to_contain_text("There is no way to it.")
        rest(page)
    assert tries == [DEFAULT_BACKBONE] * 2
