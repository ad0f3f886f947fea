"""The pictures of a clip, encoded part by part into a folder: what is whole there need not be made again."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from photostyle.descent.checkpoint import Checkpoint
from photostyle.errors import ImageError, SettingsError
from photostyle.video.clip import Clip, opened
from photostyle.video.encoders import SUFFIXES, Encoding
from photostyle.video.library import av, why

_LENGTH = 250  # frames of a part: what a crash costs at most
_NAME = re.compile(r"(\d+)-(\d+)")


class Parts:
    """The encoded frames of a job, in order, within a `with`; what is torn is gone after it, what is whole stays.

    `facts` are all that the frames depend on. Raises SettingsError as `Checkpoint` does, and if a part is missing.
    """

    def __init__(
        self, folder: Path, facts: Mapping[str, object], clip: Clip, encoding: Encoding, suffix: str, *, resume: bool
    ) -> None:
        self._keeper = Checkpoint(folder, facts, resume=resume)
        self.folder, self._clip, self._encoding, self._suffix = folder, clip, encoding, suffix
        for torn in folder.glob(f"torn{suffix}"):
            torn.unlink()
        self.files: list[tuple[int, Path]] = []  # the first frame of each, and where it is
        self.done = 0  # frames
        for path in sorted(folder.glob(f"*{suffix}")):
            if not (match := _NAME.fullmatch(path.stem)) or int(match[1]) != self.done:
                raise SettingsError(f"{folder} lacks the frames from {self.done} on: delete it to start again.")
            self.files.append((self.done, path))
            self.done = int(match[2])
        self._first = self.done
        self._open: Any = None

    def __enter__(self) -> Parts:
        return self

    def __exit__(self, *_: object) -> None:
        if self._open is not None:
            with suppress(av.FFmpegError, OSError):
                self._open.close()
            self._torn.unlink(missing_ok=True)
        if not self.files:
            self.clear()

    @property
    def found(self) -> bool:
        """Whether an earlier run left something to go on from."""
        return self._keeper.found

    def add(self, frame: Any) -> None:
        """Encode the next frame (av.VideoFrame). Raises ImageError if it cannot be encoded, or not be written."""
        with _explained(self.folder):
            if self._open is None:
                self._begin(frame.pts)
            frame.pts -= self._base
            frame.pict_type = 0  # the encoder chooses for itself
            self._open.mux(self._stream.encode(frame))
            self.done += 1
            if self.done - self._first >= _LENGTH:
                self.close()

    def close(self) -> None:
        """Make the part that is being written whole."""
        if self._open is None:
            return
        with _explained(self.folder):
            self._open.mux(self._stream.encode(None))
            self._open.close()
            self._open = None
            # counted anew: Ctrl-C may have come between a frame and its number
            self.done = self._first + _count(self._torn)
            path = self.folder / f"{self._first:08d}-{self.done:08d}{self._suffix}"
            os.replace(self._torn, path)
        self.files.append((self._first, path))
        self._first = self.done

    def clear(self) -> None:
        """Remove all of it: the clip is safe."""
        for _, path in self.files:
            path.unlink(missing_ok=True)
        self._keeper.clear()

    @property
    def _torn(self) -> Path:
        return self.folder / f"torn{self._suffix}"

    def _begin(self, base: int) -> None:
        clip, encoding = self._clip, self._encoding
        height, width = clip.shape
        self._open = av.open(str(self._torn), "w", format=SUFFIXES[self._suffix])
        stream = self._open.add_stream(encoding.encoder, rate=clip.rate, options=dict(encoding.options))
        stream.width, stream.height, stream.pix_fmt = width, height, encoding.pixels
        context = stream.codec_context
        context.time_base = stream.time_base = clip.time_base
        context.sample_aspect_ratio = clip.upright_aspect
        colors = clip.encoded_colors
        context.colorspace, context.color_range = colors.matrix, colors.range
        context.color_primaries, context.color_trc = colors.primaries, colors.transfer
        self._stream, self._base = stream, base


def _count(path: Path) -> int:
    """Frames of a part."""
    with opened(path) as container:
        return sum(packet.pts is not None for packet in container.demux(video=0))


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """What FFmpeg says as an ImageError."""
    try:
        yield
    except av.FFmpegError as error:
        raise ImageError(f"A frame could not be encoded into {folder} ({why(error)}).") from error
    except OSError as error:
        raise ImageError(f"{folder} could not be written ({why(error)}): make room, then --resume.") from error
