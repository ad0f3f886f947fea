"""What the numbers in a file mean as colours: ICC profiles, and the shorter marks of PNG, AVIF and HEIC.

Most profiles of photographs are three curves and a matrix (ICC.1:2022, 8.4): sRGB, Display P3, Adobe RGB, ProPhoto,
a gray with a gamma. These are `Space`s, computed here in floating point, so that 16 bits stay 16 bits. A profile
that is a table, which printers, some scanners and all CMYK have, is left to Little CMS, which Pillow gives 8 bits.
"""

from __future__ import annotations

import functools
import io
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageCms
from torch import Tensor

from photostyle.color.spaces import linear_from_srgb, srgb_from_linear

Array = npt.NDArray[np.floating[Any]]
Levels = npt.NDArray[Any]  # uint8, uint16, or float32 in [0, 1]

_D65 = (0.3127, 0.3290)
_SRGB = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06), _D65)  # x, y of red, green, blue and white
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_D50 = np.array([0.9642, 1.0, 0.8249])  # the white of all ICC profiles

# ITU-T H.273: what the code points of cICP and nclx stand for; those that are missing here count as sRGB's.
_PRIMARIES = {
    4: ((0.67, 0.33), (0.21, 0.71), (0.14, 0.08), (0.310, 0.316)),
    5: ((0.64, 0.33), (0.29, 0.60), (0.15, 0.06), _D65),
    6: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), _D65),
    7: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), _D65),
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), _D65),  # BT.2020
    11: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.314, 0.351)),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _D65),  # Display P3
}
HDR = {16: "PQ", 18: "HLG"}  # transfers without a brightest value that a screen could show


@dataclass(frozen=True)
class Curve:
    """From an encoded value to light: (a·x + b)^g + e from d on, c·x + f below (ICC's type 4), or a table."""

    g: float = 1.0
    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    d: float = 0.0
    e: float = 0.0
    f: float = 0.0
    table: Array | None = None

    def light(self, x: Tensor) -> Tensor:
        """Encoded → light, any shape."""
        if self.table is not None:
            return _interpolate(x, np.linspace(0, 1, len(self.table)), self.table)
        upper = (self.a * x + self.b).clamp(min=0) ** self.g + self.e
        return torch.where(x >= self.d, upper, self.c * x + self.f)

    def encoded(self, y: Tensor) -> Tensor:
        """Light → encoded, the inverse of `light`."""
        if self.table is not None:
            return _interpolate(y, self.table, np.linspace(0, 1, len(self.table)))
        knee = max(self.a * self.d + self.b, 0) ** self.g + self.e
        upper = ((y - self.e).clamp(min=0) ** (1 / self.g) - self.b) / self.a
        lower = (y - self.f) / self.c if self.c else torch.full_like(y, self.d)
        return torch.where(y >= knee, upper, lower)


