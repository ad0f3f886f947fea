"""Which segmenter answers to points: the front door of `wand` and `sam`."""

from __future__ import annotations

from typing import Literal, get_args

import torch

from photostyle.errors import SettingsError
from photostyle.segment.prompt import Segmenter
from photostyle.segment.sam import DEFAULT as DEFAULT_SAM
from photostyle.segment.sam import Sam
from photostyle.segment.wand import Wand

Pointing = Literal["wand", "learned"]


def load_segmenter(
    method: Pointing = "wand", *, model: str = DEFAULT_SAM, device: torch.device | str = "cpu"
) -> Segmenter:
    """What can be asked for the things that one points at in photographs.

    wand: what hangs together, by the default network's edges and features (`Wand`). learned: by a `model` of the kind
    SAM 2 (`Sam`), a name on the hub or a folder. `look` takes a photograph, 3×H×W, and what it returns takes prompts
    and gives masks, H×W in [0, 1]:

        selector = load_segmenter().look(load_image("day.jpg"))
        mask = selector(Prompt(inside=[(400, 120)], outside=[(90, 300)]))

    Raises SettingsError for an unknown method, WeightsError if the network's weights cannot be had, RegionsError if the
    model cannot be had or used.
    """
    if method not in get_args(Pointing):
        raise SettingsError(f"The methods of selecting are {', '.join(get_args(Pointing))}, not {method!r}.")
    return Sam(model, device) if method == "learned" else Wand(device=device)
