"""What a page has uploaded and made. Everything has a random name, and only what has one can be asked for."""

from __future__ import annotations

import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

from photostyle import ImageError, RegionsError
from photostyle.studio.painting import Painting
from photostyle.studio.picture import SIDES, Picture, Side
from photostyle.studio.pixels import check_png
from photostyle.studio.result import Result
from photostyle.studio.tokens import token
from photostyle.studio.worker import Task

_MOST_SESSIONS = 64
_MOST_RESULTS = 24  # of a session
_MOST_STYLES = 8


@dataclass(eq=False)
class Session:
    """One page, or several that share an address: two photographs, their regions, jobs and results."""

    folder: Path
    id: str = field(default_factory=token)
    pictures: dict[Side, Picture] = field(default_factory=dict)
    more_styles: list[Picture] = field(default_factory=list)  # for a recipe that blends several
    labels: dict[Side, bytes] = field(default_factory=dict)
    regions: list[dict[str, Any]] = field(default_factory=list)  # the page's own: names, colours, models
    tasks: dict[str, Task] = field(default_factory=dict)
    results: dict[str, Result] = field(default_factory=dict)
    preview: Result | None = None
    used: float = field(default_factory=monotonic)
    told: int = 0  # how often the page was told all of it
    telling: threading.Lock = field(default_factory=threading.Lock)

    def both(self) -> tuple[Picture, Picture]:
        """Content and style; raises ImageError if one is missing."""
        for side in SIDES:
            if side not in self.pictures:
                raise ImageError(f"There is no {side} yet: choose a photograph for it first.")
        return self.pictures["content"], self.pictures["style"]

    def set_picture(self, side: Side, picture: Picture) -> None:
        """A new photograph; the regions of the old ones fit no more."""
        self.pictures[side] = picture
        self.labels.clear()
        self.regions.clear()
        self.drop_preview()

    def check_more_styles(self) -> None:
        """Raises ImageError if there is room for no more."""
        if len(self.more_styles) >= _MOST_STYLES:
            raise ImageError(f"There are {_MOST_STYLES} more styles already: remove one first.")

    def add_style(self, picture: Picture) -> None:
        """One more style photograph; raises ImageError if there are too many."""
        self.check_more_styles()
        self.more_styles.append(picture)

    def set_labels(self, side: Side, data: bytes) -> None:
        """Raises RegionsError if it is no PNG."""
        check_png(data)
        self.labels[side] = data

    def painting(self) -> Painting | None:
        """The regions as they are now, None if there are none."""
        if not all(side in self.labels for side in SIDES):
            return None
        match = {r["color"]: r["model"] for r in self.regions if r["model"] not in ("", r["color"])}
        drop = tuple(r["color"] for r in self.regions if not r["model"])
        models = set(match.values())
        if len(drop) == len(self.regions) and drop:
            raise RegionsError("No region has a look to take: pair at least one.")
        # what is dropped keeps its colour in the style if another region takes its look from there
        return Painting(self.labels["content"], self.labels["style"], match, tuple(d for d in drop if d not in models))

    def add_task(self, task: Task) -> None:
        """Remember it; those that are long over are forgotten."""
        over = [t.id for t in self.tasks.values() if t.is_over]
        for old in over[:-16]:
            del self.tasks[old]
        self.tasks[task.id] = task

    def add_result(self, result: Result) -> None:
        """Put it into the gallery; the oldest goes when there are too many."""
        self.results[result.id] = result
        while len(self.results) > _MOST_RESULTS:
            self.remove_result(next(iter(self.results)))

    def remove_result(self, id: str) -> None:
        shutil.rmtree(self.results.pop(id).folder, ignore_errors=True)

    def set_preview(self, result: Result) -> None:
        self.drop_preview()
        self.preview = result

    def drop_preview(self) -> None:
        if self.preview:
            shutil.rmtree(self.preview.folder, ignore_errors=True)
        self.preview = None

    def find_result(self, id: str) -> Result | None:
        if self.preview and self.preview.id == id:
            return self.preview
        return self.results.get(id)

    def find_picture(self, id: str) -> Picture | None:
        """A photograph in use, or one that a result was made of."""
        made = [p for r in self.results.values() for p in (r.content, r.style, *r.more_styles) if p]
        return next((p for p in (*self.pictures.values(), *self.more_styles, *made) if p.id == id), None)


class Sessions:
    """All of them, in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._all: dict[str, Session] = {}
        self._lock = threading.Lock()

    def new(self) -> Session:
        """An empty one; of too many the one that was not used for longest goes, unless it works."""
        with self._lock:
            idle = [s for s in self._all.values() if all(task.is_over for task in s.tasks.values())]
            if len(self._all) >= _MOST_SESSIONS and idle:
                self._remove(min(idle, key=lambda session: session.used))
            name = token()
            session = Session(self._folder / name, name)
            session.folder.mkdir(parents=True)
            self._all[name] = session
            return session

    def get(self, id: str) -> Session | None:
        session = self._all.get(id)
        if session:
            session.used = monotonic()
        return session

    def remove(self, session: Session) -> None:
        with self._lock:
            self._remove(session)

    def _remove(self, session: Session) -> None:
        self._all.pop(session.id, None)
        shutil.rmtree(session.folder, ignore_errors=True)
