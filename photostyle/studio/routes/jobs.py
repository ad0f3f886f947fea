"""The jobs: what can be queued, how far it is, and cancelling it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from pydantic import BaseModel, Field

from photostyle import ImageError
from photostyle.studio import making
from photostyle.studio.pixels import read_gray
from photostyle.studio.result import Order
from photostyle.studio.service import PNG_BODY, Here, Mine, Service
from photostyle.studio.sessions import Session
from photostyle.studio.worker import Pace, Task

router = APIRouter(prefix="/api/sessions/{session}", tags=["jobs"])


class Wish(BaseModel):
    """A transfer: the recipe, and what differs from its defaults."""

    recipe: str = "photo"
    quality: Literal["draft", "standard", "best"] = "standard"
    strength: float = Field(1.0, ge=0, le=1)
    settings: dict[str, float | int | bool | str] = Field(default_factory=dict)
    regions: bool = True
    snapped: bool = True
    find: bool = Field(False, description="Find regions first if there are none yet.")
    content: str | None = Field(None, description="The id of the photograph to change, if not the chosen one.")


@router.post("/find", status_code=202)
def find(mine: Mine, here: Here, count: Annotated[int | None, Query(ge=1, le=8)] = None) -> dict[str, Any]:
    """Find regions in both photographs; `count` asks for so many."""
    return here.start(mine, "find", making.finding(mine, count), Pace("find"))


@router.post("/doubts", status_code=202)
def doubts(mine: Mine, here: Here) -> dict[str, Any]:
    """Look for regions that were matched and yet show different things."""
    return here.start(mine, "doubts", making.doubting(mine))


@router.post("/preview", status_code=202)
def preview(mine: Mine, here: Here, wish: Wish) -> dict[str, Any]:
    """A draft of small copies; it takes the place of the preview before it."""
    return _transfer(mine, here, wish, True)


@router.post("/render", status_code=202)
def render(mine: Mine, here: Here, wish: Wish) -> dict[str, Any]:
    """The transfer at full size; the result goes into the gallery."""
    return _transfer(mine, here, wish, False)


@router.post("/cutout", status_code=202, openapi_extra=PNG_BODY)
async def cut_out(mine: Mine, here: Here, request: Request, full: bool = False) -> dict[str, Any]:
    """Cut out of the content what the trimap (gray PNG: white is kept, black is not) marks."""
    trimap = read_gray(await here.body(request))
    if "content" not in mine.pictures:
        raise ImageError("There is no photograph to cut out of yet: choose one first.")
    return here.start(mine, "render" if full else "preview", making.cutting(mine, trimap, not full))


def _task(mine: Mine, job: str) -> Task:
    if job not in mine.tasks:
        raise HTTPException(404, "There is no such job in this session.")
    return mine.tasks[job]


Found = Annotated[Task, Depends(_task)]


@router.get("/jobs/{job}")
def read(task: Found, here: Here) -> dict[str, Any]:
    """How far a job is: its place in the queue, its stage, the seconds left, its notes and its outcome."""
    return here.facts(task)


@router.delete("/jobs/{job}")
def cancel(task: Found, here: Here) -> dict[str, Any]:
    """Cancel a job."""
    here.worker.cancel(task)
    return here.facts(task)


@router.get("/jobs/{job}/live.jpg", response_class=Response)
def live(task: Found) -> Response:
    """The picture as it is just now."""
    if not task.live:
        raise HTTPException(404, "There is no picture of this job yet.")
    return Response(task.live, media_type="image/jpeg")


def _transfer(session: Session, here: Service, wish: Wish, is_preview: bool) -> dict[str, Any]:
    content, style = session.both(wish.content)
    painting = session.sheet_of(content.id, style.id).painting() if wish.regions else None
    order = Order(
        wish.recipe,
        wish.quality,
        wish.settings,
        wish.strength,
        painting,
        wish.snapped,
        content=content.id,
        found=wish.regions and wish.find,
    )
    work = making.transferring(session, order, is_preview)
    pixels = content.size[0] * content.size[1] if not is_preview else 0
    family = (is_preview, wish.recipe, wish.quality)
    pace = Pace(family, (tuple(sorted(wish.settings.items())), painting is None), round(pixels, -6))
    made_of = (style.id, *(picture.id for picture in session.more_styles))
    return here.start(session, "preview" if is_preview else "render", work, pace, (order, made_of))
