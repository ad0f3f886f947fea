"""A pack: what one table cannot hold, as a table and a mask for each region."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from photostyle.errors import SettingsError
from photostyle.files import StrPath, write_folder
from photostyle.image import shrink
from photostyle.looks.held import Held
from photostyle.looks.look import Look, borders_of
from photostyle.looks.readme import readme
from photostyle.looks.sight import Sight, see
from photostyle.maps.blend import cut_feet
from photostyle.matting.render import apply_maps
from photostyle.tables.fit import fit_map
from photostyle.tables.making import SIZE, make_table
from photostyle.tables.table import Table
from photostyle.tables.writing import encode_table


@dataclass(frozen=True, eq=False)
class Pack:
    """K tables over one space, and masks K×H×W in [0, 1] of one photograph, for K regions called `names`.

    Stack them with the first at the bottom: its table is applied to the whole photograph; each other table is applied
    to the photograph too, and laid over those below through its mask. So the second mask does not say where the second
    region is, but which part of what it shares with the first is its own. The first mask says where the first region
    is, for other uses.
    """

    names: tuple[str, ...]
    tables: tuple[Table, ...]
    masks: Tensor

    def apply(self, photograph: Tensor) -> Tensor:
        """The photograph (3×H×W, sRGB in [0, 1], the size of the masks) with the stack applied: 3×H×W in [0, 1]."""
        result = self.tables[0].apply(photograph)
        for table, mask in zip(self.tables[1:], self.masks[1:], strict=True):
            result.lerp_(table.apply(photograph), mask)
        return result

    def fit(self, size: Sequence[int]) -> Pack:
        """The pack for a smaller copy, H×W, of the photograph."""
        return Pack(self.names, self.tables, shrink(self.masks, size))


def look_pack(look: Look, photograph: Tensor, *, size: int = SIZE, space: str = "srgb", title: str = "") -> Pack:
    """A table for each region of a look, and masks that follow the photograph (3×H×W, sRGB in [0, 1]).

    `size`, `space` and `title` are the tables'. Raises ImageError if it is no image, SettingsError for a space or a
    size that tables do not have, WeightsError if the regions must be found again and there is no network.
    """
    return regional_tables(see(look, photograph), photograph, size, space, title)


def regional_tables(sight: Sight, photograph: Tensor, size: int, space: str, title: str) -> Pack:
    """`look_pack` of what was seen of the photograph. Raises SettingsError if the look has no regions."""
    if not sight.names:
        raise SettingsError("This look has no regions, and so no pack: export one table.")
    masks = _full_masks(sight.masks, photograph)
    seen = shrink(masks, sight.before.shape[1:])
    tables = []
    for name, map, mask in zip(sight.names, sight.maps, seen, strict=True):
        own = fit_map(sight.before, sight.after, map, size, mask.square())  # mixed pixels show others' work too
        tables.append(make_table(own, size, space=space, title=f"{title}: {name}" if title else name))
    below = masks.cumsum(0)
    stacked = torch.where(below > 0, masks / below.clamp(min=1e-6), 0.0)
    return Pack(sight.names, tuple(tables), torch.cat([masks[:1], stacked[1:]]))


def save_pack(pack: Pack, folder: StrPath, holds: Held | None = None) -> None:
    """Write a pack into a new folder: for each region a `.cube` and a mask, a gray PNG of 16 bits, and a README.txt.

    `holds` is quoted in it. The folder appears whole or not at all. Raises ImageError if it cannot be written or exists
    and is not empty.
    """
    write_folder(Path(folder), pack_files(pack, holds))


def pack_files(pack: Pack, holds: Held | None = None) -> dict[str, bytes]:
    """The files of a pack by their names: what `save_pack` writes."""
    stems = [f"{n}-{re.sub(r'[^0-9A-Za-z]+', '-', name).strip('-')}" for n, name in enumerate(pack.names, 1)]
    files = {"README.txt": readme(pack.names, stems, pack.tables[0].space, holds).encode()}
    for stem, table, mask in zip(stems, pack.tables, pack.masks, strict=True):
        files[f"{stem}.cube"] = encode_table(table, ".cube")
        files[f"{stem}.png"] = _gray(mask)
    return files


def _full_masks(masks: Tensor, photograph: Tensor) -> Tensor:
    """Small masks (K×h×w) as the look blends by them, at the size of the photograph: K×H×W, adding up to 1."""
    if len(masks) == 1:
        return torch.ones(1, *photograph.shape[1:])
    soft = apply_maps(borders_of(masks, photograph).guides, photograph)
    return cut_feet(soft, soft.clamp(min=1e-6))


def _gray(mask: Tensor) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray((mask.clamp(0, 1) * 65535).round().numpy().astype(np.uint16)).save(buffer, "PNG")
    return buffer.getvalue()
