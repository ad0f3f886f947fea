"""The shelf: looks that are saved, brought along, learned, given to photographs, and taken to other programs."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from photostyle import SettingsError
from photostyle.looks.placed import pack_look
from photostyle.studio import tabling
from photostyle.studio.pixels import jpeg
from photostyle.studio.service import FILE_BODY, Here, Mine, attachment
from photostyle.studio.wearing import wearing
from photostyle.studio.wishes import Development

router = APIRouter(prefix="/api/sessions/{session}/looks", tags=["looks"])

Name = Annotated[str, Query(max_length=200)]
Space = Literal["srgb", "linear", "display-p3", "rec709"]


class Keep(Development):
    """The look of a result, as it is adjusted, is to be kept by a name."""

    result: str
    name: str = Field(max_length=200)


class Rename(BaseModel):
    """Another name."""

    name: str = Field(max_length=200)


@router.post("", status_code=201)
def keep(mine: Mine, here: Here, wish: Keep) -> dict[str, Any]:
    """Put the look of a result on the shelf, as it is adjusted."""
    result = mine.find_result(wish.result)
    if result is None or result.placed is None or result.look is None:
        raise SettingsError("This result is no look: the recipe photo makes looks.")
    other = here.find_look(mine, wish.other) if wish.other is not None else None
    placed = replace(result.placed, look=result.look)
    adjusted = placed.adjusted(wish.adjustment(placed.names), other, wish.weight)
    here.shelf_of(mine).add(adjusted.look, wish.name)
    return here.tell(mine)


@router.put("", openapi_extra=FILE_BODY)
async def bring(mine: Mine, here: Here, request: Request, name: Name = "look") -> dict[str, Any]:
    """Put a look, or a table (`.cube`, `.3dl`, a Hald image), on the shelf: the bytes are the body."""
    data = await here.body(request)
    photograph = mine.pictures["content"].small if "content" in mine.pictures else None
    look, title = await run_in_threadpool(tabling.read, data, name, photograph)
    here.shelf_of(mine).add(look, title)
    return here.tell(mine)


@router.post("/learn", openapi_extra=FILE_BODY)
async def learn(
    mine: Mine,
    here: Here,
    request: Request,
    split: Annotated[int, Query(ge=1)],
    before: Name = "before",
    after: Name = "after",
) -> dict[str, Any]:
    """Learn a look from a photograph before and after: both files are the body, the first of `split` bytes."""
    data = await here.body(request)
    files = (data[:split], before), (data[split:], after)
    look, said = await run_in_threadpool(tabling.learn, *files, here.limits.pixels)
    here.shelf_of(mine).add(look, after.rpartition(".")[0] or after)
    return here.tell(mine) | {"said": said}


@router.patch("/{name}")
def rename(mine: Mine, here: Here, name: str, wish: Rename) -> dict[str, Any]:
    """Call a look by another name."""
    here.shelf_of(mine).rename(name, wish.name)
    return here.tell(mine)


@router.delete("/{name}")
def remove(mine: Mine, here: Here, name: str) -> dict[str, Any]:
    """Take a look off the shelf: its file is deleted."""
    here.shelf_of(mine).remove(name)
    return here.tell(mine)


@router.post("/{key}/apply", status_code=202)
def apply(mine: Mine, here: Here, key: str, photograph: str | None = None) -> dict[str, Any]:
    """Give a look to a photograph of the session, by its id, or to the one to change."""
    return here.start(mine, "render", wearing(mine, here.find_look(mine, key), key, photograph))


@router.get("/{key}/maps", response_class=Response)
def maps(mine: Mine, here: Here, key: str) -> Response:
    """The colour maps of a look, on the shelf or of a result, as safetensors: for the page to mix with another."""
    return Response(pack_look(here.find_look(mine, key)), media_type="application/octet-stream")


@router.get("/{key}/thumb.jpg", response_class=Response)
def thumb(mine: Mine, here: Here, key: str) -> Response:
    """What a look shows of its photograph."""
    return Response(jpeg(here.find_look(mine, key).after), media_type="image/jpeg")


@router.get("/{key}/holds")
def holds(mine: Mine, here: Here, key: str) -> dict[str, str | None]:
    """How much of a look one table holds, and how much a pack of tables and masks, on the photograph to change."""
    look, picture = here.find_look(mine, key), mine.pictures.get("content")
    if picture:
        here.have(mine, *look.networks_in(picture.small))
    return tabling.held_by(look, picture)


@router.get("/{key}/file", response_class=Response)
def file(
    mine: Mine,
    here: Here,
    key: str,
    format: Literal["look", "cube", "3dl", "hald", "pack"],
    space: Space = "srgb",
    name: Name = "",
) -> Response:
    """A look as a file: its own, one table for other programs, or a pack of tables and masks as a ZIP."""
    look, picture = here.find_look(mine, key), mine.pictures.get("content")
    if picture and format != "look":
        here.have(mine, *look.networks_in(picture.small))
    data, kind, ending = tabling.write(look, format, space, name or key, picture)
    return attachment(data, kind, f"{name or key}.{ending}")
