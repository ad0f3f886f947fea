"""The studio as its users meet it: in Debian's Chromium, driven by Playwright, with a network of few channels.

Screenshots of the steps at three widths are left in out/studio.
"""

from __future__ import annotations

import io
import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest
from PIL import Image
from pointing import Discs, discs

pytest.importorskip("fastapi", reason="the extra studio is not installed")
pytest.importorskip("playwright", reason="Playwright is not installed")
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect, sync_playwright

from photostyle import bit_depth, load_image, read_note
from photostyle.studio.serve import studio
from photostyle.studio.service import Limits

CHROMIUM = os.environ.get("PHOTOSTYLE_CHROMIUM", "/usr/bin/chromium")
SHOTS = Path(__file__).parents[2] / "out" / "studio"
WIDTHS = (390, 1024, 1280, 2560)
PATIENCE = 90_000  # milliseconds: other processes may need the processor, too
expect.set_options(timeout=PATIENCE)
FOREVER = {"recipe": "gatys", "settings": {"steps": 10**6}}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not Path(CHROMIUM).exists(), reason=f"there is no Chromium at {CHROMIUM}: apt-get install chromium"
    ),
]


@dataclass
class Server:
    address: str
    stop: Callable[[], None]


@pytest.fixture
def server(small_network: Path) -> Iterator[Server]:
    """A running studio that takes small photographs only; what is clicked is a disc."""
    with (
        studio(limits=Limits(bytes=300_000, pixels=1_500_000), segmenter=Discs()) as app,
        socket.create_server(("127.0.0.1", 0)) as listener,
    ):
        running = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=running.run, args=([listener],), daemon=True)
        thread.start()

        def stop() -> None:
            running.should_exit = True
            thread.join(20)

        yield Server(f"http://127.0.0.1:{listener.getsockname()[1]}/", stop)
        stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*quiet, "--disable-component-update", "--disable-sync"]
        )
        yield started
        started.close()


@pytest.fixture
def context(browser: Browser, server: Server) -> Iterator[BrowserContext]:
    """Its pages may raise no error and ask no other host."""
    made = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    made.set_default_timeout(PATIENCE)
    wrong: list[str] = []

    def watch(page: Page) -> None:
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda r: None if r.url.startswith((server.address, "blob:")) else wrong.append(r.url))

    made.on("page", watch)
    yield made
    made.close()
    assert wrong == []


@pytest.fixture
def page(context: BrowserContext, server: Server) -> Page:
    return opened(context, server)


@pytest.fixture
def photographs(tmp_path: Path) -> tuple[Path, Path]:
    """Two landscapes of 96×64 pixels: sky over ground, by day and by night."""
    paths = (tmp_path / "day.jpg", tmp_path / "night.jpg")
    for seed, (path, sky, ground) in enumerate(
        zip(paths, ((150, 190, 240), (20, 20, 70)), ((90, 120, 50), (120, 70, 20)), strict=True)
    ):
        pixels = np.random.default_rng(seed).integers(0, 14, (64, 96, 3))
        pixels[:30] += np.array(sky)
        pixels[30:] += np.array(ground)
        exif = Image.Exif()
        exif[0x010E] = "day" if seed == 0 else "night"
        Image.fromarray(pixels.astype(np.uint8)).save(path, quality=95, exif=exif)
    return paths


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
    answer = page.request.get(page.evaluate("document.querySelector('#after').src"))
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


def _until(holds: Callable[[], object]) -> None:
    until = time.monotonic() + PATIENCE / 1000
    while not holds():
        assert time.monotonic() < until, "it never holds"


def state(page: Page) -> dict[str, Any]:
    """What the server knows of this page."""
    address, _, id = page.url.partition("/#session=")
    answer: dict[str, Any] = page.request.get(f"{address}/api/sessions/{id}").json()
    return answer


