"""The wand: takes what is under a point, adds and takes away, whatever the photograph's size."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from photostyle.errors import RegionsError, SettingsError
from photostyle.network.weights import Weights
from photostyle.segment.prompt import Prompt
from photostyle.segment.segmenter import load_segmenter
from photostyle.segment.tree import grow_tree
from photostyle.segment.wand import Wand, WandSelector

Picture = Callable[..., Tensor]

DISC, SKY, LAND = (100, 70), (20, 20), (20, 140)


@pytest.fixture
def wand(fake_weights: Callable[..., Weights]) -> Wand:
    """With a network that sees nothing, so that colours alone tell what hangs together."""
    weights = fake_weights()
    for tensor in weights.tensors.values():
        tensor.zero_()
    return Wand(weights)


def scene(height: int = 160, width: int = 240) -> Tensor:
    """A blue sky over green land, and a red disc of a quarter of the height between them."""
    y = torch.arange(height) + 0.5
    image = torch.empty(3, height, width)
    image[:, y < 0.6 * height] = torch.tensor([0.3, 0.5, 0.9])[:, None, None]
    image[:, y >= 0.6 * height] = torch.tensor([0.3, 0.6, 0.2])[:, None, None]
    image[:, disc(height, width)] = torch.tensor([0.9, 0.2, 0.1])[:, None]
    return (image + 0.02 * torch.randn(image.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)


def disc(height: int = 160, width: int = 240) -> Tensor:
    y, x = (torch.arange(n) + 0.5 for n in (height, width))
    return torch.hypot(y[:, None] - 70 / 160 * height, x - 100 / 240 * width) < height / 4


def overlap(mask: Tensor, wanted: Tensor) -> float:
    here = mask >= 0.5
    return float((here & wanted).sum() / (here | wanted).sum())


def test_a_point_means_what_it_lies_on(wand: Wand) -> None:
    select = wand.look(scene())
    sky = (torch.arange(160) + 0.5 < 0.6 * 160)[:, None].expand(160, 240)
    for point, wanted in ((DISC, disc()), (SKY, sky & ~disc()), (LAND, ~sky & ~disc())):
        mask = select(Prompt(inside=[point]))
        assert mask.shape == (160, 240)
        assert mask.min() >= 0 and mask.max() <= 1
        assert overlap(mask, wanted) > 0.9


def test_points_inside_add_and_points_outside_take_away(wand: Wand) -> None:
    select = wand.look(scene())
    both = select(Prompt(inside=[DISC, SKY]))
    assert both[70, 100] > 0.9 and both[20, 20] > 0.9 and both[140, 20] < 0.1
    again = select(Prompt(inside=[DISC, SKY], outside=[(180, 30)]))  # in the sky, too, which is pointed at
    assert again[70, 100] > 0.9 and again[20, 20] > 0.5
    less = select(Prompt(box=(0, 0, 240, 160), outside=[DISC]))
    assert overlap(less, ~disc()) > 0.9


def test_a_box_means_what_fills_it(wand: Wand) -> None:
    select = wand.look(scene())
    assert overlap(select(Prompt(box=(58, 32, 142, 112))), disc()) > 0.9
    assert overlap(select(Prompt(inside=[DISC], box=(58, 32, 142, 112))), disc()) > 0.9


def test_the_photographs_own_size(wand: Wand) -> None:
    """What a network sees is smaller; points and masks are in the photograph's pixels."""
    mask = wand.look(scene(640, 960))(Prompt(inside=[(400, 280)]))
    assert mask.shape == (640, 960)
    assert overlap(mask, disc(640, 960)) > 0.95


@settings(max_examples=30)
@given(seed=st.integers(0, 99), data=st.data())
def test_what_is_pointed_at_is_in_and_what_is_pointed_out_is_not(seed: int, data: st.DataObject) -> None:
    """Of any tree, with cells of one pixel each."""
    h, w = 6, 9
    random = np.random.default_rng(seed)
    shapes = ((2, h, w), (h, w - 1), (h - 1, w))
    tree = grow_tree(*(random.integers(0, 3, shape) / 2 for shape in shapes))
    select = WandSelector(torch.zeros(3, 4 * h, 4 * w), (4 * h, 4 * w), tree)
    cells = st.lists(st.integers(0, h * w - 1), min_size=1, max_size=3, unique=True)
    inside, outside = data.draw(cells), data.draw(cells)

    def points(numbers: list[int]) -> list[tuple[float, float]]:
        return [(4 * (n % w) + 1.0, 4 * (n // w) + 1.0) for n in numbers]

    found = select.cells(Prompt(points(inside), points(outside)))
    assert all(found.flat[cell] for cell in inside)
    assert not any(found.flat[cell] for cell in set(outside) - set(inside))
    more = select.cells(Prompt(points(inside)))
    assert (found <= more).all()


@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 5), (4, 900), (900, 3), (17, 16)])
def test_tiny_and_extreme_photographs(wand: Wand, picture: Picture, height: int, width: int) -> None:
    mask = wand.look(picture(height, width, dtype=torch.float32))(Prompt(inside=[(width - 0.5, 0.5)]))
    assert mask.shape == (height, width)
    assert mask.isfinite().all()


def test_a_single_colour_is_one_thing(fake_weights: Callable[..., Weights]) -> None:
    mask = Wand(fake_weights()).look(torch.full((3, 40, 60), 0.4))(Prompt(inside=[(30, 20)]))
    assert mask.min() > 0.99


def test_it_says_the_same_twice(wand: Wand) -> None:
    prompt = Prompt(inside=[DISC], outside=[LAND])
    assert torch.equal(wand.look(scene())(prompt), wand.look(scene())(prompt))


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        (Prompt(), "Nothing is pointed at: give a point inside"),
        (Prompt(outside=[(3, 3)]), "Nothing is pointed at"),
        (Prompt(inside=[(240, 3)]), "The point 240,3 is not in the photograph, which has 240×160 pixels"),
        (Prompt(inside=[(3, 3)], outside=[(-0.5, 3)]), "The point -0.5,3 is not in the photograph"),
        (Prompt(inside=[(float("nan"), 3)]), "The point nan,3 is not in the photograph"),
        (Prompt(box=(10, 10, 10, 20)), "The box 10,10,10,20 is not left, top, right and bottom"),
        (Prompt(box=(10, 10, 241, 20)), "The box 10,10,241,20 is not"),
    ],
)
def test_prompts_that_point_nowhere(wand: Wand, prompt: Prompt, said: str) -> None:
    select = wand.look(scene())
    with pytest.raises(RegionsError, match=said):
        select(prompt)


def test_an_unknown_method() -> None:
    with pytest.raises(SettingsError, match="The methods of selecting are wand, learned, not 'lasso'"):
        load_segmenter("lasso")  # type: ignore[arg-type]


@pytest.mark.weights
def test_the_sky_of_a_photograph() -> None:
    from photostyle import load_image
    from photostyle.jobs.pair import example

    image = load_image(example("palace-night").content)
    H, W = image.shape[1:]
    select = load_segmenter().look(image)
    sky = select(Prompt(inside=[(0.5 * W, 0.05 * H)]))
    assert sky[: H // 20].mean() > 0.95
    assert sky[-H // 10 :].mean() < 0.05
