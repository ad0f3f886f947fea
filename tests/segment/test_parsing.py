"""Scene parsing: what photographs show, in any light and at any size, and read as the formula says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from photostyle import load_image, load_weights
from photostyle.color.spaces import adapted, balanced
from photostyle.errors import WeightsError
from photostyle.image import fit, shrink
from photostyle.network.backbones import SCENE_BACKBONE
from photostyle.network.lite import Lite
from photostyle.network.lites import LITE2
from photostyle.network.weights import Weights
from photostyle.segment.parsing import CLASSES, LAYERS, NUMBERS, evidence, on_cells, parse_cells, parse_scene
from photostyle.tensors import read_tensors
from photostyle.terms.energy import Features

Picture = Callable[..., Tensor]
Parse = Callable[[Tensor], Tensor]

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
EXAMPLE_NAMES = [f"{pair}/{side}" for pair in ("palace-night", "meadow-sunset") for side in ("content", "style")]
BLUE = torch.tensor([0.0, 0.0, 1.0])  # the sky, in the label images
SKY, PLANTS, LAND, BUILT, THING = (CLASSES.index(name) for name in ("sky", "plants", "land", "built", "thing"))
CHANNELS = {block.name: block.channels for block in LITE2.blocks if block.name in LAYERS}
STRIDES = dict(zip(LAYERS, (16, 16, 32), strict=True))
DEEP = sum(CHANNELS.values())


@pytest.fixture(scope="module")
def parse() -> Parse:
    """`parse(photograph)`: brightened if it is dark, half of its cast taken out, and parsed by the network."""
    return parser(load_weights(SCENE_BACKBONE))


def parser(weights: Weights) -> Parse:
    lite = Lite(weights)

    def parse(photograph: Tensor) -> Tensor:
        image = balanced(adapted(photograph))
        return parse_scene(lite(image, LAYERS), image)

    return parse


def example(name: str) -> Tensor:
    return fit(load_image(EXAMPLES / f"{name}.jpg"), 448)


def painted_sky(name: str, size: torch.Size) -> Tensor:
    """Where the sky is painted in an example's label image, h×w, bool."""
    labels = load_image(EXAMPLES / f"{name}_regions.png")
    sky = (labels - BLUE[:, None, None]).abs().amax(0) < 0.1
    return shrink(sky[None].float(), size)[0] > 0.5


def likeness(a: Tensor, b: Tensor) -> float:
    """Intersection over union of two masks."""
    return float((a & b).sum() / (a | b).sum())


def shares(parsed: Tensor) -> Tensor:
    """The share of the cells of each class, 7."""
    return torch.bincount(parsed.argmax(0).flatten(), minlength=len(CLASSES)) / parsed[0].numel()