SRGB_CURVE = Curve(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


@dataclass(frozen=True, eq=False)
class Space:
    """An RGB colour space: the light of its three channels is curve(value); `matrix` takes light to linear sRGB."""

    curves: tuple[Curve, Curve, Curve]
    matrix: Array

    @functools.cached_property
    def is_srgb(self) -> bool:
        """Whether it differs from sRGB by less than half of one level of 255 anywhere: then nothing is converted."""
        axis = torch.linspace(0, 1, 18, dtype=torch.float64)
        cube = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij")).reshape(3, -1)
        same = self._to_srgb(torch.stack([curve.light(x) for curve, x in zip(self.curves, cube, strict=True)]))
        return bool((same - cube).abs().max() < 0.5 / 255)

    def to_srgb(self, levels: Levels) -> Tensor:
        """Integer levels or floats in [0, 1], H×W×3 → 3×H×W sRGB float32, not clamped."""
        if self.is_srgb:
            return torch.from_numpy(to_floats(levels)).permute(2, 0, 1)
        if levels.dtype == np.float32:
            x = torch.from_numpy(levels).double().unbind(-1)
            light = torch.stack([curve.light(x[i]) for i, curve in enumerate(self.curves)]).float()
        else:
            known = torch.from_numpy(to_floats(np.arange(np.iinfo(levels.dtype).max + 1, dtype=levels.dtype))).double()
            tables = [curve.light(known).float().numpy() for curve in self.curves]
            light = torch.from_numpy(np.stack([table[levels[..., i]] for i, table in enumerate(tables)]))
        return self._to_srgb(light)

    def from_srgb(self, image: Tensor) -> Tensor:
        """3×H×W sRGB in [0, 1] → the same colours in this space, clamped to [0, 1]."""
        if self.is_srgb:
            return image
        back = image.new_tensor(np.linalg.inv(self.matrix))
        light = torch.tensordot(back, linear_from_srgb(image), dims=1).clamp_(0, 1)
        return torch.stack([curve.encoded(y) for curve, y in zip(self.curves, light, strict=True)]).clamp_(0, 1)

    def _to_srgb(self, light: Tensor) -> Tensor:
        return srgb_from_linear(torch.tensordot(light.new_tensor(self.matrix), light, dims=1))


SRGB = Space((SRGB_CURVE, SRGB_CURVE, SRGB_CURVE), np.eye(3))


def icc_space(profile: bytes) -> Space | None:
    """The space of an ICC profile of three curves and a matrix, or of one curve (gray).

    None for one that is a table. Raises ValueError for one that is broken.
    """
    try:
        tags = _tags(profile)
        if {"A2B0", "A2B1", "D2B0", "D2B1"} & tags.keys():
            return None
        if (kind := profile_kind(profile)) == "GRAY":
            gray = _curve(tags["kTRC"])
            return Space((gray, gray, gray), np.eye(3))
        if kind != "RGB":
            return None
        curves = _curve(tags["rTRC"]), _curve(tags["gTRC"]), _curve(tags["bTRC"])
        matrix: Array = np.linalg.inv(_light_to_xyz(*_SRGB)) @ np.stack([_xyz(tags[f"{c}XYZ"]) for c in "rgb"], axis=1)
        if abs(np.linalg.det(matrix)) < 1e-6:
            raise ValueError("its colours are all alike")
        return Space(curves, matrix)
    except (struct.error, KeyError, IndexError) as error:
        raise ValueError("it is cut short or lacks a part") from error


def profile_kind(profile: bytes) -> str:
    """What an ICC profile is made for: RGB, GRAY, CMYK …; "" if it is none."""
    return profile[16:20].decode("ascii", "replace").strip() if profile[36:40] == b"acsp" else ""


def profile_name(profile: bytes) -> str:
    """What an ICC profile calls itself."""
    try:
        return ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile))).strip() or "unnamed"
    except (OSError, ImageCms.PyCMSError):
        return "unnamed"


def cicp_space(primaries: int, transfer: int) -> Space:
    """The space of two code points of ITU-T H.273 (PNG's cICP, nclx in AVIF and HEIC); video curves count as sRGB's."""
    gamma = {4: 2.2, 5: 2.8, 8: 1.0}.get(transfer)
    return _plain_space(Curve(gamma) if gamma else SRGB_CURVE, _PRIMARIES.get(primaries, _SRGB))


def gamma_space(gamma: float, chromaticity: tuple[float, ...] | None) -> Space:
    """The space of PNG's gAMA (0.45455 for 1/2.2) and cHRM (x and y of white, red, green, blue).

    0.45455 is what programs write that mean sRGB, and is read so.
    """
    curve = SRGB_CURVE if abs(gamma - 0.45455) < 0.001 else Curve(1 / gamma)
    if chromaticity is None:
        return _plain_space(curve, _SRGB)
    white, red, green, blue = zip(chromaticity[::2], chromaticity[1::2], strict=True)
    return _plain_space(curve, (red, green, blue, white))


