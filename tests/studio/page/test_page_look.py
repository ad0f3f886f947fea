"""The look in the page: what its sliders show is what the server writes; looks and files are had by a few clicks."""

from __future__ import annotations

import base64
import io
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from driving import chromium, in_chromium, serving, window
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from torch import Tensor

from photostyle import PALETTE, load_image, load_photograph, load_table, read_note
from photostyle.color.difference import delta_e

SIZE = (300, 200)
pytestmark = in_chromium

WITHOUT_WEBGL = """
const own = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
  return kind === "webgl2" ? null : own.call(this, kind, ...rest);
};
"""

STAGE = f"#stage {{ width: {SIZE[0]}px !important; height: {SIZE[1]}px !important; aspect-ratio: auto !important }}"

CANVAS = """async () => {
  const canvas = document.querySelector("#developed");
  const isDone = () => canvas.dataset.drawn === "1" && canvas.width === WIDTH;
  while (!isDone()) await new Promise((go) => setTimeout(go, 20));
  return canvas.toDataURL("image/png").split(",")[1];
}""".replace("WIDTH", str(SIZE[0]))


@pytest.fixture(scope="module")
def address(remembering: None) -> Iterator[str]:
    """A running studio."""
    with serving() as server:
        yield server.address.rstrip("/")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, whose WebGL is a program."""
    with chromium("--use-angle=swiftshader", "--enable-unsafe-swiftshader") as started:
        yield started


@pytest.fixture
def opened(browser: Browser, address: str) -> Iterator[Callable[..., Page]]:
    """`opened(script)`: the page with a look on its stage, of two regions or one; the script runs before it."""
    context = window(browser, viewport={"width": 1400, "height": 1000}, bypass_csp=True)
    wrong: list[str] = []

    def open_page(script: str = "", regional: bool = True) -> Page:
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if "GL_INVALID" in said.text else None)
        if script:
            page.add_init_script(script)
        page.goto(f"{address}/#session={session(page, address, regional)}")
        return ready(page)

    yield open_page
    context.close()
    assert wrong == []


def ready(page: Page) -> Page:
    """The page, when the look is on its stage, one pixel of the canvas for one of the photograph."""
    page.wait_for_selector("body[data-ready]")
    expect(page.locator("#developed")).to_be_visible()
    page.add_style_tag(content=STAGE)
    return page


def session(page: Page, address: str, regional: bool) -> str:
    """A session with two photographs, perhaps regions, and a finished look."""
    ask = page.request
    id: str = ask.post(f"{address}/api/sessions").json()["id"]
    base = f"{address}/api/sessions/{id}"
    for seed, side in enumerate(("content", "style")):
        ask.put(f"{base}/photographs/{side}?name={('day', 'night')[seed]}.png", data=photograph(seed))
        if regional:
            ask.put(f"{base}/regions/{side}.png", data=regions(), headers={"content-type": "image/png"})
    names = [{"color": color, "name": name, "model": color} for color, name in (("blue", "Sky"), ("green", "Land"))]
    if regional:
        ask.put(f"{base}/regions", data=names)
    job = ask.post(f"{base}/render", data={"quality": "draft"}).json()
    while job["state"] in ("waiting", "running"):
        page.wait_for_timeout(50)
        job = ask.get(f"{base}/jobs/{job['id']}").json()
    assert job["state"] == "done", job
    return id


def photograph(seed: int) -> bytes:
    """A landscape with a wooded skyline, by day (0) or by night (1), in PNG: colours of all kinds, some texture."""
    width, height = SIZE
    random = np.random.default_rng(seed)
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    sky, ground = (((150, 190, 240), (90, 120, 50)), ((30, 25, 80), (130, 75, 25)))[seed]
    skyline = 0.5 + 0.08 * np.sin(9 * x) + 0.03 * np.sin(57 * x)
    pixels = np.where((y < skyline)[..., None], np.array(sky) * (1.1 - 0.4 * y[..., None]), np.array(ground))
    pixels[(y > 0.75) & (x > 0.3)] = ((224, 172, 140), (120, 70, 60))[seed]  # somebody's shoulder
    pixels = pixels + 60 * (x[..., None] - 0.5) * np.array([1, 0, -1]) + random.normal(0, 6, (height, width, 3))
    return encoded(pixels.clip(0, 255).astype(np.uint8))


def regions() -> bytes:
    pixels = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    pixels[: SIZE[1] // 2], pixels[SIZE[1] // 2 :] = PALETTE["blue"], PALETTE["green"]
    return encoded(pixels)


def encoded(pixels: np.ndarray[Any, Any]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def slide(page: Page, **values: float) -> None:
    """Move sliders, by the ends of their names."""
    for name, value in values.items():
        page.eval_on_selector(
            f"#{name if name == 'strength' else f'adjust-{name}'}",
            """(input, value) => {
              input.value = value;
              for (const kind of ["input", "change"]) input.dispatchEvent(new Event(kind, { bubbles: true }));
            }""",
            value,
        )


def on_canvas(page: Page) -> Tensor:
    """What the page shows, 3×H×W, when all of its pixels are drawn."""
    image = Image.open(io.BytesIO(base64.b64decode(page.evaluate(CANVAS)))).convert("RGBA")
    pixels = np.asarray(image)
    assert pixels.shape == (SIZE[1], SIZE[0], 4) and (pixels[..., 3] == 255).all()
    return torch.from_numpy(pixels[..., :3].astype(np.float32) / 255).permute(2, 0, 1)


def written(page: Page, tmp_path: Path) -> Tensor:
    """What the server writes, at 16 bits, where nothing is dithered."""
    page.select_option("#format", "PNG")
    page.select_option("#export-bits", "16")
    with page.expect_download() as download:
        page.click("#save")
    download.value.save_as(tmp_path / "saved.png")
    return load_image(tmp_path / "saved.png")


def assert_alike(shown: Tensor, saved: Tensor) -> None:
    """All but a pixel in a thousand, on borders, within what an eye can tell apart; and those not far off."""
    difference = delta_e(shown, saved).flatten()
    high = float(difference.kthvalue(round(0.999 * len(difference))).values)
    assert float(difference.mean()) < 0.4 and high < 1.0, (float(difference.mean()), high, float(difference.max()))


MOVES: list[dict[str, float]] = [
    {},
    {"strength": 60},
    {"exposure": 0.6, "warmth": 0.5},
    {"contrast": 0.6, "saturation": -0.5, "strength": 80},
    {"keep_skin": 1.0},
]


@pytest.mark.parametrize("script", ["", WITHOUT_WEBGL], ids=["webgl", "plain"])
def test_what_is_shown_is_what_is_written(opened: Callable[..., Page], script: str, tmp_path: Path) -> None:
    page = opened(script)
    seen = []
    for move in MOVES:
        slide(page, **move)
        seen.append(on_canvas(page))
        assert_alike(seen[-1], written(page, tmp_path))
    for one, other in itertools.pairwise(seen):
        assert float(delta_e(one, other).mean()) > 0.3  # each of them is seen


@pytest.mark.parametrize("script", ["", WITHOUT_WEBGL], ids=["webgl", "plain"])
def test_a_look_of_one_map_is_shown_as_well(opened: Callable[..., Page], script: str, tmp_path: Path) -> None:
    page = opened(script, regional=False)
    whole = on_canvas(page)
    assert_alike(whole, written(page, tmp_path))
    slide(page, exposure=0.5)
    assert float(delta_e(on_canvas(page), whole).mean()) > 1
    assert page.locator("#adjust-regions").count() == 0


def test_regions_have_strengths_and_another_look_is_mixed_in(opened: Callable[..., Page], tmp_path: Path) -> None:
    page = opened()
    whole = on_canvas(page)
    page.fill("#look-name", "As it was")
    page.click("#keep-look")
    expect(page.locator("#shelf li")).to_have_count(1)
    page.click("#adjust-regions summary")
    expect(page.locator("#adjust-regions label")).to_have_text(["Sky100 %", "Land100 %"])
    page.locator("#adjust-regions input").first.fill("0")
    without_sky = on_canvas(page)
    assert_alike(without_sky, written(page, tmp_path))
    difference = delta_e(whole, without_sky)
    assert float(difference[:60].mean()) > 2 and float(difference[150:].max()) < 0.5
    slide(page, saturation=-1)
    page.select_option("#adjust-other", "As it was")
    page.locator("#adjust-other").locator("xpath=../following-sibling::label").locator("input").fill("0.5")
    mixed = on_canvas(page)
    assert float(delta_e(mixed, without_sky).mean()) > 1
    assert_alike(mixed, written(page, tmp_path))
    page.click("#adjust-reset")
    assert float(delta_e(on_canvas(page), whole).max()) < 0.5


def test_a_slider_asks_the_server_for_nothing(opened: Callable[..., Page]) -> None:
    page = opened()
    on_canvas_once = page.evaluate(CANVAS)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for exposure in (-1, 0.3, 1):
        slide(page, exposure=exposure, strength=70)
    assert page.evaluate(CANVAS) != on_canvas_once
    assert asked == []


def test_sliders_are_found_again_after_a_reload(opened: Callable[..., Page]) -> None:
    page = opened()
    slide(page, exposure=0.75, strength=55)
    before = page.evaluate(CANVAS)
    page.reload()
    ready(page)
    assert page.locator("#adjust-exposure").input_value() == "0.75"
    assert page.evaluate(CANVAS) == before


def test_a_look_goes_to_another_photograph_and_to_other_programs(opened: Callable[..., Page], tmp_path: Path) -> None:
    page = opened()
    page.fill("#look-name", "Dusk")
    page.click("#keep-look")
    card = page.locator("#shelf li")
    expect(card.locator("b")).to_have_text("Dusk")
    (tmp_path / "other.png").write_bytes(photograph(1))
    page.set_input_files("[data-side=content] input[type=file]", tmp_path / "other.png")
    expect(page.locator("[data-side=content] .name")).to_contain_text("other.png")
    page.click("[aria-label='Apply Dusk']")
    expect(page.locator("#made li")).to_have_count(2)
    expect(page.locator("#shown")).to_contain_text("Dusk")
    expect(page.locator("#developed")).to_be_visible()
    with page.expect_download() as download:
        page.click("#save")
    assert download.value.suggested_filename == "other-Dusk.jpg"
    download.value.save_as(tmp_path / "other-dusk.jpg")
    assert read_note(tmp_path / "other-dusk.jpg")["look"] == "Dusk"
    card.locator("summary").click()
    expect(card.locator("[role=status]")).to_contain_text("One table holds")
    with page.expect_download() as download:
        card.locator("text=Save the file").click()
    assert download.value.suggested_filename == "Dusk.cube"
    download.value.save_as(tmp_path / "dusk.cube")
    assert load_table(tmp_path / "dusk.cube").title == "Dusk"
    page.click("text=Apply to all photographs")
    expect(page.locator("#made li")).to_have_count(4)
    page.set_input_files("#bring-look", tmp_path / "dusk.cube")
    expect(page.locator("#shelf b")).to_have_text(["Dusk", "dusk 2"])
    page.set_input_files("#bring-look", tmp_path / "other.png")
    expect(page.locator("#banner")).to_contain_text("other.png")


def test_a_look_is_learned_renamed_and_deleted(opened: Callable[..., Page], tmp_path: Path) -> None:
    page = opened()
    (tmp_path / "raw.png").write_bytes(photograph(0))
    pixels = np.asarray(Image.open(tmp_path / "raw.png"))
    (tmp_path / "film.png").write_bytes(encoded((pixels * np.array([1.0, 0.8, 0.6])).astype(np.uint8)))
    page.click("text=Learn from before and after")
    page.set_input_files("#learn-before", tmp_path / "raw.png")
    page.set_input_files("#learn-after", tmp_path / "film.png")
    page.click("#learn-look")
    expect(page.locator("#shelf b")).to_have_text("film")
    expect(page.locator("#notes")).to_contain_text("ΔE2000")
    page.once("dialog", lambda dialog: dialog.accept("Kodak"))
    page.click("[aria-label='Rename film']")
    expect(page.locator("#shelf b")).to_have_text("Kodak")
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.click("[aria-label='Delete Kodak']")
    expect(page.locator("#shelf b")).to_have_text("Kodak")
    page.once("dialog", lambda dialog: dialog.accept())
    page.click("[aria-label='Delete Kodak']")
    expect(page.locator("#shelf b")).to_have_count(0)


def test_a_file_is_as_it_was_chosen(opened: Callable[..., Page], tmp_path: Path) -> None:
    page = opened()
    page.select_option("#format", "TIFF")
    page.select_option("#export-bits", "16")
    page.fill("#export-side", "150")
    page.click("text=Colours, metadata, name")
    page.fill("#export-name", "{name} {strength}")
    slide(page, strength=70)
    with page.expect_download() as download:
        page.click("text=Save TIFF")
    assert download.value.suggested_filename == "day 70.tif"
    download.value.save_as(tmp_path / "saved.tif")
    found = load_photograph(tmp_path / "saved.tif")
    assert (found.bits, found.pixels.shape) == (16, (3, 100, 150))
    page.fill("#export-name", "{who}")
    page.click("#save")
    expect(page.locator("#banner")).to_contain_text("{who} is no word of file names")
