"""`photostyle texture`: more of a sample, seamless if that is wanted."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from photostyle.cli.options import EXTENSIONS, Bits, JpegQuality, Profile, Quiet, StripMetadata, saving


def texture(
    sample: Annotated[
        Path, typer.Argument(metavar="SAMPLE", help="A photograph of the texture alone.", show_default=False)
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FILE", help=f"The file to write: {EXTENSIONS}.", show_default=False),
    ],
    size: Annotated[
        str, typer.Option(metavar="WxH", help="Width and height of the result in pixels, as 1024x512.")
    ] = "1024x1024",
    tileable: Annotated[
        bool, typer.Option("--tileable", help="A tile that can be laid beside itself without a seam.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Another number, another picture.")] = 0,
    jpeg_quality: JpegQuality = None,
    bits: Bits = None,
    profile: Profile = None,
    strip_metadata: StripMetadata = False,
    quiet: Quiet = False,
) -> None:
    """Make a texture of any size from a sample of it, of the sample's own pixels.

    Things stay as large as they are in the sample. No network is needed.
    """
    from photostyle.cli.progress import Report
    from photostyle.jobs.texture import Texture

    sides = re.fullmatch(r"(\d{1,6})[x×](\d{1,6})", size.strip().lower())
    if not sides:
        raise typer.BadParameter("give width and height in pixels, as 1024x512.", param_hint="--size")
    width, height = map(int, sides.groups())
    options = saving(jpeg_quality, bits, profile, strip_metadata)
    sentence = Texture(sample, output, width, height, tileable, seed, options).run(Report(quiet))
    if not quiet:
        typer.echo(sentence)
