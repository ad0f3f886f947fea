"""One file per paper: a frozen dataclass of its numbers and one generator of steps.

A recipe is `(content, style, regions, vgg, settings) → Steps`: images 3×H×W sRGB in [0, 1], regions
fitted to them; the generator yields every step and returns the final image.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from photostyle.descend import Steps
from photostyle.errors import SettingsError
from photostyle.recipes.gatys2016 import NeuralStyle, neural_style
from photostyle.recipes.luan2017 import DeepPhoto, deep_photo
from photostyle.recipes.photo import Photo, photo
from photostyle.regions import Regions
from photostyle.vgg import VGG


@dataclass(frozen=True)
class Recipe:
    """A way to a picture: its source, the dataclass of its settings, and the generator that runs it."""

    source: str
    settings: type[Any]
    run: Callable[[Tensor, Tensor, Regions, VGG, Any], Steps]


RECIPES = {
    "photo": Recipe("this project, after Luan et al. 2017", Photo, photo),
    "luan": Recipe("Luan et al., Deep Photo Style Transfer, CVPR 2017, arXiv 1703.07511", DeepPhoto, deep_photo),
    "gatys": Recipe("Gatys et al., Image Style Transfer, CVPR 2016, arXiv 1508.06576", NeuralStyle, neural_style),
}
DEFAULT_RECIPE = "photo"


def find_recipe(name: str) -> Recipe:
    """The recipe of that name; raises SettingsError naming all of them."""
    if name not in RECIPES:
        raise SettingsError(f"There is no recipe {name!r}; the recipes are {', '.join(RECIPES)}.")
    return RECIPES[name]
