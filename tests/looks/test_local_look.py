"""What was done to a photograph: found, applied to other frames, kept in a file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from photostyle import ImageError, SettingsError, __version__, fade
from photostyle.image import resize, shrink
from photostyle.looks.file import check_look_path, load_look, save_look
from photostyle.looks.local import LocalLook, find_look
from photostyle.matting import render as render_module

A = torch.tensor([[0.5, 0.2, 0.1], [0.1, 0.6, 0.0], [-0.1, 0.2, 0.5]])
B = torch.tensor([0.05, 0.1, 0.2])


def recolored(image: torch.Tensor) -> torch.Tensor:
    return torch.einsum("oc,chw->ohw", A.to(image), image) + B.to(image)[:, None, None]


def graded(image: torch.Tensor) -> torch.Tensor:
    """What an editor might do: a curve, and darker towards the right."""
    return image**1.4 * torch.linspace(1, 0.6, image.shape[2]).to(image)


def about(maps: torch.Tensor) -> LocalLook:
    return LocalLook(maps, (40, 60), {"version": __version__})


# --- found and applied -------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_nothing_done_is_the_identity(picture, dtype: torch.dtype) -> None:
    photograph = picture(60, 80, dtype=dtype)
    look = find_look(photograph, photograph)
    torch.testing.assert_close(look.maps, torch.eye(3, 4).to(dtype)[:, :, None, None].expand_as(look.maps))
    other = picture(60, 80, seed=1, dtype=dtype)
    torch.testing.assert_close(look.apply(other), other, rtol=0, atol=1e-5)


def test_an_affine_change_of_colour_comes_back_exactly_on_any_frame_at_any_size(picture) -> None:
    photograph = picture(300, 400)  # larger than the grid
    look = find_look(photograph, recolored(photograph))
    assert look.maps.shape == (3, 4, 192, 256)
    assert look.size == (300, 400)
    for frame in (photograph, picture(60, 80, seed=1), picture(450, 600, seed=2)):
        torch.testing.assert_close(look.apply(frame), recolored(frame), rtol=0, atol=2e-3)


def test_on_a_plain_photograph_detail_of_another_frame_is_kept(picture) -> None:
    """Windows without any colour of their own say how bright, and leave the contrast as it is."""
    plain = torch.full((3, 24, 32), 0.3)
    frame = picture(24, 32, dtype=torch.float32) / 2
    torch.testing.assert_close(find_look(plain, plain + 0.2).apply(frame), frame + 0.2)


def test_what_an_editor_did_comes_back_closely(picture) -> None:
    photograph = picture(300, 400, dtype=torch.float32)
    after = graded(photograph)
    error = (find_look(photograph, after).apply(photograph) - after).square().mean().sqrt()
    assert error < 0.15 * (photograph - after).square().mean().sqrt()


def test_a_look_found_on_a_small_copy_fits_the_large_photograph(picture) -> None:
    large = resize(picture(100, 131), (400, 524))
    small = shrink(large, (200, 262))
    torch.testing.assert_close(find_look(small, recolored(small)).apply(large), recolored(large), rtol=0, atol=2e-3)
    mixed = find_look(large, recolored(small))  # a result smaller than its photograph
    assert mixed.size == (400, 524)
    torch.testing.assert_close(mixed.apply(large), recolored(large), rtol=0, atol=2e-3)


def test_the_smallest_photographs(picture) -> None:
    photograph = picture(8, 8)
    torch.testing.assert_close(find_look(photograph, photograph).apply(photograph), photograph, rtol=0, atol=1e-5)


def test_the_result_is_in_range_in_bands_and_the_photograph_as_it_was(picture, monkeypatch) -> None:
    photograph = picture(40, 60, dtype=torch.float32)
    before = photograph.clone()
    look = find_look(photograph, 2 * photograph - 0.6)
    whole = look.apply(photograph)
    assert whole.dtype == torch.float32
    assert (float(whole.min()), float(whole.max())) == (0, 1)
    monkeypatch.setattr(render_module, "_BAND", 7)
    torch.testing.assert_close(look.apply(photograph), whole, rtol=0, atol=1e-6)
    assert torch.equal(photograph, before)


def test_facts(picture) -> None:
    photograph = picture(16, 16)
    assert find_look(photograph, photograph).facts == {"version": __version__}
    assert find_look(photograph, photograph, {"recipe": "luan"}).facts == {"version": __version__, "recipe": "luan"}


# --- frames that do not fit --------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(40, 60), (80, 120), (401, 600), (399, 600), (20, 30), (13, 20)])
def test_frames_that_fit(picture, size: tuple[int, int]) -> None:
    """Other resolutions of 60×40, each side perhaps rounded by a pixel."""
    look = find_look(picture(40, 60), picture(40, 60))
    assert look.apply(picture(*size)).shape == (3, *size)


@pytest.mark.parametrize("size", [(60, 40), (40, 57), (43, 60), (400, 640), (45, 60)])
def test_frames_of_other_proportions(picture, size: tuple[int, int]) -> None:
    look = find_look(picture(40, 60), picture(40, 60))
    with pytest.raises(ImageError, match=f"{size[1]}×{size[0]}.*60×40.*same scene and framing"):
        look.apply(picture(*size))
    with pytest.raises(ImageError, match=f"60×40.*{size[1]}×{size[0]}"):
        find_look(picture(40, 60), picture(*size))


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (torch.zeros(40, 60), "3×H×W"),
        (torch.zeros(1, 40, 60), "3×H×W"),
        (torch.zeros(3, 40, 60, dtype=torch.uint8), "3×H×W"),
        (torch.zeros(3, 0, 60), "empty"),
        (torch.full((3, 40, 60), torch.nan), "not finite"),
    ],
)
def test_what_is_no_photograph(picture, image: torch.Tensor, words: str) -> None:
    good = picture(40, 60)
    with pytest.raises(ImageError, match=words):
        find_look(image, good)
    with pytest.raises(ImageError, match=words):
        find_look(good, image)
    with pytest.raises(ImageError, match=words):
        find_look(good, good).apply(image)


# --- kept in a file ----------------------------------------------------------------------------------


def test_a_look_comes_back_from_its_file(picture, tmp_path: Path) -> None:
    photograph = picture(100, 150, dtype=torch.float32)
    look = find_look(photograph, graded(photograph), {"recipe": "photo", "content": "Fjäll ×.jpg"})
    save_look(look, tmp_path / "look.safetensors")
    again = load_look(tmp_path / "look.safetensors")
    assert (again.size, again.facts) == (look.size, look.facts)
    assert again.maps.dtype == torch.float32
    assert torch.equal(again.maps, look.maps.half().float())
    difference = 255 * (again.apply(photograph) - look.apply(photograph))
    assert difference.abs().max() < 0.5  # of an 8-bit level
    assert difference.square().mean().sqrt() < 0.1


def test_equal_looks_give_equal_bytes(picture, tmp_path: Path) -> None:
    facts = {name: name.upper() for name in ("recipe", "backbone", "pooling", "seed", "style")}
    for name in "ab":
        save_look(find_look(picture(20, 30), graded(picture(20, 30)), facts), tmp_path / f"{name}.safetensors")
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    assert len(list(tmp_path.iterdir())) == 2  # nothing left beside them


def test_after_a_failure_the_older_file_is_as_it_was(picture, tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "look.safetensors"
    look = find_look(picture(20, 30), picture(20, 30))
    save_look(look, path)
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(ImageError, match="No space left on device"):
        save_look(replace(look, maps=look.maps / 2), path)
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [before]


@pytest.mark.parametrize("value", [torch.nan, torch.inf, 1e6])
def test_what_cannot_be_kept(tmp_path: Path, value: float) -> None:
    with pytest.raises(ImageError, match="was not written"):
        save_look(about(torch.full((3, 4, 2, 3), value)), tmp_path / "look.safetensors")
    assert not list(tmp_path.iterdir())


def test_where_a_look_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "folder.safetensors").mkdir()
    for name, words in {
        "look.png": "use .safetensors",
        "folder.safetensors": "is a folder",
        "nowhere/look.safetensors": "there is no folder",
    }.items():
        with pytest.raises(ImageError, match=words):
            check_look_path(tmp_path / name)
        with pytest.raises(ImageError, match=words):
            save_look(about(torch.zeros(3, 4, 2, 3)), tmp_path / name)


def write(path: Path, tensors: dict[str, torch.Tensor], **changes: object) -> None:
    """A file like a look's, with changes to what it says of itself."""
    entry = {"look": 1, "size": [40, 60], "facts": {}} | changes
    save_file(tensors, path, {"photostyle": json.dumps(entry)})