def ask(page: Page, path: str, body: dict[str, Any]) -> dict[str, Any]:
    address, _, id = page.url.partition("/#session=")
    answer: dict[str, Any] = page.request.post(f"{address}/api/sessions/{id}/{path}", data=body).json()
    return answer


def test_from_two_photographs_to_a_file(page: Page, photographs: tuple[Path, Path], tmp_path: Path) -> None:
    choose(page, photographs)
    tasks = state(page)["tasks"]
    kinds = ("preview", "find", "preview", "doubts")  # the first look is there before regions are
    assert [(task["kind"], task["state"]) for task in tasks] == [(kind, "done") for kind in kinds]
    drafts = [task["id"] for task in tasks if task["kind"] == "preview"]

    page.locator("#strength").fill("40")
    expect(page.locator("#after")).to_have_css("opacity", "0.4")
    expect(page.locator("#shown")).to_contain_text("40 %")
    rest(page)
    assert [task["id"] for task in state(page)["tasks"] if task["kind"] == "preview"] == drafts  # nothing was computed

    page.check("input[name=way][value=split]", force=True)
    page.locator("#split").fill("50")
    expect(page.locator("#pan")).to_have_css("clip-path", re.compile(r"inset\(0(px)? 0(px)? 0(px)? 50%\)"))
    drag(page, "#stage", (0.5, 0.5), (0.6, 0.5))
    assert float(page.locator("#split").input_value()) > 55

    page.click("#render")
    expect(page.locator("#made li")).to_have_count(1)
    expect(page.locator("#shown")).to_have_text("Photograph · full size, 96×64 · 40 %")
    page.select_option("#format", "PNG")
    with page.expect_download() as download:
        page.click("#save")
    assert download.value.suggested_filename == "day-photo.png"
    path = tmp_path / "result.png"
    download.value.save_as(path)
    with Image.open(path) as file:
        assert file.size == (96, 64) and file.getexif()[0x010E] == "day"
    assert read_note(path)["strength"] == 0.4
    assert bit_depth(path) == 8
    assert (load_image(path) - load_image(photographs[0])).abs().mean() > 0.02
    page.click("#made button:has-text('About')")
    assert "--strength 0.4" in page.locator("#version code").inner_text()


def test_from_an_example_to_a_file_by_keyboard_alone(page: Page, tmp_path: Path) -> None:
    def reach(selector: str, key: str = "Tab") -> None:
        for _ in range(90):
            page.keyboard.press(key)
            if page.evaluate("(wanted) => document.activeElement.matches(wanted)", selector):
                return
        raise AssertionError(f"the keyboard does not lead to {selector}")

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    reach("#examples button")
    page.keyboard.press("Enter")
    expect(page.locator("#list li")).not_to_have_count(0)
    expect(page.locator("#shown")).to_contain_text("640×427")
    rest(page)

    page.keyboard.press("s")
    reach("#split")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#handle")).to_be_visible()
    page.keyboard.press("r")
    reach("#count")
    page.keyboard.press("ArrowDown")  # two regions
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#list li")).to_have_count(2)
    rest(page)
    reach("#list select")
    page.keyboard.press("End")  # not paired
    rest(page)
    assert state(page)["regions"][0]["model"] == ""
    reach("input[name=quality]")
    page.keyboard.press("ArrowLeft")
    assert page.locator("input[name=quality][value=draft]").is_checked()
    reach("#render")
    page.keyboard.press("Enter")
    expect(page.locator("#made li")).to_have_count(1)
    reach("#save")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    download.value.save_as(tmp_path / "result.jpg")
    with Image.open(tmp_path / "result.jpg") as file:
        assert file.size == (640, 427)
    assert read_note(tmp_path / "result.jpg")["quality"] == "draft"


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
    choose(page, photographs)
    work_on(page, "regions")
    page.click("#add")
    page.locator("#size").fill("24")
    drag(page, "[data-side=content] canvas", (-0.02, 0.36), (1.02, 0.36))  # its rim goes over the horizon, at 0.47
    rest(page)
    marked = (layer(page) == layer(page)[22, 48]).all(-1)
    assert marked[12:29].mean() > 0.95
    assert marked[32:].mean() < 0.02


