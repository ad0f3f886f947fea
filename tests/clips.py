"""Small clips that tests make themselves."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray
from torch import Tensor

from photostyle.looks.file import save_look
from photostyle.looks.look import Look
from photostyle.looks.scene import Scene
from photostyle.maps.lattice import ColorMap, cube

Pictures = Sequence[NDArray[np.uint8]]
"""Frames, H×W×3 levels of sRGB."""

BT709, BT601, LIMITED, FULL = Colorspace.ITU709, Colorspace.ITU601, ColorRange.MPEG, ColorRange.JPEG


def flat(*colors: tuple[int, int, int], count: int = 6, height: int = 48, width: int = 64) -> Pictures:
    """Pictures of one colour, `count` of each."""
    return [np.full((height, width, 3), color, np.uint8) for color in colors for _ in range(count)]


def patches(count: int = 6, height: int = 48, width: int = 64) -> Pictures:
    """Pictures of four patches: red and green above, blue and gray below; a little brighter each time."""
    colors = np.array([[(160, 60, 50), (70, 150, 60)], [(60, 70, 170), (120, 120, 120)]], np.uint8)
    picture = colors.repeat((height + 1) // 2, 0).repeat((width + 1) // 2, 1)[:height, :width]
    return [(picture + np.uint8(4 * n)) for n in range(count)]


def make_clip(
    path: Path,
    pictures: Pictures,
    *,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    matrix: int = BT709,
    full: bool = False,
    tagged: bool = True,
    times: Sequence[int] | None = None,
    time_base: Fraction = Fraction(1, 10),
    rate: int = 10,
    rotation: int = 0,
    sound: bool = False,
    options: dict[str, str] | None = None,
    transfer: int | None = None,
    late: int = 0,
) -> Path:
    """Write a clip; `times` are the ticks of its frames (None: one after another), `rotation` degrees to the left.

    Everything begins `late` seconds after zero."""
    height, width = pictures[0].shape[:2]
    quality = {"crf": "1", "preset": "ultrafast"} if codec == "libx264" else {}
    with av.open(str(path), "w") as file:
        stream = file.add_stream(codec, rate=rate, options=quality | (options or {}))
        stream.width, stream.height, stream.pix_fmt = width, height, pixels
        context = stream.codec_context
        context.time_base = stream.time_base = time_base
        if tagged:
            context.colorspace, context.color_range = (1 if matrix == BT709 else 6), 2 if full else 1
            context.color_primaries = context.color_trc = 1
        if transfer:
            context.color_trc = transfer
        if rotation:
            stream.set_display_rotation(rotation)
        tone: Any = None
        if sound:
            tone = file.add_stream("aac", rate=8000, layout="mono")
        for n, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, "rgb24").reformat(
                format=pixels, dst_colorspace=matrix, dst_color_range=FULL if full else LIMITED
            )
            frame.pts, frame.time_base = (times[n] if times else n) + round(late / time_base), time_base
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
        if sound:
            file.mux([packet for frame in _sine(len(pictures) / rate, late) for packet in tone.encode(frame)])
            file.mux(tone.encode(None))
    return path


def _sine(seconds: float, late: int) -> list[Any]:
    count = int(seconds * 8000) // 1024 + 1
    wave = np.sin(np.arange(1024 * count) * 2 * np.pi * 440 / 8000).astype(np.float32).reshape(count, 1, 1024) / 4
    frames = []
    for n, samples in enumerate(wave):
        frame = av.AudioFrame.from_ndarray(samples, "fltp", "mono")
        frame.sample_rate, frame.pts, frame.time_base = 8000, 1024 * n + 8000 * late, Fraction(1, 8000)
        frames.append(frame)
    return frames


def read_frames(path: Path) -> list[Any]:
    """All frames (av.VideoFrame)."""
    with av.open(str(path)) as file:
        return list(file.decode(video=0))


def levels(frame: Any) -> NDArray[np.float64]:
    """The colours of a frame, H×W×3, 0 to 255."""
    return frame.reformat(format="rgb48le").to_ndarray().astype(float) / 257


def packets(path: Path, kind: str) -> list[tuple[float, bytes]]:
    """Second and bytes of every packet of the first stream of a kind."""
    with av.open(str(path)) as file:
        stream = next(stream for stream in file.streams if stream.type == kind)
        return [(float(p.pts * p.time_base), bytes(p)) for p in file.demux(stream) if p.pts is not None]


def look_of(*maps: ColorMap, before: Tensor | None = None, masks: Tensor | None = None) -> Look:
    """A look of these maps; with several, `before` (3×h×w) and `masks` (K×h×w) say where they belong."""
    frame = torch.full((3, 12, 16), 0.5) if before is None else before
    areas = torch.ones(1, *frame.shape[1:]) if masks is None else masks
    kinds = torch.zeros(len(maps), 0 if len(maps) == 1 else 10)
    names = tuple(f"region {k + 1}" for k in range(len(maps)))
    return Look(tuple(maps), maps[0], names, Scene(frame, areas, kinds, ""), frame, {})


def kept(path: Path, map: ColorMap) -> Path:
    """The file of a look that is this map."""
    save_look(look_of(map), path)
    return path


def curved() -> ColorMap:
    """A map that no matrix is."""
    x = cube(17)
    return ColorMap.of(torch.stack([x[0] ** 1.5, 0.8 * x[1] + 0.2 * x[0] * x[2], 1 - (1 - x[2]) ** 1.3]))


def unseen(*_: object) -> None:
    """Nobody is told."""


def halves(shift: int = 0, noise: float = 0.0, seed: int = 0) -> tuple[Tensor, Tensor]:
    """A blue sky over brown land, the horizon `shift` pixels lower than the middle, and their masks."""
    sky, land = torch.tensor([0.3, 0.5, 0.8]), torch.tensor([0.45, 0.35, 0.2])
    above = (torch.arange(72) < 36 + shift).float()[:, None].expand(72, 96)
    frame = sky[:, None, None] * above + land[:, None, None] * (1 - above)
    grain = torch.randn(frame.shape, generator=torch.Generator().manual_seed(seed))
    return (frame + noise * grain).clamp(0, 1), torch.stack([above, 1 - above])
