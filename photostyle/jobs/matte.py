"""Something cut out of a photograph, from files to files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from photostyle import (
    ImageError,
    Photograph,
    check_writable,
    composite,
    find_alpha,
    find_device,
    find_foreground,
    load_image,
    load_photograph,
    resize,
    save_photograph,
    trimap_from_scribbles,
)
from photostyle.files import keep_inputs
from photostyle.jobs import memory
from photostyle.jobs.pair import load_seen
from photostyle.jobs.report import Report, tell
from photostyle.matting.trimaps import load_trimap


@dataclass(frozen=True)
class Matte:
    """The matte of a photograph into the file `output`, from a `trimap` or from `scribbles`, one of the two.

    `foreground` is the file of the cut-out, `composited` that of it over a `background`. The matte is a grey image of
    the photograph's size and depth; the others are photographs as the one that was given. `saving` holds options of
    `save_photograph`.
    """

    photograph: Path
    output: Path
    trimap: Path | None = None
    scribbles: Path | None = None
    foreground: Path | None = None
    background: Path | None = None
    composited: Path | None = None
    device: str = "auto"
    saving: Mapping[str, Any] = field(default_factory=dict)

    @property
    def outputs(self) -> list[Path]:
        """The files that are written."""
        return [path for path in (self.output, self.foreground, self.composited) if path]

    @memory.explained()
    def run(self, report: Report) -> str:
        """Do it, and return a sentence about the files. Raises PhotostyleError."""
        self._check()
        place = find_device(self.device)
        taken = load_seen(self.photograph)
        image = taken.filled().to(place)
        tell(taken.notes, report)
        memory.check_room("matte", image.shape[1:], place)
        known = self._known(image, report)
        # before the long work: it may be missing
        background = load_image(self.background).to(place) if self.background else None
        alpha = find_alpha(image, known)
        if taken.alpha is not None:  # what was not there is not cut out
            alpha = alpha * taken.alpha[0].to(alpha)
        # how much of a pixel is there is no colour: of the photograph it has what does not belong to colours
        plain = Photograph(image, bits=taken.bits, resolution=taken.resolution)
        tell(save_photograph(alpha.expand(3, -1, -1), self.output, like=plain, **self.saving), report)
        if self.foreground or self.composited:
            self._cut_out(taken, image, alpha, background, report)
        return f"Wrote {', '.join(map(str, self.outputs))}."

    def _check(self) -> None:
        if len({path.resolve() for path in self.outputs}) < len(self.outputs):
            raise ImageError("Two of the results have the same name: give each a file of its own.")
        inputs = (self.photograph, self.trimap, self.scribbles, self.background)
        keep_inputs(self.outputs, [path for path in inputs if path])
        for path in self.outputs:
            check_writable(path)

    def _known(self, image: Tensor, report: Report) -> Tensor:
        """The trimap, H×W on the device of the image."""
        if self.trimap:
            known, notes = load_trimap(self.trimap, (image.shape[1], image.shape[2]))
            tell(notes, report)
            return known.to(image)
        assert self.scribbles is not None
        layer = load_photograph(self.scribbles)
        opacity = None if layer.alpha is None else layer.alpha[0].to(image)
        return trimap_from_scribbles(layer.pixels.to(image), image, opacity)

    def _cut_out(
        self, taken: Photograph, image: Tensor, alpha: Tensor, background: Tensor | None, report: Report
    ) -> None:
        colors, _ = find_foreground(image, alpha)
        if self.foreground:
            like = replace(taken, alpha=alpha[None].cpu())
            tell(save_photograph(colors, self.foreground, like=like, **self.saving), report)
        if self.composited and background is not None:
            laid = composite(colors, alpha, _cover(background, *alpha.shape))
            tell(save_photograph(laid, self.composited, like=replace(taken, alpha=None), **self.saving), report)


def _cover(image: Tensor, height: int, width: int) -> Tensor:
    """The middle of a picture (3×H×W), as large as it can be, at another size and shape."""
    _, H, W = image.shape
    scale = max(height / H, width / W)
    h, w = max(height, round(H * scale)), max(width, round(W * scale))
    top, left = (h - height) // 2, (w - width) // 2
    return resize(image, (h, w))[:, top : top + height, left : left + width]
