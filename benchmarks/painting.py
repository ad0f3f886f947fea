"""Processor seconds of a painter at a size: python benchmarks/painting.py doodle|mrf SIZE [QUALITY]

Works with earlier versions too, found by PYTHONPATH, for ratios.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from photostyle import doodle, load_image, load_maps, transfer

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
        made = transfer(content, style, recipe=name, size=size, quality=quality)
    print(f"{name}, {quality}, {made.shape[2]}×{made.shape[1]}: {time.process_time() - began:.1f} s of processor")


if __name__ == "__main__":
    main()
