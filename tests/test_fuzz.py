"""Mutated files of every format that is read: each gives a result or a sentence, no traceback, no hang, no half file.

Seeded: a case is known by its format and its number, and `mutant(data, name, number)` makes it again.
"""

from __future__ import annotations

import faulthandler
import importlib.util
import io
import json
import random
import signal
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image, PngImagePlugin

from photostyle import (
    LocalLook,
    Look,
    PhotostyleError,
    load_look,
    load_photograph,
    load_regions,
    save_look,
    save_photograph,
)
from photostyle.descent.checkpoint import Checkpoint
from photostyle.descent.place import Place
from photostyle.errors import RegionsError
from photostyle.looks.scene import Scene
from photostyle.maps.lattice import ColorMap
from photostyle.network import weights as weights_module
from photostyle.network.backbones import BACKBONES
from photostyle.network.weights import load_weights
from photostyle.photofile import read_note
from photostyle.photofile.spaces import srgb_profile

SECONDS = 5.0  # for a case: ten thousand times what a sound file takes
MEMORY = 2**30  # bytes above what the process has
WIDTH, HEIGHT = 24, 16

NUMBERS = np.random.default_rng(0).integers(0, 65536, (HEIGHT, WIDTH, 4), dtype=np.uint16)
NUMBERS[:, :12] = NUMBERS[0, 0]  # flat on one side, so that there is something to compress