def test_clicks_select_and_refine(page: Page, photographs: tuple[Path, Path]) -> None:
    """A click selects, more clicks refine it, each is a step back; the right button begins to take away."""
    choose(page, photographs)
    work_on(page, "regions")
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
    _until(lambda: page.wait_for_timeout(20) or len(asked) >= 2)
    asked[1].abort()
    asked[0].continue_()
    _until(lambda: page.wait_for_timeout(20) or len(asked) == 3)
    asked[2].continue_()
    rest(page)
    changed = (layer(page) != before).any(-1)
    place = [changed[32, round(96 * (0.1 + 0.2 * n))] for n in range(5)]
    assert place == [True, True, False, True, False]


def test_painting_and_filling_by_keyboard(page: Page, photographs: tuple[Path, Path]) -> None:
    choose(page, photographs)
    work_on(page, "regions")
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


def test_regions_are_renamed_paired_merged_and_deleted(page: Page, photographs: tuple[Path, Path]) -> None:
    choose(page, photographs)
    work_on(page, "regions")
    page.click("#add")
    page.uncheck("#snap")
    for side in ("content", "style"):
        drag(page, f"[data-side={side}] canvas", (0.2, 0.8), (0.8, 0.8))
    rest(page)
    count = page.locator("#list li").count()
    page.locator("#list input").last.fill("Meadow")
    page.keyboard.press("Enter")
    page.locator("#list select").last.select_option("")
    rest(page)
    region = state(page)["regions"][-1]
    assert (region["name"], region["model"]) == ("Meadow", "")
    assert region["seen"]["content"]["what"].startswith("lower")
    page.select_option("#merge", "0")
    expect(page.locator("#list li")).to_have_count(count - 1)
    rest(page)
    page.click("#undo")
    expect(page.locator("#list li")).to_have_count(count)
    page.click("#redo")
    expect(page.locator("#list li")).to_have_count(count - 1)
    rest(page)
    assert len(np.unique(layer(page).reshape(-1, 3), axis=0)) == count - 1


def test_masks_are_files_too(page: Page, photographs: tuple[Path, Path], tmp_path: Path) -> None:
    choose(page, photographs)
    work_on(page, "regions")
    page.click("text=Masks as files")
    mask = Image.new("RGB", (96, 64), (255, 0, 0))
    mask.paste((255, 255, 0), (0, 0, 48, 64))
    mask.save(tmp_path / "mask.png")
    for side in ("content", "style"):
        page.set_input_files(f"[data-mask={side}]", tmp_path / "mask.png")
    rest(page)
    assert (layer(page) == np.asarray(mask)).all()
    assert [region["name"] for region in state(page)["regions"]] == ["Red", "Yellow"]
    with page.expect_download() as download:
        page.click("#content-mask")
    assert (np.asarray(Image.open(download.value.path()).convert("RGB")) == np.asarray(mask)).all()
    page.set_input_files("[data-mask=content]", photographs[0])
    expect(page.locator("#banner")).to_contain_text("is none of the paper's")


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


def test_photographs_can_be_dropped_anywhere_and_pasted(page: Page, photographs: tuple[Path, Path]) -> None:
    """The first is the photograph, the second the reference, more join the strip; on a frame all are its own."""
    day, night = photographs
    drop(page, "#stage", day, night)
    expect(page.locator("[data-side=content] .name")).to_have_text("day.jpg, 96×64")
    expect(page.locator("[data-side=style] .name")).to_have_text("night.jpg, 96×64")
    rest(page)
    drop(page, "header", night, how="paste")
    expect(page.locator("[data-side=content] .tile")).to_have_count(2)
    rest(page)
    drop(page, "[data-side=style] canvas", day)
    expect(page.locator("[data-side=style] .name")).to_have_text("day.jpg, 96×64")
    names = {side: [p["name"] for p in state(page)["photographs"][side]] for side in ("content", "style")}
    assert names == {"content": ["day.jpg", "night.jpg"], "style": ["night.jpg", "day.jpg"]}


