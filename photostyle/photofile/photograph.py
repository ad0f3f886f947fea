"""A photograph as people have it: the pixels, and what a copy of it must keep."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from photostyle.errors import ImageError

_SEEN = 1 / 16  # alpha: what is less is not seen


@dataclass(frozen=True, eq=False)
class Photograph:
    """What `load_photograph` found in a file, and what `save_photograph` keeps of it.

    `pixels` are 3×H×W float32 sRGB in [0, 1], upright; `alpha`, 1×H×W in [0, 1], is how much of each pixel is there,
    None if the picture has no transparency. Where it is 0 the pixels are white. `notes` are sentences about what was
    left out.
    """

    pixels: Tensor
    alpha: Tensor | None = None
    profile: bytes | None = None  # the ICC profile whose colours it had, if a copy can have them too
    bits: int = 8  # per channel: 8, or 16 for all that is deeper
    exif: bytes | None = None  # without orientation and thumbnail
    xmp: bytes | None = None
    resolution: tuple[float, float] | None = None  # horizontal and vertical, pixels per inch
    format: str | None = None  # JPEG, PNG, TIFF, WEBP, AVIF, BMP, GIF, HEIF, RAW, EXR or HDR
    notes: tuple[str, ...] = ()

    def opaque(self) -> Tensor:
        """The pixels, 3×H×W, laid over white where they are transparent."""
        return self.pixels if self.alpha is None else 1 + self.alpha * (self.pixels - 1)

    def filled(self, masks: Tensor | None = None) -> Tensor:
        """The pixels, 3×H×W, with transparent ones replaced by visible ones: for computations over the whole picture.

        They are taken in reading order, each as often as any other, so that means, spreads and histograms are those of
        what is visible; with `masks` (K×h×w), region by region. Half-transparent pixels keep their colour. Raises
        ImageError if everything is transparent.
        """
        if self.alpha is None:
            return self.pixels
        seen = self.alpha[0] >= _SEEN
        if not seen.any():
            raise ImageError("The picture is wholly transparent: there is nothing to see in it.")
        labels = torch.zeros_like(seen, dtype=torch.long)
        if masks is not None:
            labels = interpolate(masks[None].cpu(), seen.shape)[0].argmax(0)
        filled, seen, labels = self.pixels.flatten(1).clone(), seen.flatten(), labels.flatten()
        for label in labels[~seen].unique():
            hidden = ((labels == label) & ~seen).nonzero()[:, 0]
            models = ((labels == label) & seen).nonzero()[:, 0]
            models = models if len(models) else seen.nonzero()[:, 0]
            filled[:, hidden] = filled[:, models[torch.arange(len(hidden)) * len(models) // len(hidden)]]
        return filled.view_as(self.pixels)
