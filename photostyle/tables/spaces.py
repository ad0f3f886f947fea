"""The colour spaces that a table can be made for: it takes colours of one, and gives colours of the same.

Colours that sRGB does not have are meant too, since a table of a wider space has nodes for them: there the curves go
on, mirrored at 0, as in scRGB (IEC 61966-2-2). So nothing is clipped on the way to sRGB and back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from photostyle.errors import SettingsError
from photostyle.photofile.spaces import SRGB, SRGB_CURVE, Curve, Space, cicp_space


@dataclass(frozen=True)
class TableSpace:
    """A space, what it is called in a sentence, and `shaper`: the curve that spreads its light evenly over nodes.

    A lattice over linear light would have one node in the shadows and thirty in the lights; a curve before it mends
    that. None for spaces whose numbers are spread as eyes see.
    """

    words: str
    space: Space
    shaper: Curve | None = None

    def to_srgb(self, colors: Tensor) -> Tensor:
        """Colours 3×… of this space → sRGB, below 0 and above 1 where sRGB lacks them."""
        return _through(self.space, SRGB, colors)

    def from_srgb(self, colors: Tensor) -> Tensor:
        """The inverse of `to_srgb`."""
        return _through(SRGB, self.space, colors)


SPACES = {
    "srgb": TableSpace("sRGB (IEC 61966-2-1)", SRGB),
    "linear": TableSpace("linear light of sRGB's primaries", Space((Curve(),) * 3, np.eye(3)), SRGB_CURVE),
    "display-p3": TableSpace("Display P3", cicp_space(12, 13)),
    "rec709": TableSpace("Rec. 709 with the gamma of 2.4 of BT.1886", Space((Curve(2.4),) * 3, np.eye(3))),
}
"""By the name that `--space` takes. The numbers of all go over the full range, from 0 for black to 1 for white."""


def find_space(name: str) -> TableSpace:
    """The space of that name. Raises SettingsError if there is none."""
    if name not in SPACES:
        raise SettingsError(f"There is no space {name!r} for tables: choose one of {', '.join(SPACES)}.")
    return SPACES[name]


def _through(one: Space, other: Space, colors: Tensor) -> Tensor:
    if one is other:
        return colors
    light = torch.stack([_mirrored(c.light, x) for c, x in zip(one.curves, colors, strict=True)])
    between = np.linalg.inv(other.matrix) @ one.matrix
    light = torch.tensordot(light.new_tensor(between), light, dims=1)
    return torch.stack([_mirrored(c.encoded, x) for c, x in zip(other.curves, light, strict=True)])


def _mirrored(curve: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    return x.sign() * curve(x.abs())
