"""Learned regions: tiny models really loaded from folders, classes merged by the table, no label without a partner."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from models import FIVE, ramp, save_segmenter
from torch import Tensor

from photostyle.errors import RegionsError
from photostyle.regions.regions import Regions
from photostyle.segment import learned
from photostyle.segment.learned import GROUPS, segment_learned

pytestmark = pytest.mark.usefixtures("offline")
Picture = Callable[..., Tensor]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model")
    save_segmenter(path)
    return path


def painted(rows: list[str], names: str, confidence: float = 0.9) -> Tensor:
    """A drawing of one letter per pixel → G×h×w probabilities; the rest goes to the next name in line."""
    P = torch.zeros(len(names), len(rows), len(rows[0]))
    for y, row in enumerate(rows):
        for x, letter in enumerate(row):
            P[names.index(letter), y, x] = confidence
            P[(names.index(letter) + 1) % len(names), y, x] += 1 - confidence
    return P


def paired(
    content: list[str], style: list[str], names: str, match: dict[str, str] | None = None, drop: str = ""
) -> Regions:
    sides = (painted(content, names), painted(style, names))
    return learned._paired(tuple(names), sides, [side.shape[1:] for side in sides], match or {}, drop)


# --- the table -----------------------------------------------------------------------------------------


def test_every_class_of_ade20k_has_one_group() -> None:
    members = [name for group in GROUPS.values() for name in group.split(", ")]
    assert len(members) == len(set(members)) == 150
    assert "" not in members


def test_groups_add_up_their_classes() -> None:
    names, members = learned._groups(dict(enumerate(FIVE)))
    assert names == ("sky", "water", "building", "skyline")  # synonyms go; what the table lacks keeps its name
    assert members.tolist() == [[1, 0, 0, 0, 0], [0, 1, 1, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 0, 1]]


def test_two_kinds_of_water_outvote_a_likelier_class(tmp_path: Path, picture: Picture) -> None:
    """sky 0.4, sea 0.3, lake 0.3 everywhere: water."""
    from safetensors.torch import load_file, save_file

    save_segmenter(tmp_path, ("sky", "sea", "lake"))
    tensors = load_file(tmp_path / "model.safetensors")
    tensors["decode_head.classifier.weight"].zero_()
    tensors["decode_head.classifier.bias"].copy_(torch.tensor([0.4, 0.3, 0.3]).log())
    save_file(tensors, tmp_path / "model.safetensors", {"format": "pt"})
    image = picture(20, 30, dtype=torch.float32)
    assert segment_learned(image, image, model=str(tmp_path)).names == ("water",)


# --- loading -------------------------------------------------------------------------------------------


def test_regions_are_those_of_the_model(tmp_path: Path, folder: Path) -> None:
    """Against the model that was saved, run here: same preprocessing, classes merged by hand."""
    model = save_segmenter(tmp_path)
    image = ramp(512, 544)  # what the network sees: no resizing on the way
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    with torch.no_grad():
        P = model(((image - mean[:, None, None]) / std[:, None, None])[None]).logits[0].softmax(0)
    groups = {"sky": P[0], "water": P[1] + P[2], "building": P[3], "skyline": P[4]}

    regions = segment_learned(image, image, model=str(folder))

    size = regions.content.shape[1:]
    assert max(size) == 448  # which is enough: what the network tells has a stride of several pixels
    small = F.interpolate(torch.stack(list(groups.values()))[None], tuple(size), mode="bilinear", align_corners=False)
    likeliest = small[0].argmax(0)

    assert len(regions.names) >= 2
    large = [n for n in range(4) if (likeliest == n).float().mean() >= 0.01]
    assert regions.names == tuple(list(groups)[n] for n in large)
    among = torch.isin(likeliest, torch.tensor(large))  # the rest is merged
    for n, mask in zip(large, regions.content, strict=True):
        assert (mask.bool() == (likeliest == n))[among].float().mean() > 0.9999


def test_each_side_is_its_own(folder: Path) -> None:
    """The content keeps its masks whatever the style is, as long as both have the same groups."""
    image = ramp(96, 128)
    alone = segment_learned(image, image, model=str(folder))
    pair = segment_learned(image, image.flip(1), model=str(folder))
    assert pair.names == alone.names and len(pair.names) > 1
    assert torch.equal(pair.content, alone.content)
    assert (pair.content != pair.style).float().mean() > 0.02


def test_masks_have_the_photographs_sizes(folder: Path, picture: Picture) -> None:
    content, style = picture(30, 61, dtype=torch.float32), picture(45, 20, seed=1, dtype=torch.float32)
    regions = segment_learned(content, style, model=str(folder))
    for masks, image in ((regions.content, content), (regions.style, style)):
        assert set(masks.unique().tolist()) <= {0.0, 1.0}
        assert torch.equal(masks.sum(0), torch.ones(image.shape[1:]))
        assert (masks.mean((1, 2)) >= 0.01).all()
    again = segment_learned(content, style, model=str(folder))
    assert torch.equal(again.content, regions.content) and torch.equal(again.style, regions.style)


def test_mean_and_deviation_come_with_the_model(tmp_path: Path) -> None:
    save_segmenter(tmp_path, image_mean=[0.1, 0.2, 0.3], image_std=[1.0, 2.0, 3.0])
    network = learned._load(str(tmp_path), "cpu")
    assert network.model.mean.flatten().tolist() == pytest.approx([0.1, 0.2, 0.3])
    assert network.model.std.flatten().tolist() == pytest.approx([1.0, 2.0, 3.0])
    assert not network.model.network.training


def test_other_architectures_load_too(tmp_path: Path, picture: Picture) -> None:
    """SegFormer, whose logits are a quarter of the image's size."""
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    labels = {0: "sky", 1: "tree", 2: "grass"}
    config = transformers.SegformerConfig(
        depths=[1] * 4,
        hidden_sizes=[8] * 4,
        num_attention_heads=[1] * 4,
        decoder_hidden_size=8,
        id2label=labels,
        label2id={name: n for n, name in labels.items()},
    )
    transformers.SegformerForSemanticSegmentation(config).save_pretrained(tmp_path)
    (tmp_path / "preprocessor_config.json").write_text('{"image_mean": [0, 0, 0], "image_std": [1, 1, 1]}')
    image = picture(40, 40, dtype=torch.float32)
    assert set(segment_learned(image, image, model=str(tmp_path)).names) <= {"sky", "vegetation"}


