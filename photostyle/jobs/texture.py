"""One texture from file to file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import torch

from photostyle import __version__, check_writable, save_photograph, texture_steps
from photostyle.errors import SettingsError
from photostyle.files import keep_inputs
from photostyle.jobs import memory
from photostyle.jobs.pair import load_seen
from photostyle.jobs.report import Report, tell
from photostyle.synthesis.octaves import SIDE
from photostyle.synthesis.texture import STRIDE


@dataclass(frozen=True)
class Texture:
    """More of a `sample`, `width`×`height` pixels of it, into `output`; one that is `tileable` closes over its borders.

    `saving` holds options of `save_photograph`.
    """

    sample: Path
    output: Path
    width: int
    height: int
    tileable: bool = False
    seed: int = 0
    saving: Mapping[str, Any] = field(default_factory=dict)

    @memory.explained()
    def run(self, report: Report) -> str:
        """Do it, and return a sentence about the file. Raises PhotostyleError, before any work if it can be known."""
        began = monotonic()
        if min(self.width, self.height) < SIDE:
            raise SettingsError(f"size must be at least {SIDE} pixels on each side.")
        if self.tileable and (self.width % STRIDE or self.height % STRIDE):
            raise SettingsError(
                f"size is {self.width}x{self.height}, but for --tileable both must be multiples of {STRIDE}."
            )
        check_writable(self.output)
        keep_inputs([self.output], [self.sample])
        taken = load_seen(self.sample)
        tell(taken.notes, report)
        size = self.height, self.width
        memory.check_room("texture", size, torch.device("cpu"))
        result = report.follow(texture_steps(taken.filled(), size, tileable=self.tileable, seed=self.seed))
        note = {
            "sample": self.sample.name,  # without its folder: the picture may be shown to others
            "tileable": self.tileable,
            "seed": self.seed,
            "version": __version__,
        }
        tell(save_photograph(result, self.output, note=note, **self.saving), report)
        return f"Wrote {self.output}: {self.width}×{self.height} pixels in {monotonic() - began:.1f} s."
