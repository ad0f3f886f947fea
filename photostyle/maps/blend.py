"""A colour map for each region, applied to a photograph of any size: O = Σ_k m_k · T_k(F_k).

A pixel on the border of two regions shows some of both. Given the maps of both, as it is, it would come out in a
colour that neither region has: a pale sky's map takes the dark half of a twig to somewhere wild. So a mixed pixel is
first parted into the colours that it is made of, I = Σ_k m_k F_k, and each part goes through the map of its own
region. F_k is near what the region shows close by, and the sum is exact: where all maps are the identity the
photograph comes back.

All that needs neighbours is found once on a small photograph. The masks are affine functions of colour there (as in
the guided filter: He, Sun & Tang, PAMI 2013), so that at full size they follow every twig. Full size is one pass over
tiles, most of which lie within one region.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from photostyle.maps.grade import heights
from photostyle.maps.lattice import ColorMap, interpolate
from photostyle.matting.guided import apply_affine, guided_maps, window_mean

BORDER = 6  # pixels of the small photograph by which a region's border may move to follow it
SURFACE = 1e-3  # a variance of colour: what varies less is one surface, and no border runs through it
_RADII = (BORDER, 3)  # of the windows, in two passes
_FOOT = 0.05  # of a mask is nothing, and as little below 1 is all
_NEAR, _FAR = 3, 8  # where a region's own colours are looked for, pixels
_SURE = 6  # the power of a mask that weighs them: only what is nearly all the region's counts
_TRUST = 0.01  # κ: what a mask is worth beside a squared difference of colour
TILE = 64  # pixels: the smaller, the fewer lie on a border
_BATCH = 128  # tiles at a time: what memory is needed for does not grow with the photograph
_TRACE = 1e-6
_FAINT = 1 / 512  # of a region in a tile, that cannot be seen


@dataclass(frozen=True, eq=False)
class Borders:
    """Where K regions of a photograph lie, found on a small copy of it.

    `masks` K×h×w add up to 1; `guides` K×4×h×w are the affine functions of colour that they come from; `own` K×3×h×w
    are the colours that each region shows near each place; `heights` K×h of `grade.heights`.
    """

    masks: Tensor
    guides: Tensor
    own: Tensor
    heights: Tensor


@dataclass(frozen=True, eq=False)
class RegionalMaps:
    """The colour maps of K regions, what they have in `common`, and where the regions lie.

    `names` are the regions'. `masks` K×h×w are they as they were given, `borders` what was found of them on the small
    photograph.
    """

    maps: Sequence[ColorMap]
    common: ColorMap
    names: tuple[str, ...]
    masks: Tensor
    borders: Borders

    def faded(self, strength: float) -> RegionalMaps:
        """The maps that go from no change (strength 0) to these (1), in [0, 1]."""
        *maps, common = (
            ColorMap.identity(map.size).to(map.nodes).lerp(map, strength) for map in (*self.maps, self.common)
        )
        return replace(self, maps=maps, common=common)

    def apply(self, photograph: Tensor) -> Tensor:
        """`blend` on a photograph of any size: 3×H×W."""
        return blend(self.maps, photograph, self.borders)


def find_borders(masks: Tensor, photograph: Tensor) -> Borders:
    """Masks K×h×w, hard or soft, that add up to 1, made to follow the photograph (3×h×w, small)."""
    m = masks
    for radius in _RADII:
        guides = guided_maps(m, photograph, radius, SURFACE)
        m = cut_feet(apply_affine(guides, photograph), m)
    # what is too thin to be followed goes to its surroundings, but no region is empty
    m = (m + _TRACE) / (1 + len(m) * _TRACE)
    return Borders(m, guides, own_colors(photograph, m), heights(m))


def blend(maps: Sequence[ColorMap], photograph: Tensor, borders: Borders) -> Tensor:
    """The photograph (3×H×W, the proportions of the borders) with each region's colours mapped: 3×H×W in [0, 1]."""
    maps = [map.to(photograph) for map in maps]
    borders = Borders(*(part.to(photograph) for part in (borders.masks, borders.guides, borders.own, borders.heights)))
    result = torch.empty_like(photograph)
    height, width = photograph.shape[1:]
    rows, columns = min(TILE, height), min(TILE, width)
    y = F.interpolate(borders.heights[None], height, mode="linear", align_corners=False)[0]  # K×H
    for regions, corners in _tiles(borders.masks, height, width):
        for first in range(0, len(corners), _BATCH):
            batch = corners[first : first + _BATCH]
            tiles = torch.stack([photograph[:, t : t + rows, l : l + columns] for t, l in batch])
            h = torch.stack([y[:, t : t + rows] for t, _ in batch])[:, :, None, :, None]  # n×K×1×rows×1
            if len(regions) == 1:
                (k,) = regions
                mapped = _apply(maps[k], tiles, h[:, k])
            else:
                grid = torch.stack([_grid(corner, (rows, columns), photograph) for corner in batch])
                mapped = _blend_tiles([maps[k] for k in regions], tiles, h[:, regions], _part(borders, regions), grid)
            for (t, l), tile in zip(batch, mapped, strict=True):
                result[:, t : t + rows, l : l + columns] = tile
    return result.clamp_(0, 1)


