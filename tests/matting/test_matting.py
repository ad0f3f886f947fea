"""The matting Laplacian against three independent routes, its invariants, and the local affine maps.

The oracles follow the equations of Levin, Lischinski & Weiss (PAMI 2008), He, Sun & Tang (guided filter)
and the supplement of Luan et al., one window and one pixel at a time.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import sparse
from torch import Tensor

from photostyle.errors import ImageError
from photostyle.matting.guided import apply_affine, guided_maps, local_affine, smooth_local_affine
from photostyle.matting.laplacian import MattingLaplacian, matting_laplacian

Array = NDArray[np.float64]
SIZES = [(7, 9), (3, 3), (3, 8), (9, 4)]
A = torch.tensor([[0.5, 0.2, 0.1], [0.1, 0.6, 0.0], [-0.1, 0.2, 0.5]], dtype=torch.float64)
B = torch.tensor([0.05, 0.1, 0.2], dtype=torch.float64)


def recolored(image: Tensor) -> Tensor:
    """An affine change of colour that keeps [0, 1] in [0, 1]."""
    return torch.einsum("oc,chw->ohw", A, image) + B[:, None, None]


def dense(L: MattingLaplacian, H: int, W: int) -> Tensor:
    """L as an HW×HW matrix, column by column, through unit vectors."""
    unit = torch.eye(H * W, dtype=torch.float64).view(H * W, H, W)
    return (L @ unit).flatten(1).T


def windows(H: int, W: int) -> list[list[tuple[int, int]]]:
    """The pixels of every 3×3 window that lies inside the image."""
    return [[(y + dy, x + dx) for dy in range(3) for dx in range(3)] for y in range(H - 2) for x in range(W - 2)]


def by_equation_12(image: Tensor, epsilon: float) -> Array:
    """Levin's equation 12: L_ij = Σ_k (δ_ij − (1 + (I_i − μ_k)ᵀ (Σ_k + ε/|w| 1)⁻¹ (I_j − μ_k)) / |w|)."""
    I = image.double().numpy()
    _, H, W = I.shape
    L = np.zeros((H * W, H * W))
    for window in windows(H, W):
        colors = np.array([I[:, y, x] for y, x in window])  # 9×3
        μ = colors.mean(axis=0)
        Σ = sum(np.outer(c - μ, c - μ) for c in colors) / 9
        inverse = np.linalg.inv(Σ + epsilon / 9 * np.eye(3))
        for (yi, xi), ci in zip(window, colors, strict=True):
            for (yj, xj), cj in zip(window, colors, strict=True):
                δ = float((yi, xi) == (yj, xj))
                L[yi * W + xi, yj * W + xj] += δ - (1 + (ci - μ) @ inverse @ (cj - μ)) / 9
    return L


def by_projections(image: Tensor, epsilon: float) -> sparse.csr_array:
    """Levin's theorem 1: the window's energy min_{a,b} ‖G (a, b) − (V, 0)‖² is a projection off the columns of G.

    G has a row (I_i, 1) for each pixel and a row (√ε e_c, 0) for each channel.
    """
    I = image.double().numpy()
    _, H, W = I.shape
    rows, columns, values = [], [], []
    for window in windows(H, W):
        G = np.zeros((12, 4))
        G[:9, :3] = [I[:, y, x] for y, x in window]
        G[:9, 3] = 1
        G[9:, :3] = math.sqrt(epsilon) * np.eye(3)
        Q, _ = np.linalg.qr(G)
        R = (np.eye(12) - Q @ Q.T)[:9, :9]
        at = np.array([y * W + x for y, x in window])
        rows.append(np.repeat(at, 9))
        columns.append(np.tile(at, 9))
        values.append(R.ravel())
    entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    return sparse.coo_array(entries, shape=(H * W, H * W)).tocsr()


