"""Strokes, clicks and fillings: where they go, and that none is lost."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from driving import begin_painting, choose, draft, drag, in_chromium, layer, middle, rest, take, until, work_on
from playwright.sync_api import Page, Route, expect
from pointing import discs

pytestmark = in_chromium


def test_painting_by_hand_changes_the_preview_there(page: Page, photographs: tuple[Path, Path]) -> None:
    """A part of the ground takes the look of the sky; undo and redo know it."""
    choose(page, photographs)
    take(page, "reinhard")
    work_on(page, "regions")
    page.uncheck("#snap")
    rest(page)
    before, first, count = layer(page), draft(page), page.locator("#list li").count()
    page.click("#add")
    expect(page.locator("#list li")).to_have_count(count + 1)
    assert page.locator("input[name=tool][value=brush]").is_checked()
    drag(page, "[data-side=content] canvas", (0.3, 0.75), (0.7, 0.75))
    drag(page, "[data-side=style] canvas", (0.3, 0.2), (0.7, 0.2))
    rest(page)
    painted = (before != layer(page)).any(-1)
    assert 0.05 < painted.mean() < 0.6
    assert not painted[:20].any()  # only where the brush was
    change = np.abs(draft(page) - first).mean(-1)
    inside, outside = painted.copy(), ~painted
    inside[:34] = False  # borders of regions are soft
    outside[28:] = False
    assert change[inside].mean() > 40 > 8 * change[outside].mean()

    for _ in range(3):
        page.keyboard.press("Control+z")
    rest(page)
    assert (layer(page) == before).all()
    assert np.abs(draft(page) - first).max() <= 2
    expect(page.locator("#list li")).to_have_count(count)
    page.click("#redo")
    page.click("#redo")
    rest(page)
    assert ((layer(page) != before).any(-1) == painted).all()


def test_a_rough_stroke_snaps_to_the_edge(page: Page, photographs: tuple[Path, Path]) -> None:
    begin_painting(page, photographs)
    page.click("#add")
    page.locator("#size").fill("24")
    drag(page, "[data-side=content] canvas", (-0.02, 0.36), (1.02, 0.36))  # its rim goes over the horizon, at 0.47
    rest(page)
    marked = (layer(page) == layer(page)[22, 48]).all(-1)
    assert marked[12:29].mean() > 0.95
    assert marked[32:].mean() < 0.02


def test_clicks_select_and_refine(page: Page, photographs: tuple[Path, Path]) -> None:
    """A click selects, more clicks refine it, each is a step back; the right button begins to take away."""
    begin_painting(page, photographs)
    page.click("#add")
    rest(page)
    before, canvas = layer(page), page.locator("[data-side=content] canvas")
    page.keyboard.press("c")
    assert page.locator("input[name=tool][value=click]").is_checked()
    box = canvas.bounding_box()
    assert box
    scale = min(box["width"] / 96, box["height"] / 64)
    left, top = (box["width"] - 96 * scale) / 2, (box["height"] - 64 * scale) / 2

    def click(x: float, y: float, **how: Any) -> None:
        canvas.click(position={"x": left + x * scale, "y": top + y * scale}, **how)

    def selected() -> np.ndarray[Any, Any]:
        rest(page)
        return (layer(page) != before).any(-1)

    def near(inside: list[tuple[int, int]], outside: Sequence[tuple[int, int]] = ()) -> np.ndarray[Any, Any]:
        return (discs(inside, 64, 96) & ~discs(outside, 64, 96)).numpy()

    def differ(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> int:
        return int((one ^ other).sum())

    steps = [near([(30, 30)]), near([(30, 30), (60, 30)]), near([(30, 30), (60, 30)], [(34, 30)])]
    click(30, 30)
    assert differ(selected(), steps[0]) < 20  # a click is a whole pixel of the screen
    click(60, 30)
    assert differ(selected(), steps[1]) < 40
    click(34, 30, modifiers=["Alt"])
    assert differ(selected(), steps[2]) < 60
    for step in (*steps[1::-1], near([])):
        page.keyboard.press("Control+z")
        assert differ(selected(), step) < 40
    page.keyboard.press("Control+y")
    assert differ(selected(), steps[0]) < 20
    click(36, 30, button="right")  # no more of the selection before: this one is taken out of the region
    erased = near([(30, 30)]) & near([(36, 30)])
    rest(page)
    assert ((layer(page) == (255, 0, 255)).all(-1) & erased).sum() > 0.8 * erased.sum()
    assert not ((layer(page) == (255, 0, 255)).all(-1) & ~near([(30, 30)])).sum() > 20


def test_no_click_is_lost_among_strokes(page: Page, photographs: tuple[Path, Path]) -> None:
    """Clicks whose answers are late, strokes between them, and an answer that fails."""
    choose(page, photographs)
    work_on(page, "regions")
    page.click("#add")
    page.uncheck("#snap")
    page.locator("#size").fill("6")
    rest(page)
    before = layer(page)
    asked: list[Route] = []
    page.route("**/select/**", lambda route: asked.append(route))
    for n, tool in enumerate("cbcbc"):
        page.keyboard.press(tool)
        drag(page, "[data-side=content] canvas", (0.1 + 0.2 * n, 0.5), (0.1 + 0.2 * n, 0.5))
    page.keyboard.press("Control+z")  # the last click
    until(lambda: page.wait_for_timeout(20) or len(asked) >= 2)
    asked[1].abort()
    asked[0].continue_()
    until(lambda: page.wait_for_timeout(20) or len(asked) == 3)
    asked[2].continue_()
    rest(page)
    changed = (layer(page) != before).any(-1)
    place = [changed[32, round(96 * (0.1 + 0.2 * n))] for n in range(5)]
    assert place == [True, True, False, True, False]


def test_painting_and_filling_by_keyboard(page: Page, photographs: tuple[Path, Path]) -> None:
    begin_painting(page, photographs)
    page.uncheck("#snap")
    page.click("#add")
    page.focus("[data-side=content] canvas")
    page.keyboard.press("b")
    page.keyboard.press("Space")  # in the middle
    rest(page)
    blob = (layer(page) == layer(page)[32, 48]).all(-1)
    assert blob.sum() == pytest.approx(np.pi * 14**2, rel=0.1)
    page.focus("[data-side=content] canvas")
    page.keyboard.press("f")
    for _ in range(3):
        page.keyboard.press("ArrowUp")
    page.keyboard.press("Space")  # the sky
    rest(page)
    assert (layer(page)[:29] == layer(page)[2, 2]).all()
    page.keyboard.press("e")
    assert page.locator("input[name=tool][value=eraser]").is_checked()


def test_painting_is_right_where_the_pointer_is_when_zoomed(page: Page, photographs: tuple[Path, Path]) -> None:
    begin_painting(page, photographs)
    page.uncheck("#snap")
    page.click("#add")
    page.check("input[name=tool][value=look]", force=True)
    x, y = middle(page, "[data-side=content] .frame")
    page.mouse.move(x, y)
    for _ in range(4):
        page.mouse.wheel(0, -200)
    page.check("input[name=tool][value=brush]", force=True)
    page.locator("#size").fill("4")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.up()
    rest(page)
    ink = layer(page)[32, 48]
    dab = (layer(page) == ink).all(-1)
    rows, columns = np.nonzero(dab)
    assert 8 <= dab.sum() <= 20
    assert (rows.mean(), columns.mean()) == pytest.approx((32, 48), abs=0.8)


def test_no_stroke_is_lost_while_others_look_for_their_edge(page: Page, photographs: tuple[Path, Path]) -> None:
    """Strokes follow each other faster than they are snapped, by an answer that takes half a second."""
    begin_painting(page, photographs)
    page.click("#add")
    page.locator("#size").fill("10")

    def late(route: Route) -> None:
        time.sleep(0.3)
        route.continue_()

    page.route("**/snap/**", late)
    for n in range(8):
        drag(page, "[data-side=content] canvas", (0.1 + 0.1 * n, 0.7), (0.1 + 0.1 * n, 0.9))
    rest(page)
    labels = layer(page)
    ink = labels[51, 10]
    assert all((labels[51, round(96 * (0.1 + 0.1 * n))] == ink).all() for n in range(8))
    page.click("#undo")  # the last alone
    rest(page)
    assert not (layer(page)[51, round(96 * 0.8)] == ink).all()
    assert (layer(page)[51, round(96 * 0.7)] == ink).all()


def test_a_stroke_on_its_way_can_be_taken_back(page: Page, photographs: tuple[Path, Path]) -> None:
    choose(page, photographs)
    work_on(page, "regions")
    page.click("#add")
    rest(page)
    before = layer(page)
    answers: list[Route] = []
    page.route("**/snap/**", lambda route: answers.append(route))
    drag(page, "[data-side=content] canvas", (0.2, 0.8), (0.8, 0.8))
    page.click("#undo")
    until(lambda: page.wait_for_timeout(20) or answers)
    answers[0].continue_()
    rest(page)
    assert (layer(page) == before).all()


def test_undo_survives_a_reload(page: Page, photographs: tuple[Path, Path]) -> None:
    begin_painting(page, photographs)
    page.uncheck("#snap")
    page.click("#add")
    rest(page)
    before = layer(page)
    drag(page, "[data-side=content] canvas", (0.2, 0.8), (0.8, 0.8))
    rest(page)
    painted = layer(page)
    assert (painted != before).any()
    page.wait_for_timeout(400)  # until the browser has kept it
    page.reload()
    page.wait_for_selector("body[data-ready]")
    rest(page)
    page.click("#undo")
    rest(page)
    assert (layer(page) == before).all()
    page.click("#redo")
    rest(page)
    assert (layer(page) == painted).all()
