"""What the tests of the studio's server share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # of an extra: the modules that ask the server are skipped where it is not installed
    from asking import Page
    from starlette.testclient import TestClient


@pytest.fixture
def client(small_network: object) -> Iterator[TestClient]:
    """A page of a running studio that takes small photographs only."""
    from starlette.testclient import TestClient

    from photostyle.studio.serve import studio
    from photostyle.studio.service import Limits

    with studio(limits=Limits(bytes=200_000, pixels=100_000)) as app, TestClient(app, "http://127.0.0.1") as page:
        yield page


@pytest.fixture
def page(client: TestClient) -> Page:
    """A session of it."""
    from asking import Page

    return Page(client)
