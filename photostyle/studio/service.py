"""What all requests share: the sessions, the queue and the limits; and whom a request is for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, HTTPException, Request, Response

from photostyle import Look, SettingsError, is_cached
from photostyle.studio.describing import describe
from photostyle.studio.making import Work, fetching
from photostyle.studio.picture import SIDES
from photostyle.studio.selecting import Selecting
from photostyle.studio.sessions import Session, Sessions
from photostyle.studio.shelf import Shelf
from photostyle.studio.worker import Pace, Task, Worker

_PNG = {"content": {"image/png": {"schema": {"type": "string", "format": "binary"}}}, "required": True}
PNG_BODY = {"requestBody": _PNG}
_FILE = {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}, "required": True}
FILE_BODY = {"requestBody": _FILE}
_OVERTAKES: dict[str, tuple[str, ...]] = {"render": ("preview", "doubts"), "fetch": ()}
"""Kinds of jobs that are all wanted, and the kinds that they make needless; of any other only the newest is wanted."""
MOST_JOBS = 64  # of a session, that wait: a strip of photographs may be rendered at once


@dataclass(frozen=True)
class Limits:
    """Of an upload."""

    bytes: int = 100_000_000
    pixels: float = 60e6


LIMITS = Limits()


class Fetching(Exception):
    """A network is fetched first: the `job`, as JSON. The same request can be answered when that is done."""

    def __init__(self, job: dict[str, Any]) -> None:
        super().__init__(job)
        self.job = job


@dataclass(frozen=True)
class Service:
    """One running studio."""

    sessions: Sessions
    worker: Worker
    selecting: Selecting
    limits: Limits = LIMITS
    shelf: Shelf | None = None  # of looks that are kept from one session to the next

    def tell(self, session: Session) -> dict[str, Any]:
        """Everything that there is of a session, as JSON."""
        with session.changing:
            session.told += 1
            sheet = session.sheet
            return {
                "id": session.id,
                "told": session.told,  # of two answers the one with the larger number is newer
                "pictures": {side: picture.facts() for side, picture in session.pictures.items()},
                "photographs": {side: [p.facts() for p in session.photographs[side].values()] for side in SIDES},
                "more_styles": [picture.facts() for picture in session.more_styles],
                "regions": describe(sheet, session.pictures),
                "painted": [side for side in SIDES if side in sheet.labels],
                "tasks": [self.facts(task) for task in session.tasks.values()],
                "results": [result.facts() for result in reversed(session.results.values())],
                "preview": session.preview.facts() if session.preview else None,
                "looks": self.shelf_of(session).facts(),
            }

    def shelf_of(self, session: Session) -> Shelf:
        """The looks that a session has: those that are kept, or else its own, which go with it."""
        return self.shelf or session.shelf

    def find_look(self, session: Session, key: str) -> Look:
        """The look of the result with that id, or on the shelf by that name. Raises SettingsError if there is none."""
        result = session.find_result(key)
        if result and result.look:
            return result.look
        return self.shelf_of(session).load(key)

    def facts(self, task: Task) -> dict[str, Any]:
        """How far a job is, as JSON."""
        return task.facts(self.worker.place(task))

    def start(
        self, session: Session, kind: str, work: Work, pace: Pace | None = None, order: object = None
    ) -> dict[str, Any]:
        """Queue a job; raises SettingsError if the session has too many.

        Only the newest draft is wanted, and none that was asked for before a render. A render, or a network, that is
        asked for again, by an equal `order`, is the one that waits or runs.
        """
        with session.changing:
            open_tasks = [task for task in session.tasks.values() if not task.is_over]
            for task in open_tasks:
                if kind in _OVERTAKES and task.kind == kind and order and task.order == order:
                    return self.facts(task)
            for task in open_tasks:
                if task.kind in _OVERTAKES.get(kind, (kind,)):
                    self.worker.cancel(task)
            if sum(task.state == "waiting" for task in open_tasks) >= MOST_JOBS:
                raise SettingsError(
                    f"{MOST_JOBS} jobs of this page are waiting: cancel one, or wait until one is done."
                )
            task = Task(kind, work, pace, order)
            self.worker.submit(task)
            session.add_task(task)
            return self.facts(task)

    def have(self, session: Session, *networks: str) -> None:
        """Raises Fetching, with the job that fetches them, unless the weights of these networks are here.

        For requests that are answered at once, in which nobody would see what it takes so long for.
        """
        missing = tuple(network for network in networks if not is_cached(network))
        if missing:
            raise Fetching(self.start(session, "fetch", fetching(missing), order=missing))

    async def body(self, request: Request) -> bytes:
        """The file that a request brings; raises HTTPException as soon as it is known to be too large."""
        most = self.limits.bytes
        sentence = f"The file is larger than {most / 1e6:.0f} MB: make it smaller, or use the command line."
        if int(request.headers.get("content-length") or 0) > most:
            raise HTTPException(413, sentence)
        data = bytearray()
        async for chunk in request.stream():
            data += chunk
            if len(data) > most:
                raise HTTPException(413, sentence)
        return bytes(data)


def _service(request: Request) -> Service:
    return request.app.state.service


Here = Annotated[Service, Depends(_service)]


def _session(session: str, here: Here) -> Session:
    found = here.sessions.get(session)
    if found is None:
        raise HTTPException(410, "This session is over: open the studio anew.")
    return found


Mine = Annotated[Session, Depends(_session)]


def attachment(data: bytes, kind: str, name: str, notes: Sequence[str] = ()) -> Response:
    """A file to be saved under that name, with sentences about it in the header `x-notes`, percent-encoded JSON."""
    plain = name.encode("ascii", "ignore").decode().replace('"', "")
    headers = {"content-disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}"}
    if notes:
        headers["x-notes"] = quote(json.dumps(notes))
    return Response(data, media_type=kind, headers=headers)


KEPT = {"cache-control": "private, max-age=3600, immutable"}
"""For what has a random name, and never changes."""


def kept_jpeg(data: bytes) -> Response:
    """A picture with a random name."""
    return Response(data, media_type="image/jpeg", headers=KEPT)
