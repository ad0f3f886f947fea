"""How people say which regions belong together: names, and pairs of them, as texts or from a file of jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from photostyle.errors import SettingsError


def read_names(value: str | Sequence[object]) -> list[str]:
    """The names of a list, or of a text with commas between."""
    found = value.split(",") if isinstance(value, str) else value
    return [name for name in (str(name).strip() for name in found) if name]


def read_match(value: str | Mapping[object, object]) -> dict[str, str]:
    """Which region takes the look of which: a mapping, or a text as in "blue=red, sky=sea". Raises SettingsError."""
    if isinstance(value, Mapping):
        return {str(content): str(style) for content, style in value.items()}
    found: dict[str, str] = {}
    for pair in read_names(value):
        content, _, style = (part.strip() for part in pair.partition("="))
        if not content or not style:
            raise SettingsError(f"match should be pairs of names, as in blue=red, not {pair!r}.")
        if found.setdefault(content, style) != style:
            raise SettingsError(f"match gives {content} both {found[content]} and {style}: name one of them.")
    return found
