"""Neural style and its settings, on weights of a few channels, against slow transcriptions and known answers."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from walking import walk

from photostyle._transfer import transfer
from photostyle.color.spaces import chroma, luma
from photostyle.descent.descend import descend
from photostyle.descent.spectrum import SpectrumMetric
from photostyle.descent.steps import Step
from photostyle.errors import ImageError, SettingsError
from photostyle.image import fit, resize
from photostyle.network.vgg import VGG
from photostyle.photofile import save_image
from photostyle.recipes._gatys_settings import blend_shares, layer_weights, level_sizes, shared_steps
from photostyle.recipes._starts import colored_noise, gray_noise, mixed_colors, recolored
from photostyle.recipes.gatys2016 import NeuralStyle, blend, in_gamut, luma_only, neural_style
from photostyle.regions.regions import Regions
from photostyle.terms.energy import Energy, Features, energy

LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
ROUGH = {"variation_weight": 0.0, "chroma_weight": 0.0}
IDLE = ROUGH | {"content_weight": 0.0, "style_weight": 0.0}  # nothing to descend: the result is the start


@pytest.fixture
def vgg(fake_weights) -> VGG:
    return VGG(fake_weights())


@pytest.fixture
def content(picture) -> Tensor:
    return picture(24, 32, dtype=torch.float32)


@pytest.fixture
def style(picture) -> Tensor:
    return 0.7 * picture(32, 28, seed=1, dtype=torch.float32)


@pytest.fixture
def other(picture) -> Tensor:
    return 1 - 0.6 * picture(20, 26, seed=2, dtype=torch.float32)


def paint(content: Tensor, style: Any, vgg: VGG, **settings: Any) -> tuple[list[Step], Tensor]:
    regions = Regions.whole(content, content)
    return walk(
        neural_style(content, style, regions, vgg, NeuralStyle(**{"size": 32, "steps": 4, "levels": 1} | settings))
    )


def transcribed(I: Tensor, S: Tensor, vgg: VGG) -> Energy:
    """The formulas of the recipe with α = 1, β = 20; each Gram matrix over its number of pixels."""
    F_I, F_S = vgg(I, {"relu4_2"}), vgg(S, LAYERS)

    def content_loss(features: Features) -> Tensor:
        return (features["relu4_2"] - F_I["relu4_2"]).square().sum() / F_I["relu4_2"].square().sum()

    def style_loss(features: Features) -> Tensor:
        total = torch.zeros(())
        for l in LAYERS:
            F, P = features[l].flatten(1), F_S[l].flatten(1)
            G, A = ((X[:, None] * X[None]).sum(2) for X in (F, P))
            G, A = G / F.shape[1], A / P.shape[1]
            total = total + 1 / 5 * (G - A).square().sum() / A.square().sum()
        return 20 * total

    return energy("content", {"relu4_2"}, content_loss) + energy("style", LAYERS, style_loss)


def test_the_energy_is_that_of_its_formulas(content, style, vgg: VGG) -> None:
    S, mirroring = resize(style, (32, 28)), vgg.mirroring()
    metric = SpectrumMetric((24, 32), mixed_colors([S], [1.0])[1])
    start, E = gray_noise(content, 0), transcribed(content, S, mirroring)
    slow, expected = walk(descend(E, mirroring, start, stage="slow", steps=2, metric=metric))
    seen, result = paint(content, style, vgg, steps=2, start="noise", **ROUGH)
    assert [step.stage for step in seen] == ["32 px"] * 2
    for step, truth in zip(seen, slow, strict=True):
        assert step.parts == pytest.approx(truth.parts, rel=1e-3)
    torch.testing.assert_close(result, expected.clamp(0, 1), rtol=0, atol=1e-3)


def test_plain_areas_stay_without_grain(picture, vgg: VGG, monkeypatch) -> None:
    """A plain content in a smooth style: what is fine in the result is far less than by descent in pixels."""
    I = torch.full((3, 48, 64), 0.4) + 0.01 * picture(48, 64, dtype=torch.float32)
    S = resize(picture(6, 8, seed=1, dtype=torch.float32), (48, 64))

    def grain(image: Tensor) -> float:
        return float((image - torch.nn.functional.avg_pool2d(image, 3, 1, 1))[:, 2:-2, 2:-2].square().mean())

    settings = {"size": 64, "steps": 12, "start": "content"} | ROUGH
    _, calm = paint(I, S, vgg, **settings)
    monkeypatch.setattr("photostyle.recipes.gatys2016.SpectrumMetric", lambda size, covariance: lambda g: g)
    _, grainy = paint(I, S, vgg, **settings)
    assert grain(calm) < 0.5 * grain(grainy)


# Several styles


def test_a_blend_of_one_is_that_one(content, style, vgg: VGG) -> None:
    _, alone = paint(content, style, vgg)
    assert torch.equal(paint(content, [style], vgg)[1], alone)
    assert torch.equal(paint(content, (style,), vgg, style_blend="7")[1], alone)


def test_a_blend_with_itself_is_nothing_new(content, style, vgg: VGG) -> None:
    _, alone = paint(content, style, vgg)
    torch.testing.assert_close(paint(content, [style, style], vgg, style_blend="3,1")[1], alone, rtol=0, atol=1e-3)


def test_what_has_no_share_has_no_say(content, style, other, vgg: VGG) -> None:
    _, alone = paint(content, style, vgg)
    torch.testing.assert_close(paint(content, [style, other], vgg, style_blend="1,0")[1], alone, rtol=0, atol=1e-3)
    assert not torch.allclose(paint(content, [style, other], vgg)[1], alone, rtol=0, atol=1e-2)


def test_the_gram_matrix_of_a_blend_is_the_blend_of_gram_matrices() -> None:
    generator = torch.Generator().manual_seed(3)
    one, two = (torch.randn(4, h, w, generator=generator, dtype=torch.float64) for h, w in ((3, 5), (7, 2)))
    F = blend([{"l": one}, {"l": two}], [0.25, 0.75])["l"]
    for i in range(4):
        for j in range(4):
            expected = 0.25 * (one[i] * one[j]).mean() + 0.75 * (two[i] * two[j]).mean()
            torch.testing.assert_close((F[i] * F[j]).sum() / F.shape[1], expected)


# The settings that are lists


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("relu4_2", {"relu4_2": 1.0}),
        (" relu1_1 , relu2_1:3 ", {"relu1_1": 0.25, "relu2_1": 0.75}),
        ("conv3_1:0.5,image:0,pool2:.5", {"conv3_1": 0.5, "image": 0.0, "pool2": 0.5}),
    ],
)
def test_layers_with_weights(text: str, expected: dict[str, float]) -> None:
    assert layer_weights("style_layers", text) == expected


@pytest.mark.parametrize("text", ["", ",", "relu1_1,", ":2", "relu1_1,relu1_1:2"])
def test_layers_that_cannot_be_read(text: str) -> None:
    with pytest.raises(SettingsError, match=r"style_layers is '.*': write each layer once, as relu3_1"):
        layer_weights("style_layers", text)


@pytest.mark.parametrize("weight", ["", "much", "-1", "0", "nan", "inf", "1:2"])
def test_a_weight_that_is_none(weight: str) -> None:
    with pytest.raises(SettingsError, match=f"content_layers has the weights '{weight}': give numbers from 0 up"):
        layer_weights("content_layers", f"relu4_2:{weight}")


def test_shares_add_up_to_one() -> None:
    assert blend_shares("2, 1,1", 3) == [0.5, 0.25, 0.25]
    assert blend_shares("", 4) == [0.25] * 4


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"style_blend": "2"}, "style_blend is '2', but the number of style images is 2: give a weight for each"),
        ({"style_blend": "1,2,3"}, "style_blend is '1,2,3'"),
        ({"style_blend": "1,2;3"}, "style_blend has the weights '1,2;3'"),
        ({"style_blend": "2,-1"}, "style_blend has the weights '2,-1'"),
        ({"content_layers": "relu4_2:"}, "content_layers has the weights ''"),
        ({"content_layers": "relu9_9"}, "VGG-16 has no layer 'relu9_9'"),
        ({"style_layers": "relu1_1,sky:2"}, "VGG-16 has no layer 'sky'"),
    ],
)
def test_mistakes_are_told_before_the_first_step(content, style, other, vgg: VGG, settings, message: str) -> None:
    p = NeuralStyle(size=32, **settings)
    with pytest.raises(SettingsError, match=message):
        next(neural_style(content, [style, other], Regions.whole(content, style), vgg, p))


def test_the_weights_of_layers_are_relative(content, style, vgg: VGG) -> None:
    _, plain = paint(content, style, vgg, style_layers="relu1_1,relu3_1")
    _, weighted = paint(content, style, vgg, style_layers="relu1_1:2,relu3_1:2")
    _, uneven = paint(content, style, vgg, style_layers="relu1_1:2,relu3_1:0.1")
    assert torch.equal(plain, weighted) and not torch.allclose(plain, uneven, rtol=0, atol=1e-3)


def test_each_layer_counts_by_its_weight(content, style, other, vgg: VGG) -> None:
    """Of several contents and styles, at the images on the way."""
    layers = {"content_layers": "relu3_1:3,relu4_2", "style_layers": "relu1_1:1,relu2_1:3"}
    seen, _ = paint(content, [style, other], vgg, style_blend="1,3", content_weight=7.0, style_weight=5.0, **layers)
    S = [resize(style, (32, 28)), fit(other, 32, enlarge=True)]
    vgg = vgg.mirroring()

    def mean_gram(image: Tensor, layer: str) -> Tensor:
        F = vgg(image, {layer})[layer].flatten(1)
        return F @ F.T / F.numel()

    def relative(x: Tensor, target: Tensor) -> float:
        return float((x - target).square().sum() / target.square().sum())

    for step in seen:
        near = [relative(vgg(step.image, {l})[l], vgg(content, {l})[l]) for l in ("relu3_1", "relu4_2")]
        far = [
            relative(mean_gram(step.image, l), (mean_gram(S[0], l) + 3 * mean_gram(S[1], l)) / 4)
            for l in ("relu1_1", "relu2_1")
        ]
        assert step.parts["content"] == pytest.approx(7 * (3 * near[0] + near[1]) / 4, rel=1e-3)
        assert step.parts["style"] == pytest.approx(5 * (far[0] + 3 * far[1]) / 4, rel=1e-3)


# Original colours


def test_the_style_takes_mean_and_covariance_of_the_content(picture) -> None:
    """To the ridge of 1e-4 that is added to variances."""
    S, I = picture(30, 26, seed=1) ** 2, picture(24, 32)
    S[2] = 0.9 * S[2] + 0.1 * S[0]
    matched = recolored(S, I).flatten(1)
    torch.testing.assert_close(matched.mean(1), I.mean((1, 2)))
    torch.testing.assert_close(matched.cov(correction=0), I.flatten(1).cov(correction=0), rtol=0, atol=3e-4)


def test_luma_takes_mean_and_deviation_by_the_papers_formula(picture) -> None:
    """L′ = σ_C / σ_S (L_S − μ_S) + μ_C."""
    S, I = luma(picture(30, 26, seed=1))[None], luma(picture(24, 32) ** 3)[None]
    expected = I.std() / S.std() * (S - S.mean()) + I.mean()
    torch.testing.assert_close(recolored(S, I), expected, rtol=0, atol=3e-3)


def test_a_style_of_one_colour_is_not_stretched_into_noise(picture) -> None:
    S = torch.full((3, 20, 20), 0.3, dtype=torch.float64) + 1e-5 * picture(20, 20, seed=1)
    assert float(recolored(S, picture(24, 32)).std(dim=(1, 2)).max()) < 1e-3


def test_luma_leaves_the_chroma_of_the_content_as_it_is(content, style, vgg: VGG) -> None:
    seen, result = paint(content, style, vgg, original_colors="luma", start="noise", steps=6)
    torch.testing.assert_close(chroma(result), chroma(content), rtol=0, atol=1e-6)
    for step in seen:
        torch.testing.assert_close(chroma(step.image), chroma(content), rtol=0, atol=1e-5)
    assert float(result.min()) >= 0 and float(result.max()) <= 1
    assert not torch.allclose(luma(result), luma(content), rtol=0, atol=0.05)


@pytest.mark.parametrize(("height", "width"), [(24, 256), (32, 1024)])
@pytest.mark.parametrize("sketch", [128, 1024])
def test_chroma_stays_at_every_size(picture, style, vgg: VGG, height: int, width: int, sketch: int) -> None:
    """Over levels, and where the picture is rendered."""
    I = picture(height, width, dtype=torch.float32)
    _, result = paint(I, style, vgg, size=width, sketch=sketch, levels=6, steps=4, original_colors="luma")
    assert result.shape == I.shape
    torch.testing.assert_close(chroma(result), chroma(I), rtol=0, atol=1e-5)
    assert not torch.allclose(luma(result), luma(I), rtol=0, atol=0.05)


def test_with_luma_alone_the_network_sees_grays_alone(content, style, fake_weights) -> None:
    images = []

    class Watched(VGG):
        def __call__(self, image: Tensor, layers: Collection[str]) -> Features:
            images.append(image.detach())
            return super().__call__(image, layers)

    paint(content, style, Watched(fake_weights()), original_colors="luma", steps=2)
    assert len(images) >= 4
    assert all(torch.equal(image[0], image[1]) and torch.equal(image[0], image[2]) for image in images)


def test_luma_alone_has_one_slope_in_all_channels(content, style, vgg: VGG) -> None:
    x = content.clone().requires_grad_()
    torch.testing.assert_close(
        luma_only(vgg, chroma(content))(x, {"image"})["image"][1], luma(content), rtol=0, atol=1e-6
    )
    luma_only(vgg, chroma(content))(x, {"relu2_1"})["relu2_1"].square().sum().backward()
    assert x.grad is not None and float(x.grad.abs().max()) > 0
    assert torch.equal(x.grad[0], x.grad[1]) and torch.equal(x.grad[0], x.grad[2])


def test_luma_goes_as_far_as_the_chroma_can_be_shown() -> None:
    """A grey, a blue that bounds luma from above at 0.4282 and from below at 0.1282, and a blue within."""
    tint = chroma(torch.tensor([[0.5, 0.1, 0.1], [0.5, 0.1, 0.1], [0.5, 0.8, 0.8]]).view(3, 1, 3))
    O = torch.tensor([1.7, 2.0, 0.3]).view(1, 3) + tint
    result = in_gamut(O, tint)
    torch.testing.assert_close(chroma(result), tint)
    torch.testing.assert_close(luma(result), torch.tensor([[1.0, 0.1 + 0.7 * 0.0722 + 0.2, 0.3]]))
    torch.testing.assert_close(float(result.max()), 1.0)


def test_a_recoloured_style_gives_other_pictures(content, style, vgg: VGG) -> None:
    """And a style that has the content's colours already, hardly."""
    _, plain = paint(content, style, vgg)
    _, recoloured = paint(content, style, vgg, original_colors="histogram")
    assert not torch.allclose(plain, recoloured, rtol=0, atol=0.02)
    relative = content.flip(2)
    one, two = (paint(content, relative, vgg, original_colors=how)[1] for how in ("no", "histogram"))
    torch.testing.assert_close(one, two, rtol=0, atol=0.01)


