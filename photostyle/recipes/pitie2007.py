"""Two ways of Pitié to carry one distribution of colours into another, here region by region.

Pitié & Kokaram, "The Linear Monge–Kantorovitch Linear Colour Mapping for Example-Based Colour Transfer"
(CVMP 2007): of all linear maps that bring mean and covariance, the one that moves colours least.

Pitié, Kokaram & Dahyot, "Automated Colour Grading using Colour Distribution Transfer" (CVIU 2007):
rotate the colours, match the histogram on each axis, rotate back, and again until all projections agree:

    x ← x + Rᵀ (t(R x) − R x),        t_i = F_S,i⁻¹ ∘ F_I,i  on each axis i,
                                      the mean of F_S,i⁻¹ over its ranks where many colours are one.

That map t may stretch what is nearly flat, and its grain with it. So a second stage asks for an image J
with the colours of t(I) and the gradients of I ("regraining"):

    min ∫ ψ ‖J − t(I)‖² + φ ‖∇J − ∇I‖²,        ψ = min(255 ‖∇I‖ / 5, 1),   φ = 30 / (1 + 10 ‖∇I‖).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from photostyle.color.transport import linear_transport
from photostyle.descent.steps import Step, Steps
from photostyle.image import exact
from photostyle.recipes.settings import setting
from photostyle.regions.counted import counted
from photostyle.regions.recolor import ColorMap, match_colors, paired_colors, recolor, sample
from photostyle.regions.regions import Regions
from photostyle.solvers.poisson import ScreenedPoisson, solve

Array = npt.NDArray[np.floating[Any]]

_FLAT = 1e-3  # the least ψ: without it a photograph of one colour would keep its colour


@dataclass(frozen=True)
class LinearTransport:
    """The paper has no numbers."""

    ridge: float = setting(1e-4, "variance below which colours are not stretched", least=1e-8)


def monge_kantorovich(content: Tensor, style: Tensor, regions: Regions, vgg: None, p: LinearTransport) -> Steps:
    """Mean and covariance of sRGB, region by region."""
    O = match_colors(content, style, regions.fit(content, style), lambda x, y: linear_map(x, y, p.ridge))
    yield Step("recolour", 1, 1, O)
    return O


def linear_map(x: Tensor, y: Tensor, ridge: float = 1e-4) -> ColorMap:
    """`linear_transport` of the colours x (3×n) to y (3×m) as a function of colours."""
    A, b = linear_transport(x, y, ridge)
    return lambda colors: A @ colors + b[:, None]


@dataclass(frozen=True)
class DistributionTransfer:
    """The numbers of Pitié, Kokaram & Dahyot 2007 and of the authors' code."""

    steps: int = setting(20, "rotations of colour space", least=1)
    bins: int = setting(300, "bins of a histogram", least=2)
    regrain: bool = setting(True, "keep the content's own grain")
    seed: int = setting(0, "seed of the rotations", least=0)


def distribution_transfer(
    content: Tensor, style: Tensor, regions: Regions, vgg: None, p: DistributionTransfer
) -> Steps:
    """The map t is found on a sample of the colours, then applied to all of the photograph and regrained."""
    regions = regions.fit(content, style)
    small, masks = sample(content, regions.content)
    preview, inside = small.clone(), counted(masks)
    pairs = paired_colors(content, style, regions)
    moves: list[list[ColorMap]] = [[] for _ in pairs]
    count = max(1, sum(pair[0].shape[1] for pair in pairs if pair))
    for iteration, R in enumerate(rotations(p.steps, p.seed), start=1):
        R = R.to(content)
        distance = 0.0
        for k, pair in enumerate(pairs):
            if pair is None:
                continue
            x, y = pair
            moves[k].append(match_marginals(x, y, R, p.bins))
            new = moves[k][-1](x)
            distance += float((R @ (new - x)).abs().mean(0).sum()) / count
            pairs[k] = new, y
            preview[:, inside[k]] = new.clamp(0, 1)
        yield Step("recolour", iteration, p.steps, preview, {"color": distance})
    O = recolor(content, regions.content, [compose(done) if done else None for done in moves]).clamp_(0, 1)
    if p.regrain:
        O = regrain(O, content, regions.content).clamp_(0, 1)
        for mask, pair in zip(regions.content, pairs, strict=True):
            if pair is None:  # what was spread by the coarse grids
                O.lerp_(content, mask)
        yield Step("regrain", 1, 1, O)
    return O


