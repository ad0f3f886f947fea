"""The studio's page driven as its users do, in Debian's Chromium by Playwright, and what its server knows meanwhile."""

from __future__ import annotations

import io
import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("fastapi", reason="the extra studio is not installed")
pytest.importorskip("playwright", reason="Playwright is not installed")
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from photostyle.studio.serve import studio

CHROMIUM = os.environ.get("PHOTOSTYLE_CHROMIUM", "/usr/bin/chromium")
PATIENCE = int(os.environ.get("PATIENCE", "90")) * 1000  # milliseconds: other processes may need the processor, too
expect.set_options(timeout=PATIENCE)
FOREVER = {"recipe": "gatys", "settings": {"steps": 10**6}}

in_chromium = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not Path(CHROMIUM).exists(), reason=f"there is no Chromium at {CHROMIUM}: apt-get install chromium"
    ),
]


@dataclass
class Server:
    address: str
    stop: Callable[[], None]


@contextmanager
def serving(**options: Any) -> Iterator[Server]:
    """A studio that runs in a thread; the options are those of `studio`."""
    with studio(**options) as app, socket.create_server(("127.0.0.1", 0)) as listener:
        running = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=running.run, args=([listener],), daemon=True)
        thread.start()

        def stop() -> None:
            running.should_exit = True
            thread.join(20)

        yield Server(f"http://127.0.0.1:{listener.getsockname()[1]}/", stop)
        stop()


@contextmanager
def chromium(*flags: str) -> Iterator[Browser]:
    """A browser that does nothing by itself."""
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
    quiet += ["--disable-component-update", "--disable-sync"]
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=[*quiet, *flags])
        yield started
        started.close()


def window(browser: Browser, **options: Any) -> BrowserContext:
    """A window of the browser with nothing in its storage."""
    made = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, "accept_downloads": True} | options)
    made.set_default_timeout(PATIENCE)
    return made


@contextmanager
def watched(context: BrowserContext, server: Server) -> Iterator[BrowserContext]:
    """Its pages may raise no error and ask no other host."""
    wrong: list[str] = []

    def watch(page: Page) -> None:
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda r: None if r.url.startswith((server.address, "blob:")) else wrong.append(r.url))

    context.on("page", watch)
    yield context
    context.remove_listener("page", watch)
    assert wrong == []


def forget(context: BrowserContext, server: Server) -> None:
    """Close all pages; what they kept in the browser is gone."""
    for page in context.pages[1:]:
        page.close()
    for page in context.pages:
        page.goto("about:blank")
        storage = context.new_cdp_session(page)
        storage.send("Storage.clearDataForOrigin", {"origin": server.address.rstrip("/"), "storageTypes": "all"})
        page.close()


def opened(context: BrowserContext, server: Server) -> Page:
    page = context.new_page()
    page.goto(server.address)
    page.wait_for_selector("body[data-ready]")
    return page


def choose(page: Page, photographs: tuple[Path, Path]) -> None:
    """Both photographs, and wait for regions and preview."""
    page.set_input_files("[data-side=content] input[type=file]", photographs[0])
    expect(page.locator("[data-side=content] .name")).to_contain_text("day.jpg, 96×64")
    page.set_input_files("[data-side=style] input[type=file]", photographs[1])
    expect(page.locator("#list li")).not_to_have_count(0)
    expect(page.locator("#shown")).to_contain_text(re.compile("^Draft · Photograph · 96×64"))
    rest(page)


def work_on(page: Page, view: str) -> None:
    """The result, or the regions."""
    page.check(f"input[name=view][value={view}]", force=True)


def begin_painting(page: Page, photographs: tuple[Path, Path]) -> None:
    """Both photographs, and their regions to paint; no drafts, which would only take time."""
    choose(page, photographs)
    page.uncheck("#auto")
    work_on(page, "regions")


def take(page: Page, recipe: str) -> None:
    """Another way to the look."""
    if not page.locator("#recipe-list").is_visible():
        page.click("#recipes summary")
    page.check(f"input[name=recipe][value={recipe}]", force=True)


def rest(page: Page) -> None:
    """Wait until nothing is on its way: no stroke to its edge, no regions to the server, no job, no answer."""
    expect(page.locator("#stage")).to_have_attribute("aria-busy", "false")
    expect(page.locator("#job-text")).to_have_text("Nothing is running.")


def layer(page: Page, side: str = "content") -> np.ndarray[Any, Any]:
    """The label image that the server has, as H×W×3."""
    url = page.locator(f"#{side}-mask").get_attribute("href")
    answer = page.request.get(page.url.split("/#")[0] + str(url))
    return np.asarray(Image.open(io.BytesIO(answer.body())).convert("RGB")).astype(int)


def draft(page: Page) -> np.ndarray[Any, Any]:
    """The draft on the stage, as H×W×3."""
    assert page.evaluate("document.querySelector('#after').src").endswith(f"/{state(page)['preview']['id']}/view.jpg")
    return latest_draft(page)


def latest_draft(page: Page) -> np.ndarray[Any, Any]:
    """The draft that the server has, as H×W×3."""
    address, _, id = page.url.partition("/#session=")
    answer = page.request.get(f"{address}/api/sessions/{id}/results/{state(page)['preview']['id']}/view.jpg")
    return np.asarray(Image.open(io.BytesIO(answer.body())).convert("RGB")).astype(int)


def drag(page: Page, selector: str, start: tuple[float, float], end: tuple[float, float]) -> None:
    """From one place to another; both in parts of the element."""
    page.locator(selector).scroll_into_view_if_needed()
    box = page.locator(selector).bounding_box()
    assert box
    page.mouse.move(box["x"] + start[0] * box["width"], box["y"] + start[1] * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + end[0] * box["width"], box["y"] + end[1] * box["height"], steps=8)
    page.mouse.up()


def until(holds: Callable[[], object]) -> None:
    until = time.monotonic() + PATIENCE / 1000
    while not holds():
        assert time.monotonic() < until, "it never holds"


def middle(page: Page, selector: str) -> tuple[float, float]:
    box = page.locator(selector).bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def state(page: Page) -> dict[str, Any]:
    """What the server knows of this page."""
    address, _, id = page.url.partition("/#session=")
    answer: dict[str, Any] = page.request.get(f"{address}/api/sessions/{id}").json()
    return answer


def ask(page: Page, path: str, body: dict[str, Any]) -> dict[str, Any]:
    address, _, id = page.url.partition("/#session=")
    answer: dict[str, Any] = page.request.post(f"{address}/api/sessions/{id}/{path}", data=body).json()
    return answer


def drop(page: Page, where: str, *paths: Path, how: str = "drop") -> None:
    """Files that fall on an element, or are pasted there."""
    given = page.evaluate_handle(
        "(files) => { const drop = new DataTransfer(); for (const [name, bytes] of files)"
        " drop.items.add(new File([Uint8Array.from(bytes)], name, { type: 'image/jpeg' })); return drop; }",
        [[path.name, list(path.read_bytes())] for path in paths],
    )
    if how == "drop":
        page.dispatch_event(where, "drop", {"dataTransfer": given})
    else:
        page.evaluate(
            "([where, given]) => document.querySelector(where).dispatchEvent("
            "new ClipboardEvent('paste', { clipboardData: given, bubbles: true }))",
            [where, given],
        )
