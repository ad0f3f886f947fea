"""The way from one colour to another."""

from __future__ import annotations

import torch
from torch import Tensor

from photostyle.color.spaces import lab_from_srgb, srgb_from_lab

_MOST = 2.0  # times that a mixture's chroma is raised: enough for hues up to 120° apart
_GREY = 1e-6  # a chroma that is none


def between(one: Tensor, other: Tensor, t: float | Tensor, t_color: float | Tensor | None = None) -> Tensor:
    """From the colours `one` (t = 0) to `other` (1): both sRGB 3×…, as is what comes out; `t` is a number or …

    Lightness goes straight in CIE L*a*b*, and so do a* and b*, but on the way chroma stays between that of the two:
    red to green leads through yellow, where a straight line would lead through mud. Between opposite hues there is no
    such way, and it leads through grey. Colours that sRGB does not have are colours like any other. `t_color` is how
    far a* and b* go, if not as far as lightness. The ends are met to within rounding.
    """
    t_color = t if t_color is None else t_color
    a, b = lab_from_srgb(one), lab_from_srgb(other)
    mixture = a[1:] + t_color * (b[1:] - a[1:])
    wanted, found = _chroma(a) + t_color * (_chroma(b) - _chroma(a)), mixture.norm(dim=0)
    raised = (wanted / found.clamp(min=_GREY)).clamp(1, _MOST)
    return srgb_from_lab(torch.cat([(a[0] + t * (b[0] - a[0]))[None], raised * mixture]))


def _chroma(lab: Tensor) -> Tensor:
    return lab[1:].norm(dim=0)
