"""The grade to begin with: the simplest that takes the colours of a photograph to those of a style.

Plan and fit in turn: unbalanced transport says where each colour is drawn to, and the grade goes there as far as it
is worth it, sliders first, then a common deviation g from them, then deviations d_k of regions from the common one:

    min  Σ_k s_k Σ_i w_i ‖T_k(x_i) − y_i‖² + ρ‖u‖² + λ‖g‖ + λ′ Σ_k √s_k ‖d_k‖

Norms, not their squares (group lasso, Yuan & Lin 2006): a deviation that gains little is exactly zero, and one that
gains much is hardly held back. ‖·‖ counts each mode by its price. Both steps lower the same objective, each exactly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from photostyle.color import lab_from_srgb, srgb_from_lab
from photostyle.grade import COUNT, basis, heights, prices, slide
from photostyle.image import fit, shrink
from photostyle.regions import Regions
from photostyle.sinkhorn import targets
from photostyle.vgg import VGG

LAB = 50.0  # L*a*b* in this unit: about 1 for what a look does to a colour
ENTROPY = 0.01  # ε of the transport: colours within ΔE 5 of each other are one
SLIDER_PRICE = 4e-3  # ρ
_GRID = 32  # long side of the grid of samples
_SAMPLED = 256  # long side of the image they are taken from: pixels, not means, or contrast would be lost
_MEANING, _MEANING_SIZE = "relu4_3", 192  # the layer, and the long side of its image, that tells kinds of things
_LIKENESS = 0.2  # what it costs to go to another kind of thing
_SLIDER_ROUNDS, _MODE_ROUNDS, _SWEEPS = 8, 6, 3


@dataclass(frozen=True, eq=False)
class Samples:
    """One region's colours on both sides, on the processor.

    `colors` 3×n sRGB of the content, `basis` n×COUNT of them; `goal` 3×m of the style in L*a*b*/50, float64, and
    `style` 3×m in sRGB; `extra` n×m, what likeness adds to the costs of transport; `share` of the content.
    """

    colors: Tensor
    basis: Tensor
    style: Tensor
    goal: Tensor
    extra: Tensor
    share: float


def take_samples(content: Tensor, style: Tensor, regions: Regions, vgg: VGG) -> list[Samples]:
    """Samples of each region: photographs and regions of one size on each side, at least 256 pixels long if they can be.

    A pixel counts where more than half of it is the region's; the purest one where that is nowhere.
    """
    sides = []
    for image, masks in ((content, regions.content), (style, regions.style)):
        grid = fit(image, _GRID).shape[1:]
        h = heights(masks)
        points = _points(fit(image, _SAMPLED).cpu(), grid)
        here = _points(shrink(masks, fit(image, _SAMPLED).shape[1:]).cpu(), grid)
        rows = _points(h[:, :, None].expand(*h.shape, image.shape[2]).cpu(), grid)
        sides.append((points, here, rows, _meaning(image, grid, vgg)))
    (x, m, h, z), (y, n, _, ζ) = sides
    unlike = _LIKENESS * (1 - z.T @ ζ)
    found = []
    for k in range(len(regions.names)):
        here, there = _members(m[k]), _members(n[k])
        colors, goal = x[:, here], y[:, there]
        found.append(
            Samples(
                colors=colors,
                basis=basis(colors, h[k, here]),
                style=goal,
                goal=lab_from_srgb(goal).double() / LAB,
                extra=_relative(unlike[here][:, there]),
                share=len(here) / x.shape[1],
            )
        )
    return found


def first_grade(samples: list[Samples], τ: float, λ: float, λ_region: float) -> tuple[Tensor, Tensor]:
    """The sliders u (8) and the modes c (K×COUNT×3) of the simplest grade; weights as above, τ of the transport."""
    u = torch.zeros(8)
    g = torch.zeros(COUNT, 3, dtype=torch.float64)
    d = torch.zeros(len(samples), COUNT, 3, dtype=torch.float64)
    for n in range(_SLIDER_ROUNDS):  # at first with more entropy and none left behind: from far away, all of it counts
        u = _fit_sliders(samples, _drawn(samples, u, g + d, 4 if n < 2 else 1, None if n < 2 else τ), u)
    for n in range(_MODE_ROUNDS):
        drawn = _drawn(samples, u, g + d, 2 if n < 1 else 1, None if n < 2 else τ)
        systems = [_system(s, goal, weight, u) for s, (goal, weight) in zip(samples, drawn, strict=True)]
        for _ in range(_SWEEPS if len(samples) > 1 else 1):
            g = _lasso(sum(G for G, _ in systems), sum(q - G @ e for (G, q), e in zip(systems, d, strict=True)), λ)
            if len(samples) > 1:
                for k, (G, q) in enumerate(systems):
                    d[k] = _lasso(G, q - G @ g, λ_region * samples[k].share ** 0.5)
    return u, (g + d).float()


def graded(s: Samples, u: Tensor, c: Tensor) -> Tensor:
    """The samples' colours through the grade of sliders u (8) and modes c (COUNT×3): 3×n, sRGB."""
    return slide(s.colors, u) + (s.basis @ c).T


