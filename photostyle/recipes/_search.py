"""What the descent of `photo` moves in, and what it sees: coordinates of grades, and the picture that they make."""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor

from photostyle.color.transport import matrix_power
from photostyle.maps.grade import AFFINE, COUNT, SLIDERS, heights, lattice, modes, prices, slide, split_modes
from photostyle.network.vgg import VGG
from photostyle.recipes.grading import Samples, graded
from photostyle.terms.energy import Energy, Features

_SLIDER = 0.3  # of a slider's spread, to a unit of x
_RIDGE = 1e-3  # of modes that the photograph hardly has, times their price


class Search:
    """The coordinates x in which the descent moves: a grade's sliders u = 0.3 x_u and modes c_k = W_k x_k.

    W_k = (s_k Σ_i φ_i φ_iᵀ / n + ridge)^-½ over region k's samples, of share s_k: a step in any direction changes the
    picture by about as much, however small a region and however rare a colour. x = 0 changes nothing.
    """

    def __init__(self, samples: list[Samples]) -> None:
        self._W = torch.stack([_whitening(s) for s in samples])  # K×COUNT×COUNT

    def grade(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Sliders u (8) and modes c (K×COUNT×3)."""
        u, c = x.split([len(SLIDERS), len(x) - len(SLIDERS)])
        return _SLIDER * u, self._W @ c.view(len(self._W), COUNT, 3)

    def locate(self, u: Tensor, c: Tensor) -> Tensor:
        """The x of that grade."""
        return torch.cat([u / _SLIDER, torch.linalg.solve(self._W, c).flatten()])


def _whitening(s: Samples) -> Tensor:
    B = s.basis.double()
    H = s.share * (B.T @ B / len(B) + _RIDGE * prices().double().diag())
    return matrix_power(H, -0.5).float()


class View:
    """What the energy sees of x: the picture (3×h×w; masks K×h×w) at one size, its features, and the maps."""

    def __init__(self, search: Search, samples: list[Samples], image: Tensor, masks: Tensor, vgg: VGG) -> None:
        self._search, self._samples, self._image, self._masks, self._vgg = search, samples, image, masks, vgg
        self._modes = modes(image.flatten(1))  # n×(COUNT − 4)
        self._heights = heights(masks)[:, :, None].expand_as(masks).flatten(1)  # K×n

    def __call__(self, x: Tensor, layers: Collection[str]) -> Features:
        """The layers of the network, of the picture, and what `features_of_maps` has."""
        u, c = self._search.grade(x)
        features = {"image": self.picture(u, c), **features_of_maps(self._samples, u, c)}
        if seen := set(layers) - set(features):
            features |= self._vgg(features["image"].to(self._vgg.device), seen)
        return features

    def picture(self, u: Tensor, c: Tensor) -> Tensor:
        """Σ_k m_k T_k(I), 3×h×w."""
        flat, turning = split_modes(c)
        φ = self._modes
        offsets = torch.einsum("nm,kmc->kcn", φ, flat)
        slants = torch.einsum("nm,kmc->kcn", φ[:, AFFINE], turning)
        m = self._masks.flatten(1)[:, None]  # K×1×n
        change = (m * (offsets + self._heights[:, None] * slants)).sum(0)
        return (slide(self._image.flatten(1), u) + change).view_as(self._image)


def features_of_maps(samples: list[Samples], u: Tensor, c: Tensor) -> dict[str, Tensor]:
    """Of the grade of sliders u (8) and modes c (K×COUNT×3): both, its lattices' nodes, and its samples' colours."""
    return {
        "sliders": u,
        "modes": c,
        "nodes": torch.stack([lattice(u, c_k) for c_k in c]),  # K×3×N×N×N
        "samples": torch.cat([graded(s, u, c_k) for s, c_k in zip(samples, c, strict=True)], dim=1),  # 3×Σn
    }


def value_of(L: Energy, samples: list[Samples], u: Tensor, c: Tensor) -> float:
    """What a grade costs, of an energy of the maps alone."""
    return sum(float(part) for part in L.parts(features_of_maps(samples, u, c)).values())
