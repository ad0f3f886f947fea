"""HED: a naive oracle on a network that only pools, and edges where the real weights should see them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from photostyle.errors import WeightsError
from photostyle.network.backbones import BACKBONES, DEFAULT_BACKBONE
from photostyle.network.hed import EdgeDetector
from photostyle.network.weights import Weights, load_weights

Array = NDArray[np.float64]


def pooling_only() -> Weights:
    """One channel per block, every convolution the identity: only blue is seen, shrunk by maxima."""
    backbone = BACKBONES[DEFAULT_BACKBONE]
    pixels = replace(backbone.pixels, mean=(50.0, 0.0, 0.0))
    backbone = replace(backbone, channels=(1, 1, 1, 1, 1), pixels=pixels)
    tensors = {name: torch.zeros(shape) for name, shape in backbone.shapes.items()}
    for name, tensor in tensors.items():
        if name.startswith("conv") and name.endswith("weight"):
            tensor[0, 0, 1, 1] = 1.0  # input channel 0 is blue
    for k in range(1, 6):
        tensors[f"side{k}.weight"] += 0.01 * k
        tensors[f"side{k}.bias"] -= 0.1 * k
    tensors["fuse.weight"] += torch.tensor([0.5, -0.4, 0.3, -0.2, 0.1]).view(1, 5, 1, 1)
    tensors["fuse.bias"] += 0.25
    return Weights(backbone, tensors)


def pool(x: Array) -> Array:
    """2×2 maxima; an odd last row or column is pooled alone."""
    h, w = x.shape
    return np.array([[x[i : i + 2, j : j + 2].max() for j in range(0, w, 2)] for i in range(0, h, 2)])


def enlarge(x: Array, height: int, width: int) -> Array:
    """Bilinear, pixel centres aligned, the border repeated."""

    def along(x: Array, n: int) -> Array:
        at = (np.arange(n) + 0.5) * len(x) / n - 0.5
        low = np.floor(at).astype(int)
        t = (at - low)[:, None]
        last = len(x) - 1
        blend: Array = (1 - t) * x[np.clip(low, 0, last)] + t * x[np.clip(low + 1, 0, last)]
        return blend

    return along(along(x, height).T, width).T


@pytest.mark.parametrize("size", [(13, 10), (32, 16), (37, 3), (1, 1)])
def test_agrees_with_the_definition(size: tuple[int, int]) -> None:
    image = torch.rand(3, *size, generator=torch.Generator().manual_seed(7))
    feature: Array = np.maximum(image[2].double().numpy() * 255 - 50, 0)
    logit: Array = np.full(size, 0.25)
    for k, h in enumerate([0.5, -0.4, 0.3, -0.2, 0.1], start=1):
        logit = logit + h * enlarge(0.01 * k * feature - 0.1 * k, *size)
        feature = pool(feature)
    expected = 1 / (1 + np.exp(-logit))
    np.testing.assert_allclose(EdgeDetector(pooling_only())(image).numpy(), expected, atol=1e-5)


def test_takes_no_gradient() -> None:
    image = torch.rand(3, 9, 7).requires_grad_()
    assert not EdgeDetector(pooling_only())(image).requires_grad


def test_needs_side_outputs() -> None:
    with pytest.raises(WeightsError, match="'vgg19' detects no edges"):
        EdgeDetector(Weights(BACKBONES["vgg19"], {}))(torch.zeros(3, 8, 8))


@pytest.mark.weights
def test_sees_a_step_and_nothing_else() -> None:
    weights = load_weights()
    image = torch.full((3, 101, 157), 0.2)
    image[:, :, 70:] = 0.8
    edges = EdgeDetector(weights)(image)
    assert edges.shape == (101, 157)
    assert edges.min() >= 0 and edges.max() <= 1
    inner = edges[16:-16]  # zero padding makes faint edges along the frame
    assert bool((inner[:, 67:73].amax(dim=1) > 0.8).all())  # unbroken
    assert abs(int(inner.mean(dim=0).argmax()) - 69.5) <= 1.5
    assert inner[:, 16:60].max() < 0.1 and inner[:, 80:-16].max() < 0.1
    # it follows the step when the picture is turned
    assert torch.allclose(EdgeDetector(weights)(image.transpose(1, 2)).T, edges, atol=0.25)
