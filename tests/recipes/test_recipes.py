"""Every recipe at a tiny size on weights of a few channels, through the front door; and its settings."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from typing import Any, get_args

import pytest
import torch
from torch import Tensor
from walking import walk

from photostyle._transfer import transfer, transfer_steps
from photostyle.color.difference import delta_e
from photostyle.color.path import between
from photostyle.errors import ImageError, RegionsError, SettingsError
from photostyle.image import fit_size, resize
from photostyle.network.network import find_device
from photostyle.recipes import DEFAULT_RECIPE, RECIPES, find_recipe, make_settings
from photostyle.recipes.settings import Quality, settings_of
from photostyle.regions.regions import Regions

PARTS = {
    "photo": {"style", "matting", "color", "gain", "simplicity"},
    "luan": {"content", "style", "matting"},
    "gatys": {"content", "style"},
    "mmd": {"content", "gaussian"},
    "mrf": {"content", "patches", "patch colors"},
    "doodle": {"content", "patches", "patch colors"},
    "whitening": set(),
    "reinhard": set(),
    "monge-kantorovich": set(),
    "pitie": {"color"},
}
REGIONAL = [name for name in RECIPES if RECIPES[name].regional]
TINY = {"size": 32, "steps": 3, "device": "cpu"}

pytestmark = pytest.mark.usefixtures("little_network")


def tiny(recipe: str) -> dict[str, Any]:
    """`TINY` without the settings that the recipe does not have."""
    return {k: v for k, v in TINY.items() if k == "device" or k in {f.name for f in fields(RECIPES[recipe].settings)}}


@pytest.fixture
def content(picture) -> Tensor:
    return picture(24, 32, dtype=torch.float32)


@pytest.fixture
def style(picture) -> Tensor:
    return 0.7 * picture(30, 26, seed=1, dtype=torch.float32)


def sides(H: int, W: int, at: int) -> Tensor:
    left = torch.zeros(H, W)
    left[:, :at] = 1
    return torch.stack([left, 1 - left])


@pytest.fixture
def regions() -> Regions:
    return Regions(("left", "right"), sides(24, 32, 10), sides(30, 26, 20))


def test_every_recipe_is_tried_here() -> None:
    assert set(PARTS) == set(RECIPES) and DEFAULT_RECIPE in RECIPES


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_yields_steps_and_returns_a_photograph(content, style, recipe: str) -> None:
    before = content.clone(), style.clone()
    seen, result = walk(transfer_steps(content, style, recipe=recipe, **tiny(recipe)))
    assert result.shape == content.shape and result.dtype == torch.float32 and not result.requires_grad
    assert float(result.min()) >= 0 and float(result.max()) <= 1
    assert not torch.allclose(result, content, atol=1e-3)
    assert len(seen) >= tiny(recipe).get("steps", 1)
    assert set().union(*(step.parts for step in seen)) >= PARTS[recipe]
    for step in seen:
        assert step.stage and step.iteration >= 1 and step.iteration <= (step.of or step.iteration)
        assert step.image.shape[0] == 3 and bool(step.image.isfinite().all())
        assert all(part >= 0 for part in step.parts.values())
        assert step.energy == pytest.approx(sum(step.parts.values()))
    assert torch.equal(content, before[0]) and torch.equal(style, before[1])


@pytest.mark.parametrize("recipe", ["photo", "luan"])
def test_the_energy_falls_within_every_stage(content, style, regions: Regions, recipe: str) -> None:
    seen, _ = walk(transfer_steps(content, style, regions, recipe=recipe, **TINY | {"steps": 12}))
    stages = {step.stage: [s.energy for s in seen if s.stage == step.stage] for step in seen}
    assert len(stages) >= 2
    assert all(energies == sorted(energies, reverse=True) for energies in stages.values())


@pytest.mark.parametrize("recipe", ["photo", "luan"])
def test_the_result_has_the_size_of_the_content_however_small_the_work(picture, style, recipe: str) -> None:
    content = picture(50, 67, dtype=torch.float32)
    seen, result = walk(transfer_steps(content, style, recipe=recipe, **tiny(recipe)))
    assert result.shape == (3, 50, 67)
    assert all(max(step.image.shape) <= 32 for step in seen)


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_same_call_gives_the_same_pixels(content, style, recipe: str) -> None:
    one, other = (transfer(content, style, recipe=recipe, **tiny(recipe)) for _ in range(2))
    assert torch.equal(one, other)


@pytest.mark.parametrize("recipe", ["luan", "gatys", "mmd", "pitie"])
def test_another_seed_gives_other_pixels(content, style, recipe: str) -> None:
    settings = tiny(recipe) | ({"start": "noise"} if recipe in {"luan", "gatys", "mmd"} else {})
    one, other = (transfer(content, style, recipe=recipe, seed=seed, **settings) for seed in (1, 2))
    assert not torch.equal(one, other)


@pytest.mark.parametrize("recipe", ["luan", "gatys"])
def test_pooling_is_by_averages_unless_told_otherwise(content, style, recipe: str) -> None:
    untold, average, most = (
        transfer(content, style, recipe=recipe, **pooling, **tiny(recipe))
        for pooling in ({}, {"pooling": "average"}, {"pooling": "max"})
    )
    assert torch.equal(untold, average) and not torch.equal(untold, most)


@pytest.mark.parametrize("recipe", REGIONAL)
def test_regions_make_a_difference(content, style, regions: Regions, recipe: str) -> None:
    assert not torch.equal(
        transfer(content, style, regions, recipe=recipe, **tiny(recipe)),
        transfer(content, style, recipe=recipe, **tiny(recipe)),
    )


@pytest.mark.parametrize("recipe", REGIONAL)
def test_regions_may_be_painted_at_another_size(content, style, recipe: str) -> None:
    large = Regions(("left", "right"), sides(48, 64, 20), sides(60, 52, 40))
    assert transfer(content, style, large, recipe=recipe, **tiny(recipe)).shape == content.shape


@pytest.mark.parametrize("recipe", REGIONAL)
def test_a_region_too_thin_for_the_working_size_does_no_harm(picture, style, recipe: str) -> None:
    """A line one pixel wide at full size is nowhere the larger part of a pixel at the working size."""
    line = torch.zeros(96, 128)
    line[:, 50] = 1
    content = picture(96, 128, dtype=torch.float32)
    for pair in (
        Regions(("line", "rest"), torch.stack([line, 1 - line]), sides(30, 26, 20)),
        Regions(("left", "line"), sides(96, 128, 60), torch.stack([1 - line, line])),
    ):
        S = style if pair.style.shape[1] == 30 else picture(96, 128, seed=1, dtype=torch.float32)
        result = transfer(content, S, pair, recipe=recipe, **tiny(recipe))
        assert bool(result.isfinite().all()) and float(result.std()) > 0.01


@pytest.mark.parametrize("recipe", RECIPES)
def test_part_of_the_style_may_belong_to_no_region(content, style, recipe: str) -> None:
    half = torch.zeros(1, 30, 26)
    half[:, :15] = 1
    result = transfer(content, style, Regions(("all",), torch.ones(1, 24, 32), half), recipe=recipe, **tiny(recipe))
    assert bool(result.isfinite().all())


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_gray_and_a_flat_photograph_are_photographs(picture, content, style, recipe: str) -> None:
    gray = content[:1].expand(3, -1, -1).contiguous()
    flat = torch.full_like(content, 0.5)
    for I, S in ((gray, style), (content, flat), (flat, style)):
        assert bool(transfer(I, S, recipe=recipe, **tiny(recipe)).isfinite().all())


def test_strength_fades_into_the_content(content, style) -> None:
    full = transfer(content, style, **TINY)
    assert torch.equal(transfer(content, style, strength=0, **TINY), content)
    quarter = transfer(content, style, strength=0.25, **TINY)  # of colour maps: along the way of each colour
    assert float(delta_e(quarter, between(content, full, 0.25)).mean()) < 1
    assert float(delta_e(quarter, content).mean()) < float(delta_e(full, content).mean()) / 2
    full = transfer(content, style, recipe="reinhard")  # of pictures: from one to the other
    faded = transfer(content, style, recipe="reinhard", strength=0.25)
    torch.testing.assert_close(faded, content + (full - content) / 4)


def test_strength_counts_where_the_result_is_smaller_than_the_content(picture, style) -> None:
    content = picture(48, 64, dtype=torch.float32)
    faded = transfer(content, style, recipe="gatys", strength=0, **TINY)
    expected = resize(content, fit_size(48, 64, 32)) if faded.shape[1] == 24 else content
    torch.testing.assert_close(faded, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("recipe", RECIPES)
def test_double_precision_photographs_are_taken(content, style, recipe: str) -> None:
    result = transfer(content.double(), style.double(), recipe=recipe, **tiny(recipe))
    assert bool(result.isfinite().all())


@pytest.mark.parametrize("recipe", ["photo", "luan"])
def test_without_weights_there_is_nothing_to_do(content, style, recipe: str) -> None:
    """Every weight may be 0, and so may all."""
    weights = {f.name: 0 for f in fields(RECIPES[recipe].settings) if f.name.endswith("_weight")}
    assert bool(transfer(content, style, recipe=recipe, **weights, **TINY).isfinite().all())


def test_transfer_is_the_end_of_its_steps(content, style) -> None:
    _, result = walk(transfer_steps(content, style, **TINY))
    assert torch.equal(transfer(content, style, **TINY), result)


def test_closing_cancels(content, style) -> None:
    steps = transfer_steps(content, style, **TINY)
    next(steps)
    steps.close()
    with pytest.raises(StopIteration):
        next(steps)


NAN = float("nan")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"recipe": "paint"}, SettingsError, "no recipe 'paint'.*photo, luan, gatys"),
        ({"brush": 3}, SettingsError, "no setting 'brush'.*style_weight"),
        ({"quality": "perfect"}, SettingsError, "quality must be one of draft, standard, best, not 'perfect'"),
        ({"strength": 1.5}, SettingsError, "strength must lie between 0 and 1, not 1.5"),
        ({"strength": NAN}, SettingsError, "strength"),
        ({"device": "abacus"}, SettingsError, "no device 'abacus'.*auto, cpu, cuda, mps"),
        ({"content": torch.zeros(1, 20, 20)}, ImageError, "content must be a 3×H×W tensor"),
        ({"content": torch.zeros(3, 20, 20, dtype=torch.uint8)}, ImageError, "tensor of floats"),
        ({"style": torch.zeros(3, 20)}, ImageError, "style must be a 3×H×W tensor"),
        ({"style": torch.full((3, 20, 20), NAN)}, ImageError, "style contains values that are not finite"),
        (
            {"regions": Regions.whole(torch.zeros(3, 20, 99), torch.zeros(3, 30, 26))},
            RegionsError,
            "content regions are 99×20 but the content is 32×24",
        ),
    ],
)
def test_mistakes_are_told_at_the_first_step_and_not_before(
    content, style, monkeypatch, options: dict[str, Any], error, message: str
) -> None:
    def no_network(*_: object) -> None:
        raise AssertionError("weights were loaded before the check")

    monkeypatch.setattr("photostyle.network.network.load_weights", no_network)
    steps = transfer_steps(**{"content": content, "style": style} | options)
    with pytest.raises(error, match=message):
        next(steps)


def test_a_layer_that_does_not_exist_is_a_mistake(content, style) -> None:
    with pytest.raises(SettingsError, match="no layer 'relu9_9'"):
        next(transfer_steps(content, style, recipe="gatys", content_layers="relu9_9", **TINY))


@pytest.mark.parametrize("name", RECIPES)
def test_every_setting_has_a_help_and_a_default_in_range(name: str) -> None:
    recipe = find_recipe(name)
    assert recipe.source
    defaults = recipe.settings()
    assert all(setting.meaning for setting in settings_of(recipe.settings))
    assert make_settings(recipe, {f.name: getattr(defaults, f.name) for f in fields(defaults)}) == defaults
    assert make_settings(recipe, {f.name: str(getattr(defaults, f.name)) for f in fields(defaults)}) == defaults
    assert make_settings(recipe, {}) == make_settings(recipe, {}, "standard") == defaults


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("quality", ["draft", "best"])
def test_a_quality_chooses_what_is_not_given(name: str, quality: Quality) -> None:
    recipe = find_recipe(name)
    chosen = asdict(make_settings(recipe, {}, quality))
    assert asdict(make_settings(recipe, chosen)) == chosen  # in range, as if given
    assert chosen == {setting.name: setting.values[quality] for setting in settings_of(recipe.settings)}


def test_a_setting_that_is_given_goes_before_the_quality() -> None:
    draft, given = (make_settings(RECIPES["photo"], settings, "draft") for settings in ({}, {"size": 99}))
    assert draft.size < RECIPES["photo"].settings().size
    assert given == replace(draft, size=99)


def test_a_draft_is_smaller_work(content, style) -> None:
    counts = {quality: sum(1 for _ in transfer_steps(content, style, quality=quality)) for quality in get_args(Quality)}
    assert counts["draft"] < counts["standard"] < counts["best"]


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("steps", "7", 7),
        ("style_weight", "1e2", 100.0),
        ("style_weight", 3, 3.0),
        ("refine", "yes", True),
        ("refine", "False", False),
        ("refine", "0", False),
        ("refine", True, True),
        ("optimizer", "adam", "adam"),
    ],
)
def test_settings_are_read_as_their_type(name: str, given: object, value: object) -> None:
    read = getattr(make_settings(RECIPES["luan"], {name: given}), name)
    assert read == value and type(read) is type(value)


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("steps", 0, "steps must be at least 1, not 0"),
        ("size", "3", "size must be at least 16, not 3"),
        ("style_weight", -1, "style_weight must be at least 0"),
        ("steps", "many", "steps must be a whole number, not 'many'"),
        ("steps", None, "steps must be a whole number"),
        ("steps", 2.5, "steps must be a whole number"),
        ("steps", float("inf"), "steps must be"),
        ("style_weight", "heavy", "style_weight must be a number, not 'heavy'"),
        ("style_weight", NAN, "style_weight must be"),
        ("style_weight", "inf", "style_weight must be"),
        ("refine", "perhaps", "refine must be true or false, not 'perhaps'"),
        ("optimizer", "sgd", "optimizer must be one of metric, lbfgs, adam, not 'sgd'"),
    ],
)
def test_settings_that_cannot_be_are_refused(name: str, given: object, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        make_settings(RECIPES["luan"], {name: given})


def test_devices() -> None:
    assert find_device("cpu") == torch.device("cpu")
    assert find_device("auto").type in ("cpu", "cuda", "mps")
