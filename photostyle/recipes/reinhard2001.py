"""Reinhard, Ashikhmin, Gooch & Shirley, "Color Transfer between Images" (IEEE CG&A 2001).

    l' = (σ_S / σ_I) (l − ⟨l⟩_I) + ⟨l⟩_S,   and so for α and β                                (eq. 10, 11)

In a space whose axes are nearly uncorrelated, each axis gets the style's mean and standard deviation:
here in each region by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from photostyle.color.spaces import lab_from_srgb, linear_from_srgb, srgb_from_lab, srgb_from_linear
from photostyle.descent.steps import Step, Steps
from photostyle.recipes.settings import setting
from photostyle.regions.recolor import ColorMap, match_colors
from photostyle.regions.regions import Regions


@dataclass(frozen=True)
class ColorStatistics:
    """The paper has no numbers, only its space."""

    space: Literal["lab", "lalphabeta"] = setting("lab", "CIE Lab, or the paper's logarithmic lαβ")


def color_statistics(content: Tensor, style: Tensor, regions: Regions, vgg: None, p: ColorStatistics) -> Steps:
    """Mean and standard deviation of each axis, region by region."""
    O = match_colors(content, style, regions.fit(content, style), lambda x, y: statistics_map(x, y, p.space))
    yield Step("recolour", 1, 1, O)
    return O


def statistics_map(x: Tensor, y: Tensor, space: str) -> ColorMap:
    """The map that gives the sRGB colours x (3×n) the means and standard deviations of y (3×m) in a space.

    An axis on which x varies by no more than rounding to 8 bits would is not stretched beyond that.
    """
    into, back, rounding = _SPACES[space]
    x, y = into(x), into(y)
    μ_x, μ_y = x.mean(1), y.mean(1)
    σ_x, σ_y = x.std(1, correction=0), y.std(1, correction=0)
    scale = σ_y / σ_x.clamp(min=rounding)

    def change(colors: Tensor) -> Tensor:
        return back(scale[:, None] * (into(colors) - μ_x[:, None]) + μ_y[:, None])

    return change


_LMS_FROM_RGB = ((0.3811, 0.5783, 0.0402), (0.1967, 0.7244, 0.0782), (0.0241, 0.1288, 0.8444))  # eq. 4
_LAB_FROM_LOG_LMS = (  # eq. 6: orthogonal, so that its inverse (eq. 8) is its transpose
    (3**-0.5, 3**-0.5, 3**-0.5),
    (6**-0.5, 6**-0.5, -2 * 6**-0.5),
    (2**-0.5, -(2**-0.5), 0.0),
)
_BLACK = 1 / 255 / 12.92  # the light of the darkest value that is not black


def lalphabeta_from_srgb(image: Tensor) -> Tensor:
    """sRGB 3×… → lαβ 3×… (eq. 4 to 6 on linear light).

    Black has no logarithm: to all light is added that of the darkest grey of 8 bits.
    """
    lms = torch.tensordot(image.new_tensor(_LMS_FROM_RGB), linear_from_srgb(image), dims=1)
    log_lms = (lms + _BLACK).log10()  # eq. 5
    return torch.tensordot(image.new_tensor(_LAB_FROM_LOG_LMS), log_lms, dims=1)


def srgb_from_lalphabeta(lab: Tensor) -> Tensor:
    """lαβ 3×… → sRGB 3×… (eq. 8 and 9, here the exact inverses of 6 and 4)."""
    log_lms = torch.tensordot(lab.new_tensor(_LAB_FROM_LOG_LMS).T, lab, dims=1)
    lms = 10 ** log_lms.clamp(max=3) - _BLACK  # a thousand times white is white
    rgb_from_lms = torch.linalg.inv(torch.tensor(_LMS_FROM_RGB, dtype=torch.float64)).to(lab)
    return srgb_from_linear(torch.tensordot(rgb_from_lms, lms, dims=1))


# into the space, back to sRGB, and the standard deviation that rounding to 8 bits alone makes there
_SPACES: dict[str, tuple[ColorMap, ColorMap, float]] = {
    "lab": (lab_from_srgb, srgb_from_lab, 0.1),
    "lalphabeta": (lalphabeta_from_srgb, srgb_from_lalphabeta, 0.003),
}
