"""Checkpoints: the descents of a recipe kept in a folder, so that another process goes on from them.

What a descent was when it was kept it is again, to the last bit, and a recipe does the same with the same images:
on the same machine an interrupted run that goes on ends in the same pixels as one that was never interrupted.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import save
from torch import Tensor

from photostyle.descent.place import KEEPER, Place
from photostyle.errors import SettingsError
from photostyle.files import make_folder, write_whole
from photostyle.tensors import read_tensors

_ABOUT = "checkpoint.json"
_CHOICES = "choices"
_DESCENTS = "descent-*.safetensors"


class Checkpoint:
    """The `Keeper` of one job's descents: a file for each, and one that says which job it is.

    The `facts` are all that the result depends on, values that JSON knows; `choices` are what was decided on the day,
    as by the memory that was free. With `resume` the job goes on from what the folder holds, with the choices that it
    began with; where it holds nothing, `found` is False. A descent is written when it ends or is interrupted, and
    otherwise when the last time was `every` seconds ago.

    Raises SettingsError if the folder holds the checkpoint of another job, or any without `resume`; ImageError if
    it cannot be written.
    """

    def __init__(
        self,
        folder: Path,
        facts: Mapping[str, object],
        *,
        resume: bool = False,
        every: float = 60,
        choices: Mapping[str, Any] | None = None,
    ) -> None:
        self.folder, self._every = folder, every
        self._count = 0
        about = folder / _ABOUT
        self.found = about.exists()
        if self.found and not resume:
            raise SettingsError(
                f"{folder} holds the checkpoint of a run that did not end: resume it, or name another folder."
            )
        facts = json.loads(json.dumps(facts))
        self.choices: dict[str, Any] = dict(choices or {})
        if self.found:
            self.choices |= _check_same(about, facts)
        else:
            make_folder(folder)
            self._remove(_DESCENTS)
            write_whole(about, json.dumps({**facts, _CHOICES: self.choices}, indent=2).encode())
        self._written = monotonic()

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """Within it descents are kept here, and go on from here; once, for the descents are counted."""
        token = KEEPER.set(self)
        try:
            yield
        finally:
            KEEPER.reset(token)

    def begin(self, x: Tensor) -> Place | None:
        """Where the next descent of the recipe had got to, if it had begun. Raises SettingsError if that is damaged."""
        self._count += 1
        if not self._path.exists():
            return None
        try:
            metadata, tensors = read_tensors(self._path)
            # cloned: where numbers lie in memory may decide how they are rounded
            tensors = {name: tensors[name].clone() for name in sorted(tensors)}
            if metadata["sha256"] != digest(metadata["place"], *tensors.values()):
                raise ValueError
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            raise SettingsError(f"{self._path} is damaged: delete it, and the run resumes from before it.") from error
        about = json.loads(metadata["place"])
        tensors = {name: tensor.to(x) for name, tensor in tensors.items()}
        return Place(
            tensors["image"],
            about["value"],
            tensors["slope"],
            tuple((tensors[f"{i}.0"], tensors[f"{i}.1"], number) for i, number in enumerate(about["memory"])),
            about["iteration"],
            tuple(about["energies"]),
            about["ended"],
        )

    def keep(self, place: Place, *, now: bool = False) -> None:
        """Write where the descent is, unless that was done a moment ago. Raises ImageError if it cannot be written."""
        if not now and monotonic() - self._written < self._every:
            return
        about = {
            "value": place.value,
            "memory": [number for _, _, number in place.memory],
            "iteration": place.iteration,
            "energies": place.energies,
            "ended": place.ended,
        }
        tensors = {"image": place.x, "slope": place.slope}
        for i, (first, second, _) in enumerate(place.memory):
            tensors |= {f"{i}.0": first, f"{i}.1": second}
        tensors = {name: tensors[name].detach().cpu().contiguous() for name in sorted(tensors)}
        text = json.dumps(about)  # which keeps every bit of a float
        write_whole(self._path, save(tensors, {"place": text, "sha256": digest(text, *tensors.values())}))
        self._written = monotonic()

    def clear(self) -> None:
        """Remove the checkpoint: its result is safe. The folder stays only if something else is in it."""
        self._remove(_DESCENTS)
        self._remove(_ABOUT)
        self._remove(".photostyle-*.tmp")  # of a process that was killed while it wrote
        with suppress(OSError):
            self.folder.rmdir()

    @property
    def _path(self) -> Path:
        return self.folder / _DESCENTS.replace("*", f"{self._count:04d}")

    def _remove(self, pattern: str) -> None:
        for path in self.folder.glob(pattern):
            path.unlink(missing_ok=True)


def digest(*parts: Tensor | str) -> str:
    """A hash of shapes and values, to tell one photograph from another."""
    sha256 = hashlib.sha256()
    for part in parts:
        if isinstance(part, str):
            sha256.update(part.encode())
        else:
            sha256.update(f"{tuple(part.shape)} {part.dtype}".encode())
            sha256.update(part.detach().cpu().contiguous().numpy().data)
    return sha256.hexdigest()


def _check_same(about: Path, facts: Mapping[str, object]) -> dict[str, Any]:
    """The choices of the job that is kept; raises SettingsError if it is another one."""
    try:
        kept = json.loads(about.read_text(encoding="utf-8"))
        choices = dict(kept.pop(_CHOICES, {}))
        differing = sorted(key for key in {*kept, *facts} if kept.get(key) != facts.get(key))
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise SettingsError(f"{about} is damaged: delete its folder to begin anew, or name another.") from error
    if differing:
        raise SettingsError(
            f"{about.parent} is the checkpoint of another job ({', '.join(differing)} differ): "
            "give what was given then, or name another folder."
        )
    return choices
