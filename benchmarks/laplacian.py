"""Times one product with the matting Laplacian at 700 px: this project's form, SciPy's and PyTorch's sparse matrix.

    python benchmarks/laplacian.py

Prints medians in milliseconds, for three channels at once, and the time to set each form up.
"""

from __future__ import annotations

import platform
import statistics
import time
import warnings
from collections.abc import Callable

import numpy as np
import scipy.sparse
import torch

from photostyle.matting import MattingLaplacian, matting_laplacian

H, W = 468, 700


def median_ms(run: Callable[[], object], count: int = 15) -> float:
    """Median time of `run` after one call to warm up."""
    run()
    times = []
    for _ in range(count):
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return 1000 * statistics.median(times)


def sparse(laplacian: MattingLaplacian) -> scipy.sparse.csr_array:
    """The same Laplacian as an N×N matrix."""
    index = np.arange(H * W).reshape(H, W)
    rows, columns, values = [], [], []
    for (dy, dx), weight in laplacian.weights.items():
        here = slice(0, H - dy), slice(max(0, -dx), W - max(0, dx))
        there = slice(dy, H), slice(max(0, dx), W + min(0, dx))
        i, j, w = index[here].ravel(), index[there].ravel(), weight.numpy()[here].ravel()
        rows += [i, j]
        columns += [j, i]
        values += [-w, -w]
    diagonal = laplacian.diagonal().numpy().ravel()
    rows.append(index.ravel())
    columns.append(index.ravel())
    values.append(diagonal)
    entries = np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))
    return scipy.sparse.csr_array(scipy.sparse.coo_array(entries, shape=(H * W, H * W)))


def main() -> None:
    image, V = torch.rand(2, 3, H, W, generator=torch.Generator().manual_seed(0))
    ours = matting_laplacian(image)
    matrix = sparse(ours)
    v = np.ascontiguousarray(V.flatten(1).T.numpy())  # N×3
    doubles, w = matrix.astype(np.float64), v.astype(np.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # sparse tensors are called beta
        csr = torch.sparse_csr_tensor(
            torch.from_numpy(matrix.indptr), torch.from_numpy(matrix.indices), torch.from_numpy(matrix.data)
        )
        tensor = torch.from_numpy(v)
        figures = {
            "set up (this project)": median_ms(lambda: matting_laplacian(image), 5),
            "product, this project, float32": median_ms(lambda: ours @ V),
            "product, SciPy, float64": median_ms(lambda: doubles @ w),
            "product, SciPy, float32": median_ms(lambda: matrix @ v),
            "product, SciPy, float64, one channel": median_ms(lambda: doubles @ w[:, 0]),
            "product, PyTorch CSR, float32": median_ms(lambda: csr @ tensor),
        }
    assert np.allclose((ours @ V).flatten(1).T.numpy(), matrix @ v, atol=1e-4)
    print(
        f"{W}×{H}, three channels; torch {torch.__version__}, {torch.get_num_threads()} threads, {platform.machine()}"
    )
    for name, value in figures.items():
        print(f"{name:40s} {value:8.1f} ms")


if __name__ == "__main__":
    main()
