"""What the user wants made, line by line: a file of jobs (CSV or JSONL), or a folder of photographs."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from photostyle import ImageError, SettingsError
from photostyle.batch import storage

INPUTS = ("content", "style", "look", "content_regions", "style_regions")
"""What of a line are files: in a file of jobs relative to the folder that it is in."""

_PHOTOGRAPHS = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".avif", ".gif", ".heic", ".heif"}


@dataclass(frozen=True)
class Line:
    """One photograph to make: `values` are its files by role and its settings, `where` is how errors name it.

    `name` is the path of its result below the output folder, without a say about the extension; "" if the plan
    is to choose one.
    """

    where: str
    values: dict[str, Any] = field(default_factory=dict)
    name: str = ""


def read_lines(jobs: str, output: str) -> list[Line]:
    """The lines of a file of jobs (.csv, .jsonl), or one for each photograph in a folder and its folders.

    What is in the folder `output` is left out. Raises ImageError if there is nothing to read, SettingsError if a
    line is not one; it names the line.
    """
    kind = PurePosixPath(jobs).suffix.lower()
    if kind in (".csv", ".jsonl", ".ndjson"):
        read = _csv if kind == ".csv" else _jsonl
        lines = [_resolved(line, storage.parent(jobs)) for line in read(storage.read_text(jobs), jobs)]
        if not lines:
            raise SettingsError(f"{jobs} holds no jobs: each line names a content and a style.")
        return lines
    if not storage.is_url(jobs) and not os.path.isdir(jobs):
        there = "is no folder and no .csv or .jsonl" if os.path.exists(jobs) else "does not exist"
        raise ImageError(f"{jobs} {there}: give a folder of photographs or a file of jobs.")
    return _folder(jobs, output)


def _folder(folder: str, output: str) -> list[Line]:
    below, own = (path.rstrip("/") if storage.is_url(path) else os.path.realpath(path) for path in (folder, output))
    lines = []
    for name in storage.names(folder):
        path = storage.join(folder, name)
        if PurePosixPath(name).suffix.lower() not in _PHOTOGRAPHS:
            continue
        # Results of an earlier run, if they are below the photographs, are not photographs to work on.
        if not (own.startswith(f"{below}/") and f"{below}/{name}".startswith(f"{own}/")):
            lines.append(Line(name, {"content": path}, name))
    if not lines:
        raise ImageError(f"{folder} holds no photographs: {', '.join(sorted(_PHOTOGRAPHS))}.")
    return lines


def _csv(text: str, name: str) -> Iterator[Line]:
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True, skipinitialspace=True)
    try:
        columns = [column.strip() for column in rows.fieldnames or ()]
        if "content" not in columns or len(set(columns)) < len(columns):
            raise SettingsError(f"{name}, line 1: name each column once, and one of them content.")
        rows.fieldnames = columns
        for row in rows:
            where = f"{name}, line {rows.line_num}"
            if None in row or None in row.values():
                raise SettingsError(f"{where} should have {len(columns)} cells, as the first line has.")
            yield Line(where, {column: cell.strip() for column, cell in row.items() if cell.strip()})
    except csv.Error as error:
        raise SettingsError(f"{name}, line {rows.line_num} is not CSV ({error}).") from error


def _jsonl(text: str, name: str) -> Iterator[Line]:
    for number, line in enumerate(text.split("\n"), start=1):  # JSON may hold other line breaks than this one
        where = f"{name}, line {number}"
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except ValueError as error:
            raise SettingsError(f"{where} is not JSON ({error}).") from error
        if not isinstance(values, dict):
            raise SettingsError(f'{where} should be an object, as {{"content": …, "style": …}}.')
        yield Line(where, {key: value for key, value in values.items() if value not in (None, "")})


def _resolved(line: Line, folder: str) -> Line:
    """The line with the paths of its files made whole."""
    files = {}
    for role in INPUTS:
        if role in line.values:
            if not isinstance(path := line.values[role], str):
                raise SettingsError(f"{line.where}: {role} should be the path of a file, not {path!r}.")
            files[role] = storage.join(folder, storage.local_path(path))
    if "content" not in files:
        raise SettingsError(f"{line.where} names no content.")
    return Line(line.where, line.values | files)
