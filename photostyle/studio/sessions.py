"""What a page has uploaded and made. Everything has a random name, and only what has one can be asked for."""

from __future__ import annotations

import shutil
import threading
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from time import monotonic

from photostyle import ImageError
from photostyle.studio.painting import Sheet
from photostyle.studio.picture import SIDES, Picture, Side
from photostyle.studio.result import Result
from photostyle.studio.shelf import Shelf
from photostyle.studio.tokens import token
from photostyle.studio.worker import Task

_MOST_SESSIONS = 64
_MOST_RESULTS = 24  # of a session
_MOST_PHOTOGRAPHS = 64  # of a side
_MOST_STYLES = 8
_MISSING: dict[Side, str] = {"content": "The photograph to change", "style": "The reference, whose look is wanted,"}

Pair = tuple[str | None, str | None]
"""The names of a content and a style, None where there is none yet."""


@dataclass(eq=False)
class Session:
    """One page, or several that share an address: photographs, what is painted over them, jobs and results.

    On each side there may be several photographs; one of them is chosen. What is painted belongs to the two that are
    chosen then, and is there again when they are.
    """

    folder: Path
    id: str = field(default_factory=token)
    photographs: dict[Side, dict[str, Picture]] = field(default_factory=lambda: {side: {} for side in SIDES})
    chosen: dict[Side, str] = field(default_factory=dict)
    sheets: dict[Pair, Sheet] = field(default_factory=dict)
    more_styles: list[Picture] = field(default_factory=list)  # for a recipe that blends several
    tasks: dict[str, Task] = field(default_factory=dict)
    results: dict[str, Result] = field(default_factory=dict)
    preview: Result | None = None
    used: float = field(default_factory=monotonic)
    told: int = 0  # how often the page was told all of it
    changing: threading.RLock = field(default_factory=threading.RLock)  # requests and jobs run in threads of their own

    @cached_property
    def shelf(self) -> Shelf:
        """Looks that go with the session."""
        return Shelf(self.folder / "looks")

    # ---- photographs

    @property
    def pictures(self) -> dict[Side, Picture]:
        """Those that are chosen."""
        return {side: self.photographs[side][id] for side, id in self.chosen.items()}

    def both(self, content: str | None = None) -> tuple[Picture, Picture]:
        """Content and style, those that are chosen or another content; raises ImageError if one is missing."""
        with self.changing:
            for side in SIDES:
                if side not in self.chosen:
                    raise ImageError(f"{_MISSING[side]} is missing: choose it first.")
            photographs = self.photographs["content"]
            if content is not None and content not in photographs:
                raise ImageError("That photograph is no longer there: choose another.")
            return photographs[content or self.chosen["content"]], self.pictures["style"]

    def set_picture(self, side: Side, picture: Picture) -> None:
        """One more photograph on that side; it is chosen."""
        with self.changing:
            if len(self.photographs[side]) >= _MOST_PHOTOGRAPHS:
                raise ImageError(f"There are {_MOST_PHOTOGRAPHS} photographs already: remove one first.")
            self.photographs[side][picture.id] = picture
            self.choose(side, picture.id)

    def choose(self, side: Side, id: str) -> None:
        """Work on that photograph; raises ImageError if it is not there."""
        with self.changing:
            if id not in self.photographs[side]:
                raise ImageError("That photograph is no longer there: choose another.")
            if self.chosen.get(side) == id:
                return
            before = self.sheet
            self.chosen[side] = id
            if self._pair not in self.sheets:
                self.sheets[self._pair] = before.for_another(side)
            self.drop_preview()

    def swap(self) -> None:
        """Content becomes style, and style content; raises ImageError if one is missing."""
        with self.changing:
            content, style = self.both()
            sheet = self.sheet.swapped()
            for side, picture in (("content", style), ("style", content)):
                self.photographs[side].setdefault(picture.id, picture)  # type: ignore[index]
            self.chosen = {"content": style.id, "style": content.id}
            self.sheets.setdefault(self._pair, sheet)
            self.drop_preview()

    def remove_picture(self, side: Side, id: str) -> None:
        """Do without it; its neighbour is chosen instead."""
        with self.changing:
            left = [other for other in self.photographs[side] if other != id]
            if self.chosen.get(side) == id:
                if left:
                    self.choose(side, left[-1])
                else:
                    del self.chosen[side]
                    self.drop_preview()
            self.photographs[side].pop(id, None)

    def check_more_styles(self) -> None:
        """Raises ImageError if there is room for no more."""
        if len(self.more_styles) >= _MOST_STYLES:
            raise ImageError(f"There are {_MOST_STYLES} more styles already: remove one first.")

    def add_style(self, picture: Picture) -> None:
        """One more style photograph; raises ImageError if there are too many."""
        with self.changing:
            self.check_more_styles()
            self.more_styles.append(picture)

    def find_picture(self, id: str) -> Picture | None:
        """A photograph in use, or one that a result was made of."""
        with self.changing:
            made = [p for r in self.results.values() for p in (r.content, r.style, *r.more_styles) if p]
            here = [picture for side in SIDES for picture in self.photographs[side].values()]
            return next((p for p in (*here, *self.more_styles, *made) if p.id == id), None)

    # ---- what is painted

    @property
    def _pair(self) -> Pair:
        return self.chosen.get("content"), self.chosen.get("style")

    @property
    def sheet(self) -> Sheet:
        """That of the two photographs that are chosen."""
        return self.sheet_of(*self._pair)

    def sheet_of(self, content: str | None, style: str | None) -> Sheet:
        """That of any two photographs."""
        with self.changing:
            return self.sheets.setdefault((content, style), Sheet())

    # ---- jobs and results

    def add_task(self, task: Task) -> None:
        """Remember it; those that are long over are forgotten."""
        with self.changing:
            over = [t.id for t in self.tasks.values() if t.is_over]
            for old in over[:-16]:
                del self.tasks[old]
            self.tasks[task.id] = task

    def add_result(self, result: Result) -> None:
        """Put it into the gallery; the oldest goes when there are too many."""
        with self.changing:
            self.results[result.id] = result
            while len(self.results) > _MOST_RESULTS:
                self.remove_result(next(iter(self.results)))

    def remove_result(self, id: str) -> None:
        with self.changing:
            shutil.rmtree(self.results.pop(id).folder, ignore_errors=True)

    def set_preview(self, result: Result) -> None:
        """It takes the place of the one before; of photographs that are no longer chosen it is not kept."""
        with self.changing:
            self.drop_preview()
            pictures = self.pictures
            if result.content is pictures.get("content") and result.style in (None, pictures.get("style")):
                self.preview = result
            else:
                shutil.rmtree(result.folder, ignore_errors=True)

    def drop_preview(self) -> None:
        with self.changing:
            if self.preview:
                shutil.rmtree(self.preview.folder, ignore_errors=True)
            self.preview = None

    def find_result(self, id: str) -> Result | None:
        with self.changing:
            if self.preview and self.preview.id == id:
                return self.preview
            return self.results.get(id)


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
