"""Whether a graphics card gives the same results as the processor, and how much sooner.

    python benchmarks/devices.py PAIRS [--device cuda] [--size 700] [--quality standard] [--recipes NAME …] [--single]

PAIRS is a folder of folders with content and style (.png or .jpg). Regions are found in each pair on both devices: told
is of how many of the content's pixels the region is the same. Then each recipe runs on the first pair, with these
regions, on the processor once and on the device twice, of which the second counts: seconds of both, how far results
are apart (mean and 99th percentile, ΔE2000), and the most memory that the device held.

--single lets the device have no numbers of 64 bits, as Apple's MPS has none: where one is made, that is what is told.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from photostyle import RECIPES, Regions, find_regions, load_image, transfer
from photostyle import image as images
from photostyle.color.difference import delta_e


class Single(TorchDispatchMode):
    """Raises TypeError for an operation whose result is in float64 and not on the processor."""

    def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = operation(*args, **(kwargs or {}))
        for x in result if isinstance(result, (tuple, list)) else [result]:
            if isinstance(x, Tensor) and x.dtype == torch.float64 and x.device.type != "cpu":
                raise TypeError(f"{operation} makes float64 on {x.device}")
        return result


def refuse_float64() -> None:
    """Let `exact` work on the processor, as it does for MPS."""
    ours, there = images.exact, lambda x: x.cpu().double()
    for module in list(sys.modules.values()):
        if getattr(module, "exact", None) is ours:
            module.exact = there  # type: ignore[attr-defined]


def said(work: Callable[[], object]) -> str:
    """Whether it makes float64 on the device."""
    try:
        with Single():
            work()
    except TypeError as error:
        return str(error)
    return "no float64"


def timed(device: str, content: Tensor, style: Tensor, regions: Regions, **options: Any) -> tuple[float, Tensor]:
    """Seconds, and the result on the processor."""
    began = time.perf_counter()
    result = transfer(content, style, regions, device=device, **options).cpu()
    return time.perf_counter() - began, result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--size", type=int, default=700, help="long side of the photographs, pixels")
    parser.add_argument("--quality", default="standard")
    parser.add_argument("--recipes", nargs="+", default=list(RECIPES), choices=list(RECIPES))
    parser.add_argument("--single", action="store_true")
    options = parser.parse_args()
    name = torch.cuda.get_device_name() if options.device.startswith("cuda") else options.device
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {name}\n")
    pairs = [
        tuple(images.fit(load_image(next(path.glob(f"{side}.*"))), options.size) for side in ("content", "style"))
        for path in sorted(options.folder.iterdir())
        if path.is_dir()
    ]
    if options.single:
        single(*pairs[0], options)
        return
    regions, *_ = [same_regions(*pair, options.device) for pair in pairs]
    print(f"\n{'recipe':18s} {'processor':>10s} {'device':>8s} {'ΔE mean':>8s} {'99 %':>6s} {'memory, MB':>11s}")
    for recipe in options.recipes:
        print(f"{recipe:18s} {compare(*pairs[0], regions, recipe, options)}", flush=True)


def single(content: Tensor, style: Tensor, options: argparse.Namespace) -> None:
    """A line for regions and for each recipe."""
    regions = find_regions(content, style, count=2, device=options.device)
    for recipe in options.recipes:  # which loads what it needs
        transfer(content, style, regions, device=options.device, recipe=recipe, quality="draft")
    refuse_float64()
    print(f"{'regions':18s} {said(lambda: find_regions(content, style, count=2, device=options.device))}")
    for recipe in options.recipes:
        chosen = {"recipe": recipe, "quality": options.quality, "device": options.device}
        print(f"{recipe:18s} {said(lambda chosen=chosen: transfer(content, style, regions, **chosen))}", flush=True)


def same_regions(content: Tensor, style: Tensor, device: str) -> Regions:
    """The regions that the processor finds; prints how many of them the device finds, and how alike they are."""
    found, seconds = [], []
    for where in ("cpu", device, device):
        began = time.perf_counter()
        found.append(find_regions(content, style, device=where))
        seconds.append(time.perf_counter() - began)
    here, _, there = found
    alike = float((here.content.argmax(0) == there.content.argmax(0)).float().mean())
    counts = f"{len(here.names)} and {len(there.names)} regions"
    print(f"{counts}, alike {alike:.4f}, {seconds[0]:.2f} and {seconds[-1]:.2f} s", flush=True)
    return here


def compare(content: Tensor, style: Tensor, regions: Regions, recipe: str, options: argparse.Namespace) -> str:
    """A row: seconds on both, the difference, and memory."""
    chosen = {"recipe": recipe, "quality": options.quality}
    here, expected = timed("cpu", content, style, regions, **chosen)
    timed(options.device, content, style, regions, **chosen)
    if options.device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats()
    there, result = timed(options.device, content, style, regions, **chosen)
    memory = torch.cuda.max_memory_allocated() / 1e6 if options.device.startswith("cuda") else float("nan")
    apart = delta_e(expected, result).flatten()
    far = float(apart[:: max(1, len(apart) // 2**20)].quantile(0.99))
    return f"{here:9.2f}s {there:7.2f}s {float(apart.mean()):8.2f} {far:6.2f} {memory:11.0f}"


if __name__ == "__main__":
    main()
