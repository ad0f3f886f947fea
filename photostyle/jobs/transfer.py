"""One transfer from files to files: checked, read, made, written."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from time import monotonic
from typing import Any

from torch import Tensor

from photostyle import (
    DEFAULT_BACKBONE,
    DEFAULT_RECIPE,
    Adjustment,
    LocalLook,
    Look,
    Photograph,
    Regions,
    RegionsError,
    __version__,
    adjust_look,
    check_look_path,
    check_writable,
    fade,
    find_look,
    find_recipe,
    load_weights,
    look_steps,
    make_settings,
    save_look,
    save_photograph,
    transfer_steps,
)
from photostyle._transfer import maps_steps, tint_of
from photostyle.descent.checkpoint import Checkpoint, digest
from photostyle.files import keep_inputs, make_folder, stream_or
from photostyle.image import fit_size, resize
from photostyle.jobs import memory
from photostyle.jobs.pair import Pair
from photostyle.jobs.regions import doubt, find
from photostyle.jobs.report import Report, have_weights, tell
from photostyle.jobs.run import Kept, Previews, Run, partial_of, settle
from photostyle.matting.render import render
from photostyle.network.network import Network
from photostyle.people.skin import said_of_skin
from photostyle.recipes import Recipe
from photostyle.recipes.settings import Quality


@dataclass(frozen=True)
class Transfer:
    """The photographs of `pair` into the file `output`, by a recipe with its settings.

    Without label images regions are found as `guide` says: auto, learned (by a `model`), or none. Each of several
    `strengths` is a file of its own, its number before the suffix. `look` is the file of the look, `kept` says
    where an interrupted run goes on from, and `saving` holds options of `save_photograph`.
    """

    pair: Pair
    output: Path
    recipe: str = DEFAULT_RECIPE
    quality: Quality = "standard"
    settings: Mapping[str, Any] = field(default_factory=dict)
    network: Network = field(default_factory=Network)
    guide: str = "auto"
    model: str | None = None
    strengths: Sequence[float] = (1.0,)
    look: Path | None = None
    saving: Mapping[str, Any] = field(default_factory=dict)
    most_pixels: float | None = None
    previews: Previews | None = None
    kept: Kept = field(default_factory=Kept)

    @property
    def outputs(self) -> dict[float, Path]:
        """The file of each strength."""
        if len(self.strengths) == 1:
            return {self.strengths[0]: self.output}
        stem, suffix = self.output.stem, self.output.suffix
        return {s: self.output.with_name(f"{stem}-{str(float(s)).removesuffix('.0')}{suffix}") for s in self.strengths}

    @property
    def written(self) -> list[Path]:
        """The files that a whole run leaves."""
        return [*self.outputs.values(), *([self.look] if self.look else [])]

    @memory.explained()
    def run(self, report: Report) -> str:
        """Do it, and return a sentence about the files.

        All that can be checked is checked before the work starts. After a DescentError or a KeyboardInterrupt the best
        image so far is kept beside the output. Where memory is short the setting `size` is lowered, with a notice.
        Raises PhotostyleError.
        """
        began = monotonic()
        recipe, settings = self._check()
        scene = self._look(recipe, report)
        if (tint := tint_of(recipe, settings, scene.styles, scene.regions)) and tint.note:
            tell([tint.note], report)
        values, keeper = self._plan(recipe, asdict(settings), scene, report)
        note = self._note(recipe, values, scene)
        if self.previews:
            make_folder(self.previews.folder)

        def save_partial(image: Tensor) -> None:
            image = _at_size(image, scene.content, recipe, values)
            save_photograph(image, partial, like=scene.photograph, note=note | {"partial": True}, **self.saving)

        partial = partial_of(self.output)
        run = Run(report, partial, save_partial, self.previews, keeper)
        picture, look = self._make(recipe, values, scene, run)
        height, width = self._save(picture, look, scene, note, report)
        if keeper:
            keeper.clear()
        files = ", ".join(map(str, self.written))
        return f"Wrote {files}: {width}×{height} pixels in {monotonic() - began:.1f} s."

    def _check(self) -> tuple[Recipe, Any]:
        """The recipe and its settings. Raises PhotostyleError for what can be known before any file is read."""
        self.pair.check()
        if (self.pair.match or self.pair.drop) and self.guide == "none":
            raise RegionsError(
                "--match and --drop are for regions, and --regions none takes the photographs as a whole."
            )
        for path in self.outputs.values():
            check_writable(stream_or(path))
        if self.look:
            check_look_path(self.look)
        keep_inputs([*self.written, partial_of(self.output)], [*self.pair.inputs, *self.network.files])
        self.network.check()
        recipe = find_recipe(self.recipe, len(self.pair.styles))
        return recipe, make_settings(recipe, self.settings, self.quality)

    def _look(self, recipe: Recipe, report: Report) -> _Scene:
        """Read the photographs, and find what belongs together."""
        limits = {} if self.most_pixels is None else {"most_pixels": self.most_pixels}
        loaded = self.pair.load(report, **limits)
        network = None
        if recipe.network:
            if not self.network.files:
                have_weights(report, self.network.backbone)
            # an error now rather than after the regions
            network = load_weights(self.network.backbone, self.network.weights_path)
        content, style = loaded.content, loaded.styles[0]
        regions, guide = loaded.regions, self.guide
        told = self.pair.painted or self.pair.match or self.pair.drop or guide == "learned"
        if told and not recipe.regional:
            tell([f"The recipe {self.recipe} takes the photographs as a whole: regions change nothing."], report)
        if self.pair.painted:
            guide = "painted"
        elif not recipe.regional:
            guide = "none"
        elif guide != "none":
            where = {"device": self.network.device} | ({"model": self.model} if self.model else {})
            regions = find(content, style, guide, report, match=self.pair.match, drop=self.pair.drop, **where)
        regions = regions.seen(loaded.models[0].alpha)
        if recipe.regional:
            if guide == "auto" and not network:
                network = load_weights(DEFAULT_BACKBONE)  # it is there: regions were found by it too
            doubt(content, style, regions, report, network)
        if self.look and recipe.maps and len(regions.names) > 1:
            have_weights(report, DEFAULT_BACKBONE)  # by which a look knows its regions again
        content = loaded.photograph.filled(regions.content)
        return _Scene(loaded.photograph, content, loaded.styles, regions, guide)

    def _plan(
        self, recipe: Recipe, values: dict[str, Any], scene: _Scene, report: Report
    ) -> tuple[dict[str, Any], Checkpoint | None]:
        """The settings as memory allows them, and where the descents are kept."""
        free = memory.free_memory(self.network.check())
        shape = (scene.content.shape[1], scene.content.shape[2])
        size = memory.size_that_fits(self.recipe, shape, values.get("size"), free, values.get("sketch"))
        return settle(values, size, self.kept, lambda: self._facts(recipe, scene), report)

    def _facts(self, recipe: Recipe, scene: _Scene) -> dict[str, object]:
        """What the result depends on beside the settings."""
        facts: dict[str, object] = {"recipe": self.recipe, "version": __version__}
        facts |= {"weights": [str(path.resolve()) for path in self.network.files]}
        facts |= {"content": digest(scene.content), "style": digest(*scene.styles)}
        if recipe.network:
            facts |= self.network.facts
        if recipe.regional:
            facts |= {"regions": digest(scene.regions.content, scene.regions.style)}
            facts |= {"one_look": scene.regions.one_look}
        return facts

    def _note(self, recipe: Recipe, values: Mapping[str, Any], scene: _Scene) -> dict[str, Any]:
        """What the files say of how they were made; no folders, for the picture may be shown to others."""
        network = self.network.facts if recipe.network else {}
        more = [path.name for path in self.pair.styles[1:]]
        return {
            "regions": scene.guide,
            "recipe": self.recipe,
            "quality": self.quality,
            **network,
            "settings": dict(values),
            "seed": values.get("seed"),
            "version": __version__,
            **{role: path.name for role, path in self.pair.files.items()},
            **({"more_styles": more} if more else {}),
        }

    def _make(
        self, recipe: Recipe, values: Mapping[str, Any], scene: _Scene, run: Run
    ) -> tuple[Callable[[float], Tensor], Look | LocalLook | None]:
        """The result (3×H×W) at any strength, and its look if that is wanted."""
        content, style = scene.content, scene.styles[0]
        options = {"recipe": self.recipe, "quality": self.quality, **self.network.options, **values}
        if self.look and recipe.maps:
            look = run.follow(look_steps(content, style, scene.regions, **options))
            tell(said_of_skin(look.names), run.report)
            return lambda s: adjust_look(look, Adjustment(s)).apply(content, look.scene.masks), look
        if recipe.maps:
            chosen: dict[str, Any] = {"recipe": self.recipe, "quality": self.quality, "network": self.network}
            found = run.follow(maps_steps(content, style, scene.regions, **chosen, settings=values))
            tell(said_of_skin(found.names), run.report)
            here = content.to(self.network.check())
            return lambda s: found.faded(s).apply(here), None
        result = run.follow(transfer_steps(content, scene.styles, scene.regions, **options))
        local = find_look(content.to(result), result) if self.look else None
        return lambda s: fade(content.to(result), result, s), local

    def _save(
        self,
        picture: Callable[[float], Tensor],
        look: Look | LocalLook | None,
        scene: _Scene,
        note: Mapping[str, Any],
        report: Report,
    ) -> tuple[int, int]:
        """Write all files; how many rows and columns the pictures have."""
        for strength, path in self.outputs.items():
            faded = picture(strength)
            facts = {**note, "strength": strength}
            said = save_photograph(
                faded, stream_or(path), like=scene.photograph, note=facts, dither=True, **self.saving
            )
            tell(said, report)
        if look and self.look:
            words = {
                k: fact if isinstance(fact, str) else json.dumps(fact) for k, fact in note.items() if fact is not None
            }
            save_look(replace(look, facts=look.facts | words), self.look)
        return faded.shape[1], faded.shape[2]


@dataclass(frozen=True, eq=False)
class _Scene:
    """What a transfer works on: the photograph as it was read and as pixels, the styles, the regions, and who found
    these."""

    photograph: Photograph
    content: Tensor
    styles: list[Tensor]
    regions: Regions
    guide: str


def _at_size(image: Tensor, content: Tensor, recipe: Recipe, values: Mapping[str, Any]) -> Tensor:
    """The image of an early step, as large as a whole one."""
    if recipe.keeps_photograph:  # a local change of colour: the photograph itself can have it
        return render(image, content.to(image))
    if "size" in values:
        height, width = fit_size(content.shape[1], content.shape[2], values["size"])
        if image.shape[2] < width:  # of what goes from coarse to fine
            return resize(image, (height, width))
    return image
