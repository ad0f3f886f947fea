"""Means of what is made for some features at a time: the same value and slope as of all at once."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from photostyle.terms.expectation import expectation


def waves(X: Tensor) -> Tensor:
    return torch.cat([(2 * X).cos(), X.sum(1, keepdim=True).sin() * X.square()], dim=1)


@settings(max_examples=40, deadline=None)
@given(count=st.integers(1, 30), channels=st.integers(1, 4), at_once=st.integers(1, 130), seed=st.integers(0, 99))
def test_some_at_a_time_is_all_at_once(count: int, channels: int, at_once: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    X, p = (torch.rand(*shape, generator=generator, dtype=torch.float64) for shape in ((count, channels), (count,)))
    found, wanted = [], []
    for means, made in ((found, lambda Y: expectation(waves, Y, p, 0, at_once)), (wanted, lambda Y: p @ waves(Y))):
        Y = X.clone().requires_grad_()
        mean = made(Y)
        means += [mean.detach(), *torch.autograd.grad(mean.square().sum(), Y)]
    torch.testing.assert_close(found, wanted)


def test_never_more_is_made_at_once() -> None:
    seen: list[int] = []

    def embed(X: Tensor) -> Tensor:
        seen.append(X.numel())
        return X.exp()

    X = torch.rand(1000, 3, requires_grad=True)
    expectation(embed, X, torch.full((1000,), 1e-3), few=0, at_once=100).sum().backward()
    assert max(seen) <= 100 and sum(seen) == 2 * X.numel()  # for the value, and for the slope


def test_features_that_ask_for_no_slope_need_none() -> None:
    X = torch.rand(50, 2)
    torch.testing.assert_close(expectation(torch.exp, X, torch.full((50,), 0.02), 0, 10), X.exp().mean(0))
