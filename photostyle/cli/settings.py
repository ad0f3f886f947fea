"""The settings of recipes as command-line options, made from the recipes' dataclasses."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import Field, dataclass, fields
from typing import Any, get_args, get_type_hints

from typer.core import TyperCommand


@dataclass(frozen=True)
class Setting:
    """One field of a recipe's dataclass, as the user meets it; `qualities` are its values other than the default."""

    option: str
    default: Any
    qualities: dict[str, Any]
    help: str
    range: str

    @property
    def values(self) -> str:
        """Its default, and in brackets what it is at other qualities."""
        others = ", ".join(f"{quality} {value}" for quality, value in self.qualities.items())
        return f"{self.default} ({others})" if others else str(self.default)


def settings_of(settings: type[Any]) -> list[Setting]:
    """Every setting in a recipe's dataclass, in its order."""
    kinds = get_type_hints(settings)
    return [
        Setting(
            _option(f, kinds[f.name]),
            f.default,
            {quality: f.metadata[quality] for quality in ("draft", "best") if quality in f.metadata},
            f.metadata.get("help", ""),
            _range(f, kinds[f.name]),
        )
        for f in fields(settings)
    ]


class SettingsCommand(TyperCommand):
    """A command that takes `--name value` for any setting of any recipe.

    What it does not know itself it leaves in `ctx.meta["settings"]`, by field name and unchecked: which
    settings there are depends on the recipe, and to know the recipes takes PyTorch, for which
    `--help` must not wait.
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
        switches = _switches()
        if equals:
            settings[name] = value
        elif name in switches:
            settings[name] = True
        elif name.removeprefix("no_") in switches:
            settings[name.removeprefix("no_")] = False
        else:  # without a value the empty string, which no setting takes
            settings[name] = todo.popleft() if todo and not todo[0].startswith("--") else ""
    return rest, settings


def _switches() -> set[str]:
    """The settings of all recipes that are on or off, and so take no value."""
    from photostyle import RECIPES

    kinds = [get_type_hints(recipe.settings) for recipe in RECIPES.values()]
    return {name for hints in kinds for name, kind in hints.items() if kind is bool}


def _option(field: Field[Any], kind: Any) -> str:
    name = field.name.replace("_", "-")
    return f"--{name}/--no-{name}" if kind is bool else f"--{name}"


def _range(field: Field[Any], kind: Any) -> str:
    least, most = field.metadata.get("min"), field.metadata.get("max")
    if choices := get_args(kind):
        return ", ".join(choices)
    if least is not None and most is not None:
        return f"{least:g} to {most:g}"
    if least is not None:
        return f"at least {least:g}"
    return f"at most {most:g}" if most is not None else ""
