"""What keeps a picture a photograph: locally affine changes of colour (Luan et al. 2017), and colours that exist."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import max_pool2d

from photostyle.image import shrink
from photostyle.matting.laplacian import MattingLaplacian, matting_laplacian
from photostyle.terms.energy import Energy, Features, energy, total

_SMALLEST = 12  # pixels of the shorter side: beyond, a window holds a quarter of the photograph


def matting(laplacian: MattingLaplacian, image: Tensor | None = None) -> Energy:
    """Σ_c vec(O_c)ᵀ M_I vec(O_c)   (Luan et al. 2017, eq. 2): zero for every locally affine change of colour.

    With an `image` I it is taken of the change O − I: what is not changed costs nothing at all.
    """

    def value(features: Features) -> Tensor:
        O = features["image"]
        return laplacian.quadratic(O if image is None else O - image)

    return energy("matting", {"image"}, value)


def drift(photograph: Tensor, masks: Tensor, epsilon: float) -> Energy:
    """Σ_k 2ᵏ Σ_c vec(O_c^k)ᵀ M_k vec(O_c^k): `matting` at half the size, k = 1, at a quarter, and so on.

    Where a photograph (3×H×W) is plain the matting term allows a slow drift of colour: next to nothing changes within
    three pixels. Within three pixels of a smaller copy much does, and each copy counts twice as much as the one before.
    Windows with pixels of several regions (`masks`, K×H×W) count the less: each region has a look of its own.
    """
    levels = []
    size = tuple(photograph.shape[1:])
    while min(size) >= 2 * _SMALLEST:
        size = (size[0] // 2, size[1] // 2)
        windows = _least_of_nine(shrink(masks, size)).sum(0)
        levels.append((size, matting_laplacian(shrink(photograph, size), epsilon, windows)))

    def value(features: Features) -> Tensor:
        O = features["image"]
        zero = O.new_zeros(())
        return total([zero, *(2**k * M_k.quadratic(shrink(O, size)) for k, (size, M_k) in enumerate(levels, start=1))])

    return energy("drift", {"image"}, value)


def _least_of_nine(masks: Tensor) -> Tensor:
    """The least value in each 3×3 window, K×(H−2)×(W−2) of K×H×W."""
    return -max_pool2d(-masks, 3, stride=1)


def gamut() -> Energy:
    """Mean squared excursion of the image outside [0, 1]: a wall with a slope, where clamping has none."""

    def value(features: Features) -> Tensor:
        O = features["image"]
        return (O - O.clamp(0, 1)).square().mean()

    return energy("gamut", {"image"}, value)