def own_colors(photograph: Tensor, masks: Tensor) -> Tensor:
    """The colours that each region shows near each pixel (photograph 3×h×w, masks K×h×w): K×3×h×w.

    A mean of nearby pixels that are nearly all the region's; of farther ones where there are none.
    """
    w = masks[:, None] ** _SURE  # K×1×h×w
    wI = w * photograph
    near, near_w, far, far_w = (_blur(x, r) for r in (_NEAR, _FAR) for x in (wI, w))
    return (near + 1e-2 * far) / (near_w + 1e-2 * far_w).clamp(min=1e-9)


def parts(pixels: Tensor, masks: Tensor, own: Tensor) -> Tensor:
    """The colours F_k that mixed pixels are made of, K×3×h×w, with Σ m_k F_k = I: pixels 3×h×w, masks K×h×w.

    Of all F with that sum those nearest to `own` (K×3×h×w): F_k = own_k + m_k (I − Σ m_j own_j) / Σ m_j².
    """
    m = masks.unsqueeze(-3)  # …×K×1×h×w
    rest = pixels.unsqueeze(-4) - (m * own).sum(-4, keepdim=True)
    return own + m * rest / m.square().sum(-4, keepdim=True)


def _mixture(pixels: Tensor, own: Tensor, masks: Tensor) -> Tensor:
    """Masks n×K×h×w, the two largest at each pixel shared out anew as its colour tells: pixels n×3×h×w, own n×K×3×h×w.

    The part t of the first that minimises ‖I − F₂ − t (F₁ − F₂)‖² + κ (t − t₀)², F the colours of the two; κ is
    small where the masks are undecided, and infinite where they are sure.
    """
    (first, second), (one, other) = (x.unbind(1) for x in masks.topk(2, dim=1))
    F_1, F_2 = (own.gather(1, k[:, None, None].expand(-1, 1, 3, *k.shape[1:]))[:, 0] for k in (one, other))  # n×3×h×w
    both = first + second
    t = first / both
    d, doubt = F_1 - F_2, 4 * t * (1 - t)
    fitting = (doubt * (d * (pixels - F_2)).sum(1) + _TRUST * t) / (doubt * d.square().sum(1) + _TRUST)
    fitting = fitting.clamp(0, 1)
    shared = masks.scatter(1, one[:, None], (fitting * both)[:, None])
    return shared.scatter(1, other[:, None], ((1 - fitting) * both)[:, None])


def _blur(x: Tensor, radius: int) -> Tensor:
    return window_mean(window_mean(x, radius), radius)


def cut_feet(soft: Tensor, before: Tensor) -> Tensor:
    """Soft masks …×K×h×w with feet cut off at both ends, adding up to 1; `before` where nothing would be left."""
    m = ((soft - _FOOT) / (1 - 2 * _FOOT)).clamp(0, 1)
    m = m * m * (3 - 2 * m)
    total = m.sum(-3, keepdim=True)
    m = torch.where(total > 0.5, m, before)
    return m / m.sum(-3, keepdim=True)


