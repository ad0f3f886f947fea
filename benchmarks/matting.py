"""Times the matting Laplacian, its set-up and a product: this project's form, pymatting's matrix, PyTorch's.

    python benchmarks/matting.py [MEGAPIXELS …]

The window is 3×3, ε the same; a product takes the three channels at once. pymatting (the library of closed-form
matting in Python) builds a SciPy matrix in CSR form and float64, here multiplied in float32 too, and by PyTorch.
Each photograph of noise has a fresh process for each library. Memory is the process's peak less what it held
before the set-up (Python, the libraries, the photograph). The products are checked against each other.
"""

from __future__ import annotations

import importlib
import sys
import time
import warnings
from typing import Any

import numpy as np
import torch
from timing import alone, describe_machine, forget_peak, header, installed, median_seconds, row

from photostyle.bench.task import peak_memory
from photostyle.matting.laplacian import matting_laplacian

SIZES = (0.33, 1.0, 4.0)  # megapixels
EPSILON = 1e-5


def shape(megapixels: float) -> tuple[int, int]:
    height = round((megapixels * 1e6 * 2 / 3) ** 0.5)
    return height, round(height * 3 / 2)


def ours(megapixels: float) -> tuple[float, float, int]:
    """Seconds to set up, seconds of a product, bytes."""
    matting_laplacian(torch.rand(3, 64, 64))  # warms up
    I, V = torch.rand(2, 3, *shape(megapixels), generator=torch.Generator().manual_seed(0))
    forget_peak()
    before, began = peak_memory(), time.perf_counter()
    L = matting_laplacian(I, EPSILON)
    set_up = time.perf_counter() - began
    product = median_seconds(lambda: L @ V, 7)
    return set_up, product, peak_memory() - before


def theirs(megapixels: float) -> tuple[float, float, int, dict[str, float]]:
    """The same of pymatting, and seconds of other products with its matrix."""
    build: Any = importlib.import_module("pymatting.laplacian.cf_laplacian").cf_laplacian
    build(np.random.rand(64, 64, 3))  # warms up
    I, V = torch.rand(2, 3, *shape(megapixels), generator=torch.Generator().manual_seed(0))
    i, v = (x.permute(1, 2, 0).double().contiguous().numpy() for x in (I, V))
    v = v.reshape(-1, 3)  # N×3
    forget_peak()
    before, began = peak_memory(), time.perf_counter()
    L = build(i, EPSILON)
    set_up = time.perf_counter() - began
    product = median_seconds(lambda: L @ v, 7)
    memory = peak_memory() - before

    mine = (matting_laplacian(I.double(), EPSILON) @ V.double()).flatten(1).T.numpy()
    assert np.abs(mine - L @ v).max() < 1e-9 * np.abs(mine).max(), "the two Laplacians differ"
    L.sum_duplicates()  # pymatting leaves zeros at the borders
    floats, w = L.astype(np.float32), v.astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # sparse tensors are called beta
        rows, columns, values = map(torch.from_numpy, (L.indptr, L.indices, floats.data))
        csr = torch.sparse_csr_tensor(rows, columns, values, L.shape)
    tensor = torch.from_numpy(w)
    others = {
        "SciPy CSR, float32": median_seconds(lambda: floats @ w, 7),
        "PyTorch CSR, float32": median_seconds(lambda: csr @ tensor, 7),
    }
    return set_up, product, memory, others


def main() -> None:
    describe_machine()
    compare = installed("pymatting", "pip install pymatting")
    header("matting Laplacian", "set up, s", "product, ms", "memory, MB")
    for megapixels in map(float, sys.argv[1:] or SIZES):
        height, width = shape(megapixels)
        seconds = alone(ours, megapixels)
        row(f"{width}×{height}, photostyle, float32", *cells(*seconds))
        if compare:
            set_up, product, memory, others = alone(theirs, megapixels)
            figures = set_up, product, memory
            row("pymatting, float64", *cells(*figures))
            row("pymatting / photostyle", *(f"{a / b:.2f} ×" for a, b in zip(figures, seconds, strict=True)))
            for form, product in others.items():
                row(form, "", f"{1000 * product:.1f}", "")


def cells(set_up: float, product: float, memory: int) -> tuple[str, str, str]:
    return f"{set_up:.2f}", f"{1000 * product:.1f}", f"{memory / 1e6:.0f}"


if __name__ == "__main__":
    main()
