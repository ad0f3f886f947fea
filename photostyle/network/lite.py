"""EfficientNet-Lite (Tan & Le, arXiv 1905.11946) whose blocks are called by name: what it tells is what is shown.

`block6` is the output of the block of that number: linear, and the sum with its input where both are of one size.
"""

from __future__ import annotations

from collections.abc import Collection

import torch
import torch.nn.functional as F
from torch import Tensor

from photostyle.errors import SettingsError, WeightsError
from photostyle.network.backbones import SCENE_BACKBONE
from photostyle.network.layout import channels_last
from photostyle.network.lites import Block, LiteBackbone
from photostyle.network.weights import Weights
from photostyle.terms.energy import Features


class Lite:
    """A frozen trunk: `lite(image, {"block6", "block14"})` → those features, and nothing deeper is computed.

    The preprocessing of the weights is part of the trunk: its input is always sRGB in [0, 1]. Every stride rounds sizes
    up, so that even a single pixel reaches the last block. Memory grows with the image, by some 250 bytes a pixel: it
    is meant for small copies of photographs.

    Raises WeightsError for weights of another kind of network.
    """

    def __init__(self, weights: Weights, device: torch.device | str = "cpu") -> None:
        backbone = weights.backbone
        if not isinstance(backbone, LiteBackbone):
            raise WeightsError(
                f"{backbone.name!r} is {backbone.architecture}, and no EfficientNet-Lite: "
                f"use the weights {SCENE_BACKBONE!r}."
            )
        self.backbone = backbone.name
        self.architecture = backbone.architecture
        self.device = torch.device(device)
        self._pixels = backbone.pixels
        self._blocks = backbone.blocks
        self._tensors = {name: channels_last(tensor.to(self.device)) for name, tensor in weights.tensors.items()}

    @torch.no_grad()
    def __call__(self, image: Tensor, layers: Collection[str]) -> Features:
        """Features (C×h×w each) of a 3×H×W sRGB image in [0, 1] after the named blocks, without a slope.

        Raises SettingsError for a block that there is not.
        """
        names = [block.name for block in self._blocks]
        if unknown := set(layers) - set(names):
            raise SettingsError(
                f"{self.architecture} has no layer {sorted(unknown)[0]!r}; its layers are {', '.join(names)}."
            )
        features: dict[str, Tensor] = {}
        x = channels_last(self._pixels.entering(image)[None])  # 1×3×H×W
        x = F.relu6(self._convolve("stem", x, stride=2), inplace=True)
        for block in self._blocks[: 1 + max((names.index(layer) for layer in layers), default=-1)]:
            x = self._through(block, x)
            if block.name in layers:
                features[block.name] = x[0]
        return features

    def _through(self, block: Block, x: Tensor) -> Tensor:
        y = x
        if block.expansion > 1:
            y = F.relu6(self._convolve(f"{block.name}.expand", y), inplace=True)
        y = F.relu6(self._convolve(f"{block.name}.depthwise", y, block.stride, groups=block.inner), inplace=True)
        y = self._convolve(f"{block.name}.project", y)
        return x + y if block.adds else y

    def _convolve(self, name: str, x: Tensor, stride: int = 1, groups: int = 1) -> Tensor:
        """A convolution whose output has ⌈h / stride⌉ × ⌈w / stride⌉ pixels, with zeros around the image."""
        kernel, bias = self._tensors[f"{name}.weight"], self._tensors[f"{name}.bias"]
        zeros = [max((-(-n // stride) - 1) * stride + kernel.shape[-1] - n, 0) for n in x.shape[2:]]
        if any(n % 2 for n in zeros):  # TensorFlow has the odd one at the bottom and at the right
            x = F.pad(x, (0, zeros[1] % 2, 0, zeros[0] % 2))
        return F.conv2d(x, kernel, bias, stride, padding=[n // 2 for n in zeros], groups=groups)
