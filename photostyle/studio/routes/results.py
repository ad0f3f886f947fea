"""What was made: pictures to look at, files to keep."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Query, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from photostyle.studio.picture import Side
from photostyle.studio.result import Result
from photostyle.studio.saving import ENDINGS, file_name
from photostyle.studio.service import KEPT, Here, Mine, Service, attachment, kept_jpeg
from photostyle.studio.sessions import Session
from photostyle.studio.wishes import Export

router = APIRouter(prefix="/api/sessions/{session}/results/{id}", tags=["results"])


def _result(mine: Mine, id: str) -> Result:
    result = mine.find_result(id)
    if result is None:
        raise HTTPException(404, "There is no such result in this session: it may have made room for newer ones.")
    return result


Found = Annotated[Result, Depends(_result)]


def as_file(mine: Session, here: Service, result: Result, wish: Export) -> tuple[str, bytes, list[str]]:
    """The name of the file that is wished for, its bytes, and what was not kept of the photograph."""
    names = result.placed.names if result.placed else ()
    name = file_name(wish.name, result.words(wish.strength), ENDINGS[wish.format])
    other = here.find_look(mine, wish.other) if wish.other is not None else None
    data, notes = result.file(wish.saving, wish.adjustment(names), other, wish.weight)
    return name, data, notes


@router.get("/{size}.jpg", response_class=Response)
def picture(result: Found, size: Literal["thumb", "view", "full"]) -> Response:
    """A result as JPEG to look at: "thumb" with its strength, the others without fading."""
    return kept_jpeg(getattr(result, f"{size}_jpeg"))


@router.get("/parts", response_class=Response)
def parts(result: Found) -> Response:
    """What a page needs to apply the look of a result by itself: safetensors, as `Placed.parts` tells."""
    if result.parts is None:
        raise HTTPException(404, "This result is no look that the page can apply.")
    return Response(result.parts, media_type="application/octet-stream", headers=KEPT)


@router.get("/download", response_class=Response)
def download(mine: Mine, here: Here, result: Found, wish: Annotated[Export, Query()]) -> Response:
    """A result as it is adjusted, as a file; what is not chosen, as depth and profile, is the content's.

    What was not kept of the photograph is told, sentence by sentence, in the header `x-notes`.
    """
    name, data, notes = as_file(mine, here, result, wish)
    return attachment(data, f"image/{wish.format.lower()}", name, notes)


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


class Name(BaseModel):
    """What a result is called."""

    name: str = Field(max_length=60)


@router.patch("")
def rename(result: Found, wish: Name) -> dict[str, Any]:
    """Call a result by a name."""
    result.name = wish.name
    return result.facts()


@router.delete("", status_code=204)
def forget(mine: Mine, result: Found) -> None:
    """Delete a result."""
    if result.id in mine.results:
        mine.remove_result(result.id)
