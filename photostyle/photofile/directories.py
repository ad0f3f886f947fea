"""The directories of a TIFF, and of the many files that are TIFFs in their outer form: what is stored where."""

from __future__ import annotations

from contextlib import suppress
from typing import BinaryIO

from PIL.TiffImagePlugin import ImageFileDirectory_v2

BIG_TIFF = (b"II+\0", b"MM\0+")
TIFF = (b"II*\0", b"MM\0*", *BIG_TIFF)
"""How a TIFF begins."""

_SUB_IFDS = 0x014A
_MOST = 32  # a scan of a thousand pages is told by its first ones


def directories(stream: BinaryIO) -> list[ImageFileDirectory_v2]:
    """The first directories, and those below them, as far as they can be read; none of a file that is no TIFF."""
    stream.seek(0)
    head = stream.read(16)
    if not head.startswith(TIFF):
        return []
    if not head.startswith(BIG_TIFF):
        head = head[:8]
    found: list[ImageFileDirectory_v2] = []
    with suppress(Exception):  # on damaged files Pillow raises nearly anything
        places, seen = [ImageFileDirectory_v2(head).next], {0}  # 0: no more
        while places and len(found) < _MOST:
            if (place := places.pop(0)) in seen:
                continue
            seen.add(place)
            stream.seek(place)
            directory = ImageFileDirectory_v2(head)
            directory.load(stream)
            found.append(directory)
            places += [directory.next, *directory.get(_SUB_IFDS, ())]
    return found
