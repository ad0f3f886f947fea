"""A clip of a person: skin keeps its hue in every frame, and is as steady as the person."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from clips import levels, make_clip, read_frames
from shades import coloured, skin_of, turned
from torch import Tensor

from photostyle import make_look, save_look
from photostyle.video import grade_clip

STEPS = [0, 3, 6, 9, 12, 9, 6, 3]
"""Pixels by which the person has moved to the left."""


@pytest.fixture
def look(small_network: Path, portrait: Tensor, picture: Callable[..., Tensor], tmp_path: Path) -> Path:
    """In blue light, with a region of skin."""
    style = coloured(picture(60, 80, seed=1, dtype=torch.float32), 0.3, 0.5, 1.0)
    save_look(make_look(portrait, style, size=64, steps=1, device="cpu"), tmp_path / "look.safetensors")
    return tmp_path / "look.safetensors"


@pytest.fixture
def clip(portrait: Tensor, tmp_path: Path) -> Path:
    """The camera moves, with some grain."""
    wide = F.pad(portrait[None], (0, 12, 0, 0), mode="replicate")[0]
    frames = torch.stack([wide[:, :, step : step + 256] for step in STEPS])
    frames = (frames + 0.01 * torch.randn(frames.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)
    pictures = [(255 * frame).round().permute(1, 2, 0).numpy().astype(np.uint8) for frame in frames]
    return make_clip(tmp_path / "a.mkv", pictures, codec="ffv1", pixels="yuv444p")


def test_skin_is_natural_and_steady(portrait: Tensor, look: Path, clip: Path, tmp_path: Path) -> None:
    grade_clip(clip, tmp_path / "b.mkv", look=look, codec="ffv1")
    before, after = (
        [torch.from_numpy(levels(frame) / 255).float().permute(2, 0, 1) for frame in read_frames(path)]
        for path in (clip, tmp_path / "b.mkv")
    )
    skin = skin_of(portrait)
    inner = -F.max_pool2d(-skin[None], 9, 1, 4)[0] > 0.95
    changes = []
    for step, plain, graded in zip(STEPS, before, after, strict=True):
        there = torch.zeros_like(inner)
        there[:, : 256 - step] = inner[:, step:]
        assert float(turned(plain, graded, there).mean()) < 4
        changes.append((graded - plain)[:, there].mean(1))
    spread = torch.stack(changes).std(0)
    assert float(torch.stack(changes).abs().mean()) > 0.02  # it is changed
    assert float(spread.max()) < 0.004  # and each time alike: a level of 255
