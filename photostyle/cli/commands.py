"""The commands that make, judge and explain pictures. What they import, they import when they run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from photostyle.cli.settings import facts_of, option, values

EXTENSIONS = ".jpg, .png, .tif, .webp, .avif or .heic"

Content = Annotated[Path, typer.Argument(metavar="CONTENT", help="The photograph to change.", show_default=False)]
Style = Annotated[
    Path, typer.Argument(metavar="STYLE", help="The photograph whose look is wanted.", show_default=False)
]
ContentRegions = Annotated[
    Path | None,
    typer.Option(metavar="PNG", help="Label image of the content: one flat colour for each region."),
]
StyleRegions = Annotated[
    Path | None,
    typer.Option(metavar="PNG", help="Label image of the style: the same colours for what belongs together."),
]
SoftMasks = Annotated[
    bool, typer.Option("--soft-masks", help="Take blends in label images, as feathers, for parts of two regions.")
]
RegionsModel = Annotated[
    str | None, typer.Option(metavar="NAME", help="The model of learned regions: a name on the hub, or a folder.")
]
Match = Annotated[
    str | None,
    typer.Option(metavar="A=B[,…]", help="Give the content's region A the look of the style's region B."),
]
Drop = Annotated[str | None, typer.Option(metavar="A[,…]", help="Do not pair these regions.")]
Dial = Annotated[
    Literal["draft", "standard", "best"] | None,
    typer.Option(help="From a preview in a moment to the most that the recipe can do."),
]
Backbone = Annotated[
    str | None, typer.Option(metavar="NAME", help="The network; `photostyle weights list` lists them.")
]
WeightsPath = Annotated[
    Path | None, typer.Option(metavar="FILE", help="The network's original weights, to be used instead of the cache.")
]
Pooling = Annotated[
    Literal["average", "max", "rescaled"] | None, typer.Option(help="How the network goes from fine to coarse.")
]
Device = Annotated[str | None, typer.Option(metavar="auto|cpu|cuda|mps", help="Where to compute.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
JpegQuality = Annotated[
    int | None, typer.Option(min=1, max=100, metavar="N", help="Quality of JPEG, WebP, AVIF and HEIC.")
]
Bits = Annotated[
    Literal["8", "16"] | None,
    typer.Option(help="Bits per channel of PNG and TIFF: those of the photograph if not given."),
]
Profile = Annotated[
    Literal["keep", "srgb"] | None, typer.Option(help="The colour profile: the photograph's own, or sRGB.")
]
StripMetadata = Annotated[
    bool, typer.Option("--strip-metadata", help="Write no EXIF, no XMP and no note on how it was made.")
]
MostPixels = Annotated[
    float | None,
    typer.Option(min=0.001, metavar="MEGAPIXELS", help="Refuse larger photographs: 200 if not given."),
]
CheckpointFolder = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Keep in this folder, once a minute, how far the descent is.")
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on from the --checkpoint of an interrupted run, to the same pixels.")
]
TableSpace = Annotated[
    Literal["srgb", "linear", "display-p3", "rec709"] | None,
    typer.Option(help="The colours that a table takes and gives: what its file says, or else sRGB."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]


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
            help="Find what belongs together by the network's features (auto, if no label images are given) or by a "
            "model that names it, or take the photographs as a whole."
        ),
    ] = None,
    regions_model: RegionsModel = None,
    content_regions: ContentRegions = None,
    style_regions: StyleRegions = None,
    soft_masks: SoftMasks = False,
    match: Match = None,
    drop: Drop = None,
    recipe: Annotated[
        str | None, typer.Option(metavar="NAME", help="How to do it; `photostyle recipes` lists the ways.")
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
            help="How far to go from the content (0) to the result (1); several numbers write a file each.",
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
        typer.Option(metavar="DIR", help="Folder of the previews; if not given, one beside the output."),
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
) -> None:
    """Give the CONTENT photograph the look of the STYLE photograph.

    Every setting of the recipe is an option too, for example --content-weight 0.1:
    `photostyle recipes NAME` lists them with their defaults.
    """
    from photostyle.cli.progress import Report
    from photostyle.jobs.job import Job, Previews, given, make

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
    sentence = make(
        Job(content, styles[0], content_regions, style_regions, pairs(match), names(drop), styles[1:], soft_masks),
        output,
        Report(quiet),
        guide=regions or "auto",
        model=regions_model,
        settings=given(size=size, steps=steps, seed=seed) | ctx.meta["settings"],
        previews=Previews(previews, preview_every) if preview_every else None,
        saving=saving(jpeg_quality, bits, profile, strip_metadata),
        most_pixels=pixels(most_pixels),
        strengths=_strengths(strength) if strength is not None else (1.0,),
        look=save_look,
        checkpoint=checkpoint,
        resume=resume,
        recipe=recipe,
        quality=quality,
        backbone=backbone,
        weights_path=weights_path,
        pooling=pooling,
        device=device,
    )
    if not quiet:
        typer.echo(sentence, err=str(output) == "-")


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
            help="Photographs; for the look of another recipe than photo, frames of its scene and framing.",
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
        typer.Option(metavar="LABELS", help="Where the look's regions lie in the photograph, painted by name."),
    ] = None,
    match: Annotated[
        str | None,
        typer.Option(metavar="A=B[,…]", help="Give the photograph's region A the map of the look's region B."),
    ] = None,
    jpeg_quality: JpegQuality = None,
    bits: Bits = None,
    profile: Profile = None,
    strip_metadata: StripMetadata = False,
    most_pixels: MostPixels = None,
    quiet: Quiet = False,
) -> None:
    """Give a LOOK, or a table, to photographs.

    On frames of the scene that it was found on a look's regions lie where they did; in another scene they are found by
    what they show, and told.

    In a folder each result has the name of its photograph, with .jpg for a format that is not written. What fails is
    told, and the others are done.
    """
    from photostyle import PhotostyleError
    from photostyle.cli.frames import apply_look
    from photostyle.cli.tell import tell, teller

    failed = False
    options = saving(jpeg_quality, bits, profile, strip_metadata)
    limit = pixels(most_pixels)
    for outcome in apply_look(
        look,
        photos,
        output,
        teller(quiet),
        space=space,
        strength=strength,
        saving=options,
        most_pixels=limit,
        regions=regions,
        match=pairs(match),
    ):
        if isinstance(outcome, PhotostyleError):
            failed = True
            tell(outcome)
        elif not quiet:
            typer.echo(f"Wrote {outcome}.")
    if failed:
        raise typer.Exit(2)


def evaluate(
    content: Content,
    style: Style,
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help="The result to judge.", show_default=False)],
    content_regions: ContentRegions = None,
    style_regions: StyleRegions = None,
    soft_masks: SoftMasks = False,
    as_json: Json = False,
) -> None:
    """Measure how much style arrived and how much content stayed."""
    from photostyle.bench.summary import MEASURES
    from photostyle.cli.progress import Report
    from photostyle.jobs.job import Job, judge, load_seen

    report = Report()
    I, S, regions = Job(content, style, content_regions, style_regions, soft=soft_masks).load(report)
    regions = regions.seen(S.alpha)
    before, after = (photograph.filled(regions.content) for photograph in (I, load_seen(output)))
    figures = asdict(judge(before, S.filled(), after, regions, report))
    if as_json:
        typer.echo(json.dumps(figures, indent=2))
        return
    rows = [(m.title, f"{figures[name]:.4f}", m.arrow) for name, m in MEASURES.items()]
    _table(("Measure", "Value", "Better"), rows)


def recipes(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="A recipe, to see all its settings.", show_default=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """List the recipes, or every setting of one of them."""
    from photostyle import DEFAULT_RECIPE, RECIPES, find_recipe
    from photostyle.recipes.settings import settings_of

    chosen = {name: find_recipe(name)} if name else RECIPES
    if as_json:
        facts = {
            key: {
                "purpose": recipe.purpose,
                "source": recipe.source,
                "default": key == DEFAULT_RECIPE,
                "settings": [facts_of(setting) for setting in settings_of(recipe.settings)],
            }
            for key, recipe in chosen.items()
        }
        typer.echo(json.dumps(facts, indent=2, ensure_ascii=False))
    elif name:
        typer.echo(f"{name}: {chosen[name].source}\n")
        rows = [(option(s), values(s), s.range, s.meaning) for s in settings_of(chosen[name].settings)]
        _table(("Setting", "Default", "Range", "Meaning"), rows)
    else:
        marks = {DEFAULT_RECIPE: " (default)"}
        known = [(key + marks.get(key, ""), recipe.purpose, recipe.source) for key, recipe in RECIPES.items()]
        _table(("Recipe", "For", "Source"), known)


def demo(
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the pictures.")] = Path(
        "out"
    ),
    quiet: Quiet = False,
) -> None:
    """Bring a palace by day into the light of a bridge by night."""
    from photostyle import load_image, save_image
    from photostyle.bench.summary import MEASURES
    from photostyle.cli.progress import Report
    from photostyle.files import make_folder
    from photostyle.jobs.job import example, judge, make
    from photostyle.jobs.sheet import contact_sheet

    report, job = Report(quiet), example("palace-night")
    picture, sheet = output / "demo.jpg", output / "demo-sheet.png"
    make_folder(output)
    sentence = make(job, picture, report)
    if not quiet:
        typer.echo(sentence)

    photographs = job.load(Report(quiet=True))
    content, style, regions = photographs[0].opaque(), photographs[1].opaque(), photographs[2]
    result = load_image(picture)
    before, after = (asdict(judge(content, style, image, regions, report)) for image in (content, result))
    figures = [
        (m.title, f"{after[name]:.3f}", f"input {before[name]:.3f}, {m.better} is better")
        for name, m in MEASURES.items()
    ]
    save_image(contact_sheet({"input": content, "style": style, "result": result}, figures), sheet)
    if not quiet:
        typer.echo(f"Wrote {sheet}: input, style and result, and their measures.")


def saving(jpeg_quality: int | None, bits: str | None, profile: str | None, strip_metadata: bool) -> dict[str, Any]:
    """The options of `save_photograph` that were given."""
    options = {"quality": jpeg_quality, "bits": int(bits) if bits else None, "profile": profile}
    return {name: value for name, value in options.items() if value is not None} | {"metadata": not strip_metadata}


def pixels(megapixels: float | None) -> float | None:
    """The limit of `--most-pixels` as `load_photograph` has it."""
    return megapixels * 1e6 if megapixels else None


def check_resume(checkpoint: Path | None, resume: bool) -> None:
    """Raises BadParameter if there is nothing to go on from."""
    if resume and not checkpoint:
        raise typer.BadParameter("name the folder with --checkpoint.", param_hint="--resume")


def names(text: str | None) -> list[str]:
    """The names of a list with commas between."""
    return [name.strip() for name in (text or "").split(",") if name.strip()]


def pairs(text: str | None) -> dict[str, str]:
    """The pairs of `--match`."""
    found = {}
    for pair in names(text):
        content, _, style = (part.strip() for part in pair.partition("="))
        if not content or not style:
            raise typer.BadParameter(f"{pair!r} should be two names, as in blue=red.", param_hint="--match")
        found[content] = style
    return found


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


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(*head, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    Console().print(table)
