"""Descent: an unknown follows an energy downhill, one `Step` at a time. Knows no style and no network.

The unknown is an image, or whatever an image is computed from: `extract` tells the features of the one as of the other.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor

from photostyle.descent.adam import adam
from photostyle.descent.lbfgs import Metric, lbfgs
from photostyle.descent.place import KEEPER, Memory, Place, Point, finite
from photostyle.descent.steps import Step, Steps
from photostyle.terms.energy import Energy, Extract, Features

Optimizer = Literal["lbfgs", "adam"]
_RECENT = 11  # energies that are compared: ten steps lie between the first and the last


def descend(
    energy: Energy,
    extract: Extract,
    image: Tensor,
    *,
    stage: str,
    steps: int,
    optimizer: Optimizer = "lbfgs",
    rate: float = 0.02,
    tolerance: float = 0.0,
    metric: Metric | None = None,
) -> Steps:
    """Minimise `energy` over the pixels of `image` (3×H×W), which is not changed itself; `walk` without its memory."""
    place = yield from walk(
        energy,
        extract,
        image,
        stage=stage,
        steps=steps,
        optimizer=optimizer,
        rate=rate,
        tolerance=tolerance,
        metric=metric,
    )
    return place.x


def walk(
    energy: Energy,
    extract: Extract,
    x: Tensor,
    *,
    stage: str,
    steps: int,
    optimizer: Optimizer = "lbfgs",
    rate: float = 0.02,
    tolerance: float = 0.0,
    first: float = 0.05,
    memory: Memory | None = None,
    metric: Metric | None = None,
    picture_of: Callable[[Tensor, Features], Tensor] | None = None,
) -> Generator[Step, None, Place]:
    """Minimise `energy` over the unknown `x`, which is not changed itself; returns the place where it ends.

    Stops after `steps` iterations, or when ten of them together lowered the energy by less than the
    part `tolerance`, or at a point from which no direction leads down. `rate` is Adam's learning rate, `first` the
    largest change of the first step of L-BFGS. A `memory` (which may be empty), what another descent in the same
    unknown has learned, is gone on with and returned; without (None) it is forgotten at the end, for it may be large.
    `metric` is what L-BFGS takes for the inverse of the Hessian, up to a factor, until it knows better; minima do not
    depend on it. Adam, which has a measure of its own for each pixel, takes none.
    `picture_of` x and its features is the picture that a step shows; x itself if None.
    Raises DescentError, with the last good picture, when the energy is not finite; ValueError for Adam with a metric.
    """
    if metric and optimizer == "adam":
        raise ValueError("Adam has a measure of its own for each pixel, and takes no metric.")

    def evaluate(x: Tensor) -> Point:
        x = x.detach().requires_grad_()
        features = extract(x, energy.reads)
        parts = energy.parts(features)
        total = torch.stack([part.to(x.device) for part in parts.values()]).sum()
        (slope,) = torch.autograd.grad(total, x)
        # contiguous, as a kept place is: the order in memory decides how sums are rounded
        slope = slope.contiguous()
        numbers = {name: float(part.detach()) for name, part in parts.items()}
        picture = picture_of(x, features) if picture_of else x
        return Point(float(total.detach()), slope, numbers, picture.detach())

    if not any(term.weight for term in energy.terms):
        return Place(x, 0.0, torch.zeros_like(x), ended=True)
    keeper = KEEPER.get()
    place, picture = keeper.begin(x) if keeper else None, None
    if place is None:
        x = x.contiguous()
        start = finite(evaluate(x), None)
        place, picture = Place(x, start.value, start.slope, memory or ()), start.picture
    if place.ended:
        return place
    if optimizer == "lbfgs":
        path = lbfgs(evaluate, place, picture, first, metric or _pixels)
    else:
        path = adam(evaluate, place, picture, rate)
    try:
        while place.iteration < steps and not _stalls(place.energies, tolerance):
            taken = next(path, None)
            if taken is None:
                break
            at, point = taken
            energies = (*place.energies, at.value)[-_RECENT:]
            place = replace(at, iteration=place.iteration + 1, energies=energies)
            if keeper:
                keeper.keep(place)
            yield Step(stage, place.iteration, steps, point.picture, point.parts)
        place = replace(place, memory=() if memory is None else place.memory, ended=True)
    finally:  # ended, closed or interrupted
        if keeper:
            keeper.keep(place, now=True)
    return place


def _stalls(energies: tuple[float, ...], tolerance: float) -> bool:
    """Whether ten steps gained too little; never without a tolerance, for Adam's energies may rise on the way."""
    return tolerance > 0 and len(energies) == _RECENT and energies[0] - energies[-1] <= tolerance * abs(energies[0])


def _pixels(g: Tensor) -> Tensor:
    """The metric to which all pixels are alike."""
    return g
