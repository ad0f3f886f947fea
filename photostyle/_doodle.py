"""The front door of doodles: a photograph, a map of it and another map in, a picture out."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from photostyle.descent.steps import Steps, finish
from photostyle.errors import RegionsError, SettingsError
from photostyle.files import StrPath
from photostyle.image import check_image, same_proportions
from photostyle.network.backbones import DEFAULT_BACKBONE
from photostyle.network.network import Network
from photostyle.network.vgg import Pooling
from photostyle.photofile.drawing import alpha_map, load_drawing
from photostyle.photofile.reading import load_image
from photostyle.recipes import find_recipe, make_settings
from photostyle.recipes.champandard2016 import semantic_style
from photostyle.recipes.settings import Quality
from photostyle.recipes.tint import find_tint, tinted
from photostyle.regions.labelimage import read_labels
from photostyle.regions.labels import load_regions

MapKind = Literal["auto", "labels", "colors"]

_SHADE = 0.02  # what differs by no more over white shows nothing
_MOST_LABELS = 16  # more flat colours than that are shades


def doodle(
    style: Tensor,
    style_map: Tensor,
    target_map: Tensor,
    content: Tensor | None = None,
    *,
    quality: Quality = "standard",
    backbone: str = DEFAULT_BACKBONE,
    weights_path: str | os.PathLike[str] | None = None,
    pooling: Pooling = "average",
    device: str = "auto",
    **settings: Any,
) -> Tensor:
    """A picture laid out as the `target_map` says, of the patches of `style`: 3×H×W sRGB in [0, 1].

    All arguments, options and errors are explained at `doodle_steps`.
    """
    return finish(
        doodle_steps(
            style,
            style_map,
            target_map,
            content,
            quality=quality,
            backbone=backbone,
            weights_path=weights_path,
            pooling=pooling,
            device=device,
            **settings,
        )
    )


def doodle_steps(
    style: Tensor,
    style_map: Tensor,
    target_map: Tensor,
    content: Tensor | None = None,
    *,
    quality: Quality = "standard",
    backbone: str = DEFAULT_BACKBONE,
    weights_path: str | os.PathLike[str] | None = None,
    pooling: Pooling = "average",
    device: str = "auto",
    **settings: Any,
) -> Steps:
    """`doodle` as a generator: yields a `Step` at a time, returns the final image; closing it cancels.

    The maps are K×H×W with values in [0, 1] and the same meaning of the channels on both sides (see
    `load_maps`): `style_map` has the proportions of the `style` (3×H×W, sRGB in [0, 1]), `target_map` those of
    the `content`, which may be missing. `settings` are those of the recipe `doodle`, all other options
    those of `transfer_steps`.

    Everything is checked when the first step is asked for, before any work: raises ImageError,
    RegionsError, SettingsError or WeightsError; later DescentError if the energy becomes infinite.
    """
    p = make_settings(find_recipe("doodle"), settings, quality)
    network = Network(backbone, weights_path, pooling, device)
    place = network.check()
    check_image(style, "The style")
    if content is not None:
        check_image(content, "The content")
    _check_map(style_map, style, "style")
    _check_map(target_map, content, "content")
    if len(style_map) != len(target_map):
        raise RegionsError(
            f"The style map has {len(style_map)} channels and the target map {len(target_map)}: "
            f"give both the same, with the same meaning."
        )
    style, style_map, target_map = (x.to(place, torch.float32) for x in (style, style_map, target_map))
    content = content.to(place, torch.float32) if content is not None else None
    steps = semantic_style(style, style_map, target_map, content, network.load(), p)
    return (yield from tinted(steps, find_tint([style])))


def _check_map(map: Tensor, image: Tensor | None, name: str) -> None:
    title = "target" if name == "content" else name
    if map.ndim != 3 or 0 in map.shape or not map.is_floating_point() or not bool(map.isfinite().all()):
        raise RegionsError(f"The {title} map must be K×H×W, finite floats, not {tuple(map.shape)} of {map.dtype}.")
    if image is not None and not same_proportions(map, image):
        (h, w), (H, W) = map.shape[1:], image.shape[1:]
        raise RegionsError(
            f"The {title} map is {w}×{h} but the {name} is {W}×{H}: "
            f"paint it on the whole of it, in its own proportions."
        )


@dataclass(frozen=True)
class Maps:
    """A map of the style (K×H×W) and one of the target (K×h×w), with values in [0, 1].

    `labels` are the names of the channels if each is a flat colour of the files, () if the channels are red,
    green and blue themselves. `notes` says, a sentence each, what had to be merged or left out.
    """

    style: Tensor
    target: Tensor
    labels: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def load_maps(style_map: StrPath, target_map: StrPath, kind: MapKind = "auto") -> Maps:
    """Two painted maps from files, in colour or gray. Transparency is laid over white. Where that
    shows nothing, for all is white and the map in the alpha channel, it is read there.

    As `labels`, a flat colour is a thing, and all things are equally different, as `load_regions` has it.
    As `colors`, what is painted in similar colours is similar, and there may be any number of them. With `auto`
    they are labels if both are painted in at most 16 flat colours.

    Raises ImageError for a file that is missing or no image, RegionsError if the maps are no labels or have no
    label in common, SettingsError for an unknown kind.
    """
    if kind not in get_args(MapKind):
        raise SettingsError(f"kind must be one of {', '.join(get_args(MapKind))}, not {kind!r}.")
    if kind == "labels" or (kind == "auto" and _is_flat(style_map) and _is_flat(target_map)):
        regions = load_regions(target_map, style_map)
        return Maps(regions.style, regions.content, regions.names, regions.notes)
    (style, said), (target, also_said) = (_colors(path) for path in (style_map, target_map))
    return Maps(style, target, notes=(*said, *also_said))


def _is_flat(path: StrPath) -> bool:
    """Whether a map is a label image of few colours."""
    try:
        return len(read_labels(path).paint.colors) <= _MOST_LABELS
    except RegionsError:  # which says so better where it is read as what it is
        return False


def _colors(path: StrPath) -> tuple[Tensor, tuple[str, ...]]:
    """A map as colours, 3×H×W, and what is to be said of it."""
    image = load_image(path)
    if (image.amax((1, 2)) - image.amin((1, 2))).max() > _SHADE:
        return image, ()
    drawing = load_drawing(path)
    if (map := alpha_map(drawing)) is None:
        return image, ()
    note = f"{drawing.name} is read by its alpha channel: white is opaque, black transparent."
    return torch.from_numpy(map).expand(3, -1, -1), (note,)
