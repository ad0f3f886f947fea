"""One clip from file to file: the look found, every frame painted, and kept part by part until all are there."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic

from photostyle import ImageError, SettingsError, __version__, load_look
from photostyle.files import check_target, keep_inputs
from photostyle.jobs import memory
from photostyle.jobs.report import tell
from photostyle.jobs.run import partial_of
from photostyle.looks.local import LocalLook
from photostyle.matting.render import check_strength
from photostyle.video.clip import Clip, open_clip
from photostyle.video.encoders import DEFAULT_CODEC, SUFFIXES, choose
from photostyle.video.finding import Grade, Guide, digest_of, find_grades, have_networks, read_style
from photostyle.video.joining import check_streams, join
from photostyle.video.painting import Painter, painter
from photostyle.video.parts import Parts
from photostyle.video.report import ClipReport, Silence
from photostyle.video.survey import frame_at, survey
from photostyle.wording import legible

__all__ = ["Outcome", "grade_clip"]


@dataclass(frozen=True)
class Outcome:
    """What was written: `frames` of `width`×`height` pixels in `seconds` of work."""

    output: Path
    frames: int
    width: int
    height: int
    seconds: float


@memory.explained()
def grade_clip(
    clip: Path,
    output: Path,
    *,
    style: Path | None = None,
    look: Path | None = None,
    at: float | None = None,
    per_scene: bool = False,
    regions: Guide = "auto",
    strength: float = 1.0,
    device: str = "auto",
    codec: str = DEFAULT_CODEC,
    quality: int | None = None,
    preset: str | None = None,
    checkpoint: Path | None = None,
    resume: bool = False,
    report: ClipReport | None = None,
) -> Outcome:
    """Give every frame of a clip the look of a style, a photograph, or a look in a file, and write it with its sound.

    The look of a style is found on one frame, the one `at` so many seconds or else the most typical, and is the same
    for all (`per_scene`: for all of a scene, each of which has one of its own); `regions` (auto, learned or none)
    says how regions are found. Where a look has several regions they are found in each scene and followed through it.
    `strength` goes from 0 to 1. `codec` is a key of `CODECS`; `quality` and `preset` are a number and a name of its
    own. Frames keep their size, times and colours and, where the codec has as many, their bits; they are upright.

    What is done is kept in the folder `checkpoint` (beside the output, unless named), from which the same call with
    `resume` goes on. After a KeyboardInterrupt the frames so far are a clip of their own beside the output.

    Raises ImageError if a file cannot be read, used or written, SettingsError for an option that cannot be,
    RegionsError and WeightsError as `find_regions` does. Then there is nothing at `output`.
    """
    began, told = monotonic(), report or Silence()
    check_strength(strength)
    origin = _origin(style, look, at, per_scene)
    check_target(output, SUFFIXES)
    keep_inputs([output, partial_of(output)], [clip, origin])
    if output.exists():
        raise ImageError(f"{output} exists already: name another output, or delete it first.")
    source = open_clip(clip)
    encoding = choose(source, output, codec, quality, preset)
    tell((*source.notes, *check_streams(source, output)), told)
    model = read_style(origin, told) if style else load_look(origin)
    have_networks(model, regions, told)

    with told.counting("looking") as tick:
        seen = survey(source, tick)
    key = None if per_scene else seen.typical(range(len(seen.times))) if at is None else frame_at(source, seen, at)
    choices: dict[str, object] = {"regions": regions, "strength": strength, "frame": key}
    facts: dict[str, object] = {
        "clip": seen.digest(),
        "look": digest_of(model),
        "encoding": asdict(encoding),
        "version": __version__,
    }
    folder = checkpoint or output.with_name(f"{output.stem}-parts")
    parts = Parts(folder, facts | choices, source, encoding, output.suffix.lower(), resume=resume)
    if resume and not parts.found:
        told.note(f"Note: there is nothing in {folder} yet; this is the beginning.")
    note = legible(json.dumps({"photostyle": __version__, "look": origin.name, **choices}, ensure_ascii=False))

    def finish(target: Path) -> None:
        parts.close()
        join(source, encoding, parts.files, seen.times, target, note, parts.done)

    with parts:
        try:
            todo = [scene for scene in seen.scenes if scene.stop > parts.done]
            grades = find_grades(source, seen, todo, model, key, regions, strength, device, told)
            with told.counting("frames") as tick:
                _paint(source, grades, parts, encoding.pixels, lambda done: tick(done, len(seen.times)))
            finish(output)
        except KeyboardInterrupt:
            if parts.done:
                finish(partial_of(output))
                told.note(f"The first {parts.done} frames are in {partial_of(output)}.")
                told.note("To continue from here, repeat the command with --resume.")
            raise
    parts.clear()
    height, width = source.shape
    return Outcome(output, parts.done, width, height, monotonic() - began)


def _origin(style: Path | None, look: Path | None, at: float | None, per_scene: bool) -> Path:
    """The file that the look comes from. Raises SettingsError for what does not go together."""
    origin = style or look
    if origin is None or (style and look):
        raise SettingsError("Give either --style, a photograph, or --look, a look in a file.")
    if at is not None and per_scene:
        raise SettingsError("--at names one frame, --per-scene finds a look for each scene: give one of the two.")
    if look and (at is not None or per_scene):
        raise SettingsError("A look in a file is found already: --at and --per-scene are for a --style.")
    return origin


def _paint(
    clip: Clip, grades: Mapping[int, Grade | LocalLook], parts: Parts, pixels: str, tick: Callable[[int], None]
) -> None:
    """Paint the frames that no part has yet, each scene (by its first frame) with its look."""
    paint: Painter | None = None
    for number, frame in enumerate(clip.frames()):
        if number in grades:
            paint = painter(clip, grades[number], pixels)
        if paint and number < parts.done:
            paint.skip(frame)
        elif paint:
            parts.add(paint(frame))
            tick(number + 1)
