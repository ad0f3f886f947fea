"""What makes cells of two photographs of one kind, in few numbers, the same for both: their traits.

z, what is shown, loses its mean in each photograph. Of both photographs together the principal components are taken,
half whitened: a kind of thing that is rare counts for more than its share. Colour, beside its mean, and place follow.
Then traits are shared among neighbours, as far as the photograph has no border between them: x becomes the q of the
walk (Grady, "Random Walks for Image Segmentation", PAMI 2006)

    (D − A + λ I) q = λ x

with A the likeness of neighbours and D its sums over rows. What is one thing in the photograph is then one point. The
classes of a scene are shared likewise, less far: they are told apart cell by cell already.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse
from scipy.sparse.linalg import splu

from photostyle.segment.cells import Cells, Floats

_COMPONENTS = 40
_WHITENING = 0.5  # 0: as they are, 1: all components of power 1
_WALK, _SCENE_WALK = 0.001, 0.02  # λ: how far the walk looks


@dataclass(frozen=True, eq=False)
class Traits:
    """Of the N cells of one photograph: what is `shown` D×N, in which `color` 3×N, and the `place` 2×N.

    A place is a height and a depth, the distance from the nearest side of the frame. `scene` (K×N) is how likely each
    is of each class of a scene, sums of 1.
    """

    shown: Floats
    color: Floats
    place: Floats
    scene: Floats

    @property
    def meaning(self) -> Floats:
        """(D + K)×N, unit vectors: their cosine is how alike two cells are in what they show, half by classes.

        Of classes it is the Bhattacharyya coefficient, Σ √(p q).
        """
        length = np.maximum(np.linalg.norm(self.shown, axis=0), 1e-12)
        return np.concatenate([self.shown / length, np.sqrt(self.scene)]) / np.sqrt(2)

    def weighed(self, color: float, height: float, depth: float) -> Floats:
        """All of them, (D + 5)×N, at these scales: standard deviations beside what is shown, of power 1."""
        return np.concatenate([self.shown, color * self.color, [[height], [depth]] * self.place])


def find_traits(sides: Sequence[Cells]) -> list[Traits]:
    """The traits of both photographs' cells."""
    z = [centred(side.kinds) for side in sides]
    together = np.concatenate(z, axis=1)
    axes = principal_axes(together)
    scale = max(np.sqrt(((axes.T @ together) ** 2).sum(0).mean()), 1e-12)
    return [_shared(side, axes.T @ part / scale) for side, part in zip(sides, z, strict=True)]


def principal_axes(z: Floats) -> Floats:
    """The axes of the principal components of C×N about their mean, half whitened: C×D.

    A kind of thing that is rare then counts for more than its share.
    """
    power, axes = np.linalg.eigh(z @ z.T / z.shape[1])
    power, axes = (part[..., : -_COMPONENTS - 1 : -1] for part in (power, axes))
    whitened: Floats = axes / np.maximum(power, 1e-12) ** (_WHITENING / 2)
    return whitened


def _shared(side: Cells, shown: Floats) -> Traits:
    h, w = side.grid
    y, x = ((np.mgrid[:h, :w].reshape(2, -1) + 0.5).T / (h, w)).T * 2 - 1
    lab = centred(side.lab)
    color = lab / max(np.sqrt(lab.var(1).sum()), 1e-12)
    depth = -np.maximum(abs(y), abs(x))  # in the frame's own proportions
    traits = centred(_walked(side, np.concatenate([shown, color, _standard(y)[None], _standard(depth)[None]]), _WALK))
    scene = np.maximum(_walked(side, side.scene, _SCENE_WALK), 0)  # but for rounding it is
    return Traits(traits[: len(shown)], traits[len(shown) : -2], traits[-2:], scene / scene.sum(0))


def _walked(side: Cells, x: Floats, λ: float) -> Floats:
    """The q of the walk from x, both D×N."""
    A = side.likeness
    walk = sparse.diags_array(np.asarray(A.sum(1)).ravel() + λ) - A
    # symmetric and diagonally dominant: no rows need be exchanged, and an order made for that leaves fewer numbers
    factors = splu(walk.tocsc(), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    q: Floats = factors.solve(λ * np.ascontiguousarray(x.T)).T
    return q


def centred(x: Floats) -> Floats:
    """C×N less the mean of each row."""
    return x - x.mean(1, keepdims=True)


def _standard(x: Floats) -> Floats:
    return (x - x.mean()) / max(float(x.std()), 1e-12)
