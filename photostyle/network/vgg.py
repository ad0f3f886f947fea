"""VGG-16 and VGG-19 trunks (Simonyan & Zisserman, arXiv 1409.1556) whose layers are called by name.

`conv4_2` is a convolution's output, `relu4_2` the same after the rectifier, `pool4` the end of the
block and `image` the photograph itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from copy import copy
from functools import partial
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from photostyle.errors import SettingsError, WeightsError
from photostyle.network.bands import in_bands
from photostyle.network.layout import channels_last
from photostyle.network.vggs import CONVOLUTIONS, VGGS, VGGBackbone
from photostyle.network.weights import Weights
from photostyle.terms.energy import Features

Pooling = Literal["average", "max", "rescaled"]

KINDS = "relu4_3"
"""The layer, of VGG-16 and VGG-19, that tells kinds of things: `kinds`."""

_RESCALE = 1.5  # how much larger maxima are than averages: their median root mean square on the example photographs

PIXELS_AT_ONCE = 2**18
"""What a network looks at in one go; a larger image goes through each block in bands of rows."""

_AT_ONCE = 64 * PIXELS_AT_ONCE  # numbers in a layer of the first block; deeper blocks have as many in larger images


def layer_names(depth: int) -> tuple[str, ...]:
    """All layers of VGG-`depth` (16 or 19) in the order in which they are computed, `image` first."""
    names = ["image"]
    for block, convolutions in enumerate(CONVOLUTIONS[depth], start=1):
        for i in range(1, convolutions + 1):
            names += [f"conv{block}_{i}", f"relu{block}_{i}"]
        names.append(f"pool{block}")
    return tuple(names)


class VGG:
    """A frozen trunk: `vgg(image, {"conv4_2", "relu1_1"})` → those features, and nothing deeper is computed.

    Average pooling by default (Gatys et al. 2016, section 2: "slightly more appealing results"). The weights
    were trained with maxima, which are larger; rescaled, averages are about as large. Every pooling rounds
    sizes up, as Caffe does, so that even a tiny image reaches the last layer.
    The preprocessing of the weights (channel order, mean, scale) is part of the trunk:
    its input is always sRGB in [0, 1].

    Memory is bounded but for the features that are asked for: a large image goes through each block in bands of rows.

    Raises WeightsError for weights of another kind of network.
    """

    def __init__(self, weights: Weights, pooling: Pooling = "average", device: torch.device | str = "cpu") -> None:
        backbone = weights.backbone
        if not isinstance(backbone, VGGBackbone):
            raise WeightsError(
                f"{backbone.name!r} is {backbone.architecture}, and no VGG: use the weights {', '.join(VGGS)}."
            )
        self.depth = backbone.depth
        self.backbone = backbone.name
        self.pooling = pooling
        self.device = torch.device(device)
        self._mirrors = False
        self._names = layer_names(self.depth)
        self._tensors = {name: channels_last(tensor.to(self.device)) for name, tensor in weights.tensors.items()}
        self._pixels = backbone.pixels

    def __call__(self, image: Tensor, layers: Collection[str]) -> Features:
        """Features (C×h×w each) of a 3×H×W sRGB image in [0, 1] at the named layers, differentiably.

        Raises SettingsError for a layer that this depth does not have.
        """
        wanted = self._check(layers)
        features: dict[str, Tensor] = {}
        if "image" in wanted:
            features["image"] = image
        x = channels_last(self._pixels.entering(image).unsqueeze(0))  # 1×3×H×W
        names = self._names[1 : 1 + max((self._names.index(layer) for layer in wanted), default=0)]
        for block in _blocks(names):
            found = self._through(block, x, wanted)
            x = found[block[-1]]
            features |= {name: found[name][0] for name in block if name in wanted}
        return features

    def mirroring(self) -> VGG:
        """The same network, for which a picture is mirrored at its borders.

        As the weights were trained, it is surrounded by nothing at every layer. Then its borders are features of their
        own, which statistics of a whole picture ask of another.
        """
        other = copy(self)
        other._mirrors = True
        return other

    def _through(self, block: Sequence[str], x: Tensor, wanted: Collection[str]) -> dict[str, Tensor]:
        """The wanted layers of a block, and its last, of its input 1×C×h×w."""
        part = partial(self._compute, block, {*wanted, block[-1]})
        widest = len(self._tensors[f"{block[0]}.weight"])
        rows = max(2, _AT_ONCE // (widest * x.shape[3]) // 2 * 2)
        if rows >= x.shape[2]:
            return part(x)
        convolutions = sum(name.startswith("conv") for name in block)  # each looks one row far
        return in_bands(part, x, rows, halo=convolutions + convolutions % 2)

    def _compute(self, block: Sequence[str], wanted: Collection[str], x: Tensor) -> dict[str, Tensor]:
        found = {}
        for name in block:
            if name.startswith("conv"):
                x = self._convolve(name, x)
            elif name.startswith("relu"):
                # in place, unless the convolution's own output was asked for
                x = F.relu(x, inplace=f"conv{name[4:]}" not in wanted)
            elif self.pooling == "max":
                x = F.max_pool2d(x, 2, ceil_mode=True)
            else:
                x = F.avg_pool2d(x, 2, ceil_mode=True)
                if self.pooling == "rescaled":
                    x = _RESCALE * x
            if name in wanted:
                found[name] = x
        return found

    def _convolve(self, name: str, x: Tensor) -> Tensor:
        padding = 1
        if self._mirrors:
            # one row or column has nothing beside it to be mirrored
            x = F.pad(x, (1, 1, 1, 1), mode="reflect" if min(x.shape[2:]) > 1 else "replicate")
            padding = 0
        return F.conv2d(x, self._tensors[f"{name}.weight"], self._tensors[f"{name}.bias"], padding=padding)

    def size(self, layer: str, image: Sequence[int]) -> tuple[int, int]:
        """h×w of a layer's features, of an image of H×W pixels: every pooling halves both, rounding up."""
        poolings = sum(name.startswith("pool") for name in self._names[: self._names.index(layer) + 1])
        height, width = (-(-n // 2**poolings) for n in image)
        return height, width

    def carry(self, masks: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
        """Region masks (K×H×W) as the authors of Luan et al. carry them down to each layer (K×h×w).

        Every convolution averages the mask over its 3×3 window, every pooling halves it.
        """
        wanted = self._check(layers)
        carried: dict[str, Tensor] = {}
        x = masks
        for name in self._names[: 1 + max((self._names.index(layer) for layer in wanted), default=0)]:
            if name.startswith("conv"):
                x = F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)
            elif name.startswith("pool"):
                x = F.avg_pool2d(x, 2, ceil_mode=True)
            if name in wanted:
                carried[name] = x
        return carried

    def _check(self, layers: Collection[str]) -> set[str]:
        if unknown := set(layers) - set(self._names):
            raise SettingsError(
                f"VGG-{self.depth} has no layer {sorted(unknown)[0]!r}; its layers are {', '.join(self._names)}."
            )
        return set(layers)


def kinds(features: Tensor) -> Tensor:
    """What is shown in each cell, whatever the light of the photograph: unit vectors C×h×w of C×h×w features.

    Each channel has its mean and variance in this photograph taken out. They are the style (Li et al. 2017, arXiv
    1701.01036): what is left, of the layer `KINDS`, tells kinds of things. In float64, on the processor, which every
    machine has it on.
    """
    f = features.flatten(1).to("cpu", torch.float64)
    deviation = f.std(1, correction=0, keepdim=True)
    # a channel that hardly ever fires must not become noise
    z = (f - f.mean(1, keepdim=True)) / (deviation + 1e-3 * f.std(correction=0)).clamp(min=1e-12)
    return F.normalize(z, dim=0).view(features.shape)


def _blocks(names: Sequence[str]) -> Iterator[Sequence[str]]:
    """Layers, the image apart, block by block: each ends with its pooling, the last where the names end."""
    start = 0
    for end, name in enumerate(names, start=1):
        if name.startswith("pool") or end == len(names):
            yield names[start:end]
            start = end
