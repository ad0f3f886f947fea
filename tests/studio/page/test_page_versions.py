"""Jobs and what they make: run, cancelled, compared, named, deleted, and never taken for another."""

from __future__ import annotations

import re
from pathlib import Path

from driving import FOREVER, Server, ask, choose, in_chromium, opened, rest, serving, state, take, watched, window
from playwright.sync_api import Browser, BrowserContext, Page, expect

pytestmark = in_chromium


def test_cancel_and_reload_while_a_job_runs(page: Page, photographs: tuple[Path, Path]) -> None:
    choose(page, photographs)
    ask(page, "render", FOREVER)
    page.reload()
    page.wait_for_selector("body[data-ready]")
    expect(page.locator("#job-text")).to_contain_text("Rendering full size")
    expect(page.locator("[data-side=content] .name")).to_contain_text("day.jpg")
    expect(page.locator("#list li")).not_to_have_count(0)
    page.click("#render")
    expect(page.locator("#job-text")).to_contain_text("1 more waits")
    page.click("#render")  # the same is not queued again
    expect(page.locator("#job-text")).to_contain_text("1 more waits")
    page.click("#cancel")  # the one that runs
    expect(page.locator("#made li")).to_have_count(1)  # the one that waited
    assert [task["state"] for task in state(page)["tasks"] if task["kind"] == "render"] == ["cancelled", "done"]
    expect(page.locator("#cancel")).to_be_hidden()


def test_two_tabs_at_once_and_the_place_in_the_queue(
    context: BrowserContext, server: Server, photographs: tuple[Path, Path]
) -> None:
    one, other = opened(context, server), opened(context, server)
    assert one.url != other.url
    choose(one, photographs)
    expect(other.locator("[data-side=content] .name")).to_have_text("")
    choose(other, photographs)
    running = ask(one, "render", FOREVER)
    other.click("#render")
    expect(other.locator("#job-text")).to_contain_text("waiting, 1 before it")
    address, _, id = one.url.partition("/#session=")
    one.request.delete(f"{address}/api/sessions/{id}/jobs/{running['id']}")
    expect(other.locator("#made li")).to_have_count(1)
    expect(one.locator("#made li")).to_have_count(0)


def test_a_studio_that_is_gone_is_told(browser: Browser, shared_network: Path, photographs: tuple[Path, Path]) -> None:
    with serving() as server, watched(window(browser), server) as context:
        page = opened(context, server)
        choose(page, photographs)
        server.stop()
        page.click("#render")
        expect(page.locator("#banner")).to_contain_text("does not answer")
        context.close()


def test_a_version_that_is_deleted_can_be_had_back(page: Page, photographs: tuple[Path, Path]) -> None:
    choose(page, photographs)
    page.click("#render")
    expect(page.locator("#made li")).to_have_count(1)
    rest(page)
    page.click("[aria-label^='Delete Photograph']")
    expect(page.locator("#made li")).to_have_count(0)
    page.click("#toast button")
    expect(page.locator("#made li")).to_have_count(1)
    assert len(state(page)["results"]) == 1


def test_a_result_that_is_gone_is_no_lost_session(page: Page, photographs: tuple[Path, Path]) -> None:
    """The words "in this session" of a missing result once threw the whole session away."""
    choose(page, photographs)
    page.click("#render")
    expect(page.locator("#made li")).to_have_count(1)
    rest(page)
    address = page.url
    base, _, id = page.url.partition("/#session=")
    page.click("#made button:has-text('About')")
    page.request.delete(f"{base}/api/sessions/{id}/results/{state(page)['results'][0]['id']}")
    page.locator("#version input").fill("Evening")
    page.locator("#version input").press("Tab")
    expect(page.locator("#banner")).to_contain_text("no such result")
    assert page.url == address
    expect(page.locator("[data-side=content] .name")).to_contain_text("day.jpg")


