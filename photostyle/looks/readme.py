"""What goes with a pack: how to stack its tables and masks in the programs that people have."""

from __future__ import annotations

from collections.abc import Sequence

from photostyle._version import __version__
from photostyle.looks.held import Held
from photostyle.tables.spaces import SPACES

_HEAD = """\
A look in {count}, from photostyle {version}

{files}

The tables take and give {space}, full range.
The masks belong to one photograph: white is where a table is at work.{holds}

How to stack them: the first table goes on the whole photograph, at the bottom. Each other table goes
on the photograph too, not on the result below, and is laid over it through its own mask. So the bottom
needs no mask; its file is there to show where the first region is.
"""

_GIMP = """
GIMP with G'MIC (gmic.eu)
  1. Open the photograph, which is in {space}, and
     duplicate its layer once for each further table (Layer > Duplicate Layer).
  2. On each layer, from the bottom up: Filters > G'MIC-Qt…, Colors > Apply External CLUT, choose the .cube.
  3. On each but the bottom one: Layer > Mask > Add Layer Mask…; open the mask's file, copy it, and paste
     it into the layer mask.
  4. Right-click each layer > Composite Space > RGB (perceptual), which is how the look was mixed.
"""

_PHOTOSHOP = """
Photoshop
  1. The photograph is in {space}: Edit > Convert to Profile….
     Duplicate its layer once for each further table.
  2. Above each layer: Layer > New Adjustment Layer > Color Lookup…, tick "Use Previous Layer to Create
     Clipping Mask"; in Properties choose 3DLUT File > Load 3D LUT… and the .cube.
  3. On each photograph but the bottom one: Layer > Layer Mask > Reveal All; Alt-click the mask, and paste
     the picture of the mask into it.
"""

_RESOLVE = """
DaVinci Resolve, Color page
  1. The timeline is in {space}. Copy the .cube
     files into the folder that Project Settings > Color Management > Open LUT Folder shows, and click
     Update Lists.
  2. In the Media Pool, attach each mask but the first to the clip: Add as Matte.
  3. One node for each table, all fed by the source, joined in a Layer Mixer, the first at the bottom.
     Right-click a node > LUT for its table, and Add Matte for its mask, led into the node's key input.
"""

_DARKTABLE = """
darktable (5.2 or newer, for the masks)
  1. In preferences > processing name the folder of the tables (3D lut root folder), and that of the masks.
     It reads masks as .pfm: ffmpeg -i {mask}.png -pix_fmt grayf32le {mask}.pfm
  2. One instance of external raster masks for each mask, one of lut 3D for each table, with sRGB as its
     application color space and the mask of its region, the first too, as its raster mask.
  Instances work on each other's results: borders between regions come out a little otherwise.
"""

_SECTIONS = {  # a shaper, and darktable's own choice of spaces, are not for all
    _GIMP: ("srgb", "display-p3", "rec709"),
    _PHOTOSHOP: ("srgb", "display-p3", "rec709"),
    _RESOLVE: tuple(SPACES),
    _DARKTABLE: ("srgb",),
}


def readme(names: Sequence[str], stems: Sequence[str], space: str, holds: Held | None) -> str:
    """The text for a pack of regions with these names, in files with these stems, and what it holds, if known."""
    files = "\n".join(f"  {stem}.cube  {stem}.png  {name}" for stem, name in zip(stems, names, strict=True))
    text = _HEAD + "".join(section for section, spaces in _SECTIONS.items() if space in spaces)
    return text.format(
        count=f"{len(names)} regions" if len(names) > 1 else "one region",
        version=__version__,
        files=files,
        space=SPACES[space].words,
        holds=f"\nOn that photograph the pack holds {holds}." if holds else "",
        mask=stems[-1],
    )
