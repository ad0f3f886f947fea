"""The front door: two photographs in, one out. Checks what it is given before any work starts."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from photostyle.descent.steps import Step, Steps, finish
from photostyle.errors import SettingsError
from photostyle.image import check_image
from photostyle.looks.look import Look
from photostyle.maps.blend import RegionalMaps
from photostyle.matting.render import check_strength, fade
from photostyle.network.backbones import DEFAULT_BACKBONE
from photostyle.network.network import Network
from photostyle.network.vgg import VGG, Pooling
from photostyle.recipes import DEFAULT_RECIPE, RECIPES, Recipe, find_recipe, make_settings
from photostyle.recipes.settings import Quality
from photostyle.recipes.tint import Tint, find_tint, tinted
from photostyle.regions.regions import Regions

Styles = Tensor | Sequence[Tensor]
"""One photograph 3×H×W, or several."""


def transfer(
    content: Tensor,
    style: Styles,
    regions: Regions | None = None,
    *,
    recipe: str = DEFAULT_RECIPE,
    quality: Quality = "standard",
    strength: float = 1.0,
    backbone: str = DEFAULT_BACKBONE,
    weights_path: str | os.PathLike[str] | None = None,
    pooling: Pooling = "average",
    device: str = "auto",
    **settings: Any,
) -> Tensor:
    """`content` with the look of `style`: both 3×H×W, sRGB in [0, 1]; so is the result.

    `regions` pairs what belongs together (None: the whole photographs); those of `one_look` are taken together, in the
    content's proportions. All options and errors are explained at
    `transfer_steps`.
    """
    return finish(
        transfer_steps(
            content,
            style,
            regions,
            recipe=recipe,
            quality=quality,
            strength=strength,
            backbone=backbone,
            weights_path=weights_path,
            pooling=pooling,
            device=device,
            **settings,
        )
    )


def transfer_steps(
    content: Tensor,
    style: Styles,
    regions: Regions | None = None,
    *,
    recipe: str = DEFAULT_RECIPE,
    quality: Quality = "standard",
    strength: float = 1.0,
    backbone: str = DEFAULT_BACKBONE,
    weights_path: str | os.PathLike[str] | None = None,
    pooling: Pooling = "average",
    device: str = "auto",
    **settings: Any,
) -> Steps:
    """`transfer` as a generator: yields a `Step` at a time, returns the final image; closing it cancels.

    `style` is one photograph, or several for a recipe that blends them.

    `recipe` is a key of `RECIPES`, `settings` are fields of its dataclass, and `quality` (draft, standard
    or best) chooses the values of those that are not given; `strength` in [0, 1]
    fades the result into the content, or takes colour maps so far along the way of each colour. Of a style without
    colour, or of one hue, the result has no other hue (`tint`), unless it is to keep the content's colours. `backbone`
    names the network, whose original file may be given as `weights_path`, and `pooling` how it reduces its layers;
    a recipe without a network reads none of them. `device` is auto, cpu, cuda or mps
    (the result stays there).

    Everything is checked when the first step is asked for, before any work: raises ImageError,
    RegionsError, SettingsError or WeightsError; later DescentError if the energy becomes infinite.
    """
    check_strength(strength)
    network = Network(backbone, weights_path, pooling, device)
    job = _prepare(content, style, regions, find_recipe(recipe, _count(style)), quality, network, settings)
    if job.recipe.maps and 0 < strength < 1:
        found = yield from job.recipe.maps(job.content, job.style, job.regions, job.vgg, job.settings)
        return found.faded(strength).apply(job.content)
    steps = job.recipe.run(job.content, job.style, job.regions, job.vgg, job.settings)
    if job.tint:
        steps = tinted(steps, job.tint)
    return fade(job.content, (yield from steps), strength)


def make_look(
    content: Tensor,
    style: Tensor,
    regions: Regions | None = None,
    *,
    recipe: str = DEFAULT_RECIPE,
    quality: Quality = "standard",
    backbone: str = DEFAULT_BACKBONE,
    weights_path: str | os.PathLike[str] | None = None,
    pooling: Pooling = "average",
    device: str = "auto",
    **settings: Any,
) -> Look:
    """The look that `transfer` gives to `content`, apart from it: it goes onto any photograph (`Look.apply`).

    Arguments, options and errors are those of `transfer`, except that there is no `strength`, and that the recipe must
    be one that finds colour maps (`Recipe.maps`).
    """
    return finish(
        look_steps(
            content,
            style,
            regions,
            recipe=recipe,
            quality=quality,
            backbone=backbone,
            weights_path=weights_path,
            pooling=pooling,
            device=device,
            **settings,
        )
    )


def look_steps(
    content: Tensor,
    style: Tensor,
    regions: Regions | None = None,
    *,
    recipe: str = DEFAULT_RECIPE,
    quality: Quality = "standard",
    backbone: str = DEFAULT_BACKBONE,
    weights_path: str | os.PathLike[str] | None = None,
    pooling: Pooling = "average",
    device: str = "auto",
    **settings: Any,
) -> Generator[Step, None, Look]:
    """`make_look` as a generator: yields a `Step` at a time, returns the look; closing it cancels.

    Raises as `transfer_steps` does, and SettingsError for a recipe that finds no colour maps.
    """
    network = Network(backbone, weights_path, pooling, device)
    job, found = yield from _maps_steps(content, style, regions, recipe, quality, network, settings)
    # kinds of things are told by the default network, so that a look can be used where it is the only one
    vgg = None
    if len(job.regions.names) > 1:
        vgg = job.vgg if network.is_default else Network(device=device).load()
    return Look.of(found, job.content, vgg, {"recipe": recipe, "quality": quality})


def maps_steps(
    content: Tensor,
    style: Tensor,
    regions: Regions,
    *,
    recipe: str,
    quality: Quality,
    network: Network,
    settings: Mapping[str, Any],
) -> Generator[Step, None, RegionalMaps]:
    """The colour maps of `look_steps` on the photograph alone: what they show is not looked at."""
    _, found = yield from _maps_steps(content, style, regions, recipe, quality, network, settings)
    return found


def _maps_steps(
    content: Tensor,
    style: Tensor,
    regions: Regions | None,
    recipe: str,
    quality: Quality,
    network: Network,
    settings: Mapping[str, Any],
) -> Generator[Step, None, tuple[_Prepared, RegionalMaps]]:
    chosen = find_recipe(recipe)
    if not chosen.maps:
        those = ", ".join(name for name, known in RECIPES.items() if known.maps)
        raise SettingsError(f"The recipe {recipe} finds no colour maps; those that do are {those}.")
    job = _prepare(content, style, regions, chosen, quality, network, settings)
    return job, (yield from chosen.maps(job.content, job.style, job.regions, job.vgg, job.settings))


@dataclass(frozen=True)
class _Prepared:
    """What a recipe is given, checked."""

    recipe: Recipe
    content: Tensor
    style: Any
    regions: Regions
    vgg: VGG | None
    settings: Any
    tint: Tint | None


def _prepare(
    content: Tensor,
    style: Styles,
    regions: Regions | None,
    recipe: Recipe,
    quality: Quality,
    network: Network,
    settings: Mapping[str, Any],
) -> _Prepared:
    p = make_settings(recipe, settings, quality)
    place = network.check()
    styles = [style] if isinstance(style, Tensor) else list(style)
    check_image(content, "The content")
    for one in styles:
        check_image(one, "The style")
    content, *styles = (image.to(place, torch.float32) for image in (content, *styles))
    regions = regions or Regions.whole(content, styles[0])
    if regions.one_look and not recipe.placed:
        regions = regions.in_proportion()
    regions.check(content, styles[0])
    vgg = network.load() if recipe.network else None
    tint = tint_of(recipe, p, styles, regions)
    return _Prepared(recipe, content, styles if recipe.blends else styles[0], regions, vgg, p, tint)


def _count(style: Styles) -> int:
    return 1 if isinstance(style, Tensor) else len(style)


def tint_of(recipe: Recipe, p: Any, styles: Sequence[Tensor], regions: Regions | None) -> Tint | None:
    """The hue that the result of a recipe with these settings keeps to; None if its colours are not the styles'."""
    masks = regions.style if regions and recipe.regional else None
    return find_tint(styles, masks) if recipe.recolors(p) else None