# Where the descent starts


def test_the_start_is_noise_the_content_or_a_file(content, style, vgg: VGG, picture, tmp_path: Path) -> None:
    assert torch.equal(paint(content, style, vgg, start="noise", seed=3, **IDLE)[1], gray_noise(content, 3))
    assert torch.equal(paint(content, style, vgg, start="content", **IDLE)[1], content)
    file = tmp_path / "start.png"
    save_image(picture(48, 64, seed=9, dtype=torch.float32), file)
    _, result = paint(content, style, vgg, start="content", start_image=str(file), **IDLE)
    torch.testing.assert_close(
        result, resize(picture(48, 64, seed=9, dtype=torch.float32), (24, 32)), rtol=0, atol=0.01
    )


def test_a_start_that_is_not_there(content, style, vgg: VGG, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"no file .*nowhere\.png"):
        paint(content, style, vgg, start_image=str(tmp_path / "nowhere.png"))


def test_noise_with_the_statistics_of_the_styles(picture) -> None:
    """Mean and covariance are those of all pixels together, where the styles are equally large."""
    S = [picture(40, 30, seed=1), picture(30, 40, seed=2) ** 2]
    x = colored_noise(torch.zeros(3, 300, 300, dtype=torch.float64), S, [0.5, 0.5], seed=0).flatten(1)
    y = torch.cat([s.flatten(1) for s in S], dim=1)
    torch.testing.assert_close(x.mean(1), y.mean(1), rtol=0, atol=2e-3)
    torch.testing.assert_close(x.cov(), y.cov(), rtol=0, atol=1e-3)
    assert float(y.cov().abs().max()) > 0.02  # something to match


