"""From files to files: one transfer from beginning to end, for every face. Says what happens through a `Report`."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from time import monotonic
from typing import Any, BinaryIO, Protocol, TypeVar

from torch import Tensor

from photostyle import (
    DEFAULT_BACKBONE,
    DescentError,
    ImageError,
    LocalLook,
    Look,
    Measures,
    Photograph,
    Regions,
    RegionsError,
    Step,
    __version__,
    check_look_path,
    check_writable,
    doubtful_matches,
    fade,
    find_device,
    find_look,
    find_recipe,
    find_regions,
    is_cached,
    load_photograph,
    load_regions,
    load_weights,
    look_steps,
    make_settings,
    measure,
    save_image,
    save_look,
    save_photograph,
    transfer_steps,
)
from photostyle._transfer import tint_of
from photostyle.descent.checkpoint import Checkpoint, digest
from photostyle.files import keep_inputs, make_folder, stream_or
from photostyle.image import check_image, fit, fit_size, nearly_of_size, resize
from photostyle.jobs import memory
from photostyle.matting.render import render
from photostyle.network.weights import Weights
from photostyle.photofile.source import name_of
from photostyle.wording import percent

T = TypeVar("T")

LEAST_STYLE = 32  # pixels: a smaller picture is an icon, and has hardly a style
_LONGEST_NAME = 255  # bytes, on nearly all file systems


class Report(Protocol):
    """Who is told what happens: a command line, a page, a journal."""

    def note(self, sentence: str) -> None:
        """One line that the user should see."""

    def follow(self, steps: Generator[Step, None, T], watch: Callable[[Step], None] | None = None) -> T:
        """`finish`, in the user's sight."""

    def fetch(self, backbone: str) -> str:
        """`fetch_weights` in the user's sight; returns where the weights are."""


@dataclass(frozen=True)
class Job:
    """The files of a transfer or an evaluation: two photographs and, both or neither, their label images."""

    content: Path
    style: Path
    content_regions: Path | None = None
    style_regions: Path | None = None
    match: Mapping[str, str] = field(default_factory=dict)
    drop: Collection[str] = ()
    more_styles: Sequence[Path] = ()  # for a recipe that blends several
    soft: bool = False  # masks: blends in the label images are of two regions

    @property
    def files(self) -> dict[str, Path]:
        """Those that there are, by role."""
        roles = ("content", "style", "content_regions", "style_regions")
        return {role: getattr(self, role) for role in roles if getattr(self, role)}

    @property
    def painted(self) -> bool:
        """Whether there are label images."""
        return bool(self.content_regions and self.style_regions)

    def check(self) -> None:
        """Raises RegionsError if there is one label image, ImageError if two files are to come from standard input."""
        if [*map(str, [*self.files.values(), *self.more_styles])].count("-") > 1:
            raise ImageError("Standard input holds one photograph: name the files of the others.")
        if (self.content_regions is None) != (self.style_regions is None):
            raise RegionsError("Regions come in pairs: give both --content-regions and --style-regions.")

    def load(self, report: Report, **limits: Any) -> tuple[Photograph, Photograph, Regions]:
        """Both photographs, and regions of their proportions: of the label images, or the photographs as a whole.

        The `limits` are those of `load_photograph`.
        """
        self.check()
        before, model = (load_seen(path, **limits) for path in (self.content, self.style))
        for note in (*before.notes, *model.notes):
            report.note(f"Note: {note}")
        content, style = before.pixels, model.pixels
        check_image(style, f"The style {self.style}", least=LEAST_STYLE)
        regions = Regions.whole(content, style)
        if self.content_regions and self.style_regions:
            chosen: dict[str, Any] = {"match": self.match, "drop": self.drop, "soft": self.soft}
            painted = load_regions(self.content_regions, self.style_regions, **chosen, **limits)
            painted.check(content, style)
            files = (self.content_regions, painted.content, content), (self.style_regions, painted.style, style)
            for path, masks, image in files:
                (h, w), (H, W) = masks.shape[1:], image.shape[1:]
                if (h, w) != (H, W) and nearly_of_size(masks, image):
                    report.note(f"Note: {path} has {w}×{h} pixels and its photograph {W}×{H}: it is resized.")
            regions = painted
        for note in regions.notes:
            report.note(f"Note: {note}")
        if self.painted:
            tell(regions, report)
        return before, model, regions