def test_one_look_on_a_strip_of_photographs(page: Page, photographs: tuple[Path, Path], tmp_path: Path) -> None:
    """Each with its own regions, all rendered by one click and saved as one file."""
    choose(page, photographs)
    more = []
    for name in ("a.jpg", "b.jpg"):
        more.append(tmp_path / name)
        more[-1].write_bytes(photographs[0].read_bytes())
    page.set_input_files("[data-side=content] input[type=file]", more)
    expect(page.locator("[data-side=content] .tile")).to_have_count(3)
    rest(page)
    page.click("text=Render all 3 with this look")
    expect(page.locator("#made li")).to_have_count(3)
    rest(page)
    assert all(result["painted"] for result in state(page)["results"])
    with page.expect_download() as download:
        page.click("text=Save 3 as ZIP")
    with ZipFile(download.value.path()) as archive:
        assert sorted(archive.namelist()) == ["a-photo.jpg", "b-photo.jpg", "day-photo.jpg"]


def test_a_photograph_that_is_removed_can_be_had_back(page: Page, photographs: tuple[Path, Path]) -> None:
    choose(page, photographs)
    page.set_input_files("[data-side=content] input[type=file]", photographs[1])
    expect(page.locator("[data-side=content] .tile")).to_have_count(2)
    rest(page)
    page.click("[aria-label='Remove day.jpg']")
    expect(page.locator("[data-side=content] .tile")).to_have_count(0)  # one alone needs no strip
    page.click("#toast button")
    expect(page.locator("[data-side=content] .tile")).to_have_count(2)
    page.click("[aria-label='Work on day.jpg']")
    expect(page.locator("[data-side=content] .name")).to_contain_text("day.jpg")


def test_the_two_can_be_exchanged(page: Page, photographs: tuple[Path, Path]) -> None:
    choose(page, photographs)
    page.click("#swap")
    expect(page.locator("[data-side=content] .name")).to_contain_text("night.jpg")
    expect(page.locator("[data-side=style] .name")).to_contain_text("day.jpg")
    rest(page)
    assert state(page)["preview"]["content"]["name"] == "night.jpg"


# ---- nothing is lost


def test_no_stroke_is_lost_while_others_look_for_their_edge(page: Page, photographs: tuple[Path, Path]) -> None:
    """Strokes follow each other faster than they are snapped, by an answer that takes half a second."""
    choose(page, photographs)
    work_on(page, "regions")
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
    _until(lambda: page.wait_for_timeout(20) or answers)
    answers[0].continue_()
    rest(page)
    assert (layer(page) == before).all()


def test_undo_survives_a_reload(page: Page, photographs: tuple[Path, Path]) -> None:
    choose(page, photographs)
    work_on(page, "regions")
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


def test_another_reference_takes_no_painting_away(page: Page, photographs: tuple[Path, Path]) -> None:
    """The photograph stays painted; and with the first reference all is as it was, undo too."""
    choose(page, photographs)
    work_on(page, "regions")
    page.uncheck("#snap")
    page.click("#add")
    for side in ("content", "style"):
        drag(page, f"[data-side={side}] canvas", (0.2, 0.8), (0.8, 0.8))
    rest(page)
    content, style = layer(page), layer(page, "style")
    page.set_input_files("[data-side=style] input[type=file]", photographs[0])
    expect(page.locator("[data-side=style] .name")).to_contain_text("day.jpg")
    rest(page)
    assert (layer(page) == content).all()
    work_on(page, "result")
    page.click("[aria-label='Work on night.jpg']")
    expect(page.locator("[data-side=style] .name")).to_contain_text("night.jpg")
    rest(page)
    assert (layer(page, "style") == style).all()
    page.click("#undo")
    rest(page)
    assert (layer(page, "style") != style).any()


