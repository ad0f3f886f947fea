"""Lines of text to numbers, and what is wrong with them told by their number. For the formats that are text."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from photostyle.errors import ImageError

Line = tuple[int, str]
"""Its number in the file, from 1, and its text without comment and spaces around."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
_MOST = 1e6  # no table of colours goes so far; beyond, 32 bits lose the digits that count


def numbered(text: str) -> list[Line]:
    """The lines that hold something: without comments, which begin with #, and empty ones."""
    stripped = ((number, line.partition("#")[0].strip()) for number, line in enumerate(text.splitlines(), 1))
    return [(number, line) for number, line in stripped if line]


def is_keyword(line: Line) -> bool:
    """Whether a line begins with a word, rather than with a number or what was to be one."""
    word = line[1].split()[0]
    return word.isidentifier() and word.lower() not in ("nan", "inf", "infinity")


def numbers(line: Line, words: Sequence[str], count: int, name: str) -> list[float]:
    """The words of a line as numbers. Raises ImageError if they are not so many numbers, or too large."""
    for word in words:
        if not _NUMBER.fullmatch(word):
            raise broken(line, f"{word!r} is no number", name)
        if abs(float(word)) > _MOST:
            raise broken(line, f"{word} is too large for a colour", name)
    if len(words) != count:
        raise broken(line, f"it has {len(words)} numbers where {count} are due", name)
    return [float(word) for word in words]


def triples(lines: Sequence[Line], name: str) -> Tensor:
    """Lines of three numbers each: n×3 float32. Raises ImageError, with the number of the first line that is none."""
    try:
        rows = np.loadtxt([text for _, text in lines], dtype=np.float64, ndmin=2, comments=None)
    except ValueError:
        rows = np.empty((0, 0))
    if rows.shape != (len(lines), 3) or not (np.abs(rows) <= _MOST).all():  # which NaN is not either
        for line in lines:
            numbers(line, line[1].split(), 3, name)
        raise ImageError(f"{name} holds numbers in no known notation: export the table again.")
    return torch.from_numpy(rows.astype(np.float32))


def broken(line: Line, fault: str, name: str) -> ImageError:
    """The sentence about a line that is wrong."""
    number, text = line
    shown = text if len(text) <= 60 else f"{text[:60]} …"
    return ImageError(f"{name}, line {number}: {fault} ({shown!r}); mend the line, or export the table again.")