def load_seen(path: Path | BinaryIO, **limits: Any) -> Photograph:
    """`load_photograph`, of a file, a stream or standard input, whose notes say too how much of it is transparent.

    Raises ImageError as well if nothing can be seen in it.
    """
    source = stream_or(path) if isinstance(path, Path) else path
    photograph = load_photograph(source, **limits)
    if photograph.alpha is None:
        return photograph
    try:
        photograph.filled()
    except ImageError as error:
        raise ImageError(f"{name_of(source)}: {error}") from error
    hidden = percent(float((photograph.alpha < 0.5).float().mean()))
    note = f"{hidden} of {name_of(source)} is transparent: that has no say in the result."
    return replace(photograph, notes=(*photograph.notes, note))


def example(name: str) -> Job:
    """An example pair: inside the installed package, or beside it in a source checkout."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "examples" / name, package.parent / "examples" / name):
        if folder.is_dir():
            files = ("content.jpg", "style.jpg", "content_regions.png", "style_regions.png")
            content, style, content_regions, style_regions = (folder / file for file in files)
            return Job(content, style, content_regions, style_regions)
    raise ImageError(f"The example {name!r} is not here: install photostyle anew.")


@memory.explained()
def make(
    job: Job,
    output: Path,
    report: Report,
    *,
    settings: dict[str, Any] | None = None,
    previews: Previews | None = None,
    saving: Mapping[str, Any] | None = None,
    most_pixels: float | None = None,
    strengths: Sequence[float] = (1.0,),
    look: Path | None = None,
    guide: str = "auto",
    model: str | None = None,
    checkpoint: Path | None = None,
    resume: bool = False,
    **options: Any,
) -> str:
    """Transfer into files and return a sentence about them; `options` are those of `transfer_steps`.

    `saving` holds options of `save_photograph`. Without label images regions are found as `guide` says (auto,
    learned by a `model`, or none). Each of several `strengths` is a file of its own, its number before the suffix;
    `look` is the file of the look; `checkpoint` a folder from which, with `resume`, an interrupted run goes on.
    Everything that can be checked is checked before the work starts. After a DescentError or a KeyboardInterrupt the
    best image so far is kept beside the output. Where memory is short the setting `size` is lowered, with a notice.
    """
    began = monotonic()
    job.check()
    if (job.match or job.drop) and guide == "none":
        raise RegionsError("--match and --drop are for regions, and --regions none takes the photographs as a whole.")
    outputs = {strength: output for strength in strengths}
    if len(strengths) > 1:
        outputs = {s: output.with_name(f"{output.stem}-{_number(s)}{output.suffix}") for s in strengths}
    for path in outputs.values():
        check_writable(stream_or(path))
    if look:
        check_look_path(look)
    chosen = (transfer_steps.__kwdefaults__ or {}) | given(**options)
    weights = [Path(chosen["weights_path"])] if chosen["weights_path"] else []
    partial = partial_of(output)
    written = [*outputs.values(), partial, *([look] if look else [])]
    keep_inputs(written, [*job.files.values(), *job.more_styles, *weights])
    recipe = find_recipe(chosen["recipe"], 1 + len(job.more_styles))
    p = make_settings(recipe, settings or {}, chosen["quality"])
    values = asdict(p)
    photograph, other, regions = job.load(report, **given(most_pixels=most_pixels))
    content, style = photograph.filled(), other.filled()
    styles = [style, *(load_seen(path, **given(most_pixels=most_pixels)).filled() for path in job.more_styles)]
    network = None
    if recipe.network:
        if not weights:
            have_weights(chosen["backbone"], report)
        network = load_weights(chosen["backbone"], chosen["weights_path"])  # an error now rather than after the regions
    I, S = (fit(image, recipe.looks_at) if recipe.looks_at else image for image in (content, style))
    regions = regions.fit(I, S)
    if job.painted:
        guide = "painted"
    elif not recipe.regional:
        guide = "none"
    elif guide != "none":
        where = given(model=model, device=options.get("device"))
        regions = find(I, S, guide, report, match=job.match, drop=job.drop, **where)
    regions = regions.seen(other.alpha)
    content = photograph.filled(regions.content)
    if recipe.regional:
        if guide == "auto" and not network:
            network = load_weights()  # which found the regions
        doubt(I, S, regions, report, network)
    if (tint := tint_of(recipe, p, [S, *styles[1:]], regions)) and tint.note:
        report.note(f"Note: {tint.note}")
    free = memory.free_memory(find_device(chosen["device"]))
    size = memory.size_that_fits(chosen["recipe"], content.shape[1:], values.get("size"), free)
    if size != values.get("size"):
        report.note(f"Note: --size {values['size']} needs more memory than is free; it is lowered to {size}.")
        values["size"] = size
    if previews:
        make_folder(previews.folder)
    note = {
        "regions": guide,
        **{key: chosen[key] for key in ("recipe", "quality", *(("backbone", "pooling") if recipe.network else ()))},
        "settings": values,
        "seed": values.get("seed"),
        "version": __version__,
        # without their folders: the picture may be shown to others
        **{role: path.name for role, path in job.files.items()},
        **({"more_styles": [path.name for path in job.more_styles]} if job.more_styles else {}),
    }
    keeper = None
    if checkpoint:
        images = {"content": digest(content), "style": digest(*styles)}
        if recipe.regional:
            images["regions"] = digest(regions.content, regions.style)
        facts = {key: note.get(key) for key in ("recipe", "backbone", "pooling", "version")}
        facts |= {"weights": [str(path.resolve()) for path in weights]}
        keeper = kept(checkpoint, facts | images | values, report, resume=resume)

    def save_partial(image: Tensor) -> None:
        if "matting_weight" in values:  # which keeps it a local change of colour: the photograph itself can have it
            image = render(image, content.to(image))
        elif "size" in values:
            height, width = fit_size(content.shape[1], content.shape[2], values["size"])
            if image.shape[2] < width:  # an early step of what goes from coarse to fine
                image = resize(image, (height, width))
        save_photograph(image, partial, like=photograph, note=note | {"partial": True}, **(saving or {}))

    def run(steps: Generator[Step, None, T]) -> T:
        return follow(steps, report, partial, save_partial, previews, keeper)

    if look and recipe.maps:
        options = {name: value for name, value in chosen.items() if name != "strength"}
        regional = run(look_steps(content, style, regions, **options, **values))
        result = regional.apply(content)
    else:
        regional, result = None, run(transfer_steps(content, styles, regions, **chosen, **values))
    content = content.to(result)
    for strength, path in outputs.items():
        facts = note | {"strength": strength}
        faded = fade(content, result, strength)
        for said in save_photograph(faded, stream_or(path), like=photograph, note=facts, dither=True, **(saving or {})):
            report.note(f"Note: {said}")
    if look:
        found: Look | LocalLook = regional or find_look(content, result)
        words = {key: fact if isinstance(fact, str) else json.dumps(fact) for key, fact in given(**note).items()}
        save_look(replace(found, facts=found.facts | words), look)
    if keeper:
        keeper.clear()
    files = ", ".join(map(str, [*outputs.values(), *([look] if look else [])]))
    height, width = result.shape[1:]
    return f"Wrote {files}: {width}×{height} pixels in {monotonic() - began:.1f} s."


def _number(strength: float) -> str:
    return str(float(strength)).removesuffix(".0")


def follow(
    steps: Generator[Step, None, T],
    report: Report,
    partial: Path,
    save: Callable[[Tensor], None],
    watch: Callable[[Step], None] | None = None,
    keeper: Checkpoint | None = None,
) -> T:
    """`report.follow`, and of a run that ends early the best image so far, written by `save` into the file `partial`.

    That is after a DescentError or a KeyboardInterrupt, which go on to whoever called. With a `keeper` the descents
    are kept.
    """
    best: Tensor | None = None

    def see(step: Step) -> None:
        nonlocal best
        best = step.image
        if watch:
            watch(step)

    try:
        with keeper.keeping() if keeper else nullcontext():
            return report.follow(steps, see)
    except DescentError as error:
        if error.image is None:
            raise
        save(error.image)
        raise DescentError(f"{error} The last good image is in {partial}.", error.image) from error
    except KeyboardInterrupt:
        steps.close()
        if best is not None:
            save(best)
            report.note(f"The best so far is in {partial}.")
        if keeper:
            report.note(f"To go on from here, give the same command with --checkpoint {keeper.folder} --resume.")
        raise


def kept(folder: Path, facts: Mapping[str, object], report: Report, *, resume: bool) -> Checkpoint:
    """The checkpoint of a job in a folder; the user is told if there is none to go on from."""
    keeper = Checkpoint(folder, facts, resume=resume)
    if resume and not keeper.found:
        report.note(f"Note: there is no checkpoint in {folder} yet; this is the beginning.")
    return keeper


def partial_of(output: Path) -> Path:
    """Where the best image of a run that ends early is kept: beside its output."""
    if str(output) == "-":
        return Path("partial.png")
    ending = f"-partial{output.suffix}"
    stem = output.stem
    while len(os.fsencode(stem + ending)) > _LONGEST_NAME:
        stem = stem[:-1]
    return output.with_name(stem + ending)


@dataclass
class Previews:
    """Saves the image of every n-th step into a folder."""

    folder: Path
    every: int
    _seen: int = 0

    def __call__(self, step: Step) -> None:
        self._seen += 1
        if self._seen % self.every == 0:
            stage = re.sub(r"\W+", "-", step.stage)
            save_image(step.image, self.folder / f"{self._seen:04d}-{stage}.jpg")


def have_weights(backbone: str, report: Report) -> None:
    """Fetch weights that are not in the cache yet, in the user's sight: it takes a while."""
    if not is_cached(backbone):
        report.fetch(backbone)


