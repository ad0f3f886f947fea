"""From photographs to files, by each way that the page offers."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from driving import choose, drag, in_chromium, latest_draft, rest, state, take, work_on
from PIL import Image
from playwright.sync_api import Page, expect
from shades import skin_of
from torch import Tensor

from photostyle import bit_depth, load_image, read_note, save_image

pytestmark = in_chromium


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


def test_skin_is_kept_and_can_be_let_go(
    page: Page, photographs: tuple[Path, Path], portrait: Tensor, tmp_path: Path
) -> None:
    """The page says so where there is a person, and a setting leaves skin to the look."""
    save_image(portrait, tmp_path / "person.png")
    for side, path in (("content", tmp_path / "person.png"), ("style", photographs[1])):
        page.set_input_files(f"[data-side={side}] input[type=file]", path)
        expect(page.locator(f"[data-side={side}] .name")).to_contain_text(path.name)
    expect(page.locator("#shown")).to_contain_text("Draft · Photograph · 256×256")
    rest(page)
    expect(page.locator("#notes")).to_contain_text("skin keeps its natural hue; set skin to free")
    kept = latest_draft(page)
    page.click("text=All settings")
    page.select_option("#set-skin", "free")
    rest(page)
    expect(page.locator("#notes")).not_to_contain_text("skin")
    change, skin = np.abs(latest_draft(page) - kept).mean(-1), skin_of(portrait).numpy()
    assert change[skin > 0.9].mean() > 10 > 5 * change[skin == 0].mean()
    assert state(page)["preview"]["settings"]["skin"] == "free"
