"""The studio's server asked as its page asks it."""

from __future__ import annotations

import io
import time
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("fastapi", reason="the extra studio is not installed")
from starlette.testclient import TestClient

from photostyle.regions.palette import PALETTE


class Page:
    """One session of a client."""

    def __init__(self, client: TestClient) -> None:
        self.client = client
        self.id: str = client.post("/api/sessions").json()["id"]

    def ask(self, method: str, path: str, status: int = 200, **body: Any) -> Any:
        answer = self.client.request(method, f"/api/sessions/{self.id}{path}", **body)
        assert answer.status_code == status, answer.text
        is_json = answer.content and answer.headers.get("content-type") == "application/json"
        return answer.json() if is_json else answer.content

    def done(self, job: dict[str, Any], state: str = "done") -> dict[str, Any]:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            facts: dict[str, Any] = self.ask("GET", f"/jobs/{job['id']}")
            if facts["state"] not in ("waiting", "running"):
                assert facts["state"] == state, facts
                return facts
            time.sleep(0.02)
        raise AssertionError("the job does not end")


def file(seed: int = 0, size: tuple[int, int] = (72, 48), format: str = "PNG", **options: Any) -> bytes:
    """A photograph of two flat halves with some grain."""
    width, height = size
    pixels = np.random.default_rng(seed).integers(0, 30, (height, width, 3)).astype(np.uint8)
    pixels[: height // 2] += np.array([40 * (seed + 1), 90, 200], np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format, **options)
    return buffer.getvalue()


def halves(top: str, bottom: str, size: tuple[int, int] = (72, 48)) -> bytes:
    """A label image of two halves."""
    image = Image.new("RGB", size, PALETTE[bottom])
    image.paste(PALETTE[top], (0, 0, size[0], size[1] // 2))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def both(page: Page) -> None:
    for seed, side in enumerate(("content", "style")):
        page.ask("PUT", f"/photographs/{side}?name={side}.png", content=file(seed))


def painted(page: Page) -> None:
    both(page)
    for side in ("content", "style"):
        page.ask("PUT", f"/regions/{side}.png", 204, content=halves("blue", "green"))
    regions = [{"color": color, "name": color, "model": color} for color in ("blue", "green")]
    page.ask("PUT", "/regions", json=regions)