def _drawn(
    samples: list[Samples], u: Tensor, c: Tensor, spread: float, τ: float | None
) -> list[tuple[Tensor, Tensor]]:
    """Where each sample is drawn to (3×n, L*a*b*/50) and how strongly (n), all regions together summing to 1."""
    found = []
    for s, c_k in zip(samples, c.float(), strict=True):
        now = lab_from_srgb(graded(s, u, c_k).clamp(0, 1)).double() / LAB
        goal, weight = targets(now, s.goal, s.extra, spread * ENTROPY, τ)
        found.append((goal.float(), s.share * weight))
    return found


def _fit_sliders(samples: list[Samples], drawn: list[tuple[Tensor, Tensor]], u: Tensor) -> Tensor:
    u = u.clone().requires_grad_()
    optimizer = torch.optim.LBFGS([u], max_iter=8, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        value = SLIDER_PRICE * u.square().sum()
        for s, (goal, weight) in zip(samples, drawn, strict=True):
            now = lab_from_srgb(slide(s.colors, u).clamp(-0.2, 1.3)) / LAB
            value = value + weight.float() @ (now - goal).square().sum(0)
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    return u.detach()


def _system(s: Samples, goal: Tensor, weight: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
    """G (COUNT×COUNT) and q (COUNT×3) of  tr cᵀGc − 2 tr qᵀc,  the squared distance to the goal in L*a*b*/50.

    In sRGB, where the modes are linear, times 4: about what a step of sRGB is in that unit, squared.
    """
    rest = (srgb_from_lab(goal * LAB).clamp(-0.05, 1.05) - slide(s.colors, u)).double()
    B = s.basis.double()
    weighed = 4 * B * weight[:, None]
    return B.T @ weighed, weighed.T @ rest.T


def _lasso(G: Tensor, q: Tensor, λ: float) -> Tensor:
    """The c that minimises  tr cᵀGc − 2 tr qᵀc + λ‖c‖,  ‖c‖² = Σ price_i ‖c_i‖²  (COUNT×3).

    Zero if ‖q‖ ≤ λ/2 in the dual norm; else (G + λ/2s) c = q at the one s that is the norm of its own solution, found by
    halving its logarithm's range.
    """
    root = prices().double().sqrt()
    e, V = torch.linalg.eigh(G / root[:, None] / root)
    z = V.T @ (q / root[:, None])
    if float(z.norm()) <= λ / 2:
        return torch.zeros_like(q)
    low, high = 1e-9, 1e3
    for _ in range(60):
        s = math.sqrt(low * high)
        norm = float((z / (e + λ / (2 * s))[:, None]).norm())
        low, high = (s, high) if norm > s else (low, s)
    c: Tensor = (V @ (z / (e + λ / (2 * s))[:, None])) / root[:, None]
    return c


def _points(image: Tensor, grid: tuple[int, ...]) -> Tensor:
    """Pixels C×h·w of C×H×W at the centres of a grid of h×w cells."""
    y, x = (((torch.arange(n) + 0.5) * whole / n).long() for n, whole in zip(grid, image.shape[1:], strict=True))
    return image[:, y][:, :, x].flatten(1)


def _members(mask: Tensor) -> Tensor:
    """Of n samples those of which more than half is the region's, or the one of which the most is."""
    found = (mask > 0.5).nonzero()[:, 0]
    return found if len(found) else mask.argmax()[None]


@torch.no_grad()
def _meaning(image: Tensor, grid: tuple[int, ...], vgg: VGG) -> Tensor:
    """What is shown in each cell of a grid: C×h·w, unit vectors, whatever the light of the photograph."""
    seen = fit(image, _MEANING_SIZE)
    z = shrink(vgg(seen, {_MEANING})[_MEANING], grid).flatten(1)
    # channel by channel less its mean and over its deviation, which are the style
    z = (z - z.mean(1, keepdim=True)) / (z.std(1, keepdim=True) + 1e-3 * z.std()).clamp(min=1e-12)
    return torch.nn.functional.normalize(z, dim=0).to("cpu", torch.float64)


def _relative(cost: Tensor) -> Tensor:
    """Costs n×m, of which what every partner of a point costs is taken off: it says nothing about whom to choose."""
    cost = cost - cost.min(1, keepdim=True).values
    return cost - cost.min(0, keepdim=True).values
