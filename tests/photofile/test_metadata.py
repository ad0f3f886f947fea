"""What a copy keeps beside its pixels: EXIF, XMP, the resolution, and the note on how it was made."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from pictures import SUFFIXES, error, picture, pillow, rgb_profile, solid
from PIL import ExifTags, Image, PngImagePlugin

from photostyle.errors import ImageError
from photostyle.photofile import (
    Photograph,
    load_photograph,
    read_note,
    save_image,
    save_photograph,
)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_note_round_trip(tmp_path: Path, suffix: str) -> None:
    note = {"recipe": "photo", "seed": 7, "λ": 1e4, "settings": {"steps": [1, None, True]}, "name": "Süd 🌅"}
    save_image(picture(), tmp_path / f"a{suffix}", note=note)
    assert read_note(tmp_path / f"a{suffix}") == note
    save_image(picture(), tmp_path / f"a{suffix}")
    assert read_note(tmp_path / f"a{suffix}") == {}


def test_a_note_keeps_strange_values_as_text(tmp_path: Path) -> None:
    save_image(picture(), tmp_path / "a.png", note={"style": Path("b.png")})
    assert read_note(tmp_path / "a.png") == {"style": "b.png"}


@pytest.mark.parametrize(
    "description", [b"OLYMPUS DIGITAL CAMERA", b"ASCII\0\0\0[1, 2]", b"ASCII\0\0\0 \xff", b"", "text"]
)
def test_a_foreign_comment_is_no_note(tmp_path: Path, description: object) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = description
    pillow(picture()).save(tmp_path / "a.jpg", exif=exif)
    assert read_note(tmp_path / "a.jpg") == {}


def test_a_note_from_nowhere(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="There is no file"):
        read_note(tmp_path / "a.jpg")


def photograph_with_everything(path: Path, **options: object) -> None:
    """EXIF with an orientation, a description, a camera and a place; XMP; a resolution."""
    exif = Image.Exif()
    exif[0x010E], exif[0x010F], exif[0x0112], exif[0x8298] = "Evening at the river", "Kamera", 6, "© Ann"
    exif.get_ifd(0x8769).update(
        {0x9003: "2024:05:06 07:08:09", 0x829A: 0.004, 0xA002: 24, 0xA003: 16, 0x927C: b"M" * 99}
    )
    exif[0x011A], exif[0x011B], exif[0x0128] = 300, 300, 2
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 51.0, 30.0)})
    kind = {".jpg": "JPEG", ".png": "PNG", ".tif": "TIFF", ".webp": "WEBP", ".avif": "AVIF", ".heic": "HEIF"}[
        path.suffix
    ]
    image = pillow(picture(16, 24))
    if kind == "PNG":
        texts = PngImagePlugin.PngInfo()
        texts.add_itxt("XML:com.adobe.xmp", XMP.decode())
        options["pnginfo"] = texts
    elif kind == "TIFF":
        exif[700] = XMP
    else:
        options["xmp"] = XMP
    image.save(path, kind, exif=exif.tobytes(), dpi=(300, 300), quality=95, **options)


XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" '
    b'xmp:Rating="5" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
)
KEEPERS = (".jpg", ".png", ".tif", ".webp", ".avif")


def facts(path: Path) -> tuple[Image.Exif, bytes]:
    with Image.open(path) as file:
        file.load()
        exif, xmp = file.getexif(), file.info.get("xmp", b"")
        exif.get_ifd(0x8769), exif.get_ifd(0x8825), exif.get_ifd(ExifTags.IFD.IFD1)
        return exif, xmp.encode() if isinstance(xmp, str) else xmp


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("target", KEEPERS)
@pytest.mark.parametrize("origin", KEEPERS)
def test_metadata_is_kept(tmp_path: Path, origin: str, target: str, bits: int) -> None:
    photograph_with_everything(tmp_path / f"in{origin}")
    photo = load_photograph(tmp_path / f"in{origin}")
    assert photo.pixels.shape == (3, 24, 16), "set upright"
    path = tmp_path / f"out{target}"
    save_photograph(photo.pixels, path, like=photo, bits=bits, note={"seed": 1})
    exif, xmp = facts(path)
    assert exif.get(0x0112, 1) == 1
    assert exif[0x010E] == "Evening at the river" and exif[0x8298].encode("utf-8", "replace")[-3:] == b"Ann"
    assert exif[0x0131].startswith("photostyle ") and exif[0x010F] == "Kamera"
    camera, place = exif.get_ifd(0x8769), exif.get_ifd(0x8825)
    assert camera[0x9003] == "2024:05:06 07:08:09" and float(camera[0x829A]) == pytest.approx(0.004)
    assert camera[0x927C] == b"M" * 99 and (camera[0xA002], camera[0xA003]) == (16, 24)
    assert tuple(map(float, place[2])) == (48, 51, 30)
    assert b'xmp:Rating="5"' in xmp and b'tiff:Orientation="6"' not in xmp
    again = load_photograph(path)
    assert again.resolution == pytest.approx((300, 300), abs=0.01)
    assert again.pixels.shape == (3, 24, 16) and again.bits == (bits if target in (".png", ".tif") else 8)
    assert read_note(path) == {"seed": 1}


@pytest.mark.parametrize("suffix", KEEPERS)
def test_metadata_is_left_out_when_asked(tmp_path: Path, suffix: str) -> None:
    photograph_with_everything(tmp_path / "in.jpg")
    photo = load_photograph(tmp_path / "in.jpg")
    for bits in (8, 16):
        path = tmp_path / f"out{suffix}"
        save_photograph(photo.pixels, path, like=photo, bits=bits, metadata=False, note={"content": "in.jpg"})
        data = path.read_bytes()
        for private in (b"river", b"Kamera", b"2024:05", b"xmp", b"in.jpg", b"photostyle", b"Ann"):
            assert private not in data
        assert load_photograph(path).exif in (None, load_photograph(path).exif)
        assert read_note(path) == {} and load_photograph(path).xmp is None


def test_a_thumbnail_of_the_old_picture_is_not_kept(tmp_path: Path) -> None:
    """EXIF whose second directory has a thumbnail, written by hand."""
    thumbnail = io.BytesIO()
    solid("RGB", "red").save(thumbnail, "JPEG")
    data = thumbnail.getvalue()
    first = struct.pack("<HHHIII", 1, 0x0112, 3, 1, 1, 8 + 2 + 12 + 4)
    second = (
        struct.pack("<H", 2) + struct.pack("<HHII", 0x0201, 4, 1, 56) + struct.pack("<HHII", 0x0202, 4, 1, len(data))
    )
    exif = b"Exif\0\0II*\0" + struct.pack("<I", 8) + first + second + bytes(4)
    assert len(exif) - 6 == 56
    pillow(picture()).save(tmp_path / "a.jpg", exif=exif + data)
    assert (tmp_path / "a.jpg").read_bytes().count(b"\xff\xd8\xff") == 2
    photo = load_photograph(tmp_path / "a.jpg")
    save_photograph(photo.pixels, tmp_path / "b.jpg", like=photo)
    assert (tmp_path / "b.jpg").read_bytes().count(b"\xff\xd8\xff") == 1


def test_too_much_metadata_for_jpeg_is_said(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Kamera"
    exif.get_ifd(0x8769)[0x927C] = bytes(70_000)
    photo = Photograph(picture(), exif=exif.tobytes(), xmp=b"<x:xmpmeta/>" + b" " * 70_000)
    said = save_photograph(picture(), tmp_path / "a.jpg", like=photo)
    assert [sentence.partition(":")[0] for sentence in said] == [
        "The EXIF is too long for JPEG",
        "The XMP is too long for JPEG",
    ]
    assert facts(tmp_path / "a.jpg")[0][0x010F] == "Kamera"
    assert save_photograph(picture(), tmp_path / "a.png", like=photo) == ()
    assert len(load_photograph(tmp_path / "a.png").exif or b"") > 70_000


def test_damaged_exif_does_not_stop_anything(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    photograph_with_everything(tmp_path / "a.jpg")
    whole = np.frombuffer((tmp_path / "a.jpg").read_bytes(), np.uint8)
    start = whole.tobytes().index(b"Exif")
    for _ in range(40):
        broken = whole.copy()
        broken[start + 14 + random.integers(0, 250, 4)] = random.integers(0, 256, 4)
        (tmp_path / "b.jpg").write_bytes(broken.tobytes())
        photo = load_photograph(tmp_path / "b.jpg")
        save_photograph(photo.pixels, tmp_path / "c.jpg", like=photo)


def test_heic(tmp_path: Path) -> None:
    pytest.importorskip("pillow_heif")
    photo = Photograph(picture(64, 48), exif=None, resolution=(300.0, 300.0), profile=rgb_profile("Display P3"))
    save_photograph(photo.pixels, tmp_path / "a.heic", like=photo, note={"seed": 1})
    again = load_photograph(tmp_path / "a.heic")
    assert again.format == "HEIF" and (again.pixels - photo.pixels).abs().mean() < 0.02
    assert again.profile == photo.profile and again.resolution == pytest.approx((300, 300))
    assert read_note(tmp_path / "a.heic") == {"seed": 1}
    photograph_with_everything(tmp_path / "b.heic")
    turned = load_photograph(tmp_path / "b.heic")
    assert turned.pixels.shape == (3, 24, 16) and b'tiff:Orientation="6"' not in (turned.xmp or b"")
    (tmp_path / "c.heic").write_bytes((tmp_path / "a.heic").read_bytes()[:-300])
    assert "or cut short: convert or replace it." in error(tmp_path / "c.heic")
