"""What the user wants made, line by line: a file of jobs (CSV or JSONL), or a folder of photographs."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from photostyle import FileError, SettingsError
from photostyle.batch import storage
from photostyle.photofile.source import EXTENSIONS, foreign_kind

INPUTS = ("content", "style", "look", "content_regions", "style_regions")
"""What of a line are files: in a file of jobs relative to the folder that it is in."""

_PHOTOGRAPHS = {suffix for known in EXTENSIONS.values() for suffix in known}
_DELIMITERS = ",;\t"
_TOLD = 5  # names in a notice


@dataclass(frozen=True)
class Line:
    """One photograph to make: `values` are its files by role and its settings, `where` is how errors name it.

    `name` is the path of its result below the output folder, without a say about the extension; "" if the plan
    is to choose one.
    """

    where: str
    values: dict[str, Any] = field(default_factory=dict)
    name: str = ""


def read_lines(jobs: str, output: str, tell: Callable[[str], None] = lambda sentence: None) -> list[Line]:
    """The lines of a file of jobs (.csv, .jsonl), or one for each photograph in a folder and its folders.

    What is in the folder `output` is left out; `tell` is given a sentence about pictures of a kind that is not read.
    The columns of a CSV have commas, semicolons or tabs between them, and names in capitals or not. Raises FileError
    if there is nothing to read, SettingsError if a line is not one; it names the line.
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
        raise FileError(f"{jobs} {there}: give a folder of photographs or a file of jobs.")
    return _folder(jobs, output, tell)


def _folder(folder: str, output: str, tell: Callable[[str], None]) -> list[Line]:
    below, own = (path.rstrip("/") if storage.is_url(path) else os.path.realpath(path) for path in (folder, output))
    lines, foreign = [], []
    for name in storage.names(folder):
        # Results of an earlier run, if they are below the photographs, are not photographs to work on.
        if own.startswith(f"{below}/") and f"{below}/{name}".startswith(f"{own}/"):
            continue
        if PurePosixPath(name).suffix.lower() in _PHOTOGRAPHS:
            lines.append(Line(name, {"content": storage.join(folder, name)}, name))
        elif kind := foreign_kind(name):
            foreign.append(f"{name} ({kind})")
    if foreign:
        more = f" and {len(foreign) - _TOLD} more" if len(foreign) > _TOLD else ""
        tell(f"Note: passed over, for this kind of file is not read: {', '.join(foreign[:_TOLD])}{more}.")
    if not lines:
        raise FileError(f"{folder} holds no photographs: {', '.join(sorted(_PHOTOGRAPHS))}.")
    return lines


def _csv(text: str, name: str) -> Iterator[Line]:
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True, skipinitialspace=True, delimiter=_delimiter(text))
    try:
        columns = [_key(column) for column in rows.fieldnames or ()]
        if "content" not in columns or len(set(columns)) < len(columns):
            there = ", ".join(map(repr, columns)) or "nothing"
            raise SettingsError(
                f"{name}, line 1: name each column once, and one of them content, with commas, semicolons or tabs "
                f"between; it names {there}."
            )
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
        yield Line(where, {_key(key): value for key, value in values.items() if value not in (None, "")})


def _delimiter(text: str) -> str:
    """What stands between the columns: what parts the first line into most names, one of them content."""
    first = text.partition("\n")[0]
    heads = {mark: [_key(name) for name in next(csv.reader([first], delimiter=mark), [])] for mark in _DELIMITERS}
    return max(_DELIMITERS, key=lambda mark: ("content" in heads[mark]) * len(heads[mark]))


def _key(name: str) -> str:
    """A column as options are called: "Content regions" is content_regions."""
    return "_".join(name.casefold().replace("-", " ").replace("_", " ").split())


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
