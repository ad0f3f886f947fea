"""A metric in which descent is not in pixels but in what pictures are made of: waves, and colours that go together.

In pixels all waves are alike, and a descent that is not followed for long leaves grain, for fine waves are most of
them. In pictures, amplitudes fall as one over the frequency, and colours vary along a few directions. A step in this
metric has such a spectrum and such colours (Olah, Mordvintsev & Schubert, "Feature Visualization", Distill 2017:
descent in a decorrelated space; here the space is a metric of L-BFGS, so that no picture is out of reach).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import pi

import torch
from torch import Tensor

_LONGEST = 2  # half waves along the longer side: longer ones count as these
_RIDGE = 1e-4  # variance of colours along which there is none


class SpectrumMetric:
    """G ↦ Σ D⁻¹ (D G / f), for slopes of pictures 3×H×W: D the cosine transform, f the frequency, Σ 3×3 of colours.

    Symmetric and positive. Σ is the `covariance` of the colours that the picture is to have (3×3). The cosine transform
    is that of a picture mirrored at its borders, so that no border is a wave. As products of matrices it costs a few
    hundredths of a look through the network, on every device.
    """

    def __init__(self, size: Sequence[int], covariance: Tensor) -> None:
        height, width = size
        self._colors = covariance + _RIDGE * torch.eye(3).to(covariance)
        self._rows, self._columns = (_cosines(n).to(covariance) for n in (height, width))
        y, x = (torch.arange(n) / n for n in (height, width))  # half waves per pixel
        f = torch.hypot(y[:, None], x[None])
        self._spectrum = (1 / f.clamp(min=_LONGEST / max(height, width))).to(covariance)

    def __call__(self, g: Tensor) -> Tensor:
        waves = self._rows @ g @ self._columns.T * self._spectrum
        smooth = self._rows.T @ waves @ self._columns
        return (self._colors @ smooth.flatten(1)).view_as(g)


def _cosines(n: int) -> Tensor:
    """The orthonormal cosine transform of n numbers (DCT-II), n×n."""
    k, i = torch.arange(n, dtype=torch.float64)[:, None], torch.arange(n, dtype=torch.float64)[None]
    waves = torch.cos(pi / n * k * (i + 0.5)) * (2 / n) ** 0.5
    waves[0] /= 2**0.5
    return waves