def test_noise_of_one_style_alone_and_of_one_colour(picture) -> None:
    S = picture(40, 30, seed=1)
    alone, blended = (colored_noise(S, styles, b, seed=4) for styles, b in (([S], [1.0]), ([S, 1 - S], [1.0, 0.0])))
    torch.testing.assert_close(alone, blended)
    flat = colored_noise(S, [torch.full_like(S, 0.25)], [1.0], seed=4)
    torch.testing.assert_close(flat, torch.full_like(S, 0.25), rtol=0, atol=1e-4)


def test_the_statistics_are_where_the_recipe_starts(content, style, vgg: VGG) -> None:
    _, result = paint(content, style, vgg, start="statistics", seed=5, **IDLE)
    S = fit(style, 32, enlarge=True)
    assert torch.equal(result, colored_noise(content, [S], [1.0], 5).clamp(0, 1))


# Sizes


@pytest.mark.parametrize(
    ("steps", "levels", "expected"),
    [(500, 1, [500]), (7, 3, [3, 2, 2]), (8, 3, [3, 3, 2]), (1, 3, [1, 1, 1]), (10, 4, [3, 3, 2, 2])],
)
def test_levels_share_the_steps(steps: int, levels: int, expected: list[int]) -> None:
    assert shared_steps(steps, levels) == expected


