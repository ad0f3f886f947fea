"""A clip: a file with moving pictures, what its frames are, and the frames one by one."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from photostyle.errors import ImageError
from photostyle.files import read_start
from photostyle.photofile.spaces import HDR, SRGB, Space, cicp_space
from photostyle.video.library import Disposition, av, why

Filters = tuple[tuple[str, str], ...]
"""Filters of FFmpeg by name, each with its arguments."""

# ITU-T H.273: matrices between RGB and YCbCr, as FFmpeg's filter `scale` calls them
_MATRICES = {1: "bt709", 4: "fcc", 5: "bt601", 6: "bt601", 7: "smpte240m", 9: "bt2020"}
_RGB, _UNSAID = 0, 2
_HIGH_DEFINITION = 720  # lines: where nothing is said, players take smaller pictures for BT.601, others for BT.709
_FULL = 2  # AVColorRange: all levels are used


@dataclass(frozen=True)
class Colors:
    """What the numbers of the frames mean, in code points of ITU-T H.273 and AVColorRange; 2 (range: 0) is unsaid."""

    matrix: int
    range: int
    primaries: int
    transfer: int


@dataclass(frozen=True)
class Clip:
    """What is known of a clip from its first frame.

    `width` and `height` are those of the stored frames, `turn` the filters that set them upright. `shape` is H×W
    upright, `aspect` that of a pixel, stored. `rate` is the mean number of frames in a second, `count` how many there
    are said to be (0: not said), `announced` the second at which the pictures should end. `notes` says what is lost.
    """

    path: Path
    width: int
    height: int
    turn: Filters
    rate: Fraction
    time_base: Fraction
    count: int
    pixels: str
    bits: int
    aspect: Fraction
    colors: Colors
    announced: float | None
    notes: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int]:
        return (self.width, self.height) if self.lies else (self.height, self.width)

    @property
    def lies(self) -> bool:
        """Whether the stored frames lie on their side."""
        return ("transpose", "dir=cclock_flip") in self.turn

    @property
    def upright_aspect(self) -> Fraction:
        """The aspect of a pixel of an upright frame."""
        return 1 / self.aspect if self.lies else self.aspect

    @property
    def step(self) -> int:
        """The mean time from frame to frame, in ticks."""
        return max(1, round(1 / (self.rate * self.time_base)))

    @property
    def full_range(self) -> bool:
        return self.colors.range == _FULL or self.pixels.startswith("yuvj")

    @property
    def matrix(self) -> str:
        """The matrix of YCbCr as FFmpeg calls it, also of what is made of a clip in RGB."""
        unsaid = "bt709" if min(self.width, self.height) >= _HIGH_DEFINITION else "bt601"
        return _MATRICES.get(self.colors.matrix, unsaid)

    @property
    def encoded_colors(self) -> Colors:
        """What the numbers of the clip that is written mean: those of RGB become YCbCr."""
        if self.colors.matrix != _RGB:
            return self.colors
        return replace(self.colors, matrix=next(code for code, name in _MATRICES.items() if name == self.matrix))

    @property
    def space(self) -> Space:
        """The RGB of the frames; the curves of video count as those of sRGB."""
        return cicp_space(self.colors.primaries, self.colors.transfer) if self.colors.primaries != _UNSAID else SRGB

    def frames(self, start: int | None = None) -> Iterator[Any]:
        """The frames (av.VideoFrame) in the order they are shown, from the key frame before the tick `start` on.

        Their `pts` rise. Raises ImageError where the clip is damaged.
        """
        with opened(self.path) as container:
            stream = _moving(container)[0]
            stream.thread_type = "AUTO"
            if start is not None:
                container.seek(start, stream=stream)
            last: int | None = None
            try:
                for frame in container.decode(stream):
                    if frame.is_corrupt:
                        raise ImageError(f"{self.path} is damaged {self._after(last)}: {_MEND}")
                    if (frame.width, frame.height) != (self.width, self.height):
                        raise ImageError(f"{self.path} changes its size {self._after(last)}: cut it there.")
                    frame.pts = (0 if last is None else last + self.step) if frame.pts is None else frame.pts
                    if last is not None and frame.pts <= last:
                        frame.pts = last + 1
                    last = frame.pts
                    yield frame
            except av.FFmpegError as error:
                raise ImageError(f"{self.path} is damaged {self._after(last)} ({why(error)}): {_MEND}") from error

    def check_end(self, last: int) -> None:
        """Raises ImageError if the last frame (its tick) is well before the end that the file announces."""
        ended = self.seconds(last) + float(1 / self.rate)
        if self.announced is not None and ended < self.announced - max(_LATE, float(2 / self.rate)):
            raise ImageError(
                f"{self.path} is cut short after {ended:.1f} of {self.announced:.1f} s: copy or download it again."
            )

    def seconds(self, ticks: int) -> float:
        """A duration of the clip's time base in seconds."""
        return float(ticks * self.time_base)

    def _after(self, ticks: int | None) -> str:
        return "at its beginning" if ticks is None else f"after {self.seconds(ticks):.1f} s"


