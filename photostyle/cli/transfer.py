"""`photostyle transfer`: one photograph with the look of another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from photostyle.cli.options import (
    EXTENSIONS,
    Backbone,
    Bits,
    CheckpointFolder,
    Content,
    ContentRegions,
    Device,
    Dial,
    Drop,
    JpegQuality,
    Match,
    MostPixels,
    Pooling,
    Profile,
    Quiet,
    RegionsModel,
    Resume,
    SoftMasks,
    StripMetadata,
    StyleRegions,
    Verbose,
    WeightsPath,
    check_resume,
    given,
    pixels,
    saving,
)


def transfer(
    ctx: typer.Context,
    content: Content,
    styles: Annotated[
        list[Path],
        typer.Argument(
            metavar="STYLE", help="The photograph whose look is wanted; gatys takes several.", show_default=False
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help=f"The file to write: {EXTENSIONS}; - for standard output.",
            show_default=False,
        ),
    ],
    regions: Annotated[
        Literal["auto", "learned", "none"] | None,
        typer.Option(
            help="How to find what belongs together: by what networks see (auto; the default without label "
            "images), by a model that names what it sees (learned), or not at all (none)."
        ),
    ] = None,
    regions_model: RegionsModel = None,
    content_regions: ContentRegions = None,
    style_regions: StyleRegions = None,
    soft_masks: SoftMasks = False,
    match: Match = None,
    drop: Drop = None,
    recipe: Annotated[
        str | None, typer.Option(metavar="NAME", help="The recipe; `photostyle recipes` lists them.")
    ] = None,
    quality: Dial = None,
    size: Annotated[
        int | None, typer.Option(metavar="N", help="Long side at which the recipe works, in pixels.")
    ] = None,
    steps: Annotated[int | None, typer.Option(metavar="N", help="Steps of the recipe's descent.")] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", help="Seed of the recipe's noise.")] = None,
    strength: Annotated[
        str | None,
        typer.Option(
            metavar="X[,X…]",
            help="How far to go from the content (0) to the result (1); several numbers write one file each.",
        ),
    ] = None,
    backbone: Backbone = None,
    weights_path: WeightsPath = None,
    pooling: Pooling = None,
    device: Device = None,
    preview_every: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Save the image of every N-th step as a preview.")
    ] = None,
    preview_dir: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder for the previews; by default one beside the output."),
    ] = None,
    save_look: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the look too, a .safetensors for `photostyle apply`.")
    ] = None,
    checkpoint: CheckpointFolder = None,
    resume: Resume = False,
    jpeg_quality: JpegQuality = None,
    bits: Bits = None,
    profile: Profile = None,
    strip_metadata: StripMetadata = False,
    most_pixels: MostPixels = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Give the CONTENT photograph the look of the STYLE photograph.

    Every setting of the recipe is an option too, for example --content-weight 0.1:
    `photostyle recipes NAME` lists them with their defaults.
    """
    from photostyle.cli.progress import Report
    from photostyle.jobs.pair import Pair
    from photostyle.jobs.run import Kept, Previews
    from photostyle.jobs.transfer import Transfer
    from photostyle.network.network import Network
    from photostyle.regions.corrections import read_match, read_names

    if preview_dir and not preview_every:
        raise typer.BadParameter("it needs --preview-every.", param_hint="--preview-dir")
    if regions and (content_regions or style_regions):
        raise typer.BadParameter("label images are given: leave one or the other out.", param_hint="--regions")
    if regions_model and regions != "learned":
        raise typer.BadParameter("it is for --regions learned.", param_hint="--regions-model")
    check_resume(checkpoint, resume)
    if str(output) == "-":
        if preview_every and not preview_dir:
            raise typer.BadParameter("name a --preview-dir, for there is no output file.", param_hint="--preview-every")
        if strength and "," in strength:
            raise typer.BadParameter("several strengths are several files: name the output.", param_hint="--strength")
    previews = preview_dir or output.with_name(f"{output.stem}-previews")
    job = Transfer(
        Pair(
            content, styles, content_regions, style_regions, read_match(match or ""), read_names(drop or ""), soft_masks
        ),
        output,
        settings=given(size=size, steps=steps, seed=seed) | ctx.meta["settings"],
        network=Network(**given(backbone=backbone, weights_path=weights_path, pooling=pooling, device=device)),
        guide=regions or "auto",
        model=regions_model,
        strengths=_strengths(strength) if strength is not None else (1.0,),
        look=save_look,
        saving=saving(jpeg_quality, bits, profile, strip_metadata),
        most_pixels=pixels(most_pixels),
        previews=Previews(previews, preview_every) if preview_every else None,
        kept=Kept(checkpoint, resume),
        **given(recipe=recipe, quality=quality),
    )
    sentence = job.run(Report(quiet, verbose))
    if not quiet:
        typer.echo(sentence, err=str(output) == "-")


def _strengths(text: str) -> list[float]:
    """The numbers of a list with commas between."""
    try:
        strengths = [float(number) for number in text.split(",")]
    except ValueError:
        strengths = []
    if not strengths or not all(0 <= strength <= 1 for strength in strengths):
        raise typer.BadParameter(f"{text!r} should be numbers from 0 to 1, as in 0.3,0.6,1.", param_hint="--strength")
    if len(set(strengths)) < len(strengths):
        raise typer.BadParameter(f"{text!r} names a number twice.", param_hint="--strength")
    return strengths
