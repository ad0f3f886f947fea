"""The terms by hand, against loops, and by what must not change them."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from photostyle.color.spaces import lab_from_srgb
from photostyle.image import shrink
from photostyle.maps.lattice import ColorMap
from photostyle.matting.laplacian import matting_laplacian
from photostyle.terms.colors import color_transport
from photostyle.terms.content import content
from photostyle.terms.energy import Energy, Features
from photostyle.terms.grades import gain, simplicity
from photostyle.terms.gram import augmented_style, gram, regional_grams, saturated, style
from photostyle.terms.photorealism import drift, gamut, matting
from photostyle.terms.smoothness import chroma_variation, total_variation


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


def test_matting_of_a_change_costs_nothing_where_nothing_changes(picture) -> None:
    I, V = picture(6, 7), picture(6, 7, seed=1)
    L = matting_laplacian(I)
    assert value(matting(L, I), {"image": I}) == 0.0
    assert value(matting(L, I), {"image": V}) == pytest.approx(float(L.quadratic(V - I)))


def whole(I: Tensor) -> Tensor:
    return torch.ones_like(I[:1])


def test_drift_is_the_quadratic_form_of_smaller_copies(picture) -> None:
    """48×50 pixels have two: 24×25 and 12×12."""
    I, V = picture(48, 50), picture(48, 50, seed=1)

    def at(size: tuple[int, int]) -> float:
        return float(matting_laplacian(shrink(I, size), 1e-5).quadratic(shrink(V, size)))

    E = drift(I, whole(I), 1e-5)
    assert E.reads == {"image"}
    assert value(E, {"image": V}) == pytest.approx(2 * at((24, 25)) + 4 * at((12, 12)))


def test_drift_of_an_affine_change_is_none(picture) -> None:
    I = picture(48, 50)
    V = torch.einsum("cd,dhw->chw", torch.tensor([[0.5, 0.2, 0], [0, 1, 0.1], [0.3, 0, 0.4]]).to(I), I) + 0.1
    assert value(drift(I, whole(I), 1e-9), {"image": V}) < 1e-6 * value(
        drift(I, whole(I), 1e-9), {"image": picture(48, 50, seed=1)}
    )


def test_drift_sees_what_matting_does_not() -> None:
    """A slow wave of colour over a plain ground."""
    I = torch.full((3, 96, 96), 0.5).double()
    V = I + 0.1 * torch.sin(torch.linspace(0, 2 * math.pi, 96)).to(I)
    seen = value(matting(matting_laplacian(I)), {"image": V})
    assert value(drift(I, whole(I), 1e-7), {"image": V}) > 5 * seen


def test_drift_leaves_each_region_its_look(picture) -> None:
    """Windows on a border do not count, where it lies between pixels of the smaller copies."""
    I = picture(48, 48)
    left = torch.zeros_like(I[0])
    left[:, :24] = 1
    V = torch.where(left > 0, 0.5 * I, 1 - I)
    both = torch.stack([left, 1 - left])
    assert value(drift(I, both, 1e-9), {"image": V}) < 1e-5 * value(drift(I, whole(I), 1e-9), {"image": V})


def test_an_image_without_smaller_copies_has_no_drift(picture) -> None:
    I = picture(23, 40)
    assert value(drift(I, whole(I), 1e-7), {"image": picture(23, 40, seed=1)}) == 0


def test_saturated_is_the_mean_logarithm() -> None:
    E = saturated([2 * content({l: torch.zeros(1, 1, 1)}, {l: 1.0}) for l in ("a", "b")])
    assert E.reads == {"a", "b"} and [term.name for term in E.terms] == ["content"]
    features = {"a": torch.full((1, 1, 1), 3.0), "b": torch.zeros(1, 1, 1)}
    assert value(E, features) == pytest.approx(math.log(1 + 2 * 9) / 2)


def colors_of(*images: Tensor) -> Tensor:
    return torch.cat([image.flatten(1) for image in images], dim=1)


def transport_to(*styles: Tensor, shares: tuple[float, ...] = (1.0,), τ: float = 0.2, n: int = 40) -> Energy:
    goals = [lab_from_srgb(S.flatten(1)) / 50 for S in styles]
    extras = [tuple(torch.zeros(size).double() for size in ((n, len(g.T)), (n, n), (len(g.T),) * 2)) for g in goals]
    return color_transport(goals, extras, shares, 0.01, τ, 50)


def test_color_transport_is_zero_for_the_colours_of_the_style_wherever_they_lie() -> None:
    S = random(3, 5, 8)
    shuffled = S.flatten(1)[:, torch.randperm(40, generator=torch.Generator().manual_seed(2))]
    E = transport_to(S)
    assert E.reads == {"samples"}
    assert value(E, {"samples": shuffled}) == pytest.approx(0, abs=1e-6)
    assert value(E, {"samples": shuffled.square()}) > 1e-3


def test_color_transport_compares_matching_regions_by_their_share() -> None:
    dark, light = 0.4 * random(3, 5, 8), 0.5 + 0.4 * random(3, 5, 8, seed=1)
    E = transport_to(dark, light, shares=(0.25, 0.75))
    assert value(E, {"samples": colors_of(dark, light)}) == pytest.approx(0, abs=1e-6)
    alone = value(transport_to(dark), {"samples": colors_of(light)})
    assert value(E, {"samples": colors_of(light, light)}) == pytest.approx(0.25 * alone, rel=1e-6)


def test_color_transport_lets_lie_what_is_too_far() -> None:
    """A lamp in one of forty pixels: its cost is bounded by τ, however far it is from all there is."""
    S = 0.2 + 0.1 * random(3, 5, 8)
    lamp = S.clone()
    lamp[:, 0, 0] = 1.0
    cheap, dear = (value(transport_to(lamp, τ=τ), {"samples": S.flatten(1)}) for τ in (0.05, 5.0))
    assert cheap < 2 * 0.05 / 40 * 1.1 < dear


def test_gain_costs_slopes_above_the_limit_and_folds() -> None:
    steep, flat = (ColorMap.affine(k * torch.eye(3), torch.zeros(3), 5).nodes.double() for k in (3.0, 1.0))
    E = gain(2.0, [0.25, 0.75])
    assert value(E, {"nodes": torch.stack([flat, flat])}) == pytest.approx(0, abs=1e-9)
    # four directions, each one above the limit, in a quarter of the picture
    assert value(E, {"nodes": torch.stack([steep, flat])}) == pytest.approx(0.25 * 4, rel=1e-5)
    # a negative: slopes of 1, and luma falls by 1 to a step of 1
    assert value(E, {"nodes": torch.stack([1 - flat, flat])}) == pytest.approx(0.25 * 0.5, rel=1e-5)


def test_simplicity_counts_sliders_common_and_regional_deviations() -> None:
    E = simplicity(torch.tensor([1.0, 4.0]).double(), [0.5, 0.5], 0.1, 2.0)
    nothing = {"sliders": torch.zeros(8).double(), "modes": torch.zeros(2, 2, 3).double()}
    assert value(E, nothing) == 0.0
    assert value(E, nothing | {"sliders": torch.ones(8).double()}) == pytest.approx(0.8)
    common = torch.zeros(2, 2, 3).double()
    common[:, 1, 0] = 3  # at the price of 4: a norm of 6, rounded by 0.02
    assert value(E, nothing | {"modes": common}) == pytest.approx(6 - 0.02, abs=1e-4)
    apart = torch.zeros(2, 2, 3).double()
    apart[0, 0, 0], apart[1, 0, 0] = 1, -1
    assert value(E, nothing | {"modes": apart}) == pytest.approx(2 * 2 * math.sqrt(0.5) * (1 - 0.02), abs=1e-3)


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
