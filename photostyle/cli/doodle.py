"""`photostyle doodle`: from a map painted over a photograph and another map to a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from photostyle.cli.commands import (
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
    saving,
)

if TYPE_CHECKING:
    from torch import Tensor


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
    from dataclasses import asdict
    from time import monotonic

    from photostyle import (
        __version__,
        check_writable,
        doodle_steps,
        find_device,
        find_recipe,
        load_maps,
        load_weights,
        make_settings,
        save_photograph,
    )
    from photostyle.cli.progress import Report
    from photostyle.descent.checkpoint import digest
    from photostyle.files import keep_inputs
    from photostyle.image import fit_size, resize
    from photostyle.jobs import memory
    from photostyle.jobs.job import follow, given, have_weights, kept, load_seen, partial_of
    from photostyle.recipes.tint import find_tint

    check_resume(checkpoint, resume)
    began, report, partial = monotonic(), Report(quiet), partial_of(output)
    files = given(style=style, style_map=style_map, target_map=target_map, content=content)
    check_writable(output)
    keep_inputs([output, partial], [*files.values(), *([weights_path] if weights_path else [])])
    options = given(quality=quality, backbone=backbone, weights_path=weights_path, pooling=pooling, device=device)
    chosen = (doodle_steps.__kwdefaults__ or {}) | options
    values = asdict(make_settings(find_recipe("doodle"), ctx.meta["settings"], chosen["quality"]))
    photographs = {role: load_seen(path) for role, path in files.items() if role in ("style", "content")}
    images = {role: photograph.filled() for role, photograph in photographs.items()}
    painted = load_maps(style_map, target_map, maps)
    for note in (*(note for photograph in photographs.values() for note in photograph.notes), *painted.notes):
        report.note(f"Note: {note}")
    if painted.labels:
        report.note(f"Labels: {', '.join(painted.labels)}.")
    else:
        report.note("The maps are read as colours: what is painted in similar ones is similar.")
    if note := find_tint([images["style"]]).note:
        report.note(f"Note: {note}")
    if weights_path:
        load_weights(chosen["backbone"], weights_path)
    else:
        have_weights(chosen["backbone"], report)
    free = memory.free_memory(find_device(chosen["device"]))
    height, width = painted.target.shape[1:]
    height, width = fit_size(height, width, values["size"], enlarge="content" not in images)
    size = memory.size_that_fits("doodle", (height, width), values["size"], free)
    if size != values["size"]:
        report.note(f"Note: --size {values['size']} needs more memory than is free; it is lowered to {size}.")
        values["size"] = size
    facts = {
        "recipe": "doodle",
        "maps": "labels" if painted.labels else "colors",
        **{key: chosen[key] for key in ("quality", "backbone", "pooling")},
        "settings": values,
        "seed": values["seed"],
        "version": __version__,
        # without their folders: the picture may be shown to others
        **{role: path.name for role, path in files.items()},
    }
    keeper = None
    if checkpoint:
        pixels = {role: digest(image) for role, image in images.items()}
        pixels |= {"style_map": digest(painted.style), "target_map": digest(painted.target)}
        network = {key: facts[key] for key in ("recipe", "backbone", "pooling", "version")}
        network["weights"] = str(weights_path.resolve()) if weights_path else ""
        keeper = kept(checkpoint, network | pixels | values, report, resume=resume)
    kind: dict[str, Any] = {"like": photographs.get("content"), **saving(jpeg_quality, bits, profile, strip_metadata)}
    steps = doodle_steps(images["style"], painted.style, painted.target, images.get("content"), **chosen, **values)

    def save_partial(image: Tensor) -> None:
        image = resize(image, fit_size(height, width, values["size"]))  # an early step is smaller than the result
        save_photograph(image, partial, note=facts | {"partial": True}, **kind)

    result = follow(steps, report, partial, save_partial, keeper=keeper)
    for said in save_photograph(result, output, note=facts, dither=True, **kind):
        report.note(f"Note: {said}")
    if keeper:
        keeper.clear()
    height, width = result.shape[1:]
    if not quiet:
        typer.echo(f"Wrote {output}: {width}×{height} pixels in {monotonic() - began:.1f} s.")
