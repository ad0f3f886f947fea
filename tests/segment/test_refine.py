"""Borders of regions that follow the photograph."""

from __future__ import annotations

import numpy as np
import torch

from photostyle.segment.masks import without_islands
from photostyle.segment.refine import refine_masks


def test_islands_join_what_surrounds_them() -> None:
    labels = np.zeros((20, 20), dtype=np.int64)
    labels[10:] = 1
    labels[4, 4] = labels[15, 10:12] = 2  # two islands: the larger is all there is of region 2
    labels[2, 12] = 1
    clean = without_islands(labels)
    assert clean[4, 4] == 0 and clean[2, 12] == 0
    assert (clean[15, 10:12] == 2).all()
    assert (clean != labels).sum() == 2


def test_refined_borders_are_where_the_photograph_has_them() -> None:
    image = torch.full((3, 60, 80), 0.2)
    image[:, :, 42:] = 0.8  # the border that one sees; the mask's is two pixels off
    rough = torch.zeros(2, 60, 80)
    rough[0, :, :40] = rough[1, :, 40:] = 1
    fine = refine_masks(rough, image)
    assert torch.equal(fine > 0.5, torch.stack([image[0] < 0.5, image[0] > 0.5]))
    assert (fine[0, :, 41] - fine[0, :, 42]).min() > 0.4  # as sharp as there
    assert torch.allclose(fine.sum(0), torch.ones(60, 80), atol=1e-3)
    assert fine.min() >= 0


def test_refinement_is_for_the_size_of_the_photograph(picture) -> None:
    image = picture(500, 700, dtype=torch.float32)
    masks = torch.zeros(3, 500, 700)
    masks[0, :200] = masks[1, 200:400] = 1  # the rest of this style belongs to no region
    masks[2, 200:] = 0
    fine = refine_masks(masks, image)
    assert fine.shape == masks.shape
    assert float(fine[2].abs().max()) == 0
    assert float(fine.sum(0)[-50:].max()) < 0.1
