"""Models from a folder or the hub: whatever is wrong with one is a sentence, and nothing that comes with it is run."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from models import save_sam, save_segmenter

from photostyle.errors import RegionsError
from photostyle.segment import learned, sam
from photostyle.segment.hub import Kind, load_model

pytestmark = pytest.mark.usefixtures("offline")
FILES = ("config.json", "model.safetensors", "preprocessor_config.json")
KINDS = {"regions": (learned._KIND, save_segmenter), "selections": (sam._KIND, save_sam)}
PARTS = {learned._KIND: "decode_head.classifier", sam._KIND: "mask_decoder.iou_prediction_head"}


@pytest.fixture(scope="module", params=KINDS.values(), ids=KINDS)
def saved(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Kind, Path]:
    """A kind, and a folder with a model of it."""
    kind, save = request.param
    folder = tmp_path_factory.mktemp("model")
    save(folder)
    return kind, folder


@pytest.fixture
def kind(saved: tuple[Kind, Path]) -> Kind:
    return saved[0]


@pytest.fixture
def folder(saved: tuple[Kind, Path], tmp_path: Path) -> Path:
    """A copy of the model, to break."""
    return Path(shutil.copytree(saved[1], tmp_path / "model"))


@pytest.fixture
def refused(kind: Kind, folder: Path) -> Callable[..., str]:
    """`refused()`: what is said when the model of the folder, or of another name, is not to be had."""

    def load(model: str = str(folder)) -> str:
        with pytest.raises(RegionsError) as caught:
            load_model(kind, model, "cpu")
        assert "\n" not in str(caught.value) and kind.instead in str(caught.value)
        return str(caught.value)

    return load


def test_as_it_is_it_loads(kind: Kind, folder: Path) -> None:
    model = load_model(kind, str(folder), "cpu")
    assert not model.network.training and model.mean.shape == model.std.shape == (3, 1, 1)


@pytest.mark.parametrize("kind", [kind for kind, _ in KINDS.values()], ids=KINDS)
def test_without_transformers(monkeypatch: pytest.MonkeyPatch, kind: Kind) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(RegionsError, match=rf"^{kind.what} .*pip install 'photostyle\[learned\]', or {kind.instead}"):
        load_model(kind, kind.model, "cpu")


@pytest.mark.parametrize("model", ["the usual one", "no such name", "/no/such/folder"])
def test_out_of_reach(kind: Kind, refused: Callable[..., str], model: str) -> None:
    model = kind.model if model == "the usual one" else model
    said = refused(model)
    for part in (model, "within reach", ", ".join(FILES), "one folder"):
        assert part in said


@pytest.mark.parametrize("missing", FILES)
def test_a_folder_that_lacks_a_file(folder: Path, refused: Callable[..., str], missing: str) -> None:
    (folder / missing).unlink()
    assert f"lacks {missing}:" in refused()


def test_a_folder_of_nothing(tmp_path: Path, refused: Callable[..., str]) -> None:
    (tmp_path / "empty").mkdir()
    assert f"lacks {', '.join(FILES)}:" in refused(str(tmp_path / "empty"))


def test_damaged_weights(kind: Kind, folder: Path, refused: Callable[..., str]) -> None:
    (folder / "model.safetensors").write_bytes(b"PK")
    assert f"is not {kind.called}" in refused()


def test_pickled_weights_are_not_read(folder: Path, refused: Callable[..., str]) -> None:
    from safetensors.torch import load_file

    weights = folder / "model.safetensors"
    torch.save(load_file(weights), folder / "pytorch_model.bin")
    weights.unlink()
    assert "model.safetensors" in refused()


def test_broken_preprocessing(kind: Kind, folder: Path, refused: Callable[..., str]) -> None:
    (folder / "preprocessor_config.json").write_text('{"image_mean": [0.5], "image_std": [1, 1, 1]}')
    assert f"is not {kind.called}" in refused()


def test_a_model_of_another_kind(kind: Kind, tmp_path: Path, refused: Callable[..., str]) -> None:
    transformers = pytest.importorskip("transformers")
    config = transformers.ConvNextConfig(hidden_sizes=[8] * 4, depths=[1] * 4)
    transformers.ConvNextForImageClassification(config).save_pretrained(tmp_path / "other")
    (tmp_path / "other" / "preprocessor_config.json").write_text('{"image_mean": [0, 0, 0], "image_std": [1, 1, 1]}')
    assert re.search(f"is not {kind.called} that can be used", refused(str(tmp_path / "other")))


def test_weights_that_lack_a_part(kind: Kind, folder: Path, refused: Callable[..., str]) -> None:
    """Only another part was trained: the library would put noise there."""
    from safetensors.torch import load_file, save_file

    weights = folder / "model.safetensors"
    tensors = load_file(weights)
    kept = {name: tensor for name, tensor in tensors.items() if not name.startswith(PARTS[kind])}
    assert len(kept) < len(tensors)
    save_file(kept, weights, {"format": "pt"})
    assert f"lacks the weights {PARTS[kind]}" in refused()


def test_code_that_comes_with_a_model_is_not_run(kind: Kind, tmp_path: Path, folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "mine", "auto_map": {"AutoConfig": "mine.Config", "AutoModel": "mine.Model"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "mine.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    with suppress(RegionsError):  # SAM's class is known by its name, so it may load
        load_model(kind, str(folder), "cpu")
    assert not (tmp_path / "ran").exists()
