"""Grades: the family of colour maps that a descent searches, the simplest first.

    T(x, h) = S_u(x) + Σ_i φ_i(x) c_i + h · Σ_i≤1 φ_i(x) t_i

S_u are the sliders that every editor has. φ_i are smooth modes of a lattice of 9×9×9 nodes: products of the
eigenvectors of squared second differences along red, green and blue, the constant and the linear ones first, as in a
cosine transform. The rougher a mode, the dearer it is. h, the height within the region, comes with the affine modes
alone: it turns slowly.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from photostyle.color.spaces import linear_from_srgb, luma, srgb_from_linear
from photostyle.maps.lattice import SIZE, ColorMap, cube

SLIDERS = ("exposure", "warmth", "green", "contrast", "saturation", "shadow red", "shadow green", "shadow blue")
SPREAD = (1.0, 0.3, 0.3, 0.4, 0.4, 0.08, 0.08, 0.08)
"""What a slider at 1 does: stops, stops of red against blue, stops of green, logs of contrast and saturation, sRGB."""

NODES = 9
_ORDER = 6  # of the roughest mode, red + green + blue together
_TILT_PRICE = 16.0  # of a mode that turns with the height
_INDEX = [(i, j, k) for i in range(_ORDER + 1) for j in range(_ORDER + 1 - i) for k in range(_ORDER + 1 - i - j)]
AFFINE = [n for n, index in enumerate(_INDEX) if sum(index) <= 1]
"""The affine ones among the modes of colour."""
COUNT = len(_INDEX) + len(AFFINE)
"""How many modes there are, those of height included: c is COUNT×3 for a map."""


@cache
def prices() -> Tensor:
    """How dear each mode is (COUNT): 1 for affine ones, else the fourth power of its order, as bending energy is."""
    return torch.tensor([float(max(sum(index), 1)) ** 4 for index in _INDEX] + [_TILT_PRICE] * len(AFFINE))


def slide(colors: Tensor, u: Tensor) -> Tensor:
    """S_u: the sliders u (8, in units of `SPREAD`) applied to colours 3×n, sRGB; 3×n. u = 0 changes nothing.

    Exposure and balance in linear light; then contrast about the middle, saturation about luma, and a colour of the
    shadows, in sRGB.
    """
    exposure, warmth, green, contrast, saturation, *shadows = u * u.new_tensor(SPREAD)
    stops = torch.stack([exposure + warmth, exposure + green, exposure - warmth])
    y = srgb_from_linear(linear_from_srgb(colors) * torch.exp2(stops)[:, None])
    y = (y - 0.5) * contrast.exp() + 0.5
    gray = luma(y)
    y = gray + (y - gray) * saturation.exp()
    return y + torch.stack(shadows)[:, None] * (1 - gray).clamp(0, 1).square()


def modes(colors: Tensor) -> Tensor:
    """φ_i of colours 3×n: n×(COUNT − 4), each about 1 in root mean square over the cube."""
    V = _modes_of_an_axis().to(colors)
    r, g, b = (_hats(x) @ V for x in colors)  # n×7 each
    i, j, k = torch.tensor(_INDEX, device=colors.device).T
    return r[:, i] * g[:, j] * b[:, k]


def basis(colors: Tensor, heights: Tensor) -> Tensor:
    """φ_i, and h φ_i of the affine modes, of colours 3×n at heights n: n×COUNT."""
    φ = modes(colors)
    return torch.cat([φ, heights[:, None] * φ[:, AFFINE]], dim=1)


def heights_in(basis: Tensor) -> Tensor:
    """The heights n that a `basis` (n×COUNT) was made of."""
    return basis[:, len(_INDEX)]  # times the first mode, which is 1


def split_modes(c: Tensor) -> tuple[Tensor, Tensor]:
    """The coefficients …×COUNT×3 of the modes of colour, and of those that turn with the height."""
    return c[..., : len(_INDEX), :], c[..., len(_INDEX) :, :]


def lattice(u: Tensor, c: Tensor, size: int = NODES) -> Tensor:
    """The nodes, 3×N×N×N, of the grade of sliders u (8) and modes c (COUNT×3)."""
    X = cube(size).to(u).flatten(1)
    T: Tensor = slide(X, u) + (_modes_of_the_cube(size).to(u) @ split_modes(c)[0]).T
    return T.view(3, size, size, size)


def color_map(u: Tensor, c: Tensor) -> ColorMap:
    """The grade as a colour map. Its modes are exact; its sliders are curves, and straight between two of 17 nodes."""
    # an affine mode's coefficients as A x + b: read off at four colours, black and the primaries
    corners = torch.cat([torch.zeros(3, 1), torch.eye(3)], dim=1)
    values = (modes(corners)[:, AFFINE] @ split_modes(c)[1].cpu()).T  # 3×4
    tilt = torch.cat([values[:, 1:] - values[:, :1], values[:, :1]], dim=1)
    return ColorMap(lattice(u, c, SIZE), tilt.to(c))


def heights(masks: Tensor) -> Tensor:
    """Where the pixels of masks (K×H×W) lie within their region: K×H, −1 from its top to 1 at its bottom.

    Top and bottom are the rows above and below which 2 % of the region lie.
    """
    rows = masks.sum(2)  # K×H
    y = (torch.arange(masks.shape[1]).to(masks) + 0.5) / masks.shape[1]
    share = rows.cumsum(1) / rows.sum(1, keepdim=True).clamp(min=1e-6)
    top, bottom = (y[(share >= part).float().argmax(1)][:, None] for part in (0.02, 0.98))
    return (2 * (y - top) / (bottom - top).clamp(min=1e-3) - 1).clamp(-1, 1)


@cache
def _modes_of_an_axis() -> Tensor:
    """NODES×7: eigenvectors of D₂ᵀD₂, D₂ the second differences, by eigenvalue; root mean square 1."""
    D = torch.eye(NODES, dtype=torch.float64).diff(n=2, dim=0)
    _, V = torch.linalg.eigh(D.T @ D)
    # two eigenvalues are 0, and their vectors any pair that spans the lines
    x = torch.linspace(-1, 1, NODES, dtype=torch.float64)
    V[:, 0], V[:, 1] = torch.ones_like(x), x
    return (V / V.norm(dim=0) * NODES**0.5)[:, : _ORDER + 1].float()


@cache
def _modes_of_the_cube(size: int) -> Tensor:
    return modes(cube(size).flatten(1))


def _hats(x: Tensor) -> Tensor:
    """Linear interpolation between NODES values on [0, 1], the ends beyond: n×NODES weights of x (n)."""
    t = x.clamp(0, 1) * (NODES - 1)
    return (1 - (t[:, None] - torch.arange(NODES).to(t)).abs()).clamp(min=0)
