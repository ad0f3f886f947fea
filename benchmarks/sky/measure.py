"""How well sky is found in photographs that nothing was fitted to.

    python benchmarks/sky/measure.py FOLDER…

The folders are those that `labelled.py` tells of: of packages, and of the paper's pairs. Where a photograph shows sky,
the intersection over union of what is told; where it shows none, the share that is taken for it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import mean

from labelled import SKY, UNTOLD, Eye, labelled

from photostyle.segment.sky import reading

ENOUGH = 0.05  # a smaller share of a photograph is no sky to be found
GOOD = 0.7


def main(*folders: str) -> None:
    eye = Eye()
    found, false = [], []
    for photograph in (each for folder in folders for each in labelled("measure", Path(folder))):
        told = reading(eye(photograph.load())) > 0.5
        labels = photograph.labels[: told.shape[0], : told.shape[1]]
        told, truth = told[labels != UNTOLD], labels[labels != UNTOLD] == SKY
        if share := float(truth.float().mean()):
            if share > ENOUGH:
                found.append(float((told & truth).sum() / (told | truth).sum()))
                print(f"{found[-1]:.2f} found  {photograph.name}")
        else:
            false.append(float(told.float().mean()))
            print(f"{false[-1]:.2f} false  {photograph.name}")
    print(f"\nIoU {mean(found):.3f} in {len(found)} with sky, over {GOOD} in {sum(iou > GOOD for iou in found)}")
    print(f"false share {mean(false):.3f} in {len(false)} without")


if __name__ == "__main__":
    main(*sys.argv[1:])
