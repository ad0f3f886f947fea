"""How well scenes are parsed in photographs that nothing was fitted to.

    python benchmarks/parsing/measure.py FOLDER…

The folders are those that `labelled.py` tells of: of packages, and of the paper's pairs. Each photograph has the same
say. A row of the table is what one class was taken for, in hundredths of its cells; the last column is how much of
what is told to be of the class is. Then the sky alone: the intersection over union of what is told where a photograph
shows some, and the share that is taken for it where there is none.
"""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import mean

import torch
from labelled import UNTOLD, Eye, labelled
from torch import Tensor

from photostyle.segment.parsing import CLASSES, classes_of

SKY = CLASSES.index("sky")
ENOUGH = 0.05  # a smaller share of a photograph is no sky to be found
GOOD = 0.7


def print_table(confusion: Tensor) -> None:
    """Seven classes (rows) and what they were taken for (columns)."""
    print("\n" + "".join(f"{name:>8}" for name in ("", *CLASSES, "precise")))
    for k, name in enumerate(CLASSES):
        shares = [*(confusion[k] / confusion[k].sum()), confusion[k, k] / confusion[:, k].sum()]
        print(f"{name:>8}" + "".join(f"{100 * float(share):8.0f}" for share in shares))


def main(*folders: str) -> None:
    eye = Eye()
    confusion = torch.zeros(len(CLASSES), len(CLASSES))
    right, found, false = [], [], []
    for photograph in (each for folder in folders for each in labelled("measure", Path(folder))):
        told = classes_of(eye(photograph.load())).argmax(0)
        labels = photograph.labels[: told.shape[0], : told.shape[1]].long()
        told, truth = told[labels != UNTOLD], labels[labels != UNTOLD]
        confusion.index_put_((truth, told), torch.tensor(1 / len(truth)), accumulate=True)
        right.append(float((told == truth).float().mean()))
        sky, is_sky = told == SKY, truth == SKY
        if not is_sky.any():
            false.append(float(sky.float().mean()))
            line = f"{false[-1]:.2f} false sky"
        elif float(is_sky.float().mean()) > ENOUGH:
            found.append(float((sky & is_sky).sum() / (sky | is_sky).sum()))
            line = f"{found[-1]:.2f} of sky"
        else:
            line = ""
        print(f"{right[-1]:.2f} right, {line:14}  {photograph.name}", flush=True)
    print_table(confusion)
    print(f"\nright {mean(right):.3f} of the cells of {len(right)}")
    print(f"sky: IoU {mean(found):.3f} in {len(found)} with, over {GOOD} in {sum(iou > GOOD for iou in found)}")
    print(f"     false share {mean(false):.3f} in {len(false)} without")


if __name__ == "__main__":
    main(*sys.argv[1:])
