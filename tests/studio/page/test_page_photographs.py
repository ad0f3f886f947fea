"""Photographs and sessions: brought, exchanged, removed, refused and found again."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

from driving import Server, choose, drop, in_chromium, opened, rest, state
from PIL import Image
from playwright.sync_api import BrowserContext, Page, expect

pytestmark = in_chromium


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


def test_a_session_that_is_over_gives_way_to_a_new_one(context: BrowserContext, server: Server) -> None:
    page = context.new_page()
    page.goto(f"{server.address}#session=long-gone")
    page.wait_for_selector("body[data-ready]")
    assert "long-gone" not in page.url
    assert state(page)["pictures"] == {}
