"""The sky: found in photographs that show one, in any light, and read as the formula says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from photostyle import load_image, load_weights
from photostyle.color.spaces import adapted
from photostyle.image import fit, shrink
from photostyle.network.vgg import VGG
from photostyle.network.weights import Weights
from photostyle.segment.sky import LAYERS, NUMBERS, evidence, reading, sky_of
from photostyle.tensors import read_tensors
from photostyle.terms.energy import Features

Picture = Callable[..., Tensor]

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
BLUE = torch.tensor([0.0, 0.0, 1.0])  # the sky, in the label images
CHANNELS = dict(zip(LAYERS, (256, 512, 512), strict=True))
SEEN = 1287


@pytest.fixture(scope="module")
def vgg() -> VGG:
    return VGG(load_weights(), pooling="max")


def found(vgg: VGG, photograph: Tensor) -> Tensor:
    image = adapted(photograph)
    return sky_of(vgg(image, LAYERS), image)


def example(name: str) -> Tensor:
    return fit(load_image(EXAMPLES / f"{name}.jpg"), 448)


def painted(name: str, size: torch.Size) -> Tensor:
    """Where the sky is painted in an example's label image, h×w, bool."""
    labels = load_image(EXAMPLES / f"{name}_regions.png")
    sky = (labels - BLUE[:, None, None]).abs().amax(0) < 0.1
    return shrink(sky[None].float(), size)[0] > 0.5


def likeness(a: Tensor, b: Tensor) -> float:
    """Intersection over union of two masks."""
    return float((a & b).sum() / (a | b).sum())


def made_up(image: Tensor, seed: int = 0) -> Features:
    """Random features of the sizes that the network's have."""
    generator = torch.Generator().manual_seed(seed)
    strides = dict(zip(LAYERS, (4, 8, 16), strict=True))
    sizes = {layer: [-(-n // stride) for n in image.shape[1:]] for layer, stride in strides.items()}
    return {layer: torch.rand(CHANNELS[layer], *size, generator=generator) for layer, size in sizes.items()}


@pytest.mark.weights
@pytest.mark.parametrize(
    "name", ["palace-night/content", "palace-night/style", "meadow-sunset/content", "meadow-sunset/style"]
)
def test_the_sky_is_where_somebody_painted_it(vgg: VGG, name: str) -> None:
    sky = found(vgg, example(name)) > 0.5
    assert likeness(sky, painted(name, sky.shape)) > 0.7


@pytest.mark.weights
@pytest.mark.parametrize("name", ["maple-autumn/content", "maple-autumn/style"])
def test_foliage_is_no_sky(vgg: VGG, name: str) -> None:
    assert float((found(vgg, example(name)) > 0.5).float().mean()) < 0.02


@pytest.mark.weights
def test_light_does_not_matter(vgg: VGG) -> None:
    photograph = example("palace-night/content")
    sky = found(vgg, photograph) > 0.5
    for stops, tint in ((-2, (1.0, 1.0, 1.0)), (-1, (1.0, 0.8, 0.6)), (0.5, (0.9, 0.9, 1.0))):
        gain = 2 ** (stops / 2.2) * torch.tensor(tint)[:, None, None]
        assert likeness(found(vgg, (gain * photograph).clamp(0, 1)) > 0.5, sky) > 0.8


@pytest.mark.weights
@pytest.mark.parametrize("size", [(1, 1), (8, 8), (9, 500), (33, 2)])
def test_no_photograph_is_too_small_or_too_narrow(vgg: VGG, size: tuple[int, int]) -> None:
    photograph = torch.rand(3, *size, generator=torch.Generator().manual_seed(0))
    sky = found(vgg, photograph)
    assert sky.shape == tuple(-(-n // 8) for n in size)
    assert bool(((sky >= 0) & (sky <= 1)).all())
    assert torch.equal(sky, found(vgg, photograph))


def test_a_network_of_other_widths_sees_no_sky(fake_weights: Callable[..., Weights], picture: Picture) -> None:
    sky = found(VGG(fake_weights(), pooling="max"), picture(40, 64, dtype=torch.float32))
    assert torch.equal(sky, torch.zeros(5, 8))


def test_evidence_is_of_the_cell_its_surroundings_and_the_whole(picture: Picture) -> None:
    image = picture(50, 83, dtype=torch.float32)
    features = made_up(image)
    own, near, whole = evidence(features, image)
    assert own.shape == (SEEN, 7, 11)
    torch.testing.assert_close(near[:, 3, 4], own[:, 1:6, 2:7].mean((1, 2)))
    torch.testing.assert_close(near[:, 0, 0], own[:, :3, :3].mean((1, 2)))  # nothing is outside the photograph
    torch.testing.assert_close(whole, own.mean((1, 2), keepdim=True).expand_as(own))
    torch.testing.assert_close(own[256:768], (features["relu4_3"] / 3.753).log1p())
    height, across = own[1280:1282]
    assert height[0, 0] == pytest.approx(-6 / 7) and height[-1, 5] == pytest.approx(6 / 7)
    torch.testing.assert_close(across, across.flip(1))
    assert across[0, 5] == 0


def test_a_plain_photograph_is_seen_the_same_in_its_cell_around_it_and_as_a_whole() -> None:
    image = torch.full((3, 40, 64), 0.4)
    features = {layer: torch.ones_like(f) for layer, f in made_up(image).items()}
    own, near, whole = evidence(features, image)
    shown = torch.arange(SEEN) < 1280
    for other in (near, whole):
        torch.testing.assert_close(own[shown], other[shown])


def test_the_reading_is_the_formula() -> None:
    seen = torch.randn(3, SEEN, 4, 5, generator=torch.Generator().manual_seed(3))
    numbers = read_tensors(NUMBERS)[1]
    own, near, whole = numbers["weight"]
    logit = sum(
        torch.stack([(w * x[:, i, j]).sum() for i in range(4) for j in range(5)]).view(4, 5)
        for w, x in zip((own, near, whole), seen, strict=True)
    )
    expected = 1 / (1 + (-(logit + numbers["bias"])).exp())
    torch.testing.assert_close(reading(seen), expected, atol=1e-4, rtol=1e-3)


def test_finer_layers_are_averaged_and_coarser_ones_enlarged(picture: Picture) -> None:
    image = picture(48, 64, dtype=torch.float32)
    features = dict(made_up(image))
    own, _, _ = evidence(features, image)
    fine = F.avg_pool2d(features["relu3_3"][None], 2)[0]
    torch.testing.assert_close(own[:256], (fine / 11.04).log1p())
    features["relu5_3"] = torch.full_like(features["relu5_3"], 13.4)
    own, _, _ = evidence(features, image)
    torch.testing.assert_close(own[768:1280], torch.full_like(own[768:1280], 2.0).log())
