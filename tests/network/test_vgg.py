"""The trunks against a plain `torch.nn.Sequential`, and masks carried down their layers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import get_args

import pytest
import torch
from torch import Tensor, nn

from photostyle.errors import SettingsError
from photostyle.network.vgg import VGG, Pooling, layer_names
from photostyle.network.weights import Weights


def test_layer_names_of_vgg16() -> None:
    names = layer_names(16)
    assert names[:7] == ("image", "conv1_1", "relu1_1", "conv1_2", "relu1_2", "pool1", "conv2_1")
    assert names[-1] == "pool5"
    assert [sum(name.startswith(f"conv{block}_") for name in names) for block in range(1, 6)] == [2, 2, 3, 3, 3]
    assert len(names) == 1 + 2 * 13 + 5


def test_layer_names_of_vgg19() -> None:
    names = layer_names(19)
    assert [sum(name.startswith(f"relu{block}_") for name in names) for block in range(1, 6)] == [2, 2, 4, 4, 4]
    assert len(names) == 1 + 2 * 16 + 5
    assert names.index("conv4_4") < names.index("relu4_4") < names.index("pool4") < names.index("conv5_1")


class Times(nn.Module):
    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        return self.factor * x


def sequential(weights: Weights, pooling: str) -> nn.Sequential:
    """The trunk in the order of the paper's table, one module per layer name."""
    trunk = nn.Sequential()
    for name in layer_names(weights.backbone.depth)[1:]:
        if name.startswith("conv"):
            kernel = weights.tensors[f"{name}.weight"]
            module: nn.Module = nn.Conv2d(kernel.shape[1], kernel.shape[0], 3, padding=1)
            module.load_state_dict({"weight": kernel, "bias": weights.tensors[f"{name}.bias"]})
        elif name.startswith("relu"):
            module = nn.ReLU()
        else:
            module = nn.MaxPool2d(2, ceil_mode=True) if pooling == "max" else nn.AvgPool2d(2, ceil_mode=True)
            if pooling == "rescaled":
                module = nn.Sequential(module, Times(1.5))
        trunk.add_module(name, module)
    return trunk.requires_grad_(False)


def prepared(image: Tensor, name: str) -> Tensor:
    """The published preprocessing: Caffe's BGR 0–255 less the mean, or torchvision's normalisation."""
    red, green, blue = image
    if name == "vgg19":
        return torch.stack([blue * 255 - 103.939, green * 255 - 116.779, red * 255 - 123.68])
    if name == "vgg16-hed":
        return torch.stack([blue * 255 - 104.00699, green * 255 - 116.66877, red * 255 - 122.67892])
    return torch.stack([(red - 0.485) / 0.229, (green - 0.456) / 0.224, (blue - 0.406) / 0.225])


@pytest.mark.parametrize("pooling", get_args(Pooling))
@pytest.mark.parametrize("name", ["vgg16-hed", "vgg19", "vgg16-torch", "vgg19-torch"])
def test_every_layer_equals_that_of_a_plain_sequential(fake_weights, picture, name: str, pooling) -> None:
    weights, image = fake_weights(name), picture(21, 13, dtype=torch.float32)
    names = layer_names(weights.backbone.depth)
    features = VGG(weights, pooling)(image, names)
    assert list(features) == list(names)
    assert torch.equal(features["image"], image)
    x = prepared(image, name)[None]
    for layer, module in sequential(weights, pooling).named_children():
        x = module(x)
        torch.testing.assert_close(features[layer], x[0], rtol=1e-4, atol=1e-3, msg=layer)
    # pooling rounds up: 21 → 11 → 6 → 3 → 2 → 1
    assert features["pool5"].shape[1:] == (1, 1)


@pytest.mark.parametrize("layer", ["conv2_2", "relu3_1", "pool4", "conv5_1"])
def test_a_layer_does_not_depend_on_what_else_is_asked_for(fake_weights, picture, layer: str) -> None:
    vgg, image = VGG(fake_weights()), picture(16, 12, dtype=torch.float32)
    assert torch.equal(vgg(image, {layer})[layer], vgg(image, layer_names(16))[layer])


def test_before_and_after_the_rectifier_can_be_asked_for_together(fake_weights, picture) -> None:
    features = VGG(fake_weights())(picture(16, 12, dtype=torch.float32), {"conv2_1", "relu2_1"})
    assert set(features) == {"conv2_1", "relu2_1"}
    assert float(features["conv2_1"].min()) < 0
    assert torch.equal(features["relu2_1"], features["conv2_1"].clamp(min=0))


