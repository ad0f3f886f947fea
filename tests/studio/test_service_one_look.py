"""Regions that share one look: found in the studio, and in label images that say so."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import torch
from asking import Page, both, halves
from PIL import Image

from photostyle import Regions, save_regions
from photostyle.photofile.drawing import KEYWORD
from photostyle.regions.labelimage import read_labels
from photostyle.regions.onelook import find_entry
from photostyle.studio import making
from photostyle.studio.picture import EDIT_SIZE
from photostyle.studio.pixels import labels_png

SIDES = ("content", "style")


def regions(height: int = 48, width: int = 72) -> Regions:
    masks = torch.zeros(2, 2, height, width)
    for side, top in enumerate((height // 2, height // 4)):
        masks[side, 0, :top] = masks[side, 1, top:] = 1
    return Regions(("sky", "land"), *masks, one_look=True)


def share_one_look(page: Page) -> bool:
    """Whether a result was made so, by what is told of it."""
    job = page.done(page.ask("POST", "/render", 202, json={"quality": "draft"}))
    return any("share one look" in note for note in job["notes"])


def paired(page: Page) -> None:
    page.ask("PUT", "/regions", json=[{"color": c, "name": "", "model": c} for c in ("blue", "green")])


def test_found_ones_do_until_they_are_painted_over(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "find_regions", lambda *_, **__: regions())
    both(page)
    page.done(page.ask("POST", "/find", 202))
    assert share_one_look(page)
    page.ask("PUT", "/regions", json=[{"color": c, "name": "", "model": "blue"} for c in ("blue", "green")])
    assert not share_one_look(page)
    paired(page)
    assert share_one_look(page)
    page.ask("PUT", "/regions/content.png", 204, content=halves("blue", "green"))
    assert not share_one_look(page)


def test_label_images_say_so(page: Page, tmp_path: Path) -> None:
    """As files they come to the page, and from the page they are given back as they came."""
    both(page)
    save_regions(regions(), *(tmp_path / f"{side}.png" for side in SIDES))
    masks = [page.ask("POST", f"/mask?name={side}", content=(tmp_path / f"{side}.png").read_bytes()) for side in SIDES]
    for side, mask in zip(SIDES, masks, strict=True):
        page.ask("PUT", f"/regions/{side}.png", 204, content=mask)
    paired(page)
    assert share_one_look(page)


@pytest.mark.parametrize(("width", "height"), [(EDIT_SIZE, 300), (1200, 900), (2001, 3000), (9000, 800)])
def test_a_large_label_image_is_no_larger_than_needs_be(tmp_path: Path, width: int, height: int) -> None:
    save_regions(regions(height, width), tmp_path / "content.png", tmp_path / "style.png")
    shown = Image.open(io.BytesIO(labels_png(read_labels(tmp_path / "content.png"), EDIT_SIZE)))
    assert EDIT_SIZE / 2 <= max(shown.size) <= EDIT_SIZE
    assert shown.width / shown.height == pytest.approx(width / height, rel=0.02)
    said = find_entry(shown.info[KEYWORD])
    assert said and said.side == "content"