def test_nothing_is_printed(folder: Path, picture: Picture, capfd: pytest.CaptureFixture[str]) -> None:
    log = pytest.importorskip("transformers").utils.logging
    before = log.get_verbosity(), log.is_progress_bar_enabled()
    image = picture(20, 20, dtype=torch.float32)
    segment_learned(image, image, model=str(folder))
    assert capfd.readouterr() == ("", "")
    assert (log.get_verbosity(), log.is_progress_bar_enabled()) == before


@pytest.mark.parametrize(
    ("height", "width", "seen"),
    [(512, 768, (512, 768)), (100, 150, (512, 768)), (3000, 1500, (1024, 512)), (100, 1000, (192, 2048))],
)
def test_size_that_the_network_sees(height: int, width: int, seen: tuple[int, int]) -> None:
    assert learned._size(height, width) == seen


# --- what goes wrong -----------------------------------------------------------------------------------


def test_a_model_that_needs_code_of_its_own(tmp_path: Path, folder: Path, picture: Picture) -> None:
    shutil.copytree(folder, tmp_path / "model")
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    config |= {"model_type": "mine", "auto_map": {"AutoConfig": "mine.Config"}}
    (tmp_path / "model" / "config.json").write_text(json.dumps(config))
    (tmp_path / "model" / "mine.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    image = picture(20, 20, dtype=torch.float32)
    with pytest.raises(RegionsError, match="contains custom code"):
        segment_learned(image, image, model=str(tmp_path / "model"))
    assert not (tmp_path / "ran").exists()


# --- pairs ---------------------------------------------------------------------------------------------


def test_what_both_have_is_paired() -> None:
    regions = paired(["ssss", "bbbb"], ["ssbb", "ssbb", "ssbb"], "sbw")
    assert regions.names == ("s", "b") and regions.notes == ()
    assert regions.content[0].tolist() == [[1] * 4, [0] * 4]
    assert regions.style[1].tolist() == [[0, 0, 1, 1]] * 3


def test_the_style_is_restricted_to_what_the_content_has() -> None:
    """The style's w counts as what is next likely there, s; its own share is told."""
    regions = paired(["ssss", "bbbb"], ["ssss", "bbbb", "wwww"], "sbw")
    assert regions.names == ("s", "b")
    assert regions.style[0].tolist() == [[1] * 4, [0] * 4, [1] * 4]
    assert regions.notes == (
        "Region w (33.3% of the style) has no partner in the content and joins the likeliest that has.",
    )


def test_what_only_the_content_has_is_merged_into_its_neighbour() -> None:
    """w shares four pixels of border with b, none with s."""
    regions = paired(["ssss", "bbbb", "wwww"], ["ssss", "bbbb"], "sbw")
    assert regions.names == ("s", "b")
    assert regions.content[1].tolist() == [[0] * 4, [1] * 4, [1] * 4]
    assert regions.notes == ("Region w (33.3% of the content) is not in the style and is merged into b.",)


def test_small_groups_are_merged() -> None:
    """One pixel of 200, in s: it is no region, though the style has it."""
    content = ["s" * 20] * 5 + ["b" * 20] * 5
    content[2] = "sssswsssssssssssssss"
    regions = paired(content, ["ssbbww"] * 2, "sbw")
    assert regions.names == ("s", "b")
    assert regions.content[0].tolist() == [[1] * 20] * 5 + [[0] * 20] * 5
    assert regions.notes[0] == "Region w (0.5% of the content) is small and is merged into s."


def test_nothing_in_common_is_one_region() -> None:
    regions = paired(["ssss"], ["bbbb"], "sb")
    assert regions.names == ("s",)
    assert regions.content.min() == regions.style.min() == 1


def test_a_match_gives_a_group_another_model() -> None:
    """The content's p takes the look of the style's b, which no pixel of the content would have had."""
    regions = paired(["ssss", "pppp"], ["ssss", "bbbb"], "sbp", match={"p": "b"})
    assert regions.names == ("s", "b") and regions.notes == ()
    assert regions.content[1].tolist() == regions.style[1].tolist() == [[0] * 4, [1] * 4]
    with pytest.raises(RegionsError, match="no region 'p' in the style; there are b, s"):
        paired(["ssss", "pppp"], ["ssss", "bbbb"], "sbp", match={"s": "p"})


def test_a_group_that_is_dropped_is_not_paired() -> None:
    regions = paired(["ssss", "bbbb"], ["ssss", "bbbb"], "sb", drop="b")
    assert regions.names == ("s",) and regions.content.min() == regions.style.min() == 1
    assert regions.notes == ("Region b (50.0% of the content) is dropped and is merged into s.",)
    with pytest.raises(RegionsError, match="Nothing is left of what the content shows: s, b"):
        paired(["ssss", "bbbb"], ["ssss", "bbbb"], "sb", drop="sb")
