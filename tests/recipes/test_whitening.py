"""Stylisation in closed form: exact statistics, decoders that lose nothing, photographs with little to hold on to."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor
from walking import walk

from photostyle.errors import WeightsError
from photostyle.matting.render import feather
from photostyle.network.backbones import BACKBONES
from photostyle.network.vgg import VGG
from photostyle.network.weights import Weights
from photostyle.recipes._decoder import load_decoder
from photostyle.recipes.li2018 import (
    Whitening,
    evened,
    feature_map,
    features,
    linear_decoder,
    moments,
    move_features,
    whitening,
)
from photostyle.regions.regions import Regions


@pytest.fixture
def content(picture) -> Tensor:
    return picture(40, 56, dtype=torch.float32)


@pytest.fixture
def style(picture) -> Tensor:
    return (0.15 + 0.6 * picture(44, 36, seed=3, dtype=torch.float32)).flip(0)


@pytest.fixture
def little(fake_weights) -> VGG:
    return VGG(fake_weights())


@pytest.fixture(scope="module")
def wide() -> VGG:
    """A trunk with as many channels as VGG-16 has in its first block, 64, of seeded random weights."""
    generator = torch.Generator().manual_seed(0)
    tensors, inputs = {}, 3
    for name in ("conv1_1", "conv1_2"):
        tensors[f"{name}.weight"] = torch.randn(64, inputs, 3, 3, generator=generator) / (9 * inputs) ** 0.5
        tensors[f"{name}.bias"] = torch.randn(64, generator=generator)
        inputs = 64
    return VGG(Weights(BACKBONES["vgg16-hed"], tensors))


def halves(H: int, W: int, at: int) -> Tensor:
    left = torch.zeros(H, W)
    left[:, :at] = 1
    return torch.stack([left, 1 - left])


def stylise(content: Tensor, style: Tensor, vgg: VGG, regions: Regions | None = None, **settings) -> Tensor:
    regions = regions or Regions.whole(content, style)
    seen, result = walk(whitening(content, style, regions, vgg, Whitening(**settings)))
    assert [(step.iteration, step.of) for step in seen] == [(i + 1, len(seen)) for i in range(len(seen))]
    return result


# --- the map of features -----------------------------------------------------------------------------


def random_features(C: int, n: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    mix = torch.randn(C, C, generator=generator, dtype=torch.float64)
    return mix @ torch.randn(C, n, generator=generator, dtype=torch.float64) + torch.arange(C)[:, None]


@pytest.mark.parametrize("transport", ["least", "whitening"])
def test_features_get_the_mean_and_covariance_of_the_style_in_each_region(transport) -> None:
    X, Y = random_features(6, 200, 1).view(6, 10, 20), random_features(6, 240, 2).view(6, 12, 20)
    masks, style_masks = halves(10, 20, 8).double(), halves(12, 20, 13).double()
    Z = move_features(X, masks, Y, style_masks, 1e-12, transport)
    for m, n in zip(masks > 0.5, style_masks > 0.5, strict=True):
        torch.testing.assert_close(Z[:, m].mean(1), Y[:, n].mean(1), rtol=0, atol=1e-9)
        torch.testing.assert_close(Z[:, m].cov(correction=0), Y[:, n].cov(correction=0), rtol=1e-6, atol=1e-6)


def test_moments_under_soft_masks_are_those_of_a_loop() -> None:
    X = random_features(3, 30, 4)
    w = torch.rand(30, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    μ = sum(w[i] * X[:, i] for i in range(30)) / sum(w)
    Σ = sum(w[i] * torch.outer(X[:, i] - μ, X[:, i] - μ) for i in range(30)) / sum(w)
    torch.testing.assert_close(moments(X, w), (μ, Σ))


def test_whitening_and_coloring_as_the_paper_writes_it() -> None:
    """Li et al. 2017, by singular values as there, and no ridge to speak of."""
    X, Y = random_features(4, 300, 6), random_features(4, 250, 7)
    f_c, f_s = X - X.mean(1, keepdim=True), Y - Y.mean(1, keepdim=True)
    E_c, D_c, _ = torch.linalg.svd(f_c @ f_c.T / 300)
    E_s, D_s, _ = torch.linalg.svd(f_s @ f_s.T / 250)
    whitened = E_c @ torch.diag(D_c**-0.5) @ E_c.T @ f_c
    expected = E_s @ torch.diag(D_s**0.5) @ E_s.T @ whitened + Y.mean(1, keepdim=True)
    T, b = feature_map(*moments(X, torch.ones(300).double()), *moments(Y, torch.ones(250).double()), 1e-12, "whitening")
    torch.testing.assert_close(T @ X + b[:, None], expected, rtol=1e-6, atol=1e-6)


def test_the_default_map_moves_features_least() -> None:
    """Its mean squared displacement is the distance of Gaussians, Σ (μ − ν)² + tr(Σ + Σ_S − 2 (Σ Σ_S)^½)."""
    X, Y = random_features(4, 300, 8), random_features(4, 250, 9)
    given = *moments(X, torch.ones(300).double()), *moments(Y, torch.ones(250).double())
    moved = {}
    for transport in ("least", "whitening"):
        T, b = feature_map(*given, 1e-12, transport)
        moved[transport] = float((T @ X + b[:, None] - X).square().sum(0).mean())
    μ, Σ, ν, Σ_S = given
    roots = torch.linalg.eigvals(Σ @ Σ_S).real.sqrt().sum()
    assert moved["least"] == pytest.approx(float((μ - ν).square().sum() + (Σ + Σ_S).trace() - 2 * roots), rel=1e-6)
    assert moved["least"] < 0.99 * moved["whitening"]


def test_a_pixel_on_a_soft_border_gets_both_maps_by_its_shares() -> None:
    X, Y = random_features(3, 40, 1).view(3, 4, 10), random_features(3, 40, 2).view(3, 4, 10)
    soft = torch.linspace(0, 1, 10, dtype=torch.float64).expand(4, 10)
    masks = torch.stack([soft, 1 - soft])
    Z = move_features(X, masks, Y, masks, 1e-3, "least")
    maps = [
        feature_map(*moments(X.flatten(1), m.flatten()), *moments(Y.flatten(1), m.flatten()), 1e-3, "least")
        for m in masks
    ]
    expected = sum(
        m * ((T @ X.flatten(1)).view_as(X) + b[:, None, None]) for m, (T, b) in zip(masks, maps, strict=True)
    )
    torch.testing.assert_close(Z, expected)


@pytest.mark.parametrize("transport", ["least", "whitening"])
@pytest.mark.parametrize("n", [1, 2, 5])
def test_regions_of_fewer_pixels_than_channels_have_a_map(transport, n: int) -> None:
    X, Y = random_features(16, n, 1), random_features(16, 60, 2)
    for one, other in ((X, Y), (Y, X)):
        μ, Σ = moments(one, torch.ones(one.shape[1]).double())
        ν, Σ_S = moments(other, torch.ones(other.shape[1]).double())
        T, b = feature_map(μ, Σ, ν, Σ_S, 1e-3, transport)
        assert T.isfinite().all() and float(torch.linalg.matrix_norm(T, 2)) < 1e3
        torch.testing.assert_close(T @ μ + b, ν)


def test_a_region_without_mass_stays() -> None:
    X, Y = random_features(3, 40, 1).view(3, 4, 10), random_features(3, 40, 2).view(3, 4, 10)
    style_masks = torch.stack([torch.zeros(4, 10), torch.ones(4, 10)]).double()
    Z = move_features(X, halves(4, 10, 5).double(), Y, style_masks, 1e-3, "least")
    assert torch.equal(Z[:, :, :5], X[:, :, :5]) and not torch.allclose(Z[:, :, 5:], X[:, :, 5:])


# --- features and the linear decoder -----------------------------------------------------------------


def test_features_have_no_dark_rim(little, content) -> None:
    """A photograph of one colour has the same features everywhere, to the last pixel."""
    plain = torch.full((3, 37, 22), 0.6)
    for layer, size in (("image", (37, 22)), ("relu1_2", (37, 22)), ("relu2_2", (19, 11)), ("relu3_1", (10, 6))):
        f = features(plain, little, layer)
        assert f.shape[1:] == size
        torch.testing.assert_close(f, f[:, :1, :1].expand_as(f), rtol=1e-4, atol=1e-4)
    inside = little(content, {"relu2_2"})["relu2_2"][:, 4:-4, 4:-4]
    torch.testing.assert_close(features(content, little, "relu2_2")[:, 4:-4, 4:-4], inside, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(("layer", "error"), [("image", 1e-3), ("conv1_1", 2e-3), ("relu1_1", 0.04)])
def test_the_first_layer_is_inverted(wide, content, style, layer: str, error: float) -> None:
    """27 numbers went into 64 channels, linearly: all is there, but for what the ReLU cut away of the last.

    The decoder was not fitted to this photograph.
    """
    f = features(content, wide, layer)
    decode = linear_decoder([(features(style, wide, layer), style)])
    assert float((decode(f) - content).square().mean().sqrt()) < error


def test_the_linear_decoder_is_a_ridge_regression() -> None:
    X, Y = random_features(4, 60, 1), random_features(3, 60, 2)
    decode = linear_decoder([(X.view(4, 6, 10), Y.view(3, 6, 10))])
    D = torch.cat([X, torch.ones(1, 60).double()])
    expected = torch.linalg.lstsq(D.T, Y.T).solution.T @ D
    torch.testing.assert_close(decode(X.view(4, 6, 10)).flatten(1), expected, rtol=0, atol=1e-3)
    torch.testing.assert_close(decode(X.view(4, 6, 10)).mean((1, 2)), Y.mean(1))


def test_borders_follow_the_photograph() -> None:
    """Of a border drawn two pixels beside the edge of the photograph the steepest part comes to lie on the edge."""
    photograph = halves(32, 32, 16)[:1].expand(3, -1, -1) * 0.8 + 0.1
    drawn = halves(32, 32, 18)
    soft = feather(drawn, photograph, photograph, 3, 1e-3)
    torch.testing.assert_close(soft.sum(0), torch.ones(32, 32))
    assert (soft[1, :, :13] < 0.01).all() and (soft[0, :, 24:] < 0.01).all()
    step = soft[0].diff(dim=1).abs()  # the fall of the mask from column to column
    assert bool((step.argmax(1) == 15).all()) and float(step[:, 15].min()) > 0.3


# --- the whole ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", ["least", "whitening"])
def test_a_photograph_given_its_own_look_stays(content, little, transport) -> None:
    regions = Regions(("left", "right"), halves(40, 56, 20), halves(40, 56, 20))
    result = stylise(content, content, little, regions, transport=transport)
    assert float((result - content).abs().max()) <= 1 / 255


def test_the_colors_come_to_the_style_s(content, style, little) -> None:
    result = stylise(content, style, little)
    assert result.shape == content.shape and float(result.min()) >= 0 and float(result.max()) <= 1
    torch.testing.assert_close(result.mean((1, 2)), style.mean((1, 2)), rtol=0, atol=0.01)
    before, after = (float((x.flatten(1).cov() - style.flatten(1).cov()).norm()) for x in (content, result))
    assert after < 0.3 * before


def test_without_blend_no_network_is_seen(content, style, little, fake_weights) -> None:
    """α = 0 leaves the colours alone to act; the decoder's own losses must not show."""
    other = VGG(fake_weights(seed=1))
    one, two = (stylise(content, style, vgg, blend=0.0) for vgg in (little, other))
    torch.testing.assert_close(one, two, rtol=0, atol=1e-5)
    full = stylise(content, style, little, blend=1.0)
    half = stylise(content, style, little, blend=0.5)
    assert 0 < float((half - one).square().mean()) < float((full - one).square().mean())


