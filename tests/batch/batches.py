"""What the tests of batches share: settings that are soon done, plans, and what a journal says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from typer.testing import Result

from photostyle.batch.lines import read_lines
from photostyle.batch.plan import Task, plan

QUICK: dict[str, Any] = {"recipe": "reinhard", "regions": "none"}
QUICKLY = ("--recipe", "reinhard", "--regions", "none")
Batch = Callable[..., Result]


def records(tmp_path: Path, state: str, journal: str = "out/journal.jsonl") -> list[str]:
    """The outputs of the journal's records of one state."""
    lines = (tmp_path / journal).read_text(encoding="utf-8").splitlines()
    return [record["output"] for record in map(json.loads, lines) if record["state"] == state]


def planned(photos: Path, style: Path, out: Path, **options: Any) -> list[Task]:
    given = {"style": str(style), "options": QUICK} | options
    return plan(read_lines(str(photos), str(out)), str(out), **given)
