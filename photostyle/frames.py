"""A look or a table given to a photograph, from file to file. Light: no network is imported for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from photostyle import (
    ImageError,
    SettingsError,
    __version__,
    fade,
    load_look,
    load_photograph,
    load_table,
    memory,
    save_photograph,
)
from photostyle.tables.reading import is_table
from photostyle.tables.soundness import examine


class Grade(Protocol):
    """What changes the colours of a photograph: a `Look` or a `Table`."""

    @property
    def facts(self) -> dict[str, str]:
        """What a note on the result says of it."""

    def apply(self, photograph: Tensor) -> Tensor:
        """3×H×W, sRGB in [0, 1], to the same."""


def load_grade(path: Path, report: Callable[[str], None], *, space: str | None = None) -> Grade:
    """The look or the table in a file, whichever it holds; `report` gets what is out of the ordinary in a table.

    `space` is that of a table. Raises ImageError if it holds neither, SettingsError for the space of a look.
    """
    if not is_table(path):
        if space is not None:
            raise SettingsError(f"{path} is a look, which knows its colours: a space is for tables.")
        return load_look(path)
    table = load_table(path, space=space)
    for said in (*table.notes, *examine(table.color_map()).doubts(str(path))):
        report(f"Note: {said}")
    return table


def apply_to_file(
    look: Grade,
    photograph: Path,
    output: Path,
    report: Callable[[str], None],
    *,
    names: Mapping[str, str],
    strength: float,
    saving: Mapping[str, Any],
    most_pixels: float | None,
) -> None:
    """Give a look or a table to a photograph in a file; `report` gets the notices.

    `names` say what "look" and "content" are called, in errors and, without their folders, in the note. `saving` holds
    options of `save_photograph`. Raises ImageError if the photograph cannot be read, be given the look, or be written,
    SettingsError for want of memory.
    """
    before = load_photograph(photograph, **({} if most_pixels is None else {"most_pixels": most_pixels}))
    memory.check_room("apply", before.pixels.shape[1:], torch.device("cpu"))
    try:
        after = fade(before.pixels, look.apply(before.pixels), strength)
    except ImageError as error:
        raise ImageError(f"{names['content']}: {error}") from error
    note = {role: Path(name).name for role, name in names.items()}
    facts = note | {"strength": strength, "version": __version__, "made": look.facts}
    for said in (*before.notes, *save_photograph(after, output, like=before, note=facts, dither=True, **saving)):
        report(f"Note: {said}")
