"""EfficientNet-Lite against the network in plain modules, and against what is known of the real one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from plain_lite import STAGES, PlainLite
from torch import Tensor

from photostyle import fit_size, load_image, load_regions, resize, transfer
from photostyle.errors import SettingsError, WeightsError
from photostyle.network.lite import Lite
from photostyle.network.lites import LITE2
from photostyle.network.vgg import VGG
from photostyle.network.weights import Weights, load_weights

EXAMPLES = Path(__file__).parents[2] / "examples"

SIZES = [(1, 1), (1, 9), (2, 2), (3, 40), (21, 13), (32, 32), (33, 64)]

# (channels, stride) of every block of Lite2
LITE2_BLOCKS = [
    *[(16, 2)],
    *[(24, 4)] * 3,
    *[(48, 8)] * 3,
    *[(88, 16)] * 4,
    *[(120, 16)] * 4,
    *[(208, 32)] * 5,
    *[(352, 32)],
]


def tiny(seed: int = 0) -> tuple[PlainLite, Weights]:
    """The plain network, and its weights as they are converted."""
    plain, backbone = PlainLite(seed), replace(LITE2, stages=STAGES)
    return plain, Weights(backbone, backbone.convert(plain.state_dict().__getitem__))


def names(count: int) -> list[str]:
    return [f"block{i}" for i in range(count)]


def test_the_blocks_of_lite2() -> None:
    """Table 1 of the paper, scaled, is what the original file holds."""
    assert [block.name for block in LITE2.blocks] == names(21)
    assert [block.channels for block in LITE2.blocks] == [channels for channels, _ in LITE2_BLOCKS]
    assert [block.kernel for block in LITE2.blocks] == [3] + [3] * 3 + [5] * 3 + [3] * 4 + [5] * 9 + [3]
    kernels = LITE2.kernels
    assert len(kernels) == 1 + 2 + 20 * 3
    assert kernels["stem"] == (32, 3, 3, 3)
    assert "block0.expand" not in kernels
    assert kernels["block0.depthwise"] == (32, 1, 3, 3)
    assert kernels["block1.expand"] == (96, 16, 1, 1)
    assert kernels["block11.depthwise"] == (528, 1, 5, 5)
    assert kernels["block20.project"] == (352, 1248, 1, 1)
    assert set(LITE2.shapes) == {f"{layer}.{kind}" for layer in kernels for kind in ("weight", "bias")}
    assert LITE2.shapes["block20.project.bias"] == (352,)


@pytest.mark.parametrize("size", SIZES)
def test_the_sizes_of_lite2(fake_weights, picture, size: tuple[int, int]) -> None:
    features = Lite(fake_weights("efficientnet-lite2"))(picture(*size, dtype=torch.float32), names(21))
    height, width = size
    assert [tuple(f.shape) for f in features.values()] == [
        (channels, -(-height // stride), -(-width // stride)) for channels, stride in LITE2_BLOCKS
    ]


@pytest.mark.parametrize("size", SIZES)
def test_every_block_equals_that_of_the_plain_network(picture, size: tuple[int, int]) -> None:
    plain, weights = tiny(sum(size))
    image = picture(*size, dtype=torch.float32)
    features = Lite(weights)(image, names(5))
    assert list(features) == names(5)
    for found, expected in zip(features.values(), plain(image), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))


def test_a_block_does_not_depend_on_what_else_is_asked_for(picture) -> None:
    lite, image = Lite(tiny()[1]), picture(21, 13, dtype=torch.float32)
    whole = lite(image, names(5))
    for name in names(5):
        assert torch.equal(lite(image, {name})[name], whole[name])
    assert lite(image, ()) == {}


def test_nothing_deeper_than_needed_is_computed(picture) -> None:
    _, weights = tiny()
    top = {key: tensor for key, tensor in weights.tensors.items() if key < "block2"}
    top["stem.weight"], top["stem.bias"] = weights.tensors["stem.weight"], weights.tensors["stem.bias"]
    image = picture(16, 12, dtype=torch.float32)
    found = Lite(replace(weights, tensors=top))(image, {"block1"})["block1"]
    assert torch.equal(found, Lite(weights)(image, {"block1"})["block1"])


def test_takes_no_gradient_and_changes_nothing(picture) -> None:
    _, weights = tiny()
    before = {name: tensor.clone() for name, tensor in weights.tensors.items()}
    image = picture(9, 7, dtype=torch.float32)
    seen = image.clone().requires_grad_()
    assert not any(f.requires_grad for f in Lite(weights)(seen, names(5)).values())
    assert torch.equal(seen, image)
    assert all(torch.equal(weights.tensors[name], tensor) for name, tensor in before.items())


@pytest.mark.parametrize("layer", ["block5", "block", "relu4_3", ""])
def test_an_unknown_block_is_named(layer: str) -> None:
    with pytest.raises(SettingsError, match=f"EfficientNet-Lite2 has no layer '{layer}'.*block0, block1, .*, block4"):
        Lite(tiny()[1])(torch.zeros(3, 8, 8), {layer, "block0"})


# Networks of another kind


def test_a_vgg_is_no_lite(fake_weights) -> None:
    with pytest.raises(WeightsError, match=r"'vgg19' is VGG-19, and no .*use the weights 'efficientnet-lite2'"):
        Lite(fake_weights("vgg19"))


def test_a_lite_is_no_vgg(fake_weights) -> None:
    with pytest.raises(WeightsError, match=r"'efficientnet-lite2' is .*, and no VGG: .*vgg16-hed, vgg19"):
        VGG(fake_weights("efficientnet-lite2"))


def test_no_transfer_looks_through_a_lite(picture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing is fetched to find out, nor is a file read."""
    monkeypatch.setenv("PHOTOSTYLE_CACHE", str(tmp_path / "cache"))
    image = picture(8, 8, dtype=torch.float32)
    for path in (None, tmp_path / "nowhere.pth"):
        with pytest.raises(SettingsError, match=r"one of vgg16-hed, .*, not 'efficientnet-lite2'"):
            transfer(image, image, backbone="efficientnet-lite2", weights_path=path)
    assert not (tmp_path / "cache").exists()


