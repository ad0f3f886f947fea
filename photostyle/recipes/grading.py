"""The grade to begin with: the simplest that takes the colours of a photograph to those of a style.

Plan and fit in turn: unbalanced transport says where each colour is drawn to, and the grade goes there as far as it
is worth it, sliders first, then a common deviation g from them, then deviations d_k of regions from the common one:

    min  Σ_k s_k Σ_i w_i ‖T_k(x_i) − y_i‖² + ρ‖u‖² + λ‖g‖ + λ′ Σ_k √max(s_k, s₀) ‖d_k‖

Norms, not their squares (group lasso, Yuan & Lin 2006): a deviation that gains little is exactly zero, and one that
gains much is hardly held back. ‖·‖ counts each mode by its price. Each step is solved exactly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from photostyle.color.spaces import lab_from_srgb, srgb_from_lab
from photostyle.image import fit, shrink
from photostyle.maps.grade import COUNT, basis, heights, prices, slide
from photostyle.network.vgg import KINDS, VGG, kinds
from photostyle.regions.counted import counted
from photostyle.regions.regions import Regions
from photostyle.solvers.sinkhorn import targets
from photostyle.terms.colors import Extras, color_transport, kind_extras
from photostyle.terms.energy import Energy
from photostyle.terms.grades import SMALL

LAB = 50.0  # L*a*b* in this unit: about 1 for what a look does to a colour
_ENTROPY = 0.01  # ε of the transport: colours within ΔE 5 of each other are one
SLIDER_PRICE = 4e-3  # ρ
_ALIKE, _LEAVE = 0.042, 0.2  # the divergence of photographs of one light, and the τ that it is taken with
_STRIDES = (8, 4, 2, 1)  # pixels between samples: the first that gives a region enough of them
_FEWEST = 100
_SAMPLED = 256  # long side of the image they are taken from: pixels, not means, or contrast would be lost
_KINDS_SIZE = 192  # long side at which kinds of things are told, pixels
LIKENESS = 0.2  # what it costs to go to another kind of thing
_MODE_ROUNDS, _SWEEPS = 6, 3
_NEWTON_STEPS = 2  # of a fit of sliders, which is one of several in turn
_DAMPING, _SECANT = 1e-2, 1e-3


@dataclass(frozen=True, eq=False)
class Samples:
    """One region's colours on both sides, on the processor.

    `colors` 3×n sRGB of the content, `basis` n×COUNT of them; `goal` 3×m of the style in L*a*b*/50, float64, and
    `style` 3×m in sRGB; `extras` what likeness adds to costs of transport, n×m, n×n and m×m; `share` of the content.
    """

    colors: Tensor
    basis: Tensor
    style: Tensor
    goal: Tensor
    extras: Extras
    share: float


def take_samples(content: Tensor, style: Tensor, regions: Regions, vgg: VGG) -> list[Samples]:
    """Samples of each region, of photographs and regions of one size on each side, 256 pixels long or more.

    Of the pixels that are `counted`, or where a region has none of those, of its purest ones.
    """
    (x, m, h, z), (y, n, _, ζ) = (
        _side(image, masks, vgg) for image, masks in ((content, regions.content), (style, regions.style))
    )
    found = []
    for k in range(len(regions.names)):
        here, there = _members(m, k), _members(n, k)
        colors, goal = x[:, *here], y[:, *there]
        found.append(
            Samples(
                colors=colors,
                basis=basis(colors, h[k][here]),
                style=goal,
                goal=lab_from_srgb(goal).double() / LAB,
                extras=kind_extras(_cells(z, here, m), _cells(ζ, there, n), LIKENESS),
                share=float(m[k].mean()),
            )
        )
    return found


def first_sliders(samples: list[Samples]) -> Tensor:
    """The sliders u (8) alone that bring the samples near to the style, all of its colours."""
    # from far, with more entropy
    return nearest_sliders(samples, nearest_sliders(samples, torch.zeros(8), None, 2), 0.3)


def nearest_sliders(samples: list[Samples], u: Tensor, τ: float | None, rounds: int = 6) -> Tensor:
    """The sliders near u that bring the samples nearest to the style; τ of the transport, None: all colours count."""
    c = torch.zeros(len(samples), COUNT, 3)
    for _ in range(rounds):
        u = _fit_sliders(samples, _drawn(samples, u, c, 1 if τ else 4, τ), u)
    return u


def first_modes(samples: list[Samples], u: Tensor, τ: float, λ: float, λ_region: float) -> Tensor:
    """The modes c (K×COUNT×3) that deviate from the sliders u as far as it is worth it."""
    g = torch.zeros(COUNT, 3, dtype=torch.float64)
    d = torch.zeros(len(samples), COUNT, 3, dtype=torch.float64)
    for n in range(_MODE_ROUNDS):
        drawn = _drawn(samples, u, g + d, 2 if n < 1 else 1, None if n < 2 else τ)
        systems = [_system(s, goal, weight, u) for s, (goal, weight) in zip(samples, drawn, strict=True)]
        for _ in range(_SWEEPS if len(samples) > 1 else 1):
            all_G, all_q = (torch.stack(parts).sum(0) for parts in zip(*systems, strict=True))
            g = _lasso(all_G, all_q - torch.stack([G @ e for (G, _), e in zip(systems, d, strict=True)]).sum(0), λ)
            if len(samples) > 1:
                for k, (G, q) in enumerate(systems):
                    d[k] = _lasso(G, q - G @ g, λ_region * max(samples[k].share, SMALL) ** 0.5)
    return (g + d).float()


def need(samples: list[Samples], u: Tensor) -> float:
    """What of the style's colours the sliders u do not reach, over what they leave of two photographs of one light.

    The Sinkhorn divergence over all regions; 1 or less where nothing is asked for that sliders cannot give. Two halves
    of one photograph, of which one was graded, differ by 0.01 to 0.05 when the other is graded so too, because they
    show different things.
    """
    now = torch.cat([slide(s.colors, u).clamp(0, 1) for s in samples], dim=1)
    return float(transport(samples, _LEAVE).parts({"samples": now})["color"]) / _ALIKE


def transport(samples: list[Samples], τ: float) -> Energy:
    """The divergence of the samples' colours from the style's, whatever grade they are given: `color_transport`."""
    goals, extras, shares = zip(*((s.goal, s.extras, s.share) for s in samples), strict=True)
    return color_transport(goals, extras, shares, _ENTROPY, τ, LAB)


def graded(s: Samples, u: Tensor, c: Tensor) -> Tensor:
    """The samples' colours through the grade of sliders u (8) and modes c (COUNT×3): 3×n, sRGB."""
    return slide(s.colors, u) + (s.basis @ c).T


