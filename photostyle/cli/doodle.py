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
        typer.Argument(metavar="STYLE_MAP", help="Painted over it: what is where in STYLE.", show_default=False),
    ],
    target_map: Annotated[
        Path,
        typer.Argument(metavar="TARGET_MAP", help="In the same colours: what is to be where.", show_default=False),
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FILE", help=f"The file to write: {EXTENSIONS}.", show_default=False),
    ],
    content: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A photograph to keep the content of; TARGET_MAP is painted over it then."),
    ] = None,
    maps: Annotated[
        Literal["auto", "labels", "colors"],
        typer.Option(
            help="Whether each flat colour is a thing of its own (labels) or similar colours mean similar things."
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
) -> None:
    """Make a picture laid out as TARGET_MAP says, of what STYLE_MAP says that it is in STYLE.

    Paint both maps in any editor, what means the same in the same colour. Every setting of the recipe is
    an option too, for example --size 512 --seed 3: `photostyle recipes doodle` lists them with their defaults.
    With --content the result is a photograph as that one: of its depth, in its colour profile, with its EXIF.
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
    sentence = job.run(Report(quiet))
    if not quiet:
        typer.echo(sentence)
