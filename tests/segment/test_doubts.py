"""Matches that look wrong: by size, by height, and by what a network sees."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from photostyle.network.weights import Weights, load_weights
from photostyle.regions.regions import Regions
from photostyle.segment.doubts import doubtful_matches

GREY = torch.full((3, 40, 10), 0.5)


@pytest.fixture
def top() -> Tensor:
    """A mask of the upper quarter."""
    mask = torch.zeros(40, 10)
    mask[:10] = 1
    return mask


def test_sizes_and_heights(top: Tensor) -> None:
    fine = Regions(("a", "b"), torch.stack([top, 1 - top]), torch.stack([top, 1 - top]))
    assert doubtful_matches(GREY, GREY, fine, None) == ()
    upside = Regions(("a", "b"), fine.content, fine.style.flip(1))
    doubts = doubtful_matches(GREY, GREY, upside, None)
    assert [doubt for doubt in doubts if "Region a lies above in the content and below" in doubt]
    tiny = torch.zeros(40, 10)
    tiny[0] = 1
    tiny[1, :2] = 1
    (doubt,) = doubtful_matches(GREY, GREY, Regions(("a", "b"), fine.content, torch.stack([tiny, 1 - tiny])), None)
    assert doubt == "Region a covers 25% of the content and 3% of the style: no match?"


def halves(left: float, right: float) -> tuple[Tensor, Tensor]:
    """A photograph of two halves, stripes on the left and noise on the right, and their masks: same size and height."""
    image = torch.rand(3, 96, 128, generator=torch.Generator().manual_seed(0)) * 0.5 * right
    image[:, :, :64] = left * (torch.arange(64) // 8 % 2)
    masks = torch.zeros(2, 96, 128)
    masks[0, :, :64] = masks[1, :, 64:] = 1
    return image, masks


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.weights)])
def weights(request: pytest.FixtureRequest) -> Weights:
    return load_weights() if request.param == "real" else request.getfixturevalue("fake_weights")()


def test_what_a_network_sees(weights: Weights) -> None:
    """Stripes go with stripes, whatever the light; given noise for a partner both sides are doubtful."""
    (content, masks), (style, _) = halves(0.9, 0.9), halves(0.6, 0.5)
    right = Regions(("stripes", "noise"), masks, masks)
    assert doubtful_matches(content, style, right, weights) == ()
    wrong = Regions(("stripes", "noise"), masks, masks.flip(0))
    assert doubtful_matches(content, style, wrong, weights) == (
        "Region stripes of the content looks more like noise in the style: no match?",
        "Region noise of the content looks more like stripes in the style: no match?",
    )
    assert doubtful_matches(content, style, wrong, None) == ()


def test_what_is_too_small_tells_nothing(weights: Weights) -> None:
    content, masks = halves(0.9, 0.9)
    corner = torch.zeros(1, 96, 128)
    corner[0, :12, :8] = 1  # 0.8 %
    masks = torch.cat([corner, masks * (1 - corner)])
    swapped = Regions(("a", "b", "c"), masks, masks)
    assert doubtful_matches(content, content, swapped, weights) == ()
    one = Regions.whole(content, content)
    assert doubtful_matches(content, content, one, weights) == ()
