"""Looks made of looks: a blend of two, and what takes one back."""

from __future__ import annotations

from dataclasses import replace

from photostyle._version import __version__
from photostyle.color.difference import delta_e
from photostyle.errors import ImageError, SettingsError
from photostyle.looks.look import Look, seen
from photostyle.maps.lattice import ColorMap, cube

_SIZE = 33  # nodes along each axis of an inverse, which is steeper than what it takes back
_ROUNDS, _STEP = 200, 0.5
_LOST = 2.0  # ΔE2000 in the mean, there and back: more, and it cannot be taken back


def blend_looks(one: Look, other: Look, weight: float) -> Look:
    """A look between one (weight 0) and the other (1), colour by colour.

    A region that both have by name goes from the one map to the other; one that only the first has goes to what the
    second has in common. Where regions lie is the affair of the first, or of the one that has several.
    Raises SettingsError for a weight outside [0, 1].
    """
    if len(one.names) == 1 < len(other.names):
        one, other, weight = other, one, 1 - weight
    return towards(one, other, weight)


def towards(one: Look, other: Look, weight: float) -> Look:
    """From one look (weight 0) to the other (1), in the first's regions whatever the second has.

    Raises SettingsError for a weight outside [0, 1].
    """
    if not 0 <= weight <= 1:
        raise SettingsError(f"The weight of a blend must lie between 0 and 1, not {weight:g}.")
    theirs = dict(zip(other.names, other.maps, strict=True))
    maps = tuple(
        map.lerp(theirs.get(name, other.common), weight) for name, map in zip(one.names, one.maps, strict=True)
    )
    facts = {"version": __version__, "blend": f"{1 - weight:g} : {weight:g}"}
    return seen(replace(one, maps=maps, common=one.common.lerp(other.common, weight), facts=facts))


def invert_look(look: Look) -> Look:
    """The look that takes this one back.

    Raises ImageError if it cannot be: where maps fold, or send many colours to one, what was is lost; the figure is
    told.
    """
    masks, before = look.scene.masks, look.scene.before
    after = look.apply(before, masks)
    scene = replace(look.scene, before=after)
    back = replace(look, maps=tuple(map(_inverse, look.maps)), common=_inverse(look.common), scene=scene)
    lost = float(delta_e(back.apply(after, masks), before).mean())
    if lost > _LOST:
        raise ImageError(
            "This look cannot be taken back: it sends different colours to one, or changes with the height, and there "
            f"and back its photograph is off by ΔE2000 {lost:.1f}."
        )
    return seen(replace(back, facts={**look.facts, "inverted": "yes"}))


def _inverse(map: ColorMap) -> ColorMap:
    """x with T(x) = y at every node y, by x ← x + (y − T(x)) / 2, slower for a steep T; at height 0."""
    map = ColorMap.of(map.nodes)
    y = cube(_SIZE).to(map.nodes).flatten(1)
    x = y.clone()
    for _ in range(_ROUNDS):
        x = (x + _STEP * (y - map(x)) / max(1.0, 0.5 * map.gain())).clamp(0, 1)
    return ColorMap.of(x.view(3, _SIZE, _SIZE, _SIZE))
