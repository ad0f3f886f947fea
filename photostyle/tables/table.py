"""A table of colour as a value: read from a file or made of a look, and applied to photographs of any size."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from photostyle.image import check_image
from photostyle.maps.lattice import ColorMap, cube
from photostyle.matting.render import check_strength
from photostyle.tables.spaces import find_space
from photostyle.tables.stages import Stage

_BAND = 2**18  # pixels at a time, so that memory does not grow with the photograph


@dataclass(frozen=True, eq=False)
class Table:
    """A map from colours to colours of one space (a name in `SPACES`), through `stages` one after another.

    `title` is its name in the file, "" if it has none; `notes` are sentences about what was ignored while reading it.
    """

    stages: tuple[Stage, ...]
    space: str = "srgb"
    title: str = ""
    notes: tuple[str, ...] = ()

    @property
    def facts(self) -> dict[str, str]:
        """What the note in a picture says about the table."""
        return {"table": self.title, "space": self.space}

    def __call__(self, colors: Tensor) -> Tensor:
        """Colours 3×… of the table's space → 3×… of it. What comes out may leave [0, 1]."""
        mapped = colors.reshape(3, -1)
        for stage in self.stages:
            mapped = stage.to(colors)(mapped)
        return mapped.view(colors.shape)

    def recolor(self, colors: Tensor) -> Tensor:
        """sRGB colours 3×… → 3×…, through the table's space. The result may leave [0, 1]."""
        space = find_space(self.space)
        return space.to_srgb(self(space.from_srgb(colors)))

    def apply(self, photograph: Tensor, strength: float = 1.0) -> Tensor:
        """The photograph (3×H×W, sRGB in [0, 1]) through the table: 3×H×W in [0, 1].

        `strength` goes along the map, from no change at all (0) to the table (1). Raises ImageError if it is no image,
        SettingsError if the strength is not in [0, 1].
        """
        check_image(photograph, "The photograph")
        check_strength(strength)
        result = torch.empty_like(photograph)
        rows = max(1, _BAND // photograph.shape[2])
        for old, new in zip(photograph.split(rows, 1), result.split(rows, 1), strict=True):
            torch.lerp(old, self.recolor(old), strength, out=new)
        return result.clamp_(0, 1)

    def color_map(self, size: int = 33) -> ColorMap:
        """The table as a colour map of sRGB: exact at the map's nodes."""
        return ColorMap.of(self.recolor(cube(size)))
