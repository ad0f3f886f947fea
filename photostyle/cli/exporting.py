"""A look as tables, from files to files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from torch import Tensor

from photostyle import (
    Look,
    SettingsError,
    Table,
    held,
    load_photograph,
    load_table,
    make_table,
    save_pack,
    save_table,
)
from photostyle.files import check_folder, keep_inputs
from photostyle.jobs.apply import load_grade
from photostyle.jobs.report import Report, have_weights, tell
from photostyle.looks.pack import Pack, regional_tables
from photostyle.looks.sight import Sight, see
from photostyle.looks.single import single_table
from photostyle.tables.making import SIZE
from photostyle.tables.soundness import examine
from photostyle.tables.writing import check_form, check_table_path, default_size


@dataclass(frozen=True)
class Form:
    """How tables are to be: nodes along each axis (None: as many as the format likes), the space, bits, and title."""

    size: int | None
    space: str
    bits: Literal[8, 16]
    title: str

    def size_of(self, output: Path) -> int:
        """The nodes along each axis of the table in that file."""
        return self.size or default_size(output)


def export_look(
    path: Path,
    output: Path | None,
    pack: Path | None,
    photo: Path | None,
    report: Report,
    *,
    form: Form,
    most_pixels: float | None,
) -> Iterator[str]:
    """Write a look as one table, into `output`, as a pack into the folder `pack`, or both; yields what was written.

    `report` gets notices. Raises PhotostyleError before any work for what cannot be written, and for a pack without the
    photograph or the regions that it is made of.
    """
    if output:
        check_table_path(output, form.size_of(output), form.space)
        keep_inputs([output], [path, *([photo] if photo else [])])
    if pack:
        check_folder(pack)
        check_form(".cube", form.size or SIZE, form.space)
    grade = load_grade(path, report)
    if isinstance(grade, Table):
        if pack or not output:
            raise SettingsError(f"{path} is a table, which has no regions: name a file for one table.")
        size = form.size_of(output)
        save_table(make_table(grade.color_map(size), size, space=form.space, title=form.title), output, bits=form.bits)
        yield f"Wrote {output}."
        return
    pixels = None
    if photo:
        loaded = load_photograph(photo, most_pixels=most_pixels)
        pixels = loaded.opaque()
        tell(loaded.notes, report)
        if isinstance(grade, Look):
            have_weights(report, *grade.networks_in(pixels))
    sight = see(grade, pixels)
    tell(sight.said, report)
    if output:
        save_table(single_table(sight, form.size_of(output), form.space, form.title), output, bits=form.bits)
        written = load_table(output, space=form.space)
        tell(examine(written.color_map()).doubts(str(output)), report)
        yield f"Wrote {output}: one table holds {held(sight.before, sight.after, written.apply(sight.before))}."
    if pack and pixels is not None:
        regional = _pack(sight, pixels, form)
        holds = held(sight.before, sight.after, regional.fit(sight.before.shape[1:]).apply(sight.before))
        save_pack(regional, pack, holds)
        yield f"Wrote the folder {pack}: {len(regional.names)} tables and masks hold {holds}."
    elif len(sight.names) > 1:
        holds = held(sight.before, sight.after, _pack(sight, sight.before, form).apply(sight.before))
        yield f"A pack of {len(sight.names)} tables and masks (--pack) would hold {holds}."


def _pack(sight: Sight, photograph: Tensor, form: Form) -> Pack:
    return regional_tables(sight, photograph, form.size or SIZE, form.space, form.title)
