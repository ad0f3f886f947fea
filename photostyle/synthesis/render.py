"""A picture rendered of a style's own pixels: from coarse to fine, windows are sought and laid.

Texture optimisation (Kwatra, Essa, Bobick & Kwatra, SIGGRAPH 2005) with fields of patches for neighbours: windows are
sought that are like the picture, and the picture is made of them, in turn; each octave begins with the field of the
one before, and so with the style's own pixels. What the picture is to be says its `Plan`.
"""

from __future__ import annotations

from operator import itemgetter

import numpy as np
from torch import Tensor

from photostyle.descent.steps import Step, Steps
from photostyle.errors import ImageError
from photostyle.image import check_image
from photostyle.synthesis.cost import Compared, window_cost
from photostyle.synthesis.field import Field, Real, enlarged, random_field, search
from photostyle.synthesis.octaves import SIDE, Octave, Plan, octaves
from photostyle.synthesis.use import overuse

_SMALL, _LARGE = 256, 512  # long sides of an octave, pixels, up to which there are so many turns of seeking and laying:
_SMALL_TURNS, _TURNS, _LARGE_TURNS = 10, 3, 2
_BEGINNINGS, _TRIED = 12, 3  # where nothing leads: so many fields at random, and as many turns before one is chosen
_FIRST_ROUNDS = 4  # of the search where something leads
_REACH = 8  # a later search at random goes as far as this part of the source
_PIECE = 32  # pixels along the side of the pieces that a picture begins with
_PEAK = 1.5  # of windows as they are laid at last, so that few of them mix at a pixel


def render(style: Tensor, size: tuple[int, int], plan: Plan, seed: int, *, around: bool = False) -> Steps:
    """A picture (3×H×W, size = (H, W)) of windows of the style (3×h×w, in [0, 1]); the same for the same seed.

    Motifs are as large as in a style of the picture's long side; a style that is smaller is not enlarged. `around`,
    the picture closes over its borders; H and W must then be multiples of the stride. Raises ImageError if they are
    not, or if a side of the style is under 8 pixels.
    """
    if around and any(length % plan.stride for length in size):
        raise ImageError(f"A picture that tiles has sides that are multiples of {plan.stride} pixels.")
    check_image(style, "The style", least=SIDE)
    rng = np.random.default_rng(seed)
    field, height, style_height = None, 0, 0
    for octave in octaves(style, size, plan, around):
        room = octave.room
        if field is None:
            field, reach = _first_field(octave, rng), max(room)
        else:
            factors = octave.size[0] / height, len(octave.source) / style_height
            field = enlarged(field, octave.grid, room, plan.stride, *factors)
            reach = max(1, max(room) // _REACH)
        height, style_height = octave.size[0], len(octave.source)
        picture = octave.lay(field, np.ones(octave.grid, np.float32))
        turns = _turns(octave)
        for turn in range(1, turns + 1):
            field, trust, _ = _sought(octave, picture, field, reach, rng)
            octave.lay(field, trust, peak=_PEAK if turn == turns else 1.0, out=picture)
            image = octave.image(picture, style)
            yield Step(f"rendering {max(octave.size)} px", turn, turns, image)
    return image


def _turns(octave: Octave) -> int:
    """What nothing leads is decided where it is small."""
    longest = max(octave.size)
    if longest <= _SMALL and not octave.known:
        return _SMALL_TURNS
    return _TURNS if longest <= _LARGE else _LARGE_TURNS


def _first_field(octave: Octave, rng: np.random.Generator) -> Field:
    """Led by what is known of the picture; else of several at random the one whose windows come to fit best."""
    stride = octave.windows.stride

    def pieces() -> Field:
        return random_field(octave.grid, octave.room, stride, rng, block=_PIECE // stride)

    if octave.known:
        cost = window_cost(octave.windows, octave.known, np.zeros(octave.room, np.float32))
        return search(pieces(), cost, octave.room, stride, rng, rounds=_FIRST_ROUNDS)[0]

    def tried(field: Field) -> tuple[float, Field]:
        picture = octave.lay(field, np.ones(octave.grid, np.float32))
        for _ in range(_TRIED):
            field, trust, spent = _sought(octave, picture, field, max(octave.room), rng)
            octave.lay(field, trust, out=picture)
        return spent, field

    return min((tried(pieces()) for _ in range(_BEGINNINGS)), key=itemgetter(0))[1]


def _sought(
    octave: Octave, picture: Real, field: Field, reach: int, rng: np.random.Generator
) -> tuple[Field, Real, float]:
    """A field whose windows are more like the picture, how far each is to be trusted, and their mean cost."""
    windows, room = octave.windows, octave.room
    compared = [Compared(picture, octave.source), *octave.known]
    toll = octave.price + octave.variety * overuse(field, windows, room)
    field, spent = search(field, window_cost(windows, compared, toll), room, windows.stride, rng, reach=reach)
    misfit = (spent - toll[field.y, field.x]).clip(0)
    return field, (1 + misfit / (misfit.mean() + 1e-6)) ** -2, float(spent.mean())
