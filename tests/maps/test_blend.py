"""Maps blended by soft masks: nothing is invented at borders, tiles do not show, and no change is no change."""

from __future__ import annotations

import torch
from torch import Tensor

from photostyle.image import resize, shrink
from photostyle.maps import blend as module
from photostyle.maps.blend import BORDER, SURFACE, Borders, blend, find_borders, own_colors, parts
from photostyle.maps.lattice import ColorMap
from photostyle.matting.render import feather


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def halves(height: int, width: int, at: int) -> Tensor:
    left = torch.zeros(height, width)
    left[:, :at] = 1
    return torch.stack([left, 1 - left])


def two_surfaces(height: int, width: int, at: int, soft: int = 0) -> tuple[Tensor, Tensor]:
    """A red and a blue surface, mixed in some columns, and their masks."""
    m = halves(height, width, at)
    if soft:
        ramp = torch.linspace(1, 0, soft)
        m[0, :, at - soft // 2 : at - soft // 2 + soft] = ramp
        m[1] = 1 - m[0]
    red, blue = torch.tensor([0.8, 0.2, 0.1]), torch.tensor([0.1, 0.3, 0.9])
    return m[0] * red.view(3, 1, 1) + m[1] * blue.view(3, 1, 1), m


def flat(color: Tensor) -> ColorMap:
    return ColorMap.affine(torch.zeros(3, 3), color)


def test_where_all_maps_are_the_identity_the_photograph_comes_back() -> None:
    I = random(3, 40, 56)
    borders = find_borders(halves(40, 56, 30), I)
    torch.testing.assert_close(blend([ColorMap.identity()] * 2, I, borders), I, atol=2e-6, rtol=0)


def test_masks_add_up_to_one_and_follow_the_photograph() -> None:
    """A border painted three pixels off moves to where the colours change."""
    I, true = two_surfaces(48, 64, 32)
    borders = find_borders(halves(48, 64, 35), I)
    torch.testing.assert_close(borders.masks.sum(0), torch.ones(48, 64))
    assert torch.equal(borders.masks > 0.5, true > 0.5)


def test_no_third_colour_where_two_surfaces_meet() -> None:
    """Both maps give other colours, and mixed pixels give mixtures of these two, as the photograph had of its own."""
    I, masks = two_surfaces(64, 96, 48, soft=5)
    green, yellow = torch.tensor([0.1, 0.7, 0.2]), torch.tensor([0.9, 0.8, 0.1])
    # far from constant: what is red goes to green, what is blue to yellow, and each wildly elsewhere
    one = ColorMap.affine(3 * torch.eye(3), green - 3 * torch.tensor([0.8, 0.2, 0.1]))
    other = ColorMap.affine(-2 * torch.eye(3), yellow + 2 * torch.tensor([0.1, 0.3, 0.9]))
    O = blend([one, other], I, find_borders((masks > 0.5).float(), I))
    line = (yellow - green)[:, None, None]
    t = ((O - green.view(3, 1, 1)) * line).sum(0) / line.square().sum()
    away = (O - green.view(3, 1, 1) - t * line).norm(dim=0)
    assert float(away.max()) < 0.15  # of 3 and 2 times a part that a mask was too sure of
    assert float(t.min()) > -0.15 and float(t.max()) < 1.15


def test_parts_add_up_to_the_pixel() -> None:
    I, m = random(3, 5, 6), random(2, 5, 6, seed=1)
    m = m / m.sum(0)
    F = parts(I, m, random(2, 3, 5, 6, seed=2))
    torch.testing.assert_close((m[:, None] * F).sum(0), I)


def test_own_colours_are_those_nearby() -> None:
    I, masks = two_surfaces(40, 60, 30)
    own = own_colors(I, masks)
    torch.testing.assert_close(own[0, :, 20, 33], torch.tensor([0.8, 0.2, 0.1]), atol=1e-3, rtol=0)
    torch.testing.assert_close(own[1, :, 20, 27], torch.tensor([0.1, 0.3, 0.9]), atol=1e-3, rtol=0)


def test_tiles_do_not_show(monkeypatch) -> None:
    I = resize(random(3, 20, 30), (150, 210))
    borders = find_borders(halves(75, 105, 50), shrink(I, (75, 105)))
    maps = [ColorMap(random(3, 5, 5, 5, seed=k), 0.2 * random(3, 4, seed=k)) for k in (1, 2)]
    whole = blend(maps, I, borders)
    monkeypatch.setattr(module, "TILE", 32)
    monkeypatch.setattr(module, "_BATCH", 3)
    torch.testing.assert_close(blend(maps, I, borders), whole, atol=1e-4, rtol=0)


def test_a_region_that_is_nowhere_does_no_harm() -> None:
    I = random(3, 30, 40)
    masks = torch.stack([torch.ones(30, 40), torch.zeros(30, 40)])
    O = blend([flat(torch.tensor([0.2, 0.4, 0.6])), flat(torch.ones(3))], I, find_borders(masks, I))
    torch.testing.assert_close(O, torch.tensor([0.2, 0.4, 0.6]).view(3, 1, 1).expand_as(O), atol=1e-5, rtol=0)


def test_heights_reach_full_size() -> None:
    """A map that adds its height: from dark at the top to light at the bottom of the photograph."""
    I = torch.full((3, 200, 90), 0.5)
    map = ColorMap(ColorMap.identity(2).nodes, torch.tensor([[0.0, 0, 0, 0.3]] * 3))
    small = shrink(I, (50, 22))
    O = blend([map], I, find_borders(torch.ones(1, 50, 22), small))
    column = O[0, :, 40]
    assert bool((column.diff() >= -1e-6).all())
    torch.testing.assert_close(column[[0, -1]], torch.tensor([0.2, 0.8]), atol=1e-4, rtol=0)


def test_feathering_gives_nothing_to_pixels_of_no_region() -> None:
    I, _ = two_surfaces(40, 60, 30)
    masks = halves(40, 60, 30)
    masks[1] = 0
    soft = feather(masks, I, I, BORDER, SURFACE)
    assert float(soft[:, :, 45:].max()) < 1e-3 and float(soft[0, :, :15].min()) > 0.99


def test_borders_are_values() -> None:
    borders = find_borders(halves(20, 30, 15), random(3, 20, 30))
    assert isinstance(borders, Borders) and borders.guides.shape == (2, 4, 20, 30)
