"""What holds for every image and every region: sizes, means, partitions, what comes back from a file."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor

from photostyle import Photograph, fade, load_photograph, load_regions, save_photograph, save_regions
from photostyle.errors import RegionsError
from photostyle.image import fit, fit_size, resize, same_proportions, shrink
from photostyle.matting.render import render
from photostyle.regions.pairing import STRAY, pair_labels
from photostyle.regions.regions import Regions

settings.register_profile("photostyle", max_examples=60, derandomize=True, deadline=None, database=None)
examples = settings.get_profile("photostyle")

sides = st.integers(1, 24)
lengths = st.integers(1, 10_000)
seeds = st.integers(0, 2**31)


@st.composite
def images(draw: st.DrawFn, channels: int = 3, least: int = 1, most: int = 24) -> Tensor:
    """Noise of any small size, sometimes of one colour, sometimes black and white."""
    height, width = draw(st.integers(least, most)), draw(st.integers(least, most))
    image = torch.rand(channels, height, width, generator=torch.Generator().manual_seed(draw(seeds)))
    match draw(st.integers(0, 3)):
        case 0:
            return image[:, :1, :1].expand(channels, height, width).clone()
        case 1:
            return image.round()
    return image


@st.composite
def label_maps(draw: st.DrawFn, count: int) -> np.ndarray:
    """H×W indices below `count`: rectangles over each other, rarely all of the labels."""
    height, width = draw(st.integers(1, 20)), draw(st.integers(1, 20))
    labels = np.full((height, width), draw(st.integers(0, count - 1)), np.int64)
    for _ in range(draw(st.integers(0, 5))):
        top, left = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
        labels[top : top + draw(sides), left : left + draw(sides)] = draw(st.integers(0, count - 1))
    return labels


# --- images ------------------------------------------------------------------------------------------


@examples
@given(lengths, lengths, lengths, st.booleans())
def test_a_fitted_size_has_the_long_side_and_the_shape(height: int, width: int, long_side: int, enlarge: bool) -> None:
    h, w = fit_size(height, width, long_side, enlarge=enlarge)
    assert min(h, w) >= 1
    if max(height, width) <= long_side and not enlarge:
        assert (h, w) == (height, width)
        return
    assert max(h, w) == long_side
    assert (h > w) == (height > width) or h == w or height == width
    exact = min(height, width) * long_side / max(height, width)
    assert abs(min(h, w) - exact) <= 0.5 or (min(h, w) == 1 and exact < 1)
    assert fit_size(h, w, long_side, enlarge=enlarge) == (h, w)


@examples
@given(st.integers(32, 6000), st.integers(32, 6000), st.integers(24, 6000))
def test_what_was_fitted_has_the_same_proportions(height: int, width: int, long_side: int) -> None:
    assume(max(height, width) <= 12 * min(height, width))
    image = torch.empty(1, 1, 1).expand(1, height, width)
    small = torch.empty(1, 1, 1).expand(1, *fit_size(height, width, long_side))
    assert same_proportions(small, image) and same_proportions(image, image)
    assert not same_proportions(torch.empty(1, 1, 1).expand(1, height, 2 * width), image)


@examples
@given(images(), sides, sides)
def test_shrinking_is_the_mean_of_what_is_covered(image: Tensor, height: int, width: int) -> None:
    """Against each pixel drawn as many small ones: exact for sizes that divide them, which all do."""
    _, H, W = image.shape
    many = image.repeat_interleave(height, 1).repeat_interleave(width, 2)  # (H·h)×(W·w)
    expected = many.unflatten(1, (height, H)).unflatten(3, (width, W)).mean((2, 4))
    torch.testing.assert_close(shrink(image, (height, width)), expected, rtol=0, atol=1e-5)


@examples
@given(images(), sides, sides)
def test_shrinking_keeps_mean_and_range(image: Tensor, height: int, width: int) -> None:
    small = shrink(image, (height, width))
    torch.testing.assert_close(small.mean((1, 2)), image.mean((1, 2)), rtol=0, atol=1e-5)
    assert float(small.min()) >= float(image.min()) - 1e-5 and float(small.max()) <= float(image.max()) + 1e-5


@examples
@given(images(), sides, sides)
def test_resizing_stays_in_range_and_knows_no_side(image: Tensor, height: int, width: int) -> None:
    resized = resize(image, (height, width))
    assert resized.shape == (3, height, width) and resized.dtype == image.dtype
    assert bool(((resized >= 0) & (resized <= 1)).all())
    for axis in (1, 2):
        torch.testing.assert_close(resize(image.flip(axis), (height, width)), resized.flip(axis), rtol=0, atol=1e-4)
    torch.testing.assert_close(
        resize(image.transpose(1, 2), (width, height)), resized.transpose(1, 2), rtol=0, atol=1e-4
    )


@examples
@given(images(least=2))
def test_one_colour_stays_that_colour(image: Tensor) -> None:
    plain = image[:, :1, :1].expand_as(image)
    for changed in (fit(plain, 5), fit(plain, 50, enlarge=True), shrink(plain, (3, 4))):
        torch.testing.assert_close(changed, plain[:, :1, :1].expand_as(changed), rtol=0, atol=1e-5)


@examples
@given(images(), seeds, st.floats(0, 1))
def test_fading_stays_between(content: Tensor, seed: int, strength: float) -> None:
    result = torch.rand(content.shape, generator=torch.Generator().manual_seed(seed))
    faded = fade(content, result, strength)
    low, high = torch.minimum(content, result), torch.maximum(content, result)
    assert bool(((faded >= low - 1e-6) & (faded <= high + 1e-6)).all())
    assert torch.equal(fade(content, result, 0), content) and torch.equal(fade(content, result, 1), result)


@examples
@given(images(least=3), st.integers(3, 24))
def test_what_is_rendered_is_a_picture_of_that_size(photograph: Tensor, long_side: int) -> None:
    """Down to three pixels; and one colour stays that colour."""
    small = shrink(photograph, [max(3, side) for side in fit_size(*photograph.shape[1:], long_side)])
    plain = photograph[:, :1, :1].expand_as(photograph)
    rendered = render(small, photograph)
    assert rendered.shape == photograph.shape and bool(((rendered >= 0) & (rendered <= 1)).all())
    torch.testing.assert_close(render(plain[:, :3, :3], plain), plain, rtol=0, atol=1e-4)


# --- files -------------------------------------------------------------------------------------------

DEEP = {"PNG": (8, 16), "TIFF": (8, 16)}


@examples
@given(images(least=8), st.sampled_from(sorted(DEEP)), st.sampled_from((8, 16)))
def test_what_was_saved_comes_back(image: Tensor, format: str, bits: int) -> None:
    """To half a level; and what has been a file once comes back to the last bit."""
    stream = io.BytesIO()
    save_photograph(image, stream, format=format, bits=bits)  # type: ignore[arg-type]
    first = load_photograph(io.BytesIO(stream.getvalue()))
    assert first.bits == bits
    torch.testing.assert_close(first.pixels, image, rtol=0, atol=0.501 / (2**bits - 1))
    again = io.BytesIO()
    save_photograph(first.pixels, again, like=first, format=format)
    assert torch.equal(load_photograph(io.BytesIO(again.getvalue())).pixels, first.pixels)


@examples
@given(images(least=8), images(channels=1, least=8))
def test_transparency_comes_back(image: Tensor, alpha: Tensor) -> None:
    alpha = resize(alpha, image.shape[1:])
    stream = io.BytesIO()
    save_photograph(image, stream, like=Photograph(image, alpha=alpha, bits=16), format="PNG")
    back = load_photograph(io.BytesIO(stream.getvalue()))
    if back.alpha is None:  # of what was opaque
        back.alpha = torch.ones_like(alpha)
    torch.testing.assert_close(back.alpha, alpha, rtol=0, atol=1e-5)
    seen = (back.alpha > 0).expand_as(image)
    assert bool((back.pixels[~seen] == 1).all())  # colours that nobody sees are not kept
    torch.testing.assert_close(back.pixels[seen], image[seen], rtol=0, atol=1e-5)


# what a camera does to the upright picture before it writes the number: EXIF 2.32, 4.6.4 A
TURNS: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda x: x,
    2: np.fliplr,
    3: lambda x: np.rot90(x, 2),
    4: np.flipud,
    5: lambda x: x.swapaxes(0, 1),
    6: lambda x: np.rot90(x, 1),
    7: lambda x: np.rot90(x, 2).swapaxes(0, 1),
    8: lambda x: np.rot90(x, -1),
}


@examples
@given(images(least=8), st.sampled_from(sorted(TURNS)), st.sampled_from(("PNG", "TIFF", "WEBP")))
def test_every_orientation_is_set_upright(image: Tensor, orientation: int, format: str) -> None:
    levels = (image.permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()
    exif = Image.Exif()
    exif[0x0112] = orientation
    stream = io.BytesIO()
    turned = Image.fromarray(np.ascontiguousarray(TURNS[orientation](levels)))
    turned.save(stream, format, exif=exif, **({"lossless": True} if format == "WEBP" else {}))
    pixels = load_photograph(io.BytesIO(stream.getvalue())).pixels
    assert np.array_equal((pixels.permute(1, 2, 0) * 255).round().numpy(), levels)


# --- regions -----------------------------------------------------------------------------------------

NAMES = ("sky", "sea", "land", "tower")


@examples
@given(label_maps(4), label_maps(4), st.sets(st.sampled_from(NAMES), max_size=2))
def test_paired_labels_give_every_pixel_one_model(content: np.ndarray, style: np.ndarray, drop: set[str]) -> None:
    here, there = ({NAMES[label] for label in np.unique(labels)} for labels in (content, style))
    try:
        regions = pair_labels(content, NAMES, style, NAMES, drop=drop)
    except RegionsError:
        assert not (here & there) - drop or drop - (here | there)
        return
    assert set(regions.names) == (here & there) - drop
    assert torch.equal(regions.content.sum(0), torch.ones(content.shape))  # hard, and all of it
    assert set(regions.content.unique().tolist()) <= {0.0, 1.0}
    for name, mask, model in zip(regions.names, regions.content, regions.style, strict=True):
        label = NAMES.index(name)
        assert bool((mask.numpy()[content == label] == 1).all())
        assert np.array_equal(model.numpy() == 1, style == label)  # a model is never added to
    orphans = (here | there) - set(regions.names)
    told = " ".join(regions.notes)
    assert all(f"Region {name} " in told for name in orphans if name in here or name not in drop)


@examples
@given(label_maps(3), label_maps(3))
def test_a_match_is_a_name(content: np.ndarray, style: np.ndarray) -> None:
    """Other names on one side, matched one to one, give the same regions."""
    others = tuple(f"other {name}" for name in NAMES[:3])
    here, there = ({int(label) for label in np.unique(labels)} for labels in (content, style))
    assume(here & there)
    expected = pair_labels(content, NAMES[:3], style, NAMES[:3])
    match = {others[label]: NAMES[label] for label in here & there}
    regions = pair_labels(content, others, style, NAMES[:3], match=match)
    assert set(regions.names) == set(expected.names)
    for name, mask in zip(expected.names, expected.content, strict=True):
        assert torch.equal(regions.content[regions.names.index(name)], mask)


@examples
@given(label_maps(5), label_maps(5), st.floats(0.1, 3), st.floats(0.1, 3))
def test_regions_of_another_size_still_cover_everything(
    content: np.ndarray, style: np.ndarray, by: float, style_by: float
) -> None:
    assume(set(np.unique(content)) & set(np.unique(style)))
    regions = pair_labels(content, "abcde", style, "abcde")
    images = [
        torch.rand(3, *(max(1, round(factor * side)) for side in labels.shape))
        for labels, factor in ((content, by), (style, style_by))
    ]
    assume(all(same_proportions(m, x) for m, x in zip((regions.content, regions.style), images, strict=True)))
    try:
        fitted = regions.fit(*images)
    except RegionsError as error:  # a sliver may vanish from a tiny image, and then it is said
        assert "is empty" in str(error)
        return
    assert fitted.names == regions.names
    assert fitted.content.shape[1:] == images[0].shape[1:] and fitted.style.shape[1:] == images[1].shape[1:]
    torch.testing.assert_close(fitted.content.sum(0), torch.ones(images[0].shape[1:]), rtol=0, atol=1e-5)
    assert float(fitted.style.sum(0).max()) <= 1 + 1e-5
    for before, after in zip(regions.shares, fitted.shares, strict=True):
        assert all(0 < share <= 1 + 1e-6 for share in after) and all(0 < share <= 1 for share in before)


@examples
@given(st.integers(1, 63), seeds)
def test_regions_come_back_from_label_images(count: int, seed: int) -> None:
    """As many as a label image can hold, in tiles, each in a colour of its own; in the style some pixels in none."""
    chance = np.random.default_rng(seed)
    side = math.ceil(math.sqrt(count))

    def masks() -> Tensor:
        tiles = chance.permutation(np.resize(np.arange(count), side * side)).reshape(side, side)
        tiles[tiles >= count] = 0
        labels = torch.from_numpy(tiles.repeat(3, 0).repeat(4, 1))
        return (labels == torch.arange(count)[:, None, None]).float()

    content, style = masks(), masks()
    if count > 1:
        style[:, 0, :2] = 0  # a single pixel would be a stray mark
    regions = Regions(tuple(map(str, range(count))), content, style)
    with TemporaryDirectory() as folder:
        paths = Path(folder, "content.png"), Path(folder, "style.png")
        save_regions(regions, *paths)
        back = load_regions(*paths)

    def parts(regions: Regions) -> set[tuple[bytes, bytes]]:
        pairs = zip(regions.content, regions.style, strict=True)
        return {(here.numpy().tobytes(), there.numpy().tobytes()) for here, there in pairs}

    assert parts(back) == parts(regions)


@examples
@given(st.integers(2, 9), seeds, st.integers(0, 29))
def test_noise_on_the_papers_colours_changes_no_label(count: int, seed: int, noise: int) -> None:
    """What JPEG does to a label image, in tiles that are wide enough to be painted."""
    from photostyle.regions.palette import PALETTE

    chance = np.random.default_rng(seed)
    tiles = np.resize(chance.permutation(count), (3, 3)).repeat(5, 0).repeat(5, 1)
    colors = np.array(list(PALETTE.values()))[tiles]
    noisy = (colors + chance.integers(-noise, noise + 1, colors.shape)).clip(0, 255).astype(np.uint8)
    with TemporaryDirectory() as folder:
        sound, spoilt = Path(folder, "sound.png"), Path(folder, "spoilt.png")
        Image.fromarray(colors.astype(np.uint8)).save(sound)
        Image.fromarray(noisy).save(spoilt)
        expected, regions = load_regions(sound, sound), load_regions(spoilt, sound)
    assert regions.names == expected.names and torch.equal(regions.content, expected.content)


def test_the_share_of_a_stray_mark_is_below_what_these_tests_paint() -> None:
    """A label on one of at most 400 pixels is a region."""
    assert STRAY < 1 / 400


@pytest.mark.parametrize("flip", [1, 2])
@examples
@given(labels=label_maps(3), other=label_maps(3))
def test_regions_know_no_side(flip: int, labels: np.ndarray, other: np.ndarray) -> None:
    """Mirrored labels give mirrored masks, but for orphans between two that are as near and as large."""
    assume(set(np.unique(labels)) <= set(np.unique(other)))
    regions = pair_labels(labels, "abc", other, "abc")
    mirrored = pair_labels(np.flip(labels, flip - 1), "abc", np.flip(other, flip - 1), "abc")
    assert torch.equal(mirrored.content, regions.content.flip(flip))
    assert torch.equal(mirrored.style, regions.style.flip(flip))
