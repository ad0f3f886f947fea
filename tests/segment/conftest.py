"""What the tests of segmenters share."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from photostyle.color.spaces import lab_from_srgb
from photostyle.image import shrink
from photostyle.network.backbones import DEFAULTS
from photostyle.network.weights import Weights
from photostyle.segment.cells import Cells, _likeness
from photostyle.segment.parsing import CLASSES

Scene = Callable[..., Tensor]


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No network, and an empty cache of the hub."""
    if find_spec("huggingface_hub"):
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.fixture
def networks(fake_weights: Callable[..., Weights]) -> tuple[Weights, Weights]:
    """Small stand-ins of what tells things and what finds edges."""
    edges, things = map(fake_weights, DEFAULTS)
    return things, edges


@pytest.fixture
def scene() -> Scene:
    """`scene(H, W, horizon, sky, land)`: flat sky over textured land; the horizon is a share of the height."""

    def make(height: int, width: int, horizon: float, sky: float, land: float, seed: int = 0) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        image = torch.full((3, height, width), sky)
        rows = round(horizon * height)
        texture = 0.3 * (torch.rand(1, height - rows, width, generator=generator) - 0.5)
        image[:, rows:] = (land + texture) * torch.tensor([0.8, 1.0, 0.6])[:, None, None]
        return image.clamp(0, 1)

    return make


@pytest.fixture
def halves() -> Callable[..., Cells]:
    """`halves(upper, lower)`: 16×12 cells that show one thing above and another below, in greys about these two.

    A third number is how many of the 192 cells are above.
    """

    def make(upper: float, lower: float, above: int = 96) -> Cells:
        noise = 0.02 * torch.randn(3, 96, 128, generator=torch.Generator().manual_seed(0))
        seen = noise + torch.where(torch.arange(96) < above // 2, upper, lower)[None, :, None]
        kinds = np.zeros((2, 192))
        kinds[0, :above] = kinds[1, above:] = 1
        lab = lab_from_srgb(shrink(seen, (12, 16))).flatten(1).double().numpy()
        return Cells((12, 16), seen, kinds, _classes(kinds), lab, _likeness(lab, np.zeros(192), (12, 16)))

    return make


def _classes(kinds: np.ndarray) -> np.ndarray:
    """Sky where the first is shown, land where the second is."""
    scene = np.zeros((len(CLASSES), kinds.shape[1]))
    scene[CLASSES.index("sky")], scene[CLASSES.index("land")] = kinds
    return scene
