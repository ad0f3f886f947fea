"""The matting metric: which changes of a picture are small.

To a descent all pixels are alike; to a photograph they are not. A change that is locally an affine function of the
photograph's colours keeps it a photograph, and the matting Laplacian M hardly sees it; grain, it sees well. With

    ‖ΔV‖² = ΔVᵀ (κ𝟙 + M) ΔV

for the length of a step, steepest descent goes along (κ𝟙 + M)⁻¹ g instead of g: farthest along what keeps the picture a
photograph, up to 1 + 9/κ times as far as along the rest, for M lies between 0 and 9 (a pixel is in nine windows, and
each adds a projection). Minima stay where they are. A small κ makes for pictures without grain, but M hardly sees a
slow drift of colour either, and the descent then runs along it: docs/departures.md has what was tried.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from photostyle.matting.laplacian import MattingLaplacian
from photostyle.solvers.cg import conjugate_gradients


@dataclass(frozen=True)
class MattingMetric:
    """(κ𝟙 + M)⁻¹ of C×H×W slopes by conjugate gradients with Jacobi's preconditioner, channels together.

    Solved to the part `tolerance` of the slope, or for `most` steps: a metric is as good if it is rough.
    """

    laplacian: MattingLaplacian
    floor: float = 0.3  # κ
    tolerance: float = 0.1
    most: int = 60

    def __matmul__(self, v: Tensor) -> Tensor:
        """(κ𝟙 + M) v."""
        return self.floor * v + self.laplacian @ v

    def __call__(self, g: Tensor) -> Tensor:
        return conjugate_gradients(self, g, lambda r: self._inverse * r, self.tolerance, self.most)

    @cached_property
    def _inverse(self) -> Tensor:
        return 1 / (self.floor + self.laplacian.diagonal())
