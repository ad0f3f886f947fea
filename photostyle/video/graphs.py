"""Frames through FFmpeg's filters: to RGB, through tables of colour, and back to what is encoded.

The filters run on all cores, and their tables (`lut3d`) are several times as fast as ours for photographs.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from photostyle.image import fit_size
from photostyle.photofile.spaces import Space
from photostyle.video.clip import Clip, Filters
from photostyle.video.library import Graph, av

RGB = "gbrpf32le"  # planes of floats: nothing is rounded before the frame is encoded
_CAREFUL = "bicubic+accurate_rnd+full_chroma_int"


class Chain:
    """A graph of filters: frames in, one of them at a time, and one frame out."""

    def __init__(self, clip: Clip) -> None:
        self._graph = Graph()
        self._clip = clip

    def stored(self) -> Any:
        """Where frames of the clip come in."""
        clip = self._clip
        colors = f"colorspace={clip.colors.matrix}:range={clip.colors.range}"
        return self._enter(clip.pixels, (clip.height, clip.width), clip.aspect, colors)

    def rgb(self) -> Any:
        """Where upright frames in RGB come in."""
        return self._enter(RGB, self._clip.shape, self._clip.upright_aspect, "colorspace=unknown:range=unspecified")

    def _enter(self, pixels: str, shape: tuple[int, int], aspect: Fraction, colors: str) -> Any:
        height, width = shape
        time_base, ratio = (f"{number.numerator}/{number.denominator}" for number in (self._clip.time_base, aspect))
        size = f"video_size={width}x{height}:pix_fmt={pixels}"
        return self._graph.add("buffer", f"{size}:time_base={time_base}:pixel_aspect={ratio}:{colors}")

    def then(self, node: Any, filters: Filters) -> Any:
        """Filters one after another, behind a node."""
        for name, options in filters:
            behind = self._graph.add(name, options or None)
            node.link_to(behind)
            node = behind
        return node

    def join(self, nodes: Sequence[Any], name: str) -> Any:
        """A filter in which several nodes meet."""
        meeting = self._graph.add(name)
        for place, node in enumerate(nodes):
            node.link_to(meeting, 0, place)
        return meeting

    def split(self, node: Any, filters: Sequence[Filters]) -> list[Any]:
        """The same frames into several chains."""
        parting = self._graph.add("split", str(len(filters)))
        node.link_to(parting)
        ends = []
        for place, ((name, options), *more) in enumerate(filters):
            first = self._graph.add(name, options or None)
            parting.link_to(first, place, 0)
            ends.append(self.then(first, tuple(more)))
        return ends

    def end(self, node: Any) -> Chain:
        """The graph is whole."""
        node.link_to(self._graph.add("buffersink"))
        self._graph.configure()
        return self

    def give(self, frame: Any, place: int) -> None:
        """The only frame for another place than the first: it stays for all that follow."""
        self._graph.vpush(frame, place)
        self._graph.vpush(None, place)

    def __call__(self, frame: Any) -> Any:
        """What becomes of an av.VideoFrame; its time stays."""
        self._graph.vpush(frame, 0)
        return self._graph.vpull()


def chain(clip: Clip, filters: Filters) -> Chain:
    """Filters one after another, for the clip's own frames."""
    graph = Chain(clip)
    return graph.end(graph.then(graph.stored(), filters))


def from_rgb(clip: Clip, filters: Filters) -> Chain:
    """Filters one after another, for upright frames in RGB."""
    graph = Chain(clip)
    return graph.end(graph.then(graph.rgb(), filters))


def upright(clip: Clip) -> Filters:
    """From stored frames to upright ones in RGB."""
    return (("scale", f"{_read(clip)}:flags={_CAREFUL}"), ("format", f"pix_fmts={RGB}"), *clip.turn)


def shrunk(clip: Clip, long_side: int) -> Filters:
    """From stored frames to small upright ones in RGB, by means of areas; what is small enough keeps its size."""
    height, width = fit_size(clip.height, clip.width, long_side)
    scale = f"w={width}:h={height}:{_read(clip)}:flags=area+accurate_rnd+full_chroma_int"
    return (("scale", scale), ("format", f"pix_fmts={RGB}"), *clip.turn)


def encoded(clip: Clip, pixels: str) -> Filters:
    """From upright frames in RGB to what an encoder takes, in the clip's own matrix and range."""
    scale = f"out_color_matrix={clip.matrix}:out_range={_range(clip)}:flags={_CAREFUL}"
    # the frames are upright now
    return (("scale", scale), ("format", f"pix_fmts={pixels}"), ("sidedata", "mode=delete:type=DISPLAYMATRIX"))


def table(path: Path) -> Filters:
    """A table of colour in a file."""
    return (("lut3d", f"file={_quoted(path)}:interp=trilinear"),)


def to_tensor(frame: Any, space: Space) -> Tensor:
    """A frame in the RGB of a space as 3×H×W sRGB in [0, 1]."""
    image = torch.stack([torch.from_numpy(plane) for plane in _planes(frame)])
    return (image if space.is_srgb else space.to_srgb(image.permute(1, 2, 0).numpy())).clamp_(0, 1)


def to_frame(image: Tensor, space: Space, like: Any = None) -> Any:
    """3×H×W sRGB as a frame in the RGB of a space, of the time of another frame."""
    _, height, width = image.shape
    frame = av.VideoFrame(width, height, RGB)
    for plane, channel in zip(_planes(frame), space.from_srgb(image), strict=True):
        plane[:] = channel.numpy()
    if like is not None:
        frame.pts, frame.time_base, frame.duration = like.pts, like.time_base, like.duration
    return frame


def _planes(frame: Any) -> list[NDArray[np.float32]]:
    """Red, green and blue of a frame in RGB, H×W each, where they lie."""
    green, blue, red = frame.planes
    return [
        np.frombuffer(plane, np.float32).reshape(frame.height, plane.line_size // 4)[:, : frame.width]
        for plane in (red, green, blue)
    ]


def write_table(nodes: Tensor, path: Path) -> None:
    """The nodes of a map of colour, 3×N×N×N, as a table that `lut3d` reads."""
    values = nodes.permute(3, 2, 1, 0).reshape(-1, 3).tolist()  # red varies fastest
    lines = [f"LUT_3D_SIZE {len(nodes[0])}", *("{:.7f} {:.7f} {:.7f}".format(*value) for value in values)]
    path.write_text("\n".join(lines) + "\n", encoding="ascii")


def _read(clip: Clip) -> str:
    return f"in_color_matrix={clip.matrix}:in_range={_range(clip)}"


def _range(clip: Clip) -> str:
    return "full" if clip.full_range else "limited"


def _quoted(path: Path) -> str:
    """A path within the options of a filter, where colons, quotes and backslashes mean something."""
    return "".join(f"\\{letter}" if letter in "\\':" else letter for letter in str(path))
