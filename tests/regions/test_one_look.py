"""Label images that say themselves that their regions share one look, and from when on they no longer do."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from torch import Tensor
from typer.testing import Result

from photostyle import Regions, load_image, load_regions, save_image, save_regions, transfer
from photostyle.photofile.drawing import KEYWORD
from photostyle.regions.onelook import BROKEN, HOLDS, Entry, find_entry

Run = Callable[..., Result]
CONTENT, STYLE = "content_regions.png", "style_regions.png"


def bands(height: int, width: int, *shares: float) -> Tensor:
    """Masks K×H×W of regions one above the other; what their shares lack of 1 is none of them."""
    edges = [0, *np.round(np.cumsum(shares) * height).astype(int)]
    masks = torch.zeros(len(shares), height, width)
    for mask, top, bottom in zip(masks, edges, edges[1:], strict=False):
        mask[top:bottom] = 1
    return masks


def pair(one_look: bool = True, style: tuple[float, ...] = (0.8, 0.2)) -> Regions:
    return Regions(("sky", "land"), bands(60, 80, 0.5, 0.5), bands(60, 90, *style), one_look=one_look)


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The label images of such a pair, where the commands run."""
    monkeypatch.chdir(tmp_path)
    save_regions(pair(), CONTENT, STYLE)


def painted(path: str, color: str, area: tuple[int, int, int, int]) -> None:
    """As an editor does that keeps what it does not know."""
    with Image.open(path) as image:
        said = PngInfo()
        said.add_text(KEYWORD, image.info[KEYWORD])
        image.paste(color, area)
        image.save(path, pnginfo=said)


def plain(path: str) -> None:
    """Saved by an editor that drops it."""
    with Image.open(path) as image:
        image.info.clear()
        image.save(path)
    with Image.open(path) as image:
        assert KEYWORD not in image.info


def test_it_comes_back() -> None:
    regions = load_regions(CONTENT, STYLE)
    assert regions.one_look and regions.notes == (HOLDS,)
    assert torch.equal(regions.content, pair().content) and torch.equal(regions.style, pair().style)


def test_regions_with_looks_of_their_own_say_nothing() -> None:
    save_regions(pair(one_look=False), CONTENT, STYLE)
    for path in (CONTENT, STYLE):
        with Image.open(path) as image:
            assert KEYWORD not in image.info
    regions = load_regions(CONTENT, STYLE)
    assert not regions.one_look and regions.notes == ()


def test_where_some_of_the_style_is_no_region() -> None:
    for rest in (0.2, 0.0005):
        save_regions(pair(style=(0.5, 0.5 - rest)), CONTENT, STYLE)
        assert load_regions(CONTENT, STYLE).one_look


@pytest.mark.parametrize("path", [CONTENT, STYLE])
def test_a_border_may_be_corrected(path: str) -> None:
    painted(path, "blue", (0, 0, 40, 55))
    regions = load_regions(CONTENT, STYLE)
    assert regions.one_look and regions.notes == (HOLDS,)


@pytest.mark.parametrize("color", ["red", "blue"])
@pytest.mark.parametrize("sides", [(CONTENT,), (STYLE,), (CONTENT, STYLE)])
def test_where_regions_were_added_or_taken_away_it_does_not_hold(sides: tuple[str, ...], color: str) -> None:
    """A new one in red, or all that is green made blue."""
    for path in sides:
        painted(path, color, (0, 0, 40, 10) if color == "red" else (0, 0, 90, 60))
    regions = load_regions(CONTENT, STYLE)
    assert not regions.one_look and BROKEN in regions.notes


@pytest.mark.parametrize("path", [CONTENT, STYLE])
def test_both_files_must_say_it(path: str) -> None:
    plain(path)
    regions = load_regions(CONTENT, STYLE)
    assert not regions.one_look and regions.notes == ()


def test_two_files_of_different_pairs_are_none() -> None:
    save_regions(pair(style=(0.7, 0.3)), "other_content.png", "other_style.png")
    for paths in ((CONTENT, "other_style.png"), ("other_content.png", STYLE), (CONTENT, CONTENT), (STYLE, STYLE)):
        regions = load_regions(*paths)
        assert not regions.one_look and regions.notes == ()
    assert load_regions("other_content.png", "other_style.png").one_look
    assert load_regions(STYLE, CONTENT).one_look  # the other way round


def test_who_matches_or_drops_wants_a_look_for_each() -> None:
    for corrections in ({"match": {"blue": "green"}}, {"drop": ["green"]}):
        assert not load_regions(CONTENT, STYLE, **corrections).one_look


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.text() | json_values.map(json.dumps))
def test_what_others_say_is_nothing(text: str) -> None:
    assert find_entry(text) is None


@pytest.mark.parametrize(
    "text", ["", "{", "[" * 10**5, '{"one_look": 1, "side": "content", "colors": []}', '{"one_look": "a"}', "\xe9"]
)
def test_files_in_which_others_say_something_are_read(text: str) -> None:
    said = PngInfo()
    said.add_text(KEYWORD, text)
    with Image.open(CONTENT) as image:
        image.save(CONTENT, pnginfo=said)
    assert not load_regions(CONTENT, STYLE).one_look


@given(st.text(), st.text(), st.lists(st.text()))
def test_an_entry_comes_back_from_its_text(pair: str, side: str, colors: list[str]) -> None:
    said = Entry(pair, side, tuple(colors))
    assert find_entry(said.text()) == said and said.text().isascii()


def test_the_commands(run: Run, picture: Callable[..., Tensor]) -> None:
    """A transfer and a batch with such label images are with regions of one look, and say so."""
    save_image(picture(60, 80), "content.png")
    save_image(picture(60, 90, seed=1), "style.png")
    colors = ("--recipe", "monge-kantorovich")
    given = ("transfer", "content.png", "style.png", "--content-regions", CONTENT, "--style-regions", STYLE, *colors)
    done = run(*given, "-o", "shared.png")
    assert done.exit_code == 0 and f"Note: {HOLDS}" in done.stderr
    line = f"content.png,style.png,{CONTENT},{STYLE}"
    Path("jobs.csv").write_text(f"content,style,content_regions,style_regions\n{line}\n", encoding="utf-8")
    assert run("batch", "jobs.csv", "-o", "out", "--workers", 0, *colors).exit_code == 0
    plain(STYLE)
    done = run(*given, "-o", "own.png")
    assert done.exit_code == 0 and HOLDS not in done.stderr
    content, style = load_image("content.png"), load_image("style.png")
    options = {"recipe": "monge-kantorovich", "device": "cpu"}
    (made,) = Path("out").glob("*.png")
    for path, one_look in (("shared.png", True), (made, True), ("own.png", False)):
        expected = transfer(content, style, replace(pair(), one_look=one_look), **options)
        torch.testing.assert_close(load_image(path), expected, rtol=0, atol=1 / 255)
    shared, own = load_image("shared.png"), load_image("own.png")
    assert float((shared - own).abs().mean()) > 0.01
