"""`photostyle apply`: a look, or a table, on photographs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from photostyle.cli.options import (
    Bits,
    JpegQuality,
    MostPixels,
    Profile,
    Quiet,
    StripMetadata,
    TableSpace,
    pixels,
    saving,
)


def apply(
    look: Annotated[
        Path,
        typer.Argument(
            metavar="LOOK",
            help="A look, from `photostyle transfer --save-look`, or a table: .cube, .3dl or a Hald image.",
            show_default=False,
        ),
    ],
    photos: Annotated[
        list[Path],
        typer.Argument(
            metavar="PHOTO",
            help="Photographs; for a look of another recipe than photo, frames of the same scene and framing.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="OUT", help="The file for a single photograph, or a folder.", show_default=False
        ),
    ],
    strength: Annotated[
        float, typer.Option(min=0, max=1, metavar="X", help="How far to go from the photograph (0) to the look (1).")
    ] = 1.0,
    space: TableSpace = None,
    regions: Annotated[
        Path | None,
        typer.Option(
            metavar="LABELS",
            help="Label image of the photograph: where the look's regions are, in the colours of their names.",
        ),
    ] = None,
    match: Annotated[
        str | None,
        typer.Option(metavar="A=B[,…]", help="Give region A of the photograph the map of the look's region B."),
    ] = None,
    jpeg_quality: JpegQuality = None,
    bits: Bits = None,
    profile: Profile = None,
    strip_metadata: StripMetadata = False,
    most_pixels: MostPixels = None,
    quiet: Quiet = False,
) -> None:
    """Give a LOOK, or a table, to photographs.

    On other frames of the scene that it was found on, a look's regions lie where they did. In another scene they are
    found by what they show, and the command reports them.

    In a folder each result has the name of its photograph, with .jpg for a format that is not written. Failures are
    listed, and all other photographs are done.
    """
    from photostyle import PhotostyleError
    from photostyle.cli.progress import Report
    from photostyle.cli.tell import tell
    from photostyle.jobs.apply import Apply
    from photostyle.regions.corrections import read_match

    failed = False
    options = saving(jpeg_quality, bits, profile, strip_metadata)
    job = Apply(strength, options, pixels(most_pixels), regions, read_match(match or ""))
    for outcome in job.to_files(look, photos, output, Report(quiet), space):
        if isinstance(outcome, PhotostyleError):
            failed = True
            tell(outcome)
        elif not quiet:
            typer.echo(f"Wrote {outcome}.")
    if failed:
        raise typer.Exit(2)
