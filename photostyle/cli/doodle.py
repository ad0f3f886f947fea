"""`photostyle doodle`: from a map painted over a photograph and another map to a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from photostyle.cli.options import (
    EXTENSIONS,
    Backbone,
    Bits,
    CheckpointFolder,
    Device,
    Dial,
    JpegQuality,
    Pooling,
    Profile,
    Quiet,
    Resume,
    StripMetadata,
    Style,
    Verbose,
    WeightsPath,
    check_resume,
    given,
    saving,
)


def doodle(
    ctx: typer.Context,
    style: Style,
    style_map: Annotated[
        Path,
        typer.Argument(metavar="STYLE_MAP", help="Painted over STYLE: what is where in it.", show_default=False),
    ],
    target_map: Annotated[
        Path,
        typer.Argument(
            metavar="TARGET_MAP", help="In the same colours: what should be where in the result.", show_default=False
        ),
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FILE", help=f"The file to write: {EXTENSIONS}.", show_default=False),
    ],
    content: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A photograph whose content is kept; TARGET_MAP is then painted over it."),
    ] = None,
    maps: Annotated[
        Literal["auto", "labels", "colors"],
        typer.Option(
            help="Whether each flat colour means a thing of its own (labels) or similar colours mean similar things."
        ),
    ] = "auto",
    quality: Dial = None,
    backbone: Backbone = None,
    weights_path: WeightsPath = None,
    pooling: Pooling = None,
    device: Device = None,
    checkpoint: CheckpointFolder = None,
    resume: Resume = False,
    jpeg_quality: JpegQuality = None,
    bits: Bits = None,
    profile: Profile = None,
    strip_metadata: StripMetadata = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Make a picture laid out like TARGET_MAP from the parts of STYLE that STYLE_MAP marks.

    Paint both maps in any editor, and use the same colour for what means the same. Every setting of the recipe is an
    option too, for example --size 512 --seed 3: `photostyle recipes doodle` lists them with their defaults. With
    --content the result keeps that photograph's depth, colour profile and EXIF.
    """
    from photostyle.cli.progress import Report
    from photostyle.jobs.doodle import Doodle
    from photostyle.jobs.run import Kept
    from photostyle.network.network import Network

    check_resume(checkpoint, resume)
    job = Doodle(
        style,
        style_map,
        target_map,
        output,
        content,
        maps,
        settings=ctx.meta["settings"],
        network=Network(**given(backbone=backbone, weights_path=weights_path, pooling=pooling, device=device)),
        saving=saving(jpeg_quality, bits, profile, strip_metadata),
        kept=Kept(checkpoint, resume),
        **given(quality=quality),
    )
    sentence = job.run(Report(quiet, verbose))
    if not quiet:
        typer.echo(sentence)
