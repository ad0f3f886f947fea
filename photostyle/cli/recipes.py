"""`photostyle recipes`: what there is, and every setting of it."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from photostyle.cli.options import Json
from photostyle.cli.settings import facts_of, option, values
from photostyle.cli.table import table


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
        table(("Setting", "Default", "Range", "Meaning"), rows)
    else:
        marks = {DEFAULT_RECIPE: " (default)"}
        known = [(key + marks.get(key, ""), recipe.purpose, recipe.source) for key, recipe in RECIPES.items()]
        table(("Recipe", "For", "Source"), known)
