"""What the tests of the page share: one browser, and one studio for all tests of a module; each starts with nothing.

Playwright keeps a loop running in its thread as long as it lives, so a browser is not for more than a module.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

if TYPE_CHECKING:  # they are extras: the modules that drive the page are skipped where these are not installed
    from driving import Server
    from playwright.sync_api import Browser, BrowserContext, Page


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from driving import chromium

    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def remembering(shared_network: Path) -> Iterator[None]:
    """Many tests begin with the same two photographs: a studio finds regions and looks of these once."""
    from remembered import remembered, replayed

    from photostyle.studio import making

    with pytest.MonkeyPatch.context() as patch:
        for name, keep in (("find_regions", remembered), ("maps_steps", replayed)):
            patch.setattr(making, name, keep(getattr(making, name)))
        yield


@pytest.fixture(scope="module")
def server(remembering: None) -> Iterator[Server]:
    """A running studio that takes small photographs only; what is clicked is a disc."""
    from driving import serving
    from pointing import Discs

    from photostyle.studio.service import Limits

    with serving(limits=Limits(bytes=300_000, pixels=1_500_000), segmenter=Discs()) as started:
        yield started


@pytest.fixture(scope="module")
def shared_window(browser: Browser) -> Iterator[BrowserContext]:
    """It keeps the page's files, so that they are fetched once."""
    from driving import window

    made = window(browser)
    yield made
    made.close()


@pytest.fixture
def context(shared_window: BrowserContext, server: Server) -> Iterator[BrowserContext]:
    """Its pages may raise no error and ask no other host. Nothing is kept from one test to the next."""
    from driving import forget, watched

    with watched(shared_window, server):
        yield shared_window
        forget(shared_window, server)


@pytest.fixture
def page(context: BrowserContext, server: Server) -> Page:
    from driving import opened

    return opened(context, server)


@pytest.fixture
def photographs(tmp_path: Path) -> tuple[Path, Path]:
    """Two landscapes of 96×64 pixels: sky over ground, by day and by night."""
    paths = (tmp_path / "day.jpg", tmp_path / "night.jpg")
    for seed, (path, sky, ground) in enumerate(
        zip(paths, ((150, 190, 240), (20, 20, 70)), ((90, 120, 50), (120, 70, 20)), strict=True)
    ):
        pixels = np.random.default_rng(seed).integers(0, 14, (64, 96, 3))
        pixels[:30] += np.array(sky)
        pixels[30:] += np.array(ground)
        exif = Image.Exif()
        exif[0x010E] = "day" if seed == 0 else "night"
        Image.fromarray(pixels.astype(np.uint8)).save(path, quality=95, exif=exif)
    return paths
