"""What was done to a photograph at each place, for other frames of the same scene and framing.

Wherever a result is locally an affine function of the photograph's colours, a coarse grid of those functions
says all there is to say: found once from the photograph and its result, it is applied to any other frame of
the same framing, at any resolution, in no time and without a network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from photostyle._version import __version__
from photostyle.errors import ImageError
from photostyle.image import check_image, fit_size, shrink
from photostyle.matting.render import apply_maps, fit_maps, whole_map

Size = tuple[int, int]

_GRID = 256  # long side of the maps: 1 MB in a file
_RADII = (32, 8, 2, 1)  # of the windows, cells of the grid
_RIDGE = 1e-3  # a variance of colour: what varies less says little of slopes, and other frames would come out wild


@dataclass(frozen=True, eq=False)
class LocalLook:
    """What a transfer did: affine maps of colour (3×4×h×w), rows by output channel, [A | b].

    `size` is the H×W of the photograph that it was found on; `facts` say how the result was made.
    """

    maps: Tensor
    size: Size
    facts: dict[str, str]

    def apply(self, photograph: Tensor) -> Tensor:
        """The photograph with this look: both 3×H×W, sRGB in [0, 1], of any resolution.

        Raises ImageError if it is no image, or of other proportions than the photograph the look was found on.
        """
        check_image(photograph, "The photograph")
        if not same_framing(photograph.shape[1:], self.size):
            raise ImageError(
                f"This photograph is {_words(photograph.shape[1:])} and the look was found on {_words(self.size)}: "
                "a look fits frames of the same scene and framing only."
            )
        return apply_maps(self.maps.to(photograph), photograph)


def find_look(before: Tensor, after: Tensor, facts: Mapping[str, str] | None = None) -> LocalLook:
    """The look that makes `after` of `before`: 3×H×W each, sRGB in [0, 1], the same scene, perhaps of two sizes.

    It does not matter what made `after`: a recipe or any editor. Around each cell of a grid of at most 256 cells, an
    affine map is fitted as in `render`, but with a smaller ridge, and regularised towards the affine map of the whole
    photograph. So an affine change of colour is recovered exactly, and flat areas of other frames, whose own colours
    say nothing about slopes, change as the whole photograph does. `facts` are stored in the look, with the version of
    photostyle.

    Raises ImageError if one is no image or their proportions differ.
    """
    check_image(before, "The photograph")
    check_image(after, "The result")
    if not same_framing(before.shape[1:], after.shape[1:]):
        raise ImageError(
            f"The photograph is {_words(before.shape[1:])} and the result {_words(after.shape[1:])}: "
            "a look is found from two images of the same framing."
        )
    # by way of the smaller size, so that both have been averaged in the same way
    smaller = min(before.shape[1:], after.shape[1:], key=max)
    images = [x if x.shape[1:] == smaller else shrink(x, smaller) for x in (before, after.to(before))]
    size = fit_size(smaller[0], smaller[1], _GRID)
    image, output = (shrink(x, size) for x in images)
    whole = whole_map(output, image)[:, :, None, None].expand(3, 4, *size)
    maps = fit_maps(output, image, _RADII, _RIDGE, whole)
    return LocalLook(maps, (before.shape[1], before.shape[2]), {"version": __version__, **(facts or {})})


def same_framing(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    """Whether two H×W may be the same framing at two resolutions: each side of the smaller is rounded by a pixel."""
    return abs(a[0] * b[1] - a[1] * b[0]) <= max(sum(a), sum(b))


def _words(size: tuple[int, ...]) -> str:
    """Width × height of an H×W, as photographers say it."""
    return "×".join(map(str, reversed(size)))
