"""Everything photostyle raises on purpose.

PhotostyleError            one sentence: what is wrong and what to do
├── ImageError             a photograph, a clip or a look cannot be read, used or written
├── FileError              a journal or a list of jobs cannot be read or written
├── RegionsError           label images that do not fit the photographs or each other
├── WeightsError           network weights that are missing, damaged or out of reach
├── SettingsError          an unknown recipe, backbone or device, or a setting outside its range
└── DescentError           the energy stopped being a number; carries the last good image
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


class PhotostyleError(Exception):
    """Base of all errors that a user can understand and mend."""


class ImageError(PhotostyleError):
    """A photograph, a clip or a look cannot be read, used or written."""


class FileError(PhotostyleError):
    """A file that holds no picture, as a journal or a list of jobs, cannot be read or written."""


class RegionsError(PhotostyleError):
    """Label images do not fit the photographs or each other."""


class WeightsError(PhotostyleError):
    """Network weights are missing, damaged or out of reach."""


class SettingsError(PhotostyleError):
    """An unknown recipe, backbone or device, or a setting outside its range."""


class DescentError(PhotostyleError):
    """The energy became NaN or infinite.

    `image` is the last image (3×H×W, sRGB) whose energy was finite, or None if there was none.
    """

    def __init__(self, message: str, image: Tensor | None = None) -> None:
        super().__init__(message)
        self.image = image


def is_shortage(error: Exception) -> bool:
    """Whether memory ran out: PyTorch says so of a graphics card in an error of its own, of a processor in words."""
    words = ("out of memory", "can't allocate memory", "not enough memory")
    return isinstance(error, MemoryError) or any(word in str(error) for word in words)
