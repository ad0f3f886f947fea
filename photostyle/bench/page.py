"""The results of a bench as one HTML page that needs nothing but itself."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from photostyle import ImageError, fit_size, load_image, resize
from photostyle.bench.run import Pair
from photostyle.bench.summary import COSTS, FIGURES, winners
from photostyle.bench.task import REFERENCES, Row
from photostyle.measures.figures import MEASURES

_LONG_SIDE, _QUALITY = 480, 85  # of the pictures: pixels, JPEG
_TEMPLATE = Path(__file__).with_name("page.html")


def page(results: Mapping[str, Any], pairs: Sequence[Pair], output: Path) -> str:
    """The page for a report of `run` (and the `command` that made it): pictures come from the pairs' files
    and from `output`, 480 px on their long side."""
    rows: list[Row] = results["rows"]
    won, wanted = winners(rows), [recipe for recipe in results["settings"] if recipe not in REFERENCES]
    sections = "\n".join(
        _section(pair, [row for row in rows if row["pair"] == pair.name], _pictures(pair, wanted, output), won)
        for pair in pairs
    )
    machine = results["machine"]
    where = f"{machine['cpu']}, {machine['cores']} cores, threads per process: {results['threads']}"
    facts = (
        f"photostyle {results['version']}, {results['backbone']}, {where}, "
        f"PyTorch {machine['torch']}, Python {machine['python']}"
    )
    return (
        _TEMPLATE.read_text(encoding="utf-8")
        .replace("{{facts}}", escape(facts))
        .replace("{{command}}", escape(results.get("command", "")))
        .replace("{{summary}}", _summary(results["summary"]))
        .replace("{{pairs}}", sections)
    )


def _pictures(pair: Pair, recipes: Sequence[str], output: Path) -> dict[str, str]:
    """Title → data URI of all pictures of a pair that can be read."""
    roles: tuple[str, ...] = ("content", "style", "published")
    paths = {role: Path(pair.files[role]) for role in roles if role in pair.files}
    paths |= {recipe: output / recipe / f"{pair.name}.png" for recipe in recipes}
    pictures = {}
    for title, path in paths.items():
        try:
            pictures[title] = thumbnail(path)
        except ImageError:
            continue  # the table says why
    return pictures


def thumbnail(path: str | Path) -> str:
    """A photograph, at most 480 px on its long side, as a data URI. Raises ImageError if it cannot be read."""
    image = load_image(path)
    image = resize(image, fit_size(image.shape[1], image.shape[2], _LONG_SIDE))
    levels = image.mul(255).round().to(torch.uint8).permute(1, 2, 0).contiguous().numpy()
    buffer = io.BytesIO()
    Image.fromarray(levels).save(buffer, "JPEG", quality=_QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _section(pair: Pair, rows: Sequence[Row], pictures: Mapping[str, str], won: set[tuple[str, str, str]]) -> str:
    """One pair: its slider, its pictures and its figures."""
    name = escape(pair.name)
    figures = "".join(
        f'<figure><img src="{uri}" alt="{escape(title)} of pair {name}" data-title="{escape(title)}">'
        f"<figcaption>{escape(title)}</figcaption></figure>"
        for title, uri in pictures.items()
    )
    body = []
    for row in rows:
        if row.get("error"):
            cells = f'<td class="error" colspan="{len(FIGURES)}">{escape(row["error"])}</td>'
        else:
            cells = "".join(
                _cell(figure.show(row.get(key)), (row["pair"], row["recipe"], key) in won)
                for key, figure in FIGURES.items()
            )
        body.append(f'<tr><th scope="row">{escape(row["recipe"])}</th>{cells}</tr>')
    return (
        f'<section id="pair-{name}"><h2>{name}</h2><div class="compare" hidden></div>'
        f'<div class="pictures">{figures}</div>{_table(("recipe",), body)}</section>'
    )


def _summary(summary: Mapping[str, Any]) -> str:
    """Mean, median and wins of every recipe."""
    body = []
    for kind in ("mean", "median"):
        for recipe, facts in summary.items():
            cells = "".join(_cell(figure.show(facts[kind].get(key))) for key, figure in FIGURES.items())
            body.append(f'<tr><th scope="row">{kind}</th><td class="name">{escape(recipe)}</td>{cells}</tr>')
    for recipe, facts in summary.items():
        if of := facts.get("compared"):
            cells = "".join(_cell(f"{n} of {of}", 2 * n > of) for n in facts["wins"].values())
            cells += f'<td colspan="{len(COSTS)}"></td>'
            body.append(f'<tr><th scope="row">wins</th><td class="name">{escape(recipe)}</td>{cells}</tr>')
    return _table(("", "recipe"), body)


def _table(head: Sequence[str], body: Sequence[str]) -> str:
    titles = [*head, *(f"{f.title} {f.arrow}" for f in MEASURES.values()), *(f.title for f in COSTS.values())]
    heads = "".join(f'<th scope="col">{title}</th>' for title in titles)
    return f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody>{"".join(body)}</tbody></table></div>'


def _cell(text: str, won: bool = False) -> str:
    return f'<td class="won">{text} ✓</td>' if won else f"<td>{text}</td>"
