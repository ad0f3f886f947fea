"""The settings of recipes: fields of a frozen dataclass, each described once, for Python and for every face.

@dataclass(frozen=True)
class Photo:
    size: int = setting(256, "long side of the finest level, pixels", least=32, draft=96, best=384)
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, TypeVar, get_args, get_type_hints

from photostyle.errors import SettingsError

T = TypeVar("T")
S = TypeVar("S")

Quality = Literal["draft", "standard", "best"]
"""One dial from a preview in a moment to the most that a recipe can do."""

Kind = Literal["switch", "whole", "number", "text", "choice"]

_KINDS: dict[Any, Kind] = {bool: "switch", int: "whole", float: "number", str: "text"}
_NOUNS = {"whole": "a whole number", "number": "a number", "text": "a text"}


def setting(
    default: T,
    meaning: str,
    *,
    least: float | None = None,
    most: float | None = None,
    draft: T | None = None,
    best: T | None = None,
    is_file: bool = False,
) -> T:
    """A field of a recipe's dataclass.

    `default` is its value at standard quality, `draft` and `best` those at the others (None: the same); `meaning` is
    its help in a line; `least` and `most` bound a number. A text that `is_file` names a file on the user's machine,
    which a server must not open for a visitor.
    """
    values = {"draft": draft, "standard": default, "best": best}
    facts = {"meaning": meaning, "least": least, "most": most, "values": values, "is_file": is_file}
    return field(default=default, metadata=facts)


@dataclass(frozen=True)
class Setting:
    """One setting as a face shows it.

    `values` are those of the qualities; `choices` are of a "choice"; `least` and `most` are the bounds of a number.
    """

    name: str
    kind: Kind
    meaning: str
    values: Mapping[Quality, Any]
    choices: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None
    is_file: bool = False

    @property
    def default(self) -> Any:
        """Its value at standard quality."""
        return self.values["standard"]

    @property
    def graded(self) -> bool:
        """Whether the quality chooses its value."""
        return any(value != self.default for value in self.values.values())

    @property
    def range(self) -> str:
        """What it may be, in words; "" if anything."""
        if self.choices:
            return ", ".join(self.choices)
        if self.least is not None and self.most is not None:
            return f"{self.least:g} to {self.most:g}"
        if self.least is not None:
            return f"at least {self.least:g}"
        return f"at most {self.most:g}" if self.most is not None else ""

    def read(self, value: Any) -> Any:
        """`value` as this setting's type, if need be from a text. Raises SettingsError for one that it cannot have."""
        read = self._convert(value)
        if self.least is not None and read < self.least:
            raise SettingsError(f"{self.name} must be at least {self.least:g}, not {value}.")
        if self.most is not None and read > self.most:
            raise SettingsError(f"{self.name} must be at most {self.most:g}, not {value}.")
        return read

    def _convert(self, value: Any) -> Any:
        if self.kind == "choice":
            if value not in self.choices:
                raise SettingsError(f"{self.name} must be one of {', '.join(self.choices)}, not {value!r}.")
            return value
        if self.kind == "switch":
            if str(value).lower() not in ("true", "false", "yes", "no", "1", "0"):
                raise SettingsError(f"{self.name} must be true or false, not {value!r}.")
            return str(value).lower() in ("true", "yes", "1")
        try:
            read: Any = {"whole": int, "number": float, "text": str}[self.kind](value)
            if self.kind != "text" and (not math.isfinite(read) or (isinstance(value, float) and read != value)):
                raise ValueError
        except (TypeError, ValueError, OverflowError):
            raise SettingsError(f"{self.name} must be {_NOUNS[self.kind]}, not {value!r}.") from None
        return read


def settings_of(kind: type[Any]) -> list[Setting]:
    """Every setting in a recipe's dataclass, in its order."""
    types = get_type_hints(kind)
    return [
        Setting(
            f.name,
            "choice" if get_args(types[f.name]) else _KINDS[types[f.name]],
            f.metadata["meaning"],
            {quality: f.default if value is None else value for quality, value in f.metadata["values"].items()},
            get_args(types[f.name]),
            f.metadata["least"],
            f.metadata["most"],
            f.metadata["is_file"],
        )
        for f in fields(kind)
    ]


def read_settings(kind: type[S], given: Mapping[str, Any], quality: Quality = "standard") -> S:
    """A recipe's dataclass from settings by name; those that are not given have the values of that quality.

    Raises SettingsError for an unknown quality, a name that the recipe does not have, or a value out of range.

    >>> @dataclass(frozen=True)
    ... class Brush:
    ...     size: int = setting(8, "width, pixels", least=1, draft=4)
    >>> read_settings(Brush, {}, "draft"), read_settings(Brush, {"size": "12"})
    (Brush(size=4), Brush(size=12))
    """
    if quality not in get_args(Quality):
        raise SettingsError(f"quality must be one of {', '.join(get_args(Quality))}, not {quality!r}.")
    known = {setting.name: setting for setting in settings_of(kind)}
    for name in given:
        if name not in known:
            raise SettingsError(f"The recipe has no setting {name!r}; it has {', '.join(known)}.")
    return kind(**{name: s.read(given[name]) if name in given else s.values[quality] for name, s in known.items()})
