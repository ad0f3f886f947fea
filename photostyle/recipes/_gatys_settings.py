"""Settings of neural style that are lists: weights of images, and layers with weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from photostyle.errors import SettingsError
from photostyle.recipes.settings import setting

Manner = Literal["painting", "pattern"]
"""What a picture is to be: what is shown, in the style's strokes, or the style's motifs, by what is shown."""

MANNER = (
    "painting: what is shown, in the style's strokes; pattern: the style's motifs, led by what is shown in the large"
)
CONTENT: dict[Manner, float] = {"painting": 1.0, "pattern": 0.05}
"""What the content counts in each."""


@dataclass(frozen=True)
class Levels:
    """How large the picture is, by which sizes it is reached, and what it is to be."""

    size: int = setting(512, "long side of the result, pixels; a smaller content keeps its size", least=16, draft=256)
    sketch: int = setting(
        1024,
        "long side of the picture that descends; a larger one is rendered after it, of the style's own pixels",
        least=16,
    )
    manner: Manner = setting("painting", MANNER)
    steps: int = setting(80, "iterations over all levels", least=1, draft=32, best=250)
    levels: int = setting(6, "sizes at most, each twice the one before; none is under 96 pixels", least=1, most=6)


_SMALLEST = 96  # pixels; in a smaller picture motifs are as large as what is shown, and only blots are left of it


def blend_shares(text: str, count: int) -> list[float]:
    """The shares, adding up to 1, of `count` style images in "2,1"; equal ones if the text is empty.

    Raises SettingsError if they cannot be read or are not as many.
    """
    weights = text.split(",") if text else ["1"] * count
    if len(weights) != count:
        raise SettingsError(
            f"style_blend is {text!r}, but the number of style images is {count}: give a weight for each."
        )
    return _shares("style_blend", weights)


def layer_weights(name: str, text: str) -> dict[str, float]:
    """Layer → weight of "relu1_1,relu4_1:0.5", where 1 need not be written; the weights add up to 1.

    Raises SettingsError about the setting `name`, but knows no network: any word may be a layer.
    """
    entries = [entry.strip().partition(":") for entry in text.split(",")]
    layers = [layer.strip() for layer, _, _ in entries]
    if not all(layers) or len(set(layers)) < len(layers):
        raise SettingsError(f"{name} is {text!r}: write each layer once, as relu3_1,relu4_1 or relu3_1:2,relu4_1:0.5.")
    weights = [weight if colon else "1" for _, colon, weight in entries]
    return dict(zip(layers, _shares(name, weights), strict=True))


def level_sizes(longest: int, most: int) -> list[int]:
    """Long sides to descend at, at most so many, each twice the one before and the last `longest`; no other is small.

    >>> level_sizes(2048, 6), level_sizes(500, 2), level_sizes(64, 6)
    ([128, 256, 512, 1024, 2048], [250, 500], [64])
    """
    sizes = [round(longest / 2**k) for k in range(most)]
    return [size for size in reversed(sizes) if size >= _SMALLEST or size == longest]


def shared_steps(steps: int, levels: int) -> list[int]:
    """`steps` shared evenly among the levels, what is left over by the coarse ones, and at least one each."""
    return [max(1, (steps + k) // levels) for k in reversed(range(levels))]


def _shares(name: str, weights: Sequence[str]) -> list[float]:
    try:
        numbers = [float(weight) for weight in weights]
    except ValueError:
        numbers = []
    total = math.fsum(numbers)
    if not 0 < total < math.inf or min(numbers) < 0:
        raise SettingsError(f"{name} has the weights {','.join(weights)!r}: give numbers from 0 up, and not only 0.")
    return [number / total for number in numbers]
