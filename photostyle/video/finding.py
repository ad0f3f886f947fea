"""The looks of a clip's scenes: found on frames, or read from a file and found again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from photostyle import LocalLook, Look, look_steps
from photostyle.descent.checkpoint import digest
from photostyle.image import check_image, fit
from photostyle.jobs.pair import LEAST_STYLE, load_seen
from photostyle.jobs.regions import find
from photostyle.jobs.report import Report, have_weights, tell
from photostyle.maps.lattice import ColorMap
from photostyle.network.backbones import DEFAULT_BACKBONE, FINDERS
from photostyle.people.skin import said_of_skin
from photostyle.regions.regions import Regions
from photostyle.video.clip import Clip
from photostyle.video.survey import Survey, picture

Guide = Literal["auto", "learned", "none"]
Model = Tensor | Look | LocalLook
"""Where a look comes from: a style, 3×H×W, or a look that was found before."""

_SIZE = 896  # long side of the frames that looks are found on, pixels


@dataclass(frozen=True, eq=False)
class Grade:
    """The look of a scene: K maps of colour, and one of its frames (3×h×w) with their regions (K×h×w)."""

    maps: tuple[ColorMap, ...]
    frame: Tensor
    masks: Tensor


def read_style(path: Path, report: Report) -> Tensor:
    """A style, 3×H×W. Raises ImageError if it cannot be read, or is too small."""
    style = load_seen(path)
    check_image(style.pixels, f"The style {path}", least=LEAST_STYLE)
    tell(style.notes, report)
    return style.filled()


def have_networks(model: Model, guide: Guide, report: Report) -> None:
    """Fetch what `find_grades` will look through: before a clip is read, which takes longer."""
    if isinstance(model, Tensor):
        have_weights(report, DEFAULT_BACKBONE, *(FINDERS if guide == "auto" else ()))
    elif isinstance(model, Look):
        have_weights(report, *model.networks)


def find_grades(
    clip: Clip,
    seen: Survey,
    scenes: Sequence[range],
    model: Model,
    key: int | None,
    guide: Guide,
    strength: float,
    device: str,
    report: Report,
) -> dict[int, Grade | LocalLook]:
    """The look of each of these scenes, by its first frame.

    The look of a style is found on the frame `key` for all scenes, or (None) on the typical frame of each; `guide` says
    how its regions are found. Raises RegionsError, SettingsError or WeightsError as `find_regions` does.
    """

    def view(number: int) -> Tensor:
        return picture(clip, seen.times[number], _SIZE)

    def found(number: int) -> Look:
        assert isinstance(model, Tensor)
        report.note(f"The look is found on the frame at {clip.seconds(seen.times[number] - seen.times[0]):.1f} s.")
        return _find(view(number), model, guide, report, device)

    look: Look | LocalLook | None = None if isinstance(model, Tensor) else model
    if look is None and key is not None and scenes:
        look = found(key)
    grades: dict[int, Grade | LocalLook] = {}
    for scene in scenes:
        number = key if key is not None and key in scene else seen.typical(scene)
        its = look or found(number)
        if isinstance(its, LocalLook):
            grades[scene.start] = _fade_local(its, strength)
        else:
            grades[scene.start] = _locate(its, view(number), strength, report)
    return grades


def digest_of(model: Model) -> str:
    """A hash to tell one look from another."""
    if isinstance(model, Tensor):
        return digest(model)
    if isinstance(model, LocalLook):
        return digest(model.maps)
    maps = [*model.maps, model.common]
    return digest(*(part for map in maps for part in (map.nodes, map.tilt)), model.scene.masks, model.scene.kinds)


def _find(frame: Tensor, style: Tensor, guide: Guide, report: Report, device: str) -> Look:
    S = fit(style, _SIZE)
    regions = Regions.whole(frame, S)
    if guide != "none":
        regions = find(frame, S, guide, report, device=device)
    look = report.follow(look_steps(frame, S, regions, device=device))
    tell(said_of_skin(look.names), report)
    return look


def _locate(look: Look, frame: Tensor, strength: float, report: Report) -> Grade:
    """What of a look a frame shows, and where."""
    masks, notes = look.find_regions(frame)
    tell(notes, report)
    there = [k for k, mask in enumerate(masks) if bool(mask.any())]
    maps = [*look.maps, look.common]
    faded = tuple(ColorMap.identity(maps[k].size).lerp(maps[k], strength) for k in there)
    return Grade(faded, fit(frame, max(masks.shape[1:])), masks[there])


def _fade_local(look: LocalLook, strength: float) -> LocalLook:
    unchanged = torch.eye(3, 4)[:, :, None, None].expand_as(look.maps)
    return replace(look, maps=torch.lerp(unchanged, look.maps, strength))
