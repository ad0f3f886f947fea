"""Clicks on photographs: what was looked at once answers all that follow."""

from __future__ import annotations

import threading
from collections import OrderedDict

from torch import Tensor

from photostyle import DEFAULT_BACKBONE, Prompt, find_device, load_segmenter
from photostyle.segment.prompt import Segmenter, Selector
from photostyle.studio.picture import Picture

_MOST = 8  # photographs whose looks are kept: tens of megabytes each


class Selecting:
    """Answers clicks by a segmenter, or by the wand if there is none, which is loaded with the first click."""

    def __init__(self, segmenter: Segmenter | None = None) -> None:
        self.is_learned = segmenter is not None
        self._segmenter = segmenter
        self._selectors: OrderedDict[str, Selector] = OrderedDict()  # by photograph, the last used at the end
        self._looking = threading.Lock()

    @property
    def networks(self) -> tuple[str, ...]:
        """The names of those that have to be there before it can answer."""
        return () if self._segmenter else (DEFAULT_BACKBONE,)

    def select(self, picture: Picture, prompt: Prompt) -> Tensor:
        """How much of each pixel of the small photograph is meant, h×w. Raises PhotostyleError."""
        prompt.check(picture.small.shape[1:])
        return self._look(picture)(prompt)

    def _look(self, picture: Picture) -> Selector:
        with self._looking:
            if picture.id not in self._selectors:
                if self._segmenter is None:
                    self._segmenter = load_segmenter(device=find_device("auto"))
                self._selectors[picture.id] = self._segmenter.look(picture.small)
                while len(self._selectors) > _MOST:
                    self._selectors.popitem(last=False)
            self._selectors.move_to_end(picture.id)
            return self._selectors[picture.id]
