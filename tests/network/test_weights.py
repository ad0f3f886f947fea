"""Weights: the table of networks, and a cache that survives anything."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest
import torch
from original_files import Server, assert_clean, assert_converted, flip_last_byte, shapes_by_hand, tiny

from photostyle.errors import WeightsError
from photostyle.network import weights
from photostyle.network.backbone import Backbone
from photostyle.network.backbones import BACKBONES, DEFAULT_BACKBONE, DEFAULTS, SCENE_BACKBONE
from photostyle.network.vggs import VGGS

pytestmark = pytest.mark.usefixtures("cache")


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
