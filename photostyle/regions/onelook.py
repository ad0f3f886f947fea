"""What two label images say themselves: that their regions share one look (`Regions.one_look`).

It is a text in the PNG of each, under the keyword `photostyle`, which an image editor drops or keeps. It holds as long
as both files have it and what is painted in each is in the same colours: borders may be corrected, but where a region
was added or taken away, the two photographs are no longer understood as they were.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from photostyle.regions.flatcolors import hexadecimal
from photostyle.regions.labelimage import LabelImage
from photostyle.regions.pairing import Labels, present

Side = Literal["content", "style"]

HOLDS = "The label images say that their regions share one look: they only tell how much each part of the style counts."
BROKEN = (
    "The label images say that their regions share one look, but some were added or taken away since: each has a look "
    "of its own."
)


@dataclass(frozen=True)
class Entry:
    """What one of the two says: which pair it is of, on which side, and which colours are painted in it."""

    pair: str
    side: str
    colors: tuple[str, ...]

    def text(self) -> str:
        """As it stands in the file."""
        return json.dumps({"one_look": self.pair, "side": self.side, "colors": self.colors})


def entry(labels: Sequence[Labels], side: Side, colors: Sequence[tuple[int, int, int]]) -> Entry:
    """For the label image of a side: `labels` are both sides' (H×W), the content's first, into a list of colours."""
    painted = present(labels[0 if side == "content" else 1], [hexadecimal(color) for color in colors])
    return Entry(hashlib.sha256(b"".join(part.tobytes() for part in labels)).hexdigest()[:16], side, tuple(painted))


def find_entry(text: str) -> Entry | None:
    """The entry that a text is; None for any other one."""
    try:
        match json.loads(text):
            case {"one_look": str(pair), "side": str(side), "colors": [*colors]}:
                return Entry(pair, side, tuple(map(str, colors)))
    except (ValueError, RecursionError):  # somebody else's
        pass
    return None


def holds(image: LabelImage) -> bool:
    """Whether a label image has such an entry, and is painted in the same colours as when that was written."""
    said = find_entry(image.text)
    colors = [hexadecimal(color) for color in image.paint.colors]
    return said is not None and set(said.colors) == set(present(image.paint.labels, colors))


def share_one_look(content: LabelImage, style: LabelImage) -> bool | None:
    """Whether these two are a pair whose regions share one look; None if they never were."""
    one, other = find_entry(content.text), find_entry(style.text)
    if not one or not other or one.pair != other.pair or {one.side, other.side} != {"content", "style"}:
        return None
    return holds(content) and holds(style)