# The real network


@pytest.mark.weights
def test_known_answers() -> None:
    """Numbers of a pass through the original file with its batch normalisation, by other code."""
    down, right = torch.meshgrid(torch.linspace(0, 1, 96), torch.linspace(0, 1, 128), indexing="ij")
    image = torch.stack([down, right, (down - right).abs()])
    features = Lite(load_weights("efficientnet-lite2"))(image, ("block0", "block6", "block10", "block14", "block19"))
    known = {
        "block0": [1.5416, -1.4098, 0.7127, -2.4045],
        "block6": [16.7303, 1.5774, 8.3874, 11.8193],
        "block10": [1.5986, 9.9306, -6.2088, -0.8227],
        "block14": [0.1177, 8.4412, -1.3194, 4.6569],
        "block19": [-3.5569, -4.4757, -2.2891, -11.362],
    }
    for layer, expected in known.items():
        f = features[layer]
        middle = f[:4, f.shape[1] // 2, f.shape[2] // 2]
        torch.testing.assert_close(middle, torch.tensor(expected), rtol=1e-3, atol=1e-3)


@pytest.mark.weights
def test_knows_again_what_is_shown() -> None:
    """A meadow by day and one at sunset: each region is most like its own of the other, in features at block14."""

    def found(image: Tensor, masks: Tensor) -> Tensor:
        """The mean of each region, as each channel differs from its mean in the photograph: K×C."""
        f = lite(resize(image, fit_size(*image.shape[1:], 320)), {"block14"})["block14"]
        f = (f - f.mean((1, 2), keepdim=True)) / f.std((1, 2), keepdim=True)
        m = F.interpolate(masks[None].float(), f.shape[1:], mode="area")[0]
        return torch.einsum("chw,khw->kc", f, m) / m.sum((1, 2))[:, None]

    lite, folder = Lite(load_weights("efficientnet-lite2")), EXAMPLES / "meadow-sunset"
    regions = load_regions(folder / "content_regions.png", folder / "style_regions.png")
    content, style = (load_image(folder / f"{side}.jpg") for side in ("content", "style"))
    here, there = found(content, regions.content), found(style, regions.style)
    alike = F.cosine_similarity(here[:, None], there[None], dim=2)
    assert alike.argmax(1).tolist() == list(range(len(regions.names)))
