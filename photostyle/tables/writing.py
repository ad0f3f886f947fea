"""From tables to files."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from photostyle.errors import ImageError, SettingsError
from photostyle.files import StrPath, check_target, write_whole
from photostyle.tables import cube, hald, threedl
from photostyle.tables.making import SIZE
from photostyle.tables.stages import Curves, Lattice
from photostyle.tables.table import Table

SUFFIXES = (".cube", ".png", ".3dl")
SIZES: dict[str, tuple[int, ...]] = {
    ".cube": tuple(range(17, 66)),
    ".png": hald.SIZES,
    ".3dl": (17, 33, 65),
}
"""The nodes along each axis that each format is written with. Programs differ in what they read beyond."""


def default_size(path: StrPath) -> int:
    """The nodes along each axis that a file of that name gets unless told otherwise: 33, and 64 in a Hald image."""
    sizes = SIZES.get(Path(path).suffix.lower(), (SIZE,))
    return SIZE if SIZE in sizes else sizes[0]


def check_table_path(path: StrPath, size: int, space: str) -> None:
    """Raise what `save_table` would raise for such a table and file; touch nothing."""
    check_target(path, SUFFIXES)
    check_form(Path(path).suffix.lower(), size, space)


def check_form(suffix: str, size: int, space: str) -> None:
    """Raise SettingsError if files of that extension do not hold tables of that size and space."""
    if size not in SIZES[suffix]:
        sizes = SIZES[suffix]
        which = f"from {sizes[0]} to {sizes[-1]}" if len(sizes) > 10 else f"one of {', '.join(map(str, sizes))}"
        raise SettingsError(f"A {suffix} of {size} nodes along each axis is not written: choose {which}.")
    if space == "linear" and suffix != ".cube":
        raise SettingsError(f"A {suffix} has no room for the curve that a table of linear light needs: write a .cube.")


def save_table(table: Table, path: StrPath, *, bits: Literal[8, 16] = 16) -> None:
    """Write a table of `make_table`; the extension chooses the format: `.cube`, `.3dl`, or `.png` for a Hald image.

    `bits` per channel are those of a Hald image. Only `.cube` keeps the title, the space, and what goes beyond [0, 1].
    Equal tables give equal bytes. The file appears whole or not at all.

    Raises ImageError if it cannot be written; SettingsError for a size or a space that the format does not have.
    """
    check_target(path, SUFFIXES)
    write_whole(path, encode_table(table, Path(path).suffix.lower(), bits=bits))


def encode_table(table: Table, suffix: str, *, bits: Literal[8, 16] = 16) -> bytes:
    """What `save_table` writes into a file of that extension."""
    match table.stages:
        case (Lattice() as lattice,):
            curves = None
        case (Curves() as curves, Lattice() as lattice):
            pass
        case _:
            raise ImageError("Only a table that is a lattice, perhaps with curves before it, can be written.")
    check_form(suffix, lattice.size, table.space)
    if suffix == ".cube":
        return cube.write(curves, lattice, space=table.space, title=table.title).encode()
    if suffix == ".3dl":
        return threedl.write(lattice).encode()
    return hald.write(lattice, bits)
