"""Processor seconds and peak of memory of a painter at a size: python benchmarks/painting.py doodle|mrf SIZE [QUALITY]

The content is enlarged to that size, if need be. Works with earlier versions too, found by PYTHONPATH, for ratios.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

from photostyle import doodle, load_image, load_maps, transfer
from photostyle.image import fit

ROOT = Path(__file__).resolve().parents[1]
SUNSET, GALLERY = ROOT / "examples" / "meadow-sunset", ROOT / "docs" / "gallery"


def main() -> None:
    name, size, quality = sys.argv[1], int(sys.argv[2]), (sys.argv[3:] or ["standard"])[0]
    style, content = load_image(SUNSET / "style.jpg"), load_image(SUNSET / "content.jpg")
    maps = load_maps(SUNSET / "style_regions.png", GALLERY / "doodle-map.png")
    began = time.process_time()
    if name == "doodle":
        made = doodle(style, maps.style, maps.target, size=size, quality=quality)
    else:
        made = transfer(fit(content, size, enlarge=True), style, recipe=name, size=size, quality=quality)
    spent, peak = time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # Linux: kB
    print(f"{name}, {quality}, {made.shape[2]}×{made.shape[1]}: {spent:.1f} s of processor, {peak:.0f} MB")


if __name__ == "__main__":
    main()