@pytest.fixture
def large(picture) -> Tensor:
    return picture(144, 192, dtype=torch.float32)


def test_every_level_is_twice_as_large(large, style, vgg: VGG) -> None:
    seen, result = paint(large, style, vgg, size=192, levels=6, steps=3)
    assert [(step.stage, step.iteration, step.of) for step in seen] == [
        *(("96 px", i, 2) for i in (1, 2)),
        ("192 px", 1, 1),
    ]
    assert {tuple(step.image.shape) for step in seen} == {(3, 72, 96), (3, 144, 192)}
    assert result.shape == large.shape


@pytest.mark.parametrize(
    ("longest", "most", "expected"),
    [(32, 6, [32]), (190, 6, [190]), (192, 6, [96, 192]), (192, 1, [192]), (1001, 3, [250, 500, 1001])],
)
def test_no_level_is_small_but_a_small_picture(longest: int, most: int, expected: list[int]) -> None:
    assert level_sizes(longest, most) == expected


def test_a_painting_keeps_what_its_small_sizes_could_not_hold(large, style, vgg: VGG) -> None:
    """And a pattern has nothing finer than they found."""
    settings = {"size": 192, "levels": 2, "start": "content"} | IDLE
    _, painting = paint(large, style, vgg, **settings)
    torch.testing.assert_close(painting, large, rtol=0, atol=1e-5)
    _, pattern = paint(large, style, vgg, manner="pattern", **settings)
    torch.testing.assert_close(pattern, resize(resize(large, (72, 96)), (144, 192)))


