"""Regions from label images: palettes, noise, flat colours, values, and what has no partner."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from photostyle.errors import RegionsError
from photostyle.regions.labels import load_regions, save_regions
from photostyle.regions.palette import PALETTE
from photostyle.regions.regions import Regions

Labels = NDArray[np.uint8]


def painted(rows: list[str], block: int = 10) -> Labels:
    """A palette image from a drawing: one letter per block, by the first letters of colour names below."""
    letters = {"b": "blue", "g": "green", "k": "black", "w": "white", "r": "red", "y": "yellow"}
    letters |= {"e": "grey", "l": "lightblue", "p": "purple"}
    colors = np.array([[PALETTE[letters[letter]] for letter in row] for row in rows], dtype=np.uint8)
    return colors.repeat(block, axis=0).repeat(block, axis=1)


@pytest.fixture
def save(tmp_path: Path):
    count = iter(range(100))

    def write(pixels: Labels | Image.Image, suffix: str = ".png", **options: object) -> Path:
        path = tmp_path / f"{next(count)}{suffix}"
        image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
        image.save(path, **options)
        return path

    return write


def mask_of(regions: Regions, name: str) -> NDArray[np.bool_]:
    return regions.content[regions.names.index(name)].numpy() > 0.5


def is_color(labels: Labels, name: str) -> NDArray[np.bool_]:
    return (labels == PALETTE[name]).all(-1)


def assert_partition(regions: Regions) -> None:
    for masks in (regions.content, regions.style):
        assert set(masks.unique().tolist()) <= {0.0, 1.0}
        assert torch.equal(masks.sum(0), torch.ones(masks.shape[1:]))


def test_the_nine_colours_of_the_paper(save) -> None:
    content, style = painted(["bgk", "wry", "elp"]), painted(["plewrykgb"])
    regions = load_regions(save(content), save(style))
    assert set(regions.names) == set(PALETTE) and regions.notes == ()
    assert_partition(regions)
    for name in PALETTE:
        assert (mask_of(regions, name) == is_color(content, name)).all()
    assert regions.style.shape == (9, 10, 90)
    for share in regions.shares:
        assert share == pytest.approx((1 / 9, 1 / 9))


def test_resampling_and_noise_do_not_make_regions(save) -> None:
    """Antialiased borders of black and blue, and noise of up to 40 levels everywhere."""
    labels = painted(["kbb", "kkb", "rrb"])
    small = np.asarray(Image.fromarray(labels).resize((47, 47), Image.Resampling.BICUBIC), dtype=np.int64)
    noise = np.random.default_rng(0).integers(-40, 41, small.shape)
    path = save((small + noise).clip(0, 255).astype(np.uint8))
    regions = load_regions(path, path)
    assert set(regions.names) == {"black", "blue", "red"} and regions.notes == ()
    assert_partition(regions)
    exact = np.asarray(Image.fromarray(labels).resize((47, 47), Image.Resampling.NEAREST))
    wrong = sum((mask_of(regions, name) != is_color(exact, name)).mean() for name in regions.names)
    assert wrong < 0.05  # borders may move by half a pixel


def test_a_jpeg_is_read_as_painted(save) -> None:
    labels = painted(["ggp", "gyp", "kkp"], block=24)
    path = save(labels, ".jpg", quality=75)
    regions = load_regions(path, path)
    assert set(regions.names) == {"green", "purple", "yellow", "black"} and regions.notes == ()
    for name in regions.names:
        assert (mask_of(regions, name) != is_color(labels, name)).mean() < 0.02


@pytest.mark.parametrize(("one", "other"), [("k", "w"), ("b", "y"), ("r", "l"), ("g", "p")])
def test_the_blend_of_two_colours_is_not_a_third(save, one: str, other: str) -> None:
    """Black and white blend to grey, and so do three more pairs: a border is no grey region."""
    labels = painted([one + other], block=50)
    labels[:, 50] = 0.45 * labels[:, 49] + 0.55 * labels[:, 51]
    path = save(labels)
    regions = load_regions(path, path)
    assert len(regions.names) == 2 and "grey" not in regions.names and regions.notes == ()


def test_a_grey_region_is_still_a_region(save) -> None:
    path = save(painted(["kew"]))
    assert set(load_regions(path, path).names) == {"black", "grey", "white"}


def test_any_flat_colours(save) -> None:
    labels = np.zeros((20, 30, 3), dtype=np.uint8)
    labels[:, :10], labels[:, 10:] = (200, 100, 50), (20, 150, 90)
    regions = load_regions(save(labels), save(labels[:, ::-1].copy()))
    assert set(regions.names) == {"#c86432", "#14965a"} and regions.notes == ()
    assert_partition(regions)
    assert mask_of(regions, "#c86432")[:, :10].all() and mask_of(regions, "#14965a")[:, 10:].all()


def test_a_file_with_a_colour_table_is_read_by_its_colours(save) -> None:
    labels = painted(["bg", "rb"])
    image = Image.fromarray(labels).convert("P", palette=Image.Palette.ADAPTIVE)
    assert set(load_regions(save(image), save(labels)).names) == {"blue", "green", "red"}


def test_single_channel_values_are_labels(save) -> None:
    labels = np.zeros((20, 30), dtype=np.uint8)
    labels[:, 10:], labels[:, 25:] = 1, 7
    regions = load_regions(save(labels), save(labels))
    assert regions.names == ("label 0", "label 1", "label 7") and regions.notes == ()
    assert_partition(regions)
    assert mask_of(regions, "label 7")[:, 25:].all() and mask_of(regions, "label 7").sum() == 100


def test_sixteen_bit_labels(save) -> None:
    labels = np.full((20, 30), 300, dtype=np.uint16)
    labels[:, 10:] = 4000
    path = save(Image.fromarray(labels))
    assert load_regions(path, path).names == ("label 300", "label 4000")


def test_gray_palette_images_in_a_single_channel(save) -> None:
    labels = painted(["kew"])
    path = save(labels[..., 0].copy())
    assert set(load_regions(path, save(labels)).names) == {"black", "grey", "white"}


def test_labels_are_paired_even_if_one_side_has_few(save) -> None:
    """A style that is all label 0 has label 0, whatever else an image of zeros could be."""
    labels = np.zeros((20, 30), dtype=np.uint8)
    labels[:, 20:] = 1
    regions = load_regions(save(labels), save(np.zeros((20, 30), dtype=np.uint8)))
    assert regions.names == ("label 0",)
    (note,) = regions.notes
    assert note.startswith("Region label 1 (33.3% of the content)")


def test_colours_are_paired_even_if_one_side_has_colours_of_its_own(save) -> None:
    labels = painted(["bg"])
    own = labels.copy()
    own[:5] = (200, 100, 50)
    regions = load_regions(save(labels), save(own))
    assert len(regions.names) == 2
    (note,) = regions.notes
    assert note.startswith("Region #c86432 (50.0% of the style)")


def test_a_region_of_the_content_alone_joins_the_one_it_borders_on_most(save) -> None:
    content = painted(["krr", "kbr", "kkr"])
    content[9, 12] = PALETTE["black"]  # blue touches 19 pixels of red and 21 of black
    regions = load_regions(save(content), save(painted(["kr"])))
    assert set(regions.names) == {"black", "red"}
    assert_partition(regions)
    assert mask_of(regions, "black")[is_color(content, "blue")].all()
    assert regions.notes == ("Region blue (11.1% of the content) is not in the style and is merged into black.",)


def test_a_region_of_the_style_alone_is_left_out(save) -> None:
    style = painted(["yyyyy", "ygkkk", "kkkkk"])
    regions = load_regions(save(painted(["yk"])), save(style))
    assert regions.notes == ("Region green (6.7% of the style) is not in the content and is left out.",)
    assert set(regions.names) == {"yellow", "black"}
    assert ((regions.style.sum(0) == 0).numpy() == is_color(style, "green")).all()
    for name, mask in zip(regions.names, regions.style, strict=True):
        assert ((mask == 1).numpy() == is_color(style, name)).all()


def test_a_region_that_touches_no_pair_joins_the_largest(save) -> None:
    """Purple is walled in by green, which has no partner either."""
    content = painted(["ggggk", "gpgrk", "ggggk"])
    regions = load_regions(save(content), save(painted(["kr"])))
    assert set(regions.names) == {"black", "red"} and len(regions.notes) == 2
    assert_partition(regions)
    assert mask_of(regions, "black")[is_color(content, "purple")].all()


def test_strict_means_a_partner_for_every_region(save) -> None:
    with pytest.raises(RegionsError, match=r"Region blue \(50.0% of the content\).*paint it on both sides"):
        load_regions(save(painted(["bk"])), save(painted(["k"])), strict=True)
    with pytest.raises(RegionsError, match=r"Region blue \(50.0% of the style\).*paint it on both sides"):
        load_regions(save(painted(["k"])), save(painted(["bk"])), strict=True)
    paths = save(painted(["bk"])), save(painted(["kb"]))
    assert set(load_regions(*paths, strict=True).names) == {"blue", "black"}


def test_a_stray_brush_mark_is_no_region(save) -> None:
    content = painted(["bk"], block=50)
    content[3, 3] = PALETTE["red"]
    regions = load_regions(save(content), save(painted(["bk"])), strict=True)
    assert set(regions.names) == {"blue", "black"} and regions.notes == ()
    assert mask_of(regions, "blue")[3, 3]
    assert_partition(regions)


def test_no_colour_in_common(save) -> None:
    with pytest.raises(RegionsError, match="Nothing can be paired: the content has blue, the style white, red"):
        load_regions(save(painted(["b"])), save(painted(["rw"])))


def test_a_photograph_is_no_label_image(save, picture) -> None:
    pixels = (picture(64, 64).permute(1, 2, 0).numpy() * 255).astype(np.uint8)
    path = save(pixels)
    for photograph in (path, save(pixels[..., 0].copy())):
        with pytest.raises(RegionsError, match=f"{photograph.name} is not a label image.* 64 flat colours"):
            load_regions(photograph, photograph)


def test_a_missing_file_is_named(save, tmp_path: Path) -> None:
    there, missing = save(painted(["b"])), tmp_path / "missing.png"
    for paths in ((there, missing), (missing, there)):
        with pytest.raises(RegionsError, match=r"missing\.png does not exist"):
            load_regions(*paths)


def test_damaged_files_and_folders_are_named(save, tmp_path: Path) -> None:
    there, text, cut = save(painted(["b"])), tmp_path / "text.png", tmp_path / "cut.png"
    text.write_text("no image")
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (90, 90, 3)).astype(np.uint8)).save(buffer, "png")
    cut.write_bytes(buffer.getvalue()[:2000])
    for bad in (text, cut, tmp_path):
        with pytest.raises(RegionsError, match=f"{bad.name} cannot be read"):
            load_regions(bad, there)


def test_whole_is_one_region() -> None:
    regions = Regions.whole(torch.zeros(3, 4, 5), torch.zeros(3, 6, 7))
    assert regions.names == ("all",) and regions.shares == ((1.0, 1.0),)
    assert regions.content.shape == (1, 4, 5) and regions.style.shape == (1, 6, 7)


HALVES = torch.tensor([[1.0, 0.0], [0.0, 1.0]]).view(2, 1, 2)


@pytest.mark.parametrize(
    ("content", "style", "message"),
    [
        (HALVES * 0.9, HALVES, "content regions must cover every pixel exactly once"),
        (HALVES, torch.ones(2, 3, 3), "style regions must cover every pixel exactly once"),
        (HALVES[:1], HALVES, "content masks must be 2×H×W"),
        (HALVES, HALVES[0], "style masks must be 2×H×W"),
        (HALVES, torch.tensor([[1.0, 1.0], [0.0, 0.0]]).view(2, 1, 2), "Region right is empty in the style"),
    ],
)
def test_masks_that_are_no_partition_are_refused(content, style, message: str) -> None:
    with pytest.raises(RegionsError, match=message):
        Regions(("left", "right"), content, style)


def test_the_style_need_not_be_covered() -> None:
    regions = Regions(("left", "right"), HALVES, 0.5 * HALVES)
    assert regions.shares == ((0.5, 0.25), (0.5, 0.25))


def test_shares() -> None:
    quarter = torch.tensor([[1.0, 0, 0, 0], [0, 1, 1, 1]]).view(2, 2, 2)
    assert Regions(("a", "b"), quarter, HALVES).shares == ((0.25, 0.5), (0.75, 0.5))


@pytest.mark.parametrize("size", [(13, 17), (40, 50), (20, 25), (1, 1)])
def test_fitted_masks_keep_the_partition(size: tuple[int, int]) -> None:
    labels = torch.randint(3, (40, 50), generator=torch.Generator().manual_seed(0))
    masks = torch.stack([labels == k for k in range(3)]).float()
    regions = Regions(("a", "b", "c"), masks, masks.flip(2), notes=("kept",))
    fitted = regions.fit(torch.zeros(3, *size), torch.zeros(3, *size))
    assert fitted.content.shape == fitted.style.shape == (3, *size)
    assert fitted.names == regions.names and fitted.notes == regions.notes
    for side in (fitted.content, fitted.style):
        torch.testing.assert_close(side.sum(0), torch.ones(size))
        assert float(side.min()) >= 0


def test_guided_masks_are_enlarged_along_the_photograph() -> None:
    """Found on a small copy, whose border lies two of its pixels off, they follow the edge; painted ones stay as is."""
    photograph = torch.full((3, 120, 320), 0.2)
    photograph[:, :, 161:] = 0.8
    left = torch.zeros(30, 80)
    left[:, :38] = 1
    masks = torch.stack([left, 1 - left])
    guided = Regions(("a", "b"), masks, masks, guided=True).fit(photograph, photograph)
    assert torch.equal(guided.content > 0.5, torch.stack([photograph[0] < 0.5, photograph[0] > 0.5]))
    torch.testing.assert_close(guided.content.sum(0), torch.ones(120, 320))
    assert torch.equal(guided.content, guided.style)
    painted = Regions(("a", "b"), masks, masks).fit(photograph, photograph)
    assert (painted.content[0, :, 153] < 0.5).all()
    assert torch.equal(guided.fit(photograph, photograph).content, guided.content)  # of that size already


def test_fitting_by_an_integer_ratio_takes_means() -> None:
    mask = torch.tensor([[1.0, 0, 1, 1], [0, 0, 1, 1]])
    fitted = Regions(("a", "b"), torch.stack([mask, 1 - mask]), HALVES).fit(torch.zeros(3, 1, 2), HALVES)
    torch.testing.assert_close(fitted.content[0], torch.tensor([[0.25, 1.0]]))


def test_regions_of_another_shape_than_their_photograph_are_refused() -> None:
    regions = Regions.whole(torch.zeros(3, 30, 40), torch.zeros(3, 50, 50))
    with pytest.raises(RegionsError, match="content regions are 40×30 but the content is 40×40"):
        regions.fit(torch.zeros(3, 40, 40), torch.zeros(3, 50, 50))
    with pytest.raises(RegionsError, match="style regions are 50×50 but the style is 60×50"):
        regions.fit(torch.zeros(3, 30, 40), torch.zeros(3, 50, 60))
    regions.fit(torch.zeros(3, 301, 400), torch.zeros(3, 99, 100))  # rounding is forgiven


# --- label images written, matches ---------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 5, 9, 12, 40])
def test_what_was_written_is_read_again(tmp_path, count: int) -> None:
    labels = torch.arange(20 * 40).view(20, 40) // 20 % count
    masks = torch.stack([labels == k for k in range(count)]).float()
    paths = tmp_path / "a.png", tmp_path / "b.png"
    save_regions(Regions(tuple(f"r{k}" for k in range(count)), masks, masks.flip(2)), *paths)
    again = load_regions(*paths)
    assert len(again.names) == count
    assert again.notes == ()
    for mask in masks:
        assert sum(torch.equal(mask, other) for other in again.content) == 1


def test_what_belongs_to_no_region_is_left_out_when_it_is_read_again(tmp_path) -> None:
    masks = torch.zeros(2, 12, 12)
    masks[0, :6] = masks[1, 6:] = 1
    style = masks.clone()
    style[:, :, :4] = 0
    paths = tmp_path / "a.png", tmp_path / "b.png"
    save_regions(Regions(("up", "down"), masks, style), *paths)
    again = load_regions(*paths)
    assert torch.equal(again.style, style)
    assert "left out" in again.notes[0]


def test_soft_masks_are_written_as_what_there_is_most_of(tmp_path) -> None:
    ramp = torch.linspace(0, 1, 10).expand(8, 10)
    masks = torch.stack([ramp, 1 - ramp])
    paths = tmp_path / "a.png", tmp_path / "b.png"
    save_regions(Regions(("right", "left"), masks, masks), *paths)
    assert torch.equal(load_regions(*paths).content, (masks > 0.5).float())


def test_a_match_pairs_other_colours_and_may_join_regions(save) -> None:
    content, style = save(painted(["bgr"] * 3)), save(painted(["bwk"] * 3))
    regions = load_regions(content, style, match={"green": "white", "red": "white"})
    assert regions.names == ("blue", "white")
    assert regions.shares[1] == (pytest.approx(2 / 3, abs=0.02), pytest.approx(1 / 3, abs=0.02))
    assert len(regions.notes) == 1  # black is left out


def test_a_region_that_is_dropped_goes_to_its_neighbour(save) -> None:
    labels = save(painted(["bgr"] * 3))
    regions = load_regions(labels, labels, drop=["red"])
    assert regions.names == ("blue", "green")
    assert regions.content[1].mean() == pytest.approx(2 / 3, abs=0.02)
    assert regions.style.sum(0).mean() == pytest.approx(2 / 3, abs=0.02)
    assert "dropped" in regions.notes[0]
