"""The jobs of the studio. Each function returns the work of a `Task`: it runs later, in the worker's thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

import torch
from torch import Tensor

from photostyle import (
    DEFAULT_BACKBONE,
    PALETTE,
    Look,
    Photograph,
    Regions,
    RegionsError,
    SettingsError,
    __version__,
    doodle_steps,
    doubtful_matches,
    find_alpha,
    find_device,
    find_foreground,
    find_recipe,
    find_regions,
    fit_size,
    label_colors,
    load_maps,
    load_weights,
    make_settings,
    refine_regions,
    resize,
    save_regions,
    transfer_steps,
)
from photostyle._transfer import maps_steps, tint_of
from photostyle.jobs.report import have_weights
from photostyle.looks.placed import Placed
from photostyle.network.backbones import FINDERS
from photostyle.network.network import Network
from photostyle.people.skin import said_of_skin
from photostyle.recipes import Recipe
from photostyle.recipes.settings import settings_of
from photostyle.recipes.tint import Tint, find_tint
from photostyle.studio.controls import check_offered
from photostyle.studio.painting import Painting, Sheet
from photostyle.studio.picture import SIDES, Picture
from photostyle.studio.pixels import gray_png
from photostyle.studio.result import Order, Result
from photostyle.studio.sessions import Session
from photostyle.studio.tokens import token
from photostyle.studio.words import spoken
from photostyle.studio.worker import Task

Work = Callable[[Task], dict[str, Any]]

# of previews, which should be there in seconds
_STYLE_SIZE = 448  # long side of the style, pixels: more than any recipe's draft looks at


def fetching(networks: Sequence[str]) -> Work:
    """The weights of networks that are not here yet."""

    def work(task: Task) -> dict[str, Any]:
        have_weights(task, *networks)
        return {}

    return work


def finding(session: Session, count: int | None) -> Work:
    """Regions of both photographs, found automatically, on their sheet."""
    content, style = session.both()

    def work(task: Task) -> dict[str, Any]:
        sheet = session.sheet_of(content.id, style.id)
        _find(content, style, sheet, session, task, count)
        return {"regions": sheet.regions}

    return work


def _find(
    content: Picture, style: Picture, sheet: Sheet, session: Session, task: Task, count: int | None = None
) -> None:
    have_weights(task, *FINDERS)
    task.enter("looking at both photographs")
    found = find_regions(content.small, style.small, count=count, device=find_device("auto"))
    task.check()
    colors = {color: name for name, color in PALETTE.items()}
    listed = [colors[color] for color in label_colors(len(found.names))]
    titles = dict(zip(found.names, listed, strict=True))
    for note in found.notes:
        task.note(spoken(note, titles))
    paths = session.folder / f"{token()}.png", session.folder / f"{token()}.png"
    save_regions(found.fit(content.small, style.small), *paths)
    with session.changing:
        sheet.labels = {side: path.read_bytes() for side, path in zip(SIDES, paths, strict=True)}
        sheet.regions = [{"color": color, "name": "", "model": color} for color in listed]
        sheet.by_hand = False
    for path in paths:
        path.unlink()


def doubting(session: Session) -> Work:
    """Which of the session's regions look as if they were not of one kind."""
    (content, style), painting = session.both(), session.sheet.painting()

    def work(task: Task) -> dict[str, Any]:
        if painting is None:
            return {"doubts": []}
        task.enter("looking at the regions")
        regions = painting.load().fit(content.small, style.small)
        have_weights(task, DEFAULT_BACKBONE)
        doubts = doubtful_matches(content.small, style.small, regions, load_weights())
        return {"doubts": [_doubt(sentence, regions.names, painting.titles) for sentence in doubts]}

    return work


def _doubt(sentence: str, names: tuple[str, ...], titles: Mapping[str, str]) -> dict[str, str]:
    """Which region it is about, and what is doubtful."""
    color = next(name for name in names if sentence.startswith(f"Region {name} "))
    return {"color": color, "sentence": spoken(sentence, titles)}


def transferring(session: Session, order: Order, preview: bool) -> Work:
    """The transfer: of the small copies for a preview, of the photographs themselves for a render.

    Raises at once, not only when it runs, for settings that there are not.
    """
    content, style = session.both(order.content)
    recipe = find_recipe(order.recipe)
    if content.blank and order.recipe != "doodle":
        raise SettingsError("An empty canvas is for the recipe doodle: choose it, or a photograph.")
    if content.blank and order.painting is None:
        raise RegionsError("Paint regions on the canvas and on the style first: they say what is to be where.")
    check_offered(order.recipe, dict(order.settings))
    quality: Any = "draft" if preview else order.quality
    settings = make_settings(recipe, _at(order, quality, preview), quality)
    more = tuple(session.more_styles) if recipe.blends else ()
    sheet = session.sheet_of(content.id, style.id)
    return _Transferring(session, sheet, order, preview, content, style, more, recipe, settings, quality).run


