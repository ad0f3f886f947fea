"""The linear Monge–Kantorovich map: what it moves, and that it moves nothing in vain."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from photostyle.color.transport import covariance, directions, linear_transport, matrix_power


def cloud(seed: int, n: int = 200) -> Tensor:
    """Correlated colours 3×n."""
    generator = torch.Generator().manual_seed(seed)
    mix = torch.randn(3, 3, generator=generator, dtype=torch.float64)
    return mix @ torch.rand(3, n, generator=generator, dtype=torch.float64) + seed


def test_mean_and_covariance_arrive_exactly() -> None:
    x, y = cloud(1), cloud(2, n=150)
    A, b = linear_transport(x, y, ridge=0)
    moved = A @ x + b[:, None]
    torch.testing.assert_close(moved.mean(1), y.mean(1))
    torch.testing.assert_close(torch.cov(moved, correction=0), torch.cov(y, correction=0))


def test_equal_colours_stay() -> None:
    x = cloud(1)
    A, b = linear_transport(x, x[:, torch.arange(199, -1, -1)])
    torch.testing.assert_close(A, torch.eye(3, dtype=torch.float64))
    torch.testing.assert_close(b, torch.zeros(3, dtype=torch.float64), rtol=0, atol=1e-9)


def test_the_map_is_symmetric_and_positive() -> None:
    """Which makes it, of all maps between two Gaussians, the one that moves least (Brenier)."""
    A, _ = linear_transport(cloud(1), cloud(2), ridge=0)
    torch.testing.assert_close(A, A.T)
    assert float(torch.linalg.eigvalsh(A).min()) > 0


def test_no_map_of_the_same_effect_moves_less() -> None:
    x, y = cloud(1), cloud(2)
    A, b = linear_transport(x, y, ridge=0)
    Σx, Σy = covariance(x, 0), covariance(y, 0)
    # all linear maps that take Σx to Σy: Σy^½ Q Σx^-½ with Q orthogonal
    least = float((A @ x + b[:, None] - x).square().sum())
    for seed in range(20):
        noise = torch.randn(3, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        Q, _ = torch.linalg.qr(noise)
        other = matrix_power(Σy, 0.5) @ Q @ matrix_power(Σx, -0.5)
        torch.testing.assert_close(other @ Σx @ other.T, Σy)
        centred = other @ (x - x.mean(1, keepdim=True)) + y.mean(1, keepdim=True)
        assert float((centred - x).square().sum()) >= least


def test_uncorrelated_channels_are_stretched_by_hand() -> None:
    corners = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0], dtype=torch.float64)] * 3).T  # variance 1
    stretch = torch.tensor([[2.0], [0.5], [3.0]], dtype=torch.float64)
    A, b = linear_transport(corners, stretch * corners + 7, ridge=0)
    torch.testing.assert_close(A, torch.diag(stretch[:, 0]))
    torch.testing.assert_close(b, torch.full((3,), 7.0, dtype=torch.float64))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_flat_colour_is_moved_and_not_stretched_into_noise(dtype: torch.dtype) -> None:
    flat, y = torch.full((3, 50), 0.5, dtype=dtype), (cloud(2) / 20).to(dtype)
    A, b = linear_transport(flat, y)
    assert bool(A.isfinite().all())
    torch.testing.assert_close((A @ flat + b[:, None]).mean(1), y.mean(1), rtol=1e-4, atol=1e-4)
    A, b = linear_transport(y, flat)
    torch.testing.assert_close((A @ y + b[:, None]).mean(1), flat.mean(1), rtol=1e-4, atol=1e-4)
    assert float(torch.cov(A @ y).diagonal().max()) < 2e-4  # no more than the ridge


def test_directions_are_fixed_of_length_one_and_all_around() -> None:
    d = directions(2000)
    assert torch.equal(d, directions(2000)) and not torch.equal(d, directions(2000, seed=1))
    torch.testing.assert_close(d.norm(dim=1), torch.ones(2000))
    torch.testing.assert_close(d.T @ d / 2000, torch.eye(3) / 3, rtol=0, atol=0.02)


def test_covariance_by_hand() -> None:
    x = torch.tensor([[0.0, 2.0], [1.0, 5.0]])  # centred ±1 and ±2
    assert torch.equal(covariance(x, 0.5), torch.tensor([[1.5, 2.0], [2.0, 4.5]]))


@pytest.mark.parametrize("exponent", [0.5, -0.5, 2.0, 1.0])
def test_matrix_power(exponent: float) -> None:
    M = covariance(cloud(3), 0.1)
    torch.testing.assert_close(matrix_power(matrix_power(M, exponent), 1 / exponent), M)
    torch.testing.assert_close(matrix_power(M, 2.0), M @ M)
    torch.testing.assert_close(
        matrix_power(M, 0.5) @ matrix_power(M, -0.5), torch.eye(3, dtype=torch.float64), rtol=0, atol=1e-9
    )