def test_before_and_after_by_a_key_and_side_by_side(page: Page, photographs: tuple[Path, Path]) -> None:
    choose(page, photographs)
    page.keyboard.press("\\")
    expect(page.locator("#is-before")).to_be_visible()
    expect(page.locator("#pane-after")).to_be_hidden()
    page.keyboard.press("\\")
    expect(page.locator("#pane-after")).to_be_visible()
    expect(page.locator("#pane-before")).to_be_hidden()
    page.keyboard.press("d")
    left, right = (page.locator(f"#pane-{name}").bounding_box() for name in ("before", "after"))
    assert left and right and left["x"] + left["width"] <= right["x"] and abs(left["width"] - right["width"]) < 4
    page.select_option("#with", "reference")
    expect(page.locator("#before")).to_have_attribute("src", re.compile(state(page)["pictures"]["style"]["id"]))


def test_any_two_versions_are_compared_and_named(page: Page, photographs: tuple[Path, Path]) -> None:
    choose(page, photographs)
    for recipe in ("reinhard", "monge-kantorovich"):
        take(page, recipe)
        rest(page)
        page.click("#render")
        expect(page.locator("#shown")).to_contain_text("full size")
        rest(page)
    expect(page.locator("#made li")).to_have_count(2)
    page.click("#made li:last-child button:has-text('About')")
    page.locator("#version input").fill("Evening")
    page.click("#version >> text=Done")
    expect(page.locator("#made li:last-child p")).to_contain_text("Evening")
    page.check("input[name=way][value=side]", force=True)
    older = state(page)["results"][1]["id"]
    page.select_option("#with", older)
    expect(page.locator("#before")).to_have_attribute("src", re.compile(older))
    expect(page.locator("#after")).to_have_attribute("src", re.compile(state(page)["results"][0]["id"]))


def test_the_histogram_tells_what_is_clipped(page: Page, photographs: tuple[Path, Path], tmp_path: Path) -> None:
    choose(page, photographs)
    expect(page.locator("#clipped-high")).to_have_text(re.compile(r"white \d"))
    counted = page.evaluate(
        "async () => { const { count } = await import('/histogram.js');"
        " const canvas = Object.assign(document.createElement('canvas'), { width: 10, height: 10 });"
        " const context = canvas.getContext('2d'); context.fillStyle = '#808080'; context.fillRect(0, 0, 10, 10);"
        " context.fillStyle = '#fff'; context.fillRect(0, 0, 10, 2); context.fillStyle = '#000';"
        " context.fillRect(0, 9, 10, 1); const { counts, low, high } = count(canvas, 10, 10);"
        " return [counts[0][128], low, high]; }"
    )
    assert counted == [70, 0.1, 0.2]
    drawn = page.evaluate(
        "() => document.querySelector('#curves').getContext('2d').getImageData(0, 0, 256, 80).data.some((v) => v)"
    )
    assert drawn


def test_what_is_shown_has_its_own_name(page: Page, photographs: tuple[Path, Path]) -> None:
    """A recipe that was cancelled leaves the picture of another one, under that one's name."""
    choose(page, photographs)
    page.uncheck("#auto")
    take(page, "gatys")
    page.click("text=All settings")
    page.locator("#set-steps").fill("1000000")
    page.keyboard.press("Enter")
    page.click("#render")
    expect(page.locator("#job-text")).to_contain_text("Rendering full size")
    page.click("#cancel")
    rest(page)
    expect(page.locator("#shown")).to_contain_text("Draft · Photograph")
    expect(page.locator("#recipe-title")).to_have_text("Painting")


def test_a_draft_takes_no_finished_picture_s_place(page: Page, photographs: tuple[Path, Path]) -> None:
    choose(page, photographs)
    page.click("#render")
    expect(page.locator("#shown")).to_contain_text("full size")
    rest(page)
    page.click("#preview")
    rest(page)
    expect(page.locator("#shown")).to_contain_text("full size")
    take(page, "reinhard")
    expect(page.locator("#shown")).to_contain_text("Draft · Colour cast")


def test_a_draft_is_not_saved_by_mistake(page: Page, photographs: tuple[Path, Path]) -> None:
    """One that is more than a look, and so has only the pixels of a draft."""
    choose(page, photographs)
    take(page, "pitie")
    rest(page)
    expect(page.locator("#save")).to_have_text("Save the draft as JPEG")
    page.click("#save")
    expect(page.locator("#question-text")).to_contain_text("This is a draft of 96×64")
    page.click("text=Render full size first")
    expect(page.locator("#made li")).to_have_count(1)
    rest(page)
    expect(page.locator("#save")).to_have_text("Save JPEG")
