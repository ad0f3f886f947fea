"""Mattes against the dense equations, known answers, and what must hold of any matte."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

import photostyle.matting.alpha
import photostyle.matting.equations
import photostyle.matting.precondition
from photostyle.errors import ImageError
from photostyle.matting.alpha import find_alpha
from photostyle.matting.foreground import composite, find_foreground
from photostyle.matting.scribbles import trimap_from_scribbles

Picture = Callable[..., Tensor]
NAN = float("nan")
RED, BLUE = torch.tensor([0.9, 0.3, 0.1]).double(), torch.tensor([0.1, 0.4, 0.8]).double()


def sides(height: int, width: int, edge: int = 1) -> Tensor:
    """Background at the left, foreground at the right, all between unknown."""
    trimap = torch.full((height, width), NAN).double()
    trimap[:, :edge], trimap[:, -edge:] = 0, 1
    return trimap


def spots(height: int, width: int) -> Tensor:
    """A pixel of foreground, one of background and an unknown border all around."""
    trimap = torch.full((height, width), 0.5).double()
    trimap[height // 2, width // 3], trimap[height // 3, width // 2] = 0.95, 0.05
    return trimap


def blob(height: int, width: int) -> Tensor:
    """The alpha of a soft disc."""
    y, x = torch.meshgrid(torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij")
    return ((0.6 - (x * x + y * y).sqrt()) / 0.2 + 0.5).clamp(0, 1).double()


def around(alpha: Tensor) -> Tensor:
    """A trimap that leaves what is nearly sure, and all between, unknown."""
    return torch.where(alpha == alpha.round(), alpha, NAN)


def mixed(alpha: Tensor) -> Tensor:
    """Red by `alpha` over blue."""
    return alpha * RED[:, None, None] + (1 - alpha) * BLUE[:, None, None]


def by_equation(image: Tensor, trimap: Tensor, epsilon: float) -> NDArray[np.float64]:
    """Levin's L (equation 12) as a dense matrix, window by window, and L_UU α_U = −L_UK α_K by elimination."""
    I = image.double().numpy()
    _, H, W = I.shape
    L = np.zeros((H * W, H * W))
    for y in range(H - 2):
        for x in range(W - 2):
            window = [(y + dy) * W + x + dx for dy in range(3) for dx in range(3)]
            colors = I.reshape(3, -1)[:, window].T  # 9×3
            D = colors - colors.mean(0)
            inverse = np.linalg.inv(D.T @ D / 9 + epsilon / 9 * np.eye(3))
            L[np.ix_(window, window)] += np.eye(9) - (1 + D @ inverse @ D.T) / 9
    t = trimap.numpy().ravel()
    foreground, background = t >= 0.9, t <= 0.1
    U = ~(foreground | background)
    alpha = foreground.astype(float)
    alpha[U] = np.linalg.solve(L[np.ix_(U, U)], -L[np.ix_(U, foreground)].sum(1))
    return alpha.clip(0, 1).reshape(H, W)


@pytest.mark.parametrize("known", [sides, spots])
@pytest.mark.parametrize("size", [(10, 11), (9, 6), (4, 13), (3, 17), (17, 3), (16, 16)])
def test_equals_the_dense_equations(picture: Picture, size: tuple[int, int], known: Callable[..., Tensor]) -> None:
    I, trimap = picture(*size), known(*size)
    alpha = find_alpha(I, trimap, epsilon=1e-4, tolerance=1e-11)
    np.testing.assert_allclose(alpha.numpy(), by_equation(I, trimap, 1e-4), atol=1e-7)


@pytest.mark.parametrize("size", [(11, 14), (16, 16)])
def test_one_color_and_gray(picture: Picture, size: tuple[int, int]) -> None:
    """Where colour says nothing, or little, the equations still have their one solution."""
    for I in (torch.full((3, *size), 0.4).double(), picture(*size)[:1].expand(3, -1, -1)):
        alpha = find_alpha(I, sides(*size), epsilon=1e-3, tolerance=1e-11)
        np.testing.assert_allclose(alpha.numpy(), by_equation(I, sides(*size), 1e-3), atol=1e-6)


