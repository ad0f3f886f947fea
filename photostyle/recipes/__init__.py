"""One file per paper: a frozen dataclass of its numbers and one generator of steps.

A recipe is `(content, style, regions, vgg, settings) → Steps`: images 3×H×W sRGB in [0, 1], regions
fitted to them, vgg None where the recipe needs no network; the generator yields every step and returns the final image.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor

from photostyle.descend import Steps
from photostyle.errors import SettingsError
from photostyle.recipes.gatys2016 import NeuralStyle, neural_style
from photostyle.recipes.luan2017 import DeepPhoto, deep_photo
from photostyle.recipes.photo import Photo, photo
from photostyle.recipes.pitie2007 import (
    DistributionTransfer,
    LinearTransport,
    distribution_transfer,
    monge_kantorovich,
)
from photostyle.recipes.reinhard2001 import ColorStatistics, color_statistics
from photostyle.regions import Regions


@dataclass(frozen=True)
class Recipe:
    """A way to a picture: its source, the dataclass of its settings, and the generator that runs it.

    A setting's default is its value at standard quality; its metadata may hold others, for "draft" and "best".
    Without `network` it is given None for one, and no weights are loaded; if not `regional` it takes the
    photographs as a whole, whatever the regions.
    """

    source: str
    settings: type[Any]
    run: Callable[[Tensor, Tensor, Regions, Any, Any], Steps]
    network: bool = True
    regional: bool = True


Quality = Literal["draft", "standard", "best"]
"""One dial from a preview in a moment to the most that a recipe can do."""

RECIPES = {
    "photo": Recipe("this project, after Luan et al. 2017", Photo, photo),
    "luan": Recipe("Luan et al., Deep Photo Style Transfer, CVPR 2017, arXiv 1703.07511", DeepPhoto, deep_photo),
    "gatys": Recipe(
        "Gatys et al., Image Style Transfer, CVPR 2016, arXiv 1508.06576", NeuralStyle, neural_style, regional=False
    ),
    "reinhard": Recipe(
        "Reinhard et al., Color Transfer between Images, IEEE CG&A 2001",
        ColorStatistics,
        color_statistics,
        network=False,
    ),
    "monge-kantorovich": Recipe(
        "Pitié & Kokaram, The Linear Monge–Kantorovitch Linear Colour Mapping, CVMP 2007",
        LinearTransport,
        monge_kantorovich,
        network=False,
    ),
    "pitie": Recipe(
        "Pitié et al., Automated Colour Grading using Colour Distribution Transfer, CVIU 2007",
        DistributionTransfer,
        distribution_transfer,
        network=False,
    ),
}
DEFAULT_RECIPE = "photo"


def find_recipe(name: str) -> Recipe:
    """The recipe of that name; raises SettingsError naming all of them."""
    if name not in RECIPES:
        raise SettingsError(f"There is no recipe {name!r}; the recipes are {', '.join(RECIPES)}.")
    return RECIPES[name]
