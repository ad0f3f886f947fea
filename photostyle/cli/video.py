"""`photostyle video`: a clip with the look of a photograph."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from photostyle.cli.options import Device, Quiet, Verbose


def video(
    clip: Annotated[Path, typer.Argument(metavar="CLIP", help="The clip to change.", show_default=False)],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="FILE", help="The clip to write: .mp4, .mov, .mkv or .webm.", show_default=False
        ),
    ],
    style: Annotated[Path | None, typer.Option(metavar="PHOTO", help="The photograph whose look is wanted.")] = None,
    look: Annotated[
        Path | None, typer.Option(metavar="LOOK", help="A look instead, from `photostyle transfer --save-look`.")
    ] = None,
    at: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="SECONDS",
            help="Find the look on the frame at this time, instead of on the most typical one.",
        ),
    ] = None,
    per_scene: Annotated[
        bool, typer.Option("--per-scene", help="Find a look for each scene, instead of one for all.")
    ] = False,
    regions: Annotated[
        Literal["auto", "learned", "none"],
        typer.Option(
            help="How regions are found: by what networks see, by a model that names what it sees, or not at all."
        ),
    ] = "auto",
    strength: Annotated[
        float, typer.Option(min=0, max=1, metavar="X", help="How far to go from the clip (0) to the look (1).")
    ] = 1.0,
    device: Device = None,
    codec: Annotated[
        str, typer.Option(metavar="NAME", help="How to encode: h264, h265, av1, vp9, prores or ffv1.")
    ] = "h264",
    quality: Annotated[
        int | None,
        typer.Option(metavar="N", help="Quality of the codec; less is better and larger. 18 by default for h264."),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Speed of the codec, from ultrafast to veryslow; fast by default."),
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder for finished parts; by default one beside the output."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue an interrupted run of the same command.")] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Give a clip the look of a photograph: one look for all frames, found on one of them.

    Sound, subtitles, frame times and colour tags are kept. Ctrl-C leaves the frames so far as a clip.
    """
    from photostyle.cli.options import given
    from photostyle.cli.progress import Report
    from photostyle.video import grade_clip

    done = grade_clip(
        clip,
        output,
        style=style,
        look=look,
        at=at,
        per_scene=per_scene,
        regions=regions,
        strength=strength,
        codec=codec,
        quality=quality,
        preset=preset,
        checkpoint=checkpoint,
        resume=resume,
        report=Report(quiet, verbose),
        **given(device=device),
    )
    if not quiet:
        size = f"{done.width}×{done.height} pixels"
        typer.echo(f"Wrote {done.output}: {done.frames} frames of {size} in {done.seconds:.0f} s.")
