"""Images as tensors: brought to size without losing their mean, and checked."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from photostyle.errors import ImageError
from photostyle.image import check_image, fit_size, resize, same_proportions, shrink


def picture(height: int = 24, width: int = 16) -> Tensor:
    """A smooth asymmetric image, 3×H×W."""
    y = torch.linspace(0, 1, height)[:, None].expand(height, width)
    x = torch.linspace(0, 1, width).expand(height, width)
    return torch.stack([x, y, (x + y) / 4])


@pytest.mark.parametrize("change", [resize, shrink])
@pytest.mark.parametrize("size", [(5, 7), (31, 40), (24, 16), (1, 1)])
def test_a_constant_stays_constant(change: object, size: tuple[int, int]) -> None:
    for dtype in (torch.float32, torch.float64):
        changed = change(torch.full((2, 24, 16), 0.3, dtype=dtype), size)  # type: ignore[operator]
        assert changed.shape == (2, *size) and changed.dtype == dtype
        assert torch.allclose(changed, torch.tensor(0.3, dtype=dtype), atol=1e-6)


def test_resize_to_the_same_size_changes_nothing() -> None:
    assert torch.equal(resize(picture(), (24, 16)), picture())


def test_resize_follows_a_ramp_and_stays_in_range() -> None:
    ramp = (torch.arange(64.0) + 0.5).expand(1, 8, 64) / 64
    for width in (32, 128):
        expected = (torch.arange(float(width)) + 0.5) / width
        inner = slice(width // 8, -width // 8)  # the border knows only one side
        assert torch.allclose(resize(ramp, (8, width))[0, 0, inner], expected[inner], atol=1e-3)
    edge = torch.zeros(1, 8, 8)
    edge[..., 4:] = 1
    assert resize(edge, (40, 40)).min() >= 0 and resize(edge, (40, 40)).max() <= 1  # Lanczos would overshoot


def test_resize_does_not_alias() -> None:
    stripes = (torch.arange(64) % 2).float().expand(1, 64, 64)
    assert (resize(stripes, (64, 16))[..., 2:-2] - 0.5).abs().max() < 0.05


def test_shrink_by_hand() -> None:
    image = torch.tensor([[[1.0, 2.0, 3.0], [4.0, 5.0, 9.0]]])  # 1×2×3
    assert shrink(image, (1, 1)).item() == pytest.approx(4)
    assert shrink(image, (1, 3))[0, 0].tolist() == pytest.approx([2.5, 3.5, 6])
    # Three columns become two: each takes one whole and half of the middle one.
    assert shrink(image, (2, 2))[0].flatten().tolist() == pytest.approx([4 / 3, 8 / 3, 13 / 3, 23 / 3])


def test_shrink_keeps_the_mean_and_the_gradient() -> None:
    image = torch.rand(3, 17, 23, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(shrink(image, (5, 7)).mean((1, 2)), image.mean((1, 2)))
    assert torch.autograd.gradcheck(lambda x: shrink(x, (2, 3)), image[:1, :5, :7].clone().requires_grad_())


def test_fit_size() -> None:
    assert fit_size(300, 400, 200) == (150, 200)
    assert fit_size(400, 300, 200) == (200, 150)
    assert fit_size(525, 700, 448) == (336, 448)
    assert fit_size(300, 400, 800) == (300, 400)
    assert fit_size(300, 400, 800, enlarge=True) == (600, 800)
    assert fit_size(1, 5000, 100) == (1, 100)


def test_check_image() -> None:
    check_image(picture(), "The style", least=16)
    wrong = picture()
    wrong[1, 2, 3] = float("nan")
    for image, sentence in [
        (picture()[:2], "The style must be a 3×H×W tensor of floats, not (2, 24, 16)."),
        (picture().byte(), "The style must be a 3×H×W tensor of floats, not (3, 24, 16)."),
        (picture()[:, :0], "The style is empty."),
        (picture(), "The style is 16×24 pixels: give a larger one, at least 32 on each side."),
        (wrong, "The style contains values that are not finite."),
    ]:
        with pytest.raises(ImageError) as caught:
            check_image(image, "The style", least=1 if image is wrong else 32)
        assert str(caught.value) == sentence


def test_same_proportions_whichever_side_is_rounded() -> None:
    def empty(height: int, width: int) -> Tensor:
        return torch.empty(1, height, width)

    assert same_proportions(empty(525, 700), empty(336, 448))
    assert same_proportions(empty(32, 384), empty(11, 128)) and same_proportions(empty(384, 32), empty(128, 11))
    assert same_proportions(empty(11, 128), empty(32, 384)) and same_proportions(empty(128, 11), empty(384, 32))
    # 333/4000 of 100 is 8.3: the labels have 8 rows; with 7 or 9 they are another picture's
    assert same_proportions(empty(8, 100), empty(333, 4000)) and same_proportions(empty(333, 4000), empty(8, 100))
    assert not same_proportions(empty(7, 100), empty(333, 4000)) and not same_proportions(
        empty(333, 4000), empty(9, 99)
    )
    assert not same_proportions(empty(525, 700), empty(300, 448)) and not same_proportions(empty(40, 60), empty(60, 40))


def test_a_small_picture_is_reduced_the_same_from_both_sides() -> None:
    """Seven pixels to one: blocks of two would leave one over."""
    image = torch.tensor([[[0.0, 1, 0, 0, 0, 1, 0]], [[1.0, 0, 1, 0, 0, 0, 0]], [[0.0, 1, 1, 1, 0, 0, 1]]])
    for size in ((1, 1), (1, 2)):
        torch.testing.assert_close(resize(image.flip(2), size), resize(image, size).flip(2), rtol=0, atol=1e-4)
