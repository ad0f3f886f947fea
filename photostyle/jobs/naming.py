"""What the copies of many photographs are called, so that no two of them are one file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from itertools import count
from pathlib import PurePosixPath

from photostyle.photofile import FORMATS


def copy_names(name: str, extension: str | None = None, ending: str = "") -> tuple[str, ...]:
    """The names that a copy of a photograph called `name` (a path) may have, the best first.

    Its own, with `ending` after the stem; if its extension must be another (`extension`, or .jpg for a format that is
    not written), then with that, or with that after its own: scan.tif may be scan.png or scan.tif.png.
    """
    path = PurePosixPath(name)
    suffix = extension or (path.suffix if path.suffix.lower() in FORMATS else ".jpg")
    short, long = (str(path.with_name(f"{stem}{ending}{suffix}")) for stem in (path.stem, path.name))
    return (short,) if suffix == path.suffix else (short, long)


def apart(candidates: Sequence[Sequence[str]], taken: Collection[str] = ()) -> list[str]:
    """One of its candidates for each: the first that no other has and that is not `taken`, as far as there is one.

    On some systems A.jpg and a.jpg are one file: of names that differ in that alone all but one get a number. Names
    that are the same stay so: then one thing was asked for twice. What is chosen depends on what is given alone.
    """
    given = Counter(map(_one_file, taken))
    places = [0] * len(candidates)
    while True:
        names = [known[place] for known, place in zip(candidates, places, strict=True)]
        owners = given + Counter(map(_one_file, names))
        moved = [
            min(place + (owners[_one_file(name)] > 1), len(known) - 1)
            for known, place, name in zip(candidates, places, names, strict=True)
        ]
        if moved == places:
            return _numbered(names, set(given))
        places = moved


def _numbered(names: Sequence[str], taken: set[str]) -> list[str]:
    wanted, found = set(map(_one_file, names)), dict[str, str]()
    for name in names:
        if name in found:
            continue
        found[name] = name
        if _one_file(name) in taken:
            path = PurePosixPath(name)
            numbered = (str(path.with_name(f"{path.stem}-{n}{path.suffix}")) for n in count(2))
            found[name] = next(other for other in numbered if _one_file(other) not in taken | wanted)
        taken.add(_one_file(found[name]))
    return [found[name] for name in names]


def _one_file(name: str) -> str:
    return name.casefold()
