"""One doodle from files to files: a photograph and two painted maps in, a picture out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

from torch import Tensor

from photostyle import (
    Maps,
    Photograph,
    __version__,
    check_writable,
    doodle_steps,
    find_recipe,
    load_maps,
    load_weights,
    make_settings,
    save_photograph,
)
from photostyle._doodle import MapKind
from photostyle.descent.checkpoint import Checkpoint, digest
from photostyle.files import keep_inputs
from photostyle.image import fit_size, resize
from photostyle.jobs import memory
from photostyle.jobs.pair import load_seen
from photostyle.jobs.report import Report, have_weights, tell
from photostyle.jobs.run import Kept, Run, partial_of, settle
from photostyle.network.network import Network
from photostyle.recipes.settings import Quality
from photostyle.recipes.tint import find_tint


@dataclass(frozen=True)
class Doodle:
    """A picture laid out as `target_map` says, of what `style_map` says that it is in `style`, into `output`.

    With `content` the target map is painted over that photograph, and the picture is a photograph as that one: of its
    depth, in its colour profile, with its EXIF. All else as in `Transfer`.
    """

    style: Path
    style_map: Path
    target_map: Path
    output: Path
    content: Path | None = None
    maps: MapKind = "auto"
    quality: Quality = "standard"
    settings: Mapping[str, Any] = field(default_factory=dict)
    network: Network = field(default_factory=Network)
    saving: Mapping[str, Any] = field(default_factory=dict)
    kept: Kept = field(default_factory=Kept)

    @property
    def files(self) -> dict[str, Path]:
        """What is read, by role."""
        roles = ("style", "style_map", "target_map", "content")
        return {role: getattr(self, role) for role in roles if getattr(self, role)}

    @memory.explained()
    def run(self, report: Report) -> str:
        """Do it, and return a sentence about the file. Raises PhotostyleError; what ends early is kept as `Transfer`
        keeps it."""
        began, partial = monotonic(), partial_of(self.output)
        check_writable(self.output)
        keep_inputs([self.output, partial], [*self.files.values(), *self.network.files])
        self.network.check()
        values = asdict(make_settings(find_recipe("doodle"), self.settings, self.quality))
        photographs, painted = self._read(report)
        content = photographs.get("content")
        images = {role: photograph.filled() for role, photograph in photographs.items()}
        tell(filter(None, [find_tint([images["style"]]).note]), report)
        values, keeper = self._plan(values, images, painted, report)
        note = self._note(values, painted)
        height, width = _size(painted, values["size"], content)

        def save_partial(image: Tensor) -> None:
            image = resize(image, (height, width))  # an early step is smaller than the result
            save_photograph(image, partial, like=content, note=note | {"partial": True}, **self.saving)

        options = {"quality": self.quality, **self.network.options, **values}
        steps = doodle_steps(images["style"], painted.style, painted.target, images.get("content"), **options)
        result = Run(report, partial, save_partial, keeper=keeper).follow(steps)
        tell(save_photograph(result, self.output, like=content, note=note, dither=True, **self.saving), report)
        if keeper:
            keeper.clear()
        height, width = result.shape[1:]
        return f"Wrote {self.output}: {width}×{height} pixels in {monotonic() - began:.1f} s."

    def _read(self, report: Report) -> tuple[dict[str, Photograph], Maps]:
        photographs = {role: load_seen(path) for role, path in self.files.items() if role in ("style", "content")}
        painted = load_maps(self.style_map, self.target_map, self.maps)
        tell((note for photograph in photographs.values() for note in photograph.notes), report)
        tell(painted.notes, report)
        if painted.labels:
            report.note(f"Labels: {', '.join(painted.labels)}.")
        else:
            report.note("The maps are read as colours: what is painted in similar ones is similar.")
        if self.network.files:
            load_weights(self.network.backbone, self.network.weights_path)  # an error now rather than later
        else:
            have_weights(report, self.network.backbone)
        return photographs, painted

    def _plan(
        self, values: dict[str, Any], images: Mapping[str, Tensor], painted: Maps, report: Report
    ) -> tuple[dict[str, Any], Checkpoint | None]:
        """The settings as memory allows them, and where the descents are kept."""
        shape = _size(painted, values["size"], images.get("content"))
        free = memory.free_memory(self.network.check())
        size = memory.size_that_fits("doodle", shape, values["size"], free, values["sketch"])
        return settle(values, size, self.kept, lambda: self._facts(images, painted), report)

    def _facts(self, images: Mapping[str, Tensor], painted: Maps) -> dict[str, object]:
        """What the result depends on beside the settings."""
        facts: dict[str, object] = {"recipe": "doodle", "version": __version__}
        facts |= self.network.facts
        facts |= {"weights": [str(path.resolve()) for path in self.network.files]}
        facts |= {role: digest(image) for role, image in images.items()}
        return facts | {"style_map": digest(painted.style), "target_map": digest(painted.target)}

    def _note(self, values: Mapping[str, Any], painted: Maps) -> dict[str, Any]:
        return {
            "recipe": "doodle",
            "maps": "labels" if painted.labels else "colors",
            "quality": self.quality,
            **self.network.facts,
            "settings": dict(values),
            "seed": values["seed"],
            "version": __version__,
            # without their folders: the picture may be shown to others
            **{role: path.name for role, path in self.files.items()},
        }


def _size(painted: Maps, size: int, content: object) -> tuple[int, int]:
    """Height and width of the picture: of a content no larger than that, else as large as the setting says."""
    height, width = painted.target.shape[1:]
    return fit_size(height, width, size, enlarge=content is None)
