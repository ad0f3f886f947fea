"""A label image of what is pointed at in a photograph, from file to file."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from photostyle import (
    DEFAULT_BACKBONE,
    PALETTE,
    Prompt,
    RegionsError,
    SettingsError,
    find_device,
    load_segmenter,
)
from photostyle.files import check_target, keep_inputs, write_whole
from photostyle.jobs import memory
from photostyle.jobs.pair import load_seen
from photostyle.jobs.report import Report, have_weights, tell
from photostyle.regions.describe import describe
from photostyle.wording import percent

MOST = 8  # regions, each in a colour of the paper, and one more colour for the rest


@dataclass(frozen=True)
class Select:
    """A region for each prompt, written as the label image `output`; what no prompt means is one more region.

    `options` are those of `load_segmenter`.
    """

    photograph: Path
    output: Path
    prompts: Sequence[Prompt]
    method: Any = "wand"
    options: dict[str, Any] | None = None
    device: str = "auto"

    @memory.explained()
    def run(self, report: Report) -> str:
        """Do it, and return a sentence about the file. Raises PhotostyleError."""
        if len(self.prompts) > MOST:
            raise SettingsError(f"A label image is made of at most {MOST} regions; these are {len(self.prompts)}.")
        keep_inputs([self.output], [self.photograph])
        check_target(self.output, [".png"])
        place = find_device(self.device)
        taken = load_seen(self.photograph)
        tell(taken.notes, report)
        image = taken.filled()
        for prompt in self.prompts:  # before the long work
            prompt.check(image.shape[1:])
        memory.check_room("regions", image.shape[1:], place)
        if self.method == "wand":
            have_weights(report, DEFAULT_BACKBONE)
        else:
            report.note("Selecting by a model of the kind SAM 2; it is fetched once if it is not here (156 MB) …")
        select = load_segmenter(self.method, device=place, **self.options or {}).look(image)
        labels = _laid([select(prompt) for prompt in self.prompts])
        buffer = io.BytesIO()
        Image.fromarray(np.array(list(PALETTE.values()), np.uint8)[labels.numpy()]).save(buffer, "PNG")
        write_whole(self.output, buffer.getvalue())
        return f"Wrote {self.output}: {_told(image, labels, len(self.prompts))}."


def read_prompt(text: str) -> Prompt:
    """What a text points at: points as x,y, each after `not` if it is outside, and `box` left,top,right,bottom.

    >>> read_prompt("400,120 not 90,300")
    Prompt(inside=((400.0, 120.0),), outside=((90.0, 300.0),), box=None)

    Raises SettingsError if it cannot be read.
    """
    inside, outside, box = [], [], None
    words = iter(text.split())
    for word in words:
        if word == "not":
            outside.append(_numbers(next(words, ""), 2, text))
        elif word == "box" and box is None:
            box = _numbers(next(words, ""), 4, text)
        else:
            inside.append(_numbers(word, 2, text))
    return Prompt(tuple(inside), tuple(outside), box)


def _numbers(word: str, count: int, text: str) -> Any:
    try:
        numbers = tuple(float(part) for part in word.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) != count:
        raise SettingsError(
            f"The region {text!r} cannot be read: write points as x,y with a space between them, not x,y for a point "
            "outside of it, and box left,top,right,bottom for a box around it."
        )
    return numbers


def _laid(masks: Sequence[Tensor]) -> Tensor:
    """Masks H×W → labels H×W: the last mask that has a pixel, and their number where none has it."""
    labels = torch.full(masks[0].shape, len(masks))
    for k, mask in enumerate(masks):
        labels[mask.cpu() >= 0.5] = k
    for k in range(len(masks)):
        if not (labels == k).any():
            raise RegionsError(f"Nothing is left of region {k + 1}: point at something else, or leave it out.")
    return labels


def _told(image: Tensor, labels: Tensor, count: int) -> str:
    names = list(PALETTE)
    masks = [(labels == k).float() for k in range(count + 1)]
    regions = [
        f"{name}, {percent(float(mask.mean()))} ({describe(image, mask)})"
        for name, mask in zip(names, masks[:-1], strict=False)
    ]
    return "; ".join([*regions, f"{names[count]}, the rest, {percent(float(masks[-1].mean()))}"])