def test_nothing_deeper_than_needed_is_computed(fake_weights, picture) -> None:
    whole = fake_weights()
    top = {key: tensor for key, tensor in whole.tensors.items() if key < "conv2_2"}
    image = picture(16, 12, dtype=torch.float32)
    features = VGG(replace(whole, tensors=top))(image, {"relu2_1", "image"})
    assert torch.equal(features["relu2_1"], VGG(whole)(image, {"relu2_1"})["relu2_1"])
    assert VGG(replace(whole, tensors={}))(image, {"image"})["image"] is image
    assert VGG(replace(whole, tensors={}))(image, ()) == {}


@pytest.mark.parametrize("layer", ["conv6_1", "conv3_4", "relu", ""])
def test_an_unknown_layer_is_named(fake_weights, layer: str) -> None:
    vgg = VGG(fake_weights())
    for ask in (vgg, vgg.carry):
        with pytest.raises(SettingsError, match=f"VGG-16 has no layer '{layer}'.*conv4_2"):
            ask(torch.zeros(3, 8, 8), {layer, "conv1_1"})


def test_the_gradient_reaches_the_image_and_not_the_weights(fake_weights, picture) -> None:
    weights, image = fake_weights(), picture(16, 12, dtype=torch.float32).requires_grad_()
    features = VGG(weights)(image, {"conv1_1", "relu1_1", "relu5_1"})
    sum(f.square().sum() for f in features.values()).backward()
    assert image.grad is not None and bool((image.grad != 0).any())
    assert not any(tensor.requires_grad for tensor in weights.tensors.values())


def test_the_gradient_is_that_of_the_plain_sequential(fake_weights, picture) -> None:
    """In-place rectifiers must not spoil what the backward pass needs."""
    weights, layers = fake_weights("vgg19"), ("relu1_1", "conv2_1", "relu3_1", "relu4_2")
    image = picture(20, 14, dtype=torch.float32).requires_grad_()
    ours = VGG(weights)(image, layers)
    (gradient,) = torch.autograd.grad(sum(f.square().mean() for f in ours.values()), image)
    x, total = prepared(image, "vgg19")[None], torch.zeros(())
    for layer, module in sequential(weights, "average").named_children():
        x = module(x)
        if layer in layers:
            total = total + x.square().mean()
    (expected,) = torch.autograd.grad(total, image)
    torch.testing.assert_close(gradient, expected, rtol=1e-3, atol=1e-3 * float(expected.abs().max()))


def test_carried_masks_keep_adding_up_to_one(fake_weights) -> None:
    masks = torch.rand(3, 21, 13, generator=torch.Generator().manual_seed(0))
    masks /= masks.sum(0)
    carried = VGG(fake_weights()).carry(masks, layer_names(16))
    for layer in layer_names(16):
        torch.testing.assert_close(carried[layer].sum(0), torch.ones(carried[layer].shape[1:]))


def test_carried_masks_have_the_size_of_the_features(fake_weights, picture) -> None:
    vgg, names = VGG(fake_weights("vgg19")), layer_names(19)
    features = vgg(picture(21, 13, dtype=torch.float32), names)
    carried = vgg.carry(torch.ones(2, 21, 13), names)
    assert {n: c.shape for n, c in carried.items()} == {n: (2, *f.shape[1:]) for n, f in features.items()}


def test_masks_are_blurred_by_convolutions_and_halved_by_pooling(fake_weights) -> None:
    mask = torch.zeros(1, 4, 6)
    mask[0, :, :2] = 1
    carried = VGG(fake_weights()).carry(mask, {"image", "conv1_1", "relu1_1", "relu1_2", "pool1"})
    assert torch.equal(carried["image"], mask)
    row = torch.tensor([1, 2 / 3, 1 / 3, 0, 0, 0])  # 3×3 means, those at the border of what there is
    torch.testing.assert_close(carried["conv1_1"][0], row.expand(4, 6))
    assert torch.equal(carried["relu1_1"], carried["conv1_1"])
    twice = torch.tensor([5 / 6, 2 / 3, 1 / 3, 1 / 9, 0, 0])
    torch.testing.assert_close(carried["relu1_2"][0], twice.expand(4, 6))
    torch.testing.assert_close(carried["pool1"][0], torch.tensor([3 / 4, 2 / 9, 0]).expand(2, 3))