@dataclass(frozen=True, eq=False)
class _Transferring:
    """A transfer that was ordered, its settings checked: read, made, kept."""

    session: Session
    sheet: Sheet
    order: Order
    preview: bool
    content: Picture
    style: Picture
    more: tuple[Picture, ...]
    recipe: Recipe
    settings: Any
    quality: Any

    def run(self, task: Task) -> dict[str, Any]:
        began = monotonic()
        if self.recipe.network:
            have_weights(task, DEFAULT_BACKBONE)
        task.enter("reading the photographs")
        painting = self._painting(task)
        before, model = (p.reduced if self.preview else p.load() for p in (self.content, self.style))
        styles = [_model(p) if self.preview else p.load().filled() for p in (self.style, *self.more)]
        task.enter("starting")
        if self.content.blank:
            _tell_tint(find_tint(styles[:1]), task)
            made: Tensor | Placed = task.follow(
                _doodle(self.session, self.order, styles[0], asdict(self.settings), self.quality)
            )
        else:
            made = self._make(before, model, styles, painting, task)
        task.enter("finishing")
        kept = self._kept(made, painting, monotonic() - began)
        if self.preview:
            self.session.set_preview(kept)
        else:
            if painting:
                painting.save(kept.folder)
            self.session.add_result(kept)
        return {"result": kept.facts()}

    def _painting(self, task: Task) -> Painting | None:
        """The regions that were ordered, or those that are found when it is their turn."""
        if not self.order.found or not self.recipe.regional or self.order.painting is not None:
            return self.order.painting
        if self.sheet.painting() is None:
            _find(self.content, self.style, self.sheet, self.session, task)
        return self.sheet.painting()

    def _make(
        self, before: Photograph, model: Photograph, styles: list[Tensor], painting: Painting | None, task: Task
    ) -> Tensor | Placed:
        """The picture, or the look where the recipe finds one."""
        I = before.filled()
        regions = _regions(self.order, painting, I, styles[0]) if self.recipe.regional else None
        if self.recipe.regional and model.alpha is not None:
            regions = (regions or Regions.whole(I, styles[0])).seen(model.alpha)
        if regions:
            I = before.filled(regions.content)
        for note in regions.notes if regions else ():
            task.note(spoken(note, painting.titles if painting else {}))
        _tell_tint(tint_of(self.recipe, self.settings, styles, regions), task)
        options: dict[str, Any] = {"recipe": self.order.recipe, "quality": self.quality}
        values = asdict(self.settings)
        if not self.recipe.maps:
            return task.follow(transfer_steps(I, styles, regions, **options, **values))
        regions = regions or Regions.whole(I, styles[0])
        steps = maps_steps(I, styles[0], regions, **options, network=Network(), settings=values)
        found = task.follow(steps)
        for note in said_of_skin(found.names):
            task.note(note)
        return Placed.at_home(Look.of(found, I, None, options))

    def _kept(self, made: Tensor | Placed, painting: Painting | None, seconds: float) -> Result:
        facts: dict[str, Any] = {
            "regions": "painted" if painting else "none",
            "recipe": self.order.recipe,
            "quality": self.quality,
            "settings": asdict(self.settings),
            "version": __version__,
            "content": self.content.name,
            "style": self.style.name,
            **({"more_styles": [picture.name for picture in self.more]} if self.more else {}),
        }
        keep: Any = Result.of_look if isinstance(made, Placed) else Result.keep
        kept: Result = keep(
            made,
            self.session.folder / token(),
            content=self.content,
            style=self.style,
            more_styles=self.more,
            order=replace(self.order, quality=self.quality, painting=painting),
            note=facts,
            seconds=seconds,
        )
        return kept


def _tell_tint(tint: Tint | None, task: Task) -> None:
    if tint and tint.note:
        task.note(tint.note)


def _at(order: Order, quality: str, preview: bool) -> dict[str, Any]:
    """The settings that were chosen; a preview stays quick, so it has its own size and steps."""
    if not preview:
        return dict(order.settings)
    graded = {setting.name for setting in settings_of(find_recipe(order.recipe).settings) if setting.graded}
    return {name: value for name, value in order.settings.items() if name not in graded}


def _model(style: Picture) -> Tensor:
    _, height, width = style.small.shape
    return resize(style.small, fit_size(height, width, _STYLE_SIZE))


def _regions(order: Order, painting: Painting | None, content: Tensor, style: Tensor) -> Regions | None:
    if painting is None:
        return None
    painted = painting.load()
    if find_recipe(order.recipe).maps:  # it lets them follow the photograph by itself
        return painted
    if not order.snapped:
        return painted.fit(content, style)
    return refine_regions(painted, content, style)


def _doodle(session: Session, order: Order, style: Tensor, values: dict[str, Any], quality: Any) -> Any:
    assert order.painting is not None
    with TemporaryDirectory(dir=session.folder) as folder:
        target_map, style_map = order.painting.save(Path(folder))
        maps = load_maps(style_map, target_map, "labels")
    return doodle_steps(style, maps.style, maps.target, quality=quality, **values)


def cutting(session: Session, trimap: Tensor, preview: bool) -> Work:
    """The alpha matte of the content from a trimap (h×w: 1 is kept, 0 is not, all else is to be found out)."""
    content = session.pictures["content"]

    def work(task: Task) -> dict[str, Any]:
        began = monotonic()
        task.enter("finding what belongs to it")
        photograph = content.reduced if preview else content.load()
        image = photograph.filled()
        known = torch.nn.functional.interpolate(trimap[None, None], image.shape[1:], mode="nearest")[0, 0]
        alpha = find_alpha(image, known)
        if photograph.alpha is not None:  # what was not there is not cut out
            alpha = alpha * photograph.alpha[0].to(alpha)
        task.enter("its colours")
        colors, _ = find_foreground(image, alpha)
        kept = Result.keep(
            torch.cat([colors, alpha[None].cpu()]),
            session.folder / token(),
            content=content,
            style=None,
            order=Order("matte", "standard", {}),
            note={},
            trimap=gray_png(known),
            seconds=monotonic() - began,
        )
        if preview:
            session.set_preview(kept)
        else:
            session.add_result(kept)
        return {"result": kept.facts()}

    return work
