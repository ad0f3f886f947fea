"""What a clip shows: its scenes, and which of its frames is typical of them. One look at every frame."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from photostyle.errors import ImageError, SettingsError
from photostyle.video.clip import Clip
from photostyle.video.graphs import chain, shrunk, to_tensor

_SIZE = 96  # long side, pixels
_CUT = 10  # of 100, by which the change from frame to frame must change: FFmpeg's own threshold
_SHORTEST = 0.5  # seconds: a shorter scene is a flash, and goes to the one before
_SAME_TIME = 1e-6  # seconds
_LEVELS = 6  # of each channel in a histogram


@dataclass(frozen=True, eq=False)
class Survey:
    """The times of all frames (ticks), their scenes as ranges of frames, and a histogram of each frame's colours."""

    times: Sequence[int]
    scenes: Sequence[range]
    histograms: NDArray[np.float32]

    def digest(self) -> str:
        """A hash that tells this clip from others, by all its frames."""
        sha256 = hashlib.sha256(json.dumps(list(self.times)).encode())
        sha256.update(self.histograms.data)
        return sha256.hexdigest()

    def typical(self, frames: range) -> int:
        """Of these frames the one whose colours are nearest to their mean: no fade, no flash, nobody who walks by."""
        mine = self.histograms[frames.start : frames.stop]
        return frames.start + int(np.abs(mine - mine.mean(0)).sum(1).argmin())


def survey(clip: Clip, watch: Callable[[int, int], None]) -> Survey:
    """Look at every frame; `watch` is told how many were seen, and of how many (0: nobody knows).

    Raises ImageError if the clip is damaged, cut short, or a single frame.
    """
    look = chain(clip, (*shrunk(clip, _SIZE), ("format", "pix_fmts=rgb24"), ("scdet", f"threshold={_CUT}")))
    times: list[int] = []
    histograms, cuts = [], [0]
    for frame in clip.frames():
        small = look(frame)
        if float(small.metadata["lavfi.scd.score"]) >= _CUT:
            cuts.append(len(times))
        times.append(frame.pts)
        histograms.append(_histogram(small.to_ndarray()))
        watch(len(times), clip.count)
    if len(times) < 2:
        raise ImageError(f"{clip.path} is a single frame: give it to `photostyle transfer` as a photograph.")
    clip.check_end(times[-1])
    return Survey(times, _scenes(cuts, times, clip), np.stack(histograms))


def frame_at(clip: Clip, seen: Survey, seconds: float) -> int:
    """The frame that is shown so many seconds after the first. Raises SettingsError if the clip is over by then."""
    times = seen.times
    length = clip.seconds(times[-1] - times[0])
    if not 0 <= seconds <= length + float(1 / clip.rate):
        raise SettingsError(f"{clip.path} is {length:.1f} s long: there is no frame at {seconds:g} s.")
    after = [clip.seconds(time - times[0]) for time in times]
    return max(0, int(np.searchsorted(after, seconds + _SAME_TIME, side="right")) - 1)


def picture(clip: Clip, time: int, long_side: int) -> Tensor:
    """The frame of a time (ticks), upright, 3×H×W in sRGB."""
    look = chain(clip, shrunk(clip, long_side))
    for start in (time, None):  # by way of the index, and from the beginning where that leads too far
        for frame in clip.frames(start):
            if frame.pts == time:
                return to_tensor(look(frame), clip.space)
            if frame.pts > time:
                break
    raise ImageError(f"{clip.path} does not give the same frames twice: copy it to another container first.")


def _scenes(cuts: list[int], times: Sequence[int], clip: Clip) -> list[range]:
    """Ranges of frames between cuts, none of them very short."""
    kept = [0]
    for cut in cuts[1:]:
        if clip.seconds(times[cut] - times[kept[-1]]) >= _SHORTEST:
            kept.append(cut)
    return [range(first, end) for first, end in zip(kept, [*kept[1:], len(times)], strict=True)]


def _histogram(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Shares of the colours of H×W×3 levels, each channel in `_LEVELS` steps."""
    red, green, blue = (pixels.reshape(-1, 3).astype(np.int64) * _LEVELS // 256).T
    counts = np.bincount((red * _LEVELS + green) * _LEVELS + blue, minlength=_LEVELS**3)
    return (counts / counts.sum()).astype(np.float32)
