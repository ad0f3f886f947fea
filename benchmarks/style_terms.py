"""Times the style terms, value and gradient in the features, at the layers of a 256×171 photograph.

    python benchmarks/style_terms.py

Prints medians in milliseconds over all five layers, with one region and with three. The network, which takes
most of an evaluation, is not in them: benchmarks/evaluation.py times the whole.
"""

from __future__ import annotations

from functools import partial

import torch
from timing import describe_machine, header, median_seconds, row
from torch import Tensor

from photostyle.terms.energy import Energy
from photostyle.terms.gram import augmented_style
from photostyle.terms.mmd import (
    Towards,
    bn_distance,
    distribution_style,
    gaussian_mmd,
    gaussian_transport,
    linear_mmd,
    paired_gaussian_mmd,
    polynomial_mmd,
)

LAYERS = {
    "relu1_1": (64, 171, 256),
    "relu2_1": (128, 86, 128),
    "relu3_1": (256, 43, 64),
    "relu4_1": (512, 22, 32),
    "relu5_1": (512, 11, 16),
}
DISTANCES: dict[str, Towards] = {
    "kernel xᵀy": linear_mmd,
    "kernel (xᵀy)²": polynomial_mmd,
    "kernel (xᵀy + c)²": partial(polynomial_mmd, offset=1.0),
    "kernel (xᵀy + c)³": partial(polynomial_mmd, degree=3, offset=1.0),
    "Gaussian kernel": gaussian_mmd,
    "Gaussian kernel, pairs": paired_gaussian_mmd,
    "batch normalisation": bn_distance,
    "transport of Gaussians": gaussian_transport,
}


def features(seed: int) -> dict[str, Tensor]:
    """Channels last in memory, as the network's are."""
    generator = torch.Generator().manual_seed(seed)
    return {l: torch.rand(h, w, C, generator=generator).permute(2, 0, 1) for l, (C, h, w) in LAYERS.items()}


def bands(K: int) -> dict[str, Tensor]:
    """K regions one above the other, at every layer."""
    rows = {l: (torch.arange(h) * K // h)[:, None].expand(h, w) for l, (_, h, w) in LAYERS.items()}
    return {l: torch.stack([(band == k).float() for k in range(K)]) for l, band in rows.items()}


def median_ms(energy: Energy) -> str:
    F = {l: f.requires_grad_() for l, f in features(1).items()}
    (term,) = energy.terms
    return f"{1000 * median_seconds(lambda: torch.autograd.grad(term.value(F), list(F.values())), 7):.0f}"


def main() -> None:
    describe_machine()
    header("value and gradient, ms", "one region", "three regions")
    S, weights = features(0), dict.fromkeys(LAYERS, 1.0)
    masks = [bands(K) for K in (1, 3)]
    row("Gram matrices", *(median_ms(augmented_style(S, M, M, weights)) for M in masks))
    for name, towards in DISTANCES.items():
        row(name, *(median_ms(distribution_style("style", towards, S, M, M, weights)) for M in masks))


if __name__ == "__main__":
    main()
