"""What was painted: regions as two label images, and who takes whose look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from photostyle import Regions, load_regions


@dataclass(frozen=True)
class Painting:
    """Two label images in the paper's palette (PNG), which content colour takes whose look, and which none."""

    content: bytes
    style: bytes
    match: Mapping[str, str] = field(default_factory=dict)
    drop: tuple[str, ...] = ()

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
