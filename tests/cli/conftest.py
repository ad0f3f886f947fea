"""What the tests of the commands share: two photographs, their label images, and a small network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image

from photostyle import save_image


@pytest.fixture
def small(request: pytest.FixtureRequest) -> None:
    """A network of few channels, but for tests of the real one."""
    if not request.node.get_closest_marker("weights"):
        request.getfixturevalue("small_network")


@pytest.fixture
def pair(tmp_path: Path, picture: Callable[..., torch.Tensor]) -> tuple[Path, Path]:
    """Two small photographs of different shape."""
    content, style = tmp_path / "content.png", tmp_path / "style.png"
    save_image(picture(40, 60), content)
    save_image(picture(48, 48, seed=1), style)
    return content, style


@pytest.fixture
def labels(tmp_path: Path) -> tuple[Path, Path]:
    """Their label images: blue over red; the style has a green corner that the content has not."""
    content, style = Image.new("RGB", (60, 40), "blue"), Image.new("RGB", (48, 48), "blue")
    content.paste("red", (0, 20, 60, 40))
    style.paste("red", (0, 24, 48, 48))
    style.paste((0, 255, 0), (0, 0, 12, 12))
    paths = tmp_path / "content-labels.png", tmp_path / "style-labels.png"
    content.save(paths[0])
    style.save(paths[1])
    return paths
