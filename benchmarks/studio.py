"""Times the studio as its users meet it: the page in Chromium, the server a process of its own.

    python benchmarks/studio.py [EXAMPLE …]

Two photographs of an example, 1600 pixels long, are brought as files. From the second one to the first look (by colours
alone, before regions are found) and to the draft; from "Render full size" to the result; and beside it what the command
line takes for the same, a process from its start to its end. The first row is of a studio that has just been started;
the others are new sessions of the same one. Processor time is the server's, in seconds of all its threads. The default
weights must be in the cache: `photostyle weights fetch`. Needs Playwright and Chromium at /usr/bin/chromium, or at
PHOTOSTYLE_CHROMIUM.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
from browsing import studio_and_browser
from PIL import Image
from playwright.sync_api import Page
from timing import describe_machine, header, row

EXAMPLES = ("palace-night", "palace-night", "maple-autumn", "meadow-sunset")
ROOT = Path(__file__).parents[1] / "examples"
LONG_SIDE = 1600
SHOWN = "document.querySelector('#shown').textContent"
LOOK, DRAFT, RESULT = (
    f"{SHOWN}.startsWith({start!r})" for start in ("Draft · Colours", "Draft · Photograph", "Photograph")
)
RESTING = "document.querySelector('#stage').getAttribute('aria-busy') === 'false'"


class Watch:
    """Seconds on the clock and of the server's processor time since the last look."""

    def __init__(self, server: psutil.Process) -> None:
        self._server = server
        self._last = self._now()

    def _now(self) -> tuple[float, float]:
        spent = self._server.cpu_times()
        return time.perf_counter(), spent.user + spent.system

    def start(self) -> None:
        self._last = self._now()

    def lap(self) -> str:
        before, self._last = self._last, self._now()
        clock, processor = (now - then for now, then in zip(self._last, before, strict=True))
        return f"{clock:.1f} ({processor:.1f})"


def enlarged(example: str, folder: Path) -> list[Path]:
    """Both photographs of an example, `LONG_SIDE` long."""
    paths = []
    for name in ("content", "style"):
        with Image.open(ROOT / example / f"{name}.jpg") as picture:
            scale = LONG_SIDE / max(picture.size)
            paths.append(folder / f"{example}-{name}.jpg")
            picture.resize((round(picture.width * scale), round(picture.height * scale))).save(paths[-1], quality=95)
    return paths


def one(page: Page, address: str, photographs: list[Path], watch: Watch) -> list[str]:
    """All times of one new session."""
    page.goto(address)
    page.wait_for_selector("body[data-ready]")
    times = []

    def until(condition: str) -> None:
        page.wait_for_function(condition, timeout=300_000)
        times.append(watch.lap())

    page.set_input_files("[data-side=content] input[type=file]", photographs[0])
    page.wait_for_function("document.querySelector('[data-side=content] .name').textContent.includes('×')")
    watch.start()
    page.set_input_files("[data-side=style] input[type=file]", photographs[1])
    until(LOOK)
    until(DRAFT)
    page.wait_for_function(RESTING, timeout=300_000)
    watch.start()
    page.click("#render")
    until(RESULT)
    return times


def by_command(photographs: list[Path], folder: Path) -> str:
    """Seconds of `photostyle transfer` on the same."""
    began = time.perf_counter()
    words = [
        sys.executable,
        "-m",
        "photostyle",
        "transfer",
        *map(str, photographs),
        "-q",
        "-o",
        str(folder / "out.jpg"),
    ]
    subprocess.run(words, check=True)
    return f"{time.perf_counter() - began:.1f}"


def main() -> None:
    describe_machine()
    with studio_and_browser(["--disable-gpu"]) as (address, process, browser), TemporaryDirectory() as folder:
        watch = Watch(psutil.Process(process))
        header("seconds (of processor time)", "first look", "draft", "full size", "command line")
        for example in sys.argv[1:] or EXAMPLES:
            photographs = enlarged(example, Path(folder))
            page = browser.new_page(bypass_csp=True)  # in a new session
            row(example, *one(page, address, photographs, watch), by_command(photographs, Path(folder)))


if __name__ == "__main__":
    main()
