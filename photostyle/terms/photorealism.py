"""What keeps a picture a photograph: locally affine changes of colour (Luan et al. 2017), and colours that exist."""

from __future__ import annotations

from torch import Tensor

from photostyle.matting.laplacian import MattingLaplacian
from photostyle.terms.energy import Energy, Features, energy


def matting(laplacian: MattingLaplacian, image: Tensor | None = None) -> Energy:
    """Σ_c vec(O_c)ᵀ M_I vec(O_c)   (Luan et al. 2017, eq. 2): zero for every locally affine change of colour.

    With an `image` I it is taken of the change O − I: what is not changed costs nothing at all.
    """

    def value(features: Features) -> Tensor:
        O = features["image"]
        return laplacian.quadratic(O if image is None else O - image)

    return energy("matting", {"image"}, value)


def gamut() -> Energy:
    """Mean squared excursion of the image outside [0, 1]: a wall with a slope, where clamping has none."""

    def value(features: Features) -> Tensor:
        O = features["image"]
        return (O - O.clamp(0, 1)).square().mean()

    return energy("gamut", {"image"}, value)
