"""Painters above the size of their sketch: what leads the rendering, the dial, and inputs that have little to give."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from photostyle.descent.steps import finish
from photostyle.errors import ImageError
from photostyle.image import resize
from photostyle.network.vgg import VGG
from photostyle.recipes._guides import along_edges, in_colors_of
from photostyle.recipes.champandard2016 import SemanticStyle, semantic_style
from photostyle.recipes.li2016 import MarkovStyle, markov_style
from photostyle.regions.regions import Regions

Picture = Callable[..., Tensor]

QUICK: dict[str, Any] = {"sketch": 24, "size": 96, "steps": 2, "octaves": 1}


@pytest.fixture
def vgg(fake_weights) -> VGG:
    return VGG(fake_weights())


def marry(content: Tensor, style: Tensor, vgg: VGG, **settings: Any) -> Tensor:
    p = MarkovStyle(**{**QUICK, **settings})
    return finish(markov_style(content, style, Regions.whole(content, style), vgg, p))


def test_a_guide_is_as_sharp_as_its_content() -> None:
    """Of a sketch that is blurred across a border, on either side the colour that the sketch has there."""
    content = torch.full((3, 160, 200), 0.2)
    content[:, :, 77:] = 0.7
    sketch = resize(torch.stack([1 - content[0], content[1], 0.5 * content[2]]), (40, 50))
    guide = along_edges(sketch, content, 200)
    assert guide.shape == (3, 80, 100)
    jump = guide[0, 40].diff().abs()
    assert int(jump.argmax()) in (37, 38) and float(jump.topk(2).values.sum()) > 0.8 * 0.5
    torch.testing.assert_close(guide[:, 40, 90], torch.tensor([0.3, 0.7, 0.35]), rtol=0, atol=0.02)


def test_a_guide_has_each_colour_as_often_as_the_style(picture: Picture) -> None:
    style = picture(50, 60, dtype=torch.float32) ** 3
    dull = 0.4 + 0.1 * picture(40, 30, seed=1, dtype=torch.float32)
    guide = in_colors_of(style, dull)
    parts = torch.linspace(0.05, 0.95, 10)
    for channel in range(3):
        torch.testing.assert_close(
            guide[channel].quantile(parts), style[channel].quantile(parts), rtol=0, atol=0.03, msg=f"channel {channel}"
        )


def test_the_dial_goes_from_the_style_to_the_content(vgg: VGG) -> None:
    """A light disc on dark ground, of a style that has squares: the more content, the rounder."""
    y, x = torch.meshgrid(torch.arange(96) - 47.5, torch.arange(96) - 47.5, indexing="ij")
    content = (0.1 + 0.8 * (x**2 + y**2 < 30**2)).expand(3, 96, 96)
    style = (0.1 + 0.8 * ((torch.arange(96) // 12 % 2)[:, None] ^ (torch.arange(96) // 12 % 2))).expand(3, 96, 96)
    far = [float((marry(content, style, vgg, content_weight=α) - content).square().mean()) for α in (0.03, 1.0, 30.0)]
    assert far[0] > far[1] > far[2]


def test_a_style_of_one_colour_gives_that_colour(picture: Picture, vgg: VGG) -> None:
    flat = torch.tensor([0.6, 0.3, 0.2])[:, None, None]
    content = picture(95, 71, dtype=torch.float32)
    made = marry(content, flat.expand(3, 40, 30).clone(), vgg)
    torch.testing.assert_close(made, flat.expand_as(content))


@pytest.mark.parametrize("shape", [(8, 8), (8, 61), (53, 9)])
@pytest.mark.parametrize("size", [(97, 71), (31, 95)])
def test_little_styles_and_odd_sizes(picture: Picture, vgg: VGG, shape: tuple[int, int], size: tuple[int, int]) -> None:
    content, style = picture(*size, dtype=torch.float32), picture(*shape, seed=1, dtype=torch.float32)
    made = marry(content, style, vgg, size=max(size))
    assert made.shape == content.shape and 0 <= float(made.min()) <= float(made.max()) <= 1


def test_a_style_smaller_than_a_window_is_refused_before_any_work(picture: Picture, vgg: VGG) -> None:
    content, style = picture(96, 96, dtype=torch.float32), picture(7, 40, dtype=torch.float32)
    painters = [
        markov_style(content, style, Regions.whole(content, style), vgg, MarkovStyle(**QUICK)),
        semantic_style(style, style[:1], content[:1], content, vgg, SemanticStyle(**QUICK)),
    ]
    for steps in painters:
        with pytest.raises(ImageError, match="The style is 40×7 pixels: give a larger one, at least 8"):
            next(steps)


def doodled(style_map: Tensor, target_map: Tensor, style: Tensor, vgg: VGG) -> Tensor:
    return finish(semantic_style(style, style_map, target_map, None, vgg, SemanticStyle(**QUICK)))


def labels(where: Tensor) -> Tensor:
    return torch.stack([where, 1 - where])


@pytest.mark.parametrize("side", ["style", "target"])
def test_a_region_of_three_pixels(side: str, vgg: VGG) -> None:
    """On the style's map or on the target's: the rest stays what it is."""
    style = torch.zeros(3, 64, 64)
    style[2] = 0.8
    few, half = torch.zeros(64, 64), torch.zeros(64, 64)
    few[30, 30:33], half[:, :32] = 1, 1
    on_style, on_target = (few, half) if side == "style" else (half, few)
    style[0] = on_style
    made = doodled(labels(on_style), labels(on_target), style, vgg)
    blue = resize(1 - on_target[None], made.shape[1:])[0] > 0.99
    assert made.shape == (3, 96, 96) and bool(made.isfinite().all())
    assert float(made[0][blue].mean()) < 0.05