def test_each_region_gets_its_own_colors(content, style, little) -> None:
    regions = Regions(("left", "right"), halves(40, 56, 20), halves(44, 36, 10))
    style = style.clone()
    style[:, :, :10] *= 0.5
    result = stylise(content, style, little, regions)
    torch.testing.assert_close(result[:, :, :17].mean((1, 2)), style[:, :, :10].mean((1, 2)), rtol=0, atol=0.05)
    torch.testing.assert_close(result[:, :, 23:].mean((1, 2)), style[:, :, 10:].mean((1, 2)), rtol=0, atol=0.05)


@pytest.mark.parametrize("shape", [(8, 90), (90, 8), (8, 8), (9, 13)])
def test_strips_and_stamps(picture, little, style, shape: tuple[int, int]) -> None:
    content = picture(*shape, dtype=torch.float32)
    for one, other in ((content, style), (style, content)):
        result = stylise(one, other, little)
        assert result.shape == one.shape and result.isfinite().all()


@pytest.mark.parametrize("transport", ["least", "whitening"])
def test_photographs_of_one_color(content, little, transport) -> None:
    plain, other = (torch.full_like(content, value) for value in (0.3, 0.8))
    torch.testing.assert_close(stylise(plain, other, little, transport=transport), other, rtol=0, atol=1e-3)
    torch.testing.assert_close(stylise(content, other, little, transport=transport), other, rtol=0, atol=0.04)
    result = stylise(plain, content, little, transport=transport)
    mean = content.mean((1, 2), keepdim=True).expand_as(content)
    torch.testing.assert_close(result, mean, rtol=0, atol=0.02)  # nothing to make texture of