def test_the_content_counts_less_in_a_pattern(content, style, vgg: VGG) -> None:
    parts = {}
    for manner in ("painting", "pattern"):
        seen, _ = paint(content, style, vgg, manner=manner, steps=1, optimizer="adam")
        parts[manner] = seen[0].parts["content"]
    assert 0 < parts["pattern"] < 0.5 * parts["painting"]


def test_a_small_content_keeps_its_size(content, style, vgg: VGG) -> None:
    seen, result = paint(content, style, vgg, size=512)
    assert result.shape == content.shape and seen[0].stage == "32 px"


# Rendering


def test_what_is_larger_than_its_sketch_is_rendered(large, style, vgg: VGG) -> None:
    seen, result = paint(large, large.flip(2), vgg, size=192, sketch=96, steps=2)
    assert result.shape == large.shape
    assert [step.stage for step in seen if "rendering" not in step.stage] == ["96 px"] * 2
    assert seen[-1].stage == "rendering 192 px"


@pytest.mark.parametrize("how", ["luma", "histogram"])
def test_original_colours_are_rendered_too(large, style, vgg: VGG, how: str) -> None:
    _, result = paint(large, style.flip(0), vgg, size=192, sketch=96, steps=2, original_colors=how)
    assert result.shape == large.shape
    if how == "luma":
        torch.testing.assert_close(chroma(result), chroma(large), rtol=0, atol=1e-5)
    else:
        torch.testing.assert_close(result.mean((1, 2)), large.mean((1, 2)), rtol=0, atol=0.05)


