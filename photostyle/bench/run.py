"""A folder of pairs, some recipes → rows of figures. What was computed before is not computed again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from photostyle import ImageError, SettingsError, __version__
from photostyle.bench.summary import summarize
from photostyle.bench.task import REFERENCES, Guide, Row, Task
from photostyle.bench.worker import cores, machine, snapshot, source_hash, spawn
from photostyle.measures.figures import MEASURES

_PHOTOGRAPHS = (".png", ".jpg", ".jpeg")


@dataclass(frozen=True)
class Pair:
    """A folder with a content and a style, perhaps their label images and a published result."""

    name: str
    files: dict[str, str]  # role → path, see `Task`


@dataclass(frozen=True)
class Plan:
    """What is to be measured: `recipes` are all settings by recipe; results go to `output`/<recipe>/<pair>.png."""

    pairs: Sequence[Pair]
    recipes: Mapping[str, dict[str, Any]]
    backbone: str
    device: str
    output: Path
    jobs: int = 1
    regions: Guide = "painted"

    @property
    def threads(self) -> int:
        """Threads per process: the cores are shared out."""
        return max(1, cores() // self.jobs)

    def tasks(self) -> list[tuple[Pair, Task]]:
        """Every pair with every recipe, the references first."""
        return [
            (pair, self._task(pair, recipe))
            for pair in self.pairs
            for recipe in (*REFERENCES, *self.recipes)
            if recipe != "published" or "published" in pair.files
        ]

    def _task(self, pair: Pair, recipe: str) -> Task:
        files = {role: path for role, path in pair.files.items() if role != "published" or recipe == "published"}
        output, settings = self.output / recipe / f"{pair.name}.png", self.recipes.get(recipe, {})
        return Task(files, recipe, settings, self.backbone, self.device, self.threads, str(output), self.regions)


def find_pairs(folder: Path, only: Collection[str] = ()) -> list[Pair]:
    """The pairs in a folder's folders, by name; of these `only` some.

    One that lacks its style is a pair all the same, for its failure to be seen. Raises ImageError if there
    are no pairs, SettingsError if `only` names one that is not there.
    """
    if not folder.is_dir():
        raise ImageError(f"There is no folder {folder}: check the name.")
    pairs = [_pair(path) for path in sorted(folder.iterdir()) if path.is_dir()]
    found = {pair.name: pair for pair in pairs if pair}
    if not found:
        raise ImageError(f"{folder} holds no pairs: each is a folder with content.png and style.png (or .jpg).")
    if missing := [name for name in only if name not in found]:
        raise SettingsError(f"{folder} has no pair {', '.join(missing)}; it has {', '.join(found)}.")
    return [pair for name, pair in found.items() if not only or name in only]


def _pair(folder: Path) -> Pair | None:
    roles = ("content", "style", "content_regions", "style_regions", "authors_result")
    found = {role: [p for p in (folder / f"{role}{end}" for end in _PHOTOGRAPHS) if p.is_file()] for role in roles}
    if not (found["content"] or found["style"]):
        return None
    files = {role: str(paths[0]) for role, paths in found.items() if paths}
    files |= {role: str(folder / f"{role}.png") for role in ("content", "style") if role not in files}
    if "authors_result" in files:
        files["published"] = files.pop("authors_result")
    return Pair(folder.name, files)


def run(plan: Plan, tell: Callable[[Row], None] = lambda row: None) -> dict[str, Any]:
    """Measure everything and report it; `tell` is given each row as it comes. Failures are rows with an `error`.

    The report, ready for JSON: `version`, `machine`, `threads`, `backbone`, `device`, `regions`, `settings` by recipe,
    `measures` (titles, directions), `rows` by pair and recipe, and the `summary` of `summarize`.
    """
    here = machine()
    with snapshot() as source, ThreadPoolExecutor(plan.jobs) as pool:
        code = {recipe: source_hash(source, recipe) for recipe in (*REFERENCES, *plan.recipes)}

        def do(pair: Pair, task: Task) -> Row:
            row: Row = {"pair": pair.name, "recipe": task.recipe}
            try:
                row |= _recall(task, key(task, code[task.recipe], here), lambda: spawn(task, source))
            except OSError as error:
                row |= {"error": f"{task.output} or its record cannot be written ({error.strerror}).", "reused": False}
            tell(row)
            return row

        futures = [pool.submit(do, *item) for item in plan.tasks()]
        try:
            rows = [future.result() for future in futures]
        except BaseException:  # also an interrupt: do not start what is still waiting
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return {
        "version": __version__,
        "machine": here,
        "threads": plan.threads,
        "backbone": plan.backbone,
        "device": plan.device,
        "regions": plan.regions,
        "settings": dict(plan.recipes),
        "measures": {name: asdict(figure) for name, figure in MEASURES.items()},
        "rows": rows,
        "summary": summarize(rows),
    }


def _recall(task: Task, wanted: dict[str, Any], compute: Callable[[], Row]) -> Row:
    """The row of a task from the record beside its result if that was made in the same way; else a new one."""
    result, record = Path(task.output), Path(task.output).with_suffix(".json")
    try:
        old = json.loads(record.read_text(encoding="utf-8"))
        if old["key"] == wanted and old["result"] == _sha256(result):
            return {**old["row"], "reused": True}
    except (OSError, ValueError, LookupError, TypeError):
        pass  # there is none, or none that can be read
    result.parent.mkdir(parents=True, exist_ok=True)
    row = compute()
    if not row.get("error"):
        text = json.dumps({"key": wanted, "result": _sha256(result), "row": row}, indent=2)
        record.write_text(text, encoding="utf-8")
    return {**row, "reused": False}


def key(task: Task, code: str, here: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that a row depends on. Times count too, so machine and threads belong to those of a recipe."""
    same: dict[str, Any] = {"version": __version__, "code": code, "recipe": task.recipe}
    same["inputs"] = {role: _sha256(Path(path)) for role, path in task.files.items()}
    if task.recipe not in REFERENCES:
        same |= {name: getattr(task, name) for name in ("settings", "backbone", "device", "threads", "regions")}
        same["machine"] = dict(here)
    fresh: dict[str, Any] = json.loads(json.dumps(same))  # as it will be read back
    return fresh


def _sha256(path: Path) -> str | None:
    """Of a file; None where there is none, or none that may be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
