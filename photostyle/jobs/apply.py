"""A look or a table given to photographs, from files to files.

Light: no network is loaded unless regions are to be found.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from photostyle import (
    Adjustment,
    ImageError,
    LocalLook,
    Look,
    PhotostyleError,
    RegionsError,
    SettingsError,
    Table,
    __version__,
    adjust_look,
    check_writable,
    fade,
    load_look,
    load_photograph,
    load_table,
    save_photograph,
)
from photostyle.files import keep_inputs, make_folder
from photostyle.jobs import memory
from photostyle.jobs.naming import apart, copy_names
from photostyle.jobs.report import Report, have_weights, tell
from photostyle.people.among import put_among, skin_among
from photostyle.people.skin import SKIN
from photostyle.tables.reading import is_table
from photostyle.tables.soundness import examine

Grade = Look | LocalLook | Table
"""What changes the colours of a photograph."""


def load_grade(path: Path, report: Report, *, space: str | None = None) -> Grade:
    """The look or the table in a file, whichever it holds; `report` gets what is out of the ordinary in a table.

    `space` is that of a table. Raises ImageError if it holds neither, SettingsError for the space of a look.
    """
    if not is_table(path):
        if space is not None:
            raise SettingsError(f"{path} is a look, which knows its colours: a space is for tables.")
        return load_look(path)
    table = load_table(path, space=space)
    tell((*table.notes, *examine(table.color_map()).doubts(str(path))), report)
    return table


@dataclass(frozen=True)
class Apply:
    """How a look or a table is given to photographs, from file to file.

    `strength` in [0, 1]; `saving` holds options of `save_photograph`; `regions` is a label image of the photograph's,
    in place of those that are found; `match` gives one of its regions the map of another one of the look.
    """

    strength: float = 1.0
    saving: Mapping[str, Any] = field(default_factory=dict)
    most_pixels: float | None = None
    regions: Path | None = None
    match: Mapping[str, str] = field(default_factory=dict)

    def to_files(
        self, look: Path, photos: Sequence[Path], output: Path, report: Report, space: str | None = None
    ) -> Iterator[Path | PhotostyleError]:
        """Each photograph with the look or the table in a file: yields, in their order, where it is, or why it is not.

        `output` is the file of a single photograph, or the folder of all; `report` gets notices; `space` is that of a
        table. Raises PhotostyleError for what concerns them all, before any work.
        """
        files = _outputs(photos, output)
        if self.regions and len(photos) > 1:
            raise RegionsError(
                f"{self.regions} shows the regions of one photograph, not of {len(photos)}: apply to each by itself."
            )
        keep_inputs(files, [look, *photos, *([self.regions] if self.regions else [])])
        grade = load_grade(look, report, space=space)
        if files != [output]:
            make_folder(output)
        for photo, file in zip(photos, files, strict=True):
            try:
                check_writable(file)
                self.to_file(grade, photo, file, report, {"look": str(look), "content": str(photo)})
                yield file
            except PhotostyleError as error:
                yield error

    def to_file(self, grade: Grade, photo: Path, output: Path, report: Report, names: Mapping[str, str]) -> None:
        """Give it to a photograph in a file; `report` gets the notices.

        `names` say what "look" and "content" are called, in errors and, without their folders, in the note. Raises
        ImageError if the photograph cannot be read, be given the look, or be written, SettingsError if memory is short,
        RegionsError for regions that cannot be read or are not there, WeightsError if regions are to be found and the
        network cannot be had.
        """
        before = load_photograph(photo, most_pixels=self.most_pixels)
        memory.check_room("apply", before.pixels.shape[1:], torch.device("cpu"))
        try:
            after, said = _graded(before.pixels, grade, self, report)
        except ImageError as error:
            raise ImageError(f"{names['content']}: {error}") from error
        note = {role: Path(name).name for role, name in names.items()}
        facts = note | {"strength": self.strength, "version": __version__, "made": grade.facts}
        written = save_photograph(after, output, like=before, note=facts, dither=True, **self.saving)
        tell((*before.notes, *said, *written), report)


def _outputs(photos: Sequence[Path], output: Path) -> list[Path]:
    """The file to write for each photograph."""
    if output.suffix and not output.is_dir():
        if len(photos) > 1:
            raise ImageError(f"{output} would be one file for {len(photos)} photographs: name a folder.")
        return [output]
    names = apart([copy_names(photo.name) for photo in photos])
    for name in names:
        if names.count(name) > 1:
            raise ImageError(f"Two of the photographs are called {name}: apply the look into a folder for each.")
    return [output / name for name in names]


def _graded(photograph: Tensor, grade: Grade, how: Apply, report: Report) -> tuple[Tensor, tuple[str, ...]]:
    """The photograph with the grade, and what there is to say of it."""
    if (how.regions or how.match) and not (isinstance(grade, Look) and len(grade.names) > 1):
        raise RegionsError(
            "Only a look of several regions can be told where they lie: leave out --regions and --match."
        )
    if isinstance(grade, Table):
        return grade.apply(photograph, how.strength), ()
    if isinstance(grade, LocalLook):
        return fade(photograph, grade.apply(photograph), how.strength), ()
    masks, said = _placed(grade, photograph, how, report)
    return adjust_look(grade, Adjustment(how.strength)).apply(photograph, masks), said


def _placed(look: Look, photograph: Tensor, how: Apply, report: Report) -> tuple[Tensor, tuple[str, ...]]:
    """Masks (K+1)×h×w of the look's regions in a photograph, the last of what is none of them; what to say of it."""
    from photostyle import load_regions  # their imports take a while
    from photostyle.regions.pairing import check_names

    said: tuple[str, ...]
    if how.regions:
        regions = load_regions(how.regions, how.regions)
        regions.check(photograph, photograph)
        names, masks, said = regions.names, regions.content, regions.notes
    else:
        have_weights(report, *look.networks_in(photograph))
        masks, said = look.find_regions(photograph)
        names = look.names
    check_names(how.match, (), names, look.names)
    placed = torch.zeros(len(look.names) + 1, *masks.shape[1:])
    for name, mask in zip(names, masks, strict=False):
        model = how.match.get(name, name)
        if model in look.names:
            placed[look.names.index(model)] += mask
        else:
            placed[-1] += mask
            said += (
                f"Region {name} is none of the look's ({', '.join(look.names)}) and takes what they have in common.",
            )
    if not how.regions:
        placed[-1] += masks[-1]
    elif SKIN in look.names and not bool(placed[look.names.index(SKIN)].any()):
        number = look.names.index(SKIN)
        others = torch.cat([placed[:number], placed[number + 1 :]])
        if (here := skin_among(others, photograph)) is not None:
            placed = put_among(others, here, number)
    return placed, said
