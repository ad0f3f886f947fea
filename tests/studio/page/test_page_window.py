"""What is seen in a window of any size, by everyone.

With PHOTOSTYLE_SHOTS=FOLDER screenshots of the steps at four widths are left there, to look at.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from driving import PATIENCE, Server, choose, in_chromium, middle, opened, rest, work_on
from playwright.sync_api import Browser, Page, expect

pytestmark = in_chromium
SHOTS = os.environ.get("PHOTOSTYLE_SHOTS")
WIDTHS = (390, 1024, 1280, 2560)


def test_everything_is_in_one_window(browser: Browser, server: Server, photographs: tuple[Path, Path]) -> None:
    """From 1024 px on nothing that matters is below the fold."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = opened(context, server)
    choose(page, photographs)
    for width, height in ((1024, 720), (1280, 800), (2560, 1300)):
        page.set_viewport_size({"width": width, "height": height})
        for view, parts in (("result", "#recipes #strength"), ("regions", "#find #list")):
            work_on(page, view)
            for part in ("#stage", "#job", "#render", "#save", "[data-side=content] canvas", *parts.split()):
                box = page.locator(part).bounding_box()
                assert box and box["x"] >= 0 and box["y"] >= 0, (part, width)
                assert box["x"] + box["width"] <= width + 1, (part, width)
                assert box["y"] + min(box["height"], 20) <= height, (part, width, view)
            stage = page.locator("#stage").bounding_box()
            assert stage and stage["width"] * stage["height"] > 0.15 * width * height
        assert page.evaluate("document.documentElement.scrollHeight - innerHeight") <= 0
    context.close()


@pytest.mark.parametrize(("frame", "picture"), [("#stage", "#pan"), ("[data-side=content] .frame", "canvas")])
def test_zoom_goes_to_the_pointer(page: Page, photographs: tuple[Path, Path], frame: str, picture: str) -> None:
    """By the wheel; the middle button moves; a double click fits and shows pixels."""
    choose(page, photographs)
    where = f"{frame} {picture}" if picture == "canvas" else picture
    before = page.locator(where).bounding_box()
    assert before
    x, y = middle(page, frame)
    x -= 60

    def under() -> float:
        """Which part of the picture's width the pointer is at."""
        box = page.locator(where).bounding_box()
        assert box
        return (x - box["x"]) / box["width"]

    part = under()
    page.mouse.move(x, y)
    for _ in range(4):
        page.mouse.wheel(0, -200)
    expect(page.locator(frame)).to_have_class(re.compile("zoomed"))
    after = page.locator(where).bounding_box()
    assert after and after["width"] > 1.5 * before["width"]
    assert under() == pytest.approx(part, abs=0.02)
    page.mouse.down(button="middle")
    page.mouse.move(x + 40, y, steps=3)
    page.mouse.up(button="middle")
    moved = page.locator(where).bounding_box()
    assert moved and moved["x"] == pytest.approx(after["x"] + 40, abs=2)
    page.mouse.dblclick(x, y)
    expect(page.locator(frame)).not_to_have_class(re.compile("zoomed"))


def test_two_fingers_zoom(browser: Browser, server: Server, photographs: tuple[Path, Path]) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, has_touch=True)
    page = opened(context, server)
    choose(page, photographs)
    x, y = middle(page, "#stage")
    before = page.locator("#pan").bounding_box()
    fingers = context.new_cdp_session(page)

    def touch(kind: str, *far: float) -> None:
        points = [{"x": x + side * one, "y": y, "id": n} for one in far for n, side in enumerate((-1, 1))]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", 40)
    for far in (50, 60, 70, 80):
        touch("touchMove", far)
    touch("touchEnd")
    after = page.locator("#pan").bounding_box()
    assert before and after and after["width"] == pytest.approx(2 * before["width"], rel=0.05)
    context.close()


def test_the_shortcuts_are_shown(page: Page) -> None:
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    expect(page.locator("#key-list")).to_contain_text("before and after")
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    page.keyboard.press("r")
    assert page.locator("input[name=view][value=regions]").is_checked()


def watch_jumps(page: Page) -> None:
    page.add_init_script(
        "window.jumps = 0; new PerformanceObserver((list) => { for (const e of list.getEntries())"
        " if (!e.hadRecentInput) window.jumps += e.value; }).observe({ type: 'layout-shift', buffered: true });"
    )


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_jumps(browser: Browser, server: Server, photographs: tuple[Path, Path], width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    watch_jumps(page)
    page.goto(server.address)
    page.wait_for_selector("body[data-ready]")
    choose(page, photographs)
    page.click("#render")
    expect(page.locator("#made li")).to_have_count(1)
    rest(page)
    assert page.evaluate("window.jumps") < 0.1
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everyone_can_use_it(browser: Browser, server: Server, photographs: tuple[Path, Path], scheme: Any) -> None:
    """By the rules of axe; at four widths nothing is beside the window."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme=scheme)
    context.set_default_timeout(PATIENCE)
    page = opened(context, server)
    steps = {
        "1-start": lambda page: None,
        "2-preview": lambda page: choose(page, photographs),
        "3-render": lambda page: (page.click("#render"), expect(page.locator("#made li")).to_have_count(1)),
        "4-settings": lambda page: (page.click("text=All settings"), page.click("#recipes summary")),
        "5-regions": lambda page: (work_on(page, "regions"), page.click("text=Masks as files")),
        "6-shortcuts": lambda page: page.keyboard.press("?"),
        "7-about": lambda page: (
            page.keyboard.press("Escape"),
            work_on(page, "result"),
            page.click("#made button:has-text('About')"),
        ),
        "8-cutout": lambda page: (
            page.click("#version >> text=Done"),
            page.check("input[value=cutout]", force=True),
        ),
        "9-doodle": lambda page: page.check("input[value=doodle]", force=True),
    }
    for step, go in steps.items():
        go(page)
        rest(page)
        found = axe.Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, (step, width)
            if SHOTS:
                page.screenshot(path=f"{SHOTS}/{step}-{width}-{scheme}.png", full_page=True)
        page.set_viewport_size({"width": 1280, "height": 900})
    context.close()
