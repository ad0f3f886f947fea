"""What a way to divide two photographs is worth."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.sparse import coo_array

from photostyle.segment.cells import Cells
from photostyle.segment.judge import _DIVIDED, Judge, _across
from photostyle.segment.traits import find_traits


def test_wrong_partners_cost_more(halves: Callable[..., Cells]) -> None:
    """Right ones cost what they change; regions more, for nothing and without a border to see, both prices."""
    sides = [halves(0.7, 0.3), halves(0.4, 0.6)]
    judge = Judge(sides, find_traits(sides))
    above = np.repeat([0, 1], 96)
    right, wrong = judge.divided([above, above]), judge.divided([above, 1 - above])
    assert right < 2.5  # two greys, as they were
    assert wrong > right + 5
    quarters = above * 2 + np.tile(np.repeat([0, 1], 8), 12)
    assert judge.divided([quarters, quarters]) > right + 2 * 0.5 + 20 / 2


def test_doubtful_partners_cost_more(halves: Callable[..., Cells]) -> None:
    """Regions of the same greys, once in their places, once upside down, and once of very unlike sizes."""
    sides = [halves(0.5, 0.5), halves(0.5, 0.5)]
    judge = Judge(sides, find_traits(sides))
    above, corner = np.repeat([0, 1], 96), np.repeat([0, 1], [184, 8])
    same = judge.divided([above, above])
    assert judge.divided([above, 1 - above]) > same + 0.5 * 4 + 2  # both are doubtful, besides
    assert judge.divided([above, corner]) > same + 1


def test_a_class_that_is_divided_costs_in_the_choice_alone(halves: Callable[..., Cells]) -> None:
    """A quarter of the cells, on both sides, are not where most of their class are."""
    sides = [halves(0.7, 0.3), halves(0.2, 0.8)]
    judge = Judge(sides, find_traits(sides))
    above = np.repeat([0, 1], 96)
    parted = above + np.repeat([0, 1], [144, 48])
    assert judge._parted([above, above]) == pytest.approx(0, abs=0.01)
    assert judge._parted([parted, parted]) == pytest.approx(_DIVIDED / 4, abs=0.01)
    assert judge.gains([parted, parted], judge.whole + judge._parted([parted, parted]) - 1)
    assert not judge.gains([above, above], judge.whole)


def test_partners_may_be_asked_to_be_less_alike(halves: Callable[..., Cells]) -> None:
    sides = [halves(0.7, 0.3), halves(0.2, 0.8)]
    judge = Judge(sides, find_traits(sides))
    above, early = np.repeat([0, 1], 96), np.repeat([0, 1], [60, 132])
    likeness, cost = judge._alike([above, early]), judge.whole - 5
    assert judge.gains([above, early], cost, likeness - 0.01)
    assert not judge.gains([above, early], cost, likeness)


def test_how_alike_neighbours_are_across_borders() -> None:
    """Of a square of cells, along whose columns cells are alike, and across them half so; there is no border in one."""
    near = coo_array(np.array([[0, 1, 2, 0], [1, 0, 0, 2], [2, 0, 0, 1], [0, 2, 1, 0.0]]))
    assert _across(np.array([0, 1, 0, 1]), near) == pytest.approx(1 / 1.5)
    assert _across(np.array([0, 0, 1, 1]), near) == pytest.approx(2 / 1.5)
    assert _across(np.zeros(4, int), near) == 0


def test_what_is_near_the_style_needs_no_regions(halves: Callable[..., Cells]) -> None:
    """No gain is none; the nearer two photographs are, and the less alike partners, the more must be gained."""
    above = np.repeat([0, 1], 96)
    far, near = [halves(0.7, 0.3), halves(0.2, 0.8)], [halves(0.7, 0.3), halves(0.68, 0.32)]
    apart, alike = (Judge(sides, find_traits(sides)) for sides in (far, near))
    both = [above, above]
    assert apart.gains(both, apart.divided(both))
    assert not apart.gains(both, apart.whole)
    assert not apart.gains([above, 1 - above], apart.divided(both))  # as much for partners that are not alike
    assert alike.untouched < apart.untouched
    assert not alike.gains(both, alike.divided(both))
