"""Label images as people save them: one drawing, encoded in every way that was met, is read as the same regions."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pictures import gray_profile, swapped_profile
from PIL import Image, ImageDraw
from scipy import ndimage

from photostyle.errors import ImageError, RegionsError
from photostyle.matting.trimaps import load_trimap
from photostyle.photofile.encode import Picture, encode
from photostyle.photofile.spaces import srgb_profile
from photostyle.regions.labels import load_regions
from photostyle.regions.palette import PALETTE

Colors = NDArray[np.uint8]
Encode = Callable[[Path, "Drawn"], Path]

HEIGHT, WIDTH, FINE = 120, 160, 8


class Drawn:
    """Sky above land, and in front of them a disc and a post: their labels, coarse, and `FINE` times the size."""

    def __init__(self, colors: list[tuple[int, int, int]], lean: float = 0.15, radius: float = 0.2) -> None:
        self.colors = np.array(colors, np.uint8)
        fine = Image.new("L", (WIDTH * FINE, HEIGHT * FINE))
        draw, (w, h) = ImageDraw.Draw(fine), fine.size
        draw.polygon([(0, h * (0.5 - lean)), (w, h * (0.5 + lean)), (w, h), (0, h)], fill=1)
        if len(colors) > 2:
            r, x, y = radius * h, 0.7 * w, 0.3 * h
            draw.ellipse((x - r, y - r, x + r, y + r), fill=2)
        if len(colors) > 3:
            draw.rectangle((0.2 * w, 0.25 * h, 0.34 * w, 0.8 * h), fill=3)
        self.fine = np.asarray(fine)
        self.labels = self.fine[FINE // 2 :: FINE, FINE // 2 :: FINE]

    @property
    def hard(self) -> Colors:
        return self.colors[self.labels]

    @property
    def smooth(self) -> Colors:
        """Antialiased: drawn large and reduced."""
        return np.asarray(Image.fromarray(self.colors[self.fine]).resize((WIDTH, HEIGHT), Image.Resampling.BOX))

    def soft(self, pixels: float) -> Image.Image:
        """Blurred."""
        planes = [ndimage.gaussian_filter(self.hard[..., c].astype(float), pixels) for c in range(3)]
        return Image.fromarray(np.stack(planes, axis=-1).round().astype(np.uint8))


def of_pillow(change: Callable[[Drawn], Image.Image | Colors], suffix: str = ".png", **options: object) -> Encode:
    def encode(path: Path, drawn: Drawn) -> Path:
        picture = change(drawn)
        image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
        image.save(path.with_suffix(suffix), **options)
        return path.with_suffix(suffix)

    return encode


def gray(drawn: Drawn) -> Image.Image:
    return Image.fromarray(drawn.hard).convert("L")


def turned(orientation: int) -> Encode:
    """As a camera writes a picture and the number that sets it upright (EXIF 2.32, 4.6.4 A)."""
    back = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    return of_pillow(lambda d: Image.fromarray(d.hard).transpose(back[orientation]), exif=exif)


def with_alpha(drawn: Drawn, alpha: NDArray[np.uint8]) -> Colors:
    return np.dstack([drawn.hard, alpha])


def noisy(drawn: Drawn, most: int) -> Colors:
    chance = np.random.default_rng(0)
    noise = chance.integers(-most, most + 1, drawn.hard.shape)
    return (drawn.hard.astype(int) + noise).clip(0, 255).astype(np.uint8)


def wide(path: Path, drawn: Drawn) -> Path:
    """PNG of 16 bits, three channels, which Pillow does not write."""
    levels = drawn.hard.astype(np.uint16) * 257
    path.with_suffix(".png").write_bytes(encode(Picture(levels, srgb_profile(), None, None, None), "PNG", 95))
    return path.with_suffix(".png")


def floating(most: float) -> Encode:
    def encode(path: Path, drawn: Drawn) -> Path:
        tifffile.imwrite(path.with_suffix(".tif"), (drawn.hard / 255 * most).astype(np.float32), photometric="rgb")
        return path.with_suffix(".tif")

    return encode


def swapped(drawn: Drawn) -> Colors:
    """What a file holds whose profile says that red is green."""
    return np.ascontiguousarray(drawn.hard[..., [1, 0, 2]])


# of any colours
ENCODINGS: dict[str, Encode] = {
    "png": of_pillow(lambda d: d.hard),
    "tiff": of_pillow(lambda d: d.hard, ".tif"),
    "bmp": of_pillow(lambda d: d.hard, ".bmp"),
    "ppm": of_pillow(lambda d: d.hard, ".ppm"),
    "gif": of_pillow(lambda d: d.hard, ".gif"),
    "webp": of_pillow(lambda d: d.hard, ".webp", quality=80),
    "webp, lossless": of_pillow(lambda d: d.hard, ".webp", lossless=True),
    "colour table": of_pillow(lambda d: Image.fromarray(d.hard).convert("P", palette=Image.Palette.ADAPTIVE)),
    "opaque layer": of_pillow(lambda d: with_alpha(d, np.full((HEIGHT, WIDTH), 255, np.uint8))),
    "half opaque layer": of_pillow(lambda d: with_alpha(d, np.full((HEIGHT, WIDTH), 128, np.uint8))),
    "16 bits": wide,
    "floating point": floating(1.0),
    "floating point to 255": floating(255.0),
    "floating point to 65535": floating(65535.0),
    "jpeg 95": of_pillow(lambda d: d.hard, ".jpg", quality=95),
    "jpeg 75": of_pillow(lambda d: d.hard, ".jpg", quality=75),
    "jpeg 40": of_pillow(lambda d: d.hard, ".jpg", quality=40),
    "jpeg 15": of_pillow(lambda d: d.hard, ".jpg", quality=15),
    "jpeg saved as png": of_pillow(lambda d: recompressed(d, 60)),
    "antialiased": of_pillow(lambda d: d.smooth),
    "antialiased jpeg": of_pillow(lambda d: d.smooth, ".jpg", quality=85),
    "antialiased, 32 colours": of_pillow(lambda d: Image.fromarray(d.smooth).quantize(32)),
    "blurred by 1": of_pillow(lambda d: d.soft(1)),
    "blurred by 3": of_pillow(lambda d: d.soft(3)),
    "enlarged": of_pillow(lambda d: Image.fromarray(d.hard).resize((2 * WIDTH, 2 * HEIGHT), Image.Resampling.BICUBIC)),
    "reduced": of_pillow(lambda d: Image.fromarray(d.hard).resize((3 * WIDTH // 4, 3 * HEIGHT // 4))),
    "noise of 2": of_pillow(lambda d: noisy(d, 2)),
    "noise of 8": of_pillow(lambda d: noisy(d, 8)),
    "a profile": of_pillow(swapped, icc_profile=swapped_profile()),
    **{f"orientation {n}": turned(n) for n in range(2, 9)},
}
# of black and white
MASKS: dict[str, Encode] = {
    "one channel": of_pillow(gray),
    "one bit": of_pillow(lambda d: gray(d).convert("1")),
    "one bit tiff": of_pillow(lambda d: gray(d).convert("1"), ".tif"),
    "two bits": of_pillow(lambda d: gray(d).quantize(2, dither=Image.Dither.NONE), bits=2),
    "16 bits gray": of_pillow(lambda d: np.asarray(gray(d)).astype(np.uint16) * 257),
    "gray jpeg": of_pillow(gray, ".jpg", quality=85),
    "gray jpeg 20": of_pillow(gray, ".jpg", quality=20),
    "antialiased gray": of_pillow(lambda d: Image.fromarray(d.smooth).convert("L")),
    "blurred gray": of_pillow(lambda d: d.soft(3).convert("L")),
    "dithered": of_pillow(lambda d: d.soft(2).convert("1")),
    "0 and 1": of_pillow(lambda d: np.asarray(gray(d)) // 255),
    "0 and 1 in three channels": of_pillow(lambda d: d.hard // 255),
    "0 and 1 of 16 bits": of_pillow(lambda d: np.asarray(gray(d)).astype(np.uint16) // 255),
    "not quite black and white": of_pillow(lambda d: 6 + (d.hard // 255) * np.uint8(243)),
    "gray with alpha": of_pillow(lambda d: gray(d).convert("LA")),
    "in the alpha channel": of_pillow(lambda d: np.dstack([np.full_like(d.hard, 255), gray(d)])),
    "in the alpha channel, antialiased": of_pillow(lambda d: np.dstack([np.full_like(d.hard, 90), d.smooth[..., 0]])),
    "a layer with white paint": of_pillow(lambda d: with_alpha(d, np.asarray(gray(d)))),
    "a cut-out": of_pillow(lambda d: np.dstack([photograph(), gray(d)])),
    "gamma of 2.2": of_pillow(gray, icc_profile=gray_profile(2.2)),
    "0 and 1, gamma of 2.2": of_pillow(lambda d: np.asarray(gray(d)) // 255, icc_profile=gray_profile(2.2)),
    "white is zero": lambda path, d: white_is_zero(path.with_suffix(".tif"), d),
}


def recompressed(drawn: Drawn, quality: int) -> Image.Image:
    stream = io.BytesIO()
    Image.fromarray(drawn.hard).save(stream, "JPEG", quality=quality)
    return Image.open(stream).convert("RGB")


def photograph() -> Colors:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    grain = np.random.default_rng(0).integers(0, 30, (HEIGHT, WIDTH, 3))
    return (np.stack([x, y, (x + y) // 2], axis=-1) + grain).clip(0, 255).astype(np.uint8)


def white_is_zero(path: Path, drawn: Drawn) -> Path:
    tifffile.imwrite(path, 255 - np.asarray(gray(drawn)), photometric="miniswhite")
    return path


MASK = [(0, 0, 0), (255, 255, 255)]
SCENES = {
    "mask": MASK,
    "of the paper": [PALETTE["blue"], PALETTE["green"], PALETTE["yellow"], PALETTE["red"]],
    "blends": [PALETTE["blue"], PALETTE["black"], PALETTE["yellow"], PALETTE["white"]],
    "of a data set": [(6, 230, 230), (4, 200, 3), (180, 120, 120), (4, 250, 7)],
    "one of one's own": [PALETTE["blue"], PALETTE["green"], (255, 128, 0)],
    "two blues": [(0, 0, 255), (255, 255, 255), (0, 0, 180)],
    "white and light grey": [(255, 255, 255), (0, 0, 0), (205, 205, 205)],
    "all of one's own": [(200, 100, 50), (20, 150, 90), (90, 60, 160), (230, 220, 120)],
}


def check(one: Path, other: Path, drawn: Drawn, lost: float = 0.02) -> None:
    """Both files have the regions that were drawn, nearly, and no more."""
    regions = load_regions(one, other)
    count = len(drawn.colors)
    assert len(regions.names) == count, (regions.names, regions.shares, regions.notes)
    for masks in (regions.content, regions.style):
        labels = masks.argmax(0).numpy()
        size = Image.fromarray(drawn.labels).resize(labels.shape[::-1], Image.Resampling.NEAREST)
        expected = np.asarray(size)
        into = [np.bincount(expected[labels == k], minlength=count).argmax() for k in range(count)]
        assert sorted(into) == list(range(count))
        assert (np.array(into)[labels] != expected).mean() <= lost
    pairs = [m.argmax(0).numpy().mean() for m in (regions.content, regions.style)]
    assert abs(pairs[0] - pairs[1]) < 0.1 * count  # the same names on both sides


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("scene", SCENES)
def test_any_colours_in_any_encoding(tmp_path: Path, scene: str, encoding: str) -> None:
    drawn = Drawn(SCENES[scene])
    path = ENCODINGS[encoding](tmp_path / "one", drawn)
    check(path, ENCODINGS["png"](tmp_path / "other", drawn), drawn)


@pytest.mark.parametrize("encoding", MASKS)
def test_masks_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    drawn = Drawn(MASK)
    path = MASKS[encoding](tmp_path / "one", drawn)
    check(path, path, drawn)
    check(path, ENCODINGS["png"](tmp_path / "other", drawn), drawn)


# of numbers: the same four regions each time
NUMBERS = [(0, 0, 0), (1, 1, 1), (2, 2, 2), (3, 3, 3)]
INDICES: dict[str, Encode] = {
    "one channel": of_pillow(lambda d: d.hard[..., 0].copy()),
    "three channels": of_pillow(lambda d: d.hard),
    "four channels": of_pillow(lambda d: with_alpha(d, np.full((HEIGHT, WIDTH), 255, np.uint8))),
    "16 bits": of_pillow(lambda d: d.hard[..., 0].astype(np.uint16)),
    "tiff": of_pillow(lambda d: d.hard[..., 0].copy(), ".tif"),
    "orientation 3": turned(3),
    "gamma of 2.2": of_pillow(lambda d: d.hard[..., 0].copy(), icc_profile=gray_profile(2.2)),
    "in a colour table": lambda path, d: in_a_table(path.with_suffix(".png"), d, [20, 30, 40, 200, 10, 10, 0, 99, 0]),
    "in a gray table": lambda path, d: in_a_table(path.with_suffix(".png"), d, [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]),
    "stretched": of_pillow(lambda d: d.hard[..., 0] * 85),
    "two bits": lambda path, d: two_bits(path.with_suffix(".png"), d),
}


def in_a_table(path: Path, drawn: Drawn, table: list[int]) -> Path:
    image = Image.fromarray(drawn.labels).convert("L")
    image = Image.frombytes("P", image.size, image.tobytes())
    image.putpalette(table + [7] * 3)
    image.save(path)
    return path


def two_bits(path: Path, drawn: Drawn) -> Path:
    """Gray PNG with two bits for each pixel, which Pillow does not write."""
    rows = drawn.labels.reshape(HEIGHT, WIDTH // 4, 4) @ np.array([64, 16, 4, 1])
    stream = io.BytesIO()
    Image.fromarray(drawn.labels).save(stream, "PNG")
    data = zlib.compress(np.pad(rows.astype(np.uint8), ((0, 0), (1, 0))).tobytes())
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 2, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    parts = [
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    ]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    return path


@pytest.mark.parametrize("other", ["one channel", "three channels", "stretched", "in a colour table"])
@pytest.mark.parametrize("encoding", INDICES)
def test_numbers_in_any_encoding(tmp_path: Path, encoding: str, other: str) -> None:
    if {encoding, other} & {"stretched", "two bits"} and "in a colour table" in {encoding, other}:
        pytest.skip("neither holds numbers")
    drawn = Drawn(NUMBERS)
    check(INDICES[encoding](tmp_path / "one", drawn), INDICES[other](tmp_path / "other", drawn), drawn)


def test_numbers_with_a_void_between(tmp_path: Path) -> None:
    """As in data sets: 255 on the borders of objects is left out nowhere else."""
    drawn = Drawn(NUMBERS)
    labels = drawn.labels.copy()
    labels[ndimage.grey_dilation(labels, 5) != ndimage.grey_erosion(labels, 5)] = 255
    Image.fromarray(labels).save(tmp_path / "a.png")
    regions = load_regions(tmp_path / "a.png", tmp_path / "a.png")
    assert regions.names == ("label 0", "label 1", "label 2", "label 3", "label 255")


@settings(max_examples=40, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(sorted(SCENES)),
    st.sampled_from(sorted(ENCODINGS)),
    st.sampled_from(sorted(ENCODINGS)),
    st.floats(-0.3, 0.3),
    st.floats(0.15, 0.24),
)
def test_any_two_encodings_agree(
    tmp_path_factory: pytest.TempPathFactory, scene: str, one: str, other: str, lean: float, radius: float
) -> None:
    folder, drawn = tmp_path_factory.mktemp("labels"), Drawn(SCENES[scene], lean, radius)
    check(ENCODINGS[one](folder / "one", drawn), ENCODINGS[other](folder / "other", drawn), drawn, lost=0.03)


@settings(max_examples=60, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(*[st.integers(0, 255)] * 3), min_size=1, max_size=12, unique=True))
def test_separate_flat_colours_never_become_one(
    tmp_path_factory: pytest.TempPathFactory, colors: list[tuple[int, int, int]]
) -> None:
    """Of any colours, however alike; a stripe each."""
    path = tmp_path_factory.mktemp("labels") / "a.png"
    stripes = np.array(colors, np.uint8).repeat(5, axis=0)[:, None].repeat(12, axis=1)
    Image.fromarray(stripes).save(path)
    regions = load_regions(path, path)
    assert len(regions.names) == len(set(regions.names)) == len(colors) and regions.notes == ()
    assert [mask.sum() for mask in regions.content] == [60] * len(colors)


# --- what is told --------------------------------------------------------------------------------------


def test_a_photograph_cut_out_is_read_by_its_alpha_and_it_is_told(tmp_path: Path) -> None:
    path = MASKS["a cut-out"](tmp_path / "a", Drawn(MASK))
    regions = load_regions(path, path)
    assert set(regions.names) == {"black", "white"}
    assert all("is read by its alpha channel: white is opaque, black transparent." in note for note in regions.notes)


def test_transparent_is_unknown_beside_two_paints(tmp_path: Path) -> None:
    """In the content it goes to the nearest region, in the style to none."""
    drawn = Drawn([PALETTE["blue"], PALETTE["red"]])
    alpha = np.full((HEIGHT, WIDTH), 255, np.uint8)
    alpha[:, :40] = 0
    layer = with_alpha(drawn, alpha)
    layer[:, :40, :3] = (7, 200, 90)
    Image.fromarray(layer).save(tmp_path / "a.png")
    regions = load_regions(tmp_path / "a.png", tmp_path / "a.png")
    assert set(regions.names) == {"blue", "red"}
    assert torch.equal(regions.content.sum(0), torch.ones(HEIGHT, WIDTH))
    assert torch.equal(regions.style.sum(0) == 0, torch.from_numpy(alpha == 0))
    assert [note.split("a.png is ")[1] for note in regions.notes] == [
        "transparent: that goes to the nearest region.",
        "transparent: that is left out.",
    ]


def test_all_transparent_is_an_error(tmp_path: Path) -> None:
    Image.fromarray(with_alpha(Drawn(MASK), np.zeros((HEIGHT, WIDTH), np.uint8))).save(tmp_path / "a.png")
    with pytest.raises(RegionsError, match=r"a\.png is wholly transparent: paint"):
        load_regions(tmp_path / "a.png", tmp_path / "a.png")


def test_colours_that_differ_between_the_files_are_told(tmp_path: Path) -> None:
    Image.fromarray(Drawn([(0, 0, 255), (255, 255, 255)]).hard).save(tmp_path / "a.png")
    Image.fromarray(Drawn([(40, 30, 220), (255, 255, 255)]).hard).save(tmp_path / "b.png")
    regions = load_regions(tmp_path / "a.png", tmp_path / "b.png")
    assert set(regions.names) == {"blue", "white"}
    (note,) = regions.notes
    assert "The colour #281edc of" in note and "is taken for blue, which is #0000ff in" in note


def test_a_file_that_is_worn_and_has_colours_too_much_alike_is_told(tmp_path: Path) -> None:
    drawn = Drawn([(0, 0, 255), (255, 255, 255), (0, 20, 250)])
    Image.fromarray(drawn.smooth).save(tmp_path / "a.png")
    regions = load_regions(tmp_path / "a.png", tmp_path / "a.png")
    assert len(regions.names) == 2
    assert any("#0014fa" in note and "that it is taken for it" in note for note in regions.notes)


def test_what_is_no_label_image_says_what_to_do(tmp_path: Path) -> None:
    Image.fromarray(photograph()).save(tmp_path / "a.png")
    with pytest.raises(RegionsError, match=r"a\.png is not a label image: .* flat colours.*Paint with a hard brush"):
        load_regions(tmp_path / "a.png", tmp_path / "a.png")


# --- soft masks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("colors", [MASK, [PALETTE["yellow"], PALETTE["blue"]]])
def test_soft_masks_are_the_parts_of_a_blend(tmp_path: Path, colors: list[tuple[int, int, int]]) -> None:
    drawn = Drawn(colors)
    weight = ndimage.gaussian_filter((drawn.labels == 1).astype(float), 6)
    blend = drawn.colors[0] + weight[..., None] * (drawn.colors[1].astype(float) - drawn.colors[0])
    Image.fromarray(blend.round().astype(np.uint8)).save(tmp_path / "a.png")
    soft = load_regions(tmp_path / "a.png", tmp_path / "a.png", soft=True)
    assert len(soft.names) == 2
    # the land is below
    land = soft.content[int(soft.content[:, -1].mean(1).argmax())].numpy()
    assert np.abs(land - weight).max() < 0.04
    assert soft.content.sum(0).numpy() == pytest.approx(1, abs=1e-6)
    hard = load_regions(tmp_path / "a.png", tmp_path / "a.png")
    assert set(hard.content.unique().tolist()) == {0.0, 1.0}


def test_a_gradient_is_a_soft_mask_and_no_hard_one(tmp_path: Path) -> None:
    ramp = np.linspace(0, 255, WIDTH).round().astype(np.uint8)[None].repeat(HEIGHT, axis=0)
    Image.fromarray(ramp).save(tmp_path / "a.png")
    with pytest.raises(RegionsError, match="--soft-masks"):
        load_regions(tmp_path / "a.png", tmp_path / "a.png")
    regions = load_regions(tmp_path / "a.png", tmp_path / "a.png", soft=True)
    white = regions.content[regions.names.index("white")].numpy()
    assert np.abs(white - ramp / 255).max() < 0.04


# --- trimaps -------------------------------------------------------------------------------------------


def test_transparent_is_unknown_in_a_trimap(tmp_path: Path) -> None:
    drawn = Drawn(MASK)
    alpha = np.full((HEIGHT, WIDTH), 255, np.uint8)
    alpha[50:70] = 0
    Image.fromarray(with_alpha(drawn, alpha)).save(tmp_path / "a.png")
    trimap, (note,) = load_trimap(tmp_path / "a.png", (HEIGHT, WIDTH))
    assert torch.equal(trimap.isnan(), torch.from_numpy(alpha == 0))
    assert np.array_equal(trimap.numpy()[alpha > 0], drawn.labels[alpha > 0])
    assert note.endswith("is transparent: that is unknown.") and note.startswith("17%")


@pytest.mark.parametrize("encoding", [name for name in MASKS if "jpeg" not in name and name != "a cut-out"])
def test_trimaps_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    drawn = Drawn(MASK)
    trimap, _ = load_trimap(MASKS[encoding](tmp_path / "a", drawn), (HEIGHT, WIDTH))
    inside = (
        ndimage.binary_erosion(drawn.labels == 1, iterations=9),
        ndimage.binary_erosion(drawn.labels == 0, iterations=9),
    )
    assert (
        float(trimap[torch.from_numpy(inside[0])].min()) > 0.9
        and float(trimap[torch.from_numpy(inside[1])].max()) < 0.1
    )


def test_a_trimap_a_few_pixels_off_is_resized_and_it_is_told(tmp_path: Path) -> None:
    gray(Drawn(MASK)).save(tmp_path / "a.png")
    trimap, (note,) = load_trimap(tmp_path / "a.png", (HEIGHT + 2, WIDTH - 3))
    assert trimap.shape == (HEIGHT + 2, WIDTH - 3) and set(trimap.unique().tolist()) == {0.0, 1.0}
    assert "has 160×120 pixels and the photograph 157×122: it is resized." in note
    with pytest.raises(ImageError, match="make their sizes the same"):
        load_trimap(tmp_path / "a.png", (HEIGHT + 5, WIDTH))


def test_a_trimap_that_is_all_transparent_is_an_error(tmp_path: Path) -> None:
    Image.fromarray(with_alpha(Drawn(MASK), np.zeros((HEIGHT, WIDTH), np.uint8))).save(tmp_path / "a.png")
    with pytest.raises(ImageError, match="wholly transparent"):
        load_trimap(tmp_path / "a.png", (HEIGHT, WIDTH))
