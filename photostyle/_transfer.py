"""The front door: two photographs in, one out. Checks what it is given before any work starts."""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import torch
from torch import Tensor

from photostyle.descent.descend import Step, Steps, finish
from photostyle.errors import SettingsError
from photostyle.image import check_image
from photostyle.looks.look import Look
from photostyle.matting.render import check_strength, fade
from photostyle.network.backbones import DEFAULT_BACKBONE
from photostyle.network.vgg import VGG, Pooling
from photostyle.network.weights import load_weights
from photostyle.recipes import DEFAULT_RECIPE, RECIPES, Recipe, find_recipe, make_settings
from photostyle.recipes.settings import Quality
from photostyle.recipes.tint import Tint, find_tint, tinted
from photostyle.regions.regions import Regions

Styles = Tensor | Sequence[Tensor]
"""One photograph 3×H×W, or several."""


def transfer(content: Tensor, style: Styles, regions: Regions | None = None, **options: Any) -> Tensor:
    """`content` with the look of `style`: both 3×H×W, sRGB in [0, 1]; so is the result.

    `regions` pairs what belongs together (None: the whole photographs). The options and the errors
    are those of `transfer_steps`.
    """
    return finish(transfer_steps(content, style, regions, **options))


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
    fades the result into the content. Of a style without colour, or of one hue, the result has no other hue (`tint`),
    unless it is to keep the content's colours. `backbone` names the network, whose original file may be given
    as `weights_path`; a recipe without a network reads neither. `device` is auto, cpu, cuda or mps (the
    result stays there).

    Everything is checked when the first step is asked for, before any work: raises ImageError,
    RegionsError, SettingsError or WeightsError; later DescentError if the energy becomes infinite.
    """
    check_strength(strength)
    job = _prepare(content, style, regions, recipe, quality, (backbone, weights_path, pooling), device, settings)
    steps = job.recipe.run(job.content, job.style, job.regions, job.vgg, job.settings)
    if job.tint:
        steps = tinted(steps, job.tint)
    return fade(job.content, (yield from steps), strength)


def make_look(content: Tensor, style: Tensor, regions: Regions | None = None, **options: Any) -> Look:
    """The look that `transfer` gives to `content`, apart from it: it goes onto any photograph (`Look.apply`).

    Arguments, options and errors are those of `transfer`, of which `strength` is none; the recipe is one that finds
    colour maps (`Recipe.maps`).
    """
    return finish(look_steps(content, style, regions, **options))


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
    job = _prepare(content, style, regions, recipe, quality, (backbone, weights_path, pooling), device, settings)
    if not job.recipe.maps:
        those = ", ".join(name for name, recipe in RECIPES.items() if recipe.maps)
        raise SettingsError(f"The recipe {recipe} finds no colour maps; those that do are {those}.")
    found = yield from job.recipe.maps(job.content, job.style, job.regions, job.vgg, job.settings)
    # kinds of things are told by the default network, so that a look can be used where it is the only one
    vgg = None
    if len(job.regions.names) > 1:
        own = backbone == DEFAULT_BACKBONE and not weights_path
        vgg = job.vgg if own else VGG(load_weights(DEFAULT_BACKBONE), device=find_device(device))
    return Look.of(found, job.content, job.regions.names, vgg, {"recipe": recipe, "quality": quality})


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
    recipe: str,
    quality: Quality,
    network: tuple[str, str | os.PathLike[str] | None, Pooling],
    device: str,
    settings: dict[str, Any],
) -> _Prepared:
    styles = [style] if isinstance(style, Tensor) else list(style)
    chosen = find_recipe(recipe, len(styles))
    p = make_settings(chosen, settings, quality)
    backbone, weights_path, pooling = network
    if pooling not in get_args(Pooling):
        raise SettingsError(f"pooling must be one of {', '.join(get_args(Pooling))}, not {pooling!r}.")
    check_image(content, "The content")
    for one in styles:
        check_image(one, "The style")
    place = find_device(device)
    content, *styles = (image.to(place, torch.float32) for image in (content, *styles))
    regions = regions or Regions.whole(content, styles[0])
    if chosen.looks_at:
        regions.check(content, styles[0])
    else:
        regions = regions.fit(content, styles[0])
    vgg = VGG(load_weights(backbone, weights_path), pooling, place) if chosen.network else None
    tint = tint_of(chosen, p, styles, regions)
    return _Prepared(chosen, content, styles if chosen.blends else styles[0], regions, vgg, p, tint)


def tint_of(recipe: Recipe, p: Any, styles: Sequence[Tensor], regions: Regions | None) -> Tint | None:
    """The hue that the result of a recipe with these settings keeps to; None if its colours are not the styles'."""
    masks = regions.style if regions and recipe.regional else None
    return find_tint(styles, masks) if recipe.recolors(p) else None


def find_device(name: str) -> torch.device:
    """auto (CUDA, then MPS, then CPU), cpu, cuda or mps; raises SettingsError for one that is not here."""
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device(next(d for d in ("cuda", "mps", "cpu") if available[d]))
    if name not in available:
        raise SettingsError(f"There is no device {name!r}; the devices are auto, {', '.join(available)}.")
    if not available[name]:
        raise SettingsError(f"The device {name} is not available here; use --device auto or cpu.")
    return torch.device(name)
