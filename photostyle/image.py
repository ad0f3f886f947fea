"""Images: tensors C×H×W in [0, 1], checked and brought to size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from photostyle.errors import ImageError

_FEW_PIXELS = 4

_LARGE = 256  # pixels along the shorter side


def resize(image: Tensor, size: Sequence[int]) -> Tensor:
    """Resize a C×H×W image to `size` = (H, W) by Lanczos, without aliasing, clamped to [0, 1].

    A large reduction of a photograph begins with block averages, down to three times the final size; the difference is
    invisible. (In a small picture it would not be, because a block at the far side is cut short.)
    Computed in float32 on the processor; the result has the image's device and type. Not differentiable.
    """
    height, width = size
    gap = 3.0 if min(image.shape[1:]) >= _LARGE else None
    planes = [
        np.asarray(
            Image.fromarray(np.ascontiguousarray(plane)).resize(
                (width, height), Image.Resampling.LANCZOS, reducing_gap=gap
            )
        )
        for plane in image.detach().to("cpu", torch.float32).numpy()
    ]
    return torch.from_numpy(np.stack(planes)).clamp_(0, 1).to(image)


def fit(image: Tensor, long_side: int, *, enlarge: bool = False) -> Tensor:
    """`resize` a C×H×W image to that long side; a smaller one is left alone unless `enlarge`."""
    _, height, width = image.shape
    return resize(image, fit_size(height, width, long_side, enlarge=enlarge))


def check_image(image: Tensor, name: str, *, least: int = 1) -> None:
    """Raise ImageError, a sentence about `name`, unless it is 3×H×W floats, all finite, no side under `least`."""
    if image.ndim != 3 or len(image) != 3 or not image.is_floating_point():
        raise ImageError(f"{name} must be a 3×H×W tensor of floats, not {tuple(image.shape)}.")
    if 0 in image.shape:
        raise ImageError(f"{name} is empty.")
    _, height, width = image.shape
    if min(height, width) < least:
        raise ImageError(f"{name} is {width}×{height} pixels: give a larger one, at least {least} on each side.")
    if not torch.isfinite(image).all():
        raise ImageError(f"{name} contains values that are not finite.")


def same_proportions(a: Tensor, b: Tensor) -> bool:
    """Whether two images (…×H×W) agree in aspect ratio within 2 %, or within what rounding may cost.

    That is half a pixel of each side of either, which in a small and narrow one is more than 2 %.
    """
    (h, w), (H, W) = a.shape[-2:], b.shape[-2:]
    if abs(h * W - w * H) <= 0.02 * w * H:
        return True
    flattest, steepest = (h - 0.5) / (w + 0.5), (h + 0.5) / (w - 0.5)
    return flattest <= (H + 0.5) / (W - 0.5) and steepest >= (H - 0.5) / (W + 0.5)


def nearly_of_size(a: Tensor, b: Tensor) -> bool:
    """Whether two images (…×H×W) are of one size, or one side of either is up to four pixels off."""
    return max(abs(here - there) for here, there in zip(a.shape[-2:], b.shape[-2:], strict=True)) <= _FEW_PIXELS


def shrink(image: Tensor, size: Sequence[int]) -> Tensor:
    """Resize a C×H×W image to `size` = (H, W) by area: each new pixel is the mean of what it covers.

    Exact for any ratio: the whole keeps its mean, masks stay masks. Differentiable, on the image's device.
    """
    rows, columns = (_cover(old, new).to(image) for old, new in zip(image.shape[1:], size, strict=True))
    return rows @ image @ columns.T  # (h×H)(C×H×W)(W×w)


def fit_size(height: int, width: int, long_side: int, *, enlarge: bool = False) -> tuple[int, int]:
    """Return the (H, W) of the same shape whose longer side is `long_side`, no side under 1.

    An image that is already smaller keeps its size unless `enlarge`.

    >>> fit_size(3000, 4000, 700)
    (525, 700)
    >>> fit_size(300, 400, 700)
    (300, 400)
    """
    longest = max(height, width)
    if longest <= long_side and not enlarge:
        return height, width
    return max(1, round(height * long_side / longest)), max(1, round(width * long_side / longest))


def exact(x: Tensor) -> Tensor:
    """The tensor in float64: where it is, or on the processor if its own device has no such numbers (Apple's MPS)."""
    return (x.cpu() if x.device.type == "mps" else x).double()


def _cover(old: int, new: int) -> Tensor:
    """Return new×old weights: the share of each old cell in each new one, along one axis; rows sum to 1."""
    edges = torch.arange(new + 1, dtype=torch.float64) * (old / new)
    cells = torch.arange(old, dtype=torch.float64)
    overlap = torch.minimum(edges[1:, None], cells + 1) - torch.maximum(edges[:-1, None], cells)
    return overlap.clamp(min=0) * (new / old)


def check_size(image: Tensor, other: Tensor, name: str) -> None:
    """Raise ImageError unless `other` (…×H×W) has the height and width of `image`."""
    (H, W), (h, w) = image.shape[-2:], other.shape[-2:]
    if (h, w) != (H, W):
        raise ImageError(f"The {name} has {w}×{h} pixels and the photograph {W}×{H}: make their sizes the same.")


def half(x: Tensor) -> Tensor:
    """C×H×W at half the size: means of 2×2 pixels, cut at the end."""
    return F.avg_pool2d(x, 2, ceil_mode=True)
