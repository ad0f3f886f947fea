"""What the rows of a bench say together: means, medians, and who is ahead of the published results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean, median
from typing import Any

from photostyle.bench.task import Row
from photostyle.measures.figures import MEASURES, Figure

COSTS = {
    "seconds": Figure("seconds", "lower", 2),
    "cpu_seconds": Figure("CPU s", "lower", 2),
    "peak_memory_mb": Figure("peak MB", "lower", 0),
}
FIGURES = MEASURES | COSTS


def summarize(rows: Sequence[Row]) -> dict[str, Any]:
    """Per recipe: how many `pairs` were measured, `mean` and `median` of every figure, and per measure the
    `wins` and `losses` against the published result in the `compared` pairs that have one.

    A recipe that failed on some pair is averaged over the others, as `pairs` tells.
    """
    good = [row for row in rows if not row.get("error")]
    published = {row["pair"]: row for row in good if row["recipe"] == "published"}
    summary: dict[str, Any] = {}
    for recipe in dict.fromkeys(row["recipe"] for row in good):
        own = [row for row in good if row["recipe"] == recipe]
        values = {name: [row[name] for row in own if row.get(name) is not None] for name in FIGURES}
        summary[recipe] = {
            "pairs": len(own),
            "mean": {name: fmean(v) for name, v in values.items() if v},
            "median": {name: median(v) for name, v in values.items() if v},
        }
        if recipe != "published":
            duels = [(row, published[row["pair"]]) for row in own if row["pair"] in published]
            summary[recipe] |= {
                "compared": len(duels),
                "wins": {name: _count(f.wins(a[name], b[name]) for a, b in duels) for name, f in MEASURES.items()},
                "losses": {name: _count(f.wins(b[name], a[name]) for a, b in duels) for name, f in MEASURES.items()},
            }
    return summary


def winners(rows: Sequence[Row]) -> set[tuple[str, str, str]]:
    """(pair, recipe, measure) wherever a result is ahead of the published one."""
    published = {row["pair"]: row for row in rows if row["recipe"] == "published" and not row.get("error")}
    return {
        (row["pair"], row["recipe"], name)
        for row in rows
        if row["pair"] in published and not row.get("error")
        for name, figure in MEASURES.items()
        if figure.wins(row[name], published[row["pair"]][name])
    }


def _count(flags: Iterable[bool]) -> int:
    return sum(flags)
