"""Looks in files that the tests of clips share."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from clips import kept

from photostyle.maps.lattice import ColorMap


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """A look that changes nothing."""
    return kept(tmp_path / "plain.safetensors", ColorMap.identity())


@pytest.fixture
def darker(tmp_path: Path) -> Path:
    """A look that halves everything, and is warmer."""
    A = torch.diag(torch.tensor([0.6, 0.5, 0.4]))
    return kept(tmp_path / "darker.safetensors", ColorMap.affine(A, torch.zeros(3)))
