"""Photographs: files on one side, tensors 3×H×W of float32 sRGB in [0, 1] on the other.

source (an open file) → decode (its numbers) → spaces (as colours) → reading (a `Photograph`) …
… writing (levels again) → encode (the bytes of a file); metadata is what goes around the pixels. raw tells a camera's
raw files and develops them.
"""

from photostyle.photofile.photograph import Photograph
from photostyle.photofile.reading import bit_depth, load_image, load_photograph, read_note
from photostyle.photofile.writing import FORMATS, check_writable, save_image, save_photograph

__all__ = [
    "FORMATS",
    "Photograph",
    "bit_depth",
    "check_writable",
    "load_image",
    "load_photograph",
    "read_note",
    "save_image",
    "save_photograph",
]
