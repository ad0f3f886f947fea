"""Writing files: looked into before the work starts, and whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from photostyle.errors import ImageError

StrPath = str | os.PathLike[str]


def check_target(path: StrPath, extensions: Collection[str]) -> None:
    """Raise ImageError if `write_whole` could not write to `path`, or its name ends otherwise; touch nothing."""
    if Path(path).suffix.lower() not in extensions:
        which = f"one of {', '.join(extensions)}" if len(extensions) > 1 else "".join(extensions)
        raise ImageError(f"{path} has no extension that can be written: use {which}.")
    check_file(path)


def check_file(path: StrPath) -> None:
    """Raise ImageError if no file could be written to `path`; touch nothing."""
    try:
        target = Path(os.path.realpath(path))  # a link is written through, as open() would
        os.lstat(target)
    except (FileNotFoundError, NotADirectoryError):
        pass
    except (OSError, ValueError) as error:  # the name is too long, or holds a zero byte
        raise ImageError(f"{path} cannot be written ({reason(error)}): choose another name.") from error
    if target.is_dir():
        raise ImageError(f"{path} is a folder: name a file in it.")
    if not target.parent.is_dir():
        raise ImageError(f"{path} cannot be written: there is no folder {target.parent}; make it first.")
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise ImageError(f"{path} cannot be written: its folder is read-only; choose another.")
    if target.exists() and not os.access(target, os.W_OK):
        raise ImageError(f"{path} is write-protected: choose another name.")


def keep_inputs(outputs: Iterable[Path], inputs: Iterable[Path]) -> None:
    """Raises ImageError if an output is one of the input files, under whatever name."""
    there = [path for path in inputs if path.exists()]
    for output in outputs:
        if output.exists() and any(path.samefile(output) for path in there):
            raise ImageError(f"{output} is one of the input files: name another output.")


def read_start(path: StrPath, size: int, kind: str) -> bytes:
    """The first bytes of a file that should be a `kind`, all with −1.

    Raises ImageError if it cannot be read or is empty.
    """
    if os.path.isdir(path):  # asked first, since the error of open() differs between systems
        raise ImageError(f"{path} is a folder, not a {kind}: name a file in it.")
    try:
        with open(path, "rb") as stream:
            data = stream.read(size)
    except FileNotFoundError as error:
        raise ImageError(f"There is no file {path}: check the name.") from error
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        raise ImageError(f"{path} cannot be read ({reason(error)}): check the name, or use a copy.") from error
    if not data:
        raise ImageError(f"{path} is empty: use another copy.")
    return data


def stream_or(path: Path) -> Path | Literal["-"]:
    """The path, or "-" where it means standard input or output."""
    return "-" if str(path) == "-" else path


def check_files(folder: Path, names: Iterable[str]) -> None:
    """Raise ImageError if a folder could not be made, or files of these names not be put there; touch nothing."""
    where = Path(os.path.realpath(folder))
    there = next(path for path in (where, *where.parents) if path.exists())
    if not there.is_dir():
        raise ImageError(f"The folder {folder} cannot be made ({there} is a file): choose another.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise ImageError(f"The folder {folder} cannot be written to (it is read-only): choose another.")
    if there == where:
        for name in names:
            check_file(folder / name)


def make_folder(folder: Path) -> None:
    """Raises ImageError if pictures cannot be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImageError(f"The folder {folder} cannot be made ({reason(error)}): choose another.") from error
    check_target(folder / "picture.jpg", [".jpg"])


def write_whole(path: StrPath, data: bytes) -> None:
    """Write a file so that nobody, not even after a crash, sees half of it. Raises ImageError if it cannot be."""
    with whole(path) as temporary, open(temporary, "xb") as stream:  # open() heeds the umask, which tempfile does not
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


@contextmanager
def whole(path: StrPath) -> Iterator[Path]:
    """Where to write a file that takes its place when it is whole, and is gone after an error.

    Raises ImageError for an OSError on the way.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".photostyle-{secrets.token_hex(8)}.tmp")
    try:
        yield temporary
        if target.exists():
            shutil.copymode(target, temporary)
        os.replace(temporary, target)
    except OSError as error:
        raise ImageError(f"{path} could not be written ({reason(error)}): try another folder.") from error
    finally:
        temporary.unlink(missing_ok=True)


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write a folder of files, by their names, so that nobody sees half of it.

    Raises ImageError if it cannot be, or if it is there already and not empty.
    """
    check_folder(folder)
    target = Path(os.path.realpath(folder))
    temporary = target.with_name(f".photostyle-{secrets.token_hex(8)}.tmp")
    try:
        temporary.mkdir()
        for name, data in files.items():
            (temporary / name).write_bytes(data)
        os.replace(temporary, target)
    except OSError as error:
        raise ImageError(f"{folder} could not be written ({reason(error)}): try another folder.") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def check_folder(folder: Path) -> None:
    """Raise ImageError if `write_folder` could not write there; touch nothing."""
    try:
        if any(folder.iterdir()):
            raise ImageError(f"The folder {folder} holds files already: name a new one.")
    except FileNotFoundError:
        check_target(folder, [folder.suffix.lower()])
    except (OSError, ValueError) as error:
        raise ImageError(f"{folder} cannot be made a folder ({reason(error)}): choose another name.") from error


def reason(error: Exception) -> str:
    """An error's own words in a form that fits into a sentence."""
    words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return words.rstrip(".") or type(error).__name__
