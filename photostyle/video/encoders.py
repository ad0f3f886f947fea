"""How clips are encoded: the codecs by name, each with an encoder of PyAV's wheels and its defaults."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from photostyle.errors import ImageError, SettingsError
from photostyle.video.clip import Clip
from photostyle.video.library import av

SUFFIXES = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}
"""What an output may end with → the container of FFmpeg."""


@dataclass(frozen=True)
class Codec:
    """A way to encode: `quality` and `preset` are its defaults; lower numbers of quality are better and larger.

    `quality_range` are the least and the most; None: it has no such number. `presets` go from fast to thorough.
    """

    encoder: str
    about: str
    quality: int | None = None
    quality_range: tuple[int, int] = (0, 0)
    quality_option: str = "crf"
    preset: str | None = None
    presets: tuple[str, ...] = ()
    tag: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)


_X26 = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")

CODECS: dict[str, Codec] = {
    "h264": Codec("libx264", "plays everywhere", 18, (0, 51), preset="fast", presets=_X26),
    "h265": Codec(
        "libx265", "smaller, slower", 20, (0, 51), preset="fast", presets=_X26,
        tag="hvc1", options={"x265-params": "log-level=none"},
    ),
    "av1": Codec(
        "libsvtav1", "smaller still", 24, (1, 63), preset="8", presets=tuple(map(str, range(13, -1, -1)))
    ),
    "vp9": Codec("libvpx-vp9", "for the web", 24, (0, 63), options={"b": "0", "row-mt": "1", "cpu-used": "4"}),
    "prores": Codec("prores_ks", "for editing, large", 3, (0, 4), "profile"),
    "ffv1": Codec("ffv1", "without loss, very large"),
}  # fmt: skip
_EVEN = (64, 64)  # pixels, to ask a format about
DEFAULT_CODEC = "h264"


@dataclass(frozen=True)
class Encoding:
    """An encoder with everything it is told."""

    encoder: str
    pixels: str
    tag: str | None
    options: Mapping[str, str]


def choose(clip: Clip, output: Path, codec: str, quality: int | None, preset: str | None) -> Encoding:
    """How to encode a clip into that file; None: the codec's default.

    Raises SettingsError for an unknown codec, quality or preset, ImageError if the container of the
    output cannot hold the codec.
    """
    if codec not in CODECS:
        raise SettingsError(f"There is no codec {codec!r}; the codecs are {', '.join(CODECS)}.")
    chosen = CODECS[codec]
    if chosen.encoder not in av.codecs_available:
        raise SettingsError(f"This PyAV cannot encode {codec} (it lacks {chosen.encoder}): choose another codec.")
    options = dict(chosen.options)
    if chosen.quality is not None:
        least, most = chosen.quality_range
        quality = chosen.quality if quality is None else quality
        if not least <= quality <= most:
            raise SettingsError(f"The quality of {codec} lies between {least} and {most}, not {quality}.")
        options[chosen.quality_option] = str(quality)
    elif quality is not None:
        raise SettingsError(f"{codec} has no quality to choose: it is without loss.")
    if preset is not None and preset not in chosen.presets:
        known = f"its presets are {', '.join(chosen.presets)}" if chosen.presets else "it has none"
        raise SettingsError(f"{codec} has no preset {preset!r}; {known}.")
    if chosen.preset:
        options["preset"] = preset or chosen.preset
    if av.Codec(chosen.encoder, "w").canonical_name not in held(output):
        raise ImageError(f"{output.suffix} files cannot hold {codec}: name a .mkv, or choose another codec.")
    return Encoding(chosen.encoder, _pixels(codec, clip), chosen.tag, options)


def held(output: Path) -> set[str]:
    """The codecs that the container of this file can hold, by FFmpeg's names."""
    codecs: set[str] = av.open(io.BytesIO(), "w", format=SUFFIXES[output.suffix.lower()]).supported_codecs
    return codecs


def _pixels(codec: str, clip: Clip) -> str:
    """The encoder's format of pixels that loses least of the clip's; of those that lose nothing the smallest.

    A side of an odd number of pixels cannot be halved: then the colours are not halved either.
    """
    wanted = _grain(av.VideoFormat(clip.pixels, *_EVEN))
    odd = [length % 2 == 1 for length in reversed(clip.shape)]
    best: tuple[Any, str] | None = None
    for format in av.Codec(CODECS[codec].encoder, "w").video_formats or ():
        name: str = format.name
        if not re.fullmatch(r"yuv4\d\dp(\d\dle)?", name):
            continue
        bits, *shared = _grain(av.VideoFormat(name, *_EVEN))
        if any(number > 1 and side for number, side in zip(shared, odd, strict=True)):
            continue
        loss = max(0, wanted[0] - bits), sum(max(0, n - w) for n, w in zip(shared, wanted[1:], strict=True))
        rank = (loss, bits, [-number for number in shared]), name
        best = min(best or rank, rank)
    if best is None:
        height, width = clip.shape
        raise ImageError(f"{codec} cannot encode {width}×{height} pixels: both sides must be even; choose h264.")
    return best[1]


def _grain(format: Any) -> tuple[int, int, int]:
    """Bits, and how many pixels across and down share a colour, of a format of 64×64 pixels."""
    bits = max(component.bits for component in format.components)
    if format.is_rgb or format.has_palette:
        return bits, 1, 1
    if len(format.components) < 3:  # gray, which hardly needs any
        return bits, 2, 2
    chroma = format.components[1]
    return bits, format.width // chroma.width, format.height // chroma.height