def test_regions_of_one_pixel(content, style, little) -> None:
    dot, style_dot = torch.zeros(40, 56), torch.zeros(44, 36)
    dot[20, 30] = style_dot[5, 5] = 1
    rest, style_rest = 1 - dot, 1 - style_dot
    for here, there in ((dot, style_dot), (dot, style_rest), (rest, style_dot)):
        regions = Regions(("this", "that"), torch.stack([here, 1 - here]), torch.stack([there, 1 - there]))
        result = stylise(content, style, little, regions)
        assert result.isfinite().all() and float(result.min()) >= 0 and float(result.max()) <= 1


# --- trained decoders --------------------------------------------------------------------------------


def mirror(vgg: VGG, layer: str, seed: int = 0) -> dict[str, Tensor]:
    """The tensors of a decoder of `relu2_1` or `relu1_1`, of random weights, for a trunk of 4 and 5 channels."""
    generator = torch.Generator().manual_seed(seed)
    shapes = {"conv1_1": (3, 4), "conv1_2": (4, 4), "conv2_1": (4, 5)}
    tensors = {}
    for name in {"relu1_1": ["conv1_1"], "relu2_1": list(shapes)}[layer]:
        tensors[f"{name}.weight"] = torch.randn(*shapes[name], 3, 3, generator=generator) / 6
        tensors[f"{name}.bias"] = torch.rand(shapes[name][0], generator=generator)
    return tensors


