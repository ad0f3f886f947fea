"""One task of the bench: make a result, or take one that is there, and measure it.

`python -m photostyle.bench.task` does it in a process of its own: a task in as JSON, its row out as JSON.
"""

from __future__ import annotations

import json
import math
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, Literal

import torch
from torch import Tensor

from photostyle import (
    RECIPES,
    ImageError,
    PhotostyleError,
    Regions,
    RegionsError,
    find_device,
    find_regions,
    load_image,
    load_photograph,
    load_regions,
    load_weights,
    measure,
    save_image,
    transfer,
)

REFERENCES = ("untouched", "published")
"""What is measured beside the recipes: the content itself, and the result that came with the pair."""

Row = dict[str, Any]

Guide = Literal["painted", "auto", "none"]


@dataclass(frozen=True)
class Task:
    """A result of one pair. `files` are paths by role: content, style, content_regions, style_regions, published.

    `recipe` is a recipe or one of `REFERENCES`; `settings` are all settings of the recipe, `output` is the
    PNG to write, and `threads` is how many the worker process may use. `regions` guide the recipe: those of
    the label images, found ones, or none; what is measured is always by the label images.
    """

    files: dict[str, str]
    recipe: str
    settings: dict[str, Any]
    backbone: str
    device: str
    threads: int
    output: str
    regions: Guide = "painted"


def attempt(task: Task) -> Row:
    """`perform`, or {"error": a sentence}: whatever happens to one pair, the others go on."""
    try:
        return perform(task)
    except PhotostyleError as error:
        return {"error": " ".join(str(error).split())}
    except Exception as error:
        return {"error": " ".join(f"{type(error).__name__}: {error}".split())}


def perform(task: Task) -> Row:
    """The measures of a result, its `width` and `height` in pixels, and what it took to make it.

    `seconds` (wall) and `cpu_seconds` (of all threads) are of the transfer alone, and of finding regions if it
    must: images and weights are read before. `peak_memory_mb`, in 10⁶ bytes, is of the whole process until then,
    Python and PyTorch included.
    Raises PhotostyleError.
    """
    content, style, regions = _load(task.files)
    judge = load_weights("vgg16-hed")
    row: Row = {}
    if task.recipe == "untouched":
        result = content
    elif task.recipe == "published":
        result = load_image(task.files["published"])
    else:
        result, row = _make(task, content, style, regions)
    figures = asdict(measure(content, style, result, regions, judge))
    if not all(map(math.isfinite, figures.values())):
        raise ImageError(f"The result cannot be measured: {figures}.")
    return figures | {"width": result.shape[2], "height": result.shape[1]} | row


def _make(task: Task, content: Tensor, style: Tensor, regions: Regions) -> tuple[Tensor, Row]:
    if RECIPES[task.recipe].network:
        for tensor in load_weights(task.backbone).tensors.values():
            tensor.sum()  # they are memory-mapped: this reads them, so that `transfer` finds them in memory
    wall, cpu = perf_counter(), process_time()
    if task.regions == "auto":
        regions = find_regions(content, style, device=find_device(task.device))
    elif task.regions == "none":
        regions = Regions.whole(content, style)
    result = transfer(
        content, style, regions, recipe=task.recipe, backbone=task.backbone, device=task.device, **task.settings
    ).cpu()
    row = {"seconds": perf_counter() - wall, "cpu_seconds": process_time() - cpu, "peak_memory_mb": peak_memory() / 1e6}
    save_image(result, task.output, note={"recipe": task.recipe, "settings": task.settings, "backbone": task.backbone})
    return load_image(task.output), row  # what is measured is what is in the file


def _load(files: dict[str, str]) -> tuple[Tensor, Tensor, Regions]:
    photographs = load_photograph(files["content"]), load_photograph(files["style"])
    content, style = (photograph.filled() for photograph in photographs)
    if ("content_regions" in files) != ("style_regions" in files):
        raise RegionsError("Regions come in pairs: add the missing one of content_regions.png and style_regions.png.")
    if "content_regions" not in files:
        regions = Regions.whole(content, style)
    else:
        regions = load_regions(files["content_regions"], files["style_regions"]).fit(content, style)
        content = photographs[0].filled(regions.content)
    return content, style, regions.seen(photographs[1].alpha)


def peak_memory() -> int:
    """The most memory that this process has held at once, bytes (on the processor's side)."""
    try:  # Linux hands ru_maxrss on from the process that started this one
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        import resource  # which not every system has

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


if __name__ == "__main__":
    _task = Task(**json.load(sys.stdin))
    torch.set_num_threads(_task.threads)
    json.dump(attempt(_task), sys.stdout)
