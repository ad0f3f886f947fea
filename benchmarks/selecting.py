"""How many clicks a painted region takes, on a folder of pairs.

    python benchmarks/selecting.py ../shared/dpst-pairs [--model NAME]

Each pair is a folder with content.png, style.png and their label images. Of every painted region of both photographs
the first click lies where it is deepest, and each further one in the middle of what is most wrong, inside or outside.
"k clicks" is the mean intersection over union (IoU) with the painted region after so many; "80 %" the share of regions
that have reached an IoU of 0.8 by then. "look" and "click" are median seconds. How further clicks of the wand act was
chosen on the pairs at even places of the sorted folder.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from photostyle import Prompt, load_image, load_regions, load_segmenter
from photostyle.image import resize

CLICKS = 5

Mask = NDArray[np.bool_]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", help="of the kind SAM 2, instead of the wand")
    options = parser.parse_args()
    segmenter = load_segmenter("learned", model=options.model) if options.model else load_segmenter()
    rows, looks, clicks = [], [], []
    for path in sorted(path for path in options.folder.iterdir() if (path / "content_regions.png").is_file()):
        made = load_regions(path / "content_regions.png", path / "style_regions.png")
        for side, masks in (("content", made.content), ("style", made.style)):
            image = resize(load_image(path / f"{side}.png"), masks.shape[1:])
            began = time.perf_counter()
            select = segmenter.look(image)
            looks.append(time.perf_counter() - began)
            for name, mask in zip(made.names, masks.numpy() >= 0.5, strict=True):
                if mask.any() and not mask.all():
                    began = time.perf_counter()
                    rows.append(worked(select, mask))
                    clicks.append((time.perf_counter() - began) / CLICKS)
                    print(path.name, f"{side:8s} {name:10s}", *(f"{iou:.3f}" for iou in rows[-1]), flush=True)
    print(f"\ntorch {torch.__version__}, {torch.get_num_threads()} threads; {len(rows)} regions")
    for count, ious in enumerate(zip(*rows, strict=True), 1):
        reached = [max(row[:count]) >= 0.8 for row in rows]
        print(f"{count} clicks: IoU {statistics.mean(ious):.3f}, 80 %: {statistics.mean(reached):.0%}")
    print(f"look {statistics.median(looks):.2f} s, click {statistics.median(clicks):.2f} s")


def worked(select: object, mask: Mask) -> list[float]:
    """The IoU after each click."""
    inside, outside, ious = [deepest(mask)], [], []
    for _ in range(CLICKS):
        found = select(Prompt(inside, outside)).numpy() >= 0.5  # type: ignore[operator]
        ious.append(float((found & mask).sum() / (found | mask).sum()))
        missing, surplus = mask & ~found, found & ~mask
        if missing.any() or surplus.any():
            largest = max((part(missing), inside), (part(surplus), outside), key=lambda pair: int(pair[0].sum()))
            largest[1].append(deepest(largest[0]))
    return ious


def part(mask: Mask) -> Mask:
    """The largest part that hangs together."""
    parts, count = ndimage.label(mask)
    return mask if count < 2 else parts == 1 + np.bincount(parts[mask] - 1).argmax()


def deepest(mask: Mask) -> tuple[float, float]:
    depth = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    y, x = np.unravel_index(depth.argmax(), mask.shape)
    return float(x) + 0.5, float(y) + 0.5


if __name__ == "__main__":
    main()
