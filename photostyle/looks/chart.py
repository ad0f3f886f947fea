"""A look drawn: its photograph before and after, and for each region where light and colours go."""

from __future__ import annotations

import math

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from photostyle.color.spaces import lab_from_srgb, srgb_from_lab
from photostyle.image import resize
from photostyle.looks.look import Look
from photostyle.maps.lattice import ColorMap

_CELL, _GAP, _TEXT = 200, 16, 13  # pixels
_PAPER, _INK, _FAINT = (255, 255, 255), (30, 30, 30), (205, 205, 205)
_REACH = 60.0  # a*b* from the middle of a chart to its edge
_HUES, _CHROMA = 12, 32.0  # arrows of the wheel
_GREYS = 9
_SWATCHES = 8


def draw_look(look: Look) -> Tensor:
    """A chart of a look, 3×H×W sRGB in [0, 1].

    At the top, its photograph before and after. Then a row for each region: the tone curve (L* of greys, before and
    after), where greys go in a*b*, where the hues of the colour wheel go at L* 55, and the photograph's own colours
    with what becomes of them.
    """
    height = _CELL
    before, after = (_panel(image, height) for image in (look.scene.before, look.after))
    width = max(4 * (_CELL + _GAP) + _GAP, before.width + after.width + 3 * _GAP)
    row = _CELL + 2 * _TEXT + _GAP
    sheet = Image.new("RGB", (width, height + 2 * _TEXT + 2 * _GAP + row * len(look.maps)), _PAPER)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(_TEXT)
    x = _GAP
    for title, panel in (("before", before), ("after", after)):
        draw.text((x, _GAP), title, _INK, font)
        sheet.paste(panel, (x, _GAP + 2 * _TEXT))
        x += panel.width + _GAP
    top = height + 2 * _TEXT + 2 * _GAP
    masks = look.scene.masks
    for k, (name, map) in enumerate(zip(look.names, look.maps, strict=True)):
        titles = (f"{name}: light", "greys in a*b*", "hues in a*b*", "colours")
        for column, title in enumerate(titles):
            latin = title.encode("latin-1", "replace").decode("latin-1")  # the font knows little else
            draw.text((_GAP + column * (_CELL + _GAP), top), latin, _INK, font)
        at = [(_GAP + column * (_CELL + _GAP), top + 2 * _TEXT) for column in range(4)]
        _light(draw, at[0], map)
        _greys(draw, at[1], map)
        _hues(draw, at[2], map)
        _swatches(draw, at[3], map, look.scene.before, masks[k])
        top += row
    return torch.from_numpy(np.asarray(sheet).astype(np.float32) / 255).permute(2, 0, 1)


def describe_look(look: Look) -> list[str]:
    """A description of a look, line by line: its facts, and for each region what it does to greys and to colours."""
    lines = [f"{key}: {fact}" for key, fact in look.facts.items() if key != "settings"]
    shares = look.scene.masks.mean((1, 2)).tolist()
    for name, map, share in zip(look.names, look.maps, shares, strict=True):
        before, after = light_of(map, 5)
        light = ", ".join(f"{a:.0f} to {b:.0f}" for a, b in zip(before, after, strict=True))
        _, a, b = lab_from_srgb(map(torch.full((3, 1), 0.5)).clamp(0, 1))[:, 0].tolist()
        height = "; changes with the height" if bool(map.tilt.any()) else ""
        lines.append(
            f"{name} ({share:.0%} of its photograph): light L* {light}; middle grey goes to a* {a:+.0f}, b* {b:+.0f}; "
            f"gain {map.gain():.1f}{height}"
        )
    return lines


def light_of(map: ColorMap, steps: int = 11) -> tuple[list[float], list[float]]:
    """L* of greys, before and after."""
    greys = torch.linspace(0, 1, steps).expand(3, steps)
    return lab_from_srgb(greys)[0].tolist(), lab_from_srgb(map(greys).clamp(0, 1))[0].tolist()


def main_colors(photograph: Tensor, mask: Tensor, count: int = _SWATCHES) -> Tensor:
    """The colours that a region (mask h×w) of a photograph (3×h×w) has most of, from dark to light: 3×`count`.

    Each is the mean of an equal share of its pixels, by lightness.
    """
    colors = region_colors(photograph, mask)
    order = colors.mean(0).argsort()
    return torch.stack([colors[:, part].mean(1) for part in order.tensor_split(min(count, len(order)))], dim=1)


