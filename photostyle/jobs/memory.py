"""How much memory the work takes, estimated before it starts, and what to lower where there is less."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
import torch

from photostyle.errors import SettingsError, is_shortage
from photostyle.image import fit_size

# Measured on a processor with VGG-16, long sides from 192 to 384 and photographs of 4 to 9 megapixels
# (tests/jobs/test_memory.py measures two of them again), and a tenth added. What a recipe takes stands in its row.
_NETWORK = 230e6  # bytes: the network, and what PyTorch loads when it first computes
_WORKS = {
    "apply": (60, 0.0),
    "matte": (650, 0.0),
    "regions": (60, 350e6),
    "texture": (80, 0.0),
}  # for each pixel of the photograph; besides
_LEAST = 64  # long side, pixels: below it no result is worth having


def estimate(work: str, shape: Sequence[int], size: int | None, sketch: int | None = None) -> float:
    """Bytes that a recipe takes at most, beside its photographs; the content's is `shape` = (H, W).

    `size` is the long side at which it works, None for a recipe that has none. What is no recipe but makes a
    photograph is named by its command: matte (which is solved at full size), apply, regions, texture. Of a recipe that
    makes a `sketch` of that long side first, this alone descends, and the rest is rendered.
    """
    height, width = shape
    if work in _WORKS:
        each, besides = _WORKS[work]
        return each * height * width + besides
    from photostyle import RECIPES  # their import takes a while, and `apply` needs none
    from photostyle.network.vgg import PIXELS_AT_ONCE

    recipe = RECIPES[work]
    whole: float = recipe.photograph_bytes * height * width
    if size is None:
        return whole
    descends = size if sketch is None else min(size, sketch)
    pixels = math.prod(fit_size(height, width, descends))
    further = recipe.descent_bytes if recipe.banded_bytes is None else recipe.banded_bytes
    whole += _NETWORK + recipe.descent_bytes * min(pixels, PIXELS_AT_ONCE) + further * max(0, pixels - PIXELS_AT_ONCE)
    if descends < size:
        whole += _WORKS["texture"][0] * math.prod(fit_size(height, width, size))
    return whole


def size_that_fits(
    recipe: str, shape: Sequence[int], size: int | None, free: float, sketch: int | None = None
) -> int | None:
    """The largest `size`, at most what is given, for which so many free bytes are enough.

    Raises SettingsError, naming what to lower, where there is none.
    """
    if estimate(recipe, shape, size, sketch) <= free:
        return size
    lowest = None if size is None else min(size, _LEAST)
    bare = estimate(recipe, shape, lowest, sketch)
    if size is None or bare > free:
        raise _shortage(bare, shape, free)
    low, high = _LEAST, size  # fits, does not fit
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if estimate(recipe, shape, middle, sketch) <= free else (low, middle)
    return low


def check_room(work: str, shape: Sequence[int], device: torch.device) -> None:
    """Raises SettingsError if on the device less is free than the `estimate` of a work without a size."""
    needed, free = estimate(work, shape, None), free_memory(device)
    if needed > free:
        raise _shortage(needed, shape, free)


def _shortage(needed: float, shape: Sequence[int], free: float) -> SettingsError:
    return SettingsError(
        f"This takes about {gigabytes(needed)} of memory for a photograph of {shape[1]}×{shape[0]} pixels, and "
        f"{gigabytes(free)} are free: make the photograph smaller, or close other programs."
    )


def free_memory(device: torch.device) -> float:
    """Bytes that are free on the device; on a processor, no more than what the process's group may still take."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return min(psutil.virtual_memory().available, _free_in_group(Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")))


@contextmanager
def explained() -> Iterator[None]:
    """Within it, or in what it decorates, a shortage of memory is a SettingsError that says what to lower."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_shortage(error):
            raise
        raise SettingsError(
            "There is not enough memory: make the photographs smaller, lower --size where there is one, or close other "
            "programs."
        ) from error


def _free_in_group(root: Path, own: Path) -> float:
    """What Linux's control groups leave to this process: containers and queues on clusters are limited so.

    Every group above counts too. Caches count as used, but can be taken back. Infinite where there are none.
    """
    free = math.inf
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return free
    for line in lines:  # number:controllers:path, the path of version 2 without controllers
        _, controllers, path = line.split(":", 2)
        if controllers not in ("", "memory"):
            continue
        top, limit, used, cache = (
            (root, "memory.max", "memory.current", "inactive_file")
            if not controllers
            else (root / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        )
        group = top / path.strip("/")
        for folder in (group, *group.parents):
            try:
                most, taken = (
                    float((folder / limit).read_text().replace("max", "inf")),
                    int((folder / used).read_text()),
                )
                facts = dict(fact.split() for fact in (folder / "memory.stat").read_text().splitlines())
            except (OSError, ValueError):
                continue
            free = min(free, most - taken + int(facts.get(cache, 0)))
    return max(free, 0)


def gigabytes(count: float) -> str:
    """A number of bytes in words."""
    return f"{count / 1e9:.1f} GB"
