"""Conjugate gradients (Hestenes & Stiefel 1952), preconditioned: Saad, "Iterative Methods for Sparse Linear Systems",
algorithm 9.1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor


class Operator(Protocol):
    """A linear map of tensors, symmetric and positive definite."""

    def __matmul__(self, x: Tensor, /) -> Tensor: ...


def conjugate_gradients(
    A: Operator,
    b: Tensor,
    precondition: Callable[[Tensor], Tensor],
    tolerance: float,
    most: int,
    guess: Tensor | None = None,
) -> Tensor:
    """The x with A x = b, of the shape of b, from `guess` (0 if None).

    `precondition` is about A⁻¹, symmetric and positive too. Stops when the residual is `tolerance` of b in the
    Euclidean norm, or after `most` steps.
    """
    x = torch.zeros_like(b) if guess is None else guess.clone()
    r = b.clone() if guess is None else b - A @ x
    enough = tolerance * float(b.norm())
    p, rz = torch.zeros_like(b), 1.0
    for _ in range(most):
        if float(r.norm()) <= enough:
            break
        z = precondition(r)
        before, rz = rz, float(torch.sum(r * z))
        p.mul_(rz / before).add_(z)
        Ap = A @ p
        α = rz / float(torch.sum(p * Ap))
        x.add_(p, alpha=α)
        r.sub_(Ap, alpha=α)
    return x
