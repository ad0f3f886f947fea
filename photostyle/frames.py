"""A look given to a photograph, from file to file. Light: no network is imported for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from photostyle import ImageError, LocalLook, Look, __version__, fade, load_photograph, memory, save_photograph


def apply_to_file(
    look: Look | LocalLook,
    photograph: Path,
    output: Path,
    report: Callable[[str], None],
    *,
    names: Mapping[str, str],
    strength: float,
    saving: Mapping[str, Any],
    most_pixels: float | None,
) -> None:
    """Give a look to a photograph in a file; `report` gets the notices.

    `names` say what "look" and "content" are called, in errors and, without their folders, in the note. `saving` holds
    options of `save_photograph`. Raises ImageError if the photograph cannot be read, be given the look, or be written,
    SettingsError for want of memory.
    """
    before = load_photograph(photograph, **({} if most_pixels is None else {"most_pixels": most_pixels}))
    memory.check_room("apply", before.pixels.shape[1:], torch.device("cpu"))
    said: tuple[str, ...] = ()
    try:
        if isinstance(look, LocalLook):
            after = look.apply(before.pixels)
        else:
            masks, said = look.find_regions(before.pixels)
            after = look.apply(before.pixels, masks)
    except ImageError as error:
        raise ImageError(f"{names['content']}: {error}") from error
    after = fade(before.pixels, after, strength)
    note = {role: Path(name).name for role, name in names.items()}
    facts = note | {"strength": strength, "version": __version__, "made": look.facts}
    written = save_photograph(after, output, like=before, note=facts, dither=True, **saving)
    for sentence in (*before.notes, *said, *written):
        report(f"Note: {sentence}")
