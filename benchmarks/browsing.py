"""A studio of its own and a browser, for what is timed in the page."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

CHROMIUM = os.environ.get("PHOTOSTYLE_CHROMIUM", "/usr/bin/chromium")


@contextmanager
def studio_and_browser(graphics: Sequence[str]) -> Iterator[tuple[str, int, Browser]]:
    """The address of a studio that has just been started, its process by number, and Chromium with this `graphics`."""
    words = [sys.executable, "-m", "photostyle", "studio", "--no-browser", "--port", "0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server, sync_playwright() as playwright:
        try:
            assert server.stdout
            found = re.search(r"http://\S+", server.stdout.readline())
            assert found, "The studio has told no address."
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *graphics])
            yield found[0], server.pid, browser
            browser.close()
        finally:
            server.terminate()
