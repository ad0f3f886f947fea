"""A photograph that a page has uploaded: its file as it came, and a small copy to work with."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from torch import Tensor

from photostyle import Photograph, fit_size, load_photograph, resize
from photostyle.image import fit
from photostyle.jobs.pair import load_seen
from photostyle.photofile.raw import RAW_SUFFIXES
from photostyle.studio.pixels import jpeg, png
from photostyle.studio.tokens import token

Side = Literal["content", "style"]
SIDES: tuple[Side, ...] = ("content", "style")
EDIT_SIZE = 800  # long side at which regions are painted and previews are made, pixels
VIEW_SIZE = 1600  # long side of what is shown of a photograph unless its pixels are looked at


@dataclass(eq=False)
class Picture:
    """A photograph: its file as it came, and a small copy (3×h×w, at most EDIT_SIZE) to work with.

    What is transparent in the small copy is filled as `Photograph.filled` does it.
    """

    path: Path
    name: str
    small: Tensor
    size: tuple[int, int]  # width and height, upright
    notes: tuple[str, ...] = ()
    blank: bool = False  # an empty canvas for a doodle
    alpha: Tensor | None = None  # of the small copy, 1×h×w, if some of it is transparent
    id: str = field(default_factory=token)

    def load(self) -> Photograph:
        """All of it, anew."""
        return load_photograph(self.path)

    @property
    def reduced(self) -> Photograph:
        """The small copy, as a photograph of its own."""
        return Photograph(self.small, self.alpha)

    @cached_property
    def edit_jpeg(self) -> bytes:
        return jpeg(self.reduced.opaque(), quality=92)

    @cached_property
    def view_png(self) -> bytes:
        """Without loss: a look that raises contrast would raise what a JPEG leaves, too."""
        return png(fit(self.load().opaque(), VIEW_SIZE))

    @cached_property
    def full_jpeg(self) -> bytes:
        return jpeg(self.load().opaque(), quality=95)

    def facts(self) -> dict[str, Any]:
        _, height, width = self.small.shape
        edit = {"width": width, "height": height}
        whole = {"width": self.size[0], "height": self.size[1]}
        return {"id": self.id, "name": self.name, **whole, "edit": edit, "notes": self.notes, "blank": self.blank}


def receive(data: bytes, name: str, folder: Path, most_pixels: float) -> Picture:
    """An uploaded photograph. Raises ImageError, a sentence, if it is none or too large."""
    stream = io.BytesIO(data)
    shown = "".join(c for c in Path(name.replace("\\", "/")).name if c.isprintable())[:100] or "photograph"
    stream.name = shown
    photograph = load_seen(stream, most_pixels=most_pixels)
    pixels = photograph.filled()
    _, height, width = pixels.shape
    size = fit_size(height, width, EDIT_SIZE)
    alpha = None if photograph.alpha is None else resize(photograph.alpha, size)
    ending = Path(shown).suffix.lower()  # by which some raw files are known
    path = folder / (token() + (ending if ending in RAW_SUFFIXES else ""))
    path.write_bytes(data)
    return Picture(path, shown, resize(pixels, size), (width, height), photograph.notes, alpha=alpha)