def find(
    content: Tensor, style: Tensor, method: str, report: Report, *, device: str = "auto", **options: Any
) -> Regions:
    """`find_regions` with its `options`: its weights fetched, and its notes told."""
    if method == "auto":
        have_weights(DEFAULT_BACKBONE, report)
    else:
        report.note("Regions by a model that names what it sees; it is fetched once if it is not here (241 MB) …")
    regions = find_regions(content, style, method, device=find_device(device), **options)  # type: ignore[arg-type]
    for note in regions.notes:
        report.note(f"Note: {note}")
    if len(regions.names) > 1:
        tell(regions, report)
    return regions


def tell(regions: Regions, report: Report) -> None:
    """Which regions were matched, and how large they are."""
    sizes = (
        f"{name}: {percent(here)} of the content, {percent(there)} of the style"
        for name, (here, there) in zip(regions.names, regions.shares, strict=True)
    )
    report.note(f"Regions: {'; '.join(sizes)}.")


def doubt(content: Tensor, style: Tensor, regions: Regions, report: Report, network: Weights | None) -> tuple[str, ...]:
    """Tell which match of regions looks wrong; returns these doubts.

    `network` is what looks at them, as in `doubtful_matches`.
    """
    if len(regions.names) < 2:
        return ()
    doubts = doubtful_matches(content, style, regions, network)
    for doubt in doubts:
        report.note(f"Note: {doubt} If so, correct it with --match or --drop, paint it, or take --regions none.")
    return doubts


def judge(content: Tensor, style: Tensor, output: Tensor, regions: Regions, report: Report) -> Measures:
    """`measure`, with its weights."""
    have_weights("vgg16-hed", report)
    return measure(content, style, output, regions, load_weights("vgg16-hed"))


def given(**options: Any) -> dict[str, Any]:
    """The options that were given: the defaults of all others are the library's."""
    return {name: value for name, value in options.items() if value is not None}
