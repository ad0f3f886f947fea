"""The HTTP interface of the studio, and its page. Described for machines at /api/openapi.json."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from fastapi import Body, FastAPI, HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from photostyle import PALETTE, ImageError, PhotostyleError, RegionsError, SettingsError, __version__, find_alpha
from photostyle.job import example
from photostyle.studio import making
from photostyle.studio.controls import recipe_facts
from photostyle.studio.pixels import gray_png, read_gray
from photostyle.studio.sessions import (
    EDIT_SIZE,
    ENDINGS,
    SIDES,
    Format,
    Order,
    Picture,
    Result,
    Session,
    Sessions,
    Side,
    receive,
)
from photostyle.studio.worker import Task, Worker

PAGE = Path(__file__).with_name("page")
_MOST_JOBS = 6  # of a session, that wait
_EXAMPLES = {
    "palace-night": "A palace by day, a bridge by night",
    "maple-autumn": "Green maple, red maple",
    "meadow-sunset": "A meadow, a sunset",
}
_FILE = {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}, "required": True}
_PNG = {"content": {"image/png": {"schema": {"type": "string", "format": "binary"}}}, "required": True}


@dataclass(frozen=True)
class Limits:
    """Of an upload."""

    bytes: int = 100_000_000
    pixels: float = 60e6


LIMITS = Limits()


class Region(BaseModel):
    """One region: its colour in the label images, and the colour of the region whose look it takes, or none."""

    color: Literal[tuple(PALETTE)]  # type: ignore[valid-type]
    name: str = Field(max_length=60)
    model: Literal[("", *PALETTE)] = ""  # type: ignore[valid-type]


class Wish(BaseModel):
    """A transfer: the recipe, and what differs from its defaults."""

    recipe: str = "photo"
    quality: Literal["draft", "standard", "best"] = "standard"
    strength: float = Field(1.0, ge=0, le=1)
    settings: dict[str, float | int | bool | str] = Field(default_factory=dict)
    regions: bool = True
    snapped: bool = True


class Names(BaseModel):
    """Which example."""

    name: str


class Canvas(BaseModel):
    """The size of an empty canvas, in pixels."""

    width: int = Field(640, ge=64, le=4096)
    height: int = Field(480, ge=64, le=4096)


def make_app(folder: Path, worker: Worker, limits: Limits = LIMITS) -> FastAPI:
    """The studio as an ASGI application, without the `Guard`; everything it keeps is in the folder."""
    app = FastAPI(
        title="photostyle studio",
        version=__version__,
        docs_url=None,  # their pages load scripts of other hosts
        redoc_url=None,
        openapi_url="/api/openapi.json",
    )
    sessions = Sessions(folder)

    def session_of(id: str) -> Session:
        session = sessions.get(id)
        if session is None:
            raise HTTPException(404, "This session is over: open the studio anew.")
        return session

    def picture_of(session: Session, id: str) -> Picture:
        picture = session.find_picture(id)
        if picture is None:
            raise HTTPException(404, "There is no such photograph in this session.")
        return picture

    def result_of(session: Session, id: str) -> Result:
        result = session.find_result(id)
        if result is None:
            raise HTTPException(404, "There is no such result in this session: it may have made room for newer ones.")
        return result

    def facts(task: Task) -> dict[str, Any]:
        return task.facts(worker.place(task))

    def state(session: Session) -> dict[str, Any]:
        with session.telling:
            session.told += 1
            return _state(session)

    def _state(session: Session) -> dict[str, Any]:
        return {
            "id": session.id,
            "told": session.told,  # of two answers the one with the larger number is newer
            "pictures": {side: picture.facts() for side, picture in session.pictures.items()},
            "regions": session.regions if all(side in session.labels for side in SIDES) else [],
            "tasks": [facts(task) for task in session.tasks.values()],
            "results": [result.facts() for result in reversed(session.results.values())],
            "preview": session.preview.facts() if session.preview else None,
        }

    def start(session: Session, kind: str, work: making.Work, alike: object = None) -> dict[str, Any]:
        open_tasks = [task for task in session.tasks.values() if not task.is_over]
        for task in open_tasks:
            if task.kind == kind != "render":
                worker.cancel(task)  # only the newest preview is wanted
        if sum(task.state == "waiting" for task in open_tasks) >= _MOST_JOBS:
            raise SettingsError(f"{_MOST_JOBS} jobs of this page are waiting: cancel one, or wait until one is done.")
        task = Task(kind, work, alike)
        worker.submit(task)
        session.add_task(task)
        return facts(task)

    async def body_of(request: Request) -> bytes:
        sentence = f"The file is larger than {limits.bytes / 1e6:.0f} MB: make it smaller, or use the command line."
        if int(request.headers.get("content-length") or 0) > limits.bytes:
            raise HTTPException(413, sentence)
        data = bytearray()
        async for chunk in request.stream():
            data += chunk
            if len(data) > limits.bytes:
                raise HTTPException(413, sentence)
        return bytes(data)

    @app.exception_handler(PhotostyleError)
    async def mend(_: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"error": str(error)}, 422)

    @app.exception_handler(HTTPException)
    async def refuse(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        return JSONResponse({"error": error.detail}, error.status_code)

    @app.exception_handler(RequestValidationError)
    async def explain(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        said = [f"{'.'.join(str(part) for part in e['loc'][1:])}: {e['msg']}" for e in error.errors()]
        return JSONResponse({"error": f"The request is not understood ({'; '.join(said)})."}, 422)

    @app.get("/api/about", tags=["studio"])
    def about() -> dict[str, Any]:
        """Version, recipes with their settings, examples, palette and limits."""
        return {
            "version": __version__,
            "recipes": recipe_facts(),
            "examples": [{"name": name, "title": title} for name, title in _EXAMPLES.items() if _is_here(name)],
            "palette": PALETTE,
            "formats": ENDINGS,
            "edit_size": EDIT_SIZE,
            "limits": {"bytes": limits.bytes, "pixels": limits.pixels},
        }

    @app.get("/api/examples/{name}/{side}.jpg", tags=["studio"], response_class=FileResponse)
    def example_photograph(name: str, side: Side) -> FileResponse:
        """A photograph of an example pair."""
        if name not in _EXAMPLES:
            raise HTTPException(404, "There is no such example.")
        return FileResponse(getattr(example(name), side), headers={"cache-control": "max-age=3600"})

    @app.post("/api/sessions", status_code=201, tags=["session"])
    def new_session() -> dict[str, Any]:
        """Begin; the id in the answer is needed for everything else, and is known to nobody else."""
        return state(sessions.new())

    @app.get("/api/sessions/{session}", tags=["session"])
    def read_session(session: str) -> dict[str, Any]:
        """Everything that there is: photographs, regions, jobs, results."""
        return state(session_of(session))

    @app.delete("/api/sessions/{session}", status_code=204, tags=["session"])
    def end_session(session: str) -> None:
        """Cancel its jobs and delete its files."""
        found = session_of(session)
        for task in found.tasks.values():
            worker.cancel(task)
        sessions.remove(found)

    @app.put("/api/sessions/{session}/example", tags=["photographs"])
    def use_example(session: str, wish: Names) -> dict[str, Any]:
        """Take both photographs of an example."""
        found = session_of(session)
        if wish.name not in _EXAMPLES:
            raise HTTPException(404, "There is no such example.")
        job = example(wish.name)
        for side in SIDES:
            path: Path = getattr(job, side)
            found.set_picture(side, receive(path.read_bytes(), f"{wish.name}-{side}.jpg", found.folder, limits.pixels))
        return state(found)

    @app.put("/api/sessions/{session}/canvas", tags=["photographs"])
    def use_canvas(session: str, wish: Canvas) -> dict[str, Any]:
        """An empty canvas instead of a content photograph, for a doodle."""
        found = session_of(session)
        pixels = torch.ones(3, wish.height, wish.width)
        small = receive(gray_png(pixels[0]), "canvas.png", found.folder, limits.pixels)
        small.blank = True
        found.set_picture("content", small)
        return state(found)

    @app.put("/api/sessions/{session}/photographs/{side}", tags=["photographs"], openapi_extra={"requestBody": _FILE})
    async def upload(session: str, side: Side, request: Request, name: str = "photograph") -> dict[str, Any]:
        """Upload a photograph: the bytes of the file are the body, `name` is what it is called."""
        found = session_of(session)
        data = await body_of(request)
        picture = await run_in_threadpool(receive, data, name, found.folder, limits.pixels)
        found.set_picture(side, picture)
        return state(found)

    @app.get("/api/sessions/{session}/photographs/{id}/{size}.jpg", tags=["photographs"], response_class=Response)
    def photograph(session: str, id: str, size: Literal["edit", "full"]) -> Response:
        """An uploaded photograph as sRGB JPEG, at the size of the editor or at its own."""
        picture = picture_of(session_of(session), id)
        return _image(picture.edit_jpeg if size == "edit" else picture.full_jpeg)

    @app.put("/api/sessions/{session}/regions", tags=["regions"])
    def set_regions(session: str, regions: Annotated[list[Region], Body(max_length=8)]) -> dict[str, Any]:
        """Names and pairs of the regions that are painted in the label images."""
        found = session_of(session)
        found.regions = [region.model_dump() for region in regions]
        return state(found)

    @app.get("/api/sessions/{session}/regions/{side}.png", tags=["regions"], response_class=Response)
    def read_labels(session: str, side: Side) -> Response:
        """The label image of one side, in the paper's palette."""
        found = session_of(session)
        if side not in found.labels:
            raise HTTPException(404, "There are no regions yet.")
        return Response(found.labels[side], media_type="image/png")

    @app.put(
        "/api/sessions/{session}/regions/{side}.png",
        status_code=204,
        tags=["regions"],
        openapi_extra={"requestBody": _PNG},
    )
    async def set_labels(session: str, side: Side, request: Request) -> None:
        """Upload a label image: PNG, each region in a colour of the paper's palette."""
        found = session_of(session)
        found.set_labels(side, await body_of(request))

    @app.post(
        "/api/sessions/{session}/snap/{side}",
        tags=["regions"],
        response_class=Response,
        openapi_extra={"requestBody": _PNG},
    )
    async def snap(
        session: str,
        side: Side,
        request: Request,
        x: Annotated[int, Query(ge=0)],
        y: Annotated[int, Query(ge=0)],
    ) -> Response:
        """Closed-form matting of a cut-out of the small photograph at (x, y), from a trimap: alpha as gray PNG."""
        found = session_of(session)
        trimap = read_gray(await body_of(request))
        if side not in found.pictures:
            raise ImageError(f"There is no {side} yet: choose a photograph for it first.")
        h, w = trimap.shape
        image = found.pictures[side].small[:, y : y + h, x : x + w]
        if image.shape[1:] != trimap.shape:
            raise RegionsError("The trimap lies outside the photograph.")
        alpha = await run_in_threadpool(find_alpha, image, trimap, tolerance=1e-3)
        return Response(gray_png(alpha), media_type="image/png")

    @app.post("/api/sessions/{session}/find", status_code=202, tags=["jobs"])
    def find(session: str, count: Annotated[int | None, Query(ge=1, le=8)] = None) -> dict[str, Any]:
        """Find regions in both photographs; `count` asks for so many."""
        found = session_of(session)
        return start(found, "find", making.finding(found, count), "find")

    @app.post("/api/sessions/{session}/doubts", status_code=202, tags=["jobs"])
    def doubts(session: str) -> dict[str, Any]:
        """Look for regions that were matched and yet show different things."""
        found = session_of(session)
        return start(found, "doubts", making.doubting(found))

    @app.post("/api/sessions/{session}/preview", status_code=202, tags=["jobs"])
    def preview(session: str, wish: Wish) -> dict[str, Any]:
        """A draft of small copies; it takes the place of the preview before it."""
        return transfer(session_of(session), wish, True)

    @app.post("/api/sessions/{session}/render", status_code=202, tags=["jobs"])
    def render(session: str, wish: Wish) -> dict[str, Any]:
        """The transfer at full size; the result goes into the gallery."""
        return transfer(session_of(session), wish, False)

    def transfer(found: Session, wish: Wish, is_preview: bool) -> dict[str, Any]:
        painting = found.painting() if wish.regions else None
        order = Order(wish.recipe, wish.quality, wish.settings, wish.strength, painting, wish.snapped)
        work = making.transferring(found, order, is_preview)
        content, _ = found.both()
        pixels = content.size[0] * content.size[1] if not is_preview else 0
        pace = (is_preview, wish.recipe, wish.quality, tuple(sorted(wish.settings.items())), round(pixels, -6))
        return start(found, "preview" if is_preview else "render", work, pace)

    @app.post("/api/sessions/{session}/cutout", status_code=202, tags=["jobs"], openapi_extra={"requestBody": _PNG})
    async def cut_out(session: str, request: Request, full: bool = False) -> dict[str, Any]:
        """Cut out of the content what the trimap (gray PNG: white is kept, black is not) marks."""
        found = session_of(session)
        trimap = read_gray(await body_of(request))
        if "content" not in found.pictures:
            raise ImageError("There is no content yet: choose a photograph for it first.")
        return start(found, "render" if full else "preview", making.cutting(found, trimap, not full))

    @app.get("/api/sessions/{session}/jobs/{job}", tags=["jobs"])
    def read_job(session: str, job: str) -> dict[str, Any]:
        """How far a job is: its place in the queue, its stage, the seconds left, its notes and its outcome."""
        return facts(_task(session_of(session), job))

    @app.delete("/api/sessions/{session}/jobs/{job}", tags=["jobs"])
    def cancel(session: str, job: str) -> dict[str, Any]:
        """Cancel a job."""
        task = _task(session_of(session), job)
        worker.cancel(task)
        return facts(task)

    @app.get("/api/sessions/{session}/jobs/{job}/live.jpg", tags=["jobs"], response_class=Response)
    def live(session: str, job: str) -> Response:
        """The picture as it is just now."""
        task = _task(session_of(session), job)
        if not task.live:
            raise HTTPException(404, "There is no picture of this job yet.")
        return Response(task.live, media_type="image/jpeg")

    @app.get("/api/sessions/{session}/results/{id}/{size}.jpg", tags=["results"], response_class=Response)
    def result(session: str, id: str, size: Literal["thumb", "view", "full"]) -> Response:
        """A result without fading, as JPEG to look at."""
        found = result_of(session_of(session), id)
        return _image({"thumb": found.thumb_jpeg, "view": found.view_jpeg}.get(size) or found.full_jpeg)

    @app.get("/api/sessions/{session}/results/{id}/download", tags=["results"], response_class=Response)
    def download(
        session: str, id: str, format: Format = "JPEG", strength: Annotated[float, Query(ge=0, le=1)] = 1.0
    ) -> Response:
        """The photograph with that strength, as a file; metadata, colour profile and depth are the content's."""
        found = result_of(session_of(session), id)
        stem = Path(found.content.name).stem.encode("ascii", "ignore").decode().replace('"', "") or "photograph"
        kind = "cutout" if found.cutout else found.order.recipe
        name = f"{stem}-{kind}.{ENDINGS[format]}"
        disposition = {"content-disposition": f'attachment; filename="{name}"'}
        data = found.download(format, strength)
        return Response(data, media_type=f"image/{format.lower()}", headers=disposition)

    @app.get("/api/sessions/{session}/results/{id}/settings.json", tags=["results"])
    def settings_file(session: str, id: str) -> Response:
        """How a result was made, to be loaded again; and the command line for it."""
        found = result_of(session_of(session), id)
        disposition = {"content-disposition": 'attachment; filename="photostyle-settings.json"'}
        return JSONResponse(found.settings_file(), headers=disposition)

    @app.get("/api/sessions/{session}/results/{id}/{side}_regions.png", tags=["results"], response_class=Response)
    def result_labels(session: str, id: str, side: Side) -> Response:
        """The label image that a result was made with."""
        painting = result_of(session_of(session), id).order.painting
        if painting is None:
            raise HTTPException(404, "This result was made without regions.")
        disposition = {"content-disposition": f'attachment; filename="{side}_regions.png"'}
        return Response(getattr(painting, side), media_type="image/png", headers=disposition)

    @app.delete("/api/sessions/{session}/results/{id}", status_code=204, tags=["results"])
    def forget(session: str, id: str) -> None:
        """Delete a result."""
        found = session_of(session)
        result_of(found, id)
        if id in found.results:
            found.remove_result(id)

    app.mount("/", StaticFiles(directory=PAGE, html=True))
    return app


def _task(session: Session, id: str) -> Task:
    if id not in session.tasks:
        raise HTTPException(404, "There is no such job in this session.")
    return session.tasks[id]


def _is_here(name: str) -> bool:
    try:
        example(name)
    except ImageError:
        return False
    return True


def _image(data: bytes) -> Response:
    # what has a random name never changes
    return Response(data, media_type="image/jpeg", headers={"cache-control": "private, max-age=3600, immutable"})
