"""Looks as tables: what they hold, how packs stack, and `photostyle look export`."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor
from typer.testing import Result

from photostyle import (
    Held,
    ImageError,
    LocalLook,
    Look,
    Pack,
    SettingsError,
    find_look,
    held,
    load_image,
    load_look,
    load_table,
    look_pack,
    look_table,
    make_table,
    save_image,
    save_look,
    save_pack,
    save_table,
)
from photostyle.looks.readme import readme
from photostyle.looks.scene import Scene
from photostyle.maps.lattice import ColorMap, cube
from photostyle.tables.spaces import SPACES

NAMES = ("the sky", "land/sea", "a tree")


def shades(*gains: float) -> ColorMap:
    """Each channel times a number."""
    return ColorMap.affine(torch.diag(torch.tensor(gains)), torch.zeros(3), 5)


MAPS = (shades(1.0, 0.8, 0.6), shades(0.6, 0.8, 1.0), shades(0.7, 0.6, 0.9))
COMMON = shades(0.8, 0.8, 0.8)


def scene(regions: int, height: int = 128, width: int = 192) -> tuple[Tensor, Tensor]:
    """A photograph of bands one above the other, each of its own colours, and their masks."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(1, 3, 6, 9, generator=generator)
    image = 0.25 * F.interpolate(coarse, (height, width), mode="bicubic", align_corners=False)[0].clamp(0, 1)
    masks = torch.zeros(regions, height, width)
    for k in range(regions):
        rows = slice(k * height // regions, (k + 1) * height // regions)
        masks[k, rows] = 1
        image[:, rows] += torch.tensor([[0.1, 0.3, 0.65], [0.5, 0.3, 0.1], [0.1, 0.6, 0.3]])[k][:, None, None]
    return image.clamp(0, 1), masks


def look_of(regions: int) -> tuple[Look, Tensor]:
    """A look whose regions do different things, and its photograph."""
    image, masks = scene(regions)
    here = Scene(before=image, masks=masks, kinds=torch.zeros(regions, 0), network="")
    look = Look(MAPS[:regions], COMMON, NAMES[:regions], here, image, {"version": "test"})
    return look, image


# --- what is held ------------------------------------------------------------------------------------


def test_held_by_hand() -> None:
    grey = torch.full((3, 10, 10), 0.4)
    before, after = grey, grey + 0.2
    assert held(before, after, after) == Held(1.0, 0.0, 0.0)
    nothing = held(before, after, before)
    assert (nothing.share, nothing.mean) == (0, pytest.approx(nothing.high))
    assert held(before, before, before).share == 1
    assert held(before, before, after).share == 0
    worse = held(before, after, grey - 0.3)
    assert worse.share < 0
    assert str(worse).startswith("0% of this look")
    one_pixel = after.clone()
    one_pixel[:, 0, :2] = 0  # 2 % of the pixels, which a percentile does not see
    assert held(before, after, one_pixel).high == 0
    assert str(Held(0.934, 1.24, 3.4)) == "93% of this look, ΔE 1.2 (95 % of the pixels within 3.4)"


def test_a_look_of_one_region_goes_into_one_table_whole() -> None:
    look, photograph = look_of(1)
    for table in (
        look_table(look),
        look_table(look, photograph, size=17),
        look_table(look, photograph, size=17, space="linear"),
    ):
        assert held(photograph, look.apply(photograph), table.apply(photograph)).mean < 0.2
    far = torch.tensor([[0.9], [0.1], [0.9]])  # a colour that the photograph does not have
    torch.testing.assert_close(look_table(look, size=17)(far), COMMON(far), rtol=0, atol=0.02)


@pytest.mark.parametrize("regions", [2, 3])
def test_a_pack_holds_more_than_one_table_and_both_more_than_what_regions_have_in_common(regions: int) -> None:
    look, photograph = look_of(regions)
    after = look.apply(photograph)
    pack = look_pack(look, photograph, size=17)
    shares = [
        held(photograph, after, made).share
        for made in (
            make_table(COMMON).apply(photograph),
            look_table(look, photograph, size=17).apply(photograph),
            pack.apply(photograph),
        )
    ]
    assert shares == sorted(shares)
    assert shares[2] > 0.97
    assert pack.names == NAMES[:regions]
    assert pack.tables[0].title == "the sky"


def test_colours_that_regions_share_take_the_mean_by_how_often_they_occur() -> None:
    grey = torch.full((3, 60, 60), 0.5)
    masks = torch.zeros(2, 60, 60)
    masks[0, :45], masks[1, 45:] = 1, 1  # three quarters, one quarter
    look = Look(MAPS[:2], COMMON, NAMES[:2], Scene(grey, masks, torch.zeros(2, 0), ""), grey, {})
    table = look_table(look, grey, size=17)
    expected = 0.5 * torch.tensor([0.9, 0.8, 0.7])
    torch.testing.assert_close(table.apply(grey)[:, 0, 0], expected, rtol=0, atol=0.02)


def test_a_local_look_needs_its_photograph(picture) -> None:
    photograph = picture(60, 80, dtype=torch.float32)
    look = find_look(photograph, 0.7 * photograph + 0.1)
    assert isinstance(look, LocalLook)
    table = look_table(look, photograph)
    assert held(photograph, look.apply(photograph), table.apply(photograph)).share > 0.97
    with pytest.raises(SettingsError, match="give it one"):
        look_table(look)
    with pytest.raises(SettingsError, match="no regions"):
        look_pack(look, photograph)  # type: ignore[arg-type]
    with pytest.raises(ImageError, match="3×H×W"):
        look_table(look, torch.zeros(3))


# --- packs -------------------------------------------------------------------------------------------


def test_masks_stack_to_what_each_region_is_given() -> None:
    """Laid over each other from the bottom up, tables of plain colours give Σ m_k c_k for masks that add up to 1."""
    m = torch.rand(3, 6, 7, generator=torch.Generator().manual_seed(0)) + 0.01
    m /= m.sum(0)
    look, photograph = look_of(3)
    pack = look_pack(look, photograph, size=17)
    plain = [torch.rand(3, generator=torch.Generator().manual_seed(k)) for k in range(3)]
    tables = tuple(make_table(ColorMap.of(c.view(3, 1, 1, 1).expand(3, 2, 2, 2)), 2) for c in plain)
    below = m.cumsum(0)
    stacked = Pack(NAMES, tables, torch.cat([m[:1], m[1:] / below[1:]]))
    expected = sum(c.view(3, 1, 1) * mask for c, mask in zip(plain, m, strict=True))
    torch.testing.assert_close(stacked.apply(torch.zeros(3, 6, 7)), expected)
    # and those of a look are such masks
    back, rest = [], torch.ones(128, 192)
    for mask in reversed(pack.masks[1:]):
        back.append(mask * rest)
        rest = rest * (1 - mask)
    torch.testing.assert_close(rest, pack.masks[0], rtol=0, atol=1e-5)
    for found, there in zip([rest, *reversed(back)], scene(3)[1], strict=True):
        assert float(((found > 0.5) == (there > 0.5)).float().mean()) > 0.97


def test_a_pack_in_a_folder(tmp_path: Path) -> None:
    look, photograph = look_of(3)
    pack = look_pack(look, photograph, size=17, title="Dusk")
    save_pack(pack, tmp_path / "dusk", Held(0.98, 0.4, 1.2))
    names = sorted(path.name for path in (tmp_path / "dusk").iterdir())
    stems = ("1-the-sky", "2-land-sea", "3-a-tree")
    assert names == sorted(["README.txt", *(f"{stem}{suffix}" for stem in stems for suffix in (".cube", ".png"))])
    text = (tmp_path / "dusk" / "README.txt").read_text(encoding="utf-8")
    assert all(name in text for name in (*names[:-1], *NAMES))
    assert "98% of this look" in text
    # what is in the files is the pack
    result = load_table(tmp_path / "dusk" / "1-the-sky.cube").apply(photograph)
    for stem in stems[1:]:
        with Image.open(tmp_path / "dusk" / f"{stem}.png") as image:
            assert image.mode == "I;16"
            mask = torch.from_numpy(np.asarray(image).astype(np.float32) / 65535)
        result = torch.lerp(result, load_table(tmp_path / "dusk" / f"{stem}.cube").apply(photograph), mask)
    torch.testing.assert_close(result, pack.apply(photograph), rtol=0, atol=1e-4)


def test_a_pack_appears_whole_or_not_at_all(tmp_path: Path, monkeypatch) -> None:
    look, photograph = look_of(2)
    pack = look_pack(look, photograph, size=17)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").touch()
    (tmp_path / "file").touch()
    for name, words in {
        "taken": "holds files already",
        "file": "cannot be made",
        "no/where": "there is no folder",
    }.items():
        with pytest.raises(ImageError, match=words):
            save_pack(pack, tmp_path / name)
    (tmp_path / "empty").mkdir()
    save_pack(pack, tmp_path / "empty")
    assert len(list((tmp_path / "empty").iterdir())) == 5

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(ImageError, match="No space left on device"):
        save_pack(pack, tmp_path / "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "file", "taken"]


@pytest.mark.parametrize("space", SPACES)
def test_the_readme_names_the_programs_that_can_read_such_tables(space: str) -> None:
    text = readme(NAMES, ["1-a", "2-b", "3-c"], space, None)
    assert max(map(len, text.splitlines())) <= 110
    assert SPACES[space].words in text
    assert "{" not in text
    assert ("darktable" in text) == (space == "srgb")
    assert ("Photoshop" in text) == (space != "linear")  # which reads no shapers
    assert "Resolve" in text


# --- the command line --------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A look of two regions and its photograph."""
    look, photograph = look_of(2)
    save_look(look, tmp_path / "dusk.safetensors")
    save_image(photograph, tmp_path / "photo.png")
    return tmp_path / "dusk.safetensors", tmp_path / "photo.png"


def fails(result: Result, *words: str) -> None:
    """One sentence on stderr, exit code 2, and no result."""
    assert result.exit_code == 2
    assert result.stdout == ""
    line = result.stderr.strip().splitlines()[-1]
    assert line.startswith("Error: ")
    assert all(word in line for word in words), line


def test_a_look_as_a_table_and_a_pack(run, tmp_path: Path, files) -> None:
    look, photo = files
    done = run(
        "look",
        "export",
        look,
        "-o",
        tmp_path / "dusk.cube",
        "--size",
        17,
        "--pack",
        tmp_path / "pack",
        "--photo",
        photo,
    )
    assert done.exit_code == 0, done.stderr
    table, pack = done.stdout.strip().splitlines()
    assert re.fullmatch(r"Wrote \S+dusk\.cube: one table holds \d+% of this look, ΔE \d+\.\d \(95 % .*\)\.", table)
    assert re.fullmatch(r"Wrote the folder \S+pack: 2 tables and masks hold \d+% of this look, ΔE .*\.", pack)
    held_by = [int(re.search(r"(\d+)%", line).group(1)) for line in (table, pack)]
    assert held_by[0] <= held_by[1]
    written = load_table(tmp_path / "dusk.cube")
    assert (written.title, written.stages[0].nodes.shape[-1]) == ("dusk", 17)
    # what is told is what the file does to the photograph
    before = load_image(photo)
    truth = held(before, load_look(look).apply(before), written.apply(before))
    assert str(truth) in table


def test_without_a_photograph_the_looks_own_is_met_and_the_pack_is_told_of(run, tmp_path: Path, files) -> None:
    done = run("look", "export", files[0], "-o", tmp_path / "dusk.png", "--bits", 8)
    assert done.exit_code == 0, done.stderr
    assert "A pack of 2 tables and masks (--pack) would hold" in done.stdout
    assert (tmp_path / "dusk.png").read_bytes()[24] == 8
    quiet = run("look", "export", files[0], "-o", tmp_path / "dusk.3dl", "--quiet")
    assert (quiet.exit_code, quiet.stdout, quiet.stderr) == (0, "", "")


def test_spaces_sizes_and_titles(run, tmp_path: Path, files) -> None:
    path = tmp_path / "a.cube"
    args = ("look", "export", files[0], "-o", path, "--size", 21, "--space", "linear", "--title", "Dusk 2")
    done = run(*args)
    assert done.exit_code == 0, done.stderr
    table = load_table(path)
    assert (table.space, table.title, len(table.stages), table.stages[1].nodes.shape[-1]) == ("linear", "Dusk 2", 2, 21)


def test_a_table_in_another_form(run, tmp_path: Path) -> None:
    table = make_table(ColorMap.of(cube(17) ** 1.2), 33)
    save_table(table, tmp_path / "film.cube")
    done = run("look", "export", tmp_path / "film.cube", "-o", tmp_path / "film.png")
    assert (done.exit_code, done.stdout) == (0, f"Wrote {tmp_path / 'film.png'}.\n")
    colors = torch.rand(3, 100, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(load_table(tmp_path / "film.png")(colors), table(colors), rtol=0, atol=2e-3)


def test_what_export_refuses_before_any_work(run, tmp_path: Path, files) -> None:
    look, photo = files
    out = tmp_path / "a.cube"
    before = sorted(tmp_path.iterdir())
    fails(run("look", "export", look), "--output", "--pack")
    fails(run("look", "export", look, "--pack", tmp_path / "p"), "--photo")
    fails(run("look", "export", look, "-o", tmp_path / "a.lut"), ".cube, .png, .3dl")
    fails(run("look", "export", look, "-o", out, "--size", 70), "from 17 to 65")
    fails(run("look", "export", look, "-o", tmp_path / "a.png", "--space", "linear"), "write a .cube")
    fails(run("look", "export", tmp_path / "none", "-o", out), "There is no file")
    fails(run("look", "export", tmp_path, "-o", out), "is a folder")
    fails(run("look", "export", look, "-o", out, "--photo", tmp_path / "none.jpg"), "There is no file")
    fails(run("look", "export", look, "--photo", photo, "--pack", tmp_path), "holds files already")
    fails(run("look", "export", look, "--photo", photo, "--pack", tmp_path / "p", "--size", 100), "from 17 to 65")
    assert sorted(tmp_path.iterdir()) == before
    save_table(make_table(COMMON, 33), out)
    data = out.read_bytes()
    fails(run("look", "export", out, "-o", out), "one of the input files")
    fails(run("look", "export", out, "--pack", tmp_path / "p", "--photo", photo), "no regions")
    assert out.read_bytes() == data


def test_a_table_is_applied_to_photographs(run, tmp_path: Path, files) -> None:
    _, photo = files
    table = make_table(COMMON, 33)
    save_table(table, tmp_path / "film.cube")
    other = tmp_path / "other.png"
    save_image(load_image(photo)[:, :50, :90], other)
    done = run("apply", tmp_path / "film.cube", photo, other, "-o", tmp_path / "out")
    assert done.exit_code == 0, done.stderr
    assert done.stderr == ""
    for path in (photo, other):
        expected = table.apply(load_image(path))
        torch.testing.assert_close(load_image(tmp_path / "out" / path.name), expected, rtol=0, atol=1.01 / 255)
    half = run("apply", tmp_path / "film.cube", photo, "-o", tmp_path / "half.png", "--strength", 0.5, "--bits", 16)
    assert half.exit_code == 0
    torch.testing.assert_close(
        load_image(tmp_path / "half.png"), table.apply(load_image(photo), 0.5), rtol=0, atol=1 / 65535
    )


def test_a_batch_takes_a_table(run, tmp_path: Path, files) -> None:
    table = make_table(COMMON, 33)
    save_table(table, tmp_path / "film.cube")
    (tmp_path / "in").mkdir()
    files[1].rename(tmp_path / "in" / "a.png")
    done = run("batch", tmp_path / "in", "--look", tmp_path / "film.cube", "-o", tmp_path / "out")
    assert done.exit_code == 0, done.stderr
    expected = table.apply(load_image(tmp_path / "in" / "a.png"))
    torch.testing.assert_close(load_image(tmp_path / "out" / "a.png"), expected, rtol=0, atol=1.01 / 255)


def test_the_space_of_a_table_is_what_it_says_or_what_is_said(run, tmp_path: Path, files) -> None:
    _, photo = files
    save_table(make_table(MAPS[0], 33, space="rec709"), tmp_path / "film.cube")
    args = ("apply", tmp_path / "film.cube", photo, "--bits", 16)
    assert run(*args, "-o", tmp_path / "own.png").exit_code == 0
    assert run(*args, "-o", tmp_path / "said.png", "--space", "srgb").exit_code == 0
    expected = MAPS[0](load_image(photo)).clamp(0, 1)
    own, said = load_image(tmp_path / "own.png"), load_image(tmp_path / "said.png")
    torch.testing.assert_close(own, expected, rtol=0, atol=2e-3)
    assert float((said - expected).abs().max()) > 5e-3
    fails(run("apply", files[0], photo, "-o", tmp_path / "x.png", "--space", "srgb"), "a space is for tables")


def test_a_table_that_folds_is_told_with_the_figure(run, tmp_path: Path, files) -> None:
    x = cube(17)
    save_table(make_table(ColorMap.of(14 * torch.where(x < 0.5, x, 1 - x) - 3), 17), tmp_path / "wild.cube")
    done = run("apply", tmp_path / "wild.cube", files[1], "-o", tmp_path / "out.png")
    assert done.exit_code == 0
    assert [line for line in done.stderr.splitlines() if "folds: in 50.0% of the cube" in line]
    assert "14 times as far apart" in done.stderr
    assert "clips" in done.stderr


def test_a_broken_table_ends_in_one_sentence(run, tmp_path: Path, files) -> None:
    (tmp_path / "film.cube").write_text("LUT_3D_SIZE 2\n0 0 0\n0 0 zero\n" + "1 1 1\n" * 6)
    fails(run("apply", tmp_path / "film.cube", files[1], "-o", tmp_path / "out.png"), "line 3", "'zero' is no number")
    (tmp_path / "empty.cube").touch()
    fails(run("apply", tmp_path / "empty.cube", files[1], "-o", tmp_path / "out.png"), "is empty")
    fails(run("apply", files[1], files[1], "-o", tmp_path / "out.png"), "no Hald image")
    assert not (tmp_path / "out.png").exists()
