"""Several results in one file."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Annotated
from zipfile import ZIP_STORED, ZipFile

from fastapi import APIRouter, HTTPException, Query, Response
from pydantic import Field

from photostyle.studio.routes.results import as_file
from photostyle.studio.service import Here, Mine, attachment
from photostyle.studio.wishes import Export

router = APIRouter(prefix="/api/sessions/{session}", tags=["results"])


class Archive(Export):
    """Which results, all as files of one kind."""

    id: list[str] = Field(min_length=1, max_length=64)


@router.get("/results.zip", response_class=Response)
def archive(mine: Mine, here: Here, wish: Annotated[Archive, Query()]) -> Response:
    """Results as files in a ZIP, adjusted and written as a download of one is."""
    buffer = io.BytesIO()
    names: set[str] = set()
    told: list[str] = []
    with ZipFile(buffer, "w", ZIP_STORED) as file:  # photographs are packed already
        for one in wish.id:
            result = mine.find_result(one)
            if result is None:
                raise HTTPException(404, "One of these results is no longer there: choose again.")
            name, data, notes = as_file(mine, here, result, wish)
            names.add(name := _unlike(name, names))
            file.writestr(name, data)
            told += [note for note in notes if note not in told]
    return attachment(buffer.getvalue(), "application/zip", "photostyle.zip", told)


def _unlike(name: str, names: set[str]) -> str:
    """The name with a number behind it, if there are others like it."""
    path, number = Path(name), 1
    while name in names:
        number += 1
        name = f"{path.stem}-{number}{path.suffix}"
    return name