def test_several_styles_are_not_rendered(large, style, other, vgg: VGG) -> None:
    with pytest.raises(SettingsError, match="several styles is not rendered of their pixels: give a sketch of 192 too"):
        paint(large, [style, other], vgg, size=192, sketch=96)


def test_the_recoloured_content_has_the_colours_of_the_styles(content, style, other, vgg: VGG) -> None:
    """Of one style mean and covariance, of two the mean of both, in their shares."""
    _, one = paint(content, style, vgg, **IDLE)
    S = fit(style, 32, enlarge=True).flatten(1)
    torch.testing.assert_close(one.flatten(1).mean(1), S.mean(1), rtol=0, atol=0.01)
    torch.testing.assert_close(one.flatten(1).cov(), S.cov(), rtol=0, atol=0.005)
    _, two = paint(content, [style, other], vgg, style_blend="3,1", **IDLE)
    T = fit(other, 32, enlarge=True).flatten(1)
    torch.testing.assert_close(two.flatten(1).mean(1), 0.75 * S.mean(1) + 0.25 * T.mean(1), rtol=0, atol=0.02)


def test_content_weighs_the_same_on_every_level(style, vgg: VGG) -> None:
    """‖O − I‖² / ‖I‖²."""
    I = torch.full((3, 144, 192), 0.8)
    settings = {"size": 192, "levels": 2, "steps": 2, "content_layers": "image", "optimizer": "adam"}
    seen, _ = paint(I, style, vgg, style_weight=0.0, **settings)
    assert [step.stage for step in seen] == ["96 px", "192 px"]
    for step in seen:
        expected = (step.image - 0.8).square().mean() / 0.8**2
        assert step.parts["content"] == pytest.approx(float(expected), rel=1e-4)


@pytest.mark.parametrize(("scale", "expected"), [(1.0, (32, 28)), (0.5, (16, 14)), (1.5, (48, 42))])
@pytest.mark.parametrize("small", [False, True])
def test_the_style_is_as_large_as_the_result_times_its_scale(
    content, style, fake_weights, scale: float, expected: tuple[int, int], small: bool
) -> None:
    sizes = []

    class Watched(VGG):
        def __call__(self, image: Tensor, layers: Collection[str]) -> Features:
            sizes.append(tuple(image.shape[1:]))
            return super().__call__(image, layers)

    S = resize(style, (16, 14)) if small else style
    paint(content, S, Watched(fake_weights()), style_scale=scale, steps=1)
    assert expected in sizes and set(sizes) == {expected, (24, 32)}


def test_total_variation_smooths(content, style, vgg: VGG) -> None:
    def grain(image: Tensor) -> float:
        return float(image.diff(dim=1).square().sum() + image.diff(dim=2).square().sum())

    short = {"start": "content", "steps": 12, "optimizer": "adam", "style_weight": 3.0}
    _, rough = paint(content, style, vgg, **short | ROUGH)
    seen, smooth = paint(content, style, vgg, **short, variation_weight=10.0, chroma_weight=0.0)
    assert grain(smooth) < 0.7 * grain(rough)
    last = seen[-1]
    assert last.parts["variation"] == pytest.approx(10 / last.image.numel() * grain(last.image), rel=1e-4)
    seen, calm = paint(content, style, vgg, **short, variation_weight=0.0, chroma_weight=10.0)
    assert grain(chroma(calm)) < 0.7 * grain(chroma(rough))
    last = seen[-1]
    assert last.parts["chroma"] == pytest.approx(10 / last.image.numel() * grain(chroma(last.image)), rel=1e-4)


@pytest.mark.usefixtures("little_network")
def test_through_the_front_door(content, style) -> None:
    settings = {"size": "32", "steps": "3", "levels": "2", "style_layers": "relu1_1,relu3_1:0.5", "start": "statistics"}
    result = transfer(content, style, recipe="gatys", device="cpu", original_colors="luma", **settings)
    torch.testing.assert_close(chroma(result), chroma(content), rtol=0, atol=1e-6)
    with pytest.raises(SettingsError, match="original_colors must be one of no, luma, histogram, not 'yes'"):
        transfer(content, style, recipe="gatys", original_colors="yes")
    with pytest.raises(SettingsError, match=r"style_scale must be at least 0\.05, not 0"):
        transfer(content, style, recipe="gatys", style_scale=0)