MAPS = torch.zeros(3, 4, 2, 3, dtype=torch.float16)


@pytest.mark.parametrize(
    ("tensors", "changes", "words"),
    [
        ({"maps": MAPS[:2]}, {}, r"maps are \(2, 4, 2, 3\)"),
        ({"maps": MAPS[0]}, {}, r"maps are \(4, 2, 3\)"),
        ({"maps": MAPS[..., :0]}, {}, r"maps are \(3, 4, 2, 0\)"),
        ({"other": MAPS}, {}, "holds no look"),
        ({"maps": MAPS / 0}, {}, "NaN"),
        ({"maps": MAPS}, {"look": 3}, "newer photostyle"),
        ({"maps": MAPS}, {"look": "1"}, "holds no look"),
        ({"maps": MAPS}, {"size": [40]}, "holds no look"),
        ({"maps": MAPS}, {"size": [0, 60]}, "holds no look"),
        ({"maps": MAPS}, {"size": None}, "holds no look"),
        ({"maps": MAPS}, {"facts": []}, "holds no look"),
    ],
)
def test_files_that_hold_no_look(tmp_path: Path, tensors, changes, words: str) -> None:
    path = tmp_path / "look.safetensors"
    write(path, {name: tensor.contiguous() for name, tensor in tensors.items()}, **changes)
    with pytest.raises(ImageError, match=words) as caught:
        load_look(path)
    assert str(path) in str(caught.value)


