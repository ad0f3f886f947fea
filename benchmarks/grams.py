"""Times regional Gram matrices, forward and backward: over each region's own pixels, and over masked copies of all.

    python benchmarks/grams.py

Prints medians in milliseconds at the layer sizes of a 256×171 photograph.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from timing import describe_machine, header, median_seconds, row
from torch import Tensor

from photostyle.terms.gram import regional_grams

LAYERS = {"relu1_1": (64, 171, 256), "relu2_1": (128, 86, 128), "relu3_1": (256, 43, 64), "relu4_1": (512, 22, 32)}


def masked_copies(features: Tensor, masks: Tensor) -> Tensor:
    """The plain way: one masked copy of all features for each region."""
    flat = features.flatten(1)
    grams = torch.stack([(flat * mask.flatten()) @ flat.T for mask in masks])
    return grams / (masks.sum((1, 2)).clamp(min=1e-6) * len(features)).view(-1, 1, 1)


def median_ms(grams: Callable[[Tensor, Tensor], Tensor], features: Tensor, masks: Tensor) -> float:
    """Median time of the value and the gradient of a sum of squares."""
    return 1000 * median_seconds(lambda: torch.autograd.grad(grams(features, masks).square().sum(), features), 7)


def main() -> None:
    describe_machine()
    header("value and gradient", "masked, ms", "own pixels, ms")
    for layer, (C, h, w) in LAYERS.items():
        for K in (1, 2, 5):
            bands = (torch.arange(h) * K // h)[:, None].expand(h, w)
            masks = torch.stack([(bands == k).float() for k in range(K)])
            features = torch.rand(C, h, w, requires_grad=True)
            plain, ours = (median_ms(grams, features, masks) for grams in (masked_copies, regional_grams))
            row(f"{layer}, regions: {K}", f"{plain:.1f}", f"{ours:.1f}")


if __name__ == "__main__":
    main()
