"""Regions of two photographs, found, told and doubted; and written down to look at and to correct."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from torch import Tensor

from photostyle import (
    Regions,
    doubtful_matches,
    find_device,
    find_regions,
    label_colors,
    save_image,
    save_regions,
)
from photostyle.files import check_files, keep_inputs, make_folder
from photostyle.image import resize
from photostyle.jobs.report import Report, have_weights, tell
from photostyle.jobs.sheet import contact_sheet, overlay
from photostyle.network.backbones import FINDERS
from photostyle.network.weights import Weights
from photostyle.regions.describe import describe
from photostyle.wording import json_bytes, percent

FILES = ("content_regions.png", "style_regions.png", "overlay.png", "regions.json")
"""What regions are written down in."""


def find(
    content: Tensor, style: Tensor, method: str, report: Report, *, device: str = "auto", **options: Any
) -> Regions:
    """`find_regions` with its `options`: its weights fetched, and its notes told."""
    if method == "auto":
        have_weights(report, *FINDERS)
    else:
        report.note("Regions by a model that names what it sees; it is fetched once if it is not here (241 MB) …")
    regions = find_regions(content, style, method, device=find_device(device), **options)  # type: ignore[arg-type]
    tell(regions.notes, report)
    if len(regions.names) > 1:
        tell_regions(content, style, regions, report)
    return regions


def tell_regions(content: Tensor, style: Tensor, regions: Regions, report: Report) -> None:
    """Which regions were matched: what each is of the two photographs, and how large."""
    content, style = resize(content, regions.content.shape[1:]), resize(style, regions.style.shape[1:])
    told = []
    for name, here, there, shares in zip(regions.names, regions.content, regions.style, regions.shares, strict=True):
        sides = (
            f"{percent(share)} of the {side} ({describe(image, mask)})"
            for side, image, mask, share in zip(
                ("content", "style"), (content, style), (here, there), shares, strict=True
            )
        )
        told.append(f"{name}: {', '.join(sides)}")
    report.note(f"Regions: {'; '.join(told)}.")


def doubt(content: Tensor, style: Tensor, regions: Regions, report: Report, network: Weights | None) -> tuple[str, ...]:
    """Tell which match of regions looks wrong; returns these doubts.

    `network` is what looks at them, as in `doubtful_matches`.
    """
    if len(regions.names) < 2:
        return ()
    doubts = doubtful_matches(content, style, regions, network)
    for doubt in doubts:
        report.note(f"Note: {doubt} If so, correct it with --match or --drop, paint it, or take --regions none.")
    return doubts


def check_folder(folder: Path, inputs: Collection[Path]) -> None:
    """Raise ImageError if `write_regions` could not write there, or would replace an input; touch nothing."""
    check_files(folder, FILES)
    keep_inputs([folder / name for name in FILES], inputs)


def write_regions(folder: Path, content: Tensor, style: Tensor, found: Regions, doubts: tuple[str, ...]) -> None:
    """Two label images, an overlay for the eye and what is known of the regions as JSON: the `FILES` of a folder.

    The images have the sizes of the photographs.
    """
    content_labels, style_labels, both, told = (folder / name for name in FILES)
    make_folder(folder)
    found = found.fit(content, style)
    save_regions(found, content_labels, style_labels)
    colors = label_colors(len(found.names) + 1)
    sides = {"content": overlay(content, found.content, colors), "style": overlay(style, found.style, colors)}
    shares = list(zip(found.names, found.shares, strict=True))
    figures = [(name, f"{percent(here)} / {percent(there)}", "of content and style") for name, (here, there) in shares]
    save_image(contact_sheet(sides, figures), both)
    facts = [
        {"name": name, "color": "#{:02x}{:02x}{:02x}".format(*color), "content": here, "style": there}
        for (name, (here, there)), color in zip(shares, colors, strict=False)
    ]
    text = json_bytes({"regions": facts, "one_look": found.one_look, "notes": [*found.notes, *doubts]}, indent=2)
    told.write_bytes(text + b"\n")
