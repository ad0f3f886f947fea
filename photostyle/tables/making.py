"""From a colour map to a table."""

from __future__ import annotations

import torch
from torch import Tensor

from photostyle.errors import SettingsError
from photostyle.maps.lattice import ColorMap, cube
from photostyle.photofile.spaces import Curve
from photostyle.tables.spaces import find_space
from photostyle.tables.stages import Curves, Lattice
from photostyle.tables.table import Table

SIZE, SIZES = 33, (2, 256)
_SHAPER = 4096  # values of a shaper: the curve of sRGB is met to a fiftieth of an 8-bit level


def make_table(map: ColorMap, size: int = SIZE, *, space: str = "srgb", title: str = "") -> Table:
    """The table of a map over colours of `space` (a name in `SPACES`), of `size` nodes along each axis.

    The map is taken at height 0. For linear light a shaper precedes the lattice. The nodes are not clipped: otherwise
    the colours between a node inside the range and one outside would be wrong. Raises SettingsError if
    there is no such space, or the size is not within 2 to 256.
    """
    if not SIZES[0] <= size <= SIZES[1]:
        raise SettingsError(f"A table of {size} nodes along each axis cannot be made: choose from 2 to 256.")
    known = find_space(space)
    low, high = torch.zeros(3), torch.ones(3)
    colors = cube(size).double()
    if known.shaper is None:
        shaper: tuple[Curves, ...] = ()
    else:
        shaper = (Curves(_sampled(known.shaper).expand(3, -1), low, high),)
        colors = known.shaper.light(colors)
    nodes = known.from_srgb(map.to(colors)(known.to_srgb(colors))).float()
    return Table((*shaper, Lattice(nodes, low, high)), space, title)


def _sampled(curve: Curve) -> Tensor:
    return curve.encoded(torch.linspace(0, 1, _SHAPER, dtype=torch.float64)).float()
