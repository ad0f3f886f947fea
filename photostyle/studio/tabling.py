"""Looks to and from files: their own, and tables of other programs."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal
from zipfile import ZIP_DEFLATED, ZipFile

import torch
from torch import Tensor

from photostyle import (
    ImageError,
    LocalLook,
    Look,
    PhotostyleError,
    SettingsError,
    held,
    learn_look,
    load_look,
    load_photograph,
    load_table,
    save_look,
)
from photostyle.color.spaces import srgb_from_lab
from photostyle.looks.file import SUFFIX
from photostyle.looks.look import whole_look
from photostyle.looks.pack import pack_files, regional_tables
from photostyle.looks.sight import Sight, see
from photostyle.looks.single import single_table
from photostyle.studio.picture import Picture
from photostyle.studio.saving import safe_name
from photostyle.tables.making import SIZE
from photostyle.tables.reading import is_table
from photostyle.tables.writing import default_size, encode_table

Form = Literal["look", "cube", "3dl", "hald", "pack"]
_TABLES: dict[str, str] = {"cube": ".cube", "3dl": ".3dl", "hald": ".png"}
_KINDS = {"look": "application/octet-stream", "pack": "application/zip", "hald": "image/png"}


def read(data: bytes, name: str, photograph: Tensor | None) -> tuple[Look, str]:
    """The look, or the table as a look, in the bytes of a file; and what to call it.

    A table is shown on the photograph (3×H×W, sRGB in [0, 1]), on a chart of colours if there is none. Raises
    ImageError for what is neither, or a look of one framing.
    """
    with _as_file(data, name) as path:
        if not is_table(path):
            look = load_look(path)
            if isinstance(look, LocalLook):
                raise ImageError(f"{path.name} is a look for frames of one framing: use `photostyle apply`.")
            return look, path.stem
        table = load_table(path)
        facts = {"table": path.name, **({"title": table.title} if table.title else {})}
        return whole_look(table.color_map(), _chart() if photograph is None else photograph, facts), path.stem


def learn(before: tuple[bytes, str], after: tuple[bytes, str], most_pixels: float) -> tuple[Look, tuple[str, ...]]:
    """The look learned from a photograph before and after, each the bytes of a file and its name: `learn_look`."""
    images = []
    for data, name in (before, after):
        stream = io.BytesIO(data)
        stream.name = name
        images.append(load_photograph(stream, most_pixels=most_pixels).opaque())
    return learn_look([(images[0], images[1])], {"before": before[1], "after": after[1]})


def held_by(look: Look, picture: Picture | None) -> dict[str, str | None]:
    """How much of a look one table holds, and a pack (None for a look of one region), in words.

    On the picture, if there is one, or else the look's own.
    """
    sight = see(look, picture.small if picture else None)
    table = single_table(sight, SIZE, "srgb", "").apply(sight.before)
    pack = regional_tables(sight, sight.before, SIZE, "srgb", "").apply(sight.before) if len(sight.names) > 1 else None
    return {
        "table": _held(sight, table),
        "pack": None if pack is None else _held(sight, pack),
    }


def write(look: Look, form: Form, space: str, title: str, picture: Picture | None) -> tuple[bytes, str, str]:
    """The bytes of a file, its media type, and how its name should end; see `read` and `held_by` for the picture.

    Raises SettingsError for a pack without a picture to make masks for.
    """
    kind = _KINDS.get(form, "text/plain")
    if form == "look":
        with TemporaryDirectory() as folder:
            path = Path(folder) / f"look{SUFFIX}"
            save_look(look, path)
            return path.read_bytes(), kind, SUFFIX.removeprefix(".")
    if form == "pack":
        if picture is None:
            raise SettingsError("The masks of a pack are made for a photograph: choose the one to change.")
        photograph = picture.load().opaque()
        sight = see(look, photograph)
        pack = regional_tables(sight, photograph, SIZE, space, title)
        holds = held(sight.before, sight.after, pack.fit(sight.before.shape[1:]).apply(sight.before))
        buffer = io.BytesIO()
        with ZipFile(buffer, "w", ZIP_DEFLATED) as archive:
            for name, data in pack_files(pack, holds).items():
                archive.writestr(name, data)
        return buffer.getvalue(), kind, "zip"
    suffix = _TABLES[form]
    sight = see(look, picture.small if picture else None)
    table = single_table(sight, default_size(f"look{suffix}"), space, title)
    return encode_table(table, suffix), kind, suffix.removeprefix(".")


def _held(sight: Sight, made: Tensor) -> str:
    return str(held(sight.before, sight.after, made))


@contextmanager
def _as_file(data: bytes, name: str) -> Iterator[Path]:
    """A file of that name with these bytes; errors do not tell where it lies."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / (safe_name(Path(name).name) or "look")
        path.write_bytes(data)
        try:
            yield path
        except PhotostyleError as error:
            raise type(error)(str(error).replace(f"{folder}/", "")) from error


def _chart() -> Tensor:
    """Colours of every hue and lightness, 3×H×W."""
    L, hue = torch.meshgrid(torch.linspace(95, 10, 96), torch.linspace(0, 2 * math.pi, 144), indexing="ij")
    return srgb_from_lab(torch.stack([L, 35 * hue.cos(), 35 * hue.sin()])).clamp(0, 1)
