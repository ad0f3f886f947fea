"""What is remembered for tests of the page is what would have been computed."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import torch
from remembered import remembered, replayed
from torch import Tensor


@dataclass(frozen=True)
class Wish:
    masks: Tensor
    name: str = "a"


def test_each_wish_is_answered_once() -> None:
    asked = []

    def sum_of(wish: Wish, **options: object) -> float:
        asked.append(wish)
        return float(wish.masks.sum())

    answer = remembered(sum_of)
    wishes = [Wish(torch.ones(2, 3)), Wish(torch.ones(3, 2)), Wish(torch.ones(2, 3), "b"), Wish(2 * torch.ones(2, 3))]
    for _ in range(2):
        assert [answer(wish) for wish in wishes] == [6, 6, 6, 12]
    assert answer(wishes[0], count=2) == answer(wishes[0], count=3) == 6
    assert len(asked) == 6


def test_a_walk_is_gone_again_if_it_came_to_its_end() -> None:
    walks = []

    def steps(count: int) -> Generator[int, None, str]:
        walks.append(count)
        yield from range(count)
        return "there"

    def gone(count: int) -> tuple[list[int], str]:
        seen = []

        def follow() -> Generator[int, None, str]:
            end = yield from walk(count)
            return end

        going = follow()
        while True:
            try:
                seen.append(next(going))
            except StopIteration as end:
                return seen, end.value

    walk = replayed(steps)
    left = walk(3)
    next(left)
    left.close()
    for _ in range(2):
        assert gone(3) == ([0, 1, 2], "there")
        assert gone(2) == ([0, 1], "there")
    assert walks == [3, 3, 2]
