"""The settings of recipes as controls of a page, made from the recipes' dataclasses."""

from __future__ import annotations

from typing import Any

from photostyle import DEFAULT_RECIPE, RECIPES, SettingsError
from photostyle.recipes.settings import Setting, settings_of

BALANCE = ("content_weight", "style_weight")  # the settings behind the slider of structure against style


def recipe_facts() -> list[dict[str, Any]]:
    """Every recipe as JSON: what it is for, and a control for each of its settings."""
    return [
        {
            "name": name,
            "purpose": recipe.purpose,
            "source": recipe.source,
            "default": name == DEFAULT_RECIPE,
            "regional": recipe.regional,
            "network": recipe.network,
            "blends": recipe.blends,
            "balanced": {setting.name for setting in known}.issuperset(BALANCE),
            "settings": [_control(setting) for setting in known if not setting.is_file],
        }
        for name, recipe in RECIPES.items()
        for known in [settings_of(recipe.settings)]
    ]


def check_offered(recipe: str, settings: dict[str, Any]) -> None:
    """Raise SettingsError for a setting that names a file: the files of the server are not the page's to read."""
    for setting in settings_of(RECIPES[recipe].settings):
        if setting.is_file and setting.name in settings:
            raise SettingsError(f"{setting.name} cannot be set from the studio: use the command line.")


def _control(setting: Setting) -> dict[str, Any]:
    return {
        "name": setting.name,
        "help": setting.meaning,
        "kind": setting.kind,
        "choices": list(setting.choices),
        "min": setting.least,
        "max": setting.most,
        "values": dict(setting.values),
        "graded": setting.graded,
    }