def test_an_earlier_session_is_found_again(
    context: BrowserContext, server: Server, photographs: tuple[Path, Path]
) -> None:
    first = opened(context, server)
    choose(first, photographs)
    second = opened(context, server)
    assert first.url != second.url
    second.click("#open-sessions")
    row = second.locator("#session-list li")
    expect(row).to_contain_text("day.jpg × night.jpg")
    row.locator("text=Open").click()
    expect(second.locator("[data-side=content] .name")).to_contain_text("day.jpg")
    assert first.url == second.url
    second.click("#open-sessions")
    second.click("#anew")  # which deletes nothing
    expect(second.locator("[data-side=content] .name")).to_have_text("")
    second.wait_for_selector("body[data-ready]")
    assert [picture["name"] for picture in state(first)["pictures"].values()] == ["day.jpg", "night.jpg"]
    second.click("#open-sessions")
    second.click("[aria-label^='Delete day.jpg']")
    second.click("#question-answers >> text=Delete")
    expect(second.locator("#session-list li")).to_have_count(0)


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


# ---- what is seen


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


def middle(page: Page, selector: str) -> tuple[float, float]:
    box = page.locator(selector).bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


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


def test_painting_is_right_where_the_pointer_is_when_zoomed(page: Page, photographs: tuple[Path, Path]) -> None:
    choose(page, photographs)
    work_on(page, "regions")
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


def test_pointing_at_a_region_lights_it_and_its_partner(page: Page, photographs: tuple[Path, Path]) -> None:
    choose(page, photographs)
    work_on(page, "regions")
    page.select_option("#count", "2")
    page.click("#find")
    rest(page)
    expect(page.locator("#list li")).to_have_count(2)
    names = page.locator("#list input").evaluate_all("(inputs) => inputs.map((input) => input.placeholder)")
    assert {name.split(", ")[0] for name in names} == {"Upper", "Lower"}
    drawn = "[...document.querySelectorAll('.frame canvas')].map((canvas) => canvas.toDataURL())"
    before = page.evaluate(drawn)
    page.hover("#list li >> nth=0")
    page.wait_for_function(f"(before) => {drawn}.every((now, side) => now !== before[side])", arg=before)
    x, y = middle(page, "[data-side=content] canvas")
    page.mouse.move(x, y - 40)
    expect(page.locator("#list li.hovered")).to_have_count(1)


