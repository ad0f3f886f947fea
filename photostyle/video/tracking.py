"""Where the regions of one frame lie on the others: by colour, and by where they lay a moment ago.

What each region looks like is learned on one frame: how often each colour occurs in it. On another frame a pixel
belongs to a region in proportion to how often its colour occurs there, times how near the region lay before (Bayes).
That is mixed with what was known before, so that noise does not flicker: a recursive filter, which forgets where the
picture changes. The masks are soft and coarse: on each frame `find_borders` makes them follow the frame's own borders.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from photostyle.image import fit, shrink
from photostyle.maps.lattice import look_up, shared_out
from photostyle.matting.guided import window_mean

SIZE = 224  # long side at which regions are followed, pixels
_LEVELS = 16  # nodes of the lattice of colours, along an axis
_RARE = 0.02  # a colour's share, of its mean share, at which it says nothing
_REACH = 8  # pixels by which a region may move from frame to frame
_STRAY = 0.02  # what belongs nowhere near may still be the region's
_NEW = 0.2  # weight of a frame beside those before, where nothing moves
_MOVED = 0.05  # a change of colour, [0, 1], that is more than noise
_SETTLE = 3  # looks at the first frame of a scene


class Tracker:
    """Follows the regions of a frame through its scene, frame by frame, in order."""

    def __init__(self, picture: Tensor, masks: Tensor) -> None:
        """Learn from a frame (3×H×W, sRGB in [0, 1]) and its K regions (K×h×w, of its proportions, adding up to 1)."""
        small = fit(picture, SIZE)
        self._home = shrink(masks, small.shape[1:])
        self._likelihood = _color_shares(small, self._home)
        self._known = self._home
        self._before: Tensor | None = None

    def __call__(self, small: Tensor) -> Tensor:
        """Where the regions lie on the next frame, 3×h×w of the same proportions, long side `SIZE`: K×h×w."""
        calm = _calm(small)
        if self._before is None:
            known = self._home
            for _ in range(_SETTLE):
                known = self._seen(small, known)
        else:
            moved = (calm - self._before).square().sum(0) / _MOVED**2
            known = torch.lerp(self._known, self._seen(small, self._known), 1 - (1 - _NEW) * torch.exp(-moved))
        self._known, self._before = known, calm
        return known

    def _seen(self, small: Tensor, before: Tensor) -> Tensor:
        near = window_mean(window_mean(before, _REACH), _REACH).clamp(min=0) + _STRAY
        belongs = near * look_up(self._likelihood, small[None].clamp(0, 1))[0]
        return belongs / belongs.sum(0)


def _calm(small: Tensor) -> Tensor:
    """A picture without its noise."""
    return window_mean(small, 1)


def _color_shares(picture: Tensor, masks: Tensor) -> Tensor:
    """How often each colour occurs in each region, K×N×N×N, indexed by red, green and blue.

    Relative to the mean over all colours; a colour that is rare everywhere is equally likely in all.
    """
    weights = masks.flatten(1) / masks.flatten(1).sum(1, keepdim=True).clamp(min=1e-6)
    spread = shared_out(picture.flatten(1), weights, _LEVELS)[None]
    for _ in range(2):
        spread = F.avg_pool3d(F.pad(spread, (1,) * 6, mode="replicate"), 3, stride=1)
    return spread[0] + _RARE / _LEVELS**3
