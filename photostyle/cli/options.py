"""The options that several commands have, and how their texts are read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

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
    bool,
    typer.Option(
        "--soft-masks", help="Treat blends in label images, such as feathered edges, as parts of both regions."
    ),
]
RegionsModel = Annotated[
    str | None, typer.Option(metavar="NAME", help="The model for learned regions: a name on the hub, or a folder.")
]
Match = Annotated[
    str | None,
    typer.Option(metavar="A=B[,…]", help="Give the content's region A the look of the style's region B."),
]
Drop = Annotated[str | None, typer.Option(metavar="A[,…]", help="Do not pair these regions.")]
Dial = Annotated[
    Literal["draft", "standard", "best"] | None,
    typer.Option(help="draft for a quick preview, best for the most that the recipe can do."),
]
Backbone = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="The network; `photostyle weights list` says which are for transfers."),
]
WeightsPath = Annotated[
    Path | None, typer.Option(metavar="FILE", help="A file with the network's original weights, instead of the cache.")
]
Pooling = Annotated[
    Literal["average", "max", "rescaled"] | None,
    typer.Option(help="How the network reduces its layers in size; average if not given."),
]
Device = Annotated[str | None, typer.Option(metavar="auto|cpu|cuda|mps", help="Where to compute.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
JpegQuality = Annotated[
    int | None, typer.Option(min=1, max=100, metavar="N", help="Quality of JPEG, WebP, AVIF and HEIC.")
]
Bits = Annotated[
    Literal["8", "16"] | None,
    typer.Option(help="Bits per channel of PNG and TIFF; by default the photograph's."),
]
Profile = Annotated[
    Literal["keep", "srgb"] | None, typer.Option(help="The colour profile: the photograph's own, or sRGB.")
]
StripMetadata = Annotated[
    bool, typer.Option("--strip-metadata", help="Write no EXIF, no XMP and no note on how it was made.")
]
MostPixels = Annotated[
    float | None,
    typer.Option(min=0.001, metavar="MEGAPIXELS", help="Refuse larger photographs; 200 by default."),
]
CheckpointFolder = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Folder in which progress is saved once a minute.")
]
Resume = Annotated[
    bool,
    typer.Option("--resume", help="Continue the interrupted run saved in --checkpoint; it ends in the same pixels."),
]
TableSpace = Annotated[
    Literal["srgb", "linear", "display-p3", "rec709"] | None,
    typer.Option(help="The colour space of a table; by default the one its file states, or else sRGB."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Print the energies of every step, too.")]


def given(**options: Any) -> dict[str, Any]:
    """The options that were given: the defaults of all others are the library's."""
    return {name: value for name, value in options.items() if value is not None}


def saving(jpeg_quality: int | None, bits: str | None, profile: str | None, strip_metadata: bool) -> dict[str, Any]:
    """The options of `save_photograph` that were given."""
    options = given(quality=jpeg_quality, bits=int(bits) if bits else None, profile=profile)
    return options | {"metadata": not strip_metadata}


def pixels(megapixels: float | None) -> float | None:
    """The limit of `--most-pixels` as `load_photograph` has it."""
    return megapixels * 1e6 if megapixels else None


def check_resume(checkpoint: Path | None, resume: bool) -> None:
    """Raises BadParameter if there is no folder to resume from."""
    if resume and not checkpoint:
        raise typer.BadParameter("name the folder with --checkpoint.", param_hint="--resume")
