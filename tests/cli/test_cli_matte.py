"""`photostyle matte`: what it writes, and how it fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from commands import run_command
from PIL import Image
from torch import Tensor
from typer.testing import Result

from photostyle import load_image, load_photograph, save_image

Run = Callable[..., Result]
RED, BLUE = (230, 80, 30), (30, 100, 200)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`run("photo.png", …)`: `photostyle matte` in this process, in the folder of the files."""
    monkeypatch.chdir(tmp_path)

    def invoke(*args: object) -> Result:
        return run_command("matte", *args)

    return invoke


@pytest.fixture
def alpha(tmp_path: Path) -> Tensor:
    """The true matte of photo.png: a soft red disc before blue. With it trimap.png and three files of scribbles."""
    y, x = torch.meshgrid(torch.arange(40) - 19.5, torch.arange(60) - 29.5, indexing="ij")
    alpha = ((15 - (x * x + y * y).sqrt()) / 4).clamp(0, 1)
    red, blue = (torch.tensor(color)[:, None, None] / 255 for color in (RED, BLUE))
    save_image(alpha * red + (1 - alpha) * blue, tmp_path / "photo.png")
    save_image(torch.where(alpha == alpha.round(), alpha, 0.5).expand(3, -1, -1), tmp_path / "trimap.png")
    for name, ground in (("over", Image.open(tmp_path / "photo.png").convert("RGBA")), ("grey", None), ("layer", None)):
        picture = ground or Image.new("RGBA", (60, 40), (128, 128, 128, 255 if name == "grey" else 0))
        picture.paste((255, 255, 255, 255), (26, 17, 34, 23))
        picture.paste((0, 0, 0, 255), (0, 0, 60, 3))
        picture.paste((0, 0, 0, 255), (0, 37, 60, 40))
        (picture if name == "layer" else picture.convert("RGB")).save(tmp_path / f"{name}.png")
    return alpha


@pytest.mark.parametrize("given", ["--trimap trimap.png", *(f"--scribbles {n}.png" for n in ("over", "grey", "layer"))])
def test_matte_from_a_trimap_and_from_scribbles(run: Run, alpha: Tensor, given: str) -> None:
    result = run("photo.png", *given.split(), "-o", "alpha.png")
    assert result.exit_code == 0, result.output
    assert result.stdout == "Wrote alpha.png.\n"
    found = load_image("alpha.png")
    assert torch.equal(found[0], found[1]) and torch.equal(found[0], found[2])
    assert float((found[0] - alpha).abs().max()) < 0.03


def test_cut_out_and_composite(run: Run, alpha: Tensor, picture: Callable[..., Tensor], tmp_path: Path) -> None:
    new = torch.zeros(3, 80, 60)
    new[1, 20:60] = 1  # of a picture twice too high the middle is seen: all green
    save_image(new, tmp_path / "new.png")
    result = run(
        *("photo.png", "--trimap", "trimap.png", "-o", "alpha.png", "--foreground", "cut.png"),
        *("--background", "new.png", "--composite", "out.jpg", "--jpeg-quality", 98),
    )
    assert result.exit_code == 0, result.output
    cut = load_photograph("cut.png")
    assert cut.alpha is not None and float((cut.alpha[0] - alpha).abs().max()) < 0.03
    inside = alpha > 0.3  # half transparent, and yet not a trace of blue
    assert float((cut.pixels[:, inside] * 255 - torch.tensor(RED)[:, None]).abs().max()) < 8
    red, green = (torch.tensor(color)[:, None, None] / 255 for color in (RED, (0, 255, 0)))
    assert float((load_image("out.jpg") - (alpha * red + (1 - alpha) * green)).abs().max()) < 0.08


def test_backgrounds_of_any_shape_are_covered(run: Run, alpha: Tensor) -> None:
    for size in ((200, 50), (17, 90)):
        Image.new("RGB", size, (0, 255, 0)).save("new.png")
        words = ["--background", "new.png", "--composite", "out.png", "--quiet"]
        result = run("photo.png", "--trimap", "trimap.png", "-o", "alpha.png", *words)
        assert result.exit_code == 0 and not result.output
        out = np.asarray(Image.open("out.png").convert("RGB"))
        assert out.shape == (40, 60, 3) and tuple(out[0, 0]) == tuple(out[39, 59]) == (0, 255, 0)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("-o a.png", "give one of the two"),
        ("-o a.png --trimap trimap.png --scribbles over.png", "give one of the two"),
        ("-o a.png --trimap trimap.png --composite b.png", "give both or neither"),
        ("-o a.png --trimap trimap.png --background grey.png", "give both or neither"),
        ("-o a.png --trimap trimap.png --foreground b.jpg", "JPEG has no transparency"),
        ("-o a.png --trimap trimap.png --foreground a.png", "of the results have the same name"),
        ("-o photo.png --trimap trimap.png", "photo.png is one of the input files"),
        ("-o no/a.png --trimap trimap.png", "there is no folder"),
        ("-o a.png --trimap none.png", "There is no file none.png"),
        ("-o a.png --trimap small.png", "The trimap has 20×20 pixels and the photograph 60×40"),
        ("-o a.png --scribbles photo.png", "No foreground is marked"),
        ("-o a.png --scribbles trimap.png", "if the picture is a trimap, give it as one"),
        ("-o a.png --trimap trimap.png --background none.png --composite b.png", "There is no file none.png"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_written(run: Run, alpha: Tensor, words: str, sentence: str) -> None:
    Image.new("L", (20, 20)).save("small.png")
    result = run("photo.png", *words.split())
    assert result.exit_code == 2
    assert sentence in " ".join(result.stderr.replace("│", " ").split())
    assert not Path("a.png").exists() and not Path("b.png").exists()
