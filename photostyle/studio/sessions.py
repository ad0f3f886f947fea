"""What a page has uploaded and made. Everything has a random name, and only what has one can be asked for."""

from __future__ import annotations

import io
import secrets
import shlex
import shutil
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from photostyle import (
    ImageError,
    Photograph,
    Regions,
    RegionsError,
    __version__,
    fade,
    fit_size,
    load_photograph,
    load_regions,
    resize,
    save_photograph,
)
from photostyle.jobs.pair import load_seen
from photostyle.photofile.raw import RAW_SUFFIXES
from photostyle.studio.pixels import check_png, jpeg
from photostyle.studio.worker import Task

Side = Literal["content", "style"]
SIDES: tuple[Side, ...] = ("content", "style")
Format = Literal["JPEG", "PNG", "TIFF", "WEBP", "AVIF"]
ENDINGS: dict[Format, str] = {"JPEG": "jpg", "PNG": "png", "TIFF": "tif", "WEBP": "webp", "AVIF": "avif"}

EDIT_SIZE = 800  # long side at which regions are painted and previews are made, pixels
_THUMB_SIZE = 240
_MOST_SESSIONS = 64
_MOST_RESULTS = 24  # of a session
_MOST_STYLES = 8


def token() -> str:
    """A name that nobody guesses."""
    return secrets.token_urlsafe(15)


@dataclass(eq=False)
class Picture:
    """A photograph: its file as it came, and a small copy (3×h×w, at most EDIT_SIZE) to work with.

    What is transparent in the small copy is filled as `Photograph.filled` does it.
    """

    path: Path
    name: str
    small: Tensor
    size: tuple[int, int]  # width and height, upright
    notes: tuple[str, ...] = ()
    blank: bool = False  # an empty canvas for a doodle
    alpha: Tensor | None = None  # of the small copy, 1×h×w, if some of it is transparent
    id: str = field(default_factory=token)

    def load(self) -> Photograph:
        """All of it, anew."""
        return load_photograph(self.path)

    @property
    def reduced(self) -> Photograph:
        """The small copy, as a photograph of its own."""
        return Photograph(self.small, self.alpha)

    @cached_property
    def edit_jpeg(self) -> bytes:
        return jpeg(self.reduced.opaque(), quality=92)

    @cached_property
    def full_jpeg(self) -> bytes:
        return jpeg(self.load().opaque(), quality=95)

    def facts(self) -> dict[str, Any]:
        _, height, width = self.small.shape
        edit = {"width": width, "height": height}
        whole = {"width": self.size[0], "height": self.size[1]}
        return {"id": self.id, "name": self.name, **whole, "edit": edit, "notes": self.notes, "blank": self.blank}


@dataclass(frozen=True)
class Painting:
    """Two label images in the paper's palette (PNG), which content colour takes whose look, and which none."""

    content: bytes
    style: bytes
    match: Mapping[str, str] = field(default_factory=dict)
    drop: tuple[str, ...] = ()

    def load(self) -> Regions:
        """Raises RegionsError if they cannot be paired."""
        with TemporaryDirectory() as folder:
            return load_regions(*self.save(Path(folder)), match=self.match, drop=self.drop)

    def save(self, folder: Path) -> tuple[Path, Path]:
        """Both files."""
        paths = folder / "content_regions.png", folder / "style_regions.png"
        for path, data in zip(paths, (self.content, self.style), strict=True):
            path.write_bytes(data)
        return paths


@dataclass(frozen=True)
class Order:
    """What a transfer was asked for."""

    recipe: str
    quality: str
    settings: Mapping[str, Any]
    strength: float = 1.0
    painting: Painting | None = None
    snapped: bool = True  # borders of regions follow the photograph


