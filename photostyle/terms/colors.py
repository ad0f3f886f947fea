"""Style as a distribution of colours, carried over by unbalanced transport."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from photostyle.color.spaces import lab_from_srgb
from photostyle.solvers.sinkhorn import half_divergence, self_cost
from photostyle.terms.energy import Energy, Features, energy, total

Extras = tuple[Tensor, Tensor, Tensor]
"""What is added to costs of transport: from points to goals n×m, among the points n×n, among the goals m×m."""


def kind_extras(z: Tensor, ζ: Tensor, price: float) -> Extras:
    """What it costs to go to another kind of thing: `price` · (1 − cosine) of what is shown, unit vectors C×n and C×m.

    What every partner of a point costs is taken off: it says nothing about whom to choose.
    """
    extra, *own = (price * (1 - a.T @ b) for a, b in ((z, ζ), (z, z), (ζ, ζ)))
    extra = extra - extra.min(1, keepdim=True).values
    return extra - extra.min(0, keepdim=True).values, own[0], own[1]


def color_transport(
    goals: Sequence[Tensor], extras: Sequence[Extras], shares: Sequence[float], ε: float, τ: float, unit: float
) -> Energy:
    """Σ_k share_k · Sinkhorn divergence of region k's colours from the style's (see `sinkhorn`), in L*a*b* / `unit`.

    Reads "samples", the colours of all regions one after the other, 3×Σn_k, sRGB. `goals` are 3×m_k in L*a*b* / `unit`,
    float64, `extras` what is added to their squared distances, ε the entropy, and τ the cost above which a colour need
    not land.
    """
    counts = [len(extra) for extra, _, _ in extras]
    constants = [0.5 * self_cost(goal, extra, ε, τ) for goal, (_, _, extra) in zip(goals, extras, strict=True)]

    def value(features: Features) -> Tensor:
        now = (lab_from_srgb(features["samples"].clamp(-0.1, 1.1)) / unit).split(counts, dim=1)
        return total(
            share * (half_divergence(x, goal, extra, own, ε, τ) - constant).clamp(min=0)  # but for rounding it is
            for share, x, goal, (extra, own, _), constant in zip(shares, now, goals, extras, constants, strict=True)
        )

    return energy("color", {"samples"}, value)
