"""Fits the numbers of photostyle/segment/parsing.safetensors to labelled photographs, in some minutes.

    python benchmarks/parsing/fit.py PACKAGES

PACKAGES is the folder that `labelled.py` tells how to fill. Each photograph is seen in its own light, and four times
cut and in another. The seven classes are told by multinomial logistic regression: every photograph has the same say,
and a class the more, the rarer it is. That is done three times, in other lights, and the mean is taken.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from labelled import UNTOLD, Eye, Labelled, labelled
from safetensors.torch import save_file
from torch import Tensor

from photostyle.segment.parsing import CELL, CLASSES, NUMBERS, around

FITS = 3  # each in other lights: of their mean less is left to chance
LIGHTS = 4  # besides its own
STEP = 4  # every so many cells are taken along each side: neighbours show the same
PENALTY = 0.1  # of a squared weight
DOUBT = 0.05  # of a label: a twentieth of each may be anything
ROUNDS = 100


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


def cut(image: Tensor, labels: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """A part of a photograph (3×H×W), half to all of each side, and its labels (h×w): the cells stay as they are."""
    windows = []
    for n in labels.shape:
        share, place = torch.rand(2, generator=generator).tolist()
        length = max(1, round((1 + share) / 2 * n))
        first = round(place * (n - length))
        windows.append(slice(first, first + length))
    rows, columns = (slice(CELL * window.start, CELL * window.stop) for window in windows)
    return image[:, rows, columns], labels[windows[0], windows[1]]


def sample(image: Tensor, labels: Tensor, eye: Eye) -> tuple[Tensor, Tensor, Tensor]:
    """Of labelled cells what is seen in each, around it and in the whole (n×3×C), its class (n) and its say (n)."""
    e = eye(image)
    seen = torch.stack([e, around(e), e.mean((1, 2), keepdim=True).expand_as(e)])[..., ::STEP, ::STEP]
    y = labels[::STEP, ::STEP]
    x = seen[..., y != UNTOLD].permute(2, 0, 1)
    y = y[y != UNTOLD].long()
    return x, y, torch.full(y.shape, 1 / max(1, len(y)))


def samples(photograph: Labelled, eye: Eye, generator: torch.Generator) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Samples of a photograph as it is, and cut and in other lights."""
    image = photograph.load()
    h, w = (-(-n // CELL) for n in image.shape[1:])
    labels = photograph.labels[:h, :w]
    found = [sample(image, labels, eye)]
    for _ in range(LIGHTS):
        part, its = cut(image, labels, generator)
        found.append(sample(relit(part, generator), its, eye))
    return found


def logistic(x: Tensor, y: Tensor, say: Tensor) -> tuple[Tensor, Tensor]:
    """Weights (K×C) and biases (K) that tell the class y (n) from x (C×n), which is standardised in place."""
    mean, deviation = x.mean(1, keepdim=True), x.std(1, keepdim=True).clamp(min=0.05)  # the mean height hardly varies
    x.sub_(mean).div_(deviation)
    known = torch.eye(len(CLASSES))[:, y]
    shares = known @ say
    say = say * (shares.mean() / shares).sqrt()[y]
    target = say / say.sum() * (known * (1 - DOUBT) + DOUBT / len(CLASSES))
    w, bias = torch.zeros(len(CLASSES), len(x), requires_grad=True), torch.zeros(len(CLASSES), 1, requires_grad=True)
    optimizer = torch.optim.LBFGS([w, bias], max_iter=ROUNDS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = PENALTY * w.square().sum() - (target * F.log_softmax(w @ x + bias, 0)).sum()
        value.backward()
        return value

    optimizer.step(loss)
    w = w.detach() / deviation.T
    return w, (bias.detach() - w @ mean)[:, 0]


def fitted(photographs: Sequence[Labelled], eye: Eye, seed: int) -> tuple[Tensor, Tensor]:
    """Weights (3×K×C) and biases (K) by the photographs, in lights that are drawn by a seed."""
    generator = torch.Generator().manual_seed(seed)
    found = [each for photograph in photographs for each in samples(photograph, eye, generator)]
    x, y, say = (torch.cat(part) for part in zip(*found, strict=True))
    w, bias = logistic(x.flatten(1).T.contiguous(), y, say)
    return w.view(len(CLASSES), 3, -1).transpose(0, 1).contiguous(), bias


def main(folder: str) -> None:
    torch.set_num_threads(1)  # sums are then taken in one order: the numbers are the same each time
    eye = Eye()
    photographs = list(labelled("fit", Path(folder)))
    weights, biases = zip(*(fitted(photographs, eye, seed) for seed in range(FITS)), strict=True)
    numbers = {"weight": torch.stack(weights).mean(0), "bias": torch.stack(biases).mean(0)}
    save_file(numbers, NUMBERS, {"origin": f"benchmarks/parsing, {len(photographs)} photographs"})
    NUMBERS.chmod(0o644)


if __name__ == "__main__":
    main(*sys.argv[1:])
