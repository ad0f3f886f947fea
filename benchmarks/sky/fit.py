"""Fits the numbers of photostyle/segment/sky.safetensors to labelled photographs, in some ten minutes on one core.

    python benchmarks/sky/fit.py PACKAGES

PACKAGES is the folder that `labelled.py` tells how to fill. Each photograph is seen in its own light and twice in
another. What is seen is brought to the principal components that vary most, each of variance one, and sky is told from
the rest by logistic regression on these: every photograph, and both answers, have the same say. In the end it is all
written as one linear reading of the evidence.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from labelled import SKY, UNTOLD, Eye, Labelled, labelled
from safetensors.torch import save_file
from torch import Tensor

from photostyle.segment import sky

LIGHTS = 3  # its own, and others
STEP = 3  # every so many cells are taken along each side: neighbours show the same
COMPONENTS = 160
PENALTY = 0.01  # of a squared weight


def relit(image: Tensor, generator: torch.Generator) -> Tensor:
    """The photograph in another light: brighter or darker, tinted, unevenly lit, paler, steeper or flatter, noisy."""

    def rand(*size: int) -> Tensor:
        return torch.rand(*size, generator=generator)

    def randn(*size: int) -> Tensor:
        return torch.randn(*size, generator=generator)

    tint = 0.35 * randn(3, 1, 1)
    coarse = 0.45 * randn(1, 3, 3, 3) + 0.6 * randn(1, 1, 3, 3) + 0.3 * randn(1, 3, 3, 1)  # tints, shades, heights
    uneven = F.interpolate(coarse, image.shape[1:], mode="bicubic", align_corners=True)[0]
    stops = 1 - 5 * rand(1)
    light = image**2.2 * torch.exp(0.69 * stops + tint - tint.mean() + uneven * (rand(1) < 0.7))
    light = light / (2 / 3 + light / 3) if rand(1) < 0.5 else light  # highlights roll off, or clip
    x = light.clamp(0, 1) ** (1 / 2.2)
    x = torch.lerp(x.mean(0, keepdim=True), x, 1.5 * rand(1)).clamp(0, 1) ** (0.6 + 0.9 * rand(1))
    return (x + 0.02 * rand(1) * randn(*x.shape)).clamp(0, 1)


def cells(photograph: Labelled, eye: Eye, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Evidence of labelled cells (n×3×1287), whether each is sky (n), and its say (n), in all lights."""
    image = photograph.load()
    lights = [image, *(relit(image, generator) for _ in range(LIGHTS - 1))]
    seen = torch.stack([eye(light)[..., ::STEP, ::STEP] for light in lights])
    h, w = seen.shape[-2:]
    labels = photograph.labels[::STEP, ::STEP][:h, :w]
    told = labels != UNTOLD
    x = seen[..., told].movedim(3, 1).flatten(0, 1).half()
    y = (labels[told] == SKY).float().repeat(LIGHTS)
    return x, y, torch.full_like(y, 1 / max(1, len(y)))


def components(x: Tensor) -> tuple[Tensor, Tensor]:
    """The mean (C) and the projection (C×COMPONENTS) of evidence (n×C) to numbers of mean zero and variance one."""
    mean, deviation = x.mean(0), x.std(0) + 0.05  # what hardly varies must not become noise
    z = (x - mean) / deviation
    variances, directions = torch.linalg.eigh(z.T @ z / len(z))
    return mean, (directions / variances.clamp(min=1e-6).sqrt())[:, -COMPONENTS:] / deviation[:, None]


def logistic(x: Tensor, y: Tensor, say: Tensor) -> tuple[Tensor, Tensor]:
    """Weights (C) and bias that tell y (n, zeros and ones) from x (n×C)."""
    mean, deviation = x.mean(0), x.std(0)
    x = (x - mean) / deviation
    say = torch.where(y > 0, say / (say * y).sum(), say / (say * (1 - y)).sum()) / 2
    w, bias = torch.zeros(x.shape[1], requires_grad=True), torch.zeros((), requires_grad=True)
    optimizer = torch.optim.LBFGS([w, bias], max_iter=80, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = F.binary_cross_entropy_with_logits(x @ w + bias, y, say, reduction="sum") + PENALTY * w.square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    w, bias = w.detach() / deviation, bias.detach()
    return w, bias - mean @ w


def reading(x: Tensor, y: Tensor, say: Tensor) -> dict[str, Tensor]:
    """The tensors of `photostyle.segment.sky`, of evidence n×3×C."""
    mean, projection = components(x[:, 0].float())
    projected = torch.stack([(part.float() - mean) @ projection for part in x.unbind(1)], dim=1)
    w, bias = logistic(projected.flatten(1), y, say)
    weight = w.view(3, -1) @ projection.T
    return {"weight": weight, "bias": bias - (weight @ mean).sum()}


def main(folder: str) -> None:
    eye, generator = Eye(), torch.Generator().manual_seed(0)
    photographs = list(labelled("fit", Path(folder)))
    x, y, say = (torch.cat(part) for part in zip(*(cells(p, eye, generator) for p in photographs), strict=True))
    save_file(reading(x, y, say), sky.NUMBERS, {"origin": f"benchmarks/sky, {len(photographs)} photographs"})


if __name__ == "__main__":
    main(*sys.argv[1:])
