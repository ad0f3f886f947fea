"""One file per paper: a frozen dataclass of its numbers and one generator of steps.

A recipe is `(content, style, regions, vgg, settings) → Steps`: images 3×H×W sRGB in [0, 1], regions of their
proportions (`Regions.fit` brings them to a size), vgg None where the recipe needs no network; the generator yields
every step and returns the final image.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from photostyle.descent.steps import Step, Steps
from photostyle.errors import SettingsError
from photostyle.maps.blend import RegionalMaps
from photostyle.recipes.champandard2016 import SemanticStyle, semantic_regions
from photostyle.recipes.gatys2016 import NeuralStyle, neural_style
from photostyle.recipes.li2016 import MarkovStyle, markov_style
from photostyle.recipes.li2017 import DiscrepancyStyle, discrepancy_style
from photostyle.recipes.li2018 import Whitening, whitening
from photostyle.recipes.luan2017 import DeepPhoto, deep_photo
from photostyle.recipes.photo import Photo, photo, photo_maps
from photostyle.recipes.pitie2007 import (
    DistributionTransfer,
    LinearTransport,
    distribution_transfer,
    monge_kantorovich,
)
from photostyle.recipes.reinhard2001 import ColorStatistics, color_statistics
from photostyle.recipes.settings import Quality, read_settings
from photostyle.regions.regions import Regions


@dataclass(frozen=True)
class Recipe:
    """A way to a picture: its source, the dataclass of its settings, and the generator that runs it.

    `purpose` says in a line what it is for. Without `network` it is given None for one, and no weights are loaded;
    if not `regional` it takes the photographs as a whole, whatever the regions; to one that is `placed` they say what
    is where rather than which look it has, and so they serve it in one light too (`Regions.one_look`); if `blends` it
    is given a sequence of styles, else one. `recolors` tells of its settings whether colours are still to be held to
    the style's hue.
    `maps` is the generator of one whose result is a colour map for each region: it returns these. Of one that
    `keeps_photograph` early images too are local changes of the photograph's colours. A draft of a `quick` one takes
    seconds. `descent_bytes` is how much memory it takes for each pixel of the image that descends, `banded_bytes` for
    each beyond those that the network looks at in one go (None: as many), `photograph_bytes` for each of the
    photograph.
    """

    source: str
    purpose: str
    settings: type[Any]
    run: Callable[[Tensor, Any, Regions, Any, Any], Steps]
    network: bool = True
    regional: bool = True
    placed: bool = False
    blends: bool = False
    recolors: Callable[[Any], bool] = lambda p: True
    maps: Callable[[Tensor, Any, Regions, Any, Any], Generator[Step, None, RegionalMaps]] | None = None
    keeps_photograph: bool = False
    quick: bool = False
    descent_bytes: int = 5000
    banded_bytes: int | None = None
    photograph_bytes: int = 60


RECIPES = {
    "photo": Recipe(
        "this project, after Luan et al. 2017",
        "photographs, in seconds, at any resolution",
        Photo,
        photo,
        recolors=lambda p: False,  # its maps are toned themselves, region by region
        maps=photo_maps,
        keeps_photograph=True,
        quick=True,
    ),
    "luan": Recipe(
        "Luan et al., Deep Photo Style Transfer, CVPR 2017, arXiv 1703.07511",
        "the paper, for comparison: minutes as a draft, hours at its own size",
        DeepPhoto,
        deep_photo,
        keeps_photograph=True,
    ),
    "gatys": Recipe(
        "Gatys et al., Image Style Transfer, CVPR 2016, arXiv 1508.06576",
        "paintings: the strokes and colours of one or several pictures",
        NeuralStyle,
        neural_style,
        regional=False,
        blends=True,
        recolors=lambda p: p.original_colors == "no",
        banded_bytes=2300,  # its features, their slopes and what L-BFGS remembers; nothing within a band
    ),
    "mmd": Recipe(
        "Li et al., Demystifying Neural Style Transfer, IJCAI 2017, arXiv 1701.01036",
        "paintings by other measures of style: kernels, batch statistics, transport",
        DiscrepancyStyle,
        discrepancy_style,
        descent_bytes=6000,  # the embedding of its features besides
        banded_bytes=2300,  # which larger images make some at a time
    ),
    "mrf": Recipe(
        "Li & Wand, Combining Markov Random Fields and Convolutional Neural Networks, CVPR 2016, arXiv 1601.04589",
        "paintings patch by patch: whole motifs of the style, and textures",
        MarkovStyle,
        markov_style,
        regional=False,
    ),
    "doodle": Recipe(
        "Champandard, Semantic Style Transfer and Turning Two-Bit Doodles into Fine Artworks, arXiv 1603.01768",
        "patches that go where painted maps say: see `photostyle doodle`",
        SemanticStyle,
        semantic_regions,
        placed=True,
    ),
    "whitening": Recipe(
        "Li et al., A Closed-form Solution to Photorealistic Image Stylization, ECCV 2018, arXiv 1802.06474",
        "photographs in closed form, without descent: quicker than photo, and milder",
        Whitening,
        whitening,
        quick=True,
    ),
    "reinhard": Recipe(
        "Reinhard et al., Color Transfer between Images, IEEE CG&A 2001",
        "colours alone, in a moment: mean and spread of each channel",
        ColorStatistics,
        color_statistics,
        network=False,
        quick=True,
    ),
    "monge-kantorovich": Recipe(
        "Pitié & Kokaram, The Linear Monge–Kantorovitch Linear Colour Mapping, CVMP 2007",
        "colours alone, in a moment: the linear map that moves them least",
        LinearTransport,
        monge_kantorovich,
        network=False,
        quick=True,
    ),
    "pitie": Recipe(
        "Pitié et al., Automated Colour Grading using Colour Distribution Transfer, CVIU 2007",
        "colours alone: the whole distribution, its grain taken back",
        DistributionTransfer,
        distribution_transfer,
        network=False,
        quick=True,
        photograph_bytes=150,
    ),
}
DEFAULT_RECIPE = "photo"


def find_recipe(name: str, styles: int = 1) -> Recipe:
    """The recipe of that name for so many styles; raises SettingsError naming those that there are."""
    if name not in RECIPES:
        raise SettingsError(f"There is no recipe {name!r}; the recipes are {', '.join(RECIPES)}.")
    if styles != 1 and not (styles and RECIPES[name].blends):
        blending = ", ".join(known for known, recipe in RECIPES.items() if recipe.blends)
        raise SettingsError(f"The recipe {name} takes one style, not {styles}; several are for {blending}.")
    return RECIPES[name]


def make_settings(recipe: Recipe, settings: Mapping[str, Any], quality: Quality = "standard") -> Any:
    """The recipe's dataclass from settings by name, strings read as the field's type.

    Settings that are not given have the values of that quality. Raises SettingsError for an unknown quality, a name
    that the recipe does not have, or a value out of range.
    """
    return read_settings(recipe.settings, settings, quality)
