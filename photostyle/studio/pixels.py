"""Small pictures for a page: to and from bytes."""

from __future__ import annotations

import io

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from photostyle import RegionsError, fit_size, resize, save_photograph


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


def color_png(levels: NDArray[np.uint8]) -> bytes:
    """A PNG of H×W×3 levels."""
    buffer = io.BytesIO()
    Image.fromarray(levels).save(buffer, "PNG")
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
