"""What jobs are given: photographs from files, and what belongs together in two of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

from torch import Tensor

from photostyle import ImageError, Photograph, Regions, RegionsError, load_photograph, load_regions
from photostyle.files import stream_or
from photostyle.image import check_image, nearly_of_size
from photostyle.jobs.regions import tell_regions
from photostyle.jobs.report import Report, tell
from photostyle.photofile.source import name_of
from photostyle.wording import percent

LEAST_STYLE = 32  # pixels: a smaller picture is an icon, and has hardly a style


@dataclass(frozen=True)
class Pair:
    """The files of two photographs and, both or neither, of their label images.

    `styles` are several for a recipe that blends them; the regions are of the first. `match` and `drop` correct which
    regions belong together. Blends in label images are of two regions where masks are `soft`.
    """

    content: Path
    styles: Sequence[Path]
    content_regions: Path | None = None
    style_regions: Path | None = None
    match: Mapping[str, str] = field(default_factory=dict)
    drop: Collection[str] = ()
    soft: bool = False

    @property
    def style(self) -> Path:
        """The first of the styles."""
        return self.styles[0]

    @property
    def files(self) -> dict[str, Path]:
        """By role, those that there are; of the styles the first."""
        roles = ("content", "style", "content_regions", "style_regions")
        return {role: getattr(self, role) for role in roles if getattr(self, role)}

    @property
    def inputs(self) -> list[Path]:
        """Every file that is read."""
        return [*self.files.values(), *self.styles[1:]]

    @property
    def painted(self) -> bool:
        """Whether there are label images."""
        return bool(self.content_regions and self.style_regions)

    def check(self) -> None:
        """Raises RegionsError if there is one label image, ImageError if two files are to come from standard input."""
        if [str(path) for path in self.inputs].count("-") > 1:
            raise ImageError("Standard input holds one photograph: name the files of the others.")
        if (self.content_regions is None) != (self.style_regions is None):
            raise RegionsError("Regions come in pairs: give both --content-regions and --style-regions.")

    def load(self, report: Report, **limits: Any) -> LoadedPair:
        """The photographs, and regions of their proportions: of the label images, or the photographs as a whole.

        The `limits` are those of `load_photograph`. Raises ImageError or RegionsError.
        """
        self.check()
        photograph, *models = (load_seen(path, **limits) for path in (self.content, *self.styles))
        for read in (photograph, *models):
            tell(read.notes, report)
        for path, model in zip(self.styles, models, strict=True):
            check_image(model.pixels, f"The style {path}", least=LEAST_STYLE)
        regions = Regions.whole(photograph.pixels, models[0].pixels)
        if self.painted:
            regions = self._load_regions(photograph.pixels, models[0].pixels, report, **limits)
        return LoadedPair(photograph, tuple(models), regions)

    def _load_regions(self, content: Tensor, style: Tensor, report: Report, **limits: Any) -> Regions:
        assert self.content_regions and self.style_regions
        chosen: dict[str, Any] = {"match": self.match, "drop": self.drop, "soft": self.soft}
        painted = load_regions(self.content_regions, self.style_regions, **chosen, **limits)
        painted.check(content, style)
        sides = (self.content_regions, painted.content, content), (self.style_regions, painted.style, style)
        for path, masks, image in sides:
            (h, w), (H, W) = masks.shape[1:], image.shape[1:]
            if (h, w) != (H, W) and nearly_of_size(masks, image):
                report.note(f"Note: {path} has {w}×{h} pixels and its photograph {W}×{H}: it is resized.")
        tell(painted.notes, report)
        tell_regions(content, style, painted, report)
        return painted


@dataclass(frozen=True, eq=False)
class LoadedPair:
    """The photographs of a `Pair`, and regions of their proportions."""

    photograph: Photograph
    models: tuple[Photograph, ...]
    regions: Regions

    @property
    def content(self) -> Tensor:
        """The photograph's pixels, 3×H×W; what is transparent has the colours around it."""
        return self.photograph.filled()

    @property
    def styles(self) -> list[Tensor]:
        """The pixels of the styles, 3×H×W each."""
        return [model.filled() for model in self.models]

    def seen(self) -> Regions:
        """The regions, without what is transparent in the style."""
        return self.regions.seen(self.models[0].alpha)


def load_seen(path: Path | BinaryIO, **limits: Any) -> Photograph:
    """`load_photograph`, of a file, a stream or standard input, whose notes say too how much of it is transparent.

    Raises ImageError as well if nothing can be seen in it.
    """
    source = stream_or(path) if isinstance(path, Path) else path
    photograph = load_photograph(source, **limits)
    if photograph.alpha is None:
        return photograph
    try:
        photograph.filled()
    except ImageError as error:
        raise ImageError(f"{name_of(source)}: {error}") from error
    hidden = percent(float((photograph.alpha < 0.5).float().mean()))
    note = f"{hidden} of {name_of(source)} is transparent: that has no say in the result."
    return replace(photograph, notes=(*photograph.notes, note))


def example(name: str) -> Pair:
    """An example pair: inside the installed package, or beside it in a source checkout. Raises ImageError."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "examples" / name, package.parent / "examples" / name):
        if folder.is_dir():
            files = ("content.jpg", "style.jpg", "content_regions.png", "style_regions.png")
            content, style, content_regions, style_regions = (folder / file for file in files)
            return Pair(content, [style], content_regions, style_regions)
    raise ImageError(f"The example {name!r} is not here: reinstall photostyle.")
