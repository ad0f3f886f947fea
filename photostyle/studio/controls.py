"""The settings of recipes as controls of a page, made from the recipes' dataclasses."""

from __future__ import annotations

from dataclasses import Field, fields
from typing import Any, get_args, get_type_hints

from photostyle import DEFAULT_RECIPE, RECIPES, SettingsError

BALANCE = ("content_weight", "style_weight")  # the settings behind the slider of structure against style

_KINDS = {bool: "switch", int: "whole", float: "number", str: "text"}


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
            "balanced": {f.name for f in fields(recipe.settings)}.issuperset(BALANCE),
            "settings": _controls(recipe.settings),
        }
        for name, recipe in RECIPES.items()
    ]


def check_offered(recipe: str, settings: dict[str, Any]) -> None:
    """Raise SettingsError for a setting that names a file: the files of the server are not the page's to read."""
    for f in fields(RECIPES[recipe].settings):
        if f.name in settings and _is_withheld(f):
            raise SettingsError(f"{f.name} cannot be set from the studio: use the command line.")


def _controls(settings: type[Any]) -> list[dict[str, Any]]:
    kinds = get_type_hints(settings)
    return [
        {
            "name": f.name,
            "help": f.metadata.get("help", ""),
            "kind": "choice" if get_args(kinds[f.name]) else _KINDS[kinds[f.name]],
            "choices": list(get_args(kinds[f.name])),
            "min": f.metadata.get("min"),
            "max": f.metadata.get("max"),
            "values": {quality: f.metadata.get(quality, f.default) for quality in ("draft", "standard", "best")},
            "graded": "draft" in f.metadata,
        }
        for f in fields(settings)
        if not _is_withheld(f)
    ]


def _is_withheld(f: Field[Any]) -> bool:
    """Whether a setting is a text that is empty by default: the name of a file, or weights of several styles."""
    return f.default == "" and isinstance(f.default, str)
