"""Label images as people save them: one drawing, encoded in every way that was met, is read as the same regions."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageDraw

from photostyle.errors import RegionsError
from photostyle.labels import PALETTE, load_regions
from photostyle.photofile.spaces import srgb_profile

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
        from scipy import ndimage

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
    from photostyle.photofile.encode import Picture, encode

    levels = drawn.hard.astype(np.uint16) * 257
    path.with_suffix(".png").write_bytes(encode(Picture(levels, srgb_profile(), None, None, None), "PNG", 95))
    return path.with_suffix(".png")


def floating(most: float) -> Encode:
    def encode(path: Path, drawn: Drawn) -> Path:
        tifffile.imwrite(path.with_suffix(".tif"), (drawn.hard / 255 * most).astype(np.float32), photometric="rgb")
        return path.with_suffix(".tif")

    return encode


def in_display_p3(drawn: Drawn) -> Image.Image:
    """The same colours, saved with a wider profile: three curves and a matrix (ICC.1:2022, 8.4)."""
    source, target = ImageCms.createProfile("sRGB"), ImageCms.ImageCmsProfile(_file(wide_profile()))
    return ImageCms.profileToProfile(Image.fromarray(drawn.hard), source, target, outputMode="RGB")


def _file(data: bytes) -> object:
    import io

    return io.BytesIO(data)


def wide_profile() -> bytes:
    """sRGB's, its primaries taken a fifth of the way to white from where they are, outward."""
    data = bytearray(srgb_profile())
    white = np.array([0.9642, 1.0, 0.8249])
    (count,) = struct.unpack_from(">I", data, 128)
    tags = {
        data[132 + 12 * i : 136 + 12 * i].decode(): struct.unpack_from(">I", data, 136 + 12 * i)[0]
        for i in range(count)
    }
    columns = {c: np.array(struct.unpack_from(">iii", data, tags[f"{c}XYZ"] + 8)) / 65536 for c in "rgb"}
    for name, column in columns.items():
        others = sum(columns.values()) - column
        moved = column + 0.06 * (column - others / 2) - 0.02 * (white - sum(columns.values()))
        struct.pack_into(">iii", data, tags[f"{name}XYZ"] + 8, *(int(round(v * 65536)) for v in moved))
    return bytes(data)


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
    "white is zero": lambda path, d: white_is_zero(path.with_suffix(".tif"), d),
}


def recompressed(drawn: Drawn, quality: int) -> Image.Image:
    import io

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
