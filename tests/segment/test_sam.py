"""SAM 2 as a segmenter: tiny random models really loaded from folders, asked as the library itself would be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from models import SIDE, save_sam
from torch import Tensor

from photostyle.segment import sam
from photostyle.segment.prompt import Prompt
from photostyle.segment.refine import refine_mask
from photostyle.segment.sam import Sam
from photostyle.segment.segmenter import load_segmenter

pytestmark = pytest.mark.usefixtures("offline")
Picture = Callable[..., Tensor]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model")
    save_sam(path)
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

    save_sam(tmp_path, "Sam2Video")
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