_LATE = 0.25  # seconds by which the last frame may miss the end that a file announces
_MEND = "mend it with another program, or cut it there."


def open_clip(path: Path) -> Clip:
    """Look into a clip. Raises ImageError if it is none, or none that can be graded."""
    with opened(path) as container:
        if container.format.name.endswith("_pipe") or container.format.name == "image2":
            raise ImageError(f"{path} is a still picture: give it to `photostyle transfer` or `photostyle apply`.")
        if not (streams := _moving(container)):
            raise ImageError(f"{path} has no pictures: name a clip with a video stream, all of it.")
        stream = streams[0]
        if stream.codec_context is None:
            raise ImageError(f"{path} has pictures of a kind that cannot be decoded here: convert it to H.264 first.")
        _check_whole(path, stream)
        try:
            frame = next(container.decode(stream), None)
        except av.FFmpegError as error:
            raise ImageError(f"{path} has no frame that can be decoded ({why(error)}): {_MEND}") from error
        if frame is None:
            raise ImageError(f"{path} has no frame that can be decoded: {_MEND}")
        if frame.interlaced_frame:
            raise ImageError(f"{path} is interlaced: deinterlace it first, for example with FFmpeg's filter bwdif.")
        matrix = _RGB if frame.format.is_rgb or frame.format.has_palette else frame.colorspace
        colors = Colors(matrix, frame.color_range, frame.color_primaries, frame.color_trc)
        _check_colors(path, colors)
        return Clip(
            path=path,
            width=frame.width,
            height=frame.height,
            turn=_turn(frame),
            rate=stream.average_rate or stream.guessed_rate or Fraction(25),
            time_base=stream.time_base,
            count=stream.frames,
            pixels=frame.format.name,
            bits=max(component.bits for component in frame.format.components),
            aspect=stream.sample_aspect_ratio or Fraction(1),
            colors=colors,
            announced=_announced(stream),
            notes=_notes(frame, container),
        )


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """The container (av.container.InputContainer) of a file. Raises ImageError if it is none."""
    read_start(path, 1, "clip")
    try:
        container = av.open(str(path))
    except (av.FFmpegError, OSError, ValueError) as error:
        raise ImageError(f"{path} cannot be read as a clip ({why(error)}): it is none, or cut short.") from error
    with container:
        yield container


def _moving(container: Any) -> list[Any]:
    """The streams of pictures that are no cover of the rest."""
    return [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]


def _check_whole(path: Path, stream: Any) -> None:
    """Raises ImageError if the index of the stream leads beyond the end of the file."""
    size, entries = path.stat().st_size, stream.index_entries
    if len(entries) and entries[len(entries) - 1].pos >= size:
        raise ImageError(f"{path} is cut short: copy or download it again.")


def _announced(stream: Any) -> float | None:
    """The end of the stream in seconds, which Matroska writes at the beginning of a file."""
    match = re.fullmatch(r"(\d+):(\d+):([\d.]+)", stream.metadata.get("DURATION", ""))
    if not match:
        return None
    hours, minutes, seconds = map(float, match.groups())
    return 3600 * hours + 60 * minutes + seconds


def _notes(frame: Any, container: Any) -> tuple[str, ...]:
    notes = []
    if any(component.is_alpha for component in frame.format.components):
        notes.append("The transparency of the clip is not kept.")
    if len(_moving(container)) > 1:
        notes.append(f"Of {len(_moving(container))} streams of pictures the first is graded, the others are left out.")
    return tuple(notes)


def _check_colors(path: Path, colors: Colors) -> None:
    if colors.transfer in HDR:
        raise ImageError(f"{path} has a high dynamic range ({HDR[colors.transfer]}): convert it to SDR first.")
    if colors.matrix not in (*_MATRICES, _RGB, _UNSAID):
        raise ImageError(f"{path} has a colour matrix that is not supported ({colors.matrix}): convert it to BT.709.")


def _turn(frame: Any) -> Filters:
    """The filters that do what the frame's display matrix says: x′ = a x + c y, y′ = b x + d y, y going down."""
    if "DISPLAYMATRIX" not in {side.type.name for side in frame.side_data}:
        return ()
    a, b, _, c, d, *_ = struct.unpack("=9i", bytes(frame.side_data["DISPLAYMATRIX"]))
    across, down = (a, d) if abs(a) >= abs(b) else (c, b)
    steps = [("transpose", "dir=cclock_flip")] if abs(a) < abs(b) else []
    return (*steps, *([("hflip", "")] if across < 0 else []), *([("vflip", "")] if down < 0 else []))
