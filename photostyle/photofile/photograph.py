"""A photograph as people have it: the pixels, and what a copy of it must keep."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, eq=False)
class Photograph:
    """What `load_photograph` found in a file, and what `save_photograph` keeps of it.

    `pixels` are 3×H×W float32 sRGB in [0, 1], upright; `alpha`, 1×H×W in [0, 1], is how much of each pixel is there,
    None if all of all is. Under an alpha of 0 the pixels are white. `notes` are sentences about what was left out.
    """

    pixels: Tensor
    alpha: Tensor | None = None
    profile: bytes | None = None  # the ICC profile whose colours it had, if a copy can have them too
    bits: int = 8  # per channel: 8, or 16 for all that is deeper
    exif: bytes | None = None  # without orientation and thumbnail
    xmp: bytes | None = None
    resolution: tuple[float, float] | None = None  # horizontal and vertical, pixels per inch
    format: str | None = None  # JPEG, PNG, TIFF, WEBP, AVIF, BMP, GIF or HEIF
    notes: tuple[str, ...] = ()

    def opaque(self) -> Tensor:
        """The pixels, 3×H×W, laid over white where they are transparent."""
        return self.pixels if self.alpha is None else 1 + self.alpha * (self.pixels - 1)

    def opacity(self, part: Tensor) -> Tensor:
        """How much of each pixel is there, 1×H×W, when a `part` of it (H×W in [0, 1]) is cut out."""
        return part[None].cpu() if self.alpha is None else part[None].cpu() * self.alpha
