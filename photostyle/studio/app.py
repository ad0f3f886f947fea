"""The studio as an application: its routes, its errors, its page. Described for machines at /api/openapi.json."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles

from photostyle import PhotostyleError, __version__
from photostyle.segment.prompt import Segmenter
from photostyle.studio.result import ResultGone
from photostyle.studio.routes import about, archive, jobs, looks, photographs, regions, results
from photostyle.studio.selecting import Selecting
from photostyle.studio.service import LIMITS, Fetching, Limits, Service
from photostyle.studio.sessions import Sessions
from photostyle.studio.shelf import Shelf
from photostyle.studio.words import spoken
from photostyle.studio.worker import Worker

PAGE = Path(__file__).with_name("page")


def make_app(
    folder: Path,
    worker: Worker,
    limits: Limits = LIMITS,
    shelf: Shelf | None = None,
    segmenter: Segmenter | None = None,
) -> FastAPI:
    """The studio as an ASGI application, without the `Guard`.

    Everything that it keeps is in the folder, but for the looks on a `shelf`. The `segmenter` answers clicks.
    """
    app = FastAPI(
        title="photostyle studio",
        version=__version__,
        docs_url=None,  # their pages load scripts of other hosts
        redoc_url=None,
        openapi_url="/api/openapi.json",
    )
    app.state.service = Service(Sessions(folder), worker, Selecting(segmenter), limits, shelf)
    app.add_exception_handler(PhotostyleError, _mend)
    app.add_exception_handler(Fetching, _wait)
    app.add_exception_handler(HTTPException, _refuse)
    app.add_exception_handler(RequestValidationError, _explain)
    for module in (about, photographs, regions, jobs, archive, results, looks):
        app.include_router(module.router)
    app.mount("/", StaticFiles(directory=PAGE, html=True))
    return app


async def _mend(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"error": spoken(str(error))}, 404 if isinstance(error, ResultGone) else 422)


async def _wait(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Fetching)
    sentence = "A network is fetched first: ask again when that job is done."
    return JSONResponse({"error": sentence, "job": error.job}, 503)


async def _refuse(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, error.status_code)


async def _explain(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    said = [f"{'.'.join(str(part) for part in e['loc'][1:])}: {e['msg']}" for e in error.errors()]
    return JSONResponse({"error": f"The request is not understood ({'; '.join(said)})."}, 422)
