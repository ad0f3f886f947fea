"""Neural patches (Li & Wand, "Combining Markov Random Fields and Convolutional Neural Networks", CVPR 2016).

A patch Ψ_i(F) is a small window of a layer's features. Each patch of the output is drawn to the patch of
the style that is most like it by normalised cross-correlation. Patches are never copied out as a whole: a
layer keeps its pixels once, and a patch is the list of pixels in it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import torch
from torch import Tensor

from photostyle.image import exact, shrink
from photostyle.terms.energy import Energy, Features, energy

_BUDGET = 256 * 2**20  # bytes that a search for neighbours may take beside its arguments
_TINY = 1e-12  # a patch of zeros is like nothing


@dataclass(frozen=True)
class Patches:
    """n windows of k pixels: `index` (n×k) says which of the `pixels` (P×C) each has, row by row.

    `colors` (P×3) are those of the photograph under each pixel, and `guide` (P×K, K may be 0) holds what
    else is known of it, such as the labels of a map.
    """

    pixels: Tensor
    index: Tensor
    colors: Tensor
    guide: Tensor

    def __len__(self) -> int:
        return len(self.index)


def cut(
    features: Tensor,
    image: Tensor,
    size: int = 3,
    stride: int = 1,
    guide: Tensor | None = None,
    inside: Tensor | None = None,
) -> Patches:
    """All size×size windows of C×h×w features, `stride` apart; the last ones end at the border.

    `image` is the 3×H×W photograph of these features, `guide` a K×H′×W′ map of it. Windows that are not
    wholly `inside` (an h×w mask, True) are left out. `size` must be at most h and w.
    """
    _, h, w = features.shape
    rows, columns = (_starts(length, size, stride) for length in (h, w))
    first = torch.tensor([[row * w + column for column in columns] for row in rows])  # upper left pixels
    window = torch.tensor([[y * w + x for x in range(size)] for y in range(size)])
    index = (first.reshape(-1, 1) + window.reshape(1, -1)).to(features.device)
    if inside is not None:
        index = index[inside.flatten()[index].all(1)]
    maps = features.new_empty(0, h, w) if guide is None else shrink(guide, (h, w))
    return Patches(_pixels(features), index, _pixels(shrink(image, (h, w))), _pixels(maps))


def join(parts: Sequence[Patches]) -> Patches:
    """The patches of all parts, which have the same size, channels and kind of guide."""
    starts = accumulate((len(part.pixels) for part in parts), initial=0)
    return Patches(
        torch.cat([part.pixels for part in parts]),
        torch.cat([part.index + start for part, start in zip(parts, starts, strict=False)]),
        torch.cat([part.colors for part in parts]),
        torch.cat([part.guide for part in parts]),
    )


def nearest(
    output: Patches, style: Patches, *, semantic_weight: float = 0.0, variety: float = 0.0, budget: int = _BUDGET
) -> Tensor:
    """For each patch of the output the number of the style's patch with the highest score (n, whole numbers).

    The score is the normalised cross-correlation of features (Li & Wand 2016, eq. 3) less
    `semantic_weight` · ½ mean ‖m_i − m_j‖², the distance of the guides over the pixels of both patches. For
    labels (a channel each, 0 or 1) that is the share of pixels whose label differs.

    `variety` (0 to 1) is for patches that are alike to everything and so would be taken everywhere: that
    part of a style patch's mean correlation with all patches of the output is taken off its score.

    The table of scores is made tile by tile, so that no more than about `budget` bytes are held at a time.
    """
    γ = semantic_weight / output.index.shape[1]
    mean = variety * _mean_direction(output, budget) if variety else 0.0
    bias = -γ / 2 * style.guide.square().sum(1)[style.index].sum(1)
    nearest = torch.zeros(len(output), dtype=torch.long, device=output.pixels.device)
    length = output.index.shape[1] * (output.pixels.shape[1] + output.guide.shape[1])
    tile = _tile(length, output.pixels.element_size(), budget)
    for rows in _slices(len(output), tile):
        Q = torch.cat([_directions(output, rows) - mean, γ * _guides(output, rows)], dim=1)
        best, where = Q.new_full((len(Q),), -math.inf), nearest[rows]
        for columns in _slices(len(style), tile):
            S = torch.cat([_directions(style, columns), _guides(style, columns)], dim=1)
            score, found = torch.addmm(bias[columns], Q, S.T).max(1)
            better = score > best
            best[better], where[better] = score[better], found[better] + columns.start
    return nearest


def correlation(output: Patches, style: Patches, chosen: Tensor) -> Tensor:
    """Normalised cross-correlation of each output patch with the style patch that was chosen for it: n, −1 to 1."""
    product = output.pixels.new_zeros(len(output))
    for here, there in zip(output.index.T, style.index[chosen].T, strict=True):
        product += (output.pixels[here] * style.pixels[there]).sum(1)
    return product / (_norms(output) * _norms(style)[chosen])


def patch_style(
    output: Mapping[str, Patches],
    style: Mapping[str, Patches],
    weights: Mapping[str, float],
    *,
    color_weight: float = 0.0,
    semantic_weight: float = 0.0,
    variety: float = 0.0,
    confidence: float = 0.0,
) -> Energy:
    """Σ_l w_l · mean ‖Ψ_i(F_l(O)) − Ψ_NN(i)(F_l(S))‖²   (Li & Wand 2016, eq. 2, per element).

    The neighbours NN(i) are found here, once, for the patches of a present `output`; to follow the image
    as it changes, build the term anew. Output patches whose correlation with their neighbour is below
    `confidence` are left alone; the other settings are those of `nearest`.

    Deep features hardly see colour. The second term, `color_weight` times the mean over the layers, is the same for
    the photographs reduced to the layer's size: the same neighbours, and their colours.

    With neighbours given the sum is that of c_p ‖F_p − A_p‖² over pixels, plus a constant: A_p is the
    mean of what the c_p patches over a pixel want there. So its value and slope cost next to nothing.
    """
    looks, colors = {}, {}
    for l in weights:
        chosen = nearest(output[l], style[l], semantic_weight=semantic_weight, variety=variety)
        kept = (correlation(output[l], style[l], chosen) >= confidence).to(output[l].pixels)
        wanted = style[l].index[chosen]
        looks[l] = _vote(output[l], style[l].pixels, wanted, kept)
        colors[l] = _vote(output[l], style[l].colors, wanted, kept)

    def look(features: Features) -> Tensor:
        return torch.stack([w * looks[l].distance(_pixels(features[l])) for l, w in weights.items()]).sum()

    def color(features: Features) -> Tensor:
        sizes = {l: features[l].shape[1:] for l in weights}
        reduced = {l: _pixels(shrink(features["image"], size)) for l, size in sizes.items()}
        return torch.stack([colors[l].distance(reduced[l]) for l in weights]).mean()

    return energy("patches", weights, look) + color_weight * energy("patch colors", {"image", *weights}, color)


@dataclass(frozen=True)
class _Votes:
    """What patches want at each pixel: the mean (P×C), of how many (P), their squares about it, and the size of all."""

    mean: Tensor
    count: Tensor
    spread: Tensor
    elements: int

    def distance(self, pixels: Tensor) -> Tensor:
        """Mean squared difference between the patches of P×C `pixels` and what is wanted of them."""
        return ((self.count[:, None] * (pixels - self.mean).square()).sum() + self.spread) / self.elements


def _vote(output: Patches, source: Tensor, wanted: Tensor, kept: Tensor) -> _Votes:
    """Every patch of the output that is `kept` (n, 0 or 1) wants the pixels `wanted` (n×k) of the `source` (P′×C)."""
    total = source.new_zeros(len(output.pixels), source.shape[1])
    count = source.new_zeros(len(output.pixels))
    power = 0.0
    # The n-th pixels of all windows are all different ones, so none is written to twice at a time.
    for here, there in zip(output.index.T, wanted.T, strict=True):
        x = source[there] * kept[:, None]
        total[here] += x
        count[here] += kept
        power += float(exact(x.square().sum(1)).sum())
    mean = total / count.clamp(min=1)[:, None]
    spread = max(0.0, power - float(exact((total * mean).sum(1)).sum()))
    return _Votes(mean, count, mean.new_tensor(spread), wanted.numel() * source.shape[1])


def _pixels(features: Tensor) -> Tensor:
    return features.flatten(1).T  # hw×C


def _starts(length: int, size: int, stride: int) -> list[int]:
    last = length - size
    return sorted({*range(0, last, stride), last})


def _norms(patches: Patches) -> Tensor:
    squares = patches.pixels.square().sum(1)
    return squares[patches.index].sum(1).sqrt().clamp(min=_TINY)


def _directions(patches: Patches, some: slice) -> Tensor:
    """The features of some patches as vectors of length 1: n×kC."""
    vectors = patches.pixels[patches.index[some]].flatten(1)
    return vectors.div_(torch.linalg.vector_norm(vectors, dim=1, keepdim=True).clamp_(min=_TINY))


def _guides(patches: Patches, some: slice) -> Tensor:
    return patches.guide[patches.index[some]].flatten(1)


def _mean_direction(patches: Patches, budget: int) -> Tensor:
    tile = _tile(patches.index.shape[1] * patches.pixels.shape[1], patches.pixels.element_size(), budget)
    sums = [_directions(patches, rows).sum(0) for rows in _slices(len(patches), tile)]
    return torch.stack(sums).sum(0) / len(patches)


def _tile(length: int, bytes_each: int, budget: int) -> int:
    """How many vectors of that length on either side of a table fit, with the table, into the budget."""
    # Four such sets at a time, as they are put together, in half of it; in the other half the table.
    return max(1, min(budget // (8 * bytes_each * length), math.isqrt(budget // (2 * bytes_each))))


def _slices(count: int, size: int) -> Iterator[slice]:
    return (slice(start, min(start + size, count)) for start in range(0, count, size))
