"""Things that are pointed at, by a network that was trained to find them: SAM 2 (the extra `photostyle[learned]`).

Ravi et al., "SAM 2: Segment Anything in Images and Videos" (2024, arXiv 2408.00714): an encoder looks at the photograph
once; a small decoder then answers each prompt. A single point may mean a thing, its part or the whole that it belongs
to: of the three masks that the network offers, the one that it trusts most is taken. Where more is given it offers one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from photostyle.image import resize
from photostyle.segment.hub import Kind, Model, load_model
from photostyle.segment.prompt import Point, Prompt
from photostyle.segment.refine import refine_mask

DEFAULT = "facebook/sam2.1-hiera-tiny"
"""SAM 2.1 over Hiera-T; Apache-2.0, 156 MB."""

_KIND = Kind(
    of="Sam2Model",
    what="Learned selections",
    called="a model of the kind SAM 2",
    model=DEFAULT,
    instead="select by the method wand, which needs none",
    # the places of points and of the image's cells are encoded by one and the same matrix
    spare=frozenset({"prompt_encoder.shared_embedding.positional_embedding"}),
)
_INSIDE, _OUTSIDE = 1, 0  # as SAM numbers points


class Sam:
    """The `Segmenter` SAM 2.

    `model` is a name on the hub (huggingface.co), fetched once and then kept in its cache, or a folder with
    config.json, preprocessor_config.json and model.safetensors. Nothing that comes with a model is run.

    Raises RegionsError if `transformers` is not installed, if the model is out of reach, or if it is no SAM 2.
    """

    def __init__(self, model: str = DEFAULT, device: str | torch.device = "cpu") -> None:
        self._model = load_model(_KIND, model, device)
        network = self._model.network
        network.prompt_encoder.shared_embedding = network.shared_image_embedding

    @torch.no_grad()
    def look(self, photograph: Tensor) -> SamSelector:
        """Encode a photograph (3×H×W, sRGB in [0, 1])."""
        side = self._model.network.config.prompt_encoder_config.image_size
        seen = self._model.standard(resize(photograph, (side, side)))  # square, whatever its proportions
        return SamSelector(self._model, photograph, self._model.network.get_image_embeddings(seen))


@dataclass(frozen=True, eq=False)
class SamSelector:
    """A photograph that SAM 2 has looked at: a `Selector`."""

    model: Model
    photograph: Tensor
    embeddings: list[Tensor]

    @torch.no_grad()
    def __call__(self, prompt: Prompt) -> Tensor:
        """See `Selector`."""
        prompt.check(self.photograph.shape[1:])
        points = [*prompt.inside, *prompt.outside]
        asked: dict[str, Any] = {}
        if points:
            numbers = [_INSIDE] * len(prompt.inside) + [_OUTSIDE] * len(prompt.outside)
            asked["input_points"] = self._placed(points)[None, None]
            asked["input_labels"] = torch.tensor(numbers, device=self.model.mean.device)[None, None]
        if prompt.box is not None:
            asked["input_boxes"] = self._placed([prompt.box[:2], prompt.box[2:]]).view(1, 1, 4)
        is_doubtful = len(points) == 1 and prompt.box is None
        answer = self.model.network(image_embeddings=self.embeddings, multimask_output=is_doubtful, **asked)
        logits = answer.pred_masks[0, 0, answer.iou_scores[0, 0].argmax()]
        fine = F.interpolate(logits[None, None], self.photograph.shape[1:], mode="bilinear", align_corners=False)
        return refine_mask((fine[0, 0] > 0).to(self.photograph), self.photograph)

    def _placed(self, points: Sequence[Point]) -> Tensor:
        """Points as the network counts them, n×2: numbers of pixels of its own square, from the middle of the first."""
        height, width = self.photograph.shape[1:]
        side = self.model.network.config.prompt_encoder_config.image_size
        scaled = torch.tensor(points, dtype=torch.float32) * torch.tensor([side / width, side / height])
        return (scaled - 0.5).to(self.model.mean)
