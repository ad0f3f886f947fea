"""Several results in one file."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Annotated
from zipfile import ZIP_STORED, ZipFile

from fastapi import APIRouter, HTTPException, Query, Response

from photostyle.studio.result import Format
from photostyle.studio.routes.results import file_name
from photostyle.studio.service import Mine, attachment

router = APIRouter(prefix="/api/sessions/{session}", tags=["results"])


@router.get("/results.zip", response_class=Response)
def archive(
    mine: Mine,
    id: Annotated[list[str], Query(max_length=64, description="The ids of the results.")],
    format: Format = "JPEG",
) -> Response:
    """Results as files in a ZIP, each with the strength that it was asked for with."""
    buffer = io.BytesIO()
    names: set[str] = set()
    with ZipFile(buffer, "w", ZIP_STORED) as file:  # photographs are packed already
        for one in id:
            result = mine.find_result(one)
            if result is None:
                raise HTTPException(404, "One of these results is no longer there: choose again.")
            path = Path(file_name(result, format))
            name, number = path.name, 1
            while name in names:
                number += 1
                name = f"{path.stem}-{number}{path.suffix}"
            names.add(name)
            file.writestr(name, result.download(format, result.order.strength))
    return attachment(buffer.getvalue(), "application/zip", "photostyle.zip")
