"""Files here, by their paths, and elsewhere (s3://…, memory://…), through fsspec and its drivers."""

from __future__ import annotations

import codecs
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from photostyle import ImageError, SettingsError
from photostyle.files import reason


def is_url(path: str) -> bool:
    """Whether a path names something that is not on this machine's file system."""
    return "://" in path


def local_path(path: str) -> str:
    """A path as it is, but file:// as the path that it stands for."""
    return path.removeprefix("file://")


def join(folder: str, name: str) -> str:
    """The path of a file in a folder; an absolute `name` or a URL stays what it is."""
    if is_url(name):
        return name
    return f"{folder.rstrip('/')}/{name}" if is_url(folder) else os.path.join(folder, name)


def parent(path: str) -> str:
    """The folder that a file is in."""
    return path.rpartition("/")[0] if is_url(path) else os.path.dirname(path)


def digest(path: str) -> str:
    """The SHA-256 of a file. Raises ImageError if it cannot be read."""
    with _sentence(path, "read"):
        if not is_url(path):
            with open(path, "rb") as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest()
        system, place = _system(path)
        sha256 = hashlib.sha256()
        with system.open(place, "rb") as stream:
            while chunk := stream.read(2**20):
                sha256.update(chunk)
        return sha256.hexdigest()


def size(path: str) -> int | None:
    """The bytes of a file; None if there is none."""
    try:
        if not is_url(path):
            return os.path.getsize(path)
        system, place = _system(path)
        return int(system.info(place)["size"])
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ImageError(f"{path} cannot be looked at ({reason(error)}): check the name.") from error


def fetch(path: str, folder: Path) -> Path:
    """The path of a file on this machine: a copy in `folder`, under its own name, if it is elsewhere."""
    if not is_url(path):
        return Path(path)
    system, place = _system(path)
    copy = folder / PurePosixPath(path).name
    folder.mkdir(parents=True, exist_ok=True)
    with _sentence(path, "read"):
        system.get_file(place, str(copy))
    return copy


def put(file: Path, target: str) -> None:
    """Move a file to its place: there it appears whole or not at all, as far as that place can do so."""
    with _sentence(target, "written"):
        if not is_url(target):
            os.makedirs(os.path.dirname(target) or ".", exist_ok=True)
            os.replace(file, target)
            return
        system, place = _system(target)
        system.makedirs(parent(place), exist_ok=True)
        with system.transaction, system.open(place, "wb") as stream:
            stream.write(file.read_bytes())


def names(folder: str) -> list[str]:
    """The files in a folder and its folders, relative to it and in order; hidden ones are left out."""
    if not is_url(folder):
        found = []
        for path, folders, files in os.walk(folder):
            folders[:] = [name for name in folders if not name.startswith(".")]
            found += [os.path.relpath(os.path.join(path, name), folder).replace(os.sep, "/") for name in files]
    else:
        system, place = _system(folder)
        with _sentence(folder, "read"):
            found = [str(PurePosixPath(path).relative_to(place)) for path in system.find(place)]
    return sorted(name for name in found if not any(part.startswith(".") for part in name.split("/")))


def read_text(path: str) -> str:
    """A text file in UTF-8, or in UTF-16 that says so. Raises ImageError if it cannot be read.

    Bytes that are no UTF-8 are kept as those in names of files are: a list may hold the names of a foreign system.
    """
    with _sentence(path, "read"):
        if is_url(path):
            system, place = _system(path)
            data = bytes(system.cat_file(place))
        else:
            data = Path(path).read_bytes()
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return data.decode("utf-16")
        return data.decode("utf-8-sig", "surrogateescape")


@contextmanager
def _sentence(path: str, done: str) -> Iterator[None]:
    """What goes wrong with a file, as an ImageError that names it."""
    try:
        yield
    except FileNotFoundError as error:
        raise ImageError(f"There is no file {path}: check the name.") from error
    except (OSError, ValueError) as error:  # ValueError: no text, or a name that no file can have
        raise ImageError(f"{path} cannot be {done} ({reason(error)}).") from error


def _system(path: str) -> tuple[Any, str]:
    """The file system of a URL and the path in it."""
    try:
        from fsspec.core import url_to_fs

        system, place = url_to_fs(path)
    except (ImportError, ValueError) as error:  # no fsspec, no driver, no such protocol
        raise SettingsError(
            f"{path} is out of reach ({reason(error)}): install fsspec and its driver for {path.partition('://')[0]}."
        ) from error
    return system, str(place)
