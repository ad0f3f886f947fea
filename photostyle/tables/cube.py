"""`.cube`: tables as text, in the dialects of Adobe (once IRIDAS) and DaVinci Resolve.

Adobe, "Cube LUT Specification 1.0", 2013: keywords, then three numbers a line for each node, red changing fastest; a
1-D table or a 3-D one, over DOMAIN_MIN to DOMAIN_MAX. Resolve's files may hold both, the 1-D one first, each over an
INPUT_RANGE of its own: so a shaper comes before a lattice.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from photostyle._version import __version__
from photostyle.errors import ImageError
from photostyle.tables.lines import Line, broken, is_keyword, numbered, numbers, triples
from photostyle.tables.spaces import SPACES
from photostyle.tables.stages import Curves, Lattice, Stage
from photostyle.tables.table import Table

_MOST = {"LUT_1D_SIZE": 65536, "LUT_3D_SIZE": 256}
_DOMAIN = ("DOMAIN_MIN", "DOMAIN_MAX")
_RANGES = ("LUT_1D_INPUT_RANGE", "LUT_3D_INPUT_RANGE")
_VIDEO = ("LUT_IN_VIDEO_RANGE", "LUT_OUT_VIDEO_RANGE")
_SPACE = "# photostyle space: "  # a comment to other programs


@dataclass
class _Head:
    """What the keywords say, and in which lines."""

    title: str = ""
    sizes: dict[str, int] = field(default_factory=dict)
    bounds: dict[str, list[float]] = field(default_factory=dict)
    lines: dict[str, Line] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def parse(text: str, name: str) -> Table:
    """The table in the text of a `.cube`; `name` is what errors call it.

    Keywords that are not known are passed over, with a note. Raises ImageError, with the number of the line where there
    is one, for what is no table.
    """
    lines = numbered(text)
    keywords = list(itertools.takewhile(is_keyword, lines))
    head = _read_head(keywords, name)
    counts = {"LUT_1D_SIZE": 1, "LUT_3D_SIZE": 3}
    due = sum(size ** counts[keyword] for keyword, size in head.sizes.items())
    values = triples(_exactly(due, lines[len(keywords) :], head, name), name)
    stages: list[Stage] = []
    if size := head.sizes.get("LUT_1D_SIZE"):
        stages.append(Curves(values[:size].T.contiguous(), *_box(head, "LUT_1D_INPUT_RANGE", name)))
    if size := head.sizes.get("LUT_3D_SIZE"):
        blue_green_red = values[-(size**3) :].view(size, size, size, 3)
        nodes = blue_green_red.permute(3, 2, 1, 0).contiguous()
        stages.append(Lattice(nodes, *_box(head, "LUT_3D_INPUT_RANGE", name)))
    return Table(tuple(stages), _space(text), head.title, tuple(head.notes))


def write(curves: Curves | None, lattice: Lattice, *, space: str, title: str) -> str:
    """The text of a table over [0, 1]; with curves before its lattice it is in Resolve's dialect."""
    shown = " ".join(title.replace('"', "'").split())
    lines = [f'TITLE "{shown}"'] if shown else []
    lines.append(f"# photostyle {__version__}: colours in and out are {SPACES[space].words}, full range")
    lines.append(f"{_SPACE}{space}")
    rows = lattice.nodes.permute(3, 2, 1, 0).reshape(-1, 3)
    if curves is None:
        lines += [f"LUT_3D_SIZE {lattice.size}", "DOMAIN_MIN 0.0 0.0 0.0", "DOMAIN_MAX 1.0 1.0 1.0"]
    else:
        lines += [f"LUT_1D_SIZE {curves.values.shape[1]}", "LUT_1D_INPUT_RANGE 0.0 1.0"]
        lines += [f"LUT_3D_SIZE {lattice.size}", "LUT_3D_INPUT_RANGE 0.0 1.0"]
        rows = torch.cat([curves.values.T, rows])
    lines += [f"{r:.6f} {g:.6f} {b:.6f}" for r, g, b in rows.tolist()]
    return "\n".join(lines) + "\n"


def _read_head(lines: Sequence[Line], name: str) -> _Head:
    head = _Head()
    for line in lines:
        keyword, *words = line[1].split()
        keyword = keyword.upper()
        if keyword in head.lines:
            raise broken(line, f"{keyword} is there twice", name)
        head.lines[keyword] = line
        if keyword == "TITLE":
            head.title = line[1][len(keyword) :].strip().strip('"')
        elif keyword in _MOST:
            head.sizes[keyword] = _size(line, words, _MOST[keyword], name)
        elif keyword in _DOMAIN:
            head.bounds[keyword] = numbers(line, words, 3, name)
        elif keyword in _RANGES:
            head.bounds[keyword] = numbers(line, words, 2, name)
        elif keyword in _VIDEO:
            raise broken(line, "tables of video range are not read", name)
        else:
            head.notes.append(f"{name}, line {line[0]}: {keyword} is not known and was passed over.")
    if not head.sizes:
        raise ImageError(f"{name} is no .cube table: it has no LUT_3D_SIZE and no LUT_1D_SIZE.")
    if len(head.sizes) == 2 and (both := [head.lines[keyword] for keyword in _DOMAIN if keyword in head.lines]):
        raise broken(both[0], "in a file of a 1-D and a 3-D table, each has an INPUT_RANGE instead", name)
    return head


def _size(line: Line, words: Sequence[str], most: int, name: str) -> int:
    if len(words) != 1 or not words[0].isdecimal() or not 2 <= int(words[0]) <= most:
        raise broken(line, f"the size should be one whole number from 2 to {most}", name)
    return int(words[0])


def _box(head: _Head, keyword: str, name: str) -> tuple[Tensor, Tensor]:
    """The lowest and the highest colour, 3 each, of the table with that INPUT_RANGE."""
    if keyword in head.bounds:
        low, high = ([end] * 3 for end in head.bounds[keyword])
        line = head.lines[keyword]
    else:
        low, high = head.bounds.get("DOMAIN_MIN", [0.0] * 3), head.bounds.get("DOMAIN_MAX", [1.0] * 3)
        line = next((head.lines[key] for key in reversed(_DOMAIN) if key in head.lines), (0, ""))
    if any(b - a < 1e-4 for a, b in zip(low, high, strict=True)):
        raise broken(line, "the range ends before it begins", name)
    return torch.tensor(low), torch.tensor(high)


def _exactly(due: int, rows: Sequence[Line], head: _Head, name: str) -> Sequence[Line]:
    """The rows, if they are as many as the sizes ask for."""
    asked = " and ".join(f"{keyword} {size}" for keyword, size in head.sizes.items())
    if len(rows) < due:
        missing = f"{asked} asks for {due} lines of numbers, and it has {len(rows)}"
        raise ImageError(f"{name} is cut short: {missing}; use another copy.")
    if len(rows) > due:
        raise broken(rows[due], f"{asked} asks for {due} lines of numbers, and this is one more", name)
    return rows


def _space(text: str) -> str:
    """The space that our own files name, sRGB for those of others."""
    named = text.partition(_SPACE)[2].partition("\n")[0].strip()
    return named if named in SPACES else "srgb"
