"""Times closed-form matting, this project's and pymatting's: seconds, peak memory, and how far the two mattes differ.

    python benchmarks/alpha.py [WIDTHxHEIGHT …] [--foreground PHOTO] [--background PHOTO] [--band SHARE] [--scribbles]

A soft disc with hairs, of one photograph, is laid over another, so that the true matte is known. The trimap leaves
unknown what is within --band of the short side of any mixed pixel (the hairs are everywhere around, so that is a
broad band even if it is 0); with --scribbles only a ring inside, a ring outside and the upper border are known. Each
library works alone in a fresh process, PyTorch with as many threads as it likes, pymatting as it is (it uses one).
Both are warmed up on a small picture first, so pymatting's compilation does not count. "memory" is the process's peak
(ru_maxrss), with Python, the libraries and the photograph; "error" is the mean difference from the true matte and
"difference" that of the two mattes, both over the unknown pixels; "everywhere" is the latter over all pixels.
"""

from __future__ import annotations

import argparse
import importlib
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from timing import alone, describe_machine, forget_peak, header, installed, row

from photostyle import find_alpha, find_foreground, load_image
from photostyle.bench.task import peak_memory
from photostyle.image import resize

Array = NDArray[np.float64]
EXAMPLE = Path(__file__).parents[1] / "examples" / "palace-night"


def scene(size: tuple[int, int], files: tuple[Path, Path], band: float | None) -> tuple[Array, Array, Array]:
    """The photograph (H×W×3, 8 bits), the trimap (0, ½, 1) and the true matte (H×W); no `band`: strokes."""
    W, H = size
    foreground, background = (resize(load_image(file), (H, W)).double().numpy() for file in files)
    alpha = disc_with_hairs(H, W)
    image = np.round(255 * (alpha * foreground + (1 - alpha) * background)) / 255
    unit = min(H, W)
    if band is None:
        radius = np.hypot(*coordinates(H, W))
        trimap = np.full((H, W), 0.5)
        trimap[np.abs(radius - 0.18) < 0.01] = 1
        trimap[np.abs(radius - 0.4) < 0.01] = 0
        trimap[: unit // 60] = 0
    else:
        near = ndimage.distance_transform_edt(~((alpha > 0.002) & (alpha < 0.998))) <= band * unit
        trimap = np.where(near, 0.5, alpha.round())
    return np.ascontiguousarray(image.transpose(1, 2, 0)), trimap, alpha


def coordinates(H: int, W: int) -> tuple[Array, Array]:
    """Of each pixel from the middle, down and to the right; the short side is 1."""
    y, x = np.mgrid[:H, :W]
    return (y - 0.55 * H) / min(H, W), (x - 0.5 * W) / min(H, W)


def disc_with_hairs(H: int, W: int) -> Array:
    y, x = coordinates(H, W)
    angle, radius = np.arctan2(y, x), np.hypot(y, x)
    edge = 0.28 + 0.03 * np.sin(3 * angle) + 0.02 * np.sin(7 * angle + 1)
    disc = 1 / (1 + np.exp(((radius - edge) / 0.006).clip(-60, 60)))
    which = np.round(angle / (2 * np.pi) * 150)
    length = 0.04 * (1 + 0.9 * np.sin(12.9898 * which))
    across = np.abs(np.sin(angle - which / 150 * 2 * np.pi)) * radius
    hair = (1.3 - 600 * across).clip(0, 1) * ((edge + length - radius) / 0.02).clip(0, 1) * (radius > 0.9 * edge)
    return np.maximum(disc, hair).clip(0, 1)


def ours(size: tuple[int, int], files: tuple[Path, Path], band: float | None) -> tuple[float, float, int, Array, float]:
    """Seconds, those of the processor, bytes, matte, and seconds for the colours of foreground and background."""
    image, trimap, _ = scene((64, 48), files, 1 / 60)
    find_alpha(tensor(image), torch.from_numpy(trimap))
    image, trimap, _ = scene(size, files, band)
    I, known = tensor(image), torch.from_numpy(trimap)
    del image, trimap
    forget_peak()
    began, busy = time.perf_counter(), time.process_time()
    alpha = find_alpha(I, known)
    seconds, cpu, memory = time.perf_counter() - began, time.process_time() - busy, peak_memory()
    began = time.perf_counter()
    find_foreground(I, alpha)
    return seconds, cpu, memory, alpha.double().numpy(), time.perf_counter() - began


def theirs(
    size: tuple[int, int], files: tuple[Path, Path], band: float | None
) -> tuple[float, float, int, Array, float]:
    """The same of pymatting."""
    estimate: Any = importlib.import_module("pymatting.alpha.estimate_alpha_cf").estimate_alpha_cf
    colors: Any = importlib.import_module("pymatting.foreground.estimate_foreground_ml").estimate_foreground_ml
    small, known, truth = scene((64, 48), files, 1 / 60)
    estimate(small, known)
    colors(small, truth)
    image, trimap, _ = scene(size, files, band)
    forget_peak()
    began, busy = time.perf_counter(), time.process_time()
    alpha = estimate(image, trimap)
    seconds, cpu, memory = time.perf_counter() - began, time.process_time() - busy, peak_memory()
    began = time.perf_counter()
    colors(image, alpha)
    return seconds, cpu, memory, alpha, time.perf_counter() - began


def tensor(image: Array) -> torch.Tensor:
    return torch.from_numpy(image).permute(2, 0, 1).float().contiguous()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", nargs="*", default=["800x600", "4000x3000"], metavar="WIDTHxHEIGHT")
    parser.add_argument("--foreground", type=Path, default=EXAMPLE / "content.jpg")
    parser.add_argument("--background", type=Path, default=EXAMPLE / "style.jpg")
    parser.add_argument("--scribbles", action="store_true", help="strokes instead of a trimap")
    parser.add_argument("--band", type=float, default=1 / 60, help="share of the short side (default: 1/60)")
    options = parser.parse_args()
    band = None if options.scribbles else options.band
    files = options.foreground, options.background
    describe_machine()
    compare = installed("pymatting", "pip install --group benchmarks")
    header("closed-form matting", "alpha, s", "of processor, s", "memory, MB", "error", "colours, s")
    for text in options.sizes:
        W, H = map(int, text.split("x"))
        _, trimap, truth = scene((W, H), files, band)
        unknown = trimap == 0.5
        mine = alone(ours, (W, H), files, band)
        row(f"{W}×{H}, {unknown.mean():.0%} unknown, photostyle", *cells(mine, truth, unknown))
        if compare:
            other = alone(theirs, (W, H), files, band)
            row("pymatting", *cells(other, truth, unknown))
            row("pymatting / photostyle", *(f"{b / a:.2f} ×" for a, b in zip(mine[:3], other[:3], strict=True)), "", "")
            difference = np.abs(mine[3] - other[3])
            row("difference, everywhere", f"{difference[unknown].mean():.1e}", f"{difference.mean():.1e}", "", "", "")


def cells(result: tuple[float, float, int, Array, float], truth: Array, unknown: NDArray[np.bool_]) -> tuple[str, ...]:
    seconds, cpu, memory, alpha, colors = result
    error = np.abs(alpha - truth)[unknown].mean()
    return f"{seconds:.2f}", f"{cpu:.2f}", f"{memory / 1e6:.0f}", f"{error:.4f}", f"{colors:.2f}"


if __name__ == "__main__":
    main()
