"""The studio as its users meet it: in Debian's Chromium, driven by Playwright, with a network of few channels.

Screenshots of the steps at three widths are left in out/studio.
"""

from __future__ import annotations

import io
import os
import re
import socket
import threading
from collections.abc import Callable, Iterator
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

from photostyle import bit_depth, load_image, read_note
from photostyle.studio.serve import studio
from photostyle.studio.service import Limits

CHROMIUM = os.environ.get("PHOTOSTYLE_CHROMIUM", "/usr/bin/chromium")
SHOTS = Path(__file__).parents[2] / "out" / "studio"
WIDTHS = (390, 1280, 2560)
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
    """A running studio that takes small photographs only."""
    with (
        studio(limits=Limits(bytes=300_000, pixels=1_500_000)) as app,
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
    expect(page.locator("#list li").first).to_be_visible()
    expect(page.locator("#shown")).to_contain_text("draft, 96×64")
    rest(page)


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
    assert [(task["kind"], task["state"]) for task in tasks] == [(k, "done") for k in ("find", "preview", "doubts")]
    drafts = [task["id"] for task in tasks if task["kind"] == "preview"]

    page.locator("#strength").fill("40")
    expect(page.locator("#after")).to_have_css("opacity", "0.4")
    rest(page)
    assert [task["id"] for task in state(page)["tasks"] if task["kind"] == "preview"] == drafts  # nothing was computed

    page.locator("#split").fill("50")
    expect(page.locator("#after")).to_have_css("clip-path", re.compile(r"inset\(0(px)? 0(px)? 0(px)? 50%\)"))
    drag(page, "#stage", (0.5, 0.5), (0.7, 0.5))
    assert float(page.locator("#split").input_value()) == pytest.approx(70, abs=2)
    page.click("#zoom-pixels")
    expect(page.locator("#zoom")).to_contain_text("%")
    page.keyboard.press("Tab")
    page.click("#zoom-fit")

    page.click("#render")
    expect(page.locator("#made li")).to_have_count(1)
    expect(page.locator("#shown")).to_have_text("Shown: photo, 96×64")
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
    assert "--strength 0.4" in page.locator("#made code").inner_text()


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
    expect(page.locator("#list li").first).to_be_visible()
    expect(page.locator("#shown")).to_contain_text("draft, 640×427")
    rest(page)

    reach("#split")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#handle")).to_be_visible()
    reach("#list select")
    page.keyboard.press("End")  # not paired
    rest(page)
    assert state(page)["regions"][0]["model"] == ""
    reach("input[name=quality]")
    page.keyboard.press("ArrowLeft")
    assert page.locator("input[name=quality][value=draft]").is_checked()
    reach("#render", "Shift+Tab")
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
    page.uncheck("#snap")
    page.select_option("#recipe", "reinhard")
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
    page.click("#add")
    page.locator("#size").fill("24")
    drag(page, "[data-side=content] canvas", (-0.02, 0.36), (1.02, 0.36))  # its rim goes over the horizon, at 0.47
    rest(page)
    marked = (layer(page) == layer(page)[22, 48]).all(-1)
    assert marked[12:29].mean() > 0.95
    assert marked[32:].mean() < 0.02


def test_painting_and_filling_by_keyboard(page: Page, photographs: tuple[Path, Path]) -> None:
    choose(page, photographs)
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
    assert state(page)["regions"][-1] | {"color": ""} == {"color": "", "name": "Meadow", "model": ""}
    page.select_option("#merge", "0")
    expect(page.locator("#list li")).to_have_count(count - 1)
    rest(page)
    assert len(np.unique(layer(page).reshape(-1, 3), axis=0)) == count - 1


def test_masks_are_files_too(page: Page, photographs: tuple[Path, Path], tmp_path: Path) -> None:
    choose(page, photographs)
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
    expect(page.locator("#list li").first).to_be_visible()
    page.click("#render")
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


def test_a_photograph_can_be_dropped(page: Page, photographs: tuple[Path, Path]) -> None:
    dropped = page.evaluate_handle(
        "(bytes) => { const drop = new DataTransfer();"
        " drop.items.add(new File([Uint8Array.from(bytes)], 'fallen.jpg', { type: 'image/jpeg' })); return drop; }",
        list(photographs[0].read_bytes()),
    )
    page.dispatch_event("[data-side=content] .frame", "drop", {"dataTransfer": dropped})
    expect(page.locator("[data-side=content] .name")).to_have_text("fallen.jpg, 96×64")


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
    page.select_option("#recipe", "pitie")
    rest(page)
    expect(page.locator("#balance-field")).to_be_hidden()
    page.click("text=All settings")
    page.locator("#set-steps").fill("3")
    page.keyboard.press("Enter")
    rest(page)
    page.click("#render")
    expect(page.locator("#made code")).to_contain_text("--recipe pitie --quality standard --steps 3")
    with page.expect_download() as download:
        page.click("text=Settings file")
    page.select_option("#recipe", "photo")
    page.set_input_files("#load-settings", download.value.path())
    expect(page.locator("#recipe")).to_have_value("pitie")
    expect(page.locator("#set-steps")).to_have_value("3")
    (tmp_path / "list.json").write_text("[1]")
    for path in (photographs[0], tmp_path / "list.json"):
        page.set_input_files("#load-settings", path)
        expect(page.locator("#banner")).to_contain_text(f"{path.name} is no settings file")
    page.reload()
    page.wait_for_selector("body[data-ready]")
    expect(page.locator("#recipe")).to_have_value("pitie")


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
    page.check("input[value=cutout]")
    page.locator("#size").fill("8")
    drag(page, "[data-side=content] canvas", (0.1, 0.15), (0.9, 0.15))
    page.click("#list button >> nth=1")
    drag(page, "[data-side=content] canvas", (0.1, 0.85), (0.9, 0.85))
    expect(page.locator("#shown")).to_contain_text("draft")
    rest(page)
    page.click("#render")
    expect(page.locator("#made li")).to_have_count(1)
    with page.expect_download() as download:
        page.click("#save")
    download.value.save_as(tmp_path / "cut.png")
    with page.expect_download() as download:
        page.click("#made a:text-is('trimap.png')")
    with Image.open(download.value.path()) as marks:
        assert marks.size == (96, 64) and {value for _, value in marks.getcolors() or ()} == {0, 128, 255}
    alpha = np.asarray(Image.open(tmp_path / "cut.png").convert("RGBA"))[..., 3]
    assert alpha[:28].mean() > 230 and alpha[34:].mean() < 25


def test_a_doodle(page: Page, photographs: tuple[Path, Path]) -> None:
    page.check("input[value=doodle]")
    expect(page.locator("#recipe")).to_have_value("doodle")
    page.set_input_files("[data-side=style] input[type=file]", photographs[1])
    expect(page.locator("[data-side=style] .name")).to_contain_text("night.jpg")
    page.click("#canvas")
    expect(page.locator("[data-side=content] .name")).to_have_text("empty canvas")
    page.uncheck("#snap")
    for y in (0.2, 0.75):
        page.click("#add")
        for side in ("content", "style"):
            page.locator("#size").fill("40")
            drag(page, f"[data-side={side}] canvas", (-0.1, y), (1.1, y))
    rest(page)
    page.click("text=All settings")
    for name, value in (("size", "64"), ("steps", "2"), ("octaves", "1")):
        page.locator(f"#set-{name}").fill(value)
        page.keyboard.press("Enter")
    page.click("#render")
    expect(page.locator("#made li")).to_have_count(1)
    expect(page.locator("#made code")).to_contain_text("photostyle doodle night.jpg")


def test_several_styles_for_a_recipe_that_blends_them(page: Page, photographs: tuple[Path, Path]) -> None:
    choose(page, photographs)
    expect(page.locator("#blend")).to_be_hidden()
    page.select_option("#recipe", "gatys")
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
    expect(page.locator("#made code")).to_contain_text("transfer day.jpg night.jpg day.jpg -o")
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
        "4-settings": lambda page: (page.click("text=All settings"), page.click("text=Masks as files")),
        "5-cutout": lambda page: page.check("input[value=cutout]"),
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
