"""The public names and where they live; `photostyle/__init__.py` imports each when it is first used."""

from ._doodle import Maps, doodle, doodle_steps, load_maps
from ._transfer import look_steps, make_look, transfer, transfer_steps
from ._version import __version__
from .descent.steps import Step, Steps, finish
from .errors import DescentError, FileError, ImageError, PhotostyleError, RegionsError, SettingsError, WeightsError
from .image import fit_size, resize
from .looks.adjust import Adjustment, adjust_look
from .looks.change import blend_looks, invert_look
from .looks.chart import describe_look, draw_look
from .looks.file import check_look_path, load_look, save_look
from .looks.held import Held, held
from .looks.learn import learn_look
from .looks.local import LocalLook, find_look
from .looks.look import Look
from .looks.pack import Pack, look_pack, save_pack
from .looks.single import look_table
from .matting.alpha import find_alpha
from .matting.foreground import composite, find_foreground
from .matting.render import fade
from .matting.scribbles import trimap_from_scribbles
from .measures.measure import Measures, measure
from .network.backbones import BACKBONES, DEFAULT_BACKBONE
from .network.network import find_device
from .network.weights import cache_dir, cached_path, fetch_weights, is_cached, load_weights, verify_weights
from .photofile.photograph import Photograph
from .photofile.reading import bit_depth, load_image, load_photograph, read_note
from .photofile.writing import check_writable, save_image, save_photograph
from .recipes import DEFAULT_RECIPE, RECIPES, find_recipe, make_settings
from .regions.labels import load_regions, save_regions
from .regions.palette import PALETTE, label_colors
from .regions.regions import Regions
from .segment.doubts import doubtful_matches
from .segment.find import find_regions
from .segment.prompt import Prompt
from .segment.refine import refine_regions
from .segment.segmenter import load_segmenter
from .synthesis.texture import texture, texture_steps
from .tables.making import make_table
from .tables.reading import load_table
from .tables.table import Table
from .tables.writing import save_table

__all__ = [
    "BACKBONES",
    "DEFAULT_BACKBONE",
    "DEFAULT_RECIPE",
    "PALETTE",
    "RECIPES",
    "Adjustment",
    "DescentError",
    "FileError",
    "Held",
    "ImageError",
    "LocalLook",
    "Look",
    "Maps",
    "Measures",
    "Pack",
    "Photograph",
    "PhotostyleError",
    "Prompt",
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
    "load_segmenter",
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
    "texture",
    "texture_steps",
    "transfer",
    "transfer_steps",
    "trimap_from_scribbles",
    "verify_weights",
]
