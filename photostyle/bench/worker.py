"""Fresh processes for the tasks of a bench: what they run, on which code, on what machine."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from photostyle.bench.task import REFERENCES, Row, Task

_FACES = {"__main__", "batch", "cli", "studio", "video"}  # rooms that no result depends on
_MAKERS = {"_doodle", "_transfer", "descent", "looks", "recipes", "segment", "tables"}  # nor any measure on these


def spawn(task: Task, source: Path) -> Row:
    """`attempt` in a fresh process that imports photostyle from the folder `source`."""
    path = os.pathsep.join(filter(None, (str(source), os.environ.get("PYTHONPATH"))))
    done = subprocess.run(
        [sys.executable, "-P", "-m", "photostyle.bench.task"],
        input=json.dumps(asdict(task)),
        capture_output=True,
        text=True,
        env={"OMP_WAIT_POLICY": "PASSIVE", **os.environ, "PYTHONPATH": path},
        check=False,
    )
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        return {"error": f"The process was ended by {name}; SIGKILL often means that memory ran out."}
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or ["The process failed."])[-1]}
    row: Row = json.loads(done.stdout.splitlines()[-1])
    return row


@contextmanager
def snapshot() -> Iterator[Path]:
    """A folder with a copy of the package: who edits the code meanwhile does not mix two versions in one report."""
    package = Path(__file__).resolve().parents[1]
    with TemporaryDirectory(prefix="photostyle-bench-") as folder:
        shutil.copytree(package, Path(folder) / package.name, ignore=shutil.ignore_patterns("__pycache__", "examples"))
        yield Path(folder)


def source_hash(source: Path, recipe: str) -> str:
    """SHA-256 over what a row of this recipe (or reference) depends on in `source`/photostyle: modules, and numbers."""
    package, sha256 = source / "photostyle", hashlib.sha256()
    unused = _FACES | (_MAKERS if recipe in REFERENCES else set())
    for path in sorted(path for path in package.rglob("*") if path.suffix in (".py", ".safetensors")):
        name = path.relative_to(package).as_posix()
        unit = name.partition("/")[0].removesuffix(".py")
        if unit not in unused and (unit != "bench" or name == "bench/task.py"):
            sha256.update(f"{name}\0{len(path.read_bytes())}\0".encode() + path.read_bytes())
    return sha256.hexdigest()


def machine() -> dict[str, Any]:
    """What the times depend on."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        cpu = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        cpu = platform.processor() or platform.machine()
    gpu = {"gpu": torch.cuda.get_device_name()} if torch.cuda.is_available() else {}
    return {"cpu": cpu, "cores": cores(), "torch": torch.__version__, "python": platform.python_version(), **gpu}


def cores() -> int:
    """The processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
