"""Times regional Gram matrices, forward and backward: over each region's own pixels, and over masked copies of all.

    python benchmarks/grams.py

Prints medians in milliseconds at the layer sizes of a 256×171 photograph.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

from photostyle.terms import regional_grams

LAYERS = {"relu1_1": (64, 171, 256), "relu2_1": (128, 86, 128), "relu3_1": (256, 43, 64), "relu4_1": (512, 22, 32)}


def masked_copies(features: Tensor, masks: Tensor) -> Tensor:
    """The plain way: one masked copy of all features for each region."""
    flat = features.flatten(1)
    grams = torch.stack([(flat * mask.flatten()) @ flat.T for mask in masks])
    return grams / (masks.sum((1, 2)).clamp(min=1e-6) * len(features)).view(-1, 1, 1)


def median_ms(grams: Callable[[Tensor, Tensor], Tensor], features: Tensor, masks: Tensor) -> float:
    """Median time of the value and the gradient of a sum of squares."""
    times = []
    for _ in range(8):
        began = time.perf_counter()
        torch.autograd.grad(grams(features, masks).square().sum(), features)
        times.append(time.perf_counter() - began)
    return 1000 * statistics.median(times[1:])


def main() -> None:
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads; milliseconds: masked copies, own pixels")
    for layer, (C, h, w) in LAYERS.items():
        for K in (1, 2, 5):
            bands = (torch.arange(h) * K // h)[:, None].expand(h, w)
            masks = torch.stack([(bands == k).float() for k in range(K)])
            features = torch.rand(C, h, w, requires_grad=True)
            plain, ours = (median_ms(grams, features, masks) for grams in (masked_copies, regional_grams))
            print(f"{layer}  {K} regions  {plain:7.1f}  {ours:7.1f}")


if __name__ == "__main__":
    main()