def through_lcms(levels: npt.NDArray[np.uint8], profile: bytes) -> npt.NDArray[np.uint8]:
    """H×W×3 or, for CMYK, H×W×4 levels of 8 bits → H×W×3 of sRGB, through Little CMS.

    Relative colorimetric with black point compensation: colours that sRGB has stay what they are, and every
    profile supports it, whereas the perceptual intent differs from maker to maker. Raises ValueError for a profile
    that is broken.
    """
    image = Image.fromarray(levels, "CMYK") if levels.shape[2] == 4 else Image.fromarray(levels)
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
        intent, flags = ImageCms.Intent.RELATIVE_COLORIMETRIC, ImageCms.Flags.BLACKPOINTCOMPENSATION
        return np.asarray(ImageCms.buildTransform(source, target, image.mode, "RGB", intent, flags).apply(image))
    except (OSError, ImageCms.PyCMSError) as error:
        raise ValueError("Little CMS refuses it") from error


def to_floats(levels: Levels) -> npt.NDArray[np.float32]:
    """Integer levels → [0, 1] float32; floats stay what they are."""
    if levels.dtype == np.float32:
        return levels
    return levels.astype(np.float32) / np.float32(np.iinfo(levels.dtype).max)


@functools.cache
def srgb_profile() -> bytes:
    """An ICC profile of sRGB with a fixed date: Little CMS writes the current time into bytes 24 to 36."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    date = b"".join(part.to_bytes(2, "big") for part in (2000, 1, 1, 0, 0, 0))
    return profile[:24] + date + profile[36:]


def _plain_space(curve: Curve, primaries: tuple[tuple[float, float], ...]) -> Space:
    try:
        matrix = np.linalg.inv(_light_to_xyz(*_SRGB)) @ _light_to_xyz(*primaries)
    except (ZeroDivisionError, np.linalg.LinAlgError) as error:
        raise ValueError("its primaries are no colours") from error
    return Space((curve, curve, curve), matrix)


def _light_to_xyz(*primaries: tuple[float, float]) -> Array:
    """Linear RGB → XYZ under D50, the white adapted by Bradford's cones (ICC.1:2022, annex E)."""
    *columns, white = (np.array([x / y, 1, (1 - x - y) / y]) for x, y in primaries)
    rgb = np.stack(columns, axis=1)
    cones = np.diag((_BRADFORD @ _D50) / (_BRADFORD @ white))
    adapt: Array = np.linalg.inv(_BRADFORD) @ cones @ _BRADFORD
    return adapt @ rgb @ np.diag(np.linalg.solve(rgb, white))


def _tags(profile: bytes) -> dict[str, bytes]:
    if not profile_kind(profile):
        raise ValueError("it is no ICC profile")
    (count,) = struct.unpack_from(">I", profile, 128)
    entries = [struct.unpack_from(">4sII", profile, 132 + 12 * i) for i in range(min(count, 100))]
    return {name.decode("latin-1"): profile[start : start + size] for name, start, size in entries}


def _xyz(tag: bytes) -> Array:
    return np.array(struct.unpack_from(">iii", tag, 8)) / 65536


def _curve(tag: bytes) -> Curve:
    if tag[:4] == b"curv":
        (count,) = struct.unpack_from(">I", tag, 8)
        if count == 0:
            return Curve()
        if count == 1:
            return Curve(_positive(struct.unpack_from(">H", tag, 12)[0] / 256))
        table = np.array(struct.unpack_from(f">{count}H", tag, 12)) / 65535
        if np.any(np.diff(table) < 0) or table[-1] <= table[0]:
            raise ValueError("a curve of it does not rise")
        return Curve(table=table)
    if tag[:4] != b"para":
        raise ValueError("a curve of it is of no known kind")
    (kind,) = struct.unpack_from(">H", tag, 8)
    g, *rest = (value / 65536 for value in struct.unpack_from(f">{(1, 3, 4, 5, 7)[kind]}i", tag, 12))
    _positive(g)
    if kind == 0:
        return Curve(g)
    a, b = _positive(rest[0]), rest[1]
    if kind in (1, 2):
        offset = rest[2] if kind == 2 else 0.0
        return Curve(g, a, b, 0.0, -b / a, offset, offset)
    return Curve(g, a, b, *rest[2:])


def _positive(value: float) -> float:
    if value <= 0:
        raise ValueError("a curve of it does not rise")
    return value


def _interpolate(x: Tensor, xs: Array, ys: Array) -> Tensor:
    return torch.from_numpy(np.interp(x.numpy(), xs, ys)).to(x.dtype)
