"""Looks in files: safetensors, the arrays of a look and beside them what it is, as JSON.

Format 1 holds a `LocalLook`, format 2 a `Look`: its maps as 32-bit floats, masks and thumbnails in 8 bits.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save
from torch import Tensor

from photostyle.errors import ImageError
from photostyle.files import StrPath, check_target, write_whole
from photostyle.looks.local import LocalLook
from photostyle.looks.look import Look
from photostyle.looks.scene import Scene
from photostyle.maps.lattice import ColorMap
from photostyle.tensors import read_tensors

SUFFIX = ".safetensors"

_LOCAL, _MAPS = 1, 2  # the formats
_MOST_REGIONS, _LARGEST_TABLE, _LARGEST_IMAGE = 64, 129, 4096  # of a file that is not made to harm


def save_look(look: Look | LocalLook, path: StrPath) -> None:
    """Write a look. Equal looks give equal bytes, and the file appears whole or not at all.

    Raises ImageError if it cannot be written, or holds numbers that a file cannot.
    """
    check_look_path(path)
    about: dict[str, Any]
    if isinstance(look, LocalLook):
        # an error of 1/50 of an 8-bit level
        tensors = {"maps": look.maps.detach().to("cpu", torch.float16).contiguous()}
        about = {"look": _LOCAL, "size": look.size, "facts": look.facts}
    else:
        maps = [map.resample(max(m.size for m in (*look.maps, look.common))) for map in (*look.maps, look.common)]
        tensors = {
            "nodes": torch.stack([map.nodes for map in maps]),
            "tilts": torch.stack([map.tilt for map in maps]),
            "masks": _levels(look.scene.masks),
            "before": _levels(look.scene.before),
            "after": _levels(look.after),
            "kinds": look.scene.kinds,
        }
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        about = {"look": _MAPS, "regions": look.names, "network": look.scene.network, "facts": look.facts}
    if not all(tensor.isfinite().all() for tensor in tensors.values()):
        raise ImageError(f"{path} was not written: the look holds NaN, infinity or numbers beyond 65504.")
    # one entry only: safetensors writes several in any order
    write_whole(path, save(tensors, {"photostyle": json.dumps(about)}))


def load_look(path: StrPath) -> Look | LocalLook:
    """Read a look of any format up to this one. Raises ImageError if there is no such file, or no whole look in it."""
    if not Path(path).exists():
        raise ImageError(f"There is no file {path}: check the name.")
    try:
        metadata, tensors = read_tensors(path)
        about = json.loads(metadata.get("photostyle", "null"))
    except (OSError, ValueError, SafetensorError) as error:
        raise ImageError(f"{path} is no look, or damaged: make it again.") from error
    if any(tensor.is_floating_point() and not tensor.isfinite().all() for tensor in tensors.values()):
        raise ImageError(f"{path} is damaged, its maps hold NaN or infinity: make it again.")
    match about:
        case {"look": int(format)} if format > _MAPS:
            raise ImageError(f"{path} is the look of a newer photostyle (format {format}): update photostyle.")
        case {"look": 1, "size": [int(height), int(width)], "facts": dict(facts)}:
            return _local(path, tensors, (height, width), _words(facts))
        case {"look": 2, "regions": list(names), "network": str(network), "facts": dict(facts)}:
            return _regional(path, tensors, tuple(map(str, names)), network, _words(facts))
    raise ImageError(f"{path} holds no look: give the file of one, or of a table of colours.")


def check_look_path(path: StrPath) -> None:
    """Raise ImageError if `save_look` could not write to `path`; touch nothing. For before the long work."""
    check_target(path, [SUFFIX])


def _local(path: StrPath, tensors: dict[str, Tensor], size: tuple[int, int], facts: dict[str, str]) -> LocalLook:
    maps = tensors.get("maps", torch.empty(0)).float()
    if maps.ndim != 4 or maps.shape[:2] != (3, 4) or 0 in maps.shape or min(size) < 1:
        raise ImageError(f"{path} holds no look, its maps are {tuple(maps.shape)}: make it again.")
    return LocalLook(maps, size, facts)


def _regional(
    path: StrPath, tensors: dict[str, Tensor], names: tuple[str, ...], network: str, facts: dict[str, str]
) -> Look:
    K = len(names)
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    match shapes:
        case {
            "nodes": (tables, 3, int(n), m, k),
            "tilts": (tilts, 3, 4),
            "masks": (areas, int(h), int(w)),
            "before": (3, int(), int()),
            "after": (3, int(), int()),
            "kinds": (kinds, _),
        } if (
            n == m == k
            and tables == tilts == K + 1
            and areas == kinds == K
            and 1 <= K <= _MOST_REGIONS
            and 2 <= n <= _LARGEST_TABLE
            and min(h, w, *shapes["before"], *shapes["after"]) > 0
            and max(h, w, *shapes["before"], *shapes["after"]) <= _LARGEST_IMAGE
        ):
            pass
        case _:
            raise ImageError(f"{path} holds no whole look: make it again.")
    masks = tensors["masks"].float()
    *maps, common = (ColorMap(*pair) for pair in zip(tensors["nodes"].float(), tensors["tilts"].float(), strict=True))
    scene = Scene(
        before=tensors["before"].float() / 255,
        masks=masks / masks.sum(0).clamp(min=1),
        kinds=tensors["kinds"].float(),
        network=network,
    )
    return Look(tuple(maps), common, names, scene, tensors["after"].float() / 255, facts)


def _levels(image: Tensor) -> Tensor:
    return image.mul(255).round().clamp(0, 255).to(torch.uint8)


def _words(facts: Mapping[object, object]) -> dict[str, str]:
    return {str(key): str(value) for key, value in facts.items()}