def region_colors(photograph: Tensor, mask: Tensor) -> Tensor:
    """The colours of a region (mask h×w) of a photograph (3×H×W): 3×n, all of them where the region is nowhere."""
    inside = resize(mask[None], (photograph.shape[1], photograph.shape[2]))[0].flatten() > 0.5
    colors = photograph.flatten(1)
    return colors[:, inside] if bool(inside.any()) else colors


def _panel(image: Tensor, height: int) -> Image.Image:
    sized = resize(image, (height, max(1, round(image.shape[2] * height / image.shape[1])))).clamp(0, 1)
    return Image.fromarray(sized.mul(255).round().to(torch.uint8).permute(1, 2, 0).contiguous().numpy())


Corner = tuple[int, int]


def _light(draw: ImageDraw.ImageDraw, corner: Corner, map: ColorMap) -> None:
    x, y = corner
    draw.rectangle((x, y, x + _CELL, y + _CELL), outline=_FAINT)
    draw.line((x, y + _CELL, x + _CELL, y), fill=_FAINT)
    before, after = light_of(map, 65)
    points = [(x + a / 100 * _CELL, y + (1 - b / 100) * _CELL) for a, b in zip(before, after, strict=True)]
    draw.line(points, fill=_INK, width=2)


def _plane(draw: ImageDraw.ImageDraw, corner: Corner) -> None:
    x, y = corner
    draw.rectangle((x, y, x + _CELL, y + _CELL), outline=_FAINT)
    draw.line((x, y + _CELL // 2, x + _CELL, y + _CELL // 2), fill=_FAINT)
    draw.line((x + _CELL // 2, y, x + _CELL // 2, y + _CELL), fill=_FAINT)


def _place(corner: Corner, lab: Tensor) -> tuple[float, float]:
    """Where a colour's a*b* lies in a chart, kept inside it."""
    a, b = (max(-_REACH, min(_REACH, float(v))) for v in lab[1:])
    return corner[0] + (1 + a / _REACH) * _CELL / 2, corner[1] + (1 - b / _REACH) * _CELL / 2


def _ink(color: Tensor) -> tuple[int, int, int]:
    r, g, b = (round(255 * min(1.0, max(0.0, float(v)))) for v in color)
    return r, g, b


def _greys(draw: ImageDraw.ImageDraw, corner: Corner, map: ColorMap) -> None:
    _plane(draw, corner)
    greys = torch.linspace(0, 1, _GREYS).expand(3, _GREYS)
    after = map(greys).clamp(0, 1)
    points = [_place(corner, lab) for lab in lab_from_srgb(after).T]
    draw.line(points, fill=_FAINT)
    for (px, py), color in zip(points, after.T, strict=True):
        draw.ellipse((px - 5, py - 5, px + 5, py + 5), fill=_ink(color), outline=_INK)


def _hues(draw: ImageDraw.ImageDraw, corner: Corner, map: ColorMap) -> None:
    _plane(draw, corner)
    for n in range(_HUES):
        angle = 2 * math.pi * n / _HUES
        lab = torch.tensor([55.0, _CHROMA * math.cos(angle), _CHROMA * math.sin(angle)])
        color = srgb_from_lab(lab[:, None]).clamp(0, 1)
        after = map(color).clamp(0, 1)
        start, end = _place(corner, lab), _place(corner, lab_from_srgb(after)[:, 0])
        draw.line((*start, *end), fill=_INK)
        draw.ellipse((start[0] - 3, start[1] - 3, start[0] + 3, start[1] + 3), fill=_ink(color[:, 0]))
        draw.ellipse((end[0] - 6, end[1] - 6, end[0] + 6, end[1] + 6), fill=_ink(after[:, 0]), outline=_INK)


def _swatches(draw: ImageDraw.ImageDraw, corner: Corner, map: ColorMap, photograph: Tensor, mask: Tensor) -> None:
    x, y = corner
    colors = main_colors(photograph, mask)
    after = map(colors).clamp(0, 1)
    n = colors.shape[1]
    for i in range(n):
        top, bottom = y + i * _CELL // n, y + (i + 1) * _CELL // n - 2
        draw.rectangle((x, top, x + _CELL // 2 - 1, bottom), fill=_ink(colors[:, i]))
        draw.rectangle((x + _CELL // 2, top, x + _CELL, bottom), fill=_ink(after[:, i]))
