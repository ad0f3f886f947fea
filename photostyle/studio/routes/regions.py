"""The regions of both photographs: label images, names and pairs, strokes that snap to an edge."""

from __future__ import annotations

import io
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, HTTPException, Query, Request, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from photostyle import PALETTE, ImageError, Prompt, RegionsError, find_alpha
from photostyle.regions.labelimage import read_labels
from photostyle.studio.picture import EDIT_SIZE, Picture, Side
from photostyle.studio.pixels import gray_png, labels_png, read_gray
from photostyle.studio.service import FILE_BODY, PNG_BODY, Here, Mine
from photostyle.studio.sessions import Session

router = APIRouter(prefix="/api/sessions/{session}", tags=["regions"])


class Region(BaseModel):
    """One region: its colour in the label images, and the colour of the region whose look it takes, or none."""

    color: Literal[tuple(PALETTE)]  # type: ignore[valid-type]
    name: str = Field(max_length=60)
    model: Literal[("", *PALETTE)] = ""  # type: ignore[valid-type]


@router.put("/regions")
def set_regions(mine: Mine, here: Here, regions: Annotated[list[Region], Body(max_length=8)]) -> dict[str, Any]:
    """Names and pairs of the regions that are painted in the label images."""
    mine.sheet.regions = [region.model_dump() for region in regions]
    return here.tell(mine)


@router.get("/regions/{side}.png", response_class=Response)
def get_labels(mine: Mine, side: Side) -> Response:
    """The label image of one side, in the paper's palette."""
    labels = mine.sheet.labels.get(side)
    if labels is None:
        raise HTTPException(404, "There are no regions yet.")
    return Response(labels, media_type="image/png")


@router.put("/regions/{side}.png", status_code=204, openapi_extra=PNG_BODY)
async def set_labels(mine: Mine, here: Here, side: Side, request: Request) -> None:
    """Upload a label image: PNG, each region in a colour of the paper's palette."""
    data = await here.body(request)
    mine.sheet.set_labels(side, data)


@router.post("/mask", response_class=Response, openapi_extra=FILE_BODY)
async def read_mask(mine: Mine, here: Here, request: Request, name: str = "mask") -> Response:
    """A label image of any kind, as `load_regions` reads it, as PNG in the paper's palette; purple is no region.

    No larger than needs be for painting. What it says of itself, that its regions share one look, it goes on to say.
    """
    file = io.BytesIO(await here.body(request))
    file.name = name
    image = await run_in_threadpool(read_labels, file, most_pixels=here.limits.pixels)
    return Response(labels_png(image, EDIT_SIZE), media_type="image/png")


class Clicks(BaseModel):
    """Points inside of the thing that is meant, and points outside: pixels of the small photograph, x and y."""

    inside: list[tuple[float, float]] = Field(min_length=1, max_length=200)
    outside: list[tuple[float, float]] = Field(default_factory=list, max_length=200)


@router.post("/select/{side}", response_class=Response)
async def select(mine: Mine, here: Here, side: Side, clicks: Clicks) -> Response:
    """The thing that is clicked in the small photograph: a soft mask as gray PNG."""
    prompt, picture = Prompt(clicks.inside, clicks.outside), _painted_on(mine, side)
    here.have(mine, *here.selecting.networks)
    mask = await run_in_threadpool(here.selecting.select, picture, prompt)
    return Response(gray_png(mask), media_type="image/png")


@router.post("/snap/{side}", response_class=Response, openapi_extra=PNG_BODY)
async def snap(
    mine: Mine,
    here: Here,
    side: Side,
    request: Request,
    x: Annotated[int, Query(ge=0)],
    y: Annotated[int, Query(ge=0)],
) -> Response:
    """Closed-form matting of a cut-out of the small photograph at (x, y), from a trimap: alpha as gray PNG."""
    trimap = read_gray(await here.body(request))
    h, w = trimap.shape
    image = _painted_on(mine, side).small[:, y : y + h, x : x + w]
    if image.shape[1:] != trimap.shape:
        raise RegionsError("The trimap lies outside the photograph.")
    alpha = await run_in_threadpool(find_alpha, image, trimap, tolerance=1e-3)
    return Response(gray_png(alpha), media_type="image/png")


def _painted_on(mine: Session, side: Side) -> Picture:
    if side not in mine.pictures:
        raise ImageError("There is nothing to paint on yet: choose a photograph first.")
    return mine.pictures[side]
