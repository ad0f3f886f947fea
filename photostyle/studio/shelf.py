"""Looks on a shelf: a folder with a file for each, which is called as the look is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from photostyle import ImageError, LocalLook, Look, PhotostyleError, SettingsError, load_look, save_look
from photostyle.files import make_folder
from photostyle.looks.file import SUFFIX
from photostyle.studio.saving import safe_name

_MOST = 500  # looks that are listed


class Shelf:
    """Looks in a folder, by their names; it is made when the first is put there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, tuple[float, dict[str, Any]]] = {}  # what was told of a file, and its time

    def names(self) -> list[str]:
        """All of them, in the order of the alphabet."""
        return sorted(path.stem for path in self._folder.glob(f"*{SUFFIX}"))[:_MOST]

    def load(self, name: str) -> Look:
        """The look of that name. Raises SettingsError if there is none, ImageError if it cannot be used here."""
        look = load_look(self._path(name))
        if isinstance(look, LocalLook):
            raise ImageError(f"{name} is for frames of one framing, and holds no colour maps: use `photostyle apply`.")
        return look

    def add(self, look: Look, name: str) -> str:
        """Put a look there, by this name or one like it that no other has; returns the name."""
        free = self._free(name)
        make_folder(self._folder)
        save_look(look, self._folder / f"{free}{SUFFIX}")
        return free

    def rename(self, name: str, new: str) -> str:
        """Call a look by another name, or one like it that is free; returns the name. Raises as `load` does."""
        path = self._path(name)
        if safe_name(new) == name:
            return name
        free = self._free(new)
        path.rename(path.with_name(f"{free}{SUFFIX}"))
        return free

    def remove(self, name: str) -> None:
        """Delete a look. Raises SettingsError if there is none of that name."""
        self._path(name).unlink(missing_ok=True)

    def facts(self) -> list[dict[str, Any]]:
        """Of each its name, its regions and how it was made, as JSON; of one that cannot be used why."""
        told = {}
        for name in self.names():
            try:
                changed = (self._folder / f"{name}{SUFFIX}").stat().st_mtime
            except OSError:  # somebody has just removed it
                continue
            known = self._known.get(name)
            told[name] = known if known and known[0] == changed else (changed, self._tell(name))
        self._known = told
        return [facts | {"changed": changed} for changed, facts in told.values()]

    def _tell(self, name: str) -> dict[str, Any]:
        try:
            look = self.load(name)
        except PhotostyleError as error:
            return {"name": name, "regions": [], "facts": {}, "error": str(error)}
        return {"name": name, "regions": look.names, "facts": look.facts, "error": ""}

    def _path(self, name: str) -> Path:
        if name not in self.names():  # which no path can be
            raise SettingsError(f"There is no look {name!r} on the shelf.")
        return self._folder / f"{name}{SUFFIX}"

    def _free(self, name: str) -> str:
        wanted = safe_name(name)
        if not wanted:
            raise SettingsError("A look needs a name.")
        taken = {known.casefold() for known in self.names()}
        free, number = wanted, 2
        while free.casefold() in taken:
            free, number = f"{wanted} {number}", number + 1
        return free
