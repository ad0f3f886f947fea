"""Numbers of 64 bits: Apple's MPS has none, so no tensor becomes one on a device that may be that."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

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
