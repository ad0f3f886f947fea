"""The dense random field by which regions of cells become regions of pixels."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from photostyle import Regions
from photostyle.color.spaces import adapted, lab_from_srgb
from photostyle.segment import crf
from photostyle.segment.crf import mean_field, regions_of_pixels


def split(height: int, width: int, border: int) -> Tensor:
    masks = torch.zeros(2, height, width)
    masks[0, :, :border] = masks[1, :, border:] = 1
    return masks


def by_loops(masks: Tensor, photograph: Tensor) -> Tensor:
    """The mean field as the paper has it, over all pairs; masks K×h×w and photograph 3×h×w, small."""
    lab = lab_from_srgb(adapted(photograph))
    _, h, w = lab.shape
    step, reach = crf._STEP, crf._REACH
    pixels = [(y, x) for y in range(h) for x in range(w)]
    others = [(y, x) for y in range(step // 2, h, step) for x in range(step // 2, w, step)]
    sparse = crf._SPARSE
    few = [(y, x) for y in range(sparse // 2, h, sparse) for x in range(sparse // 2, w, sparse)]
    q = masks
    for _ in range(crf._ROUNDS):
        found, likely = torch.zeros_like(q), torch.zeros_like(q)
        for y, x in pixels:
            for v, u in few:
                unlike = float((lab[:, y, x] - lab[:, v, u]).square().sum()) / crf._ALIKE**2
                likely[:, y, x] += math.exp(-unlike / 2) * q[:, v, u]
            total, weights = torch.zeros(len(q)), 0.0
            for v, u in others:
                if max(abs(v // step - y // step), abs(u // step - x // step)) > reach:
                    continue
                unlike = float((lab[:, y, x] - lab[:, v, u]).square().sum()) / crf._LIKE**2
                apart = ((y - v) ** 2 + (x - u) ** 2) / crf._NEAR**2
                κ = float(torch.tensor(-(unlike + apart) / 2).clamp(min=crf._FAINT).exp())
                total += κ * q[:, v, u]
                weights += κ
            found[:, y, x] = total / weights
        own = torch.stack([q[:, v, u] for v, u in few]).sum(0)[:, None, None]
        p = (likely + crf._SOME) / (own + crf._SOME)
        q = (crf._WEIGHT * found).exp() * (p / p.sum(0) + crf._UNSURE)
        q = q / q.sum(0)
    return q


def test_it_is_the_mean_field_over_all_pairs(picture) -> None:
    photograph = picture(16, 24, dtype=torch.float32)
    masks = split(16, 24, 9)
    assert torch.allclose(mean_field(masks, photograph), by_loops(masks, photograph), atol=1e-4)


def test_a_border_goes_to_where_colours_have_it() -> None:
    photograph = torch.full((3, 90, 120), 0.2)
    photograph[:, :, 66:] = 0.7
    fine = mean_field(split(90, 120, 58), photograph)
    assert torch.equal(fine[0] > 0.5, photograph[0] < 0.5)
    assert torch.allclose(fine.sum(0), torch.ones(90, 120), atol=1e-5)


def test_sky_between_two_towers_joins_the_sky() -> None:
    photograph = torch.tensor([0.4, 0.6, 0.9])[:, None, None].repeat(1, 100, 150)
    photograph[:, 80:, 40:52] = photograph[:, 80:, 60:72] = 0.15
    rough = torch.zeros(2, 100, 150)
    rough[1, 80:, 40:72] = 1  # one block of both towers and the sky between
    rough[0] = 1 - rough[1]
    fine = mean_field(rough, photograph)
    assert torch.equal(fine[1] > 0.5, photograph[0] < 0.3)


def test_plain_ground_keeps_its_border() -> None:
    fine = mean_field(split(90, 120, 60), torch.full((3, 90, 120), 0.5))
    assert torch.equal(fine[0] > 0.5, split(90, 120, 60)[0] > 0.5)


def test_what_no_region_has_is_one_more() -> None:
    content, style = torch.full((3, 60, 80), 0.2), torch.full((3, 60, 80), 0.2)
    content[:, :, 40:] = style[:, :, 40:] = 0.8
    style[:, :, 60:] = torch.tensor([0.9, 0.1, 0.1])[:, None, None]
    left_out = split(60, 80, 40)
    left_out[:, :, 60:] = 0
    found = regions_of_pixels(Regions(("a", "b"), split(60, 80, 38), left_out), content, style)
    assert float(found.style[:, :, 62:].max()) < 0.01 < 0.99 < float(found.style[:, :, :58].sum(0).min())
    assert torch.allclose(found.content.sum(0), torch.ones(60, 80), atol=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (37, 2), (160, 120), (161, 119)])
def test_photographs_of_any_size(size: tuple[int, int], picture) -> None:
    photograph = picture(*size, dtype=torch.float32)
    masks = torch.stack([torch.ones(size), torch.zeros(size)])
    fine = mean_field(masks, photograph)
    assert fine.shape == (2, *size) and bool(fine.isfinite().all())
    assert torch.allclose(fine.sum(0), torch.ones(size), atol=1e-5)
