"""`photostyle matte`: cut something out of a photograph, hairs and all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from photostyle.cli.commands import Bits, JpegQuality, Profile, Quiet, StripMetadata, saving

if TYPE_CHECKING:
    from torch import Tensor


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
        typer.Option(metavar="PHOTO", help="A new background for --composite, cut to the photograph's shape."),
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
    """Find how much of each pixel is foreground: closed-form matting from a trimap or from scribbles.

    The matte is a grey image of the photograph's size and depth. The cut-out and the composite have the foreground's
    own colours, without those of the old background that shine through hair and glass, and are photographs as the
    one that was given: of its depth, in its colour profile, with its EXIF, XMP and resolution.
    """
    from dataclasses import replace

    from photostyle import (
        Photograph,
        check_writable,
        composite,
        find_alpha,
        find_device,
        find_foreground,
        load_image,
        load_photograph,
        save_photograph,
        trimap_from_scribbles,
    )
    from photostyle.cli.progress import Report
    from photostyle.files import keep_inputs
    from photostyle.jobs import memory
    from photostyle.jobs.job import load_seen
    from photostyle.matting.trimaps import load_trimap

    if (trimap is None) == (scribbles is None):
        raise typer.BadParameter("give one of the two.", param_hint="--trimap / --scribbles")
    if (background is None) != (composited is None):
        raise typer.BadParameter("give both or neither.", param_hint="--background / --composite")
    if foreground and foreground.suffix.lower() in (".jpg", ".jpeg"):
        raise typer.BadParameter("JPEG has no transparency: name a .png.", param_hint="--foreground")
    outputs = [path for path in (output, foreground, composited) if path]
    if len({path.resolve() for path in outputs}) < len(outputs):
        raise typer.BadParameter("two results have the same name.", param_hint="--output")
    keep_inputs(outputs, [path for path in (photograph, trimap, scribbles, background) if path])
    for path in outputs:
        check_writable(path)

    report = Report(quiet)
    place = find_device(device)
    taken = load_seen(photograph)
    image = taken.filled().to(place)
    for note in taken.notes:
        report.note(f"Note: {note}")
    memory.check_room("matte", image.shape[1:], place)
    if trimap:
        known, notes = load_trimap(trimap, (image.shape[1], image.shape[2]))
        known = known.to(place)
        for note in notes:
            report.note(f"Note: {note}")
    else:
        assert scribbles is not None
        layer = load_photograph(scribbles)
        opacity = None if layer.alpha is None else layer.alpha[0].to(place)
        known = trimap_from_scribbles(layer.pixels.to(place), image, opacity)
    new = load_image(background).to(place) if background else None  # before the long work: it may be missing

    alpha = find_alpha(image, known)
    if taken.alpha is not None:  # what was not there is not cut out
        alpha = alpha * taken.alpha[0].to(alpha)
    options = saving(jpeg_quality, bits, profile, strip_metadata)
    # how much of a pixel is there is no colour: of the photograph it has what does not belong to colours
    plan = Photograph(image, bits=taken.bits, resolution=taken.resolution)
    said = [*save_photograph(alpha.expand(3, -1, -1), output, like=plan, **options)]
    if foreground or composited:
        colors, _ = find_foreground(image, alpha)
        if foreground:
            said += save_photograph(colors, foreground, like=replace(taken, alpha=alpha[None].cpu()), **options)
        if composited and new is not None:
            laid = composite(colors, alpha, _cover(new, *alpha.shape))
            said += save_photograph(laid, composited, like=replace(taken, alpha=None), **options)
    for note in said:
        report.note(f"Note: {note}")
    if not quiet:
        typer.echo(f"Wrote {', '.join(map(str, outputs))}.")


def _cover(image: Tensor, height: int, width: int) -> Tensor:
    """The middle of a picture (3×H×W), as large as it can be, at another size and shape."""
    from photostyle import resize

    _, H, W = image.shape
    scale = max(height / H, width / W)
    h, w = max(height, round(H * scale)), max(width, round(W * scale))
    top, left = (h - height) // 2, (w - width) // 2
    return resize(image, (h, w))[:, top : top + height, left : left + width]
