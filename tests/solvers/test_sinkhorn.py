"""Unbalanced transport against hand-made plans, its own limits, and numerical slopes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from photostyle.solvers.sinkhorn import half_divergence, plan, self_cost, self_plan, squared_distances, targets

NONE = torch.zeros(60, 60, dtype=torch.float64)


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_with_little_entropy_the_balanced_plan_is_the_best_assignment() -> None:
    x = torch.tensor([[0.0, 1.0, 2.0]]).double()
    y = torch.tensor([[2.1, 0.1, 1.1]]).double()
    P, _, _ = plan(squared_distances(x, y), 0.01, None)
    torch.testing.assert_close(3 * P, torch.eye(3).double()[[1, 2, 0]], atol=1e-6, rtol=0)


def test_balanced_plans_have_their_marginals() -> None:
    P, _, _ = plan(squared_distances(random(3, 7), random(3, 5, seed=1)), 0.3, None)
    torch.testing.assert_close(P.sum(0), torch.full((5,), 0.2).double(), atol=1e-6, rtol=0)
    torch.testing.assert_close(P.sum(1), torch.full((7,), 1 / 7).double(), atol=1e-4, rtol=0)


def test_what_is_far_stays_behind() -> None:
    x = torch.tensor([[0.0, 0.1]]).double()
    y = torch.tensor([[0.0, 10.0]]).double()
    P, _, _ = plan(squared_distances(x, y), 0.01, 0.1)
    assert float(P[:, 1].sum()) < 1e-6
    assert float(P[:, 0].sum()) > 0.4


def test_a_cloud_is_not_drawn_away_from_itself() -> None:
    x = random(3, 40)
    goal, weight = targets(x, x[:, torch.randperm(40)], NONE[:40, :40], NONE[:40, :40], 0.01, 0.2)
    torch.testing.assert_close(goal, x, atol=2e-3, rtol=0)
    assert float(weight.sum()) == pytest.approx(1)


def test_a_shifted_cloud_is_drawn_back() -> None:
    x = random(3, 60)
    goal, _ = targets(x, x + 0.1, NONE, NONE, 0.01, None)
    torch.testing.assert_close((goal - x).mean(1), torch.full((3,), 0.1).double(), atol=0.02, rtol=0)


def test_the_divergence_is_zero_for_equals_and_positive_else() -> None:
    x, y, none = random(3, 30), random(3, 30, seed=1).square(), NONE[:30, :30]
    rest = 0.5 * self_cost(x, none, 0.01, 0.2)
    assert float(half_divergence(x.flip(1), x, none, none, 0.01, 0.2)) - rest == pytest.approx(0, abs=1e-4)
    assert float(half_divergence(y, x, none, none, 0.01, 0.2)) - rest > 1e-3


def test_its_slope_is_that_of_its_values() -> None:
    x, y, extra, own = random(3, 6), random(3, 5, seed=1), 0.1 * random(6, 5, seed=2), 0.1 * random(6, 6, seed=3)
    own = own + own.T
    x.requires_grad_()
    (slope,) = torch.autograd.grad(half_divergence(x, y, extra, own, 0.1, 0.5), x)
    step = 1e-5
    for c, i in ((0, 0), (1, 3), (2, 5)):
        moved = torch.zeros_like(x)
        moved[c, i] = step
        high, low = (float(half_divergence(x.detach() + s * moved, y, extra, own, 0.1, 0.5)) for s in (1, -1))
        assert float(slope[c, i]) == pytest.approx((high - low) / (2 * step), rel=1e-3, abs=1e-6)


def test_the_plan_of_one_cloud_is_symmetric() -> None:
    P, f = self_plan(squared_distances(random(3, 9), random(3, 9)), 0.02, 0.1)
    torch.testing.assert_close(P, P.T)
    assert f.shape == (9,)
