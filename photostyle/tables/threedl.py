"""`.3dl`: tables as whole numbers, as Autodesk's Lustre and Flame and Photoshop exchange them.

There is no standard, but custom: a first line of the input's N levels, evenly spaced over 10 bits; then the nodes,
blue changing fastest, in 12 bits or whatever the largest of them needs. Lustre puts "3DMESH" and "Mesh" lines before.
"""

from __future__ import annotations

import itertools

import torch

from photostyle.errors import ImageError
from photostyle.tables.lines import broken, is_keyword, numbered, numbers, triples
from photostyle.tables.stages import Lattice
from photostyle.tables.table import Table

_DEPTHS = (8, 10, 12, 14, 16)
_IN, _OUT = 10, 12  # bits of what is written, which is what most programs expect
_EVEN = 0.02  # of the range: as near to even spacing are levels that were rounded to 8 bits


def parse(text: str, name: str) -> Table:
    """The table in the text of a `.3dl`; `name` is what errors call it.

    The depth of the nodes is the least of 8, 10, 12, 14 and 16 bits that holds the largest one. Raises ImageError, with
    the number of the line where there is one, for what is no table, or one whose input levels are not even.
    """
    lines = numbered(text)
    lines = list(itertools.dropwhile(lambda line: is_keyword(line) or line[1].upper() == "3DMESH", lines))
    if not lines:
        raise ImageError(f"{name} is no .3dl table: it holds no numbers.")
    levels, *rows = lines
    words = levels[1].split()
    size = len(words)
    steps = torch.tensor(numbers(levels, words, size, name))
    even = torch.linspace(0, 1, size) * steps[-1]
    if size < 2 or size > 256 or steps[-1] <= 0 or float((steps - even).abs().max()) > _EVEN * float(steps[-1]):
        raise broken(levels, "it should hold 2 to 256 levels at even distances, beginning with 0", name)
    rows = list(itertools.takewhile(lambda line: not is_keyword(line), rows))  # Lustre's gamma stands at the end
    if len(rows) != size**3:
        raise ImageError(
            f"{name} is no whole table: {size} levels ask for {size**3} lines of numbers, and it has {len(rows)}; "
            "use another copy."
        )
    values = triples(rows, name)
    if float(values.min()) < 0:
        raise broken(rows[int(values.amin(1).argmin())], "numbers below 0 are no levels", name)
    most = next((2**bits - 1 for bits in _DEPTHS if float(values.max()) < 2**bits), None)
    if most is None:
        raise broken(rows[int(values.amax(1).argmax())], "a level of more than 16 bits is not read", name)
    nodes = (values / most).view(size, size, size, 3).permute(3, 0, 1, 2).contiguous()
    return Table((Lattice(nodes, torch.zeros(3), torch.ones(3)),))


def write(lattice: Lattice) -> str:
    """The text of a lattice over [0, 1], clipped to it. No title and no colour space have room in it."""
    levels = (torch.linspace(0, 1, lattice.size) * (2**_IN - 1)).round().int().tolist()
    nodes = (lattice.nodes.permute(1, 2, 3, 0).reshape(-1, 3).clamp(0, 1) * (2**_OUT - 1)).round().int().tolist()
    return "\n".join(" ".join(map(str, row)) for row in (levels, *nodes)) + "\n"
