"""From files to tables: what a file holds decides, not its name."""

from __future__ import annotations

import codecs
import os
import re
from dataclasses import replace

from photostyle.errors import ImageError
from photostyle.files import StrPath, read_start
from photostyle.photofile.decode import decode
from photostyle.photofile.source import opened
from photostyle.tables import cube, hald, threedl
from photostyle.tables.spaces import find_space
from photostyle.tables.table import Table

_START = 4096  # bytes that tell what a file is
_LARGEST = 2**30  # bytes: 256³ lines of text are half of it
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_CUBE = re.compile(r"(^|[\r\n])\s*LUT_", re.IGNORECASE)
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"RIFF")


def load_table(path: StrPath, *, space: str | None = None) -> Table:
    """Read a `.cube` (1-D, 3-D of 2 to 256 nodes along each axis, or both), a Hald image of level 2 to 16, or a `.3dl`.

    `space` says which colours it takes and gives, a name in `SPACES`; None: what the file says of itself, as a `.cube`
    of `save_table` does, or else sRGB.

    Raises ImageError if there is no such file or it holds no table, with the number of the line where one is broken;
    SettingsError if there is no such space.
    """
    if space is not None:
        find_space(space)
    name = str(path)
    start = read_start(path, _START, "table")
    if _is_text(start):
        if os.path.getsize(path) > _LARGEST:
            raise ImageError(f"{name} is larger than any table: check the name.")
        table = _from_text(_decoded(read_start(path, -1, "table")), name)
    elif start.startswith(_PICTURES):
        with opened(path) as source:
            raster = decode(source)
        table = hald.parse(raster.levels, name)
    else:
        raise ImageError(f"{name} is no table: give a .cube, a .3dl, or a Hald image as PNG or TIFF.")
    return table if space is None else replace(table, space=space)


def is_table(path: StrPath) -> bool:
    """Whether a file is a text or a picture, as tables are and looks are not.

    Raises ImageError if it cannot be read.
    """
    start = read_start(path, _START, "look or a table")
    return _is_text(start) or start.startswith(_PICTURES)


def _is_text(start: bytes) -> bool:
    return start.startswith(_UTF16) or b"\0" not in start


def _decoded(data: bytes) -> str:
    """Titles may be in any encoding; all that counts is ASCII."""
    return data.decode("utf-16" if data.startswith(_UTF16) else "utf-8-sig", errors="replace")


def _from_text(text: str, name: str) -> Table:
    """`.cube` names its size with a keyword, `.3dl` does without one."""
    return (cube if _CUBE.search(text) else threedl).parse(text, name)
