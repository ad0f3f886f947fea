"""From lines to tasks: every setting checked, every output named, and a key that says when work is to be done anew."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import PurePosixPath
from typing import Any, get_args

from photostyle import (
    BACKBONES,
    DEFAULT_BACKBONE,
    DEFAULT_RECIPE,
    ImageError,
    PhotostyleError,
    SettingsError,
    __version__,
    find_recipe,
    make_settings,
)
from photostyle.batch import storage
from photostyle.batch.lines import INPUTS, Line
from photostyle.jobs import memory
from photostyle.jobs.naming import apart, copy_names
from photostyle.network.backbones import FINDERS
from photostyle.network.network import Network
from photostyle.network.vgg import Pooling
from photostyle.network.vggs import check_vgg
from photostyle.photofile import FORMATS
from photostyle.photofile.source import opened
from photostyle.recipes.settings import Quality
from photostyle.regions.corrections import read_match, read_names

_GUIDES = ("auto", "learned", "none")
_OPTIONS = ("recipe", "quality", "strength", "regions", "regions_model", "match", "drop", "backbone", "pooling")
_PROCESS = 250e6  # bytes of a worker that has imported PyTorch and done nothing
_PIXEL = 12  # bytes of a photograph in memory, for each of its pixels
_READERS = 8  # files that are read at once to be hashed: those elsewhere take their time to answer


@dataclass(frozen=True)
class Task:
    """One photograph to make, all of it ready for JSON.

    `files` are paths by role (`INPUTS`), `target` is the path of the result, `output` the same below the output
    folder, and `options` are those of `Transfer`, or with a look its strength and how to save. `key` changes with
    the content of the files, the settings, the networks and the version of photostyle. In the folder `part` the
    result is made before it gets to its place; "" where that is not on this machine's file system.
    """

    files: dict[str, str]
    output: str
    target: str
    options: dict[str, Any]
    key: str = ""
    part: str = ""
    version: str = ""

    @property
    def networks(self) -> set[str]:
        """The networks whose weights it takes, but for those that the user has put somewhere."""
        if "look" in self.files:
            return set()
        recipe, painted = find_recipe(self.options["recipe"]), "content_regions" in self.files
        own = {self.options["backbone"]} if recipe.network and not self.options["weights_path"] else set()
        finding = recipe.regional and not painted and self.options["guide"] == "auto"
        return own | (set(FINDERS) if finding else set())


def plan(
    lines: Sequence[Line],
    output: str,
    *,
    style: str | None = None,
    look: str | None = None,
    options: Mapping[str, Any] | None = None,
    extension: str | None = None,
    saving: Mapping[str, Any] | None = None,
    most_pixels: float | None = None,
    weights_path: str | None = None,
    device: str = "auto",
    shard: tuple[int, int] = (1, 1),
) -> list[Task]:
    """The tasks of all lines, or of every n-th (`shard` i of n), results in the folder `output`.

    A line's own values go before `options` (those of `_OPTIONS`, and settings of recipes), its style or look before
    the `style` or `look` of all. `extension` is of the results; without one it is that of the photograph. Results
    that would have one name are named apart (`naming`).

    Raises PhotostyleError, before anything is made: a line whose settings are wrong or whose files are not there
    (it is named), two results with one name, or a result that would replace a photograph.
    """
    common = {"saving": dict(saving or {}), "most_pixels": most_pixels}
    network = {"weights_path": weights_path, "device": device}
    drafts: list[Task] = []
    unnamed: dict[int, tuple[str, ...]] = {}  # line → the names that its result may have
    for i, line in enumerate(lines):
        try:
            files = _files(line, style, look)
            values = {**(options or {}), **{key: value for key, value in line.values.items() if key not in INPUTS}}
            named = values.pop("output", None)
            if named is None:
                unnamed[i] = _names(line, files, extension)
            name = "" if named is None else _given_name(str(named))
            chosen = _look_options(values) if "look" in files else _options(values) | network
            drafts.append(Task(files, name, "", common | chosen, version=__version__))
        except PhotostyleError as error:
            raise type(error)(f"{line.where}: {error}") from error
    # of all lines, whatever the shard: so each shard, and a later run, finds the same
    found = apart(list(unnamed.values()), [draft.output for draft in drafts if draft.output])
    names = {i: draft.output for i, draft in enumerate(drafts)} | dict(zip(unnamed, found, strict=True))
    tasks = [replace(draft, output=names[i], target=storage.join(output, names[i])) for i, draft in enumerate(drafts)]
    _check_outputs(tasks, lines)
    mine = slice(shard[0] - 1, None, shard[1])
    return _keyed(tasks[mine], lines[mine], weights_path)


def heaviest(tasks: Iterable[Task]) -> float:
    """Bytes that a process takes at most for one of the tasks, by the headers of the photographs on this machine."""
    return _PROCESS + max(map(_weight, tasks), default=0)


def _weight(task: Task) -> float:
    sizes = []
    for role in ("content", "style"):
        if role in task.files and not storage.is_url(task.files[role]):
            with suppress(ImageError), opened(task.files[role], math.inf) as source:  # what is wrong, its task will say
                sizes.append(source.size)
    if not sizes:
        return 0
    recipe, settings = task.options.get("recipe", "apply"), task.options.get("settings", {})
    needed = memory.estimate(recipe, sizes[0], settings.get("size"), settings.get("sketch"))
    return needed + _PIXEL * sum(width * height for width, height in sizes)


def _files(line: Line, style: str | None, look: str | None) -> dict[str, str]:
    given = {role: line.values[role] for role in INPUTS if role in line.values}
    if not given.keys() & {"style", "look"}:
        given |= {"style": style} if style else {"look": look} if look else {}
    if len(given.keys() & {"style", "look"}) != 1:
        raise SettingsError("It takes a style or a look, one of them: name it in the line, or for all.")
    regions = given.keys() & {"content_regions", "style_regions"}
    if len(regions) == 1 or (regions and "look" in given):
        raise SettingsError("Regions come in pairs, content_regions and style_regions, and a look has none.")
    return given


def _given_name(named: str) -> str:
    """The path of a result below the output folder, as its line names it."""
    path = PurePosixPath(named)
    if path.is_absolute() or ".." in path.parts or storage.is_url(named) or not path.name:
        raise SettingsError(f"output should be a name inside the output folder, not {named!r}.")
    if path.suffix.lower() not in FORMATS:
        raise SettingsError(f"output {named!r} has no extension that can be written: {', '.join(FORMATS)}.")
    return str(path)


def _names(line: Line, files: Mapping[str, str], extension: str | None) -> tuple[str, ...]:
    """The paths below the output folder that the result of a line without a name may have, the best first."""
    ending = f"-{PurePosixPath(files['style']).stem}" if not line.name and "style" in line.values else ""
    return copy_names(line.name or PurePosixPath(files["content"]).name, extension, ending)


def _options(values: dict[str, Any]) -> dict[str, Any]:
    """What `Transfer` takes, from the values of a line: all of it checked, and defaults in place."""
    settings = {key: value for key, value in values.items() if key not in _OPTIONS}
    chosen = {
        "recipe": DEFAULT_RECIPE,
        "quality": "standard",
        "backbone": DEFAULT_BACKBONE,
        "pooling": Network.pooling,
    }
    chosen |= {key: str(values[key]) for key in chosen if key in values}
    recipe = find_recipe(chosen["recipe"])
    check_vgg(chosen["backbone"])
    if chosen["quality"] not in get_args(Quality) or chosen["pooling"] not in get_args(Pooling):
        raise SettingsError(f"quality is {_either(get_args(Quality))}, and pooling {_either(get_args(Pooling))}.")
    quality: Any = chosen["quality"]
    guide = str(values.get("regions", "auto"))
    if guide not in _GUIDES:
        raise SettingsError(f"regions is {_either(_GUIDES)}, not {guide!r}; label images are content_regions.")
    if "regions_model" in values and guide != "learned":
        raise SettingsError("regions_model is for regions learned.")
    return {
        **chosen,
        "settings": asdict(make_settings(recipe, settings, quality)),
        "guide": guide,
        "model": values.get("regions_model"),
        "match": read_match(values.get("match", {})),
        "drop": read_names(values.get("drop", [])),
        "strength": _strength(values),
    }


def _look_options(values: dict[str, Any]) -> dict[str, Any]:
    if rest := sorted(values.keys() - {"strength"}):
        raise SettingsError(f"A look takes a strength, but no {', '.join(rest)}.")
    return {"strength": _strength(values)}


def _strength(values: Mapping[str, Any]) -> float:
    try:
        strength = float(values.get("strength", 1.0))
    except (TypeError, ValueError):
        strength = -1.0
    if not 0 <= strength <= 1:
        raise SettingsError(f"strength should be a number from 0 to 1, not {values['strength']!r}.")
    return strength


def _either(choices: Iterable[str]) -> str:
    return " or ".join(choices)


def _check_outputs(tasks: Sequence[Task], lines: Sequence[Line]) -> None:
    """No two results have one name, and none is a photograph that is read."""
    seen: dict[str, Line] = {}
    for task, line in zip(tasks, lines, strict=True):
        other = seen.setdefault(task.output.casefold(), line)  # on some systems A.jpg and a.jpg are one file
        if other is not line:
            raise SettingsError(
                f"{other.where} and {line.where} would both be written to {task.output}: give them names of their "
                "own in a column output."
            )
    inputs = {path for task in tasks for path in task.files.values()}
    identities = {_identity(path) for path in inputs} - {None}
    for task in tasks:
        if task.target in inputs or _identity(task.target) in identities:
            raise ImageError(f"{task.target} is one of the input files: name another output folder.")


def _identity(path: str) -> tuple[int, int] | None:
    """What is the same of a file under all its names; None if there is no such file on this machine."""
    try:
        facts = os.stat(path)
    except (OSError, ValueError):
        return None
    return facts.st_dev, facts.st_ino


def _keyed(tasks: Sequence[Task], lines: Sequence[Line], weights_path: str | None) -> list[Task]:
    """The tasks with their keys; each file is read once. Raises ImageError that tells the first missing files."""
    owners = {path: line for task, line in zip(tasks, lines, strict=True) for path in task.files.values()}
    if weights_path:
        owners[weights_path] = Line("the weights")
    with ThreadPoolExecutor(_READERS) as pool:
        digests = dict(zip(owners, pool.map(_digest_or_error, owners), strict=True))
    wrong = [f"{owners[path].where}: {found}" for path, found in digests.items() if isinstance(found, PhotostyleError)]
    if wrong:
        more = f" … and {len(wrong) - 5} more." if len(wrong) > 5 else ""
        raise ImageError(" ".join(wrong[:5]) + more)
    return [replace(task, key=_key(task, digests)) for task in tasks]


def _digest_or_error(path: str) -> str | PhotostyleError:
    try:
        return storage.digest(path)
    except PhotostyleError as error:
        return error


def _key(task: Task, digests: Mapping[str, str | PhotostyleError]) -> str:
    weights = {name: BACKBONES[name].digest for name in sorted(task.networks)}
    if own := task.options.get("weights_path"):
        weights["own"] = str(digests[own])
    # what quality chooses is in the settings, and where it is computed changes nothing
    made = {name: value for name, value in task.options.items() if name not in ("device", "quality", "weights_path")}
    inputs = {role: digests[path] for role, path in task.files.items()}
    text = json.dumps([task.version, task.output, inputs, made, weights], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
