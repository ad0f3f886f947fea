"""A grade whose truth is known: how near each recipe comes to it, beside the untouched photograph.

    python benchmarks/selfreference.py FOLDER [--recipe NAME …] [--regions none|auto] [--count N]

Each photograph of the folder (JPEG, PNG, TIFF) is reduced to 480 px and cut into a left and a right half. One half is
graded, and is the style; the other is the content, and the same grade of it is the truth. Grades are drawn by the name
of the file: exposure −1.2 to 0.7 stops and warmth ±25 % in linear light; contrast −25 to +35 %, saturation ±50 % and a
tint of the shadows in sRGB. `--count` draws several for each photograph, and swaps the halves for every second one.

Printed are PSNR (dB) and mean ΔE76 to the truth, their means, and how often a result is farther from the truth than
the untouched half. With `--regions auto` regions are found, as by default in the command line.
"""

from __future__ import annotations

import argparse
import math
import random
from pathlib import Path
from statistics import fmean

import torch
from torch import Tensor

from photostyle import DEFAULT_RECIPE, Regions, find_regions, load_image, transfer
from photostyle.color.spaces import lab_from_srgb, linear_from_srgb, luma, srgb_from_linear
from photostyle.image import fit

SIZE = 480  # long side, pixels
SUFFIXES = {".jpg", ".jpeg", ".png", ".tif", ".tiff"}


def draw(seed: str) -> dict[str, float | list[float]]:
    """A grade that a photographer might give."""
    r = random.Random(seed)
    return {
        "exposure": r.uniform(-1.2, 0.7),
        "warmth": r.uniform(-0.25, 0.25),
        "contrast": r.uniform(-0.25, 0.35),
        "saturation": r.uniform(-0.5, 0.5),
        "tint": [r.uniform(-0.06, 0.06) for _ in range(3)],
    }


def grade(
    image: Tensor, exposure: float, warmth: float, contrast: float, saturation: float, tint: list[float]
) -> Tensor:
    """3×H×W → 3×H×W, sRGB in [0, 1]."""
    balance = torch.tensor([1 + warmth, 1.0, 1 - warmth]).view(3, 1, 1)
    x = srgb_from_linear((linear_from_srgb(image) * 2**exposure * balance).clamp(0, 4))
    x = (x - 0.5) * (1 + contrast) + 0.5
    x = luma(x) + (x - luma(x)) * (1 + saturation)
    x = x + torch.tensor(tint).view(3, 1, 1) * (1 - luma(x)).clamp(0, 1) ** 2
    return x.clamp(0, 1)


def score(result: Tensor, truth: Tensor) -> tuple[float, float]:
    """PSNR in dB, and mean ΔE76."""
    error = float((result - truth).square().mean())
    difference = lab_from_srgb(result.clamp(0, 1)) - lab_from_srgb(truth)
    return -10 * math.log10(max(error, 1e-10)), float(difference.norm(dim=0).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--recipe", action="append", metavar="NAME")
    parser.add_argument("--regions", choices=("none", "auto"), default="none")
    parser.add_argument("--count", type=int, default=1, metavar="N")
    options = parser.parse_args()
    recipes = options.recipe or [DEFAULT_RECIPE]
    scores: dict[str, list[tuple[float, float]]] = {name: [] for name in ("untouched", *recipes)}
    for path in sorted(p for p in options.folder.iterdir() if p.suffix.lower() in SUFFIXES):
        image = fit(load_image(path), SIZE)
        half = image.shape[2] // 2
        content, other = image[:, :, :half], image[:, :, half : 2 * half]
        for k in range(options.count):
            if k % 2:
                content, other = other, content
            given = draw(f"{path.stem}{k}")
            style, truth = grade(other, **given), grade(content, **given)  # type: ignore[arg-type]
            scores["untouched"].append(score(content, truth))
            regions = find_regions(content, style) if options.regions == "auto" else Regions.whole(content, style)
            for name in recipes:
                scores[name].append(score(transfer(content, style, regions, recipe=name), truth))
            shown = "  ".join(f"{name} {s[-1][0]:.1f} dB, ΔE {s[-1][1]:.1f}" for name, s in scores.items())
            print(f"{path.stem} {k}: {len(regions.names)} region(s)  {shown}", flush=True)
    for name, found in scores.items():
        worse = sum(a[0] < b[0] for a, b in zip(found, scores["untouched"], strict=True))
        print(
            f"{name}: {fmean(s[0] for s in found):.2f} dB, ΔE {fmean(s[1] for s in found):.2f}, "
            f"farther than untouched {worse} of {len(found)}"
        )


if __name__ == "__main__":
    main()