def test_two_flat_colors_are_unmixed() -> None:
    """α is affine in colour everywhere, so the trimap's two sides decide it."""
    alpha = blob(40, 50)
    found = find_alpha(mixed(alpha), around(alpha))
    torch.testing.assert_close(found, alpha, atol=2e-3, rtol=0)


def test_without_unknown_pixels_the_trimap_is_the_answer(picture: Picture) -> None:
    trimap = torch.tensor([0.0, 0.1, 0.9, 1.0], dtype=torch.float64).repeat(8, 2)
    expected = torch.tensor([0.0, 0.0, 1.0, 1.0]).double().repeat(8, 2)
    assert torch.equal(find_alpha(picture(8, 8), trimap), expected)


def test_what_is_known_stays_and_all_is_in_range(picture: Picture) -> None:
    I, trimap = picture(20, 23), spots(20, 23)
    alpha = find_alpha(I.float(), trimap)
    assert alpha.dtype == torch.float32
    assert alpha[10, 7] == 1 and alpha[6, 11] == 0
    assert float(alpha.min()) >= 0 and float(alpha.max()) <= 1


def test_foreground_and_background_exchanged(picture: Picture) -> None:
    I, trimap = picture(14, 19), sides(14, 19)
    torch.testing.assert_close(find_alpha(I, 1 - trimap), 1 - find_alpha(I, trimap), atol=1e-4, rtol=0)


@pytest.mark.parametrize("turn", [lambda x: x.flip(-1), lambda x: x.flip(-2), lambda x: x.transpose(-1, -2)])
def test_turning_the_photograph_turns_the_matte(picture: Picture, turn: Callable[[Tensor], Tensor]) -> None:
    I, trimap = picture(14, 19), spots(14, 19)
    turned = find_alpha(turn(I), turn(trimap), tolerance=1e-9)
    torch.testing.assert_close(turned, turn(find_alpha(I, trimap, tolerance=1e-9)), atol=1e-5, rtol=0)


