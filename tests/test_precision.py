"""Numbers of 64 bits: Apple's MPS has none, so no tensor becomes one on a device that may be that."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from photostyle.image import exact
from photostyle.matting.laplacian import matting_laplacian
from photostyle.matting.render import feather
from photostyle.terms.photorealism import drift

PACKAGE = Path(__file__).parent.parent / "photostyle"

# What is small, or is no tensor of a device, is worked on by the processor: these modules say so.
ON_THE_PROCESSOR = {
    "color/difference.py",
    "maps/grade.py",
    "maps/settle.py",
    "maps/tone.py",
    "network/lites.py",
    "recipes/_search.py",
    "recipes/grading.py",
    "recipes/tint.py",
    "segment/judge.py",
    "segment/proportions.py",
}
FACTORIES = {"arange", "eye", "full", "linspace", "randn", "tensor", "zeros"}


def careless(tree: ast.AST) -> list[int]:
    """The lines where a tensor becomes one of float64 wherever it is."""
    lines = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        name, owner = node.func.attr, node.func.value
        words = [ast.unparse(arg) for arg in (*node.args, *(keyword.value for keyword in node.keywords))]
        if name == "double" and not (isinstance(owner, ast.Call) and ast.unparse(owner.func).endswith(".cpu")):
            lines.append(node.lineno)
        elif "torch.float64" in words and "'cpu'" not in words:
            placed = any(keyword.arg == "device" for keyword in node.keywords)
            if placed or not (ast.unparse(owner) == "torch" and name in FACTORIES):
                lines.append(node.lineno)
    return lines


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_float64_is_asked_for_where_it_exists(path: Path) -> None:
    name = path.relative_to(PACKAGE).as_posix()
    if name == "image.py" or name in ON_THE_PROCESSOR or name.startswith(("looks/", "photofile/", "tables/", "video/")):
        return
    assert careless(ast.parse(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("x.double()", True),
        ("x.cpu().double()", False),
        ("x.to(torch.float64)", True),
        ("x.to('cpu', torch.float64)", False),
        ("x.sum(dtype=torch.float64)", True),
        ("torch.zeros(3, dtype=torch.float64)", False),
        ("torch.zeros(3, dtype=torch.float64, device=x.device)", True),
        ("exact(x)", False),
    ],
)
def test_the_reader_sees_it(code: str, found: bool) -> None:
    assert bool(careless(ast.parse(code))) is found


# --- a device without float64 ----------------------------------------------------------------------------

AWAY = torch.device("meta")  # meta tensors have shapes and no numbers: a device that is not


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Tensor]:
    """A maker of images on a device on which `exact` is not possible; what is not where it belongs raises."""

    def on_the_processor(x: Tensor) -> Tensor:
        return torch.zeros(x.shape, dtype=torch.float64) if x.device == AWAY else x.double()

    for module in [module for name, module in sys.modules.items() if name.startswith("photostyle.")]:
        if getattr(module, "exact", None) is exact:
            monkeypatch.setattr(module, "exact", on_the_processor)
    return lambda *size: torch.zeros(size, device=AWAY)


def test_the_matting_laplacian_goes_back_to_the_device(elsewhere: Callable[..., Tensor]) -> None:
    L = matting_laplacian(elsewhere(3, 20, 30), windows=elsewhere(18, 28))
    assert {w.device for w in L.weights.values()} == {AWAY}
    assert (L @ elsewhere(3, 20, 30)).device == AWAY


def test_drift_goes_back_to_the_device(elsewhere: Callable[..., Tensor]) -> None:
    image = elsewhere(3, 64, 80)
    assert drift(image, elsewhere(2, 64, 80), 1e-5).terms[0].value({"image": image}).device == AWAY


def test_masks_that_follow_a_photograph_go_back_to_the_device(elsewhere: Callable[..., Tensor]) -> None:
    assert feather(elsewhere(2, 20, 30), elsewhere(3, 20, 30), elsewhere(3, 60, 90), 4, 1e-3).device == AWAY