def by_least_squares(image: Tensor, V: Tensor, epsilon: float) -> float:
    """Levin's equation 3, extended to colour: Σ_k min_{a,b} Σ_{i∈k} (V_i − aᵀI_i − b)² + ε ‖a‖².

    Dividing Σ_i (V_i − aᵀI_i − b)² + ε ‖a‖² by |w| = 9 gives the mean square with ridge ε/9 on the
    covariance: the ε/|w| of equation 12. So the ε below stands undivided beside a sum over nine pixels.
    """
    I, planes = image.double().numpy(), V.double().numpy()
    total = 0.0
    for window in windows(*I.shape[1:]):
        G = np.zeros((12, 4))
        G[:9, :3] = [I[:, y, x] for y, x in window]
        G[:9, 3] = 1
        G[9:, :3] = math.sqrt(epsilon) * np.eye(3)
        for plane in planes:
            target = np.concatenate([[plane[y, x] for y, x in window], np.zeros(3)])
            ab = np.linalg.lstsq(G, target, rcond=None)[0]
            total += float(((G @ ab - target) ** 2).sum())
    return total


@pytest.mark.parametrize("epsilon", [1e-7, 1e-3, 1.0])
@pytest.mark.parametrize("size", SIZES)
def test_equals_levins_equation(picture, size: tuple[int, int], epsilon: float) -> None:
    I = picture(*size)
    L = dense(matting_laplacian(I, epsilon), *size).numpy()
    np.testing.assert_allclose(L, by_equation_12(I, epsilon), atol=1e-9)


@pytest.mark.parametrize("size", SIZES)
def test_equals_a_sparse_matrix_of_projections(picture, size: tuple[int, int]) -> None:
    I, V = picture(*size), picture(*size, seed=1)
    expected = by_projections(I, 1e-4) @ V.flatten(1).T.numpy()
    product = (matting_laplacian(I, 1e-4) @ V).flatten(1).T.numpy()
    np.testing.assert_allclose(product, expected, atol=1e-10)


@pytest.mark.parametrize("epsilon", [1e-5, 1e-2])
def test_energy_is_what_affine_functions_of_colour_leave_unexplained(picture, epsilon: float) -> None:
    I, V = picture(7, 9), picture(7, 9, seed=1)
    energy = float(matting_laplacian(I, epsilon).quadratic(V))
    assert energy == pytest.approx(by_least_squares(I, V, epsilon), rel=1e-9)


def gray(image: Tensor) -> Tensor:
    return image[:1].expand(3, -1, -1).contiguous()


