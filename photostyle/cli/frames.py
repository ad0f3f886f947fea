"""One look, or one table, on many photographs, from files to files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from photostyle import ImageError, PhotostyleError, RegionsError, check_writable
from photostyle.files import keep_inputs, make_folder
from photostyle.jobs.frames import apply_to_file, load_grade
from photostyle.jobs.naming import apart, copy_names


def apply_look(
    path: Path,
    photos: Sequence[Path],
    output: Path,
    tell: Callable[[str], None],
    *,
    space: str | None,
    strength: float,
    saving: Mapping[str, Any],
    most_pixels: float | None,
    regions: Path | None = None,
    match: Mapping[str, str] | None = None,
) -> Iterator[Path | PhotostyleError]:
    """Each photograph with the look or the table in a file: yields, in their order, where it is, or why it is not.

    `output` is the file of a single photograph, or the folder of all; `tell` gets notices; `space` is that of a table.
    `regions` and `match` are those of `apply_to_file`, the label image that of a single photograph. Raises
    PhotostyleError for what concerns them all, before any work.
    """
    files = _outputs(photos, output)
    if regions and len(photos) > 1:
        raise RegionsError(
            f"{regions} shows the regions of one photograph, not of {len(photos)}: apply to each by itself."
        )
    keep_inputs(files, [path, *photos, *([regions] if regions else [])])
    grade = load_grade(path, tell, space=space)
    if files != [output]:
        make_folder(output)
    options: dict[str, Any] = {"strength": strength, "saving": saving, "most_pixels": most_pixels}
    options |= {"regions": regions, "match": match}
    for photo, file in zip(photos, files, strict=True):
        try:
            check_writable(file)
            apply_to_file(grade, photo, file, tell, names={"look": str(path), "content": str(photo)}, **options)
            yield file
        except PhotostyleError as error:
            yield error


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
