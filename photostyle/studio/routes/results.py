"""What was made: pictures to look at, files to keep."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, HTTPException, Query, Response
from fastapi.responses import JSONResponse

from photostyle.studio.picture import Side
from photostyle.studio.result import ENDINGS, Format, Result
from photostyle.studio.service import Mine, attachment, kept_jpeg

router = APIRouter(prefix="/api/sessions/{session}/results/{id}", tags=["results"])


def _result(mine: Mine, id: str) -> Result:
    result = mine.find_result(id)
    if result is None:
        raise HTTPException(404, "There is no such result in this session: it may have made room for newer ones.")
    return result


Found = Annotated[Result, Depends(_result)]


@router.get("/{size}.jpg", response_class=Response)
def picture(result: Found, size: Literal["thumb", "view", "full"]) -> Response:
    """A result without fading, as JPEG to look at."""
    return kept_jpeg(getattr(result, f"{size}_jpeg"))


@router.get("/download", response_class=Response)
def download(result: Found, format: Format = "JPEG", strength: Annotated[float, Query(ge=0, le=1)] = 1.0) -> Response:
    """The photograph with that strength, as a file; metadata, colour profile and depth are the content's."""
    stem = Path(result.content.name).stem.encode("ascii", "ignore").decode().replace('"', "") or "photograph"
    name = f"{stem}-{'cutout' if result.cutout else result.order.recipe}.{ENDINGS[format]}"
    return attachment(result.download(format, strength), f"image/{format.lower()}", name)


@router.get("/settings.json")
def settings_file(result: Found) -> Response:
    """How a result was made, to be loaded again; and the command line for it."""
    disposition = {"content-disposition": 'attachment; filename="photostyle-settings.json"'}
    return JSONResponse(result.settings_file(), headers=disposition)


@router.get("/{side}_regions.png", response_class=Response)
def labels(result: Found, side: Side) -> Response:
    """The label image that a result was made with."""
    if result.order.painting is None:
        raise HTTPException(404, "This result was made without regions.")
    return attachment(getattr(result.order.painting, side), "image/png", f"{side}_regions.png")


@router.get("/trimap.png", response_class=Response)
def trimap(result: Found) -> Response:
    """What was marked for a cut-out: white is kept, black is not."""
    if result.trimap is None:
        raise HTTPException(404, "This result is no cut-out.")
    return attachment(result.trimap, "image/png", "trimap.png")


@router.delete("", status_code=204)
def forget(mine: Mine, result: Found) -> None:
    """Delete a result."""
    if result.id in mine.results:
        mine.remove_result(result.id)
