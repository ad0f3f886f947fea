"""What is painted over two photographs: regions as two label images, and who takes whose look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypedDict

from photostyle import Regions, RegionsError, load_regions
from photostyle.studio.picture import SIDES, Side
from photostyle.studio.pixels import check_png


class Seen(TypedDict):
    """What a region lies over: what that is called, and its share of the photograph in [0, 1]."""

    what: str
    share: float


@dataclass(frozen=True)
class Painting:
    """Two label images in the paper's palette (PNG), which content colour takes whose look, and which none."""

    content: bytes
    style: bytes
    match: Mapping[str, str] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    titles: Mapping[str, str] = field(default_factory=dict)  # what the page calls each colour

    def load(self) -> Regions:
        """Raises RegionsError if they cannot be paired."""
        with TemporaryDirectory() as folder:
            return load_regions(*self.save(Path(folder)), match=self.match, drop=self.drop)

    def save(self, folder: Path) -> tuple[Path, Path]:
        """Both files."""
        paths = folder / "content_regions.png", folder / "style_regions.png"
        for path, data in zip(paths, (self.content, self.style), strict=True):
            path.write_bytes(data)
        return paths


@dataclass(eq=False)
class Sheet:
    """The sheet over one pair of photographs, of which one side may still be blank."""

    labels: dict[Side, bytes] = field(default_factory=dict)  # label images, PNG
    regions: list[dict[str, Any]] = field(default_factory=list)  # as the page lists them: colour, name, model
    by_hand: bool = False  # painted, not only found
    seen: dict[Side, tuple[bytes, dict[str, Seen]]] = field(default_factory=dict)  # what label images lie over

    def set_labels(self, side: Side, data: bytes) -> None:
        """Raises RegionsError if it is no PNG."""
        check_png(data)
        self.labels[side] = data
        self.by_hand = True

    def for_another(self, side: Side) -> Sheet:
        """What stays when that side's photograph gives way to another one: what the other side was painted with."""
        if not self.by_hand:
            return Sheet()
        kept = {other: data for other, data in self.labels.items() if other != side}
        return Sheet(kept, [dict(region) for region in self.regions], bool(kept))

    def swapped(self) -> Sheet:
        """The same for the two photographs in each other's place; every region takes its own look."""
        labels: dict[Side, bytes] = {
            there: self.labels[here] for here, there in zip(SIDES, reversed(SIDES), strict=True) if here in self.labels
        }
        regions = [region | {"model": region["color"]} for region in self.regions]
        return Sheet(labels, regions, self.by_hand)

    def painting(self) -> Painting | None:
        """The regions as they are now, None unless both sides have some."""
        if not all(side in self.labels for side in SIDES):
            return None
        match = {r["color"]: r["model"] for r in self.regions if r["model"] not in ("", r["color"])}
        drop = tuple(r["color"] for r in self.regions if not r["model"])
        models = set(match.values())
        if len(drop) == len(self.regions) and drop:
            raise RegionsError("No region has a look to take: pair at least one.")
        return Painting(
            self.labels["content"],
            self.labels["style"],
            match,
            # what is dropped keeps its colour in the style if another region takes its look from there
            tuple(color for color in drop if color not in models),
            self.titles,
        )

    @property
    def titles(self) -> dict[str, str]:
        """What the page calls each colour: its number, and its name or what it lies over."""
        seen: dict[str, Seen] = self.seen["content"][1] if "content" in self.seen else {}
        found = {}
        for number, region in enumerate(self.regions, 1):
            said = region["name"] or (seen[region["color"]]["what"] if region["color"] in seen else "")
            found[region["color"]] = f"{number} ({said})" if said else str(number)
        return found