@pytest.mark.parametrize("where", ["list", "picture"])
def test_a_doubtful_match_is_merged_by_a_click(
    page: Page, photographs: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """It is said in the page's names, and marked on the picture."""
    doubt = "Region green of the content looks more like blue in the style: no match?"
    monkeypatch.setattr("photostyle.studio.making.doubtful_matches", lambda *_: (doubt,))
    choose(page, photographs)
    work_on(page, "regions")
    page.select_option("#count", "2")
    page.click("#find")
    expect(page.locator("#list li")).to_have_count(2)
    rest(page)
    expect(page.locator("#doubts li")).to_contain_text(re.compile(r"Region 2 \(\w+, .*\) of the photograph looks"))
    if where == "list":
        page.click("#doubts button")
    else:
        green = layer(page)[:, 48].tolist().index([0, 255, 0])
        x, _ = middle(page, "[data-side=content] canvas")
        box = page.locator("[data-side=content] canvas").bounding_box()
        assert box
        scale = min(box["width"] / 96, box["height"] / 64)
        rows = [y for y in range(64) if layer(page)[y, 48].tolist() == [0, 255, 0]]
        deepest = min(max((rows[0] + rows[-1]) / 2, 13), 64 - 13)  # where its number stands
        assert green == rows[0]
        page.mouse.click(x, box["y"] + box["height"] / 2 + (deepest - 32) * scale)
    expect(page.locator("#list li")).to_have_count(1)
    page.click("#toast button")
    expect(page.locator("#list li")).to_have_count(2)


def test_the_shortcuts_are_shown(page: Page) -> None:
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    expect(page.locator("#key-list")).to_contain_text("before and after")
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    page.keyboard.press("r")
    assert page.locator("input[name=view][value=regions]").is_checked()


# ---- jobs


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


def test_what_is_too_large_is_a_sentence(page: Page, tmp_path: Path) -> None:
    (tmp_path / "heavy.jpg").write_bytes(bytes(300_001))
    Image.new("RGB", (1300, 1300)).save(tmp_path / "wide.png")
    (tmp_path / "text.jpg").write_text("no photograph")
    for name, words in (
        ("heavy.jpg", "the studio takes up to 0 MB"),
        ("wide.png", "wide.png"),
        ("text.jpg", "text.jpg"),
    ):
        page.set_input_files("[data-side=content] input[type=file]", tmp_path / name)
        expect(page.locator("#banner")).to_contain_text(words)
    page.click("#banner button")
    expect(page.locator("#banner")).to_be_hidden()
    assert state(page)["pictures"] == {}


def test_a_studio_that_is_gone_is_told(page: Page, server: Server, photographs: tuple[Path, Path]) -> None:
    choose(page, photographs)
    server.stop()
    page.click("#render")
    expect(page.locator("#banner")).to_contain_text("does not answer")


def test_a_session_that_is_over_gives_way_to_a_new_one(context: BrowserContext, server: Server) -> None:
    page = context.new_page()
    page.goto(f"{server.address}#session=long-gone")
    page.wait_for_selector("body[data-ready]")
    assert "long-gone" not in page.url
    assert state(page)["pictures"] == {}


def test_settings_are_made_from_the_recipes_and_come_back(
    page: Page, photographs: tuple[Path, Path], tmp_path: Path
) -> None:
    choose(page, photographs)
    take(page, "pitie")
    rest(page)
    expect(page.locator("#balance-field")).to_be_hidden()
    page.click("text=All settings")
    page.locator("#set-steps").fill("3")
    page.keyboard.press("Enter")
    rest(page)
    page.click("#render")
    page.click("#made button:has-text('About')")
    expect(page.locator("#version code")).to_contain_text("--recipe pitie --quality standard --steps 3")
    with page.expect_download() as download:
        page.click("text=Settings file")
    page.click("#version >> text=Done")
    take(page, "photo")
    page.set_input_files("#load-settings", download.value.path())
    expect(page.locator("#recipe-title")).to_have_text("Colours, closely")
    expect(page.locator("#set-steps")).to_have_value("3")
    (tmp_path / "list.json").write_text("[1]")
    for path in (photographs[0], tmp_path / "list.json"):
        page.set_input_files("#load-settings", path)
        expect(page.locator("#banner")).to_contain_text(f"{path.name} is no settings file")
    page.reload()
    page.wait_for_selector("body[data-ready]")
    expect(page.locator("#recipe-title")).to_have_text("Colours, closely")


def test_structure_or_style(page: Page, photographs: tuple[Path, Path]) -> None:
    choose(page, photographs)
    first = state(page)["preview"]["id"]
    page.focus("#balance")
    for _ in range(5):
        page.keyboard.press("ArrowLeft")
    rest(page)
    preview = state(page)["preview"]
    assert preview["id"] != first
    assert preview["settings"]["style_weight"] == pytest.approx(3.0 * 10**-0.5, rel=1e-3)


def test_cutting_out(page: Page, photographs: tuple[Path, Path], tmp_path: Path) -> None:
    page.set_input_files("[data-side=content] input[type=file]", photographs[0])
    expect(page.locator("[data-side=content] .name")).to_contain_text("day.jpg")
    page.check("input[value=cutout]", force=True)
    expect(page.locator("#steps li")).to_have_count(4)
    expect(page.locator("#look")).to_be_hidden()
    page.locator("#size").fill("8")
    drag(page, "[data-side=content] canvas", (0.1, 0.15), (0.9, 0.15))
    expect(page.locator("#missing")).to_contain_text("not kept")
    page.click("#list button >> nth=1")
    drag(page, "[data-side=content] canvas", (0.1, 0.85), (0.9, 0.85))
    expect(page.locator("#missing")).to_be_hidden()
    expect(page.locator("#shown")).to_contain_text("Draft · Cut-out")
    rest(page)
    page.wait_for_timeout(400)
    page.reload()  # marks are there again
    page.wait_for_selector("body[data-ready]")
    expect(page.locator("#steps li.done")).not_to_have_count(0)
    assert page.locator("#render").inner_text() == "Cut out full size"
    page.click("#render")
    expect(page.locator("#made li")).to_have_count(1)
    with page.expect_download() as download:
        page.click("#save")
    download.value.save_as(tmp_path / "cut.png")
    work_on(page, "result")
    with page.expect_download() as download:
        page.click("#made button:has-text('About')")
        page.click("#version a:has-text('trimap.png')")
    with Image.open(download.value.path()) as marks:
        assert marks.size == (96, 64) and {value for _, value in marks.getcolors() or ()} == {0, 128, 255}
    alpha = np.asarray(Image.open(tmp_path / "cut.png").convert("RGBA"))[..., 3]
    assert alpha[:28].mean() > 230 and alpha[34:].mean() < 25


def test_a_doodle(page: Page, photographs: tuple[Path, Path]) -> None:
    page.check("input[value=doodle]", force=True)
    expect(page.locator("#recipe-title")).to_have_text("Doodle")
    page.set_input_files("[data-side=style] input[type=file]", photographs[1])
    expect(page.locator("[data-side=style] .name")).to_contain_text("night.jpg")
    page.click("#canvas")
    expect(page.locator("[data-side=content] .name")).to_have_text("empty canvas")
    page.uncheck("#snap")
    for y in (0.2, 0.75):
        page.click("#add")
        for side in ("content", "style"):
            page.locator("#size").fill("40")
            drag(page, f"[data-side={side}] canvas", (0.01, y), (0.99, y))
            if side == "content":
                expect(page.locator("#missing")).to_contain_text("on the right, too")
    expect(page.locator("#missing")).to_be_hidden()
    rest(page)
    work_on(page, "result")
    page.click("text=All settings")
    for name, value in (("size", "64"), ("steps", "2"), ("octaves", "1")):
        page.locator(f"#set-{name}").fill(value)
        page.keyboard.press("Enter")
    page.click("#render")
    expect(page.locator("#made li")).to_have_count(1)
    page.click("#made button:has-text('About')")
    expect(page.locator("#version code")).to_contain_text("photostyle doodle night.jpg")


def test_several_styles_for_a_recipe_that_blends_them(page: Page, photographs: tuple[Path, Path]) -> None:
    choose(page, photographs)
    expect(page.locator("#blend")).to_be_hidden()
    take(page, "gatys")
    for _ in range(2):
        page.set_input_files("#add-style", photographs[0])
        rest(page)
    expect(page.locator("#more-styles li")).to_have_count(2)
    page.click("#more-styles button >> nth=0")
    expect(page.locator("#more-styles li")).to_have_count(1)
    page.click("text=All settings")
    page.locator("#set-steps").fill("2")
    page.keyboard.press("Enter")
    page.click("#render")
    page.click("#made button:has-text('About')")
    expect(page.locator("#version code")).to_contain_text("transfer day.jpg night.jpg day.jpg -o")
    page.reload()
    expect(page.locator("#more-styles li")).to_have_count(1)


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
    """By the rules of axe; at three widths nothing is beside the window. Leaves screenshots."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    SHOTS.mkdir(parents=True, exist_ok=True)
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
            page.screenshot(path=SHOTS / f"{step}-{width}-{scheme}.png", full_page=True)
        page.set_viewport_size({"width": 1280, "height": 900})
    context.close()
