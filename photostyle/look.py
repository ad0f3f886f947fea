"""A look: what was done to a photograph, kept apart from it, for other frames of the same scene.

Wherever a result is locally an affine function of the photograph's colours, a coarse grid of those functions
says all there is to say: found once from the photograph and its result, it is applied to any other frame of
the same framing, at any resolution, in no time and without a network.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import save
from torch import Tensor

from photostyle._version import __version__
from photostyle.errors import ImageError
from photostyle.files import StrPath, check_target, write_whole
from photostyle.image import check_image, fit_size, shrink
from photostyle.render import apply_maps, fit_maps
from photostyle.tensors import read_tensors

Size = tuple[int, int]

SUFFIX = ".safetensors"

_GRID = 256  # long side of the maps: 1 MB in a file
_RADII = (32, 8, 2, 1)  # of the windows, cells of the grid
_RIDGE = 1e-5  # a variance of colour, above that of rounding to 8 bits: what was done is to be found, not guessed
_FORMAT = 1  # of the file


@dataclass(frozen=True, eq=False)
class Look:
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
        if not _same_framing(photograph.shape[1:], self.size):
            raise ImageError(
                f"This photograph is {_words(photograph.shape[1:])} and the look was found on {_words(self.size)}: "
                "a look fits frames of the same scene and framing only."
            )
        return apply_maps(self.maps.to(photograph), photograph)


def find_look(before: Tensor, after: Tensor, facts: Mapping[str, str] | None = None) -> Look:
    """The look that makes `after` of `before`: 3×H×W each, sRGB in [0, 1], the same scene, perhaps of two sizes.

    Whatever made `after`, a recipe or any editor. Around each cell of a grid of at most 256 cells, the affine
    map is fitted as in `render`, but with a very small ridge and leaning at first on no change at all: an
    affine change of colour comes back exactly. `facts` go into the look, beside the version of photostyle.

    Raises ImageError if one is no image or their proportions differ.
    """
    check_image(before, "The photograph")
    check_image(after, "The result")
    if not _same_framing(before.shape[1:], after.shape[1:]):
        raise ImageError(
            f"The photograph is {_words(before.shape[1:])} and the result {_words(after.shape[1:])}: "
            "a look is found from two images of the same framing."
        )
    # by way of the smaller size, so that both have been averaged in the same way
    smaller = min(before.shape[1:], after.shape[1:], key=max)
    images = [x if x.shape[1:] == smaller else shrink(x, smaller) for x in (before, after.to(before))]
    size = fit_size(smaller[0], smaller[1], _GRID)
    image, output = (shrink(x, size) for x in images)
    unchanged = torch.eye(3, 4).to(image)[:, :, None, None].expand(3, 4, *size)
    maps = fit_maps(output, image, _RADII, _RIDGE, unchanged)
    return Look(maps, (before.shape[1], before.shape[2]), {"version": __version__, **(facts or {})})


def save_look(look: Look, path: StrPath) -> None:
    """Write a look as safetensors: the maps as 16-bit floats (an error of 1/50 of an 8-bit level), the rest as JSON.

    Equal looks give equal bytes. The file appears whole or not at all. Raises ImageError if it cannot be written.
    """
    check_look_path(path)
    maps = look.maps.detach().to("cpu", torch.float16).contiguous()
    if not maps.isfinite().all():
        raise ImageError(f"{path} was not written: the look holds NaN, infinity or numbers beyond 65504.")
    about = {"look": _FORMAT, "size": look.size, "facts": look.facts}
    # one entry only: safetensors writes several in any order
    data = save({"maps": maps}, {"photostyle": json.dumps(about)})
    write_whole(path, data)


def load_look(path: StrPath) -> Look:
    """Read a look, its maps as float32. Raises ImageError if there is no such file or it holds no intact look."""
    if not Path(path).exists():
        raise ImageError(f"There is no file {path}: check the name.")
    try:
        metadata, tensors = read_tensors(path)
        about = json.loads(metadata.get("photostyle", "null"))
    except (OSError, ValueError, SafetensorError) as error:
        raise ImageError(f"{path} is no look, or damaged: make it anew with --save-look.") from error
    match about:
        case {"look": int(format)} if format > _FORMAT:
            raise ImageError(f"{path} is the look of a newer photostyle (format {format}): update photostyle.")
        case {"look": int(), "size": [int(height), int(width)], "facts": dict(facts)}:
            maps = tensors.get("maps", torch.empty(0)).float()
        case _:
            raise ImageError(f"{path} holds no look: make one with --save-look.")
    if maps.ndim != 4 or maps.shape[:2] != (3, 4) or 0 in maps.shape or min(height, width) < 1:
        raise ImageError(f"{path} holds no look, its maps are {tuple(maps.shape)}: make it anew with --save-look.")
    if not maps.isfinite().all():
        raise ImageError(f"{path} is damaged, its maps hold NaN or infinity: make it anew with --save-look.")
    return Look(maps, (height, width), {str(key): str(value) for key, value in facts.items()})


def check_look_path(path: StrPath) -> None:
    """Raise ImageError if `save_look` could not write to `path`; touch nothing. For before the long work."""
    check_target(path, [SUFFIX])


def _same_framing(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    """Whether two H×W may be the same framing at two resolutions: each side of the smaller is rounded by a pixel."""
    return abs(a[0] * b[1] - a[1] * b[0]) <= max(sum(a), sum(b))


def _words(size: tuple[int, ...]) -> str:
    """Width × height of an H×W, as photographers say it."""
    return "×".join(map(str, reversed(size)))
