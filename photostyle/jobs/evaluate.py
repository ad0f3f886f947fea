"""How good a result is: the measures, and the demonstration that shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from torch import Tensor

from photostyle import Measures, Regions, load_image, load_weights, measure, save_image
from photostyle.files import make_folder
from photostyle.jobs.pair import Pair, example, load_seen
from photostyle.jobs.report import Report, Silence, have_weights
from photostyle.jobs.sheet import contact_sheet
from photostyle.jobs.transfer import Transfer
from photostyle.measures.figures import MEASURES

_JUDGE = "vgg16-hed"


def evaluate(pair: Pair, output: Path, report: Report) -> Measures:
    """The measures of the result of a pair in a file. Raises PhotostyleError."""
    loaded = pair.load(report)
    regions = loaded.seen()
    before, after = (photograph.filled(regions.content) for photograph in (loaded.photograph, load_seen(output)))
    return judge(before, loaded.styles[0], after, regions, report)


def judge(content: Tensor, style: Tensor, output: Tensor, regions: Regions, report: Report) -> Measures:
    """`measure`, with its weights."""
    have_weights(report, _JUDGE)
    return measure(content, style, output, regions, load_weights(_JUDGE))


def demonstrate(folder: Path, report: Report) -> tuple[str, Path]:
    """Transfer the example; returns a sentence about its picture, and the sheet that compares and measures it."""
    pair = example("palace-night")
    picture, sheet = folder / "demo.jpg", folder / "demo-sheet.png"
    make_folder(folder)
    sentence = Transfer(pair, picture).run(report)
    loaded = pair.load(Silence())
    content, style, result = loaded.photograph.opaque(), loaded.models[0].opaque(), load_image(picture)
    before, after = (asdict(judge(content, style, image, loaded.regions, report)) for image in (content, result))
    save_image(contact_sheet({"input": content, "style": style, "result": result}, _figures(before, after)), sheet)
    return sentence, sheet


def _figures(before: Mapping[str, float], after: Mapping[str, float]) -> list[tuple[str, str, str]]:
    return [
        (m.title, f"{after[name]:.3f}", f"input {before[name]:.3f}, {m.better} is better")
        for name, m in MEASURES.items()
    ]
