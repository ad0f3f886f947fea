"""Times the studio as its users meet it: the page in Chromium, the server a process of its own.

    python benchmarks/studio.py [EXAMPLE …]

From the click on an example to its regions, from the regions to the first draft on the stage, from a changed setting
to the next draft, and from "Render full size" to the result. The first row is of a studio that has just been started,
once it has answered; the others are new sessions of the same one. Processor time is the server's, in seconds of all
its threads. The default weights must be in the cache: `photostyle weights fetch`. Needs Playwright and Chromium at
/usr/bin/chromium, or at PHOTOSTYLE_CHROMIUM.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time

import psutil
from playwright.sync_api import Page, sync_playwright
from timing import describe_machine, header, row

EXAMPLES = ("palace-night", "palace-night", "maple-autumn", "meadow-sunset")
CHROMIUM = os.environ.get("PHOTOSTYLE_CHROMIUM", "/usr/bin/chromium")
REGIONS = "document.querySelector('#list li')"
SHOWN = "document.querySelector('#shown').textContent.startsWith({!r}) && document.querySelector('#after').complete"
DRAFT, RESULT = SHOWN.format("Shown: a draft"), SHOWN.format("Shown: photo")
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


def one(page: Page, address: str, example: str, watch: Watch) -> list[str]:
    """All times of one new session."""
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_selector("body[data-ready]")
    times = []

    def until(condition: str) -> None:
        page.wait_for_function(condition, timeout=300_000)
        times.append(watch.lap())

    picture = page.locator(f"#examples button:has(img[src*='{example}'])")
    picture.scroll_into_view_if_needed()
    watch.start()
    picture.click()
    until(REGIONS)
    until(DRAFT)
    page.wait_for_function(RESTING, timeout=300_000)
    page.focus("#balance")
    old = page.locator("#after").get_attribute("src")
    watch.start()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"document.querySelector('#after').getAttribute('src') !== {old!r}", timeout=300_000)
    until(f"{DRAFT} && {RESTING}")
    watch.start()
    page.click("#render")
    until(RESULT)
    return times


def main() -> None:
    describe_machine()
    words = [sys.executable, "-m", "photostyle", "studio", "--no-browser", "--port", "0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server, sync_playwright() as playwright:
        try:
            assert server.stdout
            found = re.search(r"http://\S+", server.stdout.readline())
            assert found, "The studio has told no address."
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
            page, watch = browser.new_page(bypass_csp=True), Watch(psutil.Process(server.pid))
            header("seconds (of processor time)", "regions", "first draft", "next draft", "full size")
            for example in sys.argv[1:] or EXAMPLES:
                row(example, *one(page, found[0], example, watch))
            browser.close()
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
