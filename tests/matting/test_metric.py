"""Conjugate gradients and the matting metric, against dense solves; and descent with a metric."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from walking import walk

from photostyle.descent.descend import descend
from photostyle.matting.laplacian import matting_laplacian
from photostyle.matting.metric import MattingMetric
from photostyle.solvers.cg import conjugate_gradients
from photostyle.terms.energy import energy
from photostyle.terms.photorealism import matting

H, W = 6, 7

examples = settings(max_examples=30, derandomize=True, deadline=None, database=None)


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def dense(metric: MattingMetric) -> Tensor:
    """κ𝟙 + M as an HW×HW matrix, column by column."""
    unit = torch.eye(H * W, dtype=torch.float64).view(H * W, H, W)
    return (metric @ unit).flatten(1).T


@examples
@given(st.integers(1, 12), st.integers(0, 1000), st.booleans())
def test_conjugate_gradients_solve(n: int, seed: int, guessed: bool) -> None:
    B = random(n, n, seed=seed)
    A, b = B @ B.T + torch.eye(n, dtype=torch.float64), random(n, seed=seed + 1)
    guess = random(n, seed=seed + 2) if guessed else None
    before = b.clone(), guess.clone() if guess is not None else None
    inverse = 1 / A.diagonal()
    x = conjugate_gradients(A, b, lambda r: inverse * r, 1e-12, 100, guess)
    torch.testing.assert_close(x, torch.linalg.solve(A, b), rtol=1e-8, atol=1e-8)
    assert torch.equal(b, before[0]) and (guess is None or torch.equal(guess, before[1]))


def test_conjugate_gradients_stop_in_time() -> None:
    calls = 0

    def counted(r: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        return r

    A, b = torch.diag(torch.logspace(0, 6, 20, dtype=torch.float64)), torch.ones(20, dtype=torch.float64)
    conjugate_gradients(A, b, counted, 1e-12, 3)
    assert calls == 3
    x = conjugate_gradients(A, b, counted, 1.0, 3)
    assert calls == 3 and not x.any()  # zero is near enough


def test_the_metric_is_a_dense_solve(picture) -> None:
    metric = MattingMetric(matting_laplacian(picture(H, W), 1e-3), floor=0.05, tolerance=1e-12, most=1000)
    g = random(3, H, W)
    expected = torch.linalg.solve(dense(metric), g.flatten(1).T).T.view_as(g)
    torch.testing.assert_close(metric(g), expected, rtol=1e-8, atol=1e-8)


@examples
@given(st.integers(0, 1000), st.sampled_from([1e-7, 1e-3, 1e-1]))
def test_the_laplacian_lies_between_0_and_9(seed: int, epsilon: float) -> None:
    I = torch.rand(3, H, W, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    λ = torch.linalg.eigvalsh(dense(MattingMetric(matting_laplacian(I, epsilon), floor=0.0)))
    assert float(λ.min()) > -1e-6 and float(λ.max()) <= 9


def test_the_metric_goes_far_along_what_keeps_a_photograph(picture) -> None:
    """A change that is affine in colour goes 1/κ, as far as there is; the grain of one pixel hardly at all."""
    I = picture(H, W)
    metric = MattingMetric(matting_laplacian(I, 1e-7), floor=0.01, tolerance=1e-9, most=1000)
    affine = 0.3 * I + 0.1
    torch.testing.assert_close(metric(affine), affine / 0.01, rtol=1e-3, atol=0)
    grain = torch.zeros(1, H, W, dtype=torch.float64)
    grain[0, 2, 3] = 1
    assert 0 < float((grain * metric(grain)).sum()) < 0.5 / 0.01


@pytest.mark.parametrize("stiff", [1e2, 1e6])
def test_with_its_metric_a_stiff_quadratic_takes_few_steps(picture, stiff: float) -> None:
    """½ ‖V − T‖² + stiff · VᵀMV: the minimum is that of a dense solve, in steps that do not grow with stiffness."""
    M = matting_laplacian(picture(H, W), 1e-3)
    T = random(3, H, W)
    L = energy("near", {"image"}, lambda f: (f["image"] - T).square().sum() / 2) + stiff * matting(M)
    metric = MattingMetric(M, floor=1 / (2 * stiff), tolerance=1e-10, most=1000)
    expected = torch.linalg.solve(2 * stiff * dense(metric), T.flatten(1).T).T.view_as(T)
    steps = descend(L, lambda x, _: {"image": x}, torch.zeros_like(T), stage="s", steps=6, metric=metric)
    torch.testing.assert_close(walk(steps)[1], expected, rtol=0, atol=1e-5)
    plain = descend(L, lambda x, _: {"image": x}, torch.zeros_like(T), stage="s", steps=6)
    assert float((walk(plain)[1] - expected).abs().max()) > 1e-2


def test_adam_takes_no_metric(picture, network) -> None:
    E = energy("two", {"two"}, lambda f: f["two"].square().sum())
    with pytest.raises(ValueError, match="Adam"):
        walk(descend(E, network, picture(H, W), stage="s", steps=1, optimizer="adam", metric=torch.clone))


def test_the_metric_of_pixels_is_no_metric(picture, network) -> None:
    E = energy("two", {"two"}, lambda f: f["two"].square().sum())
    one, other = (
        walk(descend(E, network, picture(H, W), stage="s", steps=5, metric=metric))[1] for metric in (None, torch.clone)
    )
    assert torch.equal(one, other)
