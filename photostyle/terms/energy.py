"""Energies: named, weighted sums of non-negative functions of features, which are minimised.

An energy knows no network: it says which layers it reads, and is given their features.
The photograph itself is the zeroth layer, called "image".
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

Features = Mapping[str, Tensor]
"""Layer name → C×H×W activations; `"image"` → 3×H×W sRGB in [0, 1]."""

Extract = Callable[[Tensor, Collection[str]], Features]
"""(3×H×W image, layer names) → the features of those layers."""


@dataclass(frozen=True)
class Term:
    """One named summand: `weight · value(features)`, where `value` ≥ 0 reads the layers in `reads`."""

    name: str
    reads: frozenset[str]
    value: Callable[[Features], Tensor]
    weight: float = 1.0


@dataclass(frozen=True)
class Energy:
    """A weighted sum of terms: `α * content + Γ * style + λ * matting` is again an Energy.

    Raises ValueError if two terms share a name (their parts could not be told apart).

    >>> import torch
    >>> light = energy("light", {"image"}, lambda features: features["image"].mean())
    >>> spread = energy("spread", {"image"}, lambda features: features["image"].var())
    >>> E = 2 * light + spread
    >>> {name: float(part) for name, part in E.parts({"image": torch.full((3, 2, 2), 0.5)}).items()}
    {'light': 1.0, 'spread': 0.0}
    """

    terms: tuple[Term, ...]

    def __post_init__(self) -> None:
        if len({term.name for term in self.terms}) < len(self.terms):
            raise ValueError(f"term names must differ: {', '.join(term.name for term in self.terms)}")

    def __add__(self, other: Energy) -> Energy:
        return Energy(self.terms + other.terms)

    def __rmul__(self, k: float) -> Energy:
        return Energy(tuple(replace(term, weight=k * term.weight) for term in self.terms))

    @property
    def reads(self) -> frozenset[str]:
        """Every layer that some term reads."""
        return frozenset[str]().union(*(term.reads for term in self.terms if term.weight))

    def parts(self, features: Features) -> dict[str, Tensor]:
        """Term name → its weighted value, a 0-dimensional tensor; terms of weight 0 are not computed."""
        return {term.name: term.weight * term.value(features) for term in self.terms if term.weight}


def energy(name: str, reads: Collection[str], value: Callable[[Features], Tensor]) -> Energy:
    """The energy that is one term of weight 1."""
    return Energy((Term(name, frozenset(reads), value),))


def total(values: Iterable[Tensor]) -> Tensor:
    """The sum of values, each a tensor of no dimension."""
    return torch.stack(list(values)).sum()
