"""The four measures: what is perfect, what is known by hand, and one real judgement."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from photostyle.color.spaces import srgb_from_lab
from photostyle.errors import ImageError
from photostyle.measures import measure as measures
from photostyle.measures.measure import (
    Measures,
    color_distance,
    matting_energy,
    measure,
    ssim,
    style_distance,
)
from photostyle.network.vgg import VGG
from photostyle.network.weights import load_weights
from photostyle.regions.regions import Regions


def halves(H: int, W: int) -> Regions:
    left = torch.zeros(H, W)
    left[:, : W // 2] = 1
    masks = torch.stack([left, 1 - left])
    return Regions(("left", "right"), masks, masks)


def test_style_distance_of_the_style_itself_is_zero(fake_weights, picture) -> None:
    vgg, S = VGG(fake_weights()), picture(32, 40, dtype=torch.float32)
    assert style_distance(S, S, Regions.whole(S, S), vgg) == 0
    assert style_distance(S, S, halves(32, 40), vgg) == 0
    assert style_distance(1 - S, S, halves(32, 40), vgg) > 1e-3


def test_style_distance_by_loops(fake_weights, picture) -> None:
    """Mean over layers of Σ_c ‖G_c(O) − G_c(S)‖² / Σ_c ‖G_c(S)‖², each G over its crop."""
    vgg = VGG(fake_weights())
    O, S = picture(32, 64, dtype=torch.float32), picture(32, 64, seed=1, dtype=torch.float32)
    layers = [f"relu{k}_1" for k in range(1, 6)]
    F_O, F_S = vgg(O, layers), vgg(S, layers)
    expected = 0.0
    for layer in layers:
        apart = power = 0.0
        for half in (0, 1):
            G, T = ((f := F[layer].chunk(2, dim=2)[half].flatten(1).double()) @ f.T / f.numel() for F in (F_O, F_S))
            apart += float((G - T).square().sum())
            power += float(T.square().sum())
        expected += apart / power / len(layers)
    assert style_distance(O, S, halves(32, 64), vgg) == pytest.approx(expected, rel=1e-4)


def test_tiny_regions_do_not_count(fake_weights, picture) -> None:
    """A region under 0.2 % of either photograph is left out: the rest decides alone."""
    vgg, S, O = VGG(fake_weights()), picture(40, 60).float(), picture(40, 60, seed=1).float()
    speck = torch.zeros(40, 60)
    speck[3, 4] = 1  # 0.04 %
    masks = torch.stack([1 - speck, speck])
    with_speck = Regions(("rest", "speck"), masks, masks)
    spoilt = O.clone()
    spoilt[:, 3, 4] = torch.tensor([1.0, 0.0, 1.0])
    assert color_distance(spoilt, S, with_speck) == color_distance(O, S, with_speck)
    rest = Regions(("rest",), torch.ones(1, 40, 60), (1 - speck)[None])
    assert style_distance(O, S, with_speck, vgg) == pytest.approx(style_distance(O, S, rest, vgg), rel=1e-2)


def test_matting_energy_of_the_content_is_next_to_nothing(picture) -> None:
    """V = I is explained by a = e_c, b = 0 at the price of ε per channel and window: at most ε / var in all."""
    I = picture(20, 24)
    assert 0 <= matting_energy(I, I) <= 1e-5 / float(I.var())
    assert matting_energy(0.5 * I + 0.2, I) == pytest.approx(matting_energy(I, I), rel=1e-6)
    assert matting_energy(picture(20, 24, seed=1), I) > 100 * matting_energy(I, I)


def test_matting_energy_does_not_depend_on_contrast_or_type(picture) -> None:
    I, O = picture(20, 24), picture(20, 24, seed=1)
    energy = matting_energy(O, I)
    assert matting_energy(0.1 * O + 0.5, I) == pytest.approx(energy)
    assert matting_energy(O.float(), I.float()) == pytest.approx(energy, rel=1e-3)


def test_matting_energy_of_a_blank_output_is_zero(picture) -> None:
    assert matting_energy(torch.full((3, 20, 24), 0.5), picture(20, 24)) == 0


def test_ssim_of_equal_images_is_one(picture) -> None:
    a = picture(20, 30)[0]
    assert ssim(a, a) == pytest.approx(1)
    assert ssim(a.float(), a.float()) == pytest.approx(1)


def test_ssim_of_two_constants_by_hand() -> None:
    # no variance: (2·0.3·0.6 + 0.01²) / (0.3² + 0.6² + 0.01²) times 1
    expected = (0.36 + 1e-4) / (0.45 + 1e-4)
    assert ssim(torch.full((12, 15), 0.3), torch.full((12, 15), 0.6)) == pytest.approx(expected, rel=1e-4)


def test_ssim_by_loops(picture) -> None:
    a, b = picture(14, 13)[0].numpy(), picture(14, 13, seed=1)[0].numpy()
    window = np.array([[math.exp(-(i * i + j * j) / 4.5) for j in range(-5, 6)] for i in range(-5, 6)])
    window /= window.sum()
    values = []
    for y in range(14 - 10):
        for x in range(13 - 10):
            p, q = a[y : y + 11, x : x + 11], b[y : y + 11, x : x + 11]
            mp, mq = (window * p).sum(), (window * q).sum()
            vp, vq = (window * (p - mp) ** 2).sum(), (window * (q - mq) ** 2).sum()
            cov = (window * (p - mp) * (q - mq)).sum()
            values.append((2 * mp * mq + 1e-4) * (2 * cov + 9e-4) / (mp**2 + mq**2 + 1e-4) / (vp + vq + 9e-4))
    assert ssim(torch.from_numpy(a), torch.from_numpy(b)) == pytest.approx(float(np.mean(values)))


def test_ssim_is_symmetric_and_falls_with_noise(picture) -> None:
    a, b = picture(20, 30)[0], picture(20, 30, seed=1)[0]
    assert ssim(a, b) == pytest.approx(ssim(b, a))
    assert 1 > ssim(a, 0.9 * a + 0.1 * b) > ssim(a, 0.5 * a + 0.5 * b)


def lab_gray(lightness: Tensor) -> Tensor:
    """Gray sRGB pixels 3×… of a given L*."""
    zero = torch.zeros_like(lightness)
    return srgb_from_lab(torch.stack([lightness, zero, zero]))


def test_color_distance_of_a_shifted_gray_by_hand() -> None:
    """Shifting L* by 10 moves every projection by 10 |u_L|: on average over directions 10 · mean |u_L| ≈ 5."""
    L = torch.linspace(20, 60, 400, dtype=torch.float64).view(20, 20)
    directions = torch.randn(64, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    u = directions[:, 0] / directions.norm(dim=1)
    distance = color_distance(lab_gray(L + 10), lab_gray(L), Regions.whole(lab_gray(L), lab_gray(L)))
    assert distance == pytest.approx(10 * float(u.abs().mean()), rel=1e-6)
    assert 3.5 < distance < 6.5  # the mean of |u_L| over the sphere is ½


def test_color_distance_does_not_see_where_colours_lie(picture) -> None:
    S = picture(20, 20)
    shuffled = S.flatten(1)[:, torch.randperm(400, generator=torch.Generator().manual_seed(0))].view(3, 10, 40)
    assert color_distance(shuffled, S, Regions.whole(shuffled, S)) == pytest.approx(0, abs=1e-9)


def test_color_distance_weights_regions_by_the_output(picture) -> None:
    """A quarter of the output is off by 10 L*, the rest is right."""
    S = lab_gray(torch.full((20, 20), 40.0, dtype=torch.float64))
    O = S.clone()
    O[:, :, :5] = lab_gray(torch.full((20, 5), 50.0, dtype=torch.float64))
    quarter = torch.zeros(20, 20)
    quarter[:, :5] = 1
    content = torch.stack([quarter, 1 - quarter])
    regions = Regions(("quarter", "rest"), content, halves(20, 20).style)
    everywhere = color_distance(lab_gray(torch.full((20, 20), 50.0, dtype=torch.float64)), S, halves(20, 20))
    assert color_distance(O, S, regions) == pytest.approx(everywhere / 4, rel=1e-6)


def test_an_output_of_other_proportions_is_refused(fake_weights) -> None:
    content, output = torch.zeros(3, 30, 40), torch.zeros(3, 40, 40)
    regions = Regions.whole(content, content)
    with pytest.raises(ImageError, match=r"40×40.*proportions of the content.*40×30"):
        measure(content, content, output, regions, fake_weights())


@pytest.mark.weights
def test_a_real_judgement(picture, monkeypatch) -> None:
    """The style itself has all the look and nothing of the photograph; the content the other way round."""
    monkeypatch.setattr(measures, "LONG_SIDE", 96)
    weights = load_weights()
    content = picture(72, 96, dtype=torch.float32)
    content[:, 24:48, 24:60] = 0.1
    style = 0.5 * picture(72, 96, seed=1, dtype=torch.float32)
    style[0] += 0.3
    regions = Regions.whole(content, style)
    kept = measure(content, style, content, regions, weights)
    taken = measure(content, style, style, regions, weights)
    assert isinstance(kept, Measures)
    assert kept.edge_ssim == pytest.approx(1, abs=1e-3) and taken.edge_ssim < 0.9
    assert kept.matting_energy < 0.01 < taken.matting_energy
    assert taken.style_distance < 0.05 < kept.style_distance
    assert taken.color_distance < 1 < kept.color_distance
