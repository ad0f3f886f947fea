"""Sessions and their photographs: uploads, examples, an empty canvas."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import torch
from fastapi import APIRouter, HTTPException, Request, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from photostyle.jobs.pair import example
from photostyle.regions.labelimage import read_labels
from photostyle.studio.describing import present_colors
from photostyle.studio.picture import EDIT_SIZE, SIDES, Picture, Side, receive
from photostyle.studio.pixels import gray_png, labels_png
from photostyle.studio.routes.about import EXAMPLES
from photostyle.studio.service import FILE_BODY, KEPT, Here, Mine, Service, kept_jpeg
from photostyle.studio.sessions import Session

router = APIRouter(prefix="/api/sessions", tags=["photographs"])


class Example(BaseModel):
    """Which example, and whether as a doodle: its regions on an empty canvas, instead of the photograph."""

    name: str
    doodle: bool = False


class Canvas(BaseModel):
    """The size of an empty canvas, in pixels."""

    width: int = Field(640, ge=64, le=4096)
    height: int = Field(480, ge=64, le=4096)


@router.post("", status_code=201, tags=["session"])
def begin(here: Here) -> dict[str, Any]:
    """Begin; the id in the answer is needed for everything else, and is known to nobody else."""
    return here.tell(here.sessions.new())


@router.get("/{session}", tags=["session"])
def read(mine: Mine, here: Here) -> dict[str, Any]:
    """Everything that there is: photographs, regions, jobs, results."""
    return here.tell(mine)


@router.delete("/{session}", status_code=204, tags=["session"])
def end(mine: Mine, here: Here) -> None:
    """Cancel its jobs and delete its files."""
    for task in mine.tasks.values():
        here.worker.cancel(task)
    here.sessions.remove(mine)


@router.put("/{session}/example")
def use_example(mine: Mine, here: Here, wish: Example) -> dict[str, Any]:
    """Take both photographs of an example, or a doodle and what it is made of."""
    if wish.name not in EXAMPLES:
        raise HTTPException(404, "There is no such example.")
    pair = example(wish.name)
    for side in SIDES:
        path: Path = getattr(pair, side)
        picture = receive(path.read_bytes(), f"{wish.name}-{side}.jpg", mine.folder, here.limits.pixels)
        if wish.doodle and side == "content":
            picture = _canvas(mine, here, *picture.size)
        mine.set_picture(side, picture)
    if wish.doodle:
        for side, labels in zip(SIDES, (pair.content_regions, pair.style_regions), strict=True):
            assert labels
            mine.sheet.set_labels(side, labels_png(read_labels(labels), EDIT_SIZE))
        painted = present_colors(mine.sheet.labels["content"])
        mine.sheet.regions = [{"color": color, "name": "", "model": color} for color in painted]
    return here.tell(mine)


@router.put("/{session}/canvas")
def use_canvas(mine: Mine, here: Here, wish: Canvas) -> dict[str, Any]:
    """An empty canvas instead of a content photograph, for a doodle."""
    mine.set_picture("content", _canvas(mine, here, wish.width, wish.height))
    return here.tell(mine)


def _canvas(mine: Session, here: Service, width: int, height: int) -> Picture:
    canvas = receive(gray_png(torch.ones(height, width)), "canvas.png", mine.folder, here.limits.pixels)
    canvas.blank = True
    return canvas


@router.put("/{session}/photographs/{side}", openapi_extra=FILE_BODY)
async def upload(mine: Mine, here: Here, side: Side, request: Request, name: str = "photograph") -> dict[str, Any]:
    """Upload a photograph: the bytes of the file are the body, `name` is what it is called. It is chosen."""
    mine.set_picture(side, await _received(mine, here, request, name))
    return here.tell(mine)


class Chosen(BaseModel):
    """Which photograph to work on."""

    id: str


@router.put("/{session}/chosen/{side}")
def choose(mine: Mine, here: Here, side: Side, wish: Chosen) -> dict[str, Any]:
    """Work on another photograph of those that were uploaded; what was painted over the two is there again."""
    mine.choose(side, wish.id)
    return here.tell(mine)


@router.put("/{session}/swap")
def swap(mine: Mine, here: Here) -> dict[str, Any]:
    """The photograph to change becomes the reference, and the reference the photograph to change."""
    mine.swap()
    return here.tell(mine)


@router.delete("/{session}/photographs/{side}/{id}")
def remove(mine: Mine, here: Here, side: Side, id: str) -> dict[str, Any]:
    """Do without a photograph; its neighbour is chosen."""
    mine.remove_picture(side, id)
    return here.tell(mine)


@router.post("/{session}/styles", status_code=201, openapi_extra=FILE_BODY)
async def add_style(mine: Mine, here: Here, request: Request, name: str = "photograph") -> dict[str, Any]:
    """Upload one more style photograph, for a recipe that blends several."""
    mine.check_more_styles()
    mine.add_style(await _received(mine, here, request, name))
    return here.tell(mine)


@router.delete("/{session}/styles/{id}")
def remove_style(mine: Mine, here: Here, id: str) -> dict[str, Any]:
    """Do without one of the additional style photographs."""
    mine.more_styles = [picture for picture in mine.more_styles if picture.id != id]
    return here.tell(mine)


@router.get("/{session}/photographs/{id}/view.png", response_class=Response)
def view(mine: Mine, id: str) -> Response:
    """An uploaded photograph as sRGB PNG, at most 1600 pixels long."""
    return Response(_picture(mine, id).view_png, media_type="image/png", headers=KEPT)


@router.get("/{session}/photographs/{id}/{size}.jpg", response_class=Response)
def photograph(mine: Mine, id: str, size: Literal["edit", "full"]) -> Response:
    """An uploaded photograph as sRGB JPEG, at the size of the editor or at its own."""
    picture = _picture(mine, id)
    return kept_jpeg(picture.edit_jpeg if size == "edit" else picture.full_jpeg)


def _picture(mine: Session, id: str) -> Picture:
    picture = mine.find_picture(id)
    if picture is None:
        raise HTTPException(404, "There is no such photograph in this session.")
    return picture


async def _received(mine: Session, here: Here, request: Request, name: str) -> Picture:
    data = await here.body(request)
    return await run_in_threadpool(receive, data, name, mine.folder, here.limits.pixels)