def test_files_of_others(tmp_path: Path) -> None:
    path = tmp_path / "look.safetensors"
    save_file({"maps": MAPS}, path)
    with pytest.raises(ImageError, match="holds no look"):
        load_look(path)
    for entry in ("1", "not JSON"):  # as in a file of weights
        save_file({"maps": MAPS}, path, {"photostyle": entry})
        with pytest.raises(ImageError, match="no look"):
            load_look(path)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "look.safetensors"
    with pytest.raises(ImageError, match="There is no file"):
        load_look(path)
    with pytest.raises(ImageError, match="is no look"):
        load_look(tmp_path)
    save_look(about(MAPS.float()), path)
    assert torch.equal(load_look(path).maps, MAPS.float())
    whole = path.read_bytes()
    for data in (b"", b"not a look", whole[:40], whole[:-1], whole + b"0", b"\xff" * 64):
        path.write_bytes(data)
        with pytest.raises(ImageError, match="is no look, or damaged"):
            load_look(path)


# --- less of it --------------------------------------------------------------------------------------


def test_fade_goes_from_the_content_to_the_result(picture) -> None:
    content, result = picture(20, 30), picture(20, 30, seed=1)
    assert torch.equal(fade(content, result, 0), content)
    assert torch.equal(fade(content, result, 1), result)
    torch.testing.assert_close(fade(content, result, 0.3), 0.7 * content + 0.3 * result)


def test_fade_to_a_result_of_another_size(picture) -> None:
    content, result = picture(40, 60), picture(20, 30, seed=1)
    expected = (resize(content, (20, 30)) + result) / 2
    torch.testing.assert_close(fade(content, result, 0.5), expected)


@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan")])
def test_fade_has_a_range(picture, strength: float) -> None:
    with pytest.raises(SettingsError, match="between 0 and 1"):
        fade(picture(8, 8), picture(8, 8), strength)


@pytest.mark.parametrize("light", [0.6, 0.9, 1.2])
def test_frames_in_another_light_are_steady(picture, light: float) -> None:
    """A sky that hardly varies says nothing of slopes: a frame that is darker comes out darker, and nothing wild."""
    ramp = torch.linspace(-0.5, 0.5, 80).expand(3, 40, 80)
    photograph = resize(picture(6, 10, seed=1, dtype=torch.float32), (60, 80)).clamp(0, 1)
    photograph[:, :40] = torch.tensor([0.55, 0.65, 0.8])[:, None, None] + 0.02 * ramp
    after = graded(photograph)
    after[:, :40] += torch.tensor([0.15, 0.0, -0.15])[:, None, None] * ramp  # not of the photograph
    look = find_look(photograph, after.clamp(0, 1))
    before, now = (look.apply(x)[:, :30] for x in (photograph, (light * photograph).clamp(0, 1)))
    difference = (now - before).mean((1, 2))
    assert bool((difference.sign() == (1 if light > 1 else -1)).all())
    assert float(difference.abs().max()) < 1.5 * abs(light - 1)
