"""What is shown: features, and how far they may go (Gatys et al. 2016)."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from photostyle.terms.energy import Energy, Features, energy, total


def power(F: Tensor) -> float:
    """Mean square of features: a squared distance to F, per element, is relative once it is divided by this."""
    return max(float(F.square().mean()), 1e-6)


def content(target: Features, weights: Mapping[str, float]) -> Energy:
    """Σ_l w_l · mean (F_l(O) − F_l(I))²   (Gatys et al. 2016, eq. 1; Luan et al. 2017, eq. 1, per element)."""

    def value(features: Features) -> Tensor:
        return total(w * (features[l] - target[l]).square().mean() for l, w in weights.items())

    return energy("content", weights, value)