def metadata() -> dict[str, Any]:
    """EXIF with a directory below, an ICC profile and XMP: more to go wrong."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x011A] = 6, "Maker", 300.0
    exif.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0" + json.dumps({"recipe": "photo"}).encode()
    exif.get_ifd(0x8825)[1] = "N"
    return {"exif": exif.tobytes(), "icc_profile": srgb_profile()}


def written(format: str, mode: str = "RGB", **options: Any) -> bytes:
    levels = (NUMBERS >> 8).astype(np.uint8)
    image = Image.fromarray(levels[..., :3] if mode != "RGBA" else levels)
    buffer = io.BytesIO()
    image.convert(mode).save(buffer, format, **options)
    return buffer.getvalue()


def written_tiff(array: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, array, **options)
    return buffer.getvalue()


def animation() -> bytes:
    buffer = io.BytesIO()
    frames = [Image.new("P", (WIDTH, HEIGHT), color) for color in (1, 2)]
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], transparency=0)
    return buffer.getvalue()


def deep_png() -> bytes:
    """16 bits, as photostyle writes them."""
    buffer = io.BytesIO()
    save_photograph(torch.rand(3, HEIGHT, WIDTH), buffer, format="PNG", bits=16, note={"recipe": "photo"})
    return buffer.getvalue()


def texts() -> PngImagePlugin.PngInfo:
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", "<x:xmpmeta/>")
    info.add_text("Comment", "none", zip=True)
    return info


PHOTOGRAPHS: dict[str, Callable[[], bytes]] = {
    "jpeg": lambda: written("JPEG", **metadata()),
    "jpeg progressive": lambda: written("JPEG", progressive=True),
    "jpeg cmyk": lambda: written("JPEG", "CMYK"),
    "png": lambda: written("PNG", "RGBA", pnginfo=texts(), **metadata()),
    "png palette": lambda: written("PNG", "P", transparency=3),
    "png 16 bits": deep_png,
    "tiff": lambda: written("TIFF", **metadata()),
    "tiff lzw": lambda: written("TIFF", compression="tiff_lzw"),
    "tiff 16 bits": lambda: written_tiff(NUMBERS[..., :3], photometric="rgb"),
    "tiff 16 bits, planes": lambda: written_tiff(
        np.moveaxis(NUMBERS[..., :3], -1, 0).copy(), photometric="rgb", planarconfig="separate"
    ),
    "tiff of floats": lambda: written_tiff((NUMBERS[..., :3] / 65535).astype(np.float32), photometric="rgb"),
    "webp": lambda: written("WEBP", "RGBA", **metadata()),
    "webp lossless": lambda: written("WEBP", lossless=True),
    "avif": lambda: written("AVIF", "RGBA", **metadata()),
    "bmp": lambda: written("BMP"),
    "gif": animation,
    "heic": lambda: written_heic(),
}


def written_heic() -> bytes:
    if importlib.util.find_spec("pillow_heif") is None:
        pytest.skip("pillow-heif is not installed")
    import pillow_heif

    pillow_heif.register_heif_opener(thumbnails=False)
    return written("HEIF", **metadata())


CASES = {name: 240 for name in PHOTOGRAPHS} | {"avif": 160, "heic": 160}
OTHERS = {"labels": 480, "look": 480, "weights": 240, "weights of another kind": 60, "descent": 240}


def test_there_are_enough_cases() -> None:
    assert sum(CASES.values()) + sum(OTHERS.values()) >= 5000


def mutant(data: bytes, name: str, number: int) -> bytes:
    """The file with one to four things wrong with it; the checksums of a PNG are put right every other time."""
    chance = random.Random(f"{name} {number}")
    parts = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4))):
        # a header tells most: half of the time it is there
        end = min(len(parts), chance.choice((64, 512, len(parts), len(parts))))
        at = chance.randrange(end) if end else 0
        size = chance.choice((1, 2, 4, 8, 64))
        match chance.randrange(7):
            case 0:  # a bit
                parts[at : at + 1] = bytes([parts[at] ^ 1 << chance.randrange(8)]) if end else b""
            case 1:  # any byte
                parts[at : at + 1] = bytes([chance.randrange(256)])
            case 2:  # a number at its limits
                limit = chance.choice((0, 1, 2**31 - 1, 2**31, 2**32 - 1, 65535, 65536, 40_000))
                parts[at : at + 4] = struct.pack(chance.choice("<>") + "I", limit)
            case 3:  # cut short
                del parts[at:]
            case 4:  # something is missing
                del parts[at : at + size]
            case 5:  # something is too much
                parts[at:at] = chance.randbytes(size)
            case _:  # something is there twice
                parts[at:at] = parts[at : at + 8 * size]
    if parts.startswith(b"\x89PNG") and chance.randrange(2):
        return mended(bytes(parts))
    return bytes(parts)


def mended(png: bytes) -> bytes:
    """A PNG with right checksums as far as its chunks can be followed."""
    parts, at = [png[:8]], 8
    while at + 12 <= len(png):
        (size,) = struct.unpack(">I", png[at : at + 4])
        chunk = png[at + 4 : at + 8 + size]
        if len(chunk) < size + 4 or at + 12 + size > len(png):
            break
        parts += [png[at : at + 4], chunk, struct.pack(">I", zlib.crc32(chunk))]
        at += 12 + size
    return b"".join([*parts, png[at:]])


class Overtime(BaseException):
    """Not an Exception: nobody may swallow it."""


@pytest.fixture
def guard(request: pytest.FixtureRequest) -> Iterator[Callable[[str], Any]]:
    """`with guard(case):` fails the test for whatever is raised but a sentence, for seconds and for gigabytes."""
    resource = pytest.importorskip("resource", reason="needs the limits of POSIX")
    psutil = pytest.importorskip("psutil")

    def overtime(*_: object) -> None:
        raise Overtime

    @contextmanager
    def guarded(case: str) -> Iterator[None]:
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        try:
            yield
        except PhotostyleError as error:
            said = str(error)
            assert said.endswith(".") and "\n" not in said and len(said) < 600, f"{case}: no sentence: {said}"
        except Overtime:
            pytest.fail(f"{case}: more than {SECONDS} seconds")
        except Exception as error:
            raise AssertionError(f"{case}: {type(error).__name__}: {error}") from error
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    old = signal.signal(signal.SIGALRM, overtime)
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (psutil.Process().memory_info().vms + MEMORY, hard))
    # a decoder in C that hangs hears no signal: then all of the tests end, and say where
    faulthandler.dump_traceback_later(300, exit=True)
    try:
        yield guarded
    finally:
        faulthandler.cancel_dump_traceback_later()
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        signal.signal(signal.SIGALRM, old)


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_photographs(name: str, tmp_path: Path, guard: Callable[[str], Any]) -> None:
    """What can be read is a photograph, and can be written with all its metadata; its file is whole."""
    data = PHOTOGRAPHS[name]()
    suffixes = (".jpg", ".png", ".tif", ".webp")
    file = tmp_path / "file"
    read = 0
    for number in range(CASES[name]):
        file.write_bytes(data if number == 0 else mutant(data, name, number))
        output = tmp_path / f"output{suffixes[number % len(suffixes)]}"
        with guard(f"{name} {number}"):
            photograph = load_photograph(file, most_pixels=1e6)
            assert photograph.pixels.shape[0] == 3 and photograph.pixels.dtype == torch.float32
            assert bool(((photograph.pixels >= 0) & (photograph.pixels <= 1)).all())
            read += 1
            read_note(file)
            if read % 4 == 1:
                save_photograph(photograph.pixels, output, like=photograph)
        if output.exists():
            assert load_photograph(output).pixels.shape == photograph.pixels.shape, f"{name} {number}"
            output.unlink()
        assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert 0 < read < CASES[name]  # the sound one at least; and the mutants are wrong enough


def test_label_images(tmp_path: Path, guard: Callable[[str], Any]) -> None:
    levels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    levels[:8, :, 2] = levels[8:, :, 0] = 255
    kinds = []
    for format, mode in (("PNG", "RGB"), ("PNG", "P"), ("PNG", "L"), ("BMP", "RGB"), ("TIFF", "RGB"), ("GIF", "P")):
        buffer = io.BytesIO()
        Image.fromarray(levels).convert(mode).save(buffer, format)
        kinds.append((f"labels {format} {mode}", buffer.getvalue()))
    file, sound = tmp_path / "file.png", tmp_path / "sound.png"
    Image.fromarray(levels).save(sound)
    for number in range(OTHERS["labels"]):
        name, data = kinds[number % len(kinds)]
        file.write_bytes(mutant(data, name, number))
        with guard(f"{name} {number}"):
            regions = load_regions(*((file, sound) if number % 2 else (sound, file)))
            assert len(regions.names) == len(regions.content) == len(regions.style)


def broken_chunk() -> bytes:
    """Found by mutants: among the pixels Pillow raises a SyntaxError."""
    png = bytearray(written("PNG"))
    at = png.index(b"IDAT")
    png[at - 4 : at] = struct.pack(">I", 20)  # what follows is no name of a chunk
    return bytes(png)


def ribbon() -> bytes:
    """Found by mutants: half a million rows that hardly take any bytes."""
    data = bytearray(written("PNG"))
    data[16:24] = struct.pack(">II", WIDTH, 524_304)
    return mended(bytes(data))


def truncated_tiff() -> bytes:
    """Found by mutants: Pillow warns of a directory that ends too soon."""
    return written("TIFF")[:60]


@pytest.mark.parametrize("make", [broken_chunk, ribbon, truncated_tiff])
def test_label_images_that_once_ended_in_a_traceback(make: Callable[[], bytes], tmp_path: Path) -> None:
    file, sound = tmp_path / "file.png", tmp_path / "sound.png"
    file.write_bytes(make())
    Image.new("RGB", (WIDTH, HEIGHT), "blue").save(sound)
    with pytest.raises(RegionsError, match=r"The label image .*file\.png"):
        load_regions(file, sound)


def local_look() -> LocalLook:
    return LocalLook(torch.rand(3, 4, 4, 6), (HEIGHT, WIDTH), {"recipe": "luan"})


def look_of_maps() -> Look:
    """Of two regions whose borders are known, so that no network is asked."""
    before = torch.rand(3, HEIGHT, WIDTH)
    masks = torch.zeros(2, HEIGHT, WIDTH)
    masks[0, : HEIGHT // 2], masks[1, HEIGHT // 2 :] = 1, 1
    sky, land, common = (ColorMap(torch.rand(3, 2, 2, 2), torch.rand(3, 4)) for _ in range(3))
    scene = Scene(before, masks, torch.rand(2, 5), "vgg16-hed")
    return Look((sky, land), common, ("sky", "land"), scene, before, {"recipe": "photo"})


@pytest.mark.parametrize("make", [local_look, look_of_maps])
def test_looks(make: Callable[[], Look | LocalLook], tmp_path: Path, guard: Callable[[str], Any]) -> None:
    file = tmp_path / "file.safetensors"
    torch.manual_seed(0)
    save_look(make(), file)
    data = file.read_bytes()
    frame = torch.rand(3, HEIGHT, WIDTH)
    for number in range(OTHERS["look"]):
        file.write_bytes(mutant(data, "look", number))
        with guard(f"look {number}"):
            look = load_look(file)
            if isinstance(look, Look):
                count = len(look.maps)
                result = look.apply(frame, torch.full((count, HEIGHT, WIDTH), 1 / count))
            else:
                result = look.apply(frame)
            assert result.shape == frame.shape and bool(result.isfinite().all())


def test_weights(tmp_path: Path, guard: Callable[[str], Any], fake_weights: Any, monkeypatch: Any) -> None:
    """Every one is refused: what differs in a single byte is no known network."""
    fake = fake_weights()
    backbone = replace(fake.backbone, channels=(1, 1, 1, 1, 1))
    monkeypatch.setitem(BACKBONES, backbone.name, backbone)
    tensors = {name: torch.rand(shape) for name, shape in backbone.shapes.items()}
    file = tmp_path / "file.safetensors"
    weights_module._write(backbone, tensors, file)
    assert load_weights(backbone.name, file).tensors.keys() == tensors.keys()
    data = file.read_bytes()
    kinds = {
        file: OTHERS["weights"],
        tmp_path / "file.h5": OTHERS["weights of another kind"] // 3,
        tmp_path / "file.pth": OTHERS["weights of another kind"] // 3,
        tmp_path / "file.whl": OTHERS["weights of another kind"] // 3,
    }
    for path, count in kinds.items():
        for number in range(count):
            changed = mutant(data, f"weights{path.suffix}", number)
            path.write_bytes(changed)
            with guard(f"weights{path.suffix} {number}"):
                loaded = load_weights(backbone.name, path).tensors
                assert all(torch.equal(loaded[name], tensor) for name, tensor in tensors.items())


def test_descents(tmp_path: Path, guard: Callable[[str], Any]) -> None:
    """A checkpoint that differs in a single bit is damaged, or it says the same."""
    image = torch.rand(3, 4, 6)
    keeper = Checkpoint(tmp_path, {})
    keeper.begin(image)
    place = Place(image, 1.0, image / 2, ((image / 3, image / 4, 2.0),), 1, (1.0,))
    keeper.keep(place, now=True)
    (file,) = tmp_path.glob("descent*")
    data = file.read_bytes()
    for number in range(OTHERS["descent"]):
        file.write_bytes(mutant(data, "descent", number))
        with guard(f"descent {number}"):
            back = Checkpoint(tmp_path, {}, resume=True).begin(image)
            assert back is not None and str(back) == str(place) and torch.equal(back.image, image)


def test_the_guard_guards(guard: Callable[[str], Any]) -> None:
    """Otherwise none of the above says anything."""
    with guard("a sentence"):
        raise PhotostyleError("It is broken: mend it.")
    for wrong in (PhotostyleError("no sentence"), KeyError("x"), MemoryError()):
        with pytest.raises(AssertionError, match="a case"), guard("a case"):
            raise wrong
    with pytest.raises(AssertionError, match="MemoryError"), guard("a case"):
        np.ones(4 * MEMORY, np.uint8)


def test_mutants_are_what_they_were() -> None:
    data = bytes(range(200))
    assert mutant(data, "x", 7) == mutant(data, "x", 7)
    assert sum(mutant(data, "x", number) != data for number in range(100)) > 95
    png = written("PNG")
    assert mended(png) == png and mended(png[:40] + b"?" + png[41:])[:8] == png[:8]
