"""A result found at low resolution, carried to the full-resolution photograph by local affine maps.

Where the low-resolution output is locally an affine function of colour (which is what the matting term
asks for), the same function applied to the full-resolution photograph gives the full-resolution output:
every pixel of detail comes from the photograph, none from the network.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from photostyle.errors import SettingsError
from photostyle.image import resize, shrink
from photostyle.matting.guided import apply_affine, guided_maps

_RADII = (32, 8, 2)  # of the windows, pixels of the small image
_ROUNDING = 1e-5  # a variance of colour, above that of rounding to 8 bits
_BAND = 512  # rows rendered at a time, so that memory does not grow with the photograph


def render(output: Tensor, photograph: Tensor, ridge: float = 1e-2, small: Tensor | None = None) -> Tensor:
    """Apply the local colour changes of `output` (3×h×w) to `photograph` (3×H×W, the same scene, larger).

    Affine maps from the small photograph to the small output are fitted in ever smaller windows, each
    leaning on the one before, and the first on that of the whole picture: where a window is flat, and its colours say
    nothing about how detail should change, the linear part is that of its surroundings, so that fine texture stays in
    proportion. `ridge` is the strength of that, a variance of colour; `small` is the small photograph (None: each pixel
    the mean of what it covers). Returns 3×H×W in [0, 1].
    """
    small = shrink(photograph, output.shape[1:]) if small is None else small
    whole = whole_map(output, small)[:, :, None, None].expand(3, 4, *output.shape[1:])
    return apply_maps(fit_maps(output, small, _RADII, ridge, whole), photograph)


def whole_map(output: Tensor, image: Tensor) -> Tensor:
    """The affine map [A | b] (3×4) that takes an image to `output` (3×h×w each), that is none where it is flat."""
    x, y = image.flatten(1), output.flatten(1)
    mean_x, mean_y = (z.mean(1, keepdim=True) for z in (x, y))
    ridge = _ROUNDING * torch.eye(3).to(x)
    dx, dy, n = x - mean_x, y - mean_y, x.shape[1]
    A = torch.linalg.solve(dx @ dx.T / n + ridge, dx @ dy.T / n + ridge).T
    return torch.cat([A, mean_y - A @ mean_x], dim=1)


def fit_maps(output: Tensor, image: Tensor, radii: Sequence[int], ridge: float, prior: Tensor | None = None) -> Tensor:
    """Affine maps (3×4×h×w) from `image` to `output` (3×h×w each), in ever smaller windows.

    Each size of window leans on the one before with the strength `ridge`, the first on `prior` (3×4×h×w,
    None: no linear part at all).
    """
    maps = prior
    for radius in radii:
        maps = guided_maps(output, image, radius, ridge, maps)
    assert maps is not None
    return maps


def apply_maps(maps: Tensor, photograph: Tensor) -> Tensor:
    """Affine maps (C×4×h×w), interpolated bilinearly to the photograph's H×W and applied, band by band: C×H×W."""
    _, H, W = photograph.shape
    flat = maps.flatten(0, 1)  # 4C×h×w
    result = photograph.new_empty(len(maps), H, W)
    # sample where F.interpolate would: pixel centres, half a pixel in
    x = (torch.arange(W, device=maps.device, dtype=maps.dtype) + 0.5) / W * 2 - 1
    for top in range(0, H, _BAND):
        rows = torch.arange(top, min(top + _BAND, H), device=maps.device)
        y = ((rows + 0.5) / H * 2 - 1).to(maps.dtype)
        grid = torch.stack(torch.meshgrid(y, x, indexing="ij")[::-1], dim=-1)[None]  # 1×rows×W×2, (x, y)
        band = F.grid_sample(flat[None], grid, mode="bilinear", padding_mode="border", align_corners=False)
        bottom = top + len(rows)
        result[:, top:bottom] = apply_affine(band[0].unflatten(0, (-1, 4)), photograph[:, top:bottom])
    return result.clamp_(0, 1)


def feather(masks: Tensor, guide: Tensor, photograph: Tensor, radius: int, ridge: float) -> Tensor:
    """Masks (K×h×w, in [0, 1]) whose borders follow the photograph (3×H×W, small as `guide`, 3×h×w): K×H×W.

    A guided filter (He, Sun & Tang, "Guided Image Filtering", PAMI 2013, section 4.3). A border moves at most by
    `radius`; what varies less than the variance of colour `ridge` is one surface. Where masks added up to 1 they still
    do; a pixel that belonged to no region still belongs to none.
    """
    soft = apply_maps(guided_maps(masks, guide, radius, ridge), photograph)
    return soft / soft.sum(0).clamp(min=1)


def fade(content: Tensor, result: Tensor, strength: float) -> Tensor:
    """From the content (strength 0) to the result (1): 3×H×W of the result's size, sRGB in [0, 1].

    The content is resized if the result has another size. Raises SettingsError if `strength` is not in [0, 1].

    >>> fade(torch.zeros(3, 1, 1), torch.ones(3, 1, 1), 0.75).flatten()
    tensor([0.7500, 0.7500, 0.7500])
    """
    check_strength(strength)
    if strength == 1:
        return result
    before = content if content.shape == result.shape else resize(content, result.shape[1:])
    return torch.lerp(before, result, strength)


def check_strength(strength: float) -> None:
    """Raise SettingsError if `strength` is not in [0, 1]."""
    if not 0 <= strength <= 1:
        raise SettingsError(f"strength must lie between 0 and 1, not {strength:g}.")
