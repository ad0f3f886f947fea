"""Means over many features of what is larger than the features, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

Embedding = Callable[[Tensor], Tensor]
"""Features (n×C) → what stands for each (n×D), each by itself."""

_FEW = 2**23  # numbers of features whose embedding is kept: to make it once more takes a sixth of a step's time
_AT_ONCE = 2**20  # of so many where there are more; their embedding and its slope take some ten times as much


def expectation(embed: Embedding, X: Tensor, p: Tensor, few: int = _FEW, at_once: int = _AT_ONCE) -> Tensor:
    """Σ_i p_i embed(x_i) of features X (n×C) with shares p (n): D. Differentiable in X, not in p.

    Where there are more than `few` numbers, what is embedded is not kept: it is made for some features at a time, and
    for the slope once more.
    """
    if X.numel() <= few:
        return p @ embed(X)
    mean: Tensor = _Expectation.apply(embed, X, p, max(1, at_once // X.shape[1]))  # type: ignore[no-untyped-call]
    return mean


class _Expectation(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, embed: Embedding, X: Tensor, p: Tensor, count: int) -> Tensor:
        ctx.save_for_backward(X, p)
        ctx.embed, ctx.count = embed, count
        first, *others = (p[some] @ embed(X[some]) for some in _slices(len(X), count))
        return sum(others, start=first)

    @staticmethod
    def backward(ctx: Any, *grad: Tensor) -> tuple[None, Tensor, None, None]:
        X, p = ctx.saved_tensors
        slope = torch.empty_like(X)
        for some in _slices(len(X), ctx.count):
            with torch.enable_grad():
                x = X[some].detach().requires_grad_()
                mean = p[some] @ ctx.embed(x)
            (slope[some],) = torch.autograd.grad(mean, x, grad[0])
        return None, slope, None, None


def _slices(length: int, count: int) -> Iterator[slice]:
    return (slice(start, start + count) for start in range(0, length, count))
