"""`photostyle matte`: cut something out of a photograph, hairs and all."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from photostyle.cli.options import Bits, JpegQuality, Profile, Quiet, StripMetadata, saving


def matte(
    photograph: Annotated[
        Path, typer.Argument(metavar="PHOTO", help="The photograph to cut out of.", show_default=False)
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The matte: white foreground.", show_default=False)
    ],
    trimap: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What is known: white foreground, black background, grey unknown."),
    ] = None,
    scribbles: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="White strokes on the foreground, black ones on the background, painted over a copy of the "
            "photograph, over grey, or on a transparent layer.",
        ),
    ] = None,
    foreground: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the foreground too, with transparency: .png, .tif or .webp."),
    ] = None,
    background: Annotated[
        Path | None,
        typer.Option(metavar="PHOTO", help="A new background for --composite, cropped to the photograph's shape."),
    ] = None,
    composited: Annotated[
        Path | None,
        typer.Option("--composite", metavar="FILE", help="Write the foreground over --background."),
    ] = None,
    device: Annotated[str, typer.Option(metavar="auto|cpu|cuda|mps", help="Where to compute.")] = "auto",
    jpeg_quality: JpegQuality = None,
    bits: Bits = None,
    profile: Profile = None,
    strip_metadata: StripMetadata = False,
    quiet: Quiet = False,
) -> None:
    """Find how much of each pixel is foreground, by closed-form matting from a trimap or scribbles.

    The matte is a grey image of the photograph's size and depth. The cut-out and the composite have the foreground's
    own colours, without those of the old background that shine through hair and glass. They keep the photograph's
    depth, colour profile, EXIF, XMP and resolution.
    """
    from photostyle.cli.progress import Report
    from photostyle.jobs.matte import Matte

    if (trimap is None) == (scribbles is None):
        raise typer.BadParameter("give one of the two.", param_hint="--trimap / --scribbles")
    if (background is None) != (composited is None):
        raise typer.BadParameter("give both or neither.", param_hint="--background / --composite")
    if foreground and foreground.suffix.lower() in (".jpg", ".jpeg"):
        raise typer.BadParameter("JPEG has no transparency: name a .png.", param_hint="--foreground")
    options = saving(jpeg_quality, bits, profile, strip_metadata)
    job = Matte(photograph, output, trimap, scribbles, foreground, background, composited, device, options)
    sentence = job.run(Report(quiet))
    if not quiet:
        typer.echo(sentence)