@dataclass(eq=False)
class Result:
    """A finished picture, unfaded, as 16-bit levels in a file; the strength is chosen when it is downloaded."""

    folder: Path
    content: Picture
    style: Picture | None
    order: Order
    note: Mapping[str, Any]
    size: tuple[int, int]
    seconds: float = 0.0
    more_styles: tuple[Picture, ...] = ()
    trimap: bytes | None = None  # PNG, of a cut-out: the alpha matte of the content rather than a transfer
    id: str = field(default_factory=token)

    @classmethod
    def keep(cls, pixels: Tensor, folder: Path, **facts: Any) -> Result:
        """A result of these pixels (C×H×W in [0, 1]) in a new folder."""
        folder.mkdir()
        levels = pixels.detach().cpu().clamp(0, 1).mul(65535).round()
        np.save(folder / "pixels.npy", levels.numpy().astype(np.uint16))
        return cls(folder, size=(pixels.shape[2], pixels.shape[1]), **facts)

    @property
    def cutout(self) -> bool:
        return self.trimap is not None

    def pixels(self) -> Tensor:
        """3×H×W, or of a cut-out the colours and the alpha, 4×H×W."""
        return torch.from_numpy(np.load(self.folder / "pixels.npy").astype(np.float32) / 65535)

    @cached_property
    def full_jpeg(self) -> bytes:
        return jpeg(self._shown(), quality=95)

    @cached_property
    def view_jpeg(self) -> bytes:
        return jpeg(self._shown(), 1600, quality=92)

    @cached_property
    def thumb_jpeg(self) -> bytes:
        return jpeg(self._shown(), _THUMB_SIZE)

    def _shown(self) -> Tensor:
        pixels = self.pixels()
        if self.cutout:  # over a chequered ground
            _, H, W = pixels.shape
            y, x = torch.arange(H)[:, None] // 16, torch.arange(W)[None] // 16
            ground = 0.75 + 0.2 * ((x + y) % 2)
            return torch.lerp(ground.expand(3, -1, -1), pixels[:3], pixels[3])
        if self.content.alpha is not None:
            alpha = resize(self.content.alpha, pixels.shape[1:])
            return Photograph(pixels, alpha).opaque()
        return pixels

    def download(self, format: Format, strength: float) -> bytes:
        """The photograph as a file, with the metadata of the content."""
        buffer, pixels, photograph = io.BytesIO(), self.pixels(), self.content.load()
        if self.cutout:
            save_photograph(pixels[:3], buffer, like=replace(photograph, alpha=pixels[3:]), format=format)
            return buffer.getvalue()
        faded = fade(photograph.pixels, pixels, strength)
        save_photograph(
            faded, buffer, like=photograph, format=format, note={**self.note, "strength": strength}, dither=True
        )
        return buffer.getvalue()

    def command(self) -> str:
        """What to type for the same picture."""
        order = self.order
        if self.cutout:
            words = ["photostyle", "matte", self.content.name, "--trimap", "trimap.png"]
            return shlex.join([*words, "-o", "matte.png", "--foreground", "cutout.png"])
        assert self.style is not None
        blank = self.content.blank
        if blank:
            words = ["photostyle", "doodle", self.style.name, "style_regions.png", "content_regions.png"]
        else:
            styles = (self.style, *self.more_styles)
            words = ["photostyle", "transfer", self.content.name, *(picture.name for picture in styles)]
        words += ["-o", "result.jpg", *([] if blank else ["--recipe", order.recipe]), "--quality", order.quality]
        for name, value in order.settings.items():
            option = name.replace("_", "-")
            if isinstance(value, bool):
                words.append(f"--{option}" if value else f"--no-{option}")
            else:
                words += [f"--{option}", str(value)]
        if order.painting and not blank:
            words += ["--content-regions", "content_regions.png", "--style-regions", "style_regions.png"]
            if order.painting.match:
                words += ["--match", ",".join(f"{a}={b}" for a, b in order.painting.match.items())]
            if order.painting.drop:
                words += ["--drop", ",".join(order.painting.drop)]
        if order.strength != 1 and not blank:
            words += ["--strength", f"{order.strength:g}"]
        return shlex.join(words)

    def settings_file(self) -> dict[str, Any]:
        """What the page needs to set its controls again."""
        order = self.order
        chosen = {"recipe": order.recipe, "quality": order.quality, "strength": order.strength}
        return {"photostyle": __version__, **chosen, "settings": dict(order.settings), "command": self.command()}

    def facts(self) -> dict[str, Any]:
        order = self.order
        return {
            "id": self.id,
            "content": self.content.facts(),
            "style": self.style.facts() if self.style else None,
            "more_styles": [picture.facts() for picture in self.more_styles],
            "width": self.size[0],
            "height": self.size[1],
            "seconds": round(self.seconds, 1),
            "recipe": order.recipe,
            "quality": order.quality,
            "strength": order.strength,
            "settings": dict(order.settings),
            "painted": order.painting is not None,
            "cutout": self.cutout,
            "command": self.command(),
        }


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


def receive(data: bytes, name: str, folder: Path, most_pixels: float) -> Picture:
    """An uploaded photograph. Raises ImageError, a sentence, if it is none or too large."""
    stream = io.BytesIO(data)
    shown = "".join(c for c in Path(name.replace("\\", "/")).name if c.isprintable())[:100] or "photograph"
    stream.name = shown
    photograph = load_seen(stream, most_pixels=most_pixels)
    pixels = photograph.filled()
    _, height, width = pixels.shape
    size = fit_size(height, width, EDIT_SIZE)
    alpha = None if photograph.alpha is None else resize(photograph.alpha, size)
    ending = Path(shown).suffix.lower()  # by which some raw files are known
    path = folder / (token() + (ending if ending in RAW_SUFFIXES else ""))
    path.write_bytes(data)
    return Picture(path, shown, resize(pixels, size), (width, height), photograph.notes, alpha=alpha)