def made_up(image: Tensor, channels: dict[str, int] = CHANNELS) -> Features:
    """Random features of the sizes that the network's have."""
    generator = torch.Generator().manual_seed(0)
    return {
        layer: torch.randn(n, *(-(-side // STRIDES[layer]) for side in image.shape[1:]), generator=generator)
        for layer, n in channels.items()
    }


# --- photographs -----------------------------------------------------------------------------------------


@pytest.mark.weights
@pytest.mark.parametrize("name", EXAMPLE_NAMES)
def test_the_sky_is_where_somebody_painted_it(parse: Parse, name: str) -> None:
    sky = parse(example(name)).argmax(0) == SKY
    assert likeness(sky, painted_sky(name, sky.shape)) > 0.7


@pytest.mark.weights
@pytest.mark.parametrize(
    ("name", "shown", "least"),
    [
        ("maple-autumn/content", {PLANTS}, 0.95),
        ("maple-autumn/style", {PLANTS}, 0.95),
        ("palace-night/content", {SKY, PLANTS, BUILT}, 0.9),
        ("palace-night/style", {SKY, BUILT}, 0.65),  # the rest is water
        ("meadow-sunset/content", {SKY, PLANTS, LAND}, 0.95),
        ("meadow-sunset/style", {SKY, LAND}, 0.9),
    ],
)
def test_what_photographs_show(parse: Parse, name: str, shown: set[int], least: float) -> None:
    found = shares(parse(example(name)))
    assert float(found[list(shown)].sum()) > least
    assert min(float(found[k]) for k in shown) > 0.1


@pytest.mark.weights
def test_a_person_is_a_thing(parse: Parse, portrait: Tensor) -> None:
    found = parse(portrait).argmax(0)
    h, w = found.shape
    assert float((found[h // 4 :, w // 4 : w // 2] == THING).float().mean()) > 0.9


@pytest.mark.weights
@pytest.mark.parametrize("name", EXAMPLE_NAMES)
def test_light_does_not_matter(parse: Parse, name: str) -> None:
    photograph = example(name)
    found = parse(photograph).argmax(0)
    for stops, tint in ((-2, (1.0, 1.0, 1.0)), (-1, (1.0, 0.8, 0.6)), (0.5, (0.9, 0.9, 1.0))):
        gain = 2 ** (stops / 2.2) * torch.tensor(tint)[:, None, None]
        relit = parse((gain * photograph).clamp(0, 1)).argmax(0)
        assert float((relit == found).float().mean()) > 0.93


@pytest.mark.weights
@pytest.mark.parametrize("name", EXAMPLE_NAMES)
def test_size_matters_little(parse: Parse, name: str) -> None:
    photograph = example(name)
    found = parse(photograph).argmax(0)
    smaller = parse(fit(photograph, 336))
    enlarged = F.interpolate(smaller[None], found.shape, mode="bilinear")[0].argmax(0)
    assert float((enlarged == found).float().mean()) > 0.85


@pytest.mark.weights
@pytest.mark.parametrize("light", [0.0, 0.2, 0.5, 1.0])
def test_of_a_plain_picture_little_is_certain(parse: Parse, light: float) -> None:
    assert float(parse(torch.full((3, 300, 448), light)).max()) < 0.8


# --- any network of those widths -------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (9, 500), (33, 2)])
def test_no_photograph_is_too_small_or_too_narrow(fake_weights: Callable[..., Weights], size: tuple[int, int]) -> None:
    parse = parser(fake_weights(SCENE_BACKBONE))
    photograph = torch.rand(3, *size, generator=torch.Generator().manual_seed(0))
    found = parse(photograph)
    assert found.shape == (7, *(-(-n // 8) for n in size))
    assert found.dtype == torch.float64
    torch.testing.assert_close(found.sum(0), torch.ones(found.shape[1:], dtype=torch.float64))
    assert torch.equal(found, parse(photograph))


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 2**16), st.floats(0, 30))
def test_a_mirrored_scene_is_the_scene_mirrored(height: int, width: int, seed: int, power: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    image = torch.rand(3, height, 8 * width, generator=generator)
    deep = power * torch.randn(DEEP, -(-height // 8), width, generator=generator)
    found = parse_cells(deep, image)
    assert bool((found >= 0).all())
    torch.testing.assert_close(found.sum(0), torch.ones(found.shape[1:], dtype=torch.float64))
    torch.testing.assert_close(parse_cells(deep.flip(2), image.flip(2)), found.flip(2), atol=1e-3, rtol=0)


@pytest.mark.parametrize("channels", [dict.fromkeys(LAYERS, 5), CHANNELS | {"block19": CHANNELS["block19"] + 1}])
def test_a_network_of_other_widths_is_refused(picture: Picture, channels: dict[str, int]) -> None:
    image = picture(40, 64)
    with pytest.raises(WeightsError, match=rf"this network has {sum(channels.values())}: use the weights 'efficient"):
        parse_scene(made_up(image, channels), image)


def test_the_numbers_are_for_the_blocks_that_are_read() -> None:
    numbers = read_tensors(NUMBERS)[1]
    assert numbers["weight"].shape == (3, len(CLASSES), DEEP + 7)
    assert numbers["bias"].shape == (len(CLASSES),)


def test_the_parsing_is_the_formula(picture: Picture) -> None:
    image = picture(50, 83, dtype=torch.float32)
    deep = on_cells(made_up(image), image)
    e = evidence(deep, image).double()
    (own, near, whole), bias = (read_tensors(NUMBERS)[1][name].double() for name in ("weight", "bias"))
    found = parse_cells(deep, image)
    for i in range(7):
        for j in range(11):
            around = e[:, max(0, i - 2) : i + 3, max(0, j - 2) : j + 3].mean((1, 2))  # nothing is outside
            logits = own @ e[:, i, j] + near @ around + whole @ e.mean((1, 2)) + bias
            torch.testing.assert_close(found[:, i, j], logits.exp() / logits.exp().sum(), atol=1e-4, rtol=0)
    assert torch.equal(parse_scene(made_up(image), image), found)


def test_features_are_enlarged_to_the_cells(picture: Picture) -> None:
    image = picture(64, 128, dtype=torch.float32)
    ramp = torch.arange(4.0)[None, :, None] * torch.ones(1, 4, 8)  # rows of 16 pixels
    flat = torch.arange(3.0)[:, None, None] * torch.ones(3, 2, 4)
    cells = on_cells({"block10": ramp, "block14": 2 * ramp, "block19": flat}, image)
    assert cells.shape == (5, 8, 16)
    expected = ((torch.arange(8) - 0.5) / 2).clamp(0, 3)  # between the middles of rows, and none beyond
    torch.testing.assert_close(cells[:2], torch.stack([expected, 2 * expected])[:, :, None].expand(2, 8, 16))
    torch.testing.assert_close(cells[2:], torch.arange(3.0)[:, None, None].expand(3, 8, 16))


def test_evidence_is_features_then_place_and_colour() -> None:
    image = torch.empty(3, 40, 56)
    image[:, :, :28] = torch.tensor([0.2, 0.4, 0.9])[:, None, None]
    image[:, :, 28:] = torch.tensor([0.3, 0.3, 0.3])[:, None, None]
    deep = torch.randn(DEEP, 5, 7, generator=torch.Generator().manual_seed(0))
    e = evidence(deep, image)
    assert torch.equal(e[:DEEP], deep)
    height, across, light, red, blue, lighter, spread = e[DEEP:]
    torch.testing.assert_close(height, torch.tensor([-0.8, -0.4, 0.0, 0.4, 0.8])[:, None].expand(5, 7))
    torch.testing.assert_close(across, torch.tensor([6.0, 4, 2, 0, 2, 4, 6]).div(7).expand(5, 7))
    assert [float(x[2, 0]) for x in (light, red, blue)] == pytest.approx([1.0, -0.4, 1.0])
    assert float(lighter[2, 0]) == pytest.approx(0.2)  # twice 0.5 less the mean 0.4
    assert float(spread[2, 0]) == pytest.approx(2 * torch.tensor([0.2, 0.4, 0.9]).std(correction=0).item())
    torch.testing.assert_close(spread[:, 4:], torch.zeros(5, 3))
