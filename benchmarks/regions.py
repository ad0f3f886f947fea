"""Measures automatic regions against hand-made ones, on a folder of pairs.

    python benchmarks/regions.py ../shared/dpst-pairs [--count N]

Each pair is a folder with content.png, style.png and the label images content_regions.png and
style_regions.png. Intersection over union (IoU): the found regions are given to the hand-made ones one to
one, the same assignment on both sides, so that the sum of IoUs is largest; the IoU of a hand-made region is
taken over the pixels of both photographs together, and is 0 for one that got no partner. A pair's figure is the
mean over its hand-made regions, small ones counting as much as large. What no hand-made region
covers (style labels without a partner) is not counted. "content" is the same assignment's IoU on the
content alone. "by area" is the mean weighted by the hand-made regions' areas. Pairs with one
hand-made region have nothing to measure and are left out. At least two regions are found, whether the result would
gain by them or not. "even" and "odd" are means over the pairs at even and odd places of the sorted folder: constants
were chosen on the even ones of the nineteen published pairs.

"border" is the matting energy Σ mᵀ L m of the content's masks m, before and after refinement, for each pixel
within eight of a border at long side 448 (ε = 1e-5): how much of a border is where the photograph has none.
"seconds" are for finding and refining the regions of both photographs.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor
from torch.nn.functional import max_pool2d

from photostyle import Regions, load_image, load_regions, load_weights
from photostyle.image import fit, shrink
from photostyle.matting.laplacian import matting_laplacian
from photostyle.network.backbones import DEFAULT_BACKBONE, SCENE_BACKBONE
from photostyle.segment.cells import SIZE
from photostyle.segment.crf import regions_of_pixels
from photostyle.segment.refine import refine_regions
from photostyle.segment.search import common_regions


def compare(found: Regions, made: Regions) -> tuple[float, float, float]:
    """Mean IoU of the hand-made regions over both sides, over the content alone, and over both weighted by area."""
    sides = [_overlaps(f, m) for f, m in ((found.content, made.content), (found.style, made.style))]
    both = _iou(*(sum(parts) for parts in zip(*sides, strict=True)))
    rows, columns = linear_sum_assignment(-both.numpy())
    area = sides[0][1] + sides[1][1]
    content = _iou(*sides[0])[rows, columns]
    return (
        float(both[rows, columns].sum()) / len(made.names),
        float(content.sum()) / len(made.names),
        float((both[rows, columns] * area[rows]).sum() / area.sum()),
    )


def _overlaps(found: Tensor, made: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Shares of the photograph: made ∩ found (M×K), made (M), found where any is made (K)."""
    f, m = found.flatten(1).double(), made.flatten(1).double()
    return m @ f.T / f.shape[1], m.mean(1), (f * m.sum(0)).mean(1)


def _iou(intersection: Tensor, made: Tensor, found: Tensor) -> Tensor:
    return intersection / (made[:, None] + found - intersection).clamp(min=1e-12)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, help="that many regions (default: found from the photographs)")
    options = parser.parse_args()
    networks = load_weights(SCENE_BACKBONE), load_weights(DEFAULT_BACKBONE)
    figures, seconds, borders = {}, [], []
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads\n")
    heads = f"{'regions':>8s} {'found':>6s} {'IoU':>6s} {'content':>8s} {'by area':>8s} {'border':>15s} {'seconds':>8s}"
    print(f"{'pair':8s} {heads}")
    pairs = sorted(path for path in options.folder.iterdir() if (path / "content_regions.png").is_file())
    for path in pairs:
        made = load_regions(path / "content_regions.png", path / "style_regions.png")
        if len(made.names) == 1:
            continue
        content, style = load_image(path / "content.png"), load_image(path / "style.png")
        began = time.perf_counter()
        small = fit(content, SIZE), fit(style, SIZE)
        found = regions_of_pixels(common_regions(*small, *networks, count=options.count, needed=True), *small)
        fine = refine_regions(found, *small)
        seconds.append(time.perf_counter() - began)
        borders.append((border_energy(found, content), border_energy(fine, content)))
        figures[path.name] = compare(found.fit(made.content, made.style), made)
        counts = f"{len(made.names):8d} {len(found.names):6d}"
        print(f"{path.name:8s} {counts} {_row(figures[path.name])} {_ends(borders[-1])} {seconds[-1]:8.2f}", flush=True)
    odd, even = ([figures[path.name] for path in half if path.name in figures] for half in (pairs[::2], pairs[1::2]))
    for name, group in (("mean", [*odd, *even]), ("even", even), ("odd", odd)):
        if group:
            row = _row([statistics.mean(column) for column in zip(*group, strict=True)])
            print(f"{name:8s} {len(group):8d} pairs  {row}")
    print(f"\n{len(pairs)} pairs, {len(figures)} with more than one hand-made region")
    if seconds:
        print(f"median time {statistics.median(seconds):.2f} s")
        print("border, mean", _ends([statistics.mean(column) for column in zip(*borders, strict=True)]))


def border_energy(regions: Regions, photograph: Tensor) -> float:
    """See above; 0 where there is one region."""
    I = fit(photograph, SIZE)
    masks = shrink(regions.content, I.shape[1:])
    most, least = max_pool2d(masks, 3, 1, 1), -max_pool2d(-masks, 3, 1, 1)
    near = max_pool2d(((most - least).amax(0, keepdim=True) > 0.01).float(), 17, 1, 8)
    energy = matting_laplacian(I.double(), epsilon=1e-5).quadratic(masks.double())
    return float(energy) / max(float(near.sum()), 1)


def _ends(border: tuple[float, float] | list[float]) -> str:
    return f"{border[0]:7.4f} {border[1]:7.4f}"


def _row(figures: tuple[float, float, float] | list[float]) -> str:
    iou, content, area = figures
    return f"{iou:6.3f} {content:8.3f} {area:8.3f}"


if __name__ == "__main__":
    main()
