"""A segmenter whose answers are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from photostyle import Prompt

RADIUS = 8  # pixels


class Discs:
    """Around each point inside there is a disc, and another around each point outside, which takes away."""

    def look(self, photograph: Tensor) -> Callable[[Prompt], Tensor]:
        """What answers to prompts on that photograph (3×H×W)."""
        height, width = photograph.shape[1:]

        def select(prompt: Prompt) -> Tensor:
            taken = discs(prompt.outside, height, width)
            return (discs(prompt.inside, height, width) & ~taken).float()

        return select


def discs(centres: Sequence[tuple[float, float]], height: int, width: int) -> Tensor:
    """Which pixels have their middle within the discs, H×W."""
    y, x = torch.arange(height)[:, None] + 0.5, torch.arange(width) + 0.5
    found = torch.zeros(height, width, dtype=torch.bool)
    for cx, cy in centres:
        found |= torch.hypot(y - cy, x - cx) < RADIUS
    return found
