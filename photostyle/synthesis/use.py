"""How often a field uses each part of its source, so that what is used much can be asked more for.

After Kaspar et al., "Self Tuning Texture Optimization" (Eurographics 2015), whose occurrence map this is.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import convolve1d

from photostyle.synthesis.cost import Windows
from photostyle.synthesis.field import Field, Real


def overuse(field: Field, windows: Windows, room: tuple[int, int]) -> Real:
    """For each window of the source log(1 + u): u is how often its pixels are used, 1 if all were used alike.

    A logarithm, since a small thing that is to cover much must be used often, whatever it costs.
    """
    rows, columns = room
    starts = np.bincount((field.y * columns + field.x).ravel(), minlength=rows * columns)
    used: Real = (starts * np.float32(starts.size / field.y.size)).astype(np.float32).reshape(room)
    box = np.full(windows.side, 1 / windows.side)
    tent = np.convolve(box, box)  # windows share the more the nearer they are
    for axis in (0, 1):
        used = convolve1d(used, tent, axis, mode="constant")
    return np.log1p(used, out=used)