def rotations(count: int, seed: int) -> list[Tensor]:
    """The axes of RGB, then random ones: 3×3 orthogonal matrices, float64."""
    noise = torch.randn(count - 1, 3, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return [torch.eye(3, dtype=torch.float64), *torch.linalg.qr(noise).Q]


def match_marginals(x: Tensor, y: Tensor, R: Tensor, bins: int) -> ColorMap:
    """c + Rᵀ (t(R c) − R c), where t gives each axis of R x the histogram of R y: one step of the transfer.

    Colours x are 3×n and y 3×m. t is the broken line that takes the mean of each bin of x to the mean of the colours
    of y that have its ranks, and a shift beyond. So the mean of x goes to the mean of y whatever the axis, and what has
    no spread, a sky that is white throughout, goes there as a whole: where in y a single value lands by its rank is
    chance, and would differ from axis to axis.
    """
    Rx, Ry = R @ x, R @ y
    least = torch.minimum(Rx.amin(1), Ry.amin(1))[:, None]
    most = torch.maximum(Rx.amax(1), Ry.amax(1))[:, None]
    width = ((most - least) / (bins - 1)).clamp(min=1e-6)
    low = least - width / 2  # the outermost colours lie in the middle of their bins
    lines = [broken_line(*(histogram((v[i] - low[i]) / width[i], bins) for v in (Rx, Ry))) for i in range(3)]
    knots, shifts = (torch.from_numpy(np.stack(part)).to(x) for part in zip(*lines, strict=True))  # 3×bins, in bins

    def change(colors: Tensor) -> Tensor:
        place = (R @ colors - low) / width
        i = place.floor().clamp(0, bins - 1).long()
        i = (i - (place < knots.gather(1, i)).long()).clamp(0, bins - 2)  # the knot before the place
        before, after = knots.gather(1, i), knots.gather(1, i + 1)
        part = ((place - before) / (after - before).clamp(min=1e-9)).clamp(0, 1)
        return colors + R.T @ (width * torch.lerp(shifts.gather(1, i), shifts.gather(1, i + 1), part))

    return change


def histogram(places: Tensor, bins: int) -> tuple[Array, Array]:
    """Of places (n, counted in bins) the share in each bin, and the part of their mean that each contributes."""
    inside = places.long().clamp(0, bins - 1)
    shares = torch.bincount(inside, minlength=bins).cpu().double() / len(places)
    weights = exact(places)
    parts = torch.bincount(inside.to(weights.device), weights, minlength=bins).cpu() / len(places)
    return shares.numpy(), parts.numpy()


def broken_line(x: tuple[Array, Array], y: tuple[Array, Array]) -> tuple[Array, Array]:
    """Knots, one in each bin, and how far each is shifted, from two histograms: both in bins, knots ascending.

    The mean of the colours of y between two ranks comes from the curve of Lorenz: the part of y's mean that is made
    by its first colours, over their share.
    """
    (f, part), (g, other) = x, y
    ranks, lorenz = (np.concatenate([[0.0], np.cumsum(values)]) for values in (g, other))
    means = np.diff(np.interp(np.concatenate([[0.0], np.cumsum(f)]), ranks, lorenz))
    there, middles = f > 0, np.arange(len(f)) + 0.5
    own = part[there] / f[there]
    middles[there] = own
    return middles, np.asarray(np.interp(middles, own, means[there] / f[there] - own))


def compose(maps: Sequence[ColorMap]) -> ColorMap:
    """One map after the other."""

    def change(colors: Tensor) -> Tensor:
        for move in maps:
            colors = move(colors)
        return colors

    return change


def regrain(graded: Tensor, image: Tensor, masks: Tensor) -> Tensor:
    """J with the colours of t(I) (`graded`) and the gradients of I (`image`), both 3×H×W; overwrites `graded`.

    Euler's equation ψ (J − t(I)) = div(φ (∇J − ∇I)) is one for D = J − I alone,

        ψ D − div(φ ∇D) = ψ (t(I) − I),

    and the same for all three channels: D is the change of colour, smooth where the photograph is.
    """
    A = grain_equation(image, masks)
    for t, I in zip(graded, image, strict=True):
        t.copy_(I + solve(A, t - I))
    return graded


def grain_equation(image: Tensor, masks: Tensor) -> ScreenedPoisson:
    """ψ and φ of a photograph (3×H×W); on an edge between two pixels φ is their mean.

    ‖∇I‖ is that of all channels: of forward differences in φ; in ψ of the larger one to either side, for plain ground
    leans on its own rim, and a rim that counted on one side of an edge only would lend it the colours beyond. φ is cut
    where regions meet (masks K×H×W): there colours part by intention.
    """
    right, below = torch.zeros(2, *image.shape[1:]).to(image)  # squared differences
    for I in image:
        right[:, :-1] += (I[:, 1:] - I[:, :-1]).square()
        below[:-1] += (I[1:] - I[:-1]).square()
    φ = 30 / (1 + 10 * (right + below).sqrt())
    right[:, 1:] = torch.maximum(right[:, 1:], right[:, :-1])
    below[1:] = torch.maximum(below[1:], below[:-1])
    size = (right + below).sqrt_()
    across = (φ[:, 1:] + φ[:, :-1]) / 2 * sum(m[:, 1:] * m[:, :-1] for m in masks)
    down = (φ[1:] + φ[:-1]) / 2 * sum(m[1:] * m[:-1] for m in masks)
    return ScreenedPoisson((255 * size / 5).clamp(_FLAT, 1), across, down)
