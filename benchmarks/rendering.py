"""Times the way from colour maps to the full photograph, and the whole way from file to file.

    python benchmarks/rendering.py [MEGAPIXELS …]

First `blend` of the maps of three regions on ever larger photographs (smooth colour with grain), each in a fresh
process. Then `python -m photostyle transfer` with its defaults on JPEGs: the palace in examples/ at 700×467 pixels, and
at 24 megapixels (or the last size given), enlarged with grain, so that the file is as heavy as a camera's; medians
of three runs in turn. The default weights must be in the cache: `photostyle weights fetch`. Peaks are of whole
processes, Python and PyTorch included.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
import torch.nn.functional as F
from timing import alone, describe_machine, header, median_seconds, row
from torch import Tensor

from photostyle.bench.task import peak_memory
from photostyle.image import fit
from photostyle.maps.blend import blend, find_borders
from photostyle.maps.lattice import ColorMap
from photostyle.photofile import load_image, save_image
from photostyle.recipes.photo import Photo

SIZES = (1.0, 12.0, 24.0, 50.0)  # megapixels
FILE, PAIR = 24.0, 700 * 467 / 1e6
EXAMPLE = Path(__file__).parent.parent / "examples" / "palace-night"


def enlarged(image: Tensor, megapixels: float) -> Tensor:
    """That many pixels, with grain; no more memory is needed on the way than for rendering."""
    _, H, W = image.shape
    scale = (megapixels * 1e6 / (H * W)) ** 0.5
    large = F.interpolate(image[None], (round(H * scale), round(W * scale)), mode="bilinear")[0]
    for channel in large:
        channel += 0.02 * torch.randn_like(channel)
    return large.clamp_(0, 1)


def rendering(megapixels: float) -> tuple[float, int]:
    """Seconds, and the peak in bytes."""
    photograph = enlarged(torch.rand(3, 6, 9), megapixels)
    small = fit(photograph, Photo.SMALL)
    third = torch.linspace(0, 2.999, small.shape[2]).long().expand(small.shape[1:])
    borders = find_borders(torch.stack([(third == k).float() for k in range(3)]), small)
    maps = [ColorMap.identity().lerp(ColorMap.of(torch.rand(3, 17, 17, 17)), 0.2) for _ in range(3)]
    return median_seconds(lambda: blend(maps, photograph, borders), 3), peak_memory()


def write_photograph(path: Path, megapixels: float) -> None:
    save_image(enlarged(load_image(EXAMPLE / "content.jpg"), megapixels), path)


def from_file_to_file(content: Path, output: Path) -> tuple[float, int]:
    """Seconds and the peak of the command line, start of Python included."""
    paths = [str(content), str(EXAMPLE / "style.jpg"), "-o", str(output)]
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "photostyle", "transfer", *paths, "--quiet"])
    # this process is small, which matters: on Linux the peak of a child begins at its parent's
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit("The command line failed.")
    return seconds, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main() -> None:
    describe_machine()
    sizes = list(map(float, sys.argv[1:]))
    header("megapixels", "seconds", "peak, MB")
    for megapixels in sizes or SIZES:
        seconds, peak = alone(rendering, megapixels)
        row(f"blend, {megapixels:g}", f"{seconds:.2f}", f"{peak / 1e6:.0f}")
    megapixels = sizes[-1] if sizes else FILE
    with TemporaryDirectory() as folder:
        contents = {size: Path(folder) / f"{size:g}.jpg" for size in (PAIR, megapixels)}
        for size, content in contents.items():
            alone(write_photograph, content, size)
        runs = [
            (size, *from_file_to_file(content, Path(folder) / "output.jpg"))
            for _ in range(3)
            for size, content in contents.items()
        ]
        for size, content in contents.items():
            seconds, peak = (statistics.median(run[column] for run in runs if run[0] == size) for column in (1, 2))
            weight = content.stat().st_size / 1e6
            row(f"file to file, {size:g} ({weight:.1f} MB)", f"{seconds:.1f}", f"{peak / 1e6:.0f}")


if __name__ == "__main__":
    main()
