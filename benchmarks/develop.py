"""Times a slider of the look in the studio's page: from its move to the picture.

    python benchmarks/develop.py [--gpu]

A photograph of 24 megapixels is shown as a whole in a window of 1440×900. A slider moves step by step, as fast as the
picture follows: the time of a step goes from the event to the end of drawing. `pixels` says of how many pixels of the
canvas one is drawn while the slider moves; after it all are. The first rows are of WebGL, by the processor unless with
--gpu; the last of the page without WebGL. The default weights must be in the cache: `photostyle weights fetch`. Needs
Playwright and Chromium at /usr/bin/chromium, or at PHOTOSTYLE_CHROMIUM.
"""

from __future__ import annotations

import io
import statistics
import sys
from pathlib import Path

from browsing import studio_and_browser
from PIL import Image
from playwright.sync_api import Browser, Page
from timing import describe_machine, header, row

EXAMPLE = Path(__file__).parents[1] / "examples" / "palace-night"
SIZE = (6000, 4000)
STEPS = 40
SOFTWARE = ["--disable-gpu", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
WITHOUT_WEBGL = """
const own = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
  return kind === "webgl2" ? null : own.call(this, kind, ...rest);
};
"""
MOVE = """async ([selector, from, to, steps]) => {
  const canvas = document.querySelector("#developed"), input = document.querySelector(selector);
  const drawn = () => new Promise((done) => {
    const look = () => (canvas.dataset.drawn ? done(+canvas.dataset.drawn) : setTimeout(look, 1));
    look();
  });
  const times = [];
  let stride = 1;
  for (let k = 0; k < steps; k++) {
    input.value = from + ((to - from) * k) / steps;
    const began = performance.now();
    input.dispatchEvent(new Event("input", { bubbles: true }));
    stride = await drawn();
    times.push(performance.now() - began);
  }
  return [times, stride, canvas.width, canvas.height];
}"""


def photograph(path: Path) -> bytes:
    """The photograph, enlarged to 24 megapixels."""
    buffer = io.BytesIO()
    with Image.open(path) as file:
        file.resize(SIZE, Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def session(page: Page, address: str) -> str:
    """A session with a finished look of two regions on the large photograph."""
    ask = page.request
    id: str = ask.post(f"{address}api/sessions").json()["id"]
    base = f"{address}api/sessions/{id}"
    ask.put(f"{base}/photographs/content?name=day.jpg", data=photograph(EXAMPLE / "content.jpg"), timeout=300_000)
    ask.put(f"{base}/photographs/style?name=night.jpg", data=(EXAMPLE / "style.jpg").read_bytes())
    for wish in ("find?count=2", "render"):
        job = ask.post(f"{base}/{wish}", data={"quality": "draft"}).json()
        while job["state"] in ("waiting", "running"):
            page.wait_for_timeout(200)
            job = ask.get(f"{base}/jobs/{job['id']}").json()
        assert job["state"] == "done", job
    return id


def measure(browser: Browser, address: str, id: str, script: str, name: str) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 900}, bypass_csp=True)
    page.set_default_timeout(300_000)
    if script:
        page.add_init_script(script)
    page.goto(f"{address}#session={id}")
    page.wait_for_function("document.querySelector('#developed')?.dataset.drawn === '1'")
    for slider, low, high in (("#strength", 20, 100), ("#adjust-exposure", -1, 1)):
        times, stride, width, height = page.evaluate(MOVE, [slider, low, high, STEPS])
        times.sort()
        row(
            f"{name}, {slider.split('-')[-1].strip('#')}",
            f"{statistics.median(times):.0f}",
            f"{times[round(0.95 * len(times)) - 1]:.0f}",
            f"1 of {stride**2} of {width}×{height}",
        )
        page.wait_for_function("document.querySelector('#developed').dataset.drawn === '1'")
    page.close()


def main() -> None:
    describe_machine()
    with studio_and_browser([] if "--gpu" in sys.argv else SOFTWARE) as (address, _, browser):
        id = session(browser.new_page(), address)
        header("milliseconds from slider to picture", "median", "95 %", "pixels")
        measure(browser, address, id, "", "WebGL")
        measure(browser, address, id, WITHOUT_WEBGL, "no WebGL")


if __name__ == "__main__":
    main()