@pytest.mark.parametrize("size", [(24, 32), (17, 31), (5, 3)])
def test_the_size_of_a_layer_is_known_beforehand(fake_weights, size: tuple[int, int]) -> None:
    vgg = VGG(fake_weights())
    layers = ("image", "relu1_1", "relu2_1", "relu3_3", "pool3", "relu5_1")
    features = vgg(torch.rand(3, *size), layers)
    assert {l: vgg.size(l, size) for l in layers} == {l: tuple(F.shape[1:]) for l, F in features.items()}


# Large images: in bands of rows


def slope(vgg: VGG, image: Tensor, layers: Collection[str]) -> tuple[dict[str, Tensor], Tensor]:
    """Features, and the slope of the sum of their squares: each layer weighs the same."""
    x = image.clone().requires_grad_()
    features = vgg(x, layers)
    (g,) = torch.autograd.grad(sum(f.square().mean() for f in features.values()), x)
    return {name: f.detach() for name, f in features.items()}, g


@pytest.mark.parametrize("mirrors", [False, True])
@pytest.mark.parametrize("pooling", get_args(Pooling))
@pytest.mark.parametrize("size", [(21, 13), (40, 6), (34, 9)])
def test_bands_are_what_the_whole_is(fake_weights, picture, monkeypatch, size, pooling, mirrors: bool) -> None:
    """Features of every layer and the slope, in bands of two rows and more, of even and odd heights."""
    vgg, image = VGG(fake_weights("vgg19"), pooling), picture(*size, dtype=torch.float32)
    vgg = vgg.mirroring() if mirrors else vgg
    layers = [name for name in layer_names(19) if not name.startswith("conv")]
    whole, g = slope(vgg, image, layers)
    for at_once in (1, 4 * 6 * size[1]):
        monkeypatch.setattr("photostyle.network.vgg._AT_ONCE", at_once)
        banded, h = slope(vgg, image, layers)
        for name in layers:
            torch.testing.assert_close(banded[name], whole[name], rtol=1e-4, atol=1e-3, msg=name)
        torch.testing.assert_close(h, g, rtol=1e-3, atol=1e-4 * float(g.abs().max()))


def test_a_large_image_is_computed_in_bands(fake_weights, picture, monkeypatch) -> None:
    """No convolution is given more rows than a band and its halo have."""
    heights = []

    class Watched(VGG):
        def _convolve(self, name: str, x: Tensor) -> Tensor:
            heights.append(x.shape[2])
            return super()._convolve(name, x)

    monkeypatch.setattr("photostyle.network.vgg._AT_ONCE", 4 * 8 * 12)  # eight rows of four channels
    slope(Watched(fake_weights()), picture(64, 12, dtype=torch.float32), ["relu2_2"])
    assert max(heights[:4]) == 8 + 2 * 2
    assert max(heights) == 12 + 2 * 2  # of five channels and half as wide


# Mirrored borders


def test_a_mirrored_picture_has_no_borders(fake_weights, picture) -> None:
    """One colour is one feature at every layer, where zeros around it make a frame; in the middle nothing changes."""
    vgg, plain = VGG(fake_weights()), torch.full((3, 64, 48), 0.3)
    layers = ("relu1_1", "relu2_2", "pool3", "relu5_1")
    for f in vgg.mirroring()(plain, layers).values():
        torch.testing.assert_close(f, f[:, :1, :1].expand_as(f), rtol=1e-4, atol=1e-3)
    framed = vgg(plain, layers)
    assert all(not torch.allclose(f, f[:, :1, :1].expand_as(f), rtol=0.01) for f in framed.values())
    image = picture(64, 48, dtype=torch.float32)
    here, there = (network(image, {"relu2_2"})["relu2_2"] for network in (vgg, vgg.mirroring()))
    assert torch.equal(here[:, 6:-6, 6:-6], there[:, 6:-6, 6:-6])
    assert not torch.equal(here[:, 0], there[:, 0])


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (40, 2)])
def test_the_smallest_pictures_can_be_mirrored(fake_weights, picture, size: tuple[int, int]) -> None:
    image = picture(*size, dtype=torch.float32)
    features = VGG(fake_weights()).mirroring()(image, layer_names(16))
    assert all(bool(f.isfinite().all()) for f in features.values())