def _drawn(samples: list[Samples], u: Tensor, c: Tensor, spread: float, τ: float | None) -> list[tuple[Tensor, Tensor]]:
    """Where each sample is drawn to (3×n, L*a*b*/50) and how strongly (n), all regions together summing to 1."""
    found = []
    for s, c_k in zip(samples, c.float(), strict=True):
        now = lab_from_srgb(graded(s, u, c_k).clamp(0, 1)).double() / LAB
        goal, weight = targets(now, s.goal, *s.extras[:2], spread * _ENTROPY, τ)
        found.append((goal.float(), s.share * weight))
    return found


def _fit_sliders(samples: list[Samples], drawn: list[tuple[Tensor, Tensor]], u: Tensor) -> Tensor:
    """The u near this one that minimises  ρ‖u‖² + Σ_i w_i ‖S_u(x_i) − y_i‖²:  steps of Levenberg and Marquardt.

    Eight numbers need no network's way of descent: their Jacobian is eight more evaluations. (An optimiser of PyTorch
    would import its compiler first, which takes longer than a whole transfer.)
    """
    x = torch.cat([s.colors for s in samples], dim=1)
    y = torch.cat([goal for goal, _ in drawn], dim=1)
    root = torch.cat([weight for _, weight in drawn]).float().sqrt()

    def rest(u: Tensor) -> Tensor:
        now = lab_from_srgb(slide(x, u).clamp(-0.2, 1.3)) / LAB
        return torch.cat([(root * (now - y)).flatten(), SLIDER_PRICE**0.5 * u])

    r, damping = rest(u), _DAMPING
    for _ in range(_NEWTON_STEPS):
        J = torch.stack([(rest(u + step) - r) for step in _SECANT * torch.eye(len(u))], dim=1) / _SECANT
        H, slope = J.T @ J, J.T @ r
        tried = u - torch.linalg.solve(H + damping * H.diag().diag(), slope)
        r_tried = rest(tried)
        if r_tried @ r_tried < r @ r:
            u, r, damping = tried, r_tried, damping / 10
        else:
            damping *= 10
    return u


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

    Zero if ‖q‖ ≤ λ/2 in the dual norm; else (G + λ/2s) c = q at the one s that is the norm of its own solution, found
    by halving its logarithm's range.
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


def _side(image: Tensor, masks: Tensor, vgg: VGG) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The pixels that samples are taken from: 3×H×W, the masks there K×H×W, heights K×H×W, and what is shown, C×h×w."""
    seen = fit(image, _SAMPLED).cpu()
    m = shrink(masks, seen.shape[1:]).cpu()
    h = heights(m)[:, :, None].expand_as(m)
    return seen, m, h, _meaning(image, vgg)


def _members(masks: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Where to sample region k of masks K×H×W: rows and columns on an even grid, as coarse as gives enough of them."""
    sure = bool(counted(masks)[k].any())
    for stride in _STRIDES:
        first = stride // 2
        some = masks[:, first::stride, first::stride]
        inside = counted(some)[k] if sure else some[k] == masks[k].max()
        if int(inside.sum()) >= _FEWEST:
            break
    y, x = inside.nonzero().T * stride + first
    return y, x


@torch.no_grad()
def _meaning(image: Tensor, vgg: VGG) -> Tensor:
    """What is shown in each cell of the layer: C×h×w, unit vectors, whatever the light of the photograph."""
    return kinds(vgg(fit(image, _KINDS_SIZE).to(vgg.device), {KINDS})[KINDS])


def _cells(z: Tensor, places: tuple[Tensor, Tensor], masks: Tensor) -> Tensor:
    """What z (C×h×w) has at rows and columns of masks K×H×W, nearest cells: C×n."""
    y, x = (
        ((place + 0.5) * cells / whole).long()
        for place, cells, whole in zip(places, z.shape[1:], masks.shape[1:], strict=True)
    )
    return z[:, y, x]
