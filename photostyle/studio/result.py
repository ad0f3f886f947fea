"""What was made: the order for it, its pixels in a file, and everything that is told of it."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from photostyle import Adjustment, ImageError, Look, Photograph, SettingsError, __version__, fade, fit_size, resize
from photostyle.image import fit
from photostyle.looks.placed import Placed
from photostyle.network.network import Network
from photostyle.studio.painting import Painting
from photostyle.studio.picture import VIEW_SIZE, Picture
from photostyle.studio.pixels import jpeg
from photostyle.studio.saving import Saving
from photostyle.studio.tokens import token

_THUMB_SIZE = 240


class ResultGone(ImageError):
    """It was deleted while somebody asked for it."""


@dataclass(frozen=True)
class Order:
    """What a transfer was asked for."""

    recipe: str
    quality: str
    settings: Mapping[str, Any]
    strength: float = 1.0
    painting: Painting | None = None
    snapped: bool = True  # borders of regions follow the photograph
    content: str | None = None  # the id of the photograph to change, None for the one that is chosen
    found: bool = False  # regions are found automatically if there are none yet

    @property
    def look(self) -> str:
        """Equal for orders of the same look, whatever their size, quality and strength."""
        painted = self.painting and (self.painting.content, self.painting.style)
        facts = (self.recipe, sorted(self.settings.items()), painted, self.painting and sorted(self.painting.match))
        return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


@dataclass(eq=False)
class Result:
    """A finished picture before it is faded or adjusted: how much of it there is is chosen when it is saved.

    It is kept as 16-bit levels in a file; or, where it is a look on a photograph, as that look alone: its pixels are
    made when they are asked for.
    """

    folder: Path
    content: Picture
    style: Picture | None
    order: Order
    note: Mapping[str, Any]
    size: tuple[int, int]
    seconds: float = 0.0
    more_styles: tuple[Picture, ...] = ()
    placed: Placed | None = None  # the look, if that is all
    trimap: bytes | None = None  # PNG, of a cut-out: the alpha matte of the content rather than a transfer
    name: str = ""  # that the user gave it
    id: str = field(default_factory=token)

    @classmethod
    def keep(cls, pixels: Tensor, folder: Path, **facts: Any) -> Result:
        """A result of these pixels (C×H×W in [0, 1]) in a new folder."""
        folder.mkdir()
        levels = pixels.detach().cpu().clamp(0, 1).mul(65535).round()
        np.save(folder / "pixels.npy", levels.numpy().astype(np.uint16))
        return cls(folder, size=(pixels.shape[2], pixels.shape[1]), **facts)

    @classmethod
    def of_look(cls, placed: Placed, folder: Path, content: Picture, **facts: Any) -> Result:
        """A look on a photograph; the folder is for what belongs to it."""
        folder.mkdir()
        return cls(folder, content=content, size=content.size, placed=placed, **facts)

    @property
    def cutout(self) -> bool:
        return self.trimap is not None

    def pixels(self) -> Tensor:
        """3×H×W, or of a cut-out the colours and the alpha, 4×H×W; raises ResultGone if it made room for newer ones."""
        if self.placed:
            return self.placed.apply(self.content.load().filled())
        try:
            levels = np.load(self.folder / "pixels.npy")
        except FileNotFoundError as error:
            raise ResultGone("This result is no longer there: it has made room for newer ones.") from error
        return torch.from_numpy(levels.astype(np.float32) / 65535)

    @cached_property
    def full_jpeg(self) -> bytes:
        return jpeg(self._shown(self.pixels()), quality=95)

    @cached_property
    def view_jpeg(self) -> bytes:
        if self.placed:
            return jpeg(self._shown(self.placed.apply(fit(self.content.load().filled(), VIEW_SIZE))), quality=92)
        return jpeg(self._shown(self.pixels()), VIEW_SIZE, quality=92)

    @cached_property
    def thumb_jpeg(self) -> bytes:
        """Small, and with the strength that it was asked for with."""
        pixels = self.placed.apply(self.content.small) if self.placed else self.pixels()
        shown = self._shown(pixels)
        shown = resize(shown, fit_size(shown.shape[1], shown.shape[2], _THUMB_SIZE))
        if not self.cutout and not self.content.blank:
            before = resize(self.content.reduced.opaque(), shown.shape[1:])
            shown = fade(before, shown, self.order.strength)
        return jpeg(shown)

    @cached_property
    def look(self) -> Look | None:
        """The look, if that is all: one that knows its regions again elsewhere, which is found out only when asked."""
        if not self.placed:
            return None
        look = self.placed.look
        if len(look.names) == 1 or look.scene.network:
            return look
        return look.told_apart(self.content.load().filled(), Network().load())

    @cached_property
    def parts(self) -> bytes | None:
        """What a page needs to apply the look by itself, `Placed.parts`; None without a look, or where
        some is transparent."""
        if not self.placed or self.content.alpha is not None:
            return None
        width, height = self.content.size
        return self.placed.parts(self.content.small, (height, width))

    def _shown(self, pixels: Tensor) -> Tensor:
        if self.cutout:  # over a chequered ground
            _, H, W = pixels.shape
            y, x = torch.arange(H)[:, None] // 16, torch.arange(W)[None] // 16
            ground = 0.75 + 0.2 * ((x + y) % 2)
            return torch.lerp(ground.expand(3, -1, -1), pixels[:3], pixels[3])
        if self.content.alpha is not None:
            alpha = resize(self.content.alpha, pixels.shape[1:])
            return Photograph(pixels, alpha).opaque()
        return pixels

    def finished(
        self, photograph: Photograph, adjustment: Adjustment, other: Look | None = None, weight: float = 0.0
    ) -> Tensor:
        """The picture as it is adjusted: of the content's photograph, perhaps made smaller, 3×H×W of its size.

        A look is mixed with `weight` of an `other`. Raises SettingsError for an adjustment that is for looks alone.
        """
        if self.placed:
            return self.placed.adjusted(adjustment, other, weight).apply(photograph.filled())
        if other or adjustment.facts.keys() - {"strength"}:
            raise SettingsError(f"Only a look can be adjusted, and {self.order.recipe} paints the picture itself.")
        pixels = self.pixels()
        if pixels.shape[1:] != photograph.pixels.shape[1:]:
            pixels = resize(pixels, photograph.pixels.shape[1:])
        return fade(photograph.pixels, pixels, adjustment.strength)

    def file(
        self, saving: Saving, adjustment: Adjustment, other: Look | None = None, weight: float = 0.0
    ) -> tuple[bytes, list[str]]:
        """The bytes of a file like the content's, at its size unless less is wanted; and what was not kept of it."""
        photograph = self.content.load()
        if self.cutout:
            pixels = saving.reduced(self.pixels())
            return saving.encode(pixels[:3], replace(photograph, alpha=pixels[3:]), None)
        photograph = replace(photograph, pixels=saving.reduced(photograph.pixels))
        if photograph.alpha is not None:
            photograph = replace(photograph, alpha=saving.reduced(photograph.alpha))
        pixels = self.finished(photograph, adjustment, other, weight)
        note = {**self.note, "strength": adjustment.strength, **adjustment.facts}
        if other and weight:
            note |= {"blend": weight}
        return saving.encode(pixels, photograph, note)

    def words(self, strength: float) -> dict[str, str]:
        """What its file may be called by."""
        look = "cutout" if self.cutout else self.order.recipe
        return {"name": Path(self.content.name).stem, "look": look, "strength": f"{100 * strength:.0f}"}

    def command(self) -> str:
        """What to type for the same picture."""
        order = self.order
        if self.cutout:
            words = ["photostyle", "matte", self.content.name, "--trimap", "trimap.png"]
            return shlex.join([*words, "-o", "matte.png", "--foreground", "cutout.png"])
        if self.style is None:  # a look from the shelf
            words = ["photostyle", "apply", f"{order.recipe}.safetensors", self.content.name, "-o", "result.jpg"]
            return shlex.join(words)
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
            "name": self.name,
            "look": order.look,
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
            "maps": self.placed.names if self.placed and self.content.alpha is None else None,
            "command": self.command(),
        }
