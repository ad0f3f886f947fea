"""A contact sheet: photographs side by side, and under them what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from photostyle.image import resize

_COLUMNS = 5  # of figures in a row
_PAPER, _INK, _FAINT = (255, 255, 255), (25, 25, 25), (120, 120, 120)


def contact_sheet(
    photographs: Mapping[str, Tensor], figures: Sequence[tuple[str, str, str]], height: int = 480
) -> Tensor:
    """Draw titled photographs (3×H×W sRGB in [0, 1]), each `height` pixels high, as one such image.

    `figures` are (name, value, remark), in rows of five at most over the width below. The text should keep to Latin-1
    letters: the font, Pillow's own, knows little else.
    """
    text, margin = max(8, height // 24), max(4, height // 20)
    small, large = ImageFont.load_default(text), ImageFont.load_default(2 * text)
    panels = {
        title: resize(image, (height, max(1, round(image.shape[2] * height / image.shape[1]))))
        for title, image in photographs.items()
    }
    width = margin + sum(panel.shape[2] + margin for panel in panels.values())
    top = margin + 2 * text  # of the photographs
    below = top + height + margin  # of the figures
    row = 5 * text + margin
    columns = min(len(figures), _COLUMNS)
    sheet = Image.new("RGB", (width, below + row * -(-len(figures) // _COLUMNS)), _PAPER)
    draw = ImageDraw.Draw(sheet)

    x = margin
    for title, panel in panels.items():
        draw.text((x, top - text), title, _INK, small, anchor="ls")
        levels = panel.mul(255).round().to("cpu", torch.uint8)
        sheet.paste(Image.fromarray(levels.permute(1, 2, 0).contiguous().numpy()), (x, top))
        x += panel.shape[2] + margin
    for i, (name, value, remark) in enumerate(figures):
        x = margin + i % columns * (width - margin) // columns
        y = below + i // columns * row
        draw.text((x, y), name, _INK, small, anchor="la")
        draw.text((x, y + 3.2 * text), value, _INK, large, anchor="ls")
        draw.text((x, y + 5 * text), remark, _FAINT, small, anchor="ls")
    return torch.from_numpy(np.asarray(sheet).astype(np.float32) / 255).permute(2, 0, 1)


def overlay(photograph: Tensor, masks: Tensor, colors: Sequence[tuple[int, int, int]]) -> Tensor:
    """A photograph (3×H×W, [0, 1]) half under the colours (RGB, 0 to 255) of its regions (masks K×H×W)."""
    paint = torch.tensor(colors[: len(masks)]).to(photograph) / 255
    return torch.lerp(photograph, torch.einsum("khw,kc->chw", masks, paint), 0.5)