def test_windows_are_looked_at_in_parts(picture: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    I, trimap = picture(12, 13), sides(12, 13)
    whole = find_alpha(I, trimap, tolerance=1e-10)
    monkeypatch.setattr(photostyle.matting.equations, "_CHUNK", 7)
    torch.testing.assert_close(find_alpha(I, trimap, tolerance=1e-10), whole, atol=1e-8, rtol=0)


def test_tens_of_steps_are_enough(picture: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the affine part of the preconditioner the same equation takes more than five times as many."""
    steps = []

    def counted(call: Callable[..., Tensor]) -> Callable[..., Tensor]:
        return lambda affine, r: (steps.append(r), call(affine, r))[1]

    I, trimap, counts = picture(48, 64), sides(48, 64, edge=4), []
    for call in (photostyle.matting.precondition.Affine.__call__, lambda _, r: torch.zeros_like(r)):
        monkeypatch.setattr(photostyle.matting.precondition.Affine, "__call__", counted(call))
        find_alpha(I, trimap, epsilon=1e-4, tolerance=1e-5)
        counts.append(len(steps))
        steps.clear()
    assert counts[0] < 60 and counts[1] > 5 * counts[0]


@pytest.mark.parametrize("size", [(64, 80), (63, 77)])
def test_coarse_to_fine(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """With less to be solved for at once, the same matte within a few thousandths, by way of half the size."""
    alpha = blob(*size)
    I, trimap = mixed(alpha), torch.full(size, NAN).double()
    trimap[:4], trimap[size[0] // 2 - 3 : size[0] // 2 + 3, size[1] // 2 - 3 : size[1] // 2 + 3] = 0, 1
    sizes = []
    solve = photostyle.matting.alpha._solve_equations

    def watched(I: Tensor, known: Tensor, *rest: Any) -> Tensor:
        sizes.append((*known.shape, int(known.isnan().sum())))
        return solve(I, known, *rest)

    monkeypatch.setattr(photostyle.matting.alpha, "_solve_equations", watched)
    monkeypatch.setattr(photostyle.matting.alpha, "_MOST", 3000)
    found = find_alpha(I, trimap)
    half = (size[0] + 1) // 2, (size[1] + 1) // 2
    assert [s[:2] for s in sizes] == [half, size] and sizes[1][2] < 3000
    assert float((found - alpha).abs().mean()) < 3e-3
    assert torch.equal(found[trimap == 1], trimap[trimap == 1])

    monkeypatch.setattr(photostyle.matting.alpha, "_MOST", 1200)  # nothing is solved for at full size
    sizes.clear()
    found = find_alpha(I, trimap)
    assert max(s[:2] for s in sizes) == half
    assert float((found - alpha).abs().mean()) < 1e-2


@pytest.mark.parametrize(
    ("image", "trimap", "words"),
    [
        (torch.rand(3, 9, 9), torch.zeros(9, 9), "No foreground is marked"),
        (torch.rand(3, 9, 9), torch.full((9, 9), NAN), "No foreground is marked"),
        (torch.rand(3, 9, 9), torch.ones(9, 9), "No background is marked"),
        (torch.rand(3, 9, 9), torch.ones(9, 8), "The trimap has 8×9 pixels and the photograph 9×9"),
        (torch.rand(3, 2, 9), torch.ones(2, 9), "at least 3"),
        (torch.rand(1, 9, 9), torch.ones(9, 9), "3×H×W"),
        (torch.full((3, 9, 9), NAN), torch.ones(9, 9), "not finite"),
    ],
)
def test_what_cannot_be_matted_is_said(image: Tensor, trimap: Tensor, words: str) -> None:
    with pytest.raises(ImageError, match=words):
        find_alpha(image, trimap)


def test_agrees_with_pymatting(picture: Picture) -> None:
    pytest.importorskip("pymatting")
    theirs: Any = importlib.import_module("pymatting.alpha.estimate_alpha_cf").estimate_alpha_cf
    alpha = blob(60, 80)
    I = alpha * picture(60, 80) + (1 - alpha) * picture(60, 80, seed=1).flip(0)
    trimap = around(alpha).nan_to_num(0.5)
    expected = theirs(I.permute(1, 2, 0).contiguous().numpy(), trimap.numpy())
    assert np.abs(find_alpha(I, trimap).numpy() - expected)[trimap.numpy() == 0.5].mean() < 1e-3


def test_foreground_is_near_the_least_energy(picture: Picture) -> None:
    """The energy is quadratic: its least value comes from its Hessian and its gradient at zero."""
    α = blob(9, 7)
    I = (α * picture(9, 7) + (1 - α) * picture(9, 7, seed=1))[:1].expand(3, -1, -1)

    def energy(x: Tensor) -> Tensor:
        foreground, background = x.view(2, 9, 7)
        total = (α * foreground + (1 - α) * background - I[0]).square().sum()
        for dim in (-2, -1):
            w = 1e-5 + 0.1 * α.diff(dim=dim).abs()
            for plane in (foreground, background):
                total = total + (w * plane.diff(dim=dim).square()).sum()
        return total

    zero = torch.zeros(2 * 9 * 7).double().requires_grad_()
    (gradient,) = torch.autograd.grad(energy(zero), zero)
    hessian: Any = torch.autograd.functional.hessian(energy, zero)
    least = energy(torch.linalg.solve(hessian, -gradient))
    found = energy(torch.stack([x[0] for x in find_foreground(I, α)]).flatten())
    assert least <= found < 1.3 * least < 0.3 * energy(torch.stack([I[0], I[0]]).flatten())


@pytest.mark.parametrize("size", [(40, 50), (41, 53)])
def test_two_flat_colors_are_found_again(size: tuple[int, int]) -> None:
    alpha = blob(*size)
    foreground, background = find_foreground(mixed(alpha), alpha)
    assert float(((foreground - RED[:, None, None]) * alpha).abs().max()) < 0.02
    assert float(((background - BLUE[:, None, None]) * (1 - alpha)).abs().max()) < 0.02


def test_foreground_and_background_give_the_photograph_back(picture: Picture) -> None:
    alpha = blob(40, 50)
    I = alpha * picture(40, 50) + (1 - alpha) * picture(40, 50, seed=1)
    foreground, background = find_foreground(I, alpha)
    assert float((composite(foreground, alpha, background) - I).abs().mean()) < 2e-3
    for x, sure in ((foreground, alpha == 1), (background, alpha == 0)):
        torch.testing.assert_close(x[:, sure], I[:, sure], atol=5e-3, rtol=0)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (9, 2)])
def test_foreground_of_next_to_nothing(picture: Picture, size: tuple[int, int]) -> None:
    I = picture(*size)
    foreground, _ = find_foreground(I, torch.ones(size))
    torch.testing.assert_close(foreground, I, atol=1e-4, rtol=0)


def test_composite_by_hand() -> None:
    foreground, alpha = torch.full((3, 1, 2), 0.8), torch.tensor([[1.0, 0.25]])
    expected = torch.tensor([[[0.8, 0.35]]]).expand(3, 1, 2)
    for background in (torch.full((3, 1, 2), 0.2), torch.full((3, 1, 1), 0.2)):
        torch.testing.assert_close(composite(foreground, alpha, background), expected)
    with pytest.raises(ImageError, match="The background has 3×1 pixels and the photograph 2×1"):
        composite(foreground, alpha, torch.zeros(3, 1, 3))
    with pytest.raises(ImageError, match="The alpha matte has 3×1"):
        composite(foreground, torch.zeros(1, 3), torch.zeros(3, 1, 2))


@pytest.fixture
def strokes() -> Tensor:
    """Where strokes are, H×W: 1, 0, NaN elsewhere."""
    trimap = torch.full((30, 40), NAN).double()
    trimap[5:8, 4:20], trimap[20:24, 10:35] = 1, 0
    return trimap


def test_scribbles_over_photograph_gray_and_layer(picture: Picture, strokes: Tensor) -> None:
    I = picture(30, 40)
    I[:, :4] = 0.97  # a white sky and a black ground, without strokes
    I[:, -4:] = 0.02
    for ground in (I, torch.full_like(I, 0.5)):
        found = trimap_from_scribbles(torch.where(strokes.isnan(), ground, strokes), I)
        torch.testing.assert_close(found, strokes, equal_nan=True)
    layer, opacity = torch.where(strokes.isnan(), torch.ones_like(I), strokes), (~strokes.isnan()).double()
    torch.testing.assert_close(trimap_from_scribbles(layer, I, opacity), strokes, equal_nan=True)


def test_a_white_stroke_over_white_is_seen_over_gray_only(picture: Picture, strokes: Tensor) -> None:
    I = picture(30, 40)
    I[:, :10] = 0.99
    over = trimap_from_scribbles(torch.where(strokes.isnan(), I, strokes), I)
    assert not (over == 1).any() and torch.equal(over == 0, strokes == 0)
    gray = trimap_from_scribbles(torch.where(strokes.isnan(), 0.5, strokes).expand(3, -1, -1), I)
    torch.testing.assert_close(gray, strokes, equal_nan=True)


def test_scribbles_that_mean_nothing(picture: Picture, strokes: Tensor) -> None:
    I = picture(30, 40)
    with pytest.raises(ImageError, match="More than half of the scribbles is white or black"):
        trimap_from_scribbles(strokes.nan_to_num(1.0).expand(3, -1, -1), I)
    with pytest.raises(ImageError, match="The picture of the scribbles has 40×29 pixels"):
        trimap_from_scribbles(I[:, 1:], I)
    with pytest.raises(ImageError, match="No foreground is marked"):
        find_alpha(I, trimap_from_scribbles(I, I))
