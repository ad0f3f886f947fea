"""A cache of the test's own, and tiny networks of the real layouts in the table."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from original_files import Server, in_a_wheel, tiny, write_hed, write_keras
from plain_lite import STAGES, PlainLite

from photostyle.network import download
from photostyle.network.backbone import Backbone
from photostyle.network.backbones import BACKBONES, DEFAULT_BACKBONE


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own, still empty: the folder, once there is one. Downloads are tried again at once."""
    monkeypatch.setenv("PHOTOSTYLE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(download, "_PAUSE", 0.0)
    return tmp_path / "cache"


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.http.shutdown()
    server.http.server_close()
    thread.join()


@pytest.fixture
def keras(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> Backbone:
    """A tiny `vgg19` in the table, whose original the local server holds (and `tmp_path / "tiny.h5"`)."""
    original = tmp_path / "tiny.h5"
    write_keras(original)
    server.body = original.read_bytes()
    md5 = hashlib.md5(server.body).hexdigest()
    backbone = tiny("vgg19", origin=server.url, file="tiny.h5", digest=f"md5:{md5}")
    monkeypatch.setitem(BACKBONES, "vgg19", backbone)
    return backbone


@pytest.fixture
def hed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Backbone:
    """A tiny `vgg16-hed` in the table, whose wheel lies in the only place where pip may look."""
    original = tmp_path / "tiny-hed.h5"
    write_hed(original)
    return in_a_wheel(tiny(DEFAULT_BACKBONE), original, monkeypatch)


@pytest.fixture
def lite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Backbone:
    """A tiny `efficientnet-lite2` in the same way."""
    original = tmp_path / "tiny-lite.pth"
    torch.save(PlainLite().state_dict(), original)
    return in_a_wheel(replace(BACKBONES["efficientnet-lite2"], stages=STAGES), original, monkeypatch)
