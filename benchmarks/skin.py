"""Skin: how far a look turns its hue, at every shade; faces that are none; and how long finding it takes.

    python benchmarks/skin.py hue STYLE… -- PORTRAIT…
    python benchmarks/skin.py shades STYLE -- PORTRAIT…
    python benchmarks/skin.py false PHOTOGRAPH…
    python benchmarks/skin.py time PORTRAIT

`hue` gives each portrait each style, left to the look and kept natural: degrees of CIE LCh by which hue is turned where
there is skin, the mean and what 95 % stay below, and chroma. `shades` brings the skin of each portrait to six shades
first. `false` lists what looks like a face in photographs that show none, and how sure it is; from 0.8 on it counts.
`time` is that of the network, of all the skin, and of a transfer without either, for 700 px and for 24 megapixels.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from timing import header, median_seconds, row
from torch import Tensor

from photostyle import load_image, transfer
from photostyle.color.spaces import lab_from_srgb
from photostyle.image import fit, resize
from photostyle.people.faces import find_faces
from photostyle.people.skin import find_skin

sys.path.append(str(Path(__file__).parents[1] / "tests"))
from shades import SHADES, shaded

SIZE = 700
NOTHING = 0.08  # of L* + 16: a chroma that is hardly seen, and whose hue says nothing


def skin_of(image: Tensor) -> Tensor:
    """Where surely is skin, without its borders: h×w of the image's size, bool."""
    skin = find_skin(image)
    assert skin is not None, "This portrait shows no face."
    inner = -F.max_pool2d(-skin.mask[None], 5, 1, 2)
    return F.interpolate(inner[None], image.shape[1:], mode="bilinear")[0, 0] > 0.95


def turned(before: Tensor, after: Tensor, where: Tensor) -> tuple[float, float, float, float]:
    """Degrees of hue, in the mean and at 95 %, and the mean chroma before and after."""
    (L, *ab), (L_after, *ab_after) = (lab_from_srgb(image)[:, where] for image in (before, after))
    off = (torch.atan2(ab_after[1], ab_after[0]) - torch.atan2(ab[1], ab[0])).rad2deg()
    off = (torch.remainder(off + 180, 360) - 180).abs()
    C, C_after = (torch.stack(x).norm(dim=0) for x in (ab, ab_after))
    sure = (C > NOTHING * (L + 16)) & (C_after > NOTHING * (L_after + 16))
    off = off[sure] if bool(sure.any()) else off.new_zeros(1)
    return float(off.mean()), float(off.quantile(0.95)), float(C.mean()), float(C_after.mean())


def hue(styles: Sequence[Path], portraits: Sequence[Path]) -> None:
    header("portrait", "style", "free: mean", "95 %", "chroma", "natural: mean", "95 %", "chroma")
    for path in portraits:
        image = fit(load_image(path), SIZE)
        where = skin_of(image)
        for style in styles:
            S = load_image(style)
            free, natural = (turned(image, transfer(image, S, skin=skin), where) for skin in ("free", "natural"))
            figures = [[f"{mean:.1f}°", f"{most:.1f}°", f"{C:.0f} → {D:.0f}"] for mean, most, C, D in (free, natural)]
            row(path.stem, style.stem, *figures[0], *figures[1])


def shades(style: Path, portraits: Sequence[Path]) -> None:
    header("portrait", "shade", "sure of the face", "IoU of its skin", "free: mean", "natural: mean", "95 %")
    S = load_image(style)
    for path in portraits:
        image = fit(load_image(path), SIZE)
        skin = find_skin(image)
        assert skin is not None
        mask = resize(skin.mask[None], image.shape[1:])[0]
        for name, shade in SHADES.items():
            other = shaded(image, mask, shade)
            sure = max((face.sure for face in find_faces(other, 0.3)), default=0.0)
            again = find_skin(other)
            both = (skin.mask, again.mask if again else torch.zeros_like(skin.mask))
            iou = float(torch.minimum(*both).sum() / torch.maximum(*both).sum())
            where = skin_of(other)
            free, kept = (turned(other, transfer(other, S, skin=skin), where) for skin in ("free", "natural"))
            row(path.stem, name, f"{sure:.2f}", f"{iou:.2f}", f"{free[0]:.1f}°", f"{kept[0]:.1f}°", f"{kept[1]:.1f}°")


def false(photographs: Sequence[Path]) -> None:
    header("photograph", "like a face")
    for path in photographs:
        if faces := find_faces(load_image(path), 0.3):
            row(path.stem, ", ".join(f"{face.sure:.2f}" for face in faces))
    print(f"\nof {len(photographs)} photographs")


def time(portrait: Path) -> None:
    header("photograph", "faces, s", "skin, s", "whole transfer with skin free, s")
    for name, shape in (("700 px", (525, 700)), ("24 megapixels", (4000, 6000))):
        image = resize(load_image(portrait), shape)
        works = (partial(find_faces, image), partial(find_skin, image), partial(transfer, image, image, skin="free"))
        row(name, *(f"{median_seconds(work, 1):.2f}" for work in works))


def main(what: str, *names: str) -> None:
    if what in ("false", "time"):
        paths = [Path(name) for name in names]
        return false(paths) if what == "false" else time(*paths)
    cut = names.index("--")
    styles, portraits = ([Path(name) for name in part] for part in (names[:cut], names[cut + 1 :]))
    return hue(styles, portraits) if what == "hue" else shades(*styles, portraits)


if __name__ == "__main__":
    torch.manual_seed(0)
    main(*sys.argv[1:])
