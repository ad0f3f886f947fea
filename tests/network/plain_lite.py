"""EfficientNet-Lite written out in modules, as its original file has them: slow, and plain to see."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from photostyle.network.lites import Stage

# Three stages of few channels, with every kind of block there is; scaled as Lite2 is, they are these blocks: what each
# takes in, has inside and puts out, its window and its stride.
STAGES = (Stage(1, 3, 1, 16, 1), Stage(6, 5, 2, 8, 2), Stage(2, 3, 2, 8, 1))
BLOCKS = [(32, 32, 16, 3, 1), (16, 96, 8, 5, 2), (8, 48, 8, 5, 1), (8, 48, 8, 5, 1), (8, 16, 8, 3, 2)]


class Same(nn.Module):
    """A convolution as TensorFlow pads it: ⌈n / stride⌉ windows that lie on the picture as evenly as can be."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs // groups, kernel, kernel))
        self.stride, self.groups = stride, groups

    def forward(self, x: Tensor) -> Tensor:
        around = []
        for n in reversed(x.shape[2:]):
            windows = (n + self.stride - 1) // self.stride
            missing = max(self.stride * (windows - 1) + self.weight.shape[2] - n, 0)
            around += [missing // 2, (missing + 1) // 2]
        return F.conv2d(nn.ZeroPad2d(around)(x), self.weight, None, self.stride, groups=self.groups)


def norm(channels: int) -> nn.Module:
    return nn.BatchNorm2d(channels, eps=1e-3)


class PlainBlock(nn.Module):
    def __init__(self, inputs: int, inner: int, outputs: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.expands, self.adds = inner != inputs, stride == 1 and inputs == outputs
        if self.expands:
            self._expand_conv, self._bn0 = Same(inputs, inner, 1), norm(inner)
        self._depthwise_conv, self._bn1 = Same(inner, inner, kernel, stride, groups=inner), norm(inner)
        self._project_conv, self._bn2 = Same(inner, outputs, 1), norm(outputs)

    def forward(self, x: Tensor) -> Tensor:
        y = x
        if self.expands:
            y = self._bn0(self._expand_conv(y)).clamp(0, 6)
        y = self._bn1(self._depthwise_conv(y)).clamp(0, 6)
        y = self._bn2(self._project_conv(y))
        return y + x if self.adds else y


class PlainLite(nn.Module):
    """The stem and `BLOCKS`, of seeded random numbers, and a classifier that nobody needs."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self._conv_stem, self._bn0 = Same(3, 32, 3, stride=2), norm(32)
        self._blocks = nn.ModuleList(PlainBlock(*block) for block in BLOCKS)
        self._fc = nn.Linear(2, 2)
        generator = torch.Generator().manual_seed(seed)
        for name, tensor in self.state_dict().items():
            if name.endswith("running_var"):
                tensor.uniform_(0.01, 2, generator=generator)
            elif tensor.is_floating_point():
                tensor.normal_(0, 0.5, generator=generator)
        self.eval().requires_grad_(False)

    def forward(self, image: Tensor) -> list[Tensor]:
        """What each block puts out, of a 3×H×W image in [0, 1]."""
        x = self._bn0(self._conv_stem((255 * image[None] - 127) / 128)).clamp(0, 6)
        found = []
        for block in self._blocks:
            x = block(x)
            found.append(x[0])
        return found
