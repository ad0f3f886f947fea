"""Times one evaluation, value and gradient, of the energy of the recipe `photo`, and its peak of memory.

    python benchmarks/evaluation.py [LONG_SIDE …]

The weights are random, so nothing is fetched, and the photographs are noise. Each figure comes from a
fresh process; the peak is that of the whole process, Python and PyTorch included.

Beside it runs neural-style (the package of neural-style-pt), which Gatys' method is often run with: its own
network, losses and evaluation, at the same layers, average pooling and the same photographs. Its energy is
content and style alone, where that of `photo` has matting, colour and gamut too. It declares torchvision, which
it needs for files alone, so `--no-deps` is enough. pystiche is left out: it takes its networks from torchvision.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import statistics
import sys
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

import torch
from timing import alone, describe_machine, header, installed, median_seconds, row
from torch import Tensor

from photostyle.bench.task import peak_memory
from photostyle.network.backbones import BACKBONES
from photostyle.network.vgg import VGG
from photostyle.network.weights import Weights
from photostyle.recipes.photo import Photo, picture_objective
from photostyle.regions.regions import Regions

SIZES = (128, 192, 256, 512, 1024)
NETWORKS = {16: "vgg16-torch", 19: "vgg19"}  # by depth; the trunk alone
COUNT = 5


def photographs(long_side: int) -> tuple[Tensor, Tensor]:
    content, style = torch.rand(2, 3, round(long_side * 2 / 3), long_side, generator=torch.Generator().manual_seed(0))
    return content, style


def random_weights(name: str) -> Weights:
    """Scaled so that the features of all layers are about equally large."""
    backbone, tensors = BACKBONES[name], {}
    for key, shape in backbone.shapes.items():
        tensors[key] = torch.randn(shape) * (2 / (9 * shape[1])) ** 0.5 if len(shape) == 4 else torch.zeros(shape)
    return Weights(backbone, tensors)


def ours(depth: int, long_side: int) -> tuple[float, int]:
    """Seconds of one evaluation, and the peak in bytes."""
    content, style = photographs(long_side)
    vgg = VGG(random_weights(NETWORKS[depth]))
    energy = picture_objective(content, style, Regions.whole(content, style), vgg, Photo())
    x = style.clone().requires_grad_()

    def evaluate() -> None:
        parts = energy.parts(vgg(x, energy.reads))
        torch.autograd.grad(torch.stack(list(parts.values())).sum(), x)

    return median_seconds(evaluate, COUNT), peak_memory()


class Stopwatch(torch.optim.Optimizer):
    """Evaluates as any optimizer does, and goes nowhere."""

    def __init__(self, image: Tensor) -> None:
        super().__init__([image], {})
        self.times: list[float] = []

    def step(self, closure: Callable[[], Any]) -> None:  # type: ignore[override]
        began = time.perf_counter()
        closure()
        self.times.append(time.perf_counter() - began)


def theirs(depth: int, long_side: int) -> tuple[float, int]:
    """The same of neural-style, whose `main` runs with three of its parts exchanged: files, weights, optimizer."""
    options = "-gpu c -pooling avg -tv_weight 0 -print_iter 0 -save_iter 0 -content_image content -style_image style"
    sys.argv = ["neural-style", *options.split()]  # read when it is imported
    sys.modules |= {name: ModuleType(name) for name in ("torchvision", "torchvision.transforms")}  # nothing in them
    library: Any = importlib.import_module("neural_style.neural_style")
    loader: Any = importlib.import_module("neural_style.loader.CaffeLoader")

    def network(file: str, pooling: str, *_: object) -> tuple[Any, Any]:
        return loader.buildSequential(loader.channel_list[f"VGG-{depth}"], pooling), getattr(loader, f"vgg{depth}_dict")

    files = dict(zip(("content", "style"), photographs(long_side), strict=True))
    watches = []

    def stopwatch(image: Tensor) -> tuple[Stopwatch, int]:
        watches.append(Stopwatch(image))
        return watches[0], COUNT  # the last call, counted from 0

    library.preprocess = lambda name, size: 255 * files[name][None] - 128
    library.loadCaffemodel = network
    library.setup_optimizer = stopwatch
    with contextlib.redirect_stdout(io.StringIO()):
        library.main()
    return statistics.median(watches[0].times[1:]), peak_memory()  # the first one warms up


def main() -> None:
    describe_machine()
    compare = installed("neural_style", "pip install --no-deps neural-style==0.5.7")
    header("network, long side", "photo, s", "peak, MB", *["neural-style, s", "peak, MB", "time", "memory"] * compare)
    for depth in NETWORKS:
        for long_side in map(int, sys.argv[1:] or SIZES):
            seconds, peak = alone(ours, depth, long_side)
            cells = [f"{seconds:.3f}", f"{peak / 1e6:.0f}"]
            if compare:
                s, p = alone(theirs, depth, long_side)
                cells += [f"{s:.3f}", f"{p / 1e6:.0f}", f"{s / seconds:.2f} ×", f"{p / peak:.2f} ×"]
            row(f"VGG-{depth}, {long_side} px", *cells)


if __name__ == "__main__":
    main()
