"""Frames with a look: through tables where one map holds everywhere, through `blend` where regions meet."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import torch
from torch import Tensor

from photostyle.looks.local import LocalLook
from photostyle.maps.blend import blend, find_borders
from photostyle.maps.grade import heights
from photostyle.maps.lattice import ColorMap, cube
from photostyle.photofile.spaces import SRGB, Space
from photostyle.video.clip import Clip
from photostyle.video.finding import Grade
from photostyle.video.graphs import (
    Chain,
    chain,
    encoded,
    from_rgb,
    shrunk,
    table,
    to_frame,
    to_tensor,
    upright,
    write_table,
)
from photostyle.video.tracking import SIZE, Tracker

_FINE = 33  # nodes of a table in another space than sRGB, whose curves are not straight between them


class Painter(Protocol):
    """Gives the frames of a scene (av.VideoFrame) their look, one after another."""

    def __call__(self, frame: Any) -> Any:
        """The frame as it is to be encoded."""

    def skip(self, frame: Any) -> None:
        """A frame that was painted in an earlier run: what later ones depend on is made up for."""


def painter(clip: Clip, grade: Grade | LocalLook, pixels: str) -> Painter:
    """Whatever paints a scene of the clip with this look, into frames of that format."""
    if isinstance(grade, LocalLook):
        return PlacePainter(clip, grade, pixels)
    if len(grade.maps) == 1:
        return TablePainter(clip, grade.maps[0], pixels)
    return RegionPainter(clip, grade, pixels)


class TablePainter:
    """One map for the whole of each frame, as a table.

    A map that follows the height is a table for the top and one for the foot, mixed row by row.
    """

    def __init__(self, clip: Clip, map: ColorMap, pixels: str) -> None:
        tilted = bool(map.tilt.any())
        graph = Chain(clip)
        rgb = graph.then(graph.stored(), upright(clip))
        with TemporaryDirectory() as folder:
            tables = []
            for height in (-1, 1) if tilted else (0,):
                file = Path(folder, f"{height}.cube")
                write_table(_nodes(map, height, clip.space), file)
                tables.append(table(file))
            if tilted:
                painted = graph.join([*graph.split(rgb, tables), graph.rgb()], "maskedmerge")
            else:
                painted = graph.then(rgb, tables[0])
            self._graph = graph.end(graph.then(painted, encoded(clip, pixels)))
        if tilted:
            share_of_foot = (heights(torch.ones(1, *clip.shape))[0] + 1) / 2
            graph.give(to_frame(share_of_foot[None, :, None].expand(3, *clip.shape), SRGB), 1)

    def __call__(self, frame: Any) -> Any:
        """The frame through the tables."""
        return self._graph(frame)

    def skip(self, frame: Any) -> None:
        """No frame depends on another."""


class PlacePainter:
    """A look that says for each place what happens there: the clip has the look's own framing."""

    def __init__(self, clip: Clip, look: LocalLook, pixels: str) -> None:
        self._space, self._look = clip.space, look
        self._into, self._out = chain(clip, upright(clip)), from_rgb(clip, encoded(clip, pixels))

    def __call__(self, frame: Any) -> Any:
        """The frame with the look. Raises ImageError if it is of other proportions than the look's photograph."""
        painted = self._look.apply(to_tensor(self._into(frame), self._space))
        return self._out(to_frame(painted, self._space, like=frame))

    def skip(self, frame: Any) -> None:
        """No frame depends on another."""


class RegionPainter:
    """A map for each region, wherever the tracker sees it."""

    def __init__(self, clip: Clip, grade: Grade, pixels: str) -> None:
        self._space, self._maps = clip.space, grade.maps
        self._tracker = Tracker(grade.frame, grade.masks)
        self._small = chain(clip, shrunk(clip, SIZE))
        self._into, self._out = chain(clip, upright(clip)), from_rgb(clip, encoded(clip, pixels))

    def __call__(self, frame: Any) -> Any:
        """The frame with its regions' maps."""
        borders = find_borders(self._seen(frame), self._picture)
        painted = blend(self._maps, to_tensor(self._into(frame), self._space), borders)
        return self._out(to_frame(painted, self._space, like=frame))

    def skip(self, frame: Any) -> None:
        """The tracker sees it all the same."""
        self._seen(frame)

    def _seen(self, frame: Any) -> Tensor:
        self._picture = to_tensor(self._small(frame), self._space)
        return self._tracker(self._picture)


def _nodes(map: ColorMap, height: float, space: Space) -> Tensor:
    """The nodes of a map at a height in [−1, 1], for colours of a space."""
    if space.is_srgb:
        return map.nodes + height * map.slant(cube(map.size))
    colors = space.to_srgb(cube(_FINE).flatten(2).permute(1, 2, 0).contiguous().numpy()).clamp_(0, 1)
    mapped = (map(colors) + height * map.slant(colors)).clamp_(0, 1)
    return space.from_srgb(mapped).view(3, _FINE, _FINE, _FINE)
