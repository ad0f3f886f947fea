"""Holistically-nested edge detection (Xie & Tu, ICCV 2015, arXiv 1504.06375) on a VGG-16 trunk."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from photostyle.errors import WeightsError
from photostyle.network.vgg import VGG
from photostyle.network.vggs import VGGBackbone
from photostyle.network.weights import Weights
from photostyle.terms.energy import Features

SIDE_LAYERS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3")  # the last of each block


class EdgeDetector:
    """A frozen network that is set up once: `edges(image)` for each of several images.

    The trunk pools by maximum, whatever the pooling of the transfer. Raises WeightsError as `edges_of` does.
    """

    def __init__(self, weights: Weights, device: torch.device | str = "cpu") -> None:
        _check(weights)
        self._weights = weights
        self._vgg = VGG(weights, pooling="max", device=device)

    @torch.no_grad()
    def __call__(self, image: Tensor) -> Tensor:
        """How likely each pixel of a 3×H×W sRGB image in [0, 1] is an edge: H×W, in [0, 1]."""
        return edges_of(self._vgg(image, SIDE_LAYERS), self._weights, image.shape[1:])


def edges_of(features: Features, weights: Weights, size: Sequence[int]) -> Tensor:
    """The same, from the features of `SIDE_LAYERS` of an image of that `size` (H, W), pooled by maximum.

    σ(Σ_k h_k · up(w_k ∗ F_k + b_k) + h_0): a 1×1 side output per block, enlarged bilinearly to the image
    (pixel centres aligned, nothing cropped, as these weights were trained), fused by a 1×1 convolution.

    Raises WeightsError if the weights have no side outputs.
    """
    _check(weights)
    place = features[SIDE_LAYERS[0]].device
    tensors = {name: tensor.to(place) for name, tensor in weights.tensors.items() if not name.startswith("conv")}
    sides = []
    for k, layer in enumerate(SIDE_LAYERS, start=1):
        side = F.conv2d(features[layer][None], tensors[f"side{k}.weight"], tensors[f"side{k}.bias"])  # 1×1×h×w
        sides.append(F.interpolate(side, size=tuple(size), mode="bilinear", align_corners=False))
    fused = F.conv2d(torch.cat(sides, dim=1), tensors["fuse.weight"], tensors["fuse.bias"])  # 1×1×H×W
    return torch.sigmoid(fused)[0, 0]


def _check(weights: Weights) -> None:
    backbone = weights.backbone
    if not (isinstance(backbone, VGGBackbone) and backbone.detects_edges):
        raise WeightsError(f"The backbone {backbone.name!r} detects no edges; use the weights 'vgg16-hed'.")
