"""The one table that comes nearest to a look."""

from __future__ import annotations

from torch import Tensor

from photostyle.looks.local import LocalLook
from photostyle.looks.look import Look
from photostyle.looks.sight import Sight, see
from photostyle.tables.fit import fit_map
from photostyle.tables.making import SIZE, make_table
from photostyle.tables.table import Table


def look_table(
    look: Look | LocalLook,
    photograph: Tensor | None = None,
    *,
    size: int = SIZE,
    space: str = "srgb",
    title: str = "",
) -> Table:
    """The one table of `size` nodes along each axis, over colours of `space`, that comes nearest to a look.

    A look with several regions may do several things to one colour, a table only one: the best one for that photograph
    (3×H×W, sRGB in [0, 1]; None: the look's own, small), where each colour counts as often as it occurs. Colours that
    do not occur take what the regions have in common. Raises ImageError if it is no image, SettingsError for a space or
    a size that tables do not have, or if a photograph is needed and none is given.
    """
    return single_table(see(look, photograph), size, space, title)


def single_table(sight: Sight, size: int, space: str, title: str) -> Table:
    """`look_table` of what was seen."""
    return make_table(fit_map(sight.before, sight.after, sight.common, size), size, space=space, title=title)
