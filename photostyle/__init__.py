"""photostyle: give one photograph the light of another, and keep it a photograph.

    from photostyle import load_image, save_image, transfer
    save_image(transfer(load_image("day.jpg"), load_image("night.jpg")), "evening.jpg")

Names are imported when they are first used, so that `photostyle --help` need not wait for PyTorch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from photostyle._version import __version__

if TYPE_CHECKING:
    from photostyle._transfer import transfer, transfer_steps
    from photostyle.descend import Step
    from photostyle.errors import (
        DescentError,
        ImageError,
        PhotostyleError,
        RegionsError,
        SettingsError,
        WeightsError,
    )
    from photostyle.image import load_image, save_image
    from photostyle.measures import Measures, measure
    from photostyle.recipes import RECIPES
    from photostyle.regions import Regions, load_regions
    from photostyle.weights import fetch_weights, load_weights, verify_weights

_HOME = {
    "DescentError": "errors",
    "ImageError": "errors",
    "Measures": "measures",
    "PhotostyleError": "errors",
    "RECIPES": "recipes",
    "Regions": "regions",
    "RegionsError": "errors",
    "SettingsError": "errors",
    "Step": "descend",
    "WeightsError": "errors",
    "fetch_weights": "weights",
    "load_image": "image",
    "load_regions": "regions",
    "load_weights": "weights",
    "measure": "measures",
    "save_image": "image",
    "transfer": "_transfer",
    "transfer_steps": "_transfer",
    "verify_weights": "weights",
}

__all__ = [
    "RECIPES",
    "DescentError",
    "ImageError",
    "Measures",
    "PhotostyleError",
    "Regions",
    "RegionsError",
    "SettingsError",
    "Step",
    "WeightsError",
    "__version__",
    "fetch_weights",
    "load_image",
    "load_regions",
    "load_weights",
    "measure",
    "save_image",
    "transfer",
    "transfer_steps",
    "verify_weights",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'photostyle' has no attribute {name!r}")
    return getattr(import_module(f"photostyle.{_HOME[name]}"), name)
