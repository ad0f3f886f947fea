"""The page's words for what the library says of regions and photographs."""

from __future__ import annotations

import re
from collections.abc import Mapping

from photostyle import PALETTE

_SIDES = {"the content": "the photograph", "the style": "the reference"}
_COLOR = re.compile(rf"\b({'|'.join(PALETTE)})\b")


def spoken(sentence: str, titles: Mapping[str, str]) -> str:
    """The sentence with the page's names: `titles` is what it calls the region of each colour of the palette."""
    for word, said in _SIDES.items():
        sentence = sentence.replace(word, said)
    return _COLOR.sub(lambda found: titles.get(found[0], found[0]), sentence)
