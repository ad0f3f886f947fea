"""Tiny random models of `transformers`, saved to folders as the hub's are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

FIVE = ("sky", "sea", "lake", "building, edifice", "Skyline;horizon")
SIDE = 64  # pixels, of the square that the little SAM sees


def ramp(height: int, width: int) -> Tensor:
    """A 3×H×W image: red grows downward, green to the right, blue against it."""
    y, x = torch.linspace(0, 1, height)[:, None], torch.linspace(0, 1, width)
    return torch.stack([y.expand(height, width), x.expand(height, width), (1 - x).expand(height, width)])


def save_segmenter(folder: Path, classes: tuple[str, ...] = FIVE, **changes: Any) -> Any:
    """A random UPerNet over ConvNeXt of 8 channels, saved to a folder as the hub's models are; returns it."""
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    backbone = transformers.ConvNextConfig(
        hidden_sizes=[8] * 4, depths=[1] * 4, out_features=["stage1", "stage2", "stage3", "stage4"]
    )
    id2label = dict(enumerate(classes))
    config = transformers.UperNetConfig(
        backbone_config=backbone,
        hidden_size=8,
        use_auxiliary_head=False,
        id2label=id2label,
        label2id={name: n for n, name in id2label.items()},
    )
    model = transformers.UperNetForSemanticSegmentation(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:  # large enough that the image comes through
                parameter.normal_(0, (2 / parameter[0].numel()) ** 0.5)
        classifier = model.decode_head.classifier
        classifier.weight.mul_(100)
        classifier.bias.sub_(model(ramp(512, 512)[None]).logits.mean((0, 2, 3)))  # no class wins everywhere
    model.save_pretrained(folder)
    prepare = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225], **changes}
    (folder / "preprocessor_config.json").write_text(json.dumps(prepare))
    return model


def save_sam(folder: Path, kind: str = "Sam2") -> Any:
    """A little model in a folder, as the hub's are; returns it."""
    model = _sam(kind)
    model.save_pretrained(folder)
    prepare = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
    (folder / "preprocessor_config.json").write_text(json.dumps(prepare))
    return model


def _sam(kind: str) -> Any:
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
