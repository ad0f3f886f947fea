"""The studio's looks: adjusted, kept on a shelf, given to photographs, brought along and taken to other programs."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from zipfile import ZipFile

import pytest
import torch
from asking import Page, both, file, painted
from PIL import Image
from safetensors.torch import load
from starlette.testclient import TestClient
from torch import Tensor

from photostyle import Adjustment, SettingsError, adjust_look, load_image, load_look, load_table, read_note, save_table
from photostyle.color.difference import delta_e
from photostyle.looks.placed import Placed
from photostyle.maps.blend import find_borders
from photostyle.maps.lattice import ColorMap
from photostyle.photofile import load_photograph
from photostyle.studio.saving import file_name
from photostyle.studio.serve import studio
from photostyle.studio.shelf import Shelf
from photostyle.tables.making import make_table

pytestmark = pytest.mark.usefixtures("small_network")


@pytest.fixture
def page() -> Iterator[Page]:
    """A session of a running studio."""
    with studio() as app, TestClient(app, "http://127.0.0.1") as client:
        yield Page(client)


def rendered(page: Page, **wish: Any) -> dict[str, Any]:
    """A look as a result."""
    result: dict[str, Any] = page.done(page.ask("POST", "/render", 202, json={"quality": "draft", **wish}))["outcome"]
    return result["result"]


def saved(page: Page, result: dict[str, Any], tmp_path: Path, name: str = "a.png", **wish: Any) -> Path:
    path = tmp_path / name
    path.write_bytes(page.ask("GET", f"/results/{result['id']}/download", params={"format": "PNG", **wish}))
    return path


# --- adjusted ------------------------------------------------------------------------------------------


def test_what_is_saved_is_the_look_as_it_is_adjusted(page: Page, tmp_path: Path) -> None:
    painted(page)
    result = rendered(page)
    assert result["maps"] == ["blue", "green"]
    page.ask("POST", "/looks", 201, json={"result": result["id"], "name": "mine"})
    own = page.ask("GET", "/looks/mine/file", params={"format": "look"})
    (tmp_path / "mine.safetensors").write_bytes(own)
    look = load_look(tmp_path / "mine.safetensors")
    (tmp_path / "content.png").write_bytes(file(0))
    photograph = load_image(tmp_path / "content.png")

    def expected(**changes: Any) -> Tensor:
        return adjust_look(look, Adjustment(**changes)).apply(photograph, look.scene.masks)

    for wish, changes in (
        ({}, {}),
        ({"strength": 0}, {"strength": 0.0}),
        ({"strength": 0.4, "exposure": 0.7}, {"strength": 0.4, "exposure": 0.7}),
        ({"saturation": -1, "parts": [1, 0]}, {"saturation": -1.0, "regions": {"green": 0.0}}),
    ):
        path = saved(page, result, tmp_path, **wish)
        # masks are kept in 8 bits, levels are dithered
        assert float(delta_e(load_image(path), expected(**changes)).mean()) < 0.5
        assert read_note(path).get("saturation") == changes.get("saturation")


def test_another_look_is_mixed_in(page: Page, tmp_path: Path) -> None:
    both(page)
    result = rendered(page)
    plain = load_image(saved(page, result, tmp_path, strength=0))
    page.ask("POST", "/looks", 201, json={"result": result["id"], "name": "none", "strength": 0})
    mixed = load_image(saved(page, result, tmp_path, other="none", weight=1))
    assert float(delta_e(mixed, plain).max()) < 1
    page.ask("GET", f"/results/{result['id']}/download", 422, params={"other": "nobody", "weight": 1})


def test_what_paints_is_faded_and_not_adjusted(page: Page, tmp_path: Path) -> None:
    both(page)
    result = rendered(page, recipe="reinhard")
    assert result["maps"] is None
    saved(page, result, tmp_path, strength=0.5)
    error = page.ask("GET", f"/results/{result['id']}/download", 422, params={"exposure": 1})["error"]
    assert error.startswith("Only a look can be adjusted")
    page.ask("GET", f"/results/{result['id']}/parts", 404)


def test_the_parts_are_the_look_s_own(page: Page) -> None:
    painted(page)
    result = rendered(page)
    parts = load(page.ask("GET", f"/results/{result['id']}/parts"))
    assert parts["nodes"].shape == (2, 17, 17, 17, 3) and parts["tilts"].shape == (2, 3, 4)
    assert parts["guides"].shape == (2, 48, 72, 4) == parts["own"].shape and parts["heights"].shape == (2, 48)
    assert parts["tiles"].shape == (1, 2) and parts["tiles"].tolist() == [[3, 3]]
    whole = load(page.ask("GET", f"/looks/{result['id']}/maps"))
    torch.testing.assert_close(whole["nodes"][:2], parts["nodes"])
    assert whole["nodes"].shape[0] == 3  # what they have in common is the last


def test_parts_hold_what_a_blend_is_made_of(picture: Any) -> None:
    """Nodes, borders and tiles of a photograph, as `blend` has them."""
    photograph = picture(60, 90, dtype=torch.float32)
    masks = torch.zeros(3, 60, 90)
    masks[0, :, :45] = masks[2, :, 45:] = 1
    look, maps = _look(photograph, masks), [ColorMap.identity(5), ColorMap.identity(17), ColorMap.identity(9)]
    parts = load(Placed(look(maps), masks).parts(photograph, (600, 900)))
    borders = find_borders(masks[[0, 2]], photograph)
    torch.testing.assert_close(parts["own"][..., 3].float(), borders.masks, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(parts["guides"].permute(0, 3, 1, 2).float(), borders.guides, rtol=1e-3, atol=1e-3)
    assert parts["tiles"].shape == (10, 15)
    assert parts["tiles"][:, 0].unique().tolist() == [1] and parts["tiles"][:, -1].unique().tolist() == [2]


def _look(photograph: Tensor, masks: Tensor) -> Any:
    from photostyle.looks.look import Look
    from photostyle.looks.scene import Scene

    def make(maps: list[ColorMap]) -> Look:
        scene = Scene(photograph, masks, torch.zeros(len(maps), 0), "")
        return Look(tuple(maps), maps[0], ("a", "b", "c"), scene, photograph, {})

    return make


# --- the shelf -----------------------------------------------------------------------------------------


def test_a_shelf_keeps_looks_by_their_names(page: Page) -> None:
    both(page)
    result = rendered(page)
    keep = {"result": result["id"], "name": "Dusk / 2: warm"}
    assert [look["name"] for look in page.ask("POST", "/looks", 201, json=keep)["looks"]] == ["Dusk - 2- warm"]
    names = [look["name"] for look in page.ask("POST", "/looks", 201, json=keep)["looks"]]
    assert names == ["Dusk - 2- warm", "Dusk - 2- warm 2"]
    told = page.ask("PATCH", "/looks/Dusk - 2- warm 2", json={"name": "Dämmerung"})
    assert [look["name"] for look in told["looks"]] == ["Dusk - 2- warm", "Dämmerung"]
    told = page.ask("DELETE", "/looks/Dusk - 2- warm")
    assert [look["name"] for look in told["looks"]] == ["Dämmerung"]
    assert Image.open(io.BytesIO(page.ask("GET", "/looks/Dämmerung/thumb.jpg"))).size == (72, 48)
    page.ask("DELETE", "/looks/..%2Fx", 405)
    assert page.ask("GET", "/looks/nobody/maps", 422)["error"] == "There is no look 'nobody' on the shelf."
    assert page.ask("POST", "/looks", 422, json=keep | {"name": " . "})["error"] == "A look needs a name."


def test_a_shelf_is_kept_from_one_studio_to_the_next_only_when_asked(tmp_path: Path) -> None:
    kept = tmp_path / "looks"
    for round in (1, 2):
        with studio(looks=kept) as app, TestClient(app, "http://127.0.0.1") as client:
            mine, other = Page(client), Page(client)
            if round == 1:
                both(mine)
                mine.ask("POST", "/looks", 201, json={"result": rendered(mine)["id"], "name": "dusk"})
            assert [look["name"] for look in other.ask("GET", "")["looks"]] == ["dusk"]
    assert [path.name for path in kept.iterdir()] == ["dusk.safetensors"]
    with studio() as app, TestClient(app, "http://127.0.0.1") as client:
        one, other = Page(client), Page(client)
        both(one)
        one.ask("POST", "/looks", 201, json={"result": rendered(one)["id"], "name": "dusk"})
        assert other.ask("GET", "")["looks"] == []


def test_a_file_on_the_shelf_that_is_no_look_says_so(tmp_path: Path) -> None:
    (tmp_path / "broken.safetensors").write_bytes(b"no look")
    (facts,) = Shelf(tmp_path).facts()
    assert facts["name"] == "broken" and "no look, or damaged" in facts["error"]


def test_a_look_is_given_to_another_photograph(page: Page, tmp_path: Path) -> None:
    painted(page)
    page.ask("POST", "/looks", 201, json={"result": rendered(page)["id"], "name": "dusk"})
    page.ask("PUT", "/photographs/content?name=other.png", content=file(3, (90, 60)))
    job = page.done(page.ask("POST", "/looks/dusk/apply", 202))
    assert "Another scene" in job["notes"][0]
    result = job["outcome"]["result"]
    assert (result["width"], result["height"], result["content"]["name"]) == (90, 60, "other.png")
    assert result["command"] == "photostyle apply dusk.safetensors other.png -o result.jpg"
    path = saved(page, result, tmp_path)
    assert load_image(path).shape == (3, 60, 90) and read_note(path)["look"] == "dusk"


# --- from and to files ---------------------------------------------------------------------------------


def test_a_table_is_brought_and_taken(page: Page, tmp_path: Path) -> None:
    map = ColorMap.affine(torch.diag(torch.tensor([0.9, 0.8, 0.7])), torch.tensor([0.1, 0.1, 0.2]))
    save_table(make_table(map, 33), tmp_path / "film.cube")
    both(page)
    told = page.ask("PUT", "/looks?name=film.cube", content=(tmp_path / "film.cube").read_bytes())
    assert [(look["name"], look["regions"]) for look in told["looks"]] == [("film", ["all"])]
    photograph = load_image(io.BytesIO(file(0)))
    for form, name in (("cube", "film.cube"), ("3dl", "film.3dl"), ("hald", "film.png")):
        path = tmp_path / f"again-{name}"
        path.write_bytes(page.ask("GET", "/looks/film/file", params={"format": form}))
        assert float(delta_e(load_table(path).apply(photograph), map(photograph)).mean()) < 0.2
    assert page.ask("GET", "/looks/film/holds")["table"].startswith("100% of this look")
    result = page.done(page.ask("POST", "/looks/film/apply", 202))["outcome"]["result"]
    after = load_image(saved(page, result, tmp_path))
    assert float(delta_e(after, map(photograph)).mean()) < 0.5


def test_a_pack_is_a_zip_that_says_what_it_holds(page: Page) -> None:
    painted(page)
    result = rendered(page)
    archive = ZipFile(io.BytesIO(page.ask("GET", f"/looks/{result['id']}/file", params={"format": "pack"})))
    names = sorted(archive.namelist())
    assert names == ["1-blue.cube", "1-blue.png", "2-green.cube", "2-green.png", "README.txt"]
    assert "On that photograph the pack holds" in archive.read("README.txt").decode()
    assert set(page.ask("GET", f"/looks/{result['id']}/holds")) == {"table", "pack"}


def test_a_look_is_learned_from_before_and_after(page: Page, tmp_path: Path, picture: Any) -> None:
    files = []
    for gain in (1.0, 0.6):
        pixels = (gain * picture(60, 90) * 255).byte().permute(1, 2, 0).numpy()
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "PNG")
        files.append(buffer.getvalue())
    words = {"split": len(files[0]), "before": "raw.png", "after": "edited.v2.png"}
    told = page.ask("POST", "/looks/learn", params=words, content=b"".join(files))
    assert [look["name"] for look in told["looks"]] == ["edited.v2"] and "ΔE2000" in told["said"][0]
    error = page.ask("POST", "/looks/learn", 422, params=words | {"split": 3}, content=b"".join(files))["error"]
    assert "raw.png" in error


@pytest.mark.parametrize(("data", "sentence"), [(b"", "empty"), (b"\0\1", "no look"), (b"hello", "no .3dl table")])
def test_what_is_no_look_is_refused_by_its_name(page: Page, data: bytes, sentence: str) -> None:
    error = page.ask("PUT", "/looks?name=a.cube", 422, content=data)["error"]
    assert sentence in error and error.startswith("a.cube") and "/" not in error


# --- files of results ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wish", "kind", "bits"),
    [
        ({"format": "JPEG", "quality": 40}, "JPEG", 8),
        ({"format": "PNG", "bits": 16}, "PNG", 16),
        ({"format": "TIFF", "bits": 16}, "TIFF", 16),
        ({"format": "TIFF"}, "TIFF", 8),
        ({"format": "WEBP"}, "WEBP", 8),
        ({"format": "AVIF"}, "AVIF", 8),
        ({"format": "HEIF"}, "HEIF", 8),
    ],
)
def test_every_format_and_depth(page: Page, tmp_path: Path, wish: dict[str, Any], kind: str, bits: int) -> None:
    both(page)
    result = rendered(page)
    answer = page.client.get(f"/api/sessions/{page.id}/results/{result['id']}/download", params=wish)
    path = tmp_path / "saved"
    path.write_bytes(answer.content)
    found = load_photograph(path)
    assert (found.format, found.bits, found.pixels.shape) == (kind, bits, (3, 48, 72))
    assert found.resolution is None  # the photograph says none


def test_size_metadata_and_name_are_chosen(page: Page, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "a view"
    page.ask("PUT", "/photographs/content?name=day out.jpg", content=file(0, format="JPEG", exif=exif, dpi=(300, 300)))
    page.ask("PUT", "/photographs/style?name=b.png", content=file(1))
    result = rendered(page)
    url = f"/api/sessions/{page.id}/results/{result['id']}/download"
    pattern = "{name} – {look} {strength} %"
    answer = page.client.get(url, params={"format": "TIFF", "long_side": 36, "name": pattern, "strength": 0.8})
    assert unquote(answer.headers["content-disposition"]).endswith("day out – photo 80 %.tif")
    (tmp_path / "a.tif").write_bytes(answer.content)
    found = load_photograph(tmp_path / "a.tif")
    assert found.pixels.shape == (3, 24, 36) and found.resolution == pytest.approx((300, 300))
    assert read_note(tmp_path / "a.tif")["strength"] == 0.8
    (tmp_path / "b.jpg").write_bytes(page.client.get(url, params={"metadata": False}).content)
    assert load_photograph(tmp_path / "b.jpg").exif is None and read_note(tmp_path / "b.jpg") == {}
    assert "no word of file names" in page.client.get(url, params={"name": "{foo}"}).json()["error"]


def test_what_a_file_does_not_keep_is_told(page: Page) -> None:
    page.ask("PUT", "/photographs/content?name=a.png", content=_deep())
    page.ask("PUT", "/photographs/style?name=b.png", content=file(1))
    result = rendered(page)
    answer = page.client.get(f"/api/sessions/{page.id}/results/{result['id']}/download")
    assert json.loads(unquote(answer.headers["x-notes"])) == ["JPEG has 8 bits per channel, so the jpg file has."]


def _deep() -> bytes:
    from photostyle import Photograph, save_photograph

    buffer = io.BytesIO()
    pixels = torch.rand(3, 48, 72, generator=torch.Generator().manual_seed(0))
    save_photograph(pixels, buffer, like=Photograph(pixels, bits=16), format="PNG")
    return buffer.getvalue()


def test_names_of_files_fit_every_system() -> None:
    words = {"name": 'a/b\\c:"d"?', "look": "photo"}
    assert file_name("{name}-{look}", words, "jpg") == "a-b-c-d--photo.jpg"
    assert len(file_name("ä" * 300, words, "jpg").encode()) <= 200
    with pytest.raises(SettingsError, match="needs a name"):
        file_name(" .. ", words, "jpg")
