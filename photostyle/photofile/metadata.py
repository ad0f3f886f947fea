"""EXIF and XMP: what of them a changed copy keeps, and the note that says how it was made."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from PIL import Image

from photostyle._version import __version__

ORIENTATION, BITS_PER_SAMPLE, PHOTOMETRIC, PLANAR = 0x0112, 0x0102, 0x0106, 0x011C  # TIFF tags
ICC_PROFILE, XMP = 0x8773, 0x02BC
EXIF_IFD, GPS_IFD = 0x8769, 0x8825
X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 0x011A, 0x011B, 0x0128
_SOFTWARE = 0x0131
_MAKER_NOTE, _USER_COMMENT, _WIDTH, _HEIGHT, _INTEROP = 0x927C, 0x9286, 0xA002, 0xA003, 0xA005

# Of a TIFF's own directory: description, maker, model, software, date, artist, host, ratings, copyright and the names
# that Windows gives. The rest is about how its pixels are stored.
_KEPT = (0x010D, 0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x013C, 0x4746, 0x4749, 0x8298, *range(0x9C9B, 0x9CA0))

_ASCII = b"ASCII\0\0\0"  # how EXIF's user comment says in what letters it is
_XMP_ORIENTATION = re.compile(rb"(tiff:Orientation(?:=[\"']|>)\s*)[2-8]")


def clean_exif(exif: Image.Exif) -> bytes | None:
    """The EXIF that a copy keeps: without orientation, thumbnail and storage. None if nothing is left.

    Raises whatever Pillow does on damaged EXIF.
    """
    kept = Image.Exif()
    for tag in _KEPT:
        if tag in exif:
            kept[tag] = exif[tag]
    for part in (EXIF_IFD, GPS_IFD):
        values = {tag: value for tag, value in exif.get_ifd(part).items() if tag != _INTEROP}  # that is an offset
        if values:
            kept.get_ifd(part).update(values)
    data = kept.tobytes()
    return data if len(data) > 20 else None  # 20: an empty directory


def clean_xmp(xmp: object) -> bytes | None:
    """The XMP that a copy keeps: its orientation is reset."""
    if isinstance(xmp, str):
        xmp = xmp.encode()
    return _XMP_ORIENTATION.sub(rb"\g<1>1", xmp) if isinstance(xmp, bytes) and xmp.strip(b"\0 \n") else None


def stamp(
    kept: bytes | None,
    size: tuple[int, int],
    resolution: tuple[float, float] | None,
    note: Mapping[str, object] | None,
) -> Image.Exif:
    """The EXIF of a file to write, `size` = (W, H): what was kept, with this software and the note in it.

    The note is a user comment, so that the photographer's description stays; what JSON does not know becomes text.
    """
    exif = Image.Exif()
    if kept:
        exif.load(kept)
        for part in (EXIF_IFD, GPS_IFD):  # parsed now, for `exif` forgets them with its tags
            if part in exif:
                values = dict(exif.get_ifd(part))
                del exif[part]
                exif.get_ifd(part).update(values)
    exif[_SOFTWARE] = f"photostyle {__version__}"
    if resolution:
        exif[X_RESOLUTION], exif[Y_RESOLUTION] = resolution
        exif[RESOLUTION_UNIT] = 2  # inch
    camera = exif.get_ifd(EXIF_IFD)
    for tag, side in zip((_WIDTH, _HEIGHT), size, strict=True):
        if tag in camera:
            camera[tag] = side
    if note is not None:
        camera[_USER_COMMENT] = _ASCII + json.dumps(dict(note), default=str).encode()
    return exif


def drop_maker_note(exif: Image.Exif) -> bool:
    """Take out what only the camera's maker can read, often the most of EXIF; whether there was any."""
    return exif.get_ifd(EXIF_IFD).pop(_MAKER_NOTE, None) is not None


def find_note(exif: Image.Exif) -> dict[str, object]:
    """The note that `stamp` wrote, {} if there is none."""
    comment = exif.get_ifd(EXIF_IFD).get(_USER_COMMENT)
    try:
        note = json.loads(comment[len(_ASCII) :]) if isinstance(comment, bytes) else {}
    except ValueError:  # somebody else's comment
        return {}
    return note if isinstance(note, dict) else {}
