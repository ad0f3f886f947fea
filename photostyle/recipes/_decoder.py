"""Trained decoders of features: a trunk mirrored, read from a file."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from torch import Tensor

from photostyle.errors import WeightsError
from photostyle.network.vgg import VGG
from photostyle.network.vggs import CONVOLUTIONS
from photostyle.tensors import read_tensors

Decode = Callable[[Tensor], Tensor]
"""Features C×h×w → colours 3×h'×w', not clamped."""


def load_decoder(path: str, vgg: VGG) -> tuple[str, Decode]:
    """A trained decoder and the layer whose features (C×h×w) it turns into sRGB in [0, 1].

    A file safetensors; its metadata name `backbone` and `layer` (relu1_1 to relu5_1). It mirrors the trunk: for each
    convolution from that layer's back to conv1_1 a tensor `convB_I.weight` (inputs × outputs of the trunk's convB_I ×
    3 × 3) and `convB_I.bias`. Each is preceded by reflection, followed by a ReLU but for the last, and by doubling to
    the nearest pixel where the trunk pools. Raises WeightsError for a file that is not so.
    """
    try:
        about, tensors = read_tensors(path)
    except (OSError, SafetensorError) as error:
        raise WeightsError(
            f"The decoder {path} cannot be read ({error}): give a file in safetensors format."
        ) from error
    if about.get("backbone") != vgg.backbone:
        raise WeightsError(
            f"The decoder {path} was trained for the backbone {about.get('backbone')!r}, not {vgg.backbone!r}: "
            "choose that backbone, or name it in the metadata of the file."
        )
    layer = about.get("layer", "")
    if layer not in {f"relu{block}_1" for block in range(1, 6)}:
        raise WeightsError(f"The decoder {path} is for the layer {layer!r}: its metadata must name relu1_1 … relu5_1.")
    shapes = _decoder_shapes(vgg, layer)
    for name, shape in shapes.items():
        found = tuple(tensors[name].shape) if name in tensors else "not there"
        if found != shape:
            raise WeightsError(f"In the decoder {path} the tensor {name} must be {shape}; it is {found}.")
    if surplus := sorted(set(tensors) - set(shapes)):
        raise WeightsError(f"The decoder {path} holds a tensor {surplus[0]}, which no decoder of {layer} has.")
    if not all(tensor.dtype == torch.float32 and tensor.isfinite().all() for tensor in tensors.values()):
        raise WeightsError(f"The decoder {path} holds NaN, infinity or numbers that are not float32: save it again.")
    tensors = {name: tensor.to(vgg.device) for name, tensor in tensors.items()}
    return layer, lambda f: _run_decoder(tensors, f)


def _decoder_shapes(vgg: VGG, layer: str) -> dict[str, tuple[int, ...]]:
    """Name → shape of each tensor of a decoder of that layer, in the order of use."""
    names = [f"conv{b}_{i + 1}" for b in range(1, int(layer[4])) for i in range(CONVOLUTIONS[vgg.depth][b - 1])]
    names.append(layer.replace("relu", "conv"))
    with torch.no_grad():
        probe = vgg(torch.zeros(3, 1, 1, device=vgg.device), {"image", *names})
    channels = [len(probe[name]) for name in ("image", *names)]
    shapes: dict[str, tuple[int, ...]] = {}
    for name, outer, inner in reversed(list(zip(names, channels, channels[1:], strict=False))):
        shapes[f"{name}.weight"], shapes[f"{name}.bias"] = (outer, inner, 3, 3), (outer,)
    return shapes


@torch.no_grad()
def _run_decoder(tensors: dict[str, Tensor], features: Tensor) -> Tensor:
    x = features[None]
    for name in sorted({name.split(".")[0] for name in tensors}, reverse=True):
        # a single row or column has nothing to reflect
        mode = "reflect" if min(x.shape[2:]) > 1 else "replicate"
        x = F.conv2d(F.pad(x, [1] * 4, mode=mode), tensors[f"{name}.weight"], tensors[f"{name}.bias"])
        if name != "conv1_1":
            x = F.relu(x)
            if name.endswith("_1"):
                x = F.interpolate(x, scale_factor=2.0, mode="nearest")
    return x[0]
