"""Tables in files: our own and wild ones, there and back, and what is wrong with broken ones told by its line."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor

from photostyle import ImageError, PhotostyleError, SettingsError, Table, load_table, make_table, save_table
from photostyle.maps.lattice import ColorMap, cube
from photostyle.tables.stages import Curves, Lattice
from photostyle.tables.writing import SIZES, check_table_path, default_size


def random_map(size: int = 5, seed: int = 0) -> ColorMap:
    """Near the identity, beyond the range here and there, and no two axes alike."""
    noise = torch.rand(3, size, size, size, generator=torch.Generator().manual_seed(seed))
    return ColorMap.of(cube(size) + 0.3 * noise - 0.15)


def colors(n: int = 300) -> Tensor:
    return torch.rand(3, n, generator=torch.Generator().manual_seed(9))


def text(size: int = 2, *, head: str = "", rows: list[str] | None = None) -> str:
    """A `.cube` of the identity."""
    if rows is None:
        steps = [i / (size - 1) for i in range(size)]
        rows = [f"{r} {g} {b}" for b in steps for g in steps for r in steps]
    return f"LUT_3D_SIZE {size}\n{head}" + "\n".join(rows) + "\n"


def read(folder: Path, data: str | bytes, name: str = "film.cube") -> Table:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return load_table(path)


def assert_identity(table: Table) -> None:
    torch.testing.assert_close(table(colors()), colors(), rtol=0, atol=1e-6)


# --- there and back ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "size", "space", "bits", "error"),
    [
        ("a.cube", 17, "srgb", 16, 1e-6),
        ("a.cube", 33, "rec709", 16, 1e-6),
        ("a.cube", 65, "display-p3", 16, 1e-6),
        ("a.cube", 33, "linear", 16, 1e-6),
        ("a.3dl", 17, "srgb", 16, 0.5 / 4095),
        ("a.3dl", 33, "rec709", 16, 0.5 / 4095),
        ("a.png", 64, "srgb", 16, 0.5 / 65535),
        ("a.png", 64, "display-p3", 8, 0.5 / 255),
        ("a.png", 81, "srgb", 8, 0.5 / 255),
    ],
)
def test_a_table_comes_back(tmp_path: Path, name: str, size: int, space: str, bits, error: float) -> None:
    made = make_table(random_map(), size, space=space, title='Dusk, "warm"\n× 2')
    save_table(made, tmp_path / name, bits=bits)
    again = load_table(tmp_path / name, space=space)
    if not name.endswith(".cube"):  # which the others clip
        made = Table((Lattice(made.stages[0].nodes.clamp(0, 1), torch.zeros(3), torch.ones(3)),), space)
    torch.testing.assert_close(again(colors()), made(colors()), rtol=0, atol=error + 1e-6)
    assert again.space == space
    if name.endswith(".cube"):
        assert load_table(tmp_path / name).space == space  # which it says of itself
        assert again.title == "Dusk, 'warm' × 2"
    data = (tmp_path / name).read_bytes()
    save_table(made, tmp_path / name, bits=bits)
    assert name.endswith(".cube") is False or (tmp_path / name).read_bytes() == data


@given(st.integers(2, 6), st.integers(0, 5))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_size_of_cube_is_read_with_each_axis_in_its_place(tmp_path: Path, size: int, seed: int) -> None:
    nodes = random_map(size, seed).nodes
    rows = [
        " ".join(f"{float(nodes[c, r, g, b]):.9f}" for c in range(3))
        for b in range(size)
        for g in range(size)
        for r in range(size)
    ]
    (lattice,) = read(tmp_path, text(size, rows=rows)).stages
    assert isinstance(lattice, Lattice)
    torch.testing.assert_close(lattice.nodes, nodes, rtol=0, atol=1e-7)


def test_the_first_lines_of_a_cube(tmp_path: Path) -> None:
    save_table(make_table(random_map(), 17, title="Dusk"), tmp_path / "a.cube")
    lines = (tmp_path / "a.cube").read_text().splitlines()
    assert lines[0] == 'TITLE "Dusk"'
    assert lines[3:6] == ["LUT_3D_SIZE 17", "DOMAIN_MIN 0.0 0.0 0.0", "DOMAIN_MAX 1.0 1.0 1.0"]
    assert len(lines) == 6 + 17**3
    save_table(make_table(random_map(), 17, space="linear"), tmp_path / "a.cube")
    lines = (tmp_path / "a.cube").read_text().splitlines()
    assert lines[2:6] == [
        "LUT_1D_SIZE 4096",
        "LUT_1D_INPUT_RANGE 0.0 1.0",
        "LUT_3D_SIZE 17",
        "LUT_3D_INPUT_RANGE 0.0 1.0",
    ]


def test_a_hald_image_as_its_inventor_drew_it(tmp_path: Path) -> None:
    """Level 2 pixel by pixel: red runs fastest, then green, then blue."""
    steps = [0, 85, 170, 255]
    pixels = [(r, g, b) for b in steps for g in steps for r in steps]
    image = Image.new("RGB", (8, 8))
    image.putdata(pixels)
    image.save(tmp_path / "identity.png")
    assert_identity(load_table(tmp_path / "identity.png"))
    image.putdata([(r // 2, g, b) for r, g, b in pixels])
    image.save(tmp_path / "less-red.tif")
    expected = colors() * torch.tensor([0.5, 1, 1])[:, None]
    torch.testing.assert_close(load_table(tmp_path / "less-red.tif")(colors()), expected, rtol=0, atol=0.003)


def test_a_hald_image_is_written_without_a_profile_and_in_its_depth(tmp_path: Path) -> None:
    for bits in (8, 16):
        save_table(make_table(random_map(), 64), tmp_path / "a.png", bits=bits)
        with Image.open(tmp_path / "a.png") as image:
            assert (image.size, image.info.get("icc_profile")) == ((512, 512), None)
        assert (tmp_path / "a.png").read_bytes()[24] == bits


@pytest.mark.parametrize(
    ("name", "size", "space", "words"),
    [
        ("a.cube", 16, "srgb", "from 17 to 65"),
        ("a.cube", 66, "srgb", "from 17 to 65"),
        ("a.png", 33, "srgb", "one of 64, 81, 100, 121, 144"),
        ("a.3dl", 32, "srgb", "one of 17, 33, 65"),
        ("a.3dl", 33, "linear", "write a .cube"),
        ("a.png", 64, "linear", "write a .cube"),
        ("a.lut", 33, "srgb", ".cube, .png, .3dl"),
        ("nowhere/a.cube", 33, "srgb", "there is no folder"),
    ],
)
def test_what_is_not_written(tmp_path: Path, name: str, size: int, space: str, words: str) -> None:
    for write in (
        lambda: check_table_path(tmp_path / name, size, space),
        lambda: save_table(make_table(random_map(), size, space=space), tmp_path / name),
    ):
        with pytest.raises(PhotostyleError, match=words):
            write()
    assert not list(tmp_path.iterdir())


def test_sizes_when_none_is_given() -> None:
    assert [default_size(f"a{suffix}") for suffix in SIZES] == [33, 64, 33]


def test_a_table_of_curves_alone_is_not_written(tmp_path: Path) -> None:
    table = Table((Curves(torch.rand(3, 5), torch.zeros(3), torch.ones(3)),))
    with pytest.raises(ImageError, match="Only a table that is a lattice"):
        save_table(table, tmp_path / "a.cube")


# --- wild ones ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.replace("\n", "\r\n"),
        lambda t: 'TITLE "x"\r' + t.replace("\n", "\r"),
        lambda t: "\ufeff" + t,
        lambda t: "# made by hand\n\n" + t.replace("\n", "   # so\n"),
        lambda t: t.replace(" ", "\t   ").replace("\n", "  \n\n"),
        lambda t: t.lower(),
        lambda t: re.sub(r"\b0\.0 ", "0e-3 ", t).replace("1.0 ", "+1. ").replace("0.5 ", ".5E+0 "),
        lambda t: 'TITLE "A 3D LUT, LUT_3D_SIZE 99"\nDOMAIN_MIN 0 0 0\nDOMAIN_MAX 1 1 1\n' + t,
        lambda t: "LUT_3D_INPUT_RANGE 0.0 1.0\n" + t,
        lambda t: t.rstrip("\n"),
    ],
)
def test_dialects(tmp_path: Path, change) -> None:
    assert_identity(read(tmp_path, change(text(3))))


def test_encodings(tmp_path: Path) -> None:
    assert_identity(read(tmp_path, text(3).encode("utf-16")))
    table = read(tmp_path, 'TITLE "Dämmerung"\n'.encode("latin-1") + text(3).encode())
    assert_identity(table)
    assert table.title == "D\ufffdmmerung"


def test_the_name_of_a_file_says_nothing(tmp_path: Path) -> None:
    assert_identity(read(tmp_path, text(3), "film.txt"))
    save_table(make_table(random_map(), 33), tmp_path / "a.3dl")
    (tmp_path / "a.3dl").rename(tmp_path / "a.cube")
    assert load_table(tmp_path / "a.cube").stages[0].nodes.shape == (3, 33, 33, 33)


def test_domains(tmp_path: Path) -> None:
    """A lattice over −1 to 3 that holds at each node what was at its place."""
    rows = [f"{r} {g} {b}" for b in (-1, 1, 3) for g in (0, 1, 2) for r in (0, 0.5, 1)]
    table = read(tmp_path, text(3, head="DOMAIN_MIN 0 0 -1\nDOMAIN_MAX 1 2 3\n", rows=rows))
    assert_identity(table)
    far = torch.tensor([[1.5], [2.5], [-3.0]])
    torch.testing.assert_close(table(far), torch.tensor([[1.0], [2.0], [-1.0]]))


def test_curves_alone_and_before_a_lattice(tmp_path: Path) -> None:
    curves = "LUT_1D_SIZE 3\n{}0 0 0\n.25 .5 1\n1 1 1\n"
    expected = torch.where(colors() < 0.5, colors() * 0.5, 1.5 * colors() - 0.5)[0]
    table = read(tmp_path, curves.format(""))
    torch.testing.assert_close(table(colors())[0], expected)
    torch.testing.assert_close(table(colors())[1], colors()[1])
    inverted = [f"{1 - r} {1 - g} {1 - b}" for b in (0, 1) for g in (0, 1) for r in (0, 1)]
    both = curves.format("LUT_1D_INPUT_RANGE 0 1\nLUT_3D_SIZE 2\n") + "\n".join(inverted)
    torch.testing.assert_close(read(tmp_path, both)(colors())[0], 1 - expected)
    halved = both.replace("INPUT_RANGE 0 1", "INPUT_RANGE 0 2")
    doubled = read(tmp_path, halved)(2 * colors())
    torch.testing.assert_close(doubled[0], 1 - expected)


def test_keywords_of_others_are_told(tmp_path: Path) -> None:
    table = read(tmp_path, "LUT_GAMMA 2\nvendor x y z\n" + text(2))
    assert_identity(table)
    assert [re.sub(".*film.cube", "film.cube", note) for note in table.notes] == [
        "film.cube, line 1: LUT_GAMMA is not known and was passed over.",
        "film.cube, line 2: VENDOR is not known and was passed over.",
    ]


def test_3dl_of_other_depths_and_lustres_own_words(tmp_path: Path) -> None:
    for most, end in ((255, ""), (1023, "\n"), (65535, "\nLUT8\ngamma 1.0\n")):
        rows = [f"{r} {g} {b}" for r in (0, most) for g in (0, most) for b in (0, most)]  # blue fastest
        for head in ("", "# a comment\n", "3DMESH\nMesh 1 12\n"):
            assert_identity(read(tmp_path, head + "0 1023\n" + "\n".join(rows) + end, "a.3dl"))


def test_a_cube_of_129(tmp_path: Path) -> None:
    steps = np.linspace(0, 1, 129)
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")
    stream = io.StringIO()
    stream.write("LUT_3D_SIZE 129\n")
    np.savetxt(stream, np.stack([red, green, blue], -1).reshape(-1, 3)[:, ::-1], fmt="%.4f")
    table = read(tmp_path, stream.getvalue())
    torch.testing.assert_close(table(colors()), colors().flip(0), rtol=0, atol=1e-4)


# --- broken ones -------------------------------------------------------------------------------------

GOOD = ["0 0 0", "1 0 0", "0 1 0", "1 1 0", "0 0 1", "1 0 1", "0 1 1", "1 1 1"]


def broken_row(row: str) -> str:
    return text(2, rows=[*GOOD[:4], row, *GOOD[5:]])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (broken_row("0 0 one"), "line 6: 'one' is no number"),
        (broken_row("0 0 nan"), "line 6: 'nan' is no number"),
        (broken_row("inf 0 0"), "line 6: 'inf' is no number"),
        (broken_row("0,5 0 0"), "line 6: '0,5' is no number"),
        (broken_row("1_0 0 0"), "line 6: '1_0' is no number"),
        (broken_row("0 0"), "line 6: it has 2 numbers where 3 are due"),
        (broken_row("0 0 0 1"), "line 6: it has 4 numbers where 3 are due"),
        (broken_row("0 0 1e30"), "line 6: 1e30 is too large for a colour"),
        (broken_row("TITLE late"), "line 6: 'TITLE' is no number"),
        (text(2, rows=["nan 0 0", *GOOD[1:]]), "line 2: 'nan' is no number"),
        (text(2, rows=GOOD[:5]), "LUT_3D_SIZE 2 asks for 8 lines of numbers, and it has 5"),
        (text(2, rows=[]), "asks for 8 lines of numbers, and it has 0"),
        (text(2, rows=[*GOOD, "0 0 0"]), "line 10: LUT_3D_SIZE 2 asks for 8 lines of numbers, and this is one more"),
        (text(2).replace("SIZE 2", "SIZE 1"), "line 1: the size should be one whole number from 2 to 256"),
        (text(2).replace("SIZE 2", "SIZE 300"), "line 1: the size"),
        (text(2).replace("SIZE 2", "SIZE two"), "line 1: the size"),
        (text(2).replace("SIZE 2", "SIZE"), "line 1: the size"),
        (text(2).replace("SIZE 2", "SIZE -2"), "line 1: the size"),
        (text(2).replace("3D_SIZE 2", "1D_SIZE 70000"), "line 1: the size should be one whole number from 2 to 65536"),
        (text(2, head="LUT_3D_SIZE 2\n"), "line 2: LUT_3D_SIZE is there twice"),
        (text(2, head="DOMAIN_MIN 0 0\n"), "line 2: it has 2 numbers where 3 are due"),
        (text(2, head="DOMAIN_MIN 0 0 x\n"), "line 2: 'x' is no number"),
        (text(2, head="DOMAIN_MIN 0 1 0\n"), "line 2: the range ends before it begins"),
        (text(2, head="DOMAIN_MAX 1 1 0\n"), "line 2: the range ends before it begins"),
        (text(2, head="LUT_3D_INPUT_RANGE 1 0\n"), "line 2: the range ends before it begins"),
        (text(2, head="LUT_IN_VIDEO_RANGE\n"), "line 2: tables of video range are not read"),
        (
            "DOMAIN_MIN 0 0 0\nLUT_1D_SIZE 2\n" + text(2, rows=["0 0 0", "1 1 1", *GOOD]),
            "line 1: .*INPUT_RANGE instead",
        ),
        ("LUT_3D_INPUT_RANGE 0 1\n" + "\n".join(GOOD), "no LUT_3D_SIZE"),
        ("Dear reader,\nthis is no table.\n", "no .3dl table: it holds no numbers"),
        ("# nothing but a comment\n", "holds no numbers"),
        ("0 100 1023\n" + "0 0 0\n" * 27, "line 1: it should hold 2 to 256 levels at even distances"),
        ("0 x\n" + "0 0 0\n" * 8, "line 1: 'x' is no number"),
        ("5\n", "line 1: it should hold 2 to 256 levels"),
        ("0 0\n" + "0 0 0\n" * 8, "line 1: it should hold 2 to 256 levels"),
        ("0 1023\n" + "0 0 0\n" * 7, "2 levels ask for 8 lines of numbers, and it has 7"),
        ("0 1023\n" + "0 0 0\n" * 7 + "0 0 -4\n", "line 9: numbers below 0"),
        ("0 1023\n" + "0 0 0\n" * 7 + "0 0 70000\n", "line 9: a level of more than 16 bits"),
        (b"", "is empty"),
        (b"\0" * 100, "is no table"),
        (b"\x10\0\0\0\0\0\0\0{}", "is no table"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "damaged|cut short"),
    ],
)
def test_a_broken_file_is_told_with_its_line(tmp_path: Path, data: str | bytes, words: str) -> None:
    with pytest.raises(ImageError, match=words) as caught:
        read(tmp_path, data)
    assert "film.cube" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("size", "mode"), [((8, 9), "RGB"), ((9, 9), "RGB"), ((8, 8), "L"), ((512, 64), "RGB")])
def test_pictures_that_are_no_hald_images(tmp_path: Path, size: tuple[int, int], mode: str) -> None:
    Image.new(mode, size).save(tmp_path / "a.png")
    with pytest.raises(ImageError, match="no Hald image: those are squares of 8, 27, 64"):
        load_table(tmp_path / "a.png")


def test_a_file_that_is_too_large_to_be_a_table_is_not_read(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("photostyle.tables.reading._LARGEST", 10)
    with pytest.raises(ImageError, match="larger than any table"):
        read(tmp_path, text(2))


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="There is no file"):
        load_table(tmp_path / "film.cube")
    with pytest.raises(ImageError, match="is a folder, not a table"):
        load_table(tmp_path)
    with pytest.raises(ImageError, match="cannot be read"):
        load_table("a\0.cube")
    with pytest.raises(SettingsError, match="no space 'log'"):
        load_table(tmp_path / "film.cube", space="log")


@given(
    st.binary(max_size=60) | st.text("0123456789.eE+- \n#LUTD_SIZ", max_size=80).map(lambda t: f"LUT_3D_SIZE 2\n{t}")
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_file_holds_it_is_a_table_or_told(tmp_path: Path, data: str | bytes) -> None:
    try:
        table = read(tmp_path, data)
    except ImageError as error:
        assert "\n" not in str(error)
    else:
        assert table(colors(5)).isfinite().all()
