"""What was made: the order for it, its pixels in a file, and everything that is told of it."""

from __future__ import annotations

import io
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from photostyle import Photograph, __version__, fade, resize, save_photograph
from photostyle.studio.painting import Painting
from photostyle.studio.picture import Picture
from photostyle.studio.pixels import jpeg
from photostyle.studio.tokens import token

Format = Literal["JPEG", "PNG", "TIFF", "WEBP", "AVIF"]
ENDINGS: dict[Format, str] = {"JPEG": "jpg", "PNG": "png", "TIFF": "tif", "WEBP": "webp", "AVIF": "avif"}
_THUMB_SIZE = 240


@dataclass(frozen=True)
class Order:
    """What a transfer was asked for."""

    recipe: str
    quality: str
    settings: Mapping[str, Any]
    strength: float = 1.0
    painting: Painting | None = None
    snapped: bool = True  # borders of regions follow the photograph


@dataclass(eq=False)
class Result:
    """A finished picture, unfaded, as 16-bit levels in a file; the strength is chosen when it is downloaded."""

    folder: Path
    content: Picture
    style: Picture | None
    order: Order
    note: Mapping[str, Any]
    size: tuple[int, int]
    seconds: float = 0.0
    more_styles: tuple[Picture, ...] = ()
    trimap: bytes | None = None  # PNG, of a cut-out: the alpha matte of the content rather than a transfer
    id: str = field(default_factory=token)

    @classmethod
    def keep(cls, pixels: Tensor, folder: Path, **facts: Any) -> Result:
        """A result of these pixels (C×H×W in [0, 1]) in a new folder."""
        folder.mkdir()
        levels = pixels.detach().cpu().clamp(0, 1).mul(65535).round()
        np.save(folder / "pixels.npy", levels.numpy().astype(np.uint16))
        return cls(folder, size=(pixels.shape[2], pixels.shape[1]), **facts)

    @property
    def cutout(self) -> bool:
        return self.trimap is not None

    def pixels(self) -> Tensor:
        """3×H×W, or of a cut-out the colours and the alpha, 4×H×W."""
        return torch.from_numpy(np.load(self.folder / "pixels.npy").astype(np.float32) / 65535)

    @cached_property
    def full_jpeg(self) -> bytes:
        return jpeg(self._shown(), quality=95)

    @cached_property
    def view_jpeg(self) -> bytes:
        return jpeg(self._shown(), 1600, quality=92)

    @cached_property
    def thumb_jpeg(self) -> bytes:
        return jpeg(self._shown(), _THUMB_SIZE)

    def _shown(self) -> Tensor:
        pixels = self.pixels()
        if self.cutout:  # over a chequered ground
            _, H, W = pixels.shape
            y, x = torch.arange(H)[:, None] // 16, torch.arange(W)[None] // 16
            ground = 0.75 + 0.2 * ((x + y) % 2)
            return torch.lerp(ground.expand(3, -1, -1), pixels[:3], pixels[3])
        if self.content.alpha is not None:
            alpha = resize(self.content.alpha, pixels.shape[1:])
            return Photograph(pixels, alpha).opaque()
        return pixels

    def download(self, format: Format, strength: float) -> bytes:
        """The photograph as a file, with the metadata of the content."""
        buffer, pixels, photograph = io.BytesIO(), self.pixels(), self.content.load()
        if self.cutout:
            save_photograph(pixels[:3], buffer, like=replace(photograph, alpha=pixels[3:]), format=format)
            return buffer.getvalue()
        faded = fade(photograph.pixels, pixels, strength)
        save_photograph(
            faded, buffer, like=photograph, format=format, note={**self.note, "strength": strength}, dither=True
        )
        return buffer.getvalue()

    def command(self) -> str:
        """What to type for the same picture."""
        order = self.order
        if self.cutout:
            words = ["photostyle", "matte", self.content.name, "--trimap", "trimap.png"]
            return shlex.join([*words, "-o", "matte.png", "--foreground", "cutout.png"])
        assert self.style is not None
        blank = self.content.blank
        if blank:
            words = ["photostyle", "doodle", self.style.name, "style_regions.png", "content_regions.png"]
        else:
            styles = (self.style, *self.more_styles)
            words = ["photostyle", "transfer", self.content.name, *(picture.name for picture in styles)]
        words += ["-o", "result.jpg", *([] if blank else ["--recipe", order.recipe]), "--quality", order.quality]
        for name, value in order.settings.items():
            option = name.replace("_", "-")
            if isinstance(value, bool):
                words.append(f"--{option}" if value else f"--no-{option}")
            else:
                words += [f"--{option}", str(value)]
        if order.painting and not blank:
            words += ["--content-regions", "content_regions.png", "--style-regions", "style_regions.png"]
            if order.painting.match:
                words += ["--match", ",".join(f"{a}={b}" for a, b in order.painting.match.items())]
            if order.painting.drop:
                words += ["--drop", ",".join(order.painting.drop)]
        if order.strength != 1 and not blank:
            words += ["--strength", f"{order.strength:g}"]
        return shlex.join(words)

    def settings_file(self) -> dict[str, Any]:
        """What the page needs to set its controls again."""
        order = self.order
        chosen = {"recipe": order.recipe, "quality": order.quality, "strength": order.strength}
        return {"photostyle": __version__, **chosen, "settings": dict(order.settings), "command": self.command()}

    def facts(self) -> dict[str, Any]:
        order = self.order
        return {
            "id": self.id,
            "content": self.content.facts(),
            "style": self.style.facts() if self.style else None,
            "more_styles": [picture.facts() for picture in self.more_styles],
            "width": self.size[0],
            "height": self.size[1],
            "seconds": round(self.seconds, 1),
            "recipe": order.recipe,
            "quality": order.quality,
            "strength": order.strength,
            "settings": dict(order.settings),
            "painted": order.painting is not None,
            "cutout": self.cutout,
            "command": self.command(),
        }
