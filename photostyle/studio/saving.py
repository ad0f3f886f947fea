"""Results as files: the format, the size and the name that were chosen."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal

from torch import Tensor

from photostyle import Photograph, SettingsError, save_photograph
from photostyle.image import fit

Format = Literal["JPEG", "PNG", "TIFF", "WEBP", "AVIF", "HEIF"]
ENDINGS: dict[Format, str] = {
    "JPEG": "jpg",
    "PNG": "png",
    "TIFF": "tif",
    "WEBP": "webp",
    "AVIF": "avif",
    "HEIF": "heic",
}
PATTERN = "{name}-{look}"
_UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]+')
_WORD = re.compile(r"\{([^{}]*)\}")
_LONGEST = 180  # bytes of a name before its extension


def formats() -> dict[Format, str]:
    """Those that can be written here, and how the names of their files end."""
    return {format: ending for format, ending in ENDINGS.items() if format != "HEIF" or find_spec("pillow_heif")}


@dataclass(frozen=True)
class Saving:
    """How a picture is to be written: `long_side` in pixels at most, None for all there are; the rest as in
    `save_photograph`."""

    format: Format = "JPEG"
    quality: int = 95
    bits: Literal[8, 16] | None = None
    long_side: int | None = None
    profile: Literal["keep", "srgb"] = "keep"
    metadata: bool = True

    def reduced(self, image: Tensor) -> Tensor:
        """An image C×H×W at the size that is wanted."""
        return image if self.long_side is None else fit(image, self.long_side)

    def encode(self, pixels: Tensor, like: Photograph, note: Mapping[str, object] | None) -> tuple[bytes, list[str]]:
        """The bytes of the file, and sentences about what was not kept. Raises ImageError if it cannot be written."""
        buffer = io.BytesIO()
        buffer.name = f"the {ENDINGS[self.format]} file"
        notes = save_photograph(
            pixels,
            buffer,
            like=like,
            format=self.format,
            bits=self.bits,
            profile=self.profile,
            quality=self.quality,
            metadata=self.metadata,
            note=note,
            dither=None if note is None else True,
        )
        return buffer.getvalue(), list(notes)


def file_name(pattern: str, words: Mapping[str, str], ending: str) -> str:
    """A file name of a pattern as in "{name}-{look}", whose words are given, fit for every file system.

    Raises SettingsError for a word that there is not, or a pattern of which nothing is left.
    """
    for word in _WORD.findall(pattern):
        if word not in words:
            known = ", ".join(f"{{{name}}}" for name in words)
            raise SettingsError(f"{{{word}}} is no word of file names: there are {known}.")
    name = safe_name(_WORD.sub(lambda found: words[found[1]], pattern))
    if not name:
        raise SettingsError("A file needs a name: write one, or {name} for that of the photograph.")
    return f"{name}.{ending}"


def safe_name(text: str) -> str:
    """A text as the name of a file before its extension, fit for every file system; "" if nothing is left of it."""
    name = _UNSAFE.sub("-", text).strip(" .")
    return name.encode()[:_LONGEST].decode(errors="ignore").strip(" .")