def write(path: Path, tensors: dict[str, Tensor], backbone: str = "vgg16-hed", layer: str = "relu2_1") -> str:
    save_file(tensors, path, {"backbone": backbone, "layer": layer})
    return str(path)


def test_a_decoder_runs_as_the_page_says(little, content, tmp_path: Path) -> None:
    t = mirror(little, "relu2_1")
    layer, decode = load_decoder(write(tmp_path / "d.safetensors", t), little)
    f = features(content, little, layer)
    x = F.relu(F.conv2d(F.pad(f[None], [1] * 4, mode="reflect"), t["conv2_1.weight"], t["conv2_1.bias"]))
    x = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
    x = F.relu(F.conv2d(F.pad(x, [1] * 4, mode="reflect"), t["conv1_2.weight"], t["conv1_2.bias"]))
    x = F.conv2d(F.pad(x, [1] * 4, mode="reflect"), t["conv1_1.weight"], t["conv1_1.bias"])
    assert layer == "relu2_1" and x.shape[2:] == content.shape[1:]
    torch.testing.assert_close(decode(f), x[0])


def test_a_trained_decoder_is_used(little, content, style, tmp_path: Path) -> None:
    path = write(tmp_path / "d.safetensors", mirror(little, "relu2_1"))
    result = stylise(content, style, little, decoder=path)
    assert result.shape == content.shape and result.isfinite().all()
    assert not torch.allclose(result, stylise(content, style, little), atol=1e-3)
    same = stylise(content, content, little, decoder=path)
    assert float((same - content).abs().max()) <= 1 / 255


def test_a_decoder_that_inverts_does_what_the_linear_one_does(wide, content, style, tmp_path: Path) -> None:
    """A decoder of relu1_1 is one convolution: the linear decoder is one too, and can be written to a file."""
    pairs = [(features(image, wide, "relu1_1"), image) for image in (content, style)]
    linear = linear_decoder(pairs)
    zero = linear(torch.zeros(64, 1, 1))
    weight = torch.zeros(3, 64, 3, 3)
    weight[:, :, 1, 1] = linear(torch.eye(64)[:, :, None]).squeeze(2) - zero[:, :, 0]
    tensors = {"conv1_1.weight": weight, "conv1_1.bias": zero.flatten()}
    layer, trained = load_decoder(write(tmp_path / "d.safetensors", tensors, layer="relu1_1"), wide)
    assert layer == "relu1_1"
    torch.testing.assert_close(trained(pairs[0][0]), linear(pairs[0][0]), rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"backbone": "vgg19"}, "trained for the backbone 'vgg19'"),
        ({"layer": "relu2_2"}, "layer 'relu2_2'"),
        ({"layer": "relu3_1"}, r"conv3_1.weight must be \(5, 6, 3, 3\); it is not there"),
        ({"layer": "relu1_1"}, "holds a tensor conv1_2.bias"),
    ],
)
def test_a_decoder_of_something_else(little, tmp_path: Path, change: dict[str, str], words: str) -> None:
    path = write(tmp_path / "d.safetensors", mirror(little, "relu2_1"), **change)
    with pytest.raises(WeightsError, match=words):
        load_decoder(path, little)


