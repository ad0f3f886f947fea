"""The settings of recipes as command-line options, made from the recipes' dataclasses."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from typer.core import TyperCommand

from photostyle import SettingsError

if TYPE_CHECKING:
    from photostyle.recipes.settings import Setting


def option(setting: Setting) -> str:
    """What it is called on the command line."""
    name = _option(setting.name)
    return f"{name}/--no-{name[2:]}" if setting.kind == "switch" else name


def values(setting: Setting) -> str:
    """Its default, and in brackets what it is at other qualities."""
    others = [f"{name} {value}" for name, value in setting.values.items() if value != setting.default]
    return f"{setting.default} ({', '.join(others)})" if others else str(setting.default)


def facts_of(setting: Setting) -> dict[str, Any]:
    """It as JSON."""
    return {
        "option": option(setting),
        "default": setting.default,
        "qualities": {name: value for name, value in setting.values.items() if value != setting.default},
        "help": setting.meaning,
        "range": setting.range,
    }


class SettingsCommand(TyperCommand):
    """A command that takes `--name value` for any setting of any recipe.

    What it does not know itself it leaves in `ctx.meta["settings"]`, by field name, its value unchecked: which
    settings there are depends on the recipe. To know the recipes takes PyTorch, for which `--help` must not wait.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the settings aside, then parse the rest as usual."""
        known = {name for param in self.get_params(ctx) for name in (*param.opts, *param.secondary_opts)}
        args, ctx.meta["settings"] = _split(args, known)
        return super().parse_args(ctx, args)


def _split(args: list[str], known: Collection[str]) -> tuple[list[str], dict[str, str | bool]]:
    """Take the options that are not `known`, and their values, out of the arguments."""
    rest: list[str] = []
    settings: dict[str, str | bool] = {}
    todo = deque(args)
    while todo:
        arg = todo.popleft()
        option, equals, value = arg.partition("=")
        if not option.startswith("--") or option in known:
            rest.append(arg)
            continue
        if option == "--":
            return [*rest, arg, *todo], settings
        name = option[2:].replace("-", "_")
        named, switches = _settings()
        if name not in named and name.removeprefix("no_") not in switches:
            raise SettingsError(f"There is no option {option}{_meant(option, [*known, *map(_option, named)])}.")
        if equals:
            settings[name] = value
        elif name in switches:
            settings[name] = True
        elif name not in named:
            settings[name.removeprefix("no_")] = False
        else:  # without a value the empty string, which no setting takes
            settings[name] = todo.popleft() if todo and not todo[0].startswith("--") else ""
    return rest, settings


def _settings() -> tuple[set[str], set[str]]:
    """The settings of all recipes, and those that are on or off, and so take no value."""
    from photostyle import RECIPES
    from photostyle.recipes.settings import settings_of

    every = [setting for recipe in RECIPES.values() for setting in settings_of(recipe.settings)]
    return {s.name for s in every}, {s.name for s in every if s.kind == "switch"}


def _meant(option: str, known: Iterable[str]) -> str:
    """The option that is nearly called so."""
    near = get_close_matches(option, sorted(known), n=1, cutoff=0.75)
    return f": perhaps {near[0]} is meant" if near else ""


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
