"""Pictures without grain: variation of light and of chroma."""

from __future__ import annotations

from torch import Tensor

from photostyle.color.spaces import chroma
from photostyle.terms.energy import Energy, energy


def total_variation(scale: float = 1.0) -> Energy:
    """Σ (O_{i,j+1} − O_{ij})² + (O_{i+1,j} − O_{ij})² of the image times `scale` (Mahendran & Vedaldi 2015)."""

    return energy("variation", {"image"}, lambda features: _variation(features["image"] * scale))


def chroma_variation() -> Energy:
    """The same of chroma alone. In photographs it changes far less from pixel to pixel than light; in images that
    follow features, which hardly see it, it does not: rainbow grain."""
    return energy("chroma", {"image"}, lambda features: _variation(chroma(features["image"])))


def _variation(O: Tensor) -> Tensor:
    return O.diff(dim=1).square().sum() + O.diff(dim=2).square().sum()


def smoothness(numbers: int, variation_weight: float, chroma_weight: float) -> Energy:
    """Υ: both, weighted, of each of the `numbers` of an image, so that weights mean the same at every size."""
    return 1 / numbers * (variation_weight * total_variation() + chroma_weight * chroma_variation())