KINDS = {
    "colour": lambda image: image,
    "gray": gray,
    "flat": lambda image: torch.full_like(image, 0.3),
    "two colours": lambda image: (image > 0.5).all(0, keepdim=True) * B[:, None, None] + 0.2,
    "black and white": lambda image: gray((image > 0.45).to(image)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_is_right_where_colours_lie_on_a_line(picture, kind: str) -> None:
    """The covariance of a gray window has rank one: only ε makes it invertible."""
    I = KINDS[kind](picture(7, 9))
    L = dense(matting_laplacian(I, 1e-7), 7, 9).numpy()
    np.testing.assert_allclose(L, by_projections(I, 1e-7).toarray(), atol=1e-5)


@pytest.mark.parametrize("epsilon", [1e-9, 1e-7, 1e-3])
@pytest.mark.parametrize("kind", KINDS)
def test_is_symmetric_and_positive_semidefinite(picture, kind: str, epsilon: float) -> None:
    L = dense(matting_laplacian(KINDS[kind](picture(7, 9)), epsilon), 7, 9)
    assert torch.equal(L, L.T)
    assert float(torch.linalg.eigvalsh(L).min()) > -1e-9


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_takes_constants_to_exactly_zero(picture, dtype: torch.dtype) -> None:
    L = matting_laplacian(picture(7, 9, dtype=dtype))
    V = torch.tensor([1.0, 0.3, 1e6], dtype=dtype)[:, None, None].expand(3, 7, 9)
    assert torch.equal(L @ V, torch.zeros_like(V))
    assert float(L.quadratic(V)) == 0.0


def test_an_affine_change_of_colour_costs_next_to_nothing(picture) -> None:
    I = picture(12, 15)
    L = matting_laplacian(I, epsilon=1e-9)
    noise = float(L.quadratic(picture(12, 15, seed=1)))
    assert 0 <= float(L.quadratic(recolored(I))) < 1e-6 * noise


def test_a_larger_epsilon_lets_colour_explain_less(picture) -> None:
    I, V = picture(8, 8), picture(8, 8, seed=1)
    energies = [float(matting_laplacian(I, epsilon).quadratic(V)) for epsilon in (1e-7, 1e-3, 1e-1, 10.0)]
    assert energies == sorted(energies) and energies[0] < energies[-1]


def test_gradient_of_the_energy_is_twice_the_product(picture) -> None:
    L, V = matting_laplacian(picture(7, 9)), picture(7, 9, seed=1).requires_grad_()
    (3 * L.quadratic(V)).backward()
    assert V.grad is not None
    torch.testing.assert_close(V.grad, 3 * 2 * (L @ V.detach()), rtol=1e-14, atol=1e-14)


def test_gradient_agrees_with_finite_differences(picture) -> None:
    L, V = matting_laplacian(picture(4, 5), 1e-3), picture(4, 5, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(L.quadratic, (V,))


def test_energy_adds_up_over_channels(picture) -> None:
    L, V = matting_laplacian(picture(7, 9)), picture(7, 9, seed=1)
    assert float(L.quadratic(V)) == pytest.approx(sum(float(L.quadratic(plane[None])) for plane in V))


def test_product_leaves_its_argument_alone(picture) -> None:
    L, V = matting_laplacian(picture(7, 9)), picture(7, 9, seed=1)
    before = V.clone()
    _ = L @ V
    assert torch.equal(V, before)


@pytest.mark.parametrize("size", SIZES)
def test_diagonal(picture, size: tuple[int, int]) -> None:
    L = matting_laplacian(picture(*size))
    torch.testing.assert_close(L.diagonal().flatten(), dense(L, *size).diagonal())


@pytest.mark.parametrize("size", [(2, 9), (9, 2), (1, 1)])
def test_an_image_without_a_window_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ImageError, match=f"at least 3×3 pixels, not {size[1]}×{size[0]}"):
        matting_laplacian(torch.zeros(3, *size))


def test_single_precision_agrees_with_double(picture) -> None:
    I, V = picture(12, 15), picture(12, 15, seed=1)
    exact = matting_laplacian(I, 1e-5)
    single = matting_laplacian(I.float(), 1e-5)
    product = single @ V.float()
    assert product.dtype == torch.float32 and single.diagonal().dtype == torch.float32
    torch.testing.assert_close(product.double(), exact @ V, rtol=1e-3, atol=1e-4)
    assert float(single.quadratic(V.float())) == pytest.approx(float(exact.quadratic(V)), rel=1e-4)


def cut_window(y: int, x: int, H: int, W: int, radius: int) -> list[tuple[int, int]]:
    """The pixels within `radius` of (y, x), those outside the image left out."""
    return [
        (v, u)
        for v in range(max(0, y - radius), min(H, y + radius + 1))
        for u in range(max(0, x - radius), min(W, x + radius + 1))
    ]


def ridge_regressions(image: Tensor, output: Tensor, ridge: float, radius: int) -> Array:
    """At each pixel [A | b] of min Σ_i ‖A I_i + b − O_i‖² / |ω| + ridge ‖A‖², one least-squares problem each."""
    I, O = image.numpy(), output.numpy()
    _, H, W = I.shape
    maps = np.zeros((3, 4, H, W))
    for y in range(H):
        for x in range(W):
            window = cut_window(y, x, H, W, radius)
            n = len(window)
            G = np.zeros((n + 3, 4))
            G[:n, :3] = [I[:, v, u] for v, u in window]
            G[:n, 3] = 1
            G[:n] /= math.sqrt(n)
            G[n:, :3] = math.sqrt(ridge) * np.eye(3)
            target = np.zeros((n + 3, 3))
            target[:n] = [O[:, v, u] / math.sqrt(n) for v, u in window]
            maps[:, :, y, x] = np.linalg.lstsq(G, target, rcond=None)[0].T
    return maps


@pytest.mark.parametrize(("ridge", "radius"), [(1e-3, 1), (1e-2, 2), (1e-6, 1)])
def test_local_affine_maps_are_ridge_regressions(picture, ridge: float, radius: int) -> None:
    I, O = picture(6, 7), picture(6, 7, seed=1)
    maps = local_affine(I, O, ridge, radius)
    np.testing.assert_allclose(maps.numpy(), ridge_regressions(I, O, ridge, radius), atol=1e-7)


def test_local_affine_maps_of_a_gray_photograph(picture) -> None:
    I, O = gray(picture(6, 7)), picture(6, 7, seed=1)
    np.testing.assert_allclose(local_affine(I, O, 1e-4).numpy(), ridge_regressions(I, O, 1e-4, 1), atol=1e-6)


@pytest.mark.parametrize("fit", [local_affine, lambda I, O, ridge, radius: guided_maps(O, I, radius, ridge)])
def test_maps_recover_an_affine_change_of_colour(picture, fit) -> None:
    I = picture(9, 8)
    maps = fit(I, recolored(I), 1e-9, 2)
    expected = torch.cat([A, B[:, None]], dim=1)[:, :, None, None].expand_as(maps)
    torch.testing.assert_close(maps, expected, rtol=0, atol=1e-5)


def test_guided_maps_are_means_over_the_windows_of_a_pixel(picture) -> None:
    I, O = picture(6, 7), picture(6, 7, seed=1)
    local = ridge_regressions(I, O, 1e-2, 2)
    expected = np.zeros_like(local)
    for y in range(6):
        for x in range(7):
            around = cut_window(y, x, 6, 7, 2)
            expected[:, :, y, x] = sum(local[:, :, v, u] for v, u in around) / len(around)
    np.testing.assert_allclose(guided_maps(O, I, 2, 1e-2).numpy(), expected, atol=1e-8)


def test_apply_affine_by_hand() -> None:
    maps = torch.zeros(3, 4, 1, 2)
    maps[:, :, 0, 0] = torch.tensor([[1.0, 2, 3, 4], [0, 0, 0, 5], [1, 0, 0, 0]])
    maps[0, 2, 0, 1] = 2.0
    image = torch.tensor([[[1.0, 7.0]], [[10.0, 8.0]], [[100.0, 9.0]]])
    expected = torch.tensor([[[325.0, 18.0]], [[5.0, 0.0]], [[1.0, 0.0]]])  # 1·1 + 2·10 + 3·100 + 4 = 325
    assert torch.equal(apply_affine(maps, image), expected)


def test_smoothing_an_affine_recolouring_returns_it(picture) -> None:
    I = picture(10, 12)
    smooth = smooth_local_affine(recolored(I), I, radius=3, edge=0.1, ridge=1e-9)
    torch.testing.assert_close(smooth, recolored(I), rtol=0, atol=1e-6)


def test_smoothing_is_a_bilateral_mean_of_the_maps(picture) -> None:
    I, O = picture(6, 7), picture(6, 7, seed=1)
    radius, edge = 2, 0.3
    maps = ridge_regressions(I, O - I, 1e-3, 1)  # leaning on no change
    maps[:, :3] += np.eye(3)[:, :, None, None]
    expected = np.zeros((3, 6, 7))
    image = I.numpy()
    for y in range(6):
        for x in range(7):
            mean, mass = np.zeros((3, 4)), 0.0
            for v, u in cut_window(y, x, 6, 7, radius):
                space = ((v - y) ** 2 + (u - x) ** 2) / (2 * (radius / 3) ** 2)
                color = ((image[:, v, u] - image[:, y, x]) ** 2).mean() / (2 * edge**2)
                w = math.exp(-space - color)
                mean += w * maps[:, :, v, u]
                mass += w
            mean /= mass
            expected[:, y, x] = mean[:, :3] @ image[:, y, x] + mean[:, 3]
    smooth = smooth_local_affine(O, I, radius, edge, ridge=1e-3)
    np.testing.assert_allclose(smooth.numpy(), expected.clip(0, 1), atol=1e-7)


def test_windows_that_do_not_count_are_left_out(picture) -> None:
    """Two halves, of which no window holds pixels of both, are two photographs."""
    I, V = picture(7, 12), picture(7, 12, seed=1)
    windows = torch.ones(5, 10).double()
    windows[:, 4:6] = 0  # those that reach over the middle
    parts = [float(matting_laplacian(I[:, :, half]).quadratic(V[:, :, half])) for half in (slice(6), slice(6, 12))]
    assert float(matting_laplacian(I, windows=windows).quadratic(V)) == pytest.approx(sum(parts))
    assert float(matting_laplacian(I, windows=2 * torch.ones(5, 10).double()).quadratic(V)) == pytest.approx(
        2 * float(matting_laplacian(I).quadratic(V))
    )
