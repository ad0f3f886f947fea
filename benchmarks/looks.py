"""Looks on photographs that they were not found on: how near they come to the same grade given there.

    python benchmarks/looks.py learned FOLDER
    python benchmarks/looks.py elsewhere FOLDER [--quality draft|standard|best]

learned: an editor's grade (a curve, balance, a shift of one hue, split toning, drawn by the name of the file) of one
photograph of the folder is learned from before and after (`learn_look`) and given to the next photograph, which is
compared with the same grade of it. Beside it: the next photograph untouched, and the affine map of colour that fits the
first pair best.

elsewhere: each photograph is cut into two halves. The grade of `selfreference.py` of the one half is the style of a
transfer whose content is that half itself; the look found so is given to the other half, as another scene is. Beside
it: the other half untouched.

Printed are mean ΔE2000 for each photograph, their mean and median, and the seconds that learning takes.
"""

from __future__ import annotations

import argparse
import math
import random
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean, median
from time import monotonic

import selfreference
import torch
from torch import Tensor

from photostyle import learn_look, load_image, make_look
from photostyle.color.difference import delta_e
from photostyle.color.spaces import linear_from_srgb, luma, srgb_from_linear
from photostyle.image import fit

SIZE = 700  # long side, pixels


def edit(image: Tensor, seed: str) -> Tensor:
    """What an editor might do to 3×H×W sRGB in [0, 1], of 8 bits as its file would be."""
    r = random.Random(seed)
    bend, power = r.uniform(-0.6, 0.6), math.exp(r.uniform(-0.3, 0.3))
    x = (image - bend * image * (1 - image) * (2 * image - 1)).clamp(0, 1) ** power
    balance = torch.tensor([2 ** r.uniform(-0.3, 0.3), 1.0, 2 ** r.uniform(-0.3, 0.3)]).view(3, 1, 1)
    x = srgb_from_linear((linear_from_srgb(x) * balance).clamp(0, 1))
    x = _turn(x, hue=r.random(), by=r.uniform(-0.06, 0.06), more=r.uniform(-0.4, 0.4))
    shadows, lights = (torch.tensor([r.uniform(-0.07, 0.07) for _ in range(3)]).view(3, 1, 1) for _ in range(2))
    y = luma(x)
    x = x + shadows * (1 - y).square() * y.sqrt() + lights * y.square()
    return (255 * x.clamp(0, 1)).round() / 255


def _turn(x: Tensor, hue: float, by: float, more: float) -> Tensor:
    """Colours near a hue (of a turn) turned by a part of a turn, and more saturated."""
    most, least = x.amax(0), x.amin(0)
    d = (most - least).clamp(min=1e-9)
    red, green, blue = x
    h = torch.where(
        most == red,
        (green - blue) / d % 6,
        torch.where(most == green, (blue - red) / d + 2, (red - green) / d + 4),
    )
    near = torch.exp(-(((h / 6 - hue + 0.5) % 1 - 0.5) / 0.12).square())
    h, s = (h / 6 + near * by) % 1, ((most - least) / most.clamp(min=1e-9) * (1 + near * more)).clamp(0, 1)
    turns = [(n + h * 6) % 6 for n in (5, 3, 1)]
    return torch.stack([most - most * s * torch.minimum(k, 4 - k).clamp(0, 1) for k in turns])


def affine(before: Tensor, after: Tensor, other: Tensor) -> Tensor:
    """`other` through the affine map that takes `before` nearest to `after`."""
    x, y, z = (image.flatten(1).double() for image in (before, after, other))
    one = torch.ones_like(x[:1])
    A = torch.linalg.lstsq(torch.cat([x, one]).T, y.T).solution
    return (torch.cat([z, torch.ones_like(z[:1])]).T @ A).T.view(other.shape).clamp(0, 1).float()


def learned(photographs: list[tuple[str, Tensor]]) -> Iterator[tuple[str, tuple[float, ...]]]:
    for (name, one), (_, other) in zip(photographs, photographs[1:] + photographs[:1], strict=True):
        after, truth = edit(one, name), edit(other, name)
        began = monotonic()
        look, _ = learn_look([(one, after)])
        seconds = monotonic() - began
        results = (other, affine(one, after, other), look.apply(other))
        yield name, (*(float(delta_e(result, truth).mean()) for result in results), seconds)


def elsewhere(photographs: list[tuple[str, Tensor]], quality: str) -> Iterator[tuple[str, tuple[float, ...]]]:
    for name, image in photographs:
        half = image.shape[2] // 2
        here, there = image[:, :, :half], image[:, :, half : 2 * half]
        grade = selfreference.draw(f"{name}0")
        style, truth = (selfreference.grade(part, **grade) for part in (here, there))  # type: ignore[arg-type]
        look = make_look(here, style, quality=quality)
        yield name, tuple(float(delta_e(result, truth).mean()) for result in (there, look.apply(there)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("learned", "elsewhere"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--quality", choices=("draft", "standard", "best"), default="standard")
    options = parser.parse_args()
    paths = sorted(p for p in options.folder.iterdir() if p.suffix.lower() in selfreference.SUFFIXES)
    photographs = [(path.stem, fit(load_image(path), SIZE)) for path in paths]
    if options.what == "learned":
        columns, rows = ("untouched", "affine", "learned", "seconds"), learned(photographs)
    else:
        columns, rows = ("untouched", "look"), elsewhere(photographs, options.quality)
    print(f"{'':32}" + "".join(f"{column:>12}" for column in columns))
    seen = []
    for name, figures in rows:
        print(f"{name:32}" + "".join(f"{figure:12.2f}" for figure in figures), flush=True)
        seen.append(figures)
    for word, of in (("mean", fmean), ("median", median)):
        print(f"{word:32}" + "".join(f"{of(column):12.2f}" for column in zip(*seen, strict=True)))


if __name__ == "__main__":
    main()
