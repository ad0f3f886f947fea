"""The hue of a style that has but one, or none: black and white, sepia, a duotone, a blue hour.

Whatever a recipe makes of such a style has no other hue. What its colours are like in a*b* is measured, and the
picture's are projected there, lightness by lightness:

- to zero, for a style without colour;
- else on a line, where they lie on one: sepia, two inks, a scene in one coloured light; between the ends that it has;
- else on a curve a*b*(L), where they follow lightness (`lattice.Tone`), as more inks than two may.

A style of several hues has none of these, and nothing is changed. In between the projection goes part of the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from photostyle.color.spaces import chroma, lab_from_srgb, srgb_from_lab
from photostyle.descent.steps import Steps
from photostyle.errors import DescentError
from photostyle.image import fit, shrink
from photostyle.maps.tone import Tone, find_tone
from photostyle.regions.counted import counted

_SEEN = 256  # long side at which a style is measured: the grain of a scan is no hue
_ENDS = 0.005  # of a style's pixels are beyond either end of its line, and twice as many may stray from it
_SURE, _NEVER = 2.0, 4.0  # ΔE by which the others may stray for a line to be certain, and to be one at all
_NONE = 1.0  # ΔE: a chroma that is none
_BAND = 2**20  # pixels at a time, so that memory does not grow with the photograph


@dataclass(frozen=True, eq=False)
class Line:
    """A line in a*b*: `middle` (2) and unit `direction` (2), from `low` to `high` along it; `certainty` in [0, 1]."""

    middle: Tensor
    direction: Tensor
    low: float
    high: float
    certainty: float

    def of(self, ab: Tensor) -> Tensor:
        """The nearest colours on it, of a*b* 2×…"""
        shape = 2, *[1] * (ab.ndim - 1)
        middle, direction = (x.to(ab).view(shape) for x in (self.middle, self.direction))
        along = (direction * (ab - middle)).sum(0).clamp(self.low, self.high)
        return middle + direction * along


@dataclass(frozen=True, eq=False)
class Tint:
    """What a style has of hue: a line, and a curve over lightness; `grey` says that it has none."""

    line: Line
    tone: Tone
    grey: bool

    @property
    def note(self) -> str:
        """A sentence for the user; "" where the style has hues enough."""
        if self.grey:
            return "The style has no colour, and so the result has none."
        if max(self.tone.certainty, self.line.certainty) > 0.5:
            return "The style has one hue, and so the result has no other."
        return ""

    def __call__(self, image: Tensor) -> Tensor:
        """The picture (3×H×W, sRGB in [0, 1]) in no other hue: a new tensor, unless there is nothing to do."""
        if not self.grey and not max(self.tone.certainty, self.line.certainty):
            return image
        rows = max(1, _BAND // image.shape[2])
        return torch.cat([self._band(band) for band in image.split(rows, 1)], dim=1)

    def _band(self, image: Tensor) -> Tensor:
        lab = lab_from_srgb(image.clamp(0, 1))
        if self.grey:
            lab[1:] = 0
            gray = srgb_from_lab(lab)
            return (gray - chroma(gray)).clamp(0, 1)  # to the last bit
        lab[1:] = torch.lerp(lab[1:], self.tone.of(lab[0]), self.tone.certainty * (1 - self.line.certainty))
        lab[1:] = torch.lerp(lab[1:], self.line.of(lab[1:]), self.line.certainty)
        return srgb_from_lab(lab).clamp(0, 1)


def find_tint(styles: Sequence[Tensor], masks: Tensor | None = None) -> Tint:
    """What the styles (3×H×W each, sRGB in [0, 1]) have of hue, all together.

    Of `masks` (K×H×W, of a single style) what is in none has no say.
    """
    seen = [fit(style, _SEEN) for style in styles]
    colors = torch.cat([image.flatten(1) for image in seen], dim=1).cpu()
    if masks is not None:
        inside = counted(shrink(masks, seen[0].shape[1:]).sum(0, keepdim=True).cpu()).flatten()
        colors = colors[:, inside] if bool(inside.any()) else colors
    ab = lab_from_srgb(colors.clamp(0, 1))[1:].double()
    return Tint(_find_line(ab), find_tone(colors), _quantile(ab.norm(dim=0), 1 - 2 * _ENDS) < _NONE)


def tinted(steps: Steps, tint: Tint) -> Steps:
    """The same steps and the same end, all in no other hue than the tint's."""
    try:
        while True:
            step = next(steps)
            yield replace(step, image=tint(step.image))
    except StopIteration as stop:
        return tint(stop.value)
    except DescentError as error:
        error.image = None if error.image is None else tint(error.image)
        raise
    finally:
        steps.close()


def _find_line(ab: Tensor) -> Line:
    """The line that a*b* (2×n, float64) strays from least."""
    middle = ab.mean(1, keepdim=True)
    away = ab - middle
    _, axes = torch.linalg.eigh(away @ away.T)  # the longest last
    across, along = axes.T @ away
    stray = _quantile(across.abs(), 1 - 2 * _ENDS)
    certainty = min(1.0, max(0.0, (_NEVER - stray) / (_NEVER - _SURE)))
    return Line(middle[:, 0], axes[:, 1], _quantile(along, _ENDS), _quantile(along, 1 - _ENDS), certainty)


def _quantile(x: Tensor, q: float) -> float:
    return float(torch.quantile(x, q))
