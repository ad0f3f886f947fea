"""Small pictures for a page: to and from bytes."""

from __future__ import annotations

import io
import math

import numpy as np
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from photostyle import RegionsError, fit_size, resize, save_photograph
from photostyle.photofile.drawing import KEYWORD
from photostyle.regions.alike import in_palette
from photostyle.regions.labelimage import LabelImage


def jpeg(image: Tensor, long_side: int | None = None, quality: int = 88) -> bytes:
    """A JPEG of an image (3×H×W sRGB in [0, 1]), made smaller if a side is longer than that."""
    image = image.detach().cpu()
    _, height, width = image.shape
    if long_side and max(height, width) > long_side:
        image = resize(image, fit_size(height, width, long_side))
    buffer = io.BytesIO()
    save_photograph(image.clamp(0, 1), buffer, format="JPEG", quality=quality, metadata=False)
    return buffer.getvalue()


def png(image: Tensor) -> bytes:
    """A PNG of an image (3×H×W sRGB in [0, 1]), rather quick to make than small."""
    levels = image.detach().cpu().clamp(0, 1).mul(255).round().to(torch.uint8)
    buffer = io.BytesIO()
    Image.fromarray(levels.permute(1, 2, 0).contiguous().numpy()).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def gray_png(mask: Tensor) -> bytes:
    """A PNG of H×W values in [0, 1]."""
    buffer = io.BytesIO()
    Image.fromarray(mask.detach().cpu().mul(255).round().to(torch.uint8).numpy()).save(buffer, "PNG")
    return buffer.getvalue()


def labels_png(image: LabelImage, most_side: int) -> bytes:
    """A label image as PNG in the paper's palette, where purple is no region; it says of itself what it said.

    Of one with longer sides only every n-th pixel is kept. Raises RegionsError for a colour that is near to none.
    """
    levels, said = in_palette(image, "purple"), PngInfo()
    step = math.ceil(max(levels.shape) / most_side)
    if image.text:
        said.add_text(KEYWORD, image.text)
    buffer = io.BytesIO()
    Image.fromarray(levels[step // 2 :: step, step // 2 :: step]).save(buffer, "PNG", pnginfo=said)
    return buffer.getvalue()


def read_gray(data: bytes) -> Tensor:
    """The H×W values, in [0, 1], of a PNG painted by the page; raises RegionsError if it is none."""
    check_png(data)
    with Image.open(io.BytesIO(data)) as file:
        return torch.from_numpy(np.asarray(file.convert("L")).astype(np.float32) / 255)


def check_png(data: bytes, most_side: int = 4096) -> None:
    """Raises RegionsError unless it is a PNG with sides of at most so many pixels, and whole."""
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as file:
            if max(file.size) > most_side:
                raise RegionsError(f"The painting is {file.width}×{file.height}: at most {most_side} pixels a side.")
            file.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise RegionsError("The painting is not a PNG that can be read: save it as a PNG again.") from error