def test_a_decoder_of_another_width_or_of_nan(little, tmp_path: Path) -> None:
    tensors = mirror(little, "relu2_1")
    narrow = tensors | {"conv1_2.weight": torch.zeros(4, 3, 3, 3)}
    with pytest.raises(WeightsError, match=r"conv1_2.weight must be \(4, 4, 3, 3\); it is \(4, 3, 3, 3\)"):
        load_decoder(write(tmp_path / "n.safetensors", narrow), little)
    for odd in (torch.full((3,), torch.nan), torch.zeros(3, dtype=torch.float16)):
        with pytest.raises(WeightsError, match="save it again"):
            load_decoder(write(tmp_path / "o.safetensors", tensors | {"conv1_1.bias": odd}), little)


def test_a_decoder_that_is_none(little, tmp_path: Path) -> None:
    (tmp_path / "text.safetensors").write_text("no decoder")
    save_file(mirror(little, "relu1_1"), tmp_path / "bare.safetensors")
    for name, words in (("text", "cannot be read"), ("missing", "cannot be read"), ("bare", "backbone None")):
        with pytest.raises(WeightsError, match=words):
            load_decoder(str(tmp_path / f"{name}.safetensors"), little)


# --- plain ground ------------------------------------------------------------------------------------


def roof_before_sky(height: int = 96, width: int = 128) -> tuple[Tensor, Tensor]:
    """A photograph of a textured roof before a sky that is white throughout, and the mask of the roof."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    roof = (y > 40 + (x - width / 2).abs() / 2).float()
    coarse = torch.rand(1, 1, 24, 32, generator=torch.Generator().manual_seed(0))
    texture = 0.15 * F.interpolate(coarse, (height, width), mode="bilinear")[0]
    return torch.where(roof > 0, torch.tensor([0.35, 0.22, 0.15])[:, None, None] + texture, 1.0), roof


@pytest.mark.parametrize("regional", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_a_plain_sky_has_no_halo_around_a_roof(little, picture, regional: bool, seed: int) -> None:
    """One colour becomes one colour, up to the edge, whatever the features see beyond it."""
    image, roof = roof_before_sky()
    style = 0.6 * picture(80, 96, seed=seed, dtype=torch.float32) ** 2
    masks, top = torch.stack([1 - roof, roof]), torch.zeros(80, 96)
    top[:40] = 1
    regions = Regions(("sky", "roof"), masks, torch.stack([top, 1 - top])) if regional else None
    result = stylise(image, style, little, regions)
    sky = F.max_pool2d(roof[None], 3, 1, 1)[0] == 0
    far = result[:, :8].mean((1, 2))[:, None]
    assert float((result[:, sky] - far).abs().max()) < 0.08
    assert float((result[:, roof > 0].mean(1) - far[:, 0]).abs().max()) > 0.01  # and yet it is a roof


def test_the_change_of_textured_ground_is_left_alone(picture) -> None:
    image, masks = picture(40, 60, dtype=torch.float32), torch.ones(1, 40, 60)
    image = (image + 0.2 * torch.randn(3, 40, 60, generator=torch.Generator().manual_seed(1))).clamp(0, 1)
    change = 0.1 * picture(40, 60, seed=3, dtype=torch.float32)
    assert float((evened(change, image, masks) - change).abs().mean()) < 0.15 * float(change.std())


def test_a_change_does_not_cross_a_border() -> None:
    image, masks = torch.full((3, 20, 30), 0.7), halves(20, 30, 12)
    change = torch.tensor([0.2, -0.1, 0.0])[:, None, None] * masks[0]
    torch.testing.assert_close(evened(change, image, masks), change, rtol=0, atol=2e-3)


@pytest.mark.parametrize("transport", ["least", "whitening"])
def test_no_direction_is_stretched_beyond_the_limit(transport) -> None:
    X, Y = random_features(3, 200, 1) * torch.tensor([[1.0], [1e-3], [1.0]]), random_features(3, 200, 2)
    given = *moments(X, torch.ones(200).double()), *moments(Y, torch.ones(200).double())
    T, b = feature_map(*given, 1e-9, transport, 4.0)
    assert float(torch.linalg.matrix_norm(T, 2)) == pytest.approx(4.0)
    torch.testing.assert_close(T @ given[0] + b, given[2])
