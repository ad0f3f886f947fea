"""How tensors lie in memory."""

from __future__ import annotations

import torch
from torch import Tensor


def channels_last(x: Tensor) -> Tensor:
    """Pixel by pixel in memory, where there are pixels: convolutions and Gram matrices are faster so."""
    return x.to(memory_format=torch.channels_last) if x.ndim == 4 else x
