"""Which pixels speak for a region: those that are mostly its own, as many of them as count."""

from __future__ import annotations

from torch import Tensor

from photostyle.image import exact


def counted(masks: Tensor) -> Tensor:
    """Of masks K×… in [0, 1], which places are taken as samples of each region: K×…, bool, each for one at most.

    Those of which the region has more than half of what any region has. Where masks add up to less than 1 a place
    counts for so much less: of several in a row so many are taken, evenly spread.

    >>> import torch
    >>> counted(torch.tensor([[1.0, 0.7, 0.5, 0.5, 0.5, 0.5], [0.0, 0.3, 0.0, 0.0, 0.0, 0.0]]))[0].int()
    tensor([1, 1, 1, 0, 1, 0], dtype=torch.int32)
    """
    total = masks.sum(0)
    weights = exact((masks > 0.5 * total) * total).flatten(1)
    upto = weights.cumsum(1).add_(0.5)
    return (upto.floor() > (upto - weights).floor()).view(masks.shape).to(masks.device)
