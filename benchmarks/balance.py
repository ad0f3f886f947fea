"""Are the published results near a minimum of the energy of `luan`, in our units and with our network?

    python benchmarks/balance.py PAIRS [SIZE]

PAIRS is a folder of pairs with authors_stage1.png and authors_result.png, SIZE the long side that they are looked at
(256 if not given). Prints medians over the pairs, and quartiles: how far each layer is from the style (1: as far as a
picture without features), the four terms, and how much style and content rise for each unit that matting falls, along
the steepest way down of matting in its metric. At a minimum of their sum that is 1.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from timing import header, row
from torch import Tensor

from photostyle import load_image, load_regions, load_weights
from photostyle.image import fit, resize
from photostyle.matting.laplacian import matting_laplacian
from photostyle.matting.metric import MattingMetric
from photostyle.network.vgg import VGG
from photostyle.recipes.luan2017 import DeepPhoto, content_and_style
from photostyle.terms.gram import regional_grams
from photostyle.terms.photorealism import drift

SHOWN = ("authors_stage1", "authors_result")
FLOOR = 0.01  # κ of the metric: steps that keep the picture a photograph, and few others
P = DeepPhoto()


def figures(pair: Path, size: int, vgg: VGG) -> dict[str, list[float]]:
    """For each published image the layers' distances from the style, the four terms, and the ratio of slopes."""
    I, S = (fit(load_image(pair / f"{name}.png"), size) for name in ("content", "style"))
    regions = load_regions(pair / "content_regions.png", pair / "style_regions.png").fit(I, S)
    L, M = content_and_style(I, S, regions, vgg, P), matting_laplacian(I, P.epsilon)
    smaller = P.drift_weight * drift(I, regions.content, P.epsilon)
    metric = MattingMetric(M, floor=FLOOR)
    M_I, M_S = (vgg.carry(masks, P.STYLE_LAYERS) for masks in (regions.content, regions.style))
    with torch.no_grad():
        F_S = vgg(S, P.STYLE_LAYERS)
    found = {}
    for name in SHOWN:
        x = resize(load_image(pair / f"{name}.png"), I.shape[1:]).requires_grad_()
        features = vgg(x, L.reads)
        parts = L.parts(features)
        (slope,) = torch.autograd.grad(parts["style"] + parts["content"], x)
        O = x.detach()
        uphill = 2 * P.matting_weight * (M @ O)
        down = -metric(uphill)
        layers = [
            distance(regional_grams(features[l].detach(), M_I[l]), regional_grams(F_S[l], M_S[l]))
            for l in P.STYLE_LAYERS
        ]
        terms = [
            float(parts["style"].detach()),
            float(parts["content"].detach()),
            P.matting_weight * float(M.quadratic(O)),
            P.matting_weight * float(smaller.parts({"image": O})["drift"]),
        ]
        found[name] = [*layers, *terms, -float((slope * down).sum() / (uphill * down).sum())]
    return found


def distance(G: Tensor, target: Tensor) -> float:
    return float((G - target).square().sum() / target.square().sum())


def main() -> None:
    if not 2 <= len(sys.argv) <= 3:
        sys.exit(__doc__)
    size = int(sys.argv[2]) if len(sys.argv) > 2 else 256
    vgg = VGG(load_weights())
    pairs = sorted(path.parent for path in Path(sys.argv[1]).glob(f"*/{SHOWN[0]}.png"))
    all_of_them = [figures(pair, size, vgg) for pair in pairs]
    header(f"{len(pairs)} pairs, {size} px", *P.STYLE_LAYERS, "style", "content", "matting", "drift", "ratio of slopes")
    for name in SHOWN:
        seen = torch.tensor([found[name] for found in all_of_them])
        low, median, high = torch.quantile(seen, torch.tensor([0.25, 0.5, 0.75]), dim=0).tolist()
        row(name, *(f"{b:.2g} ({a:.2g}–{c:.2g})" for a, b, c in zip(low, median, high, strict=True)))


if __name__ == "__main__":
    main()
