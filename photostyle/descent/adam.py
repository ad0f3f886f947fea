"""Adam (Kingma & Ba, arXiv 1412.6980, algorithm 1), of our own so that its state is a value like that of L-BFGS:
a descent that is kept between two steps resumes bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from photostyle.descent.place import Evaluate, Place, Point, finite

_BETA_1, _BETA_2 = 0.9, 0.99  # how long Adam's two means remember
_TINY = 1e-8  # Adam's ε


def adam(evaluate: Evaluate, place: Place, picture: Tensor | None, rate: float) -> Iterator[tuple[Place, Point]]:
    """Steps from a place, without end, at a learning rate: yields where each ends, and the energy there."""
    x, g = place.x, place.slope
    m, v, n = place.memory[0] if place.memory else (torch.zeros_like(g), torch.zeros_like(g), 0.0)
    while True:
        m, v, n = _BETA_1 * m + (1 - _BETA_1) * g, _BETA_2 * v + (1 - _BETA_2) * g.square(), n + 1
        m_hat, v_hat = m / (1 - _BETA_1**n), v / (1 - _BETA_2**n)
        x = x - rate * m_hat / (v_hat.sqrt() + _TINY)
        point = finite(evaluate(x), picture)
        g, picture = point.slope, point.picture
        yield Place(x, point.value, g, ((m, v, n),)), point
