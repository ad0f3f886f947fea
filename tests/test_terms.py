"""The terms by hand, against loops, and by what must not change them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from photostyle.energy import Energy, Features
from photostyle.errors import ImageError
from photostyle.matting import matting_laplacian
from photostyle.terms import (
    augmented_style,
    chroma_variation,
    color,
    content,
    gamut,
    gram,
    matting,
    pyramid_matting,
    regional_grams,
    style,
    total_variation,
)


def value(E: Energy, features: Features) -> float:
    (part,) = E.parts(features).values()
    return float(part)


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_gram_by_hand() -> None:
    features = torch.tensor([[[1.0, 2.0], [3.0, 4.0]], [[0.0, 1.0], [0.0, -1.0]]])
    # rows (1, 2, 3, 4) and (0, 1, 0, −1): 1 + 4 + 9 + 16 = 30, 2 − 4 = −2, 1 + 1 = 2
    assert torch.equal(gram(features), torch.tensor([[30.0, -2.0], [-2.0, 2.0]]))


def test_gram_with_a_mask_by_hand() -> None:
    features = torch.tensor([[[1.0, 2.0], [3.0, 4.0]], [[0.0, 1.0], [0.0, -1.0]]])
    mask = torch.tensor([[1.0, 0.5], [0.0, 0.0]])
    # only (1, 0) with weight 1 and (2, 1) with weight ½: 1 + ½·4 = 3, ½·2 = 1, ½·1
    grams = regional_grams(features, mask[None])
    torch.testing.assert_close(grams[0] * mask.sum() * 2, torch.tensor([[3.0, 1.0], [1.0, 0.5]]))


def test_regional_grams_do_not_depend_on_how_strong_a_mask_is() -> None:
    features, masks = random(3, 4, 5), random(2, 4, 5, seed=1)
    torch.testing.assert_close(regional_grams(features, 0.25 * masks), regional_grams(features, masks))


def test_regional_grams_of_a_half_mask_are_those_of_the_crop() -> None:
    features = random(3, 4, 6)
    masks = torch.zeros(2, 4, 6, dtype=torch.float64)
    masks[0, :, :2] = masks[1, :, 2:] = 1
    left, right = regional_grams(features, masks)
    # mass × channels = 4·2·3 and 4·4·3
    torch.testing.assert_close(left, gram(features[:, :, :2]) / 24)
    torch.testing.assert_close(right, gram(features[:, :, 2:]) / 48)


def test_regional_grams_weighted_by_mass_add_up_to_the_whole() -> None:
    features, masks = random(3, 5, 5), torch.softmax(9 * random(3, 5, 5, seed=1), dim=0)
    masses = masks.sum((1, 2))
    total = (regional_grams(features, masks) * masses.view(-1, 1, 1)).sum(0) * 3
    torch.testing.assert_close(total, gram(features))


def test_regional_grams_do_not_depend_on_how_often_a_picture_is_tiled() -> None:
    features, masks = random(3, 4, 5), random(2, 4, 5, seed=1)
    tiled = regional_grams(features.repeat(1, 3, 2), masks.repeat(1, 3, 2))
    torch.testing.assert_close(tiled, regional_grams(features, masks))


@pytest.mark.parametrize("soft", [True, False])
def test_regional_grams_and_their_gradient_by_pixels(soft: bool) -> None:
    """Σ_i M_i F_i F_iᵀ / (C Σ_i M_i), summed pixel by pixel, one region empty."""
    features = random(3, 2, 4).requires_grad_()
    masks = random(3, 2, 4, seed=1) if soft else (random(3, 2, 4, seed=1) > 0.5).double()
    masks[2] = 0
    loops = torch.zeros(3, 3, 3, dtype=torch.float64)
    for c in range(2):
        for y in range(2):
            for x in range(4):
                loops[c] += masks[c, y, x] * features[:, y, x].outer(features[:, y, x])
        loops[c] /= 3 * masks[c].sum()
    grams = regional_grams(features, masks)
    torch.testing.assert_close(grams, loops)
    weights = random(3, 3, 3, seed=2)  # not symmetric: the gradient must not assume it
    torch.testing.assert_close(
        torch.autograd.grad((weights * grams).sum(), features),
        torch.autograd.grad((weights * loops).sum(), features),
    )
    assert torch.autograd.gradcheck(lambda f: regional_grams(f, masks), (features,))


def test_an_empty_region_has_a_gram_matrix_of_zeros() -> None:
    masks = torch.stack([torch.zeros(4, 5), torch.ones(4, 5)]).double()
    empty, full = regional_grams(random(3, 4, 5), masks)
    assert torch.equal(empty, torch.zeros(3, 3, dtype=torch.float64))
    assert bool((full > 0).all())


def test_an_empty_region_has_a_finite_gradient() -> None:
    features = random(3, 4, 5).requires_grad_()
    masks = torch.stack([torch.zeros(4, 5), torch.ones(4, 5)]).double()
    E = augmented_style({"a": random(3, 4, 5, seed=1)}, {"a": masks}, {"a": masks}, {"a": 1.0})
    E.parts({"a": features})["style"].backward()
    assert features.grad is not None and bool(features.grad.isfinite().all())


def test_content_by_hand() -> None:
    target = {"a": torch.zeros(1, 2, 2), "b": torch.ones(2, 1, 1)}
    features = {"a": torch.tensor([[[1.0, 2.0], [0.0, 1.0]]]), "b": torch.tensor([[[4.0]], [[1.0]]])}
    # a: (1 + 4 + 0 + 1) / 4 = 1.5; b: (9 + 0) / 2 = 4.5; 2 · 1.5 + 1 · 4.5
    assert value(content(target, {"a": 2.0, "b": 1.0}), features) == 7.5


def test_content_is_zero_for_the_photograph_itself() -> None:
    features = {"a": random(3, 4, 5)}
    assert value(content(features, {"a": 3.0}), features) == 0.0


def test_style_by_hand() -> None:
    features, target = {"a": torch.tensor([[[2.0, 0.0]]])}, {"a": torch.tensor([[[1.0, 1.0]]])}
    # Gram matrices 4/2 and 2/2, their squared difference 1
    assert value(style(target, {"a": 5.0}), features) == 5.0


def test_style_is_zero_for_the_style_itself_however_its_pixels_lie() -> None:
    features = random(3, 4, 5)
    shuffled = features.flatten(1)[:, torch.randperm(20, generator=torch.Generator().manual_seed(2))].view(3, 5, 4)
    E = style({"a": features}, {"a": 1.0})
    assert value(E, {"a": features}) == 0.0
    assert value(E, {"a": shuffled}) == pytest.approx(0.0, abs=1e-25)
    assert value(E, {"a": 2 * features}) > 0.01


def test_style_compares_pictures_of_different_sizes() -> None:
    features = random(3, 4, 5)
    assert value(style({"a": features}, {"a": 1.0}), {"a": features.repeat(1, 2, 3)}) == pytest.approx(0)


def test_augmented_style_with_one_full_mask_is_style() -> None:
    features, target = {"a": random(3, 4, 5)}, {"a": random(3, 6, 2, seed=1)}
    full, target_full = torch.ones(1, 4, 5).double(), torch.ones(1, 6, 2).double()
    regional = augmented_style(target, {"a": target_full}, {"a": full}, {"a": 2.0})
    assert value(regional, features) == pytest.approx(value(style(target, {"a": 2.0}), features))
    assert value(regional, features) > 0


def test_augmented_style_of_halves_is_the_sum_over_crops() -> None:
    features, target = random(3, 4, 6), random(3, 4, 6, seed=1)
    left = torch.zeros(4, 6).double()
    left[:, :3] = 1
    masks = {"a": torch.stack([left, 1 - left])}
    crops = sum(
        value(style({"a": target[:, :, half]}, {"a": 1.0}), {"a": features[:, :, half]})
        for half in (slice(0, 3), slice(3, 6))
    )
    E = augmented_style({"a": target}, masks, masks, {"a": 1.0})
    assert value(E, {"a": features}) == pytest.approx(crops)


def test_augmented_style_pairs_regions_wherever_they_lie() -> None:
    """The style with its halves exchanged, masks and all, is the same style."""
    target = random(3, 4, 6)
    left = torch.zeros(4, 6).double()
    left[:, :3] = 1
    masks, exchanged = torch.stack([left, 1 - left]), torch.stack([1 - left, left])
    E = augmented_style({"a": target}, {"a": masks}, {"a": exchanged}, {"a": 1.0})
    assert value(E, {"a": target.roll(3, dims=2)}) == pytest.approx(0)
    assert value(E, {"a": target}) > 1e-6


def test_matting_is_the_quadratic_form(picture) -> None:
    L, V = matting_laplacian(picture(6, 7)), picture(6, 7, seed=1)
    E = matting(L)
    assert E.reads == {"image"}
    assert value(E, {"image": V}) == float(L.quadratic(V))
    assert value(E, {"image": 0.5 * picture(6, 7) + 0.1}) < 1e-4 * value(E, {"image": V})


def test_pyramid_matting_at_full_size_alone_is_matting_per_pixel(picture) -> None:
    I, V = picture(6, 8), picture(6, 8, seed=1)
    one = value(pyramid_matting(I, 1e-5, [1]), {"image": V})
    assert one == pytest.approx(value(matting(matting_laplacian(I, 1e-5)), {"image": V}) / V.numel())


def test_pyramid_matting_sees_a_drift_that_small_windows_do_not(picture) -> None:
    """A brightness that rises across the picture: hardly anything in 3×3 pixels, much in 3×3 blocks of 8×8."""
    I = picture(40, 48)
    drifting = {"image": I + 0.5 * torch.linspace(0, 1, 48, dtype=I.dtype)}
    fine, coarse = (value(pyramid_matting(I, 1e-5, [s]), drifting) for s in (1, 8))
    # per pixel of its own level, of which the coarse one has 1/64
    assert 64 * coarse > 3 * fine
    assert value(pyramid_matting(I, 1e-5, [1, 8]), drifting) == pytest.approx(fine + coarse)
    assert value(pyramid_matting(I, 1e-9, [1, 2, 4, 8]), {"image": 0.5 * I + 0.1}) < 1e-6


def test_pyramid_matting_leaves_out_levels_that_hold_no_window(picture) -> None:
    I, V = picture(6, 8), picture(6, 8, seed=1)
    small, all_ = (value(pyramid_matting(I, 1e-5, scales), {"image": V}) for scales in ([1, 2], [1, 2, 4, 8]))
    assert small == all_


def test_pyramid_matting_of_a_strip_without_windows_is_a_clean_error(picture) -> None:
    with pytest.raises(ImageError, match="at least 3×3 pixels, not 64×2"):
        pyramid_matting(picture(2, 64), 1e-5, [1, 2])


def test_color_is_zero_for_the_colours_of_the_style_wherever_they_lie() -> None:
    S, all_ = random(3, 5, 8), torch.ones(1, 5, 8).double()
    shuffled = S.flatten(1)[:, torch.randperm(40, generator=torch.Generator().manual_seed(2))].view(3, 8, 5)
    E = color(S, all_, torch.ones(1, 8, 5).double())
    assert value(E, {"image": shuffled}) == pytest.approx(0, abs=1e-12)
    assert value(E, {"image": shuffled.square()}) > 1e-4


def test_color_compares_matching_regions(picture) -> None:
    """A dark and a light half: the right colours in the wrong halves are wrong."""
    S = picture(6, 8) * 0.4
    S[:, :, 4:] += 0.5
    left = torch.zeros(6, 8).double()
    left[:, :4] = 1
    masks = torch.stack([left, 1 - left])
    E = color(S, masks, masks)
    assert value(E, {"image": S}) == pytest.approx(0, abs=1e-12)
    assert value(E, {"image": S.roll(4, dims=2)}) > 1e-2
    whole = torch.ones(1, 6, 8).double()
    assert value(color(S, whole, whole), {"image": S.roll(4, dims=2)}) == pytest.approx(0, abs=1e-12)


def test_color_weights_regions_by_their_share(picture) -> None:
    """The same wrong colours cost a quarter of the whole where they cover a quarter."""
    S = picture(6, 8)
    S[:, :, 2:] = S[:, :, :2].repeat(1, 1, 3)
    quarter = torch.zeros(6, 8).double()
    quarter[:, :2] = 1
    masks, whole = torch.stack([quarter, 1 - quarter]), torch.ones(1, 6, 8).double()
    darker = torch.where(quarter > 0, 0.5 * S, S)
    everywhere = value(color(S, whole, whole), {"image": 0.5 * S})
    assert value(color(S, masks, masks), {"image": darker}) == pytest.approx(everywhere / 4, rel=1e-6)


def test_color_of_a_region_without_pixels_is_no_nan(picture) -> None:
    S, all_ = picture(6, 8), torch.ones(6, 8).double()
    for masks in (torch.stack([all_, 0 * all_]), torch.stack([0.6 * all_, 0.4 * all_])):
        assert value(color(S, masks, masks), {"image": S}) == pytest.approx(0, abs=1e-12)


def test_total_variation_by_hand() -> None:
    image = torch.tensor([[[0.0, 1.0], [3.0, 7.0]]]).repeat(2, 1, 1)
    # rows 1² + 4², columns 3² + 6², twice
    assert value(total_variation(), {"image": image}) == 2 * (1 + 16 + 9 + 36)
    assert value(total_variation(scale=10), {"image": image}) == 100 * 2 * (1 + 16 + 9 + 36)
    assert value(total_variation(), {"image": torch.full((3, 4, 5), 0.7)}) == 0.0


def test_the_variation_of_chroma_by_hand(picture) -> None:
    """Grey has none, whatever its light; between red and black it is that of red less its luma."""
    assert value(chroma_variation(), {"image": picture(4, 5)[:1].expand(3, -1, -1)}) == pytest.approx(0, abs=1e-12)
    red = torch.tensor([[1.0, 0.0], [0.0, 0.0], [0.0, 0.0]]).view(3, 1, 2)
    assert value(chroma_variation(), {"image": red}) == pytest.approx((1 - 0.2126) ** 2 + 2 * 0.2126**2)


def test_gamut_is_zero_inside_and_square_outside() -> None:
    E = gamut()
    assert value(E, {"image": torch.linspace(0, 1, 12).view(3, 2, 2)}) == 0.0
    # excursions 0.5 below and 1 above, over four values
    assert value(E, {"image": torch.tensor([[[-0.5, 2.0], [0.0, 1.0]]])}) == (0.25 + 1) / 4


@pytest.mark.parametrize(
    "term",
    [
        content({"a": torch.zeros(1, 1, 1)}, {"a": 1.0}),
        style({"a": torch.zeros(1, 1, 1)}, {"a": 1.0}),
        augmented_style(
            {"a": torch.zeros(1, 1, 1)}, {"a": torch.ones(1, 1, 1)}, {"a": torch.ones(1, 1, 1)}, {"a": 1.0}
        ),
    ],
)
def test_a_term_reads_its_layers_and_no_more(term: Energy) -> None:
    assert term.reads == {"a"}
