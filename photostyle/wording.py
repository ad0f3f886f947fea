"""What sentences are made of: numbers, and the names of files.

Names of files are bytes, and not always UTF-8. Python holds a byte that it cannot decode as a lone surrogate, so that
the file can be opened by its name. No text in UTF-8 may hold one. For people it is written as \\xe9, the byte; in JSON
as \\udce9, which reads back as what it was.
"""

from __future__ import annotations

import codecs
import json

HANDLER = "photostyle.legible"
"""The handler of errors, for streams, that writes \\xe9 for a byte, and as Python does whatever else has no letter."""


def _escape(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end]
    return "".join(f"\\x{ord(c) - 0xDC00:02x}" if "\udc80" <= c <= "\udcff" else _code(c) for c in letters), error.end


def _code(letter: str) -> str:
    return letter.encode("ascii", "backslashreplace").decode()


codecs.register_error(HANDLER, _escape)


def legible(text: str) -> str:
    """The text as any UTF-8 can hold it.

    >>> print(legible(b"caf\\xe9.jpg".decode("utf-8", "surrogateescape")))
    caf\\xe9.jpg
    """
    return text.encode("utf-8", HANDLER).decode()


def json_bytes(facts: object, indent: int | None = None) -> bytes:
    """JSON in UTF-8, letters as they are; names of files read back as what they were."""
    return json.dumps(facts, indent=indent, ensure_ascii=False).encode("utf-8", "backslashreplace")


def percent(share: float) -> str:
    """A share, in [0, 1], as in 42%, 0.4% or under 0.1%: what there is, is never 0%.

    >>> percent(0.424), percent(0.004), percent(0.0004)
    ('42%', '0.4%', 'under 0.1%')
    """
    if 0 < share < 0.001:
        return "under 0.1%"
    return f"{share:.1%}" if share < 0.01 else f"{share:.0%}"
