"""The list of regions: named, paired, merged, doubted, and brought as files."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from driving import begin_painting, choose, drag, in_chromium, layer, middle, rest, state, work_on
from PIL import Image
from playwright.sync_api import Page, expect

from photostyle import Regions, save_regions
from photostyle.photofile.drawing import KEYWORD

pytestmark = in_chromium


def paint_one_more(page: Page, photographs: tuple[Path, Path]) -> None:
    """A stroke of one more region in both photographs."""
    begin_painting(page, photographs)
    page.uncheck("#snap")
    page.click("#add")
    for side in ("content", "style"):
        drag(page, f"[data-side={side}] canvas", (0.2, 0.8), (0.8, 0.8))
    rest(page)


def test_regions_are_renamed_paired_merged_and_deleted(page: Page, photographs: tuple[Path, Path]) -> None:
    paint_one_more(page, photographs)
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


def test_masks_that_say_more_go_on_to_say_it(page: Page, photographs: tuple[Path, Path], tmp_path: Path) -> None:
    """That their regions share one look: until they are painted over, and anew when they are loaded again.

    Also where they show what was there already: the very regions that were found.
    """
    choose(page, photographs)
    page.uncheck("#auto")
    work_on(page, "regions")
    page.uncheck("#snap")
    page.click("text=Masks as files")
    masks = torch.zeros(2, 64, 96)
    masks[0, :30] = masks[1, 30:] = 1
    files = {side: tmp_path / f"{side}.png" for side in ("content", "style")}
    save_regions(Regions(("sky", "land"), masks, masks, one_look=True), *files.values())

    def says(side: str) -> bool:
        rest(page)
        url = page.url.split("/#")[0] + str(page.locator(f"#{side}-mask").get_attribute("href"))
        return KEYWORD in Image.open(io.BytesIO(page.request.get(url).body())).info

    assert not says("content")
    for side, path in files.items():
        page.set_input_files(f"[data-mask={side}]", path)
    assert says("content") and says("style")
    page.keyboard.press("b")
    drag(page, "[data-side=content] canvas", (0.4, 0.8), (0.6, 0.8))  # of the first region, over the second
    assert not says("content") and says("style")
    page.set_input_files("[data-mask=content]", files["content"])
    assert says("content")


def test_another_reference_takes_no_painting_away(page: Page, photographs: tuple[Path, Path]) -> None:
    """The photograph stays painted; and with the first reference all is as it was, undo too."""
    paint_one_more(page, photographs)
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
