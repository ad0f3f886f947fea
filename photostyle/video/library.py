"""PyAV, which only clips need: an extra. Every module here takes it from this one."""

from __future__ import annotations

import os

from photostyle.errors import SettingsError

# SVT-AV1 writes its settings to stderr, past FFmpeg's own log, unless told not to
os.environ.setdefault("SVT_LOG", "1")

try:
    import av
    from av.filter import Graph
    from av.stream import Disposition
except ImportError as error:
    raise SettingsError("Clips need PyAV: `pip install 'photostyle[video]'`.") from error

__all__ = ["Disposition", "Graph", "av", "why"]


def why(error: Exception) -> str:
    """FFmpeg's own words for what went wrong."""
    return str(getattr(error, "strerror", None) or error).rstrip(".")