def _apply(map: ColorMap, tiles: Tensor, h: Tensor) -> Tensor:
    """A map on tiles n×3×h×w at heights that broadcast with them."""
    mapped = interpolate(map.nodes, tiles)
    if bool(map.tilt.any()):
        mapped += h * map.slant(tiles.movedim(1, 0)).movedim(0, 1)
    return mapped


def _blend_tiles(maps: Sequence[ColorMap], tiles: Tensor, h: Tensor, small: Borders, grid: Tensor) -> Tensor:
    """Tiles n×3×h×w in which the regions of `small`, one for each map, meet; `grid` n×h×w×2 says where they lie."""
    n, K = len(tiles), len(maps)
    sampled = torch.cat([small.guides.flatten(0, 1), small.own.flatten(0, 1), small.masks])[None]
    sampled = F.grid_sample(sampled.expand(n, *sampled.shape[1:]), grid, padding_mode="border", align_corners=False)
    guides, own = sampled[:, : 4 * K].unflatten(1, (K, 4)), sampled[:, 4 * K : 7 * K].unflatten(1, (K, 3))
    I = tiles[:, None]
    m = _mixture(
        tiles, own, cut_feet((guides[:, :, :3] * I).sum(2) + guides[:, :, 3], sampled[:, 7 * K :].clamp(min=1e-6))
    )  # n×K×h×w
    F_k = parts(tiles, m, own)
    mapped = (m[:, k, None] * _apply(map, F_k[:, k], h[:, k]) for k, map in enumerate(maps))
    return torch.stack(list(mapped)).sum(0)


def _part(borders: Borders, regions: list[int]) -> Borders:
    """Of these regions alone."""
    b = borders
    return Borders(b.masks[regions], b.guides[regions], b.own[regions], b.heights[regions])


def regions_of_tiles(masks: Tensor, height: int, width: int) -> Tensor:
    """Which regions are to be seen in which tile of a photograph (H×W): rows×columns×K, bool; small masks K×h×w.

    Tiles are of `TILE` pixels; the last of a row or column, which reach back over others, have one size with them.
    """
    h, w = masks.shape[1:]
    found = []
    for top in _starts(height):
        first, last = top * h // height, (min(top + TILE, height) * h - 1) // height
        band = masks[:, max(0, first - 2) : last + 3].amax(1).cpu()  # K×w, with a margin
        row = []
        for left in _starts(width):
            first, last = left * w // width, (min(left + TILE, width) * w - 1) // width
            row.append(band[:, max(0, first - 2) : last + 3].amax(1) > _FAINT)
        found.append(torch.stack(row))
    return torch.stack(found)


def _tiles(masks: Tensor, height: int, width: int) -> Iterator[tuple[list[int], list[tuple[int, int]]]]:
    """Which regions meet where: for each set of them that occurs, the top left corners of its tiles."""
    seen = regions_of_tiles(masks, height, width)
    groups: dict[tuple[int, ...], list[tuple[int, int]]] = {}
    for top, row in zip(_starts(height), seen, strict=True):
        for left, here in zip(_starts(width), row, strict=True):
            groups.setdefault(tuple(here.nonzero()[:, 0].tolist()), []).append((top, left))
    for regions, corners in groups.items():
        yield list(regions), corners


def _starts(length: int) -> list[int]:
    """Where tiles begin that cover a length."""
    return [min(start, max(0, length - TILE)) for start in range(0, length, TILE)]


def _grid(corner: tuple[int, int], size: tuple[int, int], photograph: Tensor) -> Tensor:
    """Where the pixels of a tile lie for `grid_sample`, h×w×2: pixel centres, half a pixel in, from −1 to 1."""
    y, x = (
        (torch.arange(start, start + n, device=photograph.device) + 0.5) / whole * 2 - 1
        for start, n, whole in zip(corner, size, photograph.shape[1:], strict=True)
    )
    return torch.stack(torch.meshgrid(y.to(photograph), x.to(photograph), indexing="ij")[::-1], dim=-1)
