"""Measures the recipe `whitening` beside its neighbours, on a folder of pairs.

    python benchmarks/whitening.py ../shared/dpst-pairs [--pairs 02,04,07]

Each pair is a folder with content.png, style.png and the label images content_regions.png and style_regions.png.
Beside each recipe its four measures and its seconds, mean over the pairs (median of the style distance, too): of
`photo` as a draft; of `monge-kantorovich` as it is and, as "+ local maps", carried to the photograph as `whitening`
is, so that what the features bring can be told from what the maps bring; of `whitening` with no, half and all of its
features. The default weights must be in the cache.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from torch import Tensor

from photostyle import Regions, load_image, load_regions, load_weights, transfer
from photostyle.descent.steps import finish
from photostyle.image import fit
from photostyle.measures.measure import measure
from photostyle.network.vgg import VGG
from photostyle.recipes.li2018 import Whitening, redraw, whitening
from photostyle.recipes.pitie2007 import linear_map
from photostyle.regions.recolor import match_colors

Run = Callable[[Tensor, Tensor, Regions], Tensor]


def mapped_colors(content: Tensor, style: Tensor, regions: Regions) -> Tensor:
    """monge-kantorovich at 256 px, carried to the photograph by local affine maps."""
    p = Whitening()
    I, S = fit(content, p.size), fit(style, p.size)
    O = match_colors(I, S, regions.fit(I, S), linear_map)
    return redraw(content, I, O, p.smoothness)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pairs", default="02,04,07,16,30,39,51,58", help="names of the pairs")
    options = parser.parse_args()
    weights = load_weights()
    vgg = VGG(weights)
    runs: dict[str, Run] = {
        "monge-kantorovich": lambda c, s, r: transfer(c, s, r, recipe="monge-kantorovich", device="cpu"),
        "+ local maps": mapped_colors,
        "whitening, blend 0": lambda c, s, r: finish(whitening(c, s, r, vgg, Whitening(blend=0))),
        "whitening": lambda c, s, r: finish(whitening(c, s, r, vgg, Whitening())),
        "whitening, blend 1": lambda c, s, r: finish(whitening(c, s, r, vgg, Whitening(blend=1))),
        "photo, draft": lambda c, s, r: transfer(c, s, r, quality="draft", device="cpu"),
    }
    print(f"{'':20s} {'style':>7s} {'median':>7s} {'matting':>8s} {'edges':>6s} {'color':>6s} {'seconds':>8s}")
    for name, run in runs.items():
        rows = []
        for pair in options.pairs.split(","):
            path = options.folder / pair
            content, style = load_image(path / "content.png"), load_image(path / "style.png")
            regions = load_regions(path / "content_regions.png", path / "style_regions.png").fit(content, style)
            began = time.perf_counter()
            output = run(content, style, regions)
            seconds = time.perf_counter() - began
            m = measure(content, style, output, regions, weights)
            rows.append((m.style_distance, m.matting_energy, m.edge_ssim, m.color_distance, seconds))
        style_distances, *rest = zip(*rows, strict=True)
        d, middle = statistics.mean(style_distances), statistics.median(style_distances)
        e, x, w, t = map(statistics.mean, rest)
        print(f"{name:20s} {d:7.3f} {middle:7.3f} {e:8.4f} {x:6.3f} {w:6.2f} {t:8.2f}", flush=True)


if __name__ == "__main__":
    main()
