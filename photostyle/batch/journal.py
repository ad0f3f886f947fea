"""What became of each task, in a file that outlives crashes: a line of JSON for each event, appended and synced."""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from pathlib import Path
from time import time
from types import TracebackType
from typing import Any

from filelock import FileLock, Timeout

from photostyle import FileError, SettingsError
from photostyle.files import make_folder, reason
from photostyle.wording import json_bytes

Record = dict[str, Any]


class Journal:
    """A journal that is open for writing: `write` appends, `last` is what its folder knew of each output before.

    Who opens a journal is alone with it; the shards of a batch have one each, and read those of the others.
    Records have `state` (started, done, failed), `output`, `key` and `at`, seconds since 1970.
    """

    def __init__(self, path: Path, others: Collection[Path] = ()) -> None:
        """`others` are the journals of other shards.

        Raises SettingsError if a batch is writing this one, FileError if it cannot be written.
        """
        make_folder(path.parent)
        self._path = path
        self._lock = FileLock(path.with_name(f".{path.name}.lock"))
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise SettingsError(
                f"Another batch is at work with {path}: wait for it, or name another folder."
            ) from error
        except OSError as error:
            raise FileError(f"{path} cannot be locked ({reason(error)}): choose another --journal.") from error
        try:
            self.last = last_records({path, *others})
            self._stream = path.open("ab")
            if self._stream.tell() and not path.read_bytes().endswith(b"\n"):
                self._stream.write(b"\n")  # after a line that a crash has torn
        except OSError as error:
            self._lock.release()
            raise FileError(f"{path} cannot be written ({reason(error)}): choose another --journal.") from error

    def write(self, record: Record) -> None:
        """Append a record and wait until the disk has it. Raises FileError if it cannot be written."""
        try:
            self._stream.write(json_bytes({"at": time(), **record}) + b"\n")
            self._stream.flush()
            os.fsync(self._stream.fileno())
        except OSError as error:
            raise FileError(f"{self._path} cannot be written ({reason(error)}): make room and --resume.") from error

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()
        self._lock.release()


def last_records(journals: Collection[Path]) -> dict[str, Record]:
    """The last that these journals know of each output."""
    records: list[Record] = []
    for journal in journals:
        if journal.is_file():
            records += filter(None, map(_record, journal.read_bytes().split(b"\n")))
    return {record["output"]: record for record in sorted(records, key=lambda record: record["at"])}


def _record(line: bytes) -> Record | None:
    """A line of a journal; None if a crash has torn it, or it is none."""
    try:
        record = json.loads(line)
    except ValueError:
        return None
    match record:
        case {"at": int() | float(), "output": str(), "state": str(), "key": str()}:
            return dict(record)
        case _:
            return None
