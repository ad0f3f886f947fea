"""What a page asks for when it shows or saves a result: the look as it is adjusted, and the file."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from photostyle import Adjustment, SettingsError
from photostyle.looks.adjust import MOST_STOPS
from photostyle.studio.saving import PATTERN, Format, Saving


class Development(BaseModel):
    """A look as it is adjusted: `Adjustment`, with a share of the strength for each region that is there, in order.

    `other` is another look, by its key, of which there is `weight` in the mixture.
    """

    strength: float = Field(default=1.0, ge=0, le=1)
    exposure: float = Field(default=0.0, ge=-MOST_STOPS, le=MOST_STOPS)
    warmth: float = Field(default=0.0, ge=-1, le=1)
    contrast: float = Field(default=0.0, ge=-1, le=1)
    saturation: float = Field(default=0.0, ge=-1, le=1)
    keep_skin: float = Field(default=0.0, ge=0, le=1)
    parts: list[float] = Field(default_factory=list, max_length=64)
    other: str | None = None
    weight: float = Field(default=0.0, ge=0, le=1)

    def adjustment(self, names: tuple[str, ...]) -> Adjustment:
        """As it is for regions of these names, those that are there."""
        if len(self.parts) > len(names):
            raise SettingsError(f"The look has {len(names)} regions here, and {len(self.parts)} strengths were given.")
        numbers = {name: getattr(self, name) for name in ("strength", "exposure", "warmth", "contrast", "saturation")}
        parts = {name: part for name, part in zip(names, self.parts, strict=False) if part != 1}
        return Adjustment(**numbers, keep_skin=self.keep_skin, regions=parts)


class Export(Development):
    """A file of it."""

    format: Format = "JPEG"
    quality: int = Field(default=95, ge=1, le=100)
    bits: Literal["8", "16"] | None = None
    long_side: int | None = Field(default=None, ge=16, le=65_536)
    profile: Literal["keep", "srgb"] = "keep"
    metadata: bool = True
    name: str = Field(default=PATTERN, max_length=200)

    @property
    def saving(self) -> Saving:
        bits: dict[str | None, Literal[8, 16]] = {"8": 8, "16": 16}
        return Saving(self.format, self.quality, bits.get(self.bits), self.long_side, self.profile, self.metadata)
