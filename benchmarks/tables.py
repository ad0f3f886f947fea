"""Measures how much of looks one table holds, and how much a pack of a table and a mask for each region.

    python benchmarks/tables.py ../shared/dpst-pairs examples [--quality draft]

Each pair is a folder with content and style and the label images content_regions.png and style_regions.png. The default
recipe finds the look of the style for the content; what tables of 17, 33 and 65 nodes along each axis and a pack of 33
give on the content is compared with the result, by mean ΔE2000. "untouched" is the content itself. Shares are
1 − mean ΔE / that of the untouched. "gain" is the steepest slope of the table of 33.
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path

from photostyle import held, load_image, load_regions, look_table, make_look
from photostyle.bench.run import find_pairs
from photostyle.color.difference import delta_e
from photostyle.image import fit
from photostyle.looks.pack import regional_tables
from photostyle.looks.sight import LONG_SIDE, see


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--quality", default="standard")
    arguments = parser.parse_args()
    shares: dict[str, list[float]] = {"17": [], "33": [], "65": [], "pack": []}
    print("| pair | regions | untouched | 17³ | 33³ | 65³ | pack | table holds | pack holds | gain |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for pair in (pair for folder in arguments.folders for pair in find_pairs(folder)):
        content, style = fit(load_image(pair.files["content"]), LONG_SIDE), load_image(pair.files["style"])
        regions = load_regions(pair.files["content_regions"], pair.files["style_regions"])
        look = make_look(content, style, regions, quality=arguments.quality)
        sight = see(look, content)
        made = {str(size): look_table(look, content, size=size) for size in (17, 33, 65)}
        results = {name: table.apply(content) for name, table in made.items()}
        results["pack"] = regional_tables(sight, content, 33, "srgb", "").apply(content)
        figures = {name: held(content, sight.after, result) for name, result in results.items()}
        for name, figure in figures.items():
            shares[name].append(figure.share)
        cells = [f"{figure.mean:.1f}" for figure in figures.values()]
        cells += [f"{figures[name].share:.0%}" for name in ("33", "pack")]
        untouched = float(delta_e(content, sight.after).mean())
        gain = made["33"].color_map().gain()
        print(f"| {pair.name} | {len(look.names)} | {untouched:.1f} | {' | '.join(cells)} | {gain:.1f} |", flush=True)
    for word, summary in (("mean", statistics.mean), ("median", statistics.median), ("worst", min)):
        print(word, ", ".join(f"{name}: {summary(values):.1%}" for name, values in shares.items()))


if __name__ == "__main__":
    main()
