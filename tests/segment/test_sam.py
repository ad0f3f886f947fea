"""SAM 2 as a segmenter: tiny random models really loaded from folders, asked as the library itself would be."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from photostyle.errors import RegionsError
from photostyle.segment import sam
from photostyle.segment.prompt import Prompt
from photostyle.segment.refine import refine_mask
from photostyle.segment.sam import Sam
from photostyle.segment.segmenter import load_segmenter

Picture = Callable[..., Tensor]

SIDE = 64  # pixels, of the square that the little model sees


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No network, and an empty cache of the hub."""
    if find_spec("huggingface_hub"):
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))


def little(kind: str) -> Any:
    """A random model of few channels; the kind is Sam2, or Sam2Video as the weights on the hub are."""
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    backbone = transformers.Sam2HieraDetConfig(
        hidden_size=8,
        image_size=[SIDE, SIDE],
        blocks_per_stage=[1, 1, 2, 1],
        embed_dim_per_stage=[8, 16, 24, 32],
        num_attention_heads_per_stage=[1, 2, 2, 2],
        window_size_per_stage=[4, 4, 4, 4],
        global_attention_blocks=[3],
    )
    vision = transformers.Sam2VisionConfig(
        backbone_config=backbone,
        backbone_channel_list=[32, 24, 16, 8],
        backbone_feature_sizes=[[16, 16], [8, 8], [4, 4]],
        fpn_hidden_size=32,
    )
    config = getattr(transformers, f"{kind}Config")(
        vision_config=vision,
        prompt_encoder_config={"hidden_size": 32, "image_size": SIDE, "patch_size": 16, "mask_input_channels": 8},
        mask_decoder_config={
            "hidden_size": 32,
            "mlp_dim": 32,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "iou_head_hidden_dim": 16,
        },
    )
    model = getattr(transformers, f"{kind}Model")(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:  # large enough that image and points come through
                parameter.normal_(0, (2 / parameter[0].numel()) ** 0.5)
        places = model.shared_image_embedding.positional_embedding
        model.prompt_encoder.shared_embedding.positional_embedding.copy_(places)
    return model


def save_model(folder: Path, kind: str = "Sam2") -> Any:
    """A little model in a folder, as the hub's are; returns it."""
    model = little(kind)
    model.save_pretrained(folder)
    prepare = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
    (folder / "preprocessor_config.json").write_text(json.dumps(prepare))
    return model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model")
    save_model(path)
    return path


@pytest.fixture
def photograph(picture: Picture) -> Tensor:
    """As the model sees it: no resizing on the way."""
    return picture(SIDE, SIDE, dtype=torch.float32)


def asked(folder: Path, image: Tensor, multimask: bool, **prompt: Any) -> Any:
    """What the library itself answers: the photograph and the prompt in one go."""
    transformers = pytest.importorskip("transformers")
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    model = transformers.Sam2Model.from_pretrained(folder)
    with torch.no_grad():
        pixels = ((image - mean[:, None, None]) / std[:, None, None])[None]
        return model(pixel_values=pixels, multimask_output=multimask, **prompt)


def drawn(answer: Any, number: int, image: Tensor) -> Tensor:
    logits = F.interpolate(answer.pred_masks[:, 0], image.shape[1:], mode="bilinear", align_corners=False)[0, number]
    return refine_mask((logits > 0).float(), image)


def test_one_point_takes_the_mask_that_is_trusted_most(folder: Path, photograph: Tensor) -> None:
    answer = asked(folder, photograph, True, input_points=torch.tensor([[[[20.0, 9.0]]]]))
    assert answer.iou_scores.shape == (1, 1, 3)
    best = drawn(answer, int(answer.iou_scores.argmax()), photograph)
    assert 0.02 < best.mean() < 0.98
    mask = Sam(str(folder)).look(photograph)(Prompt(inside=[(20.5, 9.5)]))  # the middle of that pixel
    assert torch.equal(mask, best)


def test_more_than_one_point_asks_for_one_mask(folder: Path, photograph: Tensor) -> None:
    points = torch.tensor([[[[20.0, 9.0], [50.0, 40.0], [5.0, 60.0]]]])
    answer = asked(folder, photograph, False, input_points=points, input_labels=torch.tensor([[[1, 1, 0]]]))
    select = Sam(str(folder)).look(photograph)
    mask = select(Prompt(inside=[(20.5, 9.5), (50.5, 40.5)], outside=[(5.5, 60.5)]))
    assert torch.equal(mask, drawn(answer, 0, photograph))
    assert not torch.equal(mask, select(Prompt(inside=[(20.5, 9.5), (50.5, 40.5), (5.5, 60.5)])))


def test_a_box_with_and_without_points(folder: Path, photograph: Tensor) -> None:
    select = Sam(str(folder)).look(photograph)
    box = torch.tensor([[[9.0, 4.0, 40.0, 50.0]]])
    alone = asked(folder, photograph, False, input_boxes=box)
    assert torch.equal(select(Prompt(box=(9.5, 4.5, 40.5, 50.5))), drawn(alone, 0, photograph))
    both = asked(folder, photograph, False, input_boxes=box, input_points=torch.tensor([[[[20.0, 9.0]]]]))
    assert torch.equal(select(Prompt([(20.5, 9.5)], box=(9.5, 4.5, 40.5, 50.5))), drawn(both, 0, photograph))


def test_a_photograph_of_any_size_is_seen_as_a_square(folder: Path, picture: Picture) -> None:
    """The point is that of the same place."""
    image = picture(SIDE, SIDE, dtype=torch.float32)
    wide = image.repeat_interleave(3, dim=2).repeat_interleave(2, dim=1)
    select = Sam(str(folder)).look(wide)
    mask = select(Prompt(inside=[(60, 20)]))
    assert mask.shape == wide.shape[1:]
    placed = select._placed([(60, 20), (0, 0)])
    assert placed.tolist() == [[19.5, 9.5], [-0.5, -0.5]]


def test_a_photograph_is_encoded_once(folder: Path, photograph: Tensor) -> None:
    segmenter = Sam(str(folder))
    passes: list[int] = []
    segmenter._model.network.vision_encoder.register_forward_hook(lambda *_: passes.append(1))
    select = segmenter.look(photograph)
    masks = [select(Prompt(inside=[point])) for point in ((3, 3), (60, 60), (3, 3))]
    assert passes == [1]
    assert torch.equal(masks[0], masks[2])


def test_weights_for_video_as_on_the_hub(tmp_path: Path, photograph: Tensor) -> None:
    """What is for video alone is left; the places' matrix, which is there twice, may be there once."""
    from safetensors.torch import load_file, save_file

    save_model(tmp_path, "Sam2Video")
    prompt = Prompt(inside=[(20, 9), (50, 40)])
    mask = Sam(str(tmp_path)).look(photograph)(prompt)
    tensors = load_file(tmp_path / "model.safetensors")
    assert any(name.startswith("memory_") for name in tensors)
    for name in sam._KIND.spare:
        del tensors[name]
    save_file(tensors, tmp_path / "model.safetensors", {"format": "pt"})
    assert torch.equal(Sam(str(tmp_path)).look(photograph)(prompt), mask)


def test_the_front_door(folder: Path, photograph: Tensor, capfd: pytest.CaptureFixture[str]) -> None:
    prompt = Prompt(inside=[(20, 9)])
    mask = load_segmenter("learned", model=str(folder)).look(photograph)(prompt)
    assert torch.equal(mask, Sam(str(folder)).look(photograph)(prompt))
    assert capfd.readouterr() == ("", "")


# --- what goes wrong -----------------------------------------------------------------------------------


def test_without_transformers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(RegionsError, match=r"^Learned selections .*pip install 'photostyle\[learned\]'.*method wand"):
        Sam()


def test_out_of_reach() -> None:
    pytest.importorskip("transformers")
    with pytest.raises(RegionsError) as caught:
        Sam()
    for part in (sam.DEFAULT, "within reach", "config.json, model.safetensors", "one folder", "the method wand"):
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_of_nothing(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    with pytest.raises(RegionsError, match=r"lacks config\.json, model\.safetensors, preprocessor_config\.json"):
        Sam(str(tmp_path))


def test_a_model_of_another_kind(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    config = transformers.ConvNextConfig(hidden_sizes=[8] * 4, depths=[1] * 4)
    transformers.ConvNextForImageClassification(config).save_pretrained(tmp_path)
    (tmp_path / "preprocessor_config.json").write_text('{"image_mean": [0, 0, 0], "image_std": [1, 1, 1]}')
    with pytest.raises(RegionsError, match="is not a model of the kind SAM 2 that can be used"):
        Sam(str(tmp_path))


def test_weights_that_lack_a_part(tmp_path: Path, folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    for name in ("config.json", "preprocessor_config.json"):
        (tmp_path / name).write_text((folder / name).read_text())
    tensors = load_file(folder / "model.safetensors")
    kept = {name: tensor for name, tensor in tensors.items() if "iou_prediction_head" not in name}
    save_file(kept, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(RegionsError, match=r"lacks the weights mask_decoder\.iou_prediction_head"):
        Sam(str(tmp_path))
