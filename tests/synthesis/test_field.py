"""Fields of patches: against brute force, and what holds of every search."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photostyle.synthesis.cost import Compared, Windows, bands, variance, window_cost
from photostyle.synthesis.field import Cost, Field, Real, Whole, enlarged, random_field, search
from photostyle.synthesis.use import overuse

WINDOWS = Windows(side=4, stride=2)


def noise(seed: int, *shape: int) -> Real:
    return np.random.default_rng(seed).random(shape, np.float32)


def every_cost(cost: Cost, grid: tuple[int, int], room: tuple[int, int]) -> Real:
    """Of all windows of the source, at each place: rows × columns of the grid × windows."""
    costs = [cost(np.full(grid, y), np.full(grid, x)) for y in range(room[0]) for x in range(room[1])]
    return np.stack(costs, axis=2)


def naive(one: Compared, windows: Windows, place: tuple[int, int], start: tuple[int, int]) -> float:
    """What a window costs, by the words of `Compared`."""
    steps = range(one.every // 2, windows.side, one.every)
    total = 0.0
    for dy in steps:
        for dx in steps:
            y, x = windows.stride * place[0] + dy, windows.stride * place[1] + dx
            here = one.picture[y // one.every, x // one.every]
            there = one.source[start[0] + dy, start[1] + dx]
            total += float(((here - there) ** 2).sum())
    return one.weight * total / len(steps) ** 2


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 99),
    side=st.integers(1, 6),
    stride=st.integers(1, 6),
    every=st.integers(1, 3),
    channels=st.integers(1, 4),
)
def test_a_cost_is_what_its_words_say(seed: int, side: int, stride: int, every: int, channels: int) -> None:
    every = min(every, side)
    windows, grid = Windows(side, every * stride), (3, 2)
    picture = noise(seed, *windows.covered(grid), channels)[every // 2 :: every, every // 2 :: every]
    one = Compared(picture, noise(seed + 1, 9, 8, channels), 0.7, every)
    room = windows.room(9, 8)
    toll = noise(seed + 2, *room)
    field = random_field(grid, room, windows.stride, np.random.default_rng(seed))
    found = window_cost(windows, [one], toll)(field.y, field.x)
    for place in np.ndindex(*grid):
        start = int(field.y[place]), int(field.x[place])
        assert found[place] == pytest.approx(toll[start] + naive(one, windows, place, start), rel=1e-4)


def test_the_variance_of_a_window_is_that_of_its_pixels() -> None:
    source = noise(0, 11, 9, 3)
    shares = variance(WINDOWS, source)
    assert shares.shape == WINDOWS.room(11, 9)
    for y, x in np.ndindex(*shares.shape):
        assert shares[y, x] == pytest.approx(source[y : y + 4, x : x + 4].var((0, 1)).sum(), abs=1e-5)


def test_bands_cover_every_row_once() -> None:
    for rows, columns in [(1, 1), (7, 10**6), (1000, 100), (400, 2**15)]:
        covered = [row for top, bottom in bands(rows, columns) for row in range(top, bottom)]
        assert covered == list(range(rows))


def problem(seed: int) -> tuple[Cost, tuple[int, int], tuple[int, int]]:
    """A picture cut out of a source, with a little noise on it."""
    source = noise(seed, 24, 26, 3)
    grid, room = WINDOWS.grid(16, 18), WINDOWS.room(24, 26)
    picture = source[5:21, 3:21] + 0.01 * noise(seed + 1, 16, 18, 3)
    return window_cost(WINDOWS, [Compared(picture, source)], np.zeros(room, np.float32)), grid, room


def test_the_search_finds_what_brute_force_finds() -> None:
    """The windows of a cut-out all lie side by side: once one has its own, all have."""
    cost, grid, room = problem(0)
    field, best = search(
        random_field(grid, room, 2, np.random.default_rng(0)), cost, room, 2, np.random.default_rng(1), rounds=4
    )
    costs = every_cost(cost, grid, room)
    np.testing.assert_allclose(best, costs.min(2), rtol=1e-5)
    np.testing.assert_array_equal(field.y * room[1] + field.x, costs.argmin(2))


def test_without_any_order_it_comes_near() -> None:
    """Where neighbours do not help chance does: better than nine of ten windows everywhere."""
    rng = np.random.default_rng(2)
    room, grid = WINDOWS.room(30, 30), (8, 8)
    cost = window_cost(
        WINDOWS, [Compared(noise(3, *WINDOWS.covered(grid), 3), noise(4, 30, 30, 3))], np.zeros(room, np.float32)
    )
    _, best = search(random_field(grid, room, 2, rng), cost, room, 2, rng, rounds=6)
    assert bool((best <= np.quantile(every_cost(cost, grid, room), 0.1, axis=2)).all())


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 999), rounds=st.integers(0, 2), reach=st.integers(0, 30) | st.none())
def test_a_search_never_costs_more_and_stays_within(seed: int, rounds: int, reach: int | None) -> None:
    cost, grid, room = problem(seed)
    start = random_field(grid, room, 2, np.random.default_rng(seed), block=seed % 3 + 1)
    field, best = search(start, cost, room, 2, np.random.default_rng(seed), rounds=rounds, reach=reach)
    assert bool((best <= cost(start.y, start.x)).all())
    np.testing.assert_array_equal(best, cost(field.y, field.x))
    for at, most in zip((field.y, field.x), room, strict=True):
        assert at.shape == grid and at.min() >= 0 and at.max() < most


def test_the_same_seed_gives_the_same_field() -> None:
    cost, grid, room = problem(1)

    def found(seed: int) -> Whole:
        rng = np.random.default_rng(seed)
        return search(random_field(grid, room, 2, rng), cost, room, 2, rng)[0].y

    np.testing.assert_array_equal(found(3), found(3))
    assert not np.array_equal(
        random_field(grid, room, 2, np.random.default_rng(3)).y, random_field(grid, room, 2, np.random.default_rng(4)).y
    )


def test_an_enlarged_field_shows_the_same_twice_as_large() -> None:
    """A picture that is its source stays so."""
    grid = WINDOWS.grid(16, 20)
    own = Field(*(2 * axis for axis in np.indices(grid)))
    larger = WINDOWS.grid(32, 40)
    field = enlarged(own, larger, WINDOWS.room(32, 40), 2, 2.0, 2.0)
    rows, columns = np.indices(larger)
    np.testing.assert_array_equal(field.y, 2 * rows)
    np.testing.assert_array_equal(field.x, 2 * columns)


def test_what_is_used_much_is_told() -> None:
    room = WINDOWS.room(20, 20)
    everywhere = Field(*np.indices(room))
    assert overuse(everywhere, WINDOWS, room)[8, 8] == pytest.approx(np.log(2), rel=1e-5)
    crowded = Field(np.full((9, 9), 8), np.full((9, 9), 5))
    shares = overuse(crowded, WINDOWS, room)
    assert shares.argmax() == 8 * room[1] + 5
    assert shares[8, 9] == 0 < shares[8, 8] < shares[8, 6]
