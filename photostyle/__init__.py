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
    from photostyle._doodle import Maps, doodle, doodle_steps, load_maps
    from photostyle._transfer import look_steps, make_look, transfer, transfer_steps
    from photostyle.descent.steps import Step, Steps, finish
    from photostyle.errors import DescentError, ImageError, PhotostyleError, RegionsError, SettingsError, WeightsError
    from photostyle.image import fit_size, resize
    from photostyle.looks.adjust import Adjustment, adjust_look
    from photostyle.looks.change import blend_looks, invert_look
    from photostyle.looks.chart import describe_look, draw_look
    from photostyle.looks.file import check_look_path, load_look, save_look
    from photostyle.looks.held import Held, held
    from photostyle.looks.learn import learn_look
    from photostyle.looks.local import LocalLook, find_look
    from photostyle.looks.look import Look
    from photostyle.looks.pack import Pack, look_pack, save_pack
    from photostyle.looks.single import look_table
    from photostyle.matting.alpha import find_alpha
    from photostyle.matting.foreground import composite, find_foreground
    from photostyle.matting.render import fade
    from photostyle.matting.scribbles import trimap_from_scribbles
    from photostyle.measures.measure import Measures, measure
    from photostyle.network.backbones import BACKBONES, DEFAULT_BACKBONE
    from photostyle.network.network import find_device
    from photostyle.network.weights import (
        cache_dir,
        cached_path,
        fetch_weights,
        is_cached,
        load_weights,
        verify_weights,
    )
    from photostyle.photofile.photograph import Photograph
    from photostyle.photofile.reading import bit_depth, load_image, load_photograph, read_note
    from photostyle.photofile.writing import check_writable, save_image, save_photograph
    from photostyle.recipes import DEFAULT_RECIPE, RECIPES, find_recipe, make_settings
    from photostyle.regions.labels import PALETTE, label_colors, load_regions, save_regions
    from photostyle.regions.regions import Regions
    from photostyle.segment.doubts import doubtful_matches
    from photostyle.segment.find import find_regions
    from photostyle.segment.refine import refine_regions
    from photostyle.tables.making import make_table
    from photostyle.tables.reading import load_table
    from photostyle.tables.table import Table
    from photostyle.tables.writing import save_table

_HOME = {
    "Adjustment": "looks.adjust",
    "BACKBONES": "network.backbones",
    "DEFAULT_BACKBONE": "network.backbones",
    "DEFAULT_RECIPE": "recipes",
    "DescentError": "errors",
    "Held": "looks.held",
    "ImageError": "errors",
    "LocalLook": "looks.local",
    "Look": "looks.look",
    "Maps": "_doodle",
    "Measures": "measures.measure",
    "PALETTE": "regions.labels",
    "Pack": "looks.pack",
    "Photograph": "photofile.photograph",
    "PhotostyleError": "errors",
    "RECIPES": "recipes",
    "Regions": "regions.regions",
    "RegionsError": "errors",
    "SettingsError": "errors",
    "Step": "descent.steps",
    "Steps": "descent.steps",
    "Table": "tables.table",
    "WeightsError": "errors",
    "adjust_look": "looks.adjust",
    "bit_depth": "photofile.reading",
    "blend_looks": "looks.change",
    "cache_dir": "network.weights",
    "cached_path": "network.weights",
    "check_look_path": "looks.file",
    "check_writable": "photofile.writing",
    "composite": "matting.foreground",
    "describe_look": "looks.chart",
    "doodle": "_doodle",
    "doodle_steps": "_doodle",
    "doubtful_matches": "segment.doubts",
    "draw_look": "looks.chart",
    "fade": "matting.render",
    "fetch_weights": "network.weights",
    "find_alpha": "matting.alpha",
    "find_device": "network.network",
    "find_foreground": "matting.foreground",
    "find_look": "looks.local",
    "find_recipe": "recipes",
    "find_regions": "segment.find",
    "finish": "descent.steps",
    "fit_size": "image",
    "held": "looks.held",
    "invert_look": "looks.change",
    "is_cached": "network.weights",
    "label_colors": "regions.labels",
    "learn_look": "looks.learn",
    "load_image": "photofile.reading",
    "load_look": "looks.file",
    "load_maps": "_doodle",
    "load_photograph": "photofile.reading",
    "load_regions": "regions.labels",
    "load_table": "tables.reading",
    "load_weights": "network.weights",
    "look_pack": "looks.pack",
    "look_steps": "_transfer",
    "look_table": "looks.single",
    "make_look": "_transfer",
    "make_settings": "recipes",
    "make_table": "tables.making",
    "measure": "measures.measure",
    "read_note": "photofile.reading",
    "refine_regions": "segment.refine",
    "resize": "image",
    "save_image": "photofile.writing",
    "save_look": "looks.file",
    "save_pack": "looks.pack",
    "save_photograph": "photofile.writing",
    "save_regions": "regions.labels",
    "save_table": "tables.writing",
    "transfer": "_transfer",
    "transfer_steps": "_transfer",
    "trimap_from_scribbles": "matting.scribbles",
    "verify_weights": "network.weights",
}

__all__ = [
    "BACKBONES",
    "DEFAULT_BACKBONE",
    "DEFAULT_RECIPE",
    "PALETTE",
    "RECIPES",
    "Adjustment",
    "DescentError",
    "Held",
    "ImageError",
    "LocalLook",
    "Look",
    "Maps",
    "Measures",
    "Pack",
    "Photograph",
    "PhotostyleError",
    "Regions",
    "RegionsError",
    "SettingsError",
    "Step",
    "Steps",
    "Table",
    "WeightsError",
    "__version__",
    "adjust_look",
    "bit_depth",
    "blend_looks",
    "cache_dir",
    "cached_path",
    "check_look_path",
    "check_writable",
    "composite",
    "describe_look",
    "doodle",
    "doodle_steps",
    "doubtful_matches",
    "draw_look",
    "fade",
    "fetch_weights",
    "find_alpha",
    "find_device",
    "find_foreground",
    "find_look",
    "find_recipe",
    "find_regions",
    "finish",
    "fit_size",
    "held",
    "invert_look",
    "is_cached",
    "label_colors",
    "learn_look",
    "load_image",
    "load_look",
    "load_maps",
    "load_photograph",
    "load_regions",
    "load_table",
    "load_weights",
    "look_pack",
    "look_steps",
    "look_table",
    "make_look",
    "make_settings",
    "make_table",
    "measure",
    "read_note",
    "refine_regions",
    "resize",
    "save_image",
    "save_look",
    "save_pack",
    "save_photograph",
    "save_regions",
    "save_table",
    "transfer",
    "transfer_steps",
    "trimap_from_scribbles",
    "verify_weights",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'photostyle' has no attribute {name!r}")
    return getattr(import_module(f"photostyle.{_HOME[name]}"), name)
