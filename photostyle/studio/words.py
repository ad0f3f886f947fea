"""The page's words for what the library says of regions and photographs."""

from __future__ import annotations

import re
from collections.abc import Mapping

from photostyle import PALETTE

_SIDES = {"content": "photograph", "style": "reference"}
_SIDE = re.compile(r"\b([Tt]he) (content|style)\b")
_COLOR = re.compile(rf"\b({'|'.join(PALETTE)})\b")


def spoken(sentence: str, titles: Mapping[str, str] | None = None) -> str:
    """The sentence with the page's names: `titles` is what it calls the region of each colour of the palette."""
    sentence = _SIDE.sub(lambda found: f"{found[1]} {_SIDES[found[2]]}", sentence)
    return _COLOR.sub(lambda found: titles.get(found[0], found[0]), sentence) if titles else sentence
