"""What colour maps may do: how steep they are, and how far from plain sliders."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from photostyle.color.spaces import luma
from photostyle.maps.lattice import slopes
from photostyle.terms.energy import Energy, Features, energy

SMALL = 0.02
"""s₀: a smaller part of a photograph is not given a look of its own for less."""
_ROUNDING = 0.02  # a norm of modes below it is squared


def gain(limit: float, shares: Sequence[float]) -> Energy:
    """What slopes of colour maps above `limit` cost, and folds.

    Σ_k share_k (Σ_directions mean (slope − limit)₊² + ½ mean (−dY/dgrey)₊²).
    Reads "nodes", lattices K×3×N×N×N. A slope is how much a small difference of colour (noise, haze, a block of JPEG)
    grows; a fold is where a lighter grey comes out darker.
    """

    def value(features: Features) -> Tensor:
        nodes = features["nodes"]
        n = nodes.shape[-1]
        steep = torch.stack([torch.relu(slope - limit).square().mean((1, 2, 3)) for slope in slopes(nodes)]).sum(0)  # K
        grey = torch.arange(n)
        rise = luma(nodes[:, :, grey, grey, grey].movedim(1, 0)).diff(dim=1) * (n - 1)  # K×(N − 1)
        return nodes.new_tensor(list(shares)) @ (steep + 0.5 * torch.relu(-rise).square().mean(1))

    return energy("gain", {"nodes"}, value)


def simplicity(prices: Tensor, shares: Sequence[float], price_of_sliders: float, unity: float) -> Energy:
    """How far grades are from plain sliders: ρ‖u‖² + ‖c̄‖ + ν Σ_k √max(share_k, s₀) ‖c_k − c̄‖, c̄ the mean by share.

    Reads "sliders" (8) and "modes" (K×count×3). Norms, not their squares, count each mode by its price (count): a
    deviation that gains little is not made, one that gains much is hardly held back. Norms are rounded at zero.
    """
    weights = torch.tensor(list(shares)) / sum(shares)

    def norm(c: Tensor) -> Tensor:
        return (c.square().sum((-2, -1)) + _ROUNDING**2).sqrt() - _ROUNDING

    def value(features: Features) -> Tensor:
        u, c = features["sliders"], features["modes"] * prices.to(features["modes"]).sqrt()[:, None]
        w = weights.to(c)
        common = torch.tensordot(w, c, dims=1)
        apart = unity * w.clamp(min=SMALL).sqrt() @ norm(c - common) if len(c) > 1 else 0.0
        return price_of_sliders * u.square().sum() + norm(common) + apart

    return energy("simplicity", {"sliders", "modes"}, value)
