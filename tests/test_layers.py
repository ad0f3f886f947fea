"""Imports go downward only: what is below knows nothing of what is above."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "photostyle"

# From the ground up: a room imports from earlier rows and from itself, never from a neighbour in its row.
LAYERS = (
    {"_version", "errors", "wording"},
    {"color", "files", "solvers"},
    {"image", "tensors"},
    {"photofile"},
    {"matting"},
    {"maps"},
    {"people"},
    {"terms"},
    {"network"},
    {"descent"},
    {"synthesis"},
    {"regions"},
    {"measures", "tables"},
    {"looks"},
    {"recipes"},
    {"segment"},
    {"_transfer"},
    {"_doodle"},
    {"__init__"},
    {"jobs"},
    {"bench"},
    {"batch", "studio", "video"},
    {"cli"},
    {"__main__"},
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}

FILES = sorted(PACKAGE.rglob("*.py"))


def unit(path: Path) -> str:
    """The module or sub-package of photostyle that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    """The modules and sub-packages of photostyle that a file imports anywhere, `__init__` for the package itself."""
    package = ("photostyle", *path.relative_to(PACKAGE).parent.parts)
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            base = ".".join(filter(None, (base, node.module)))
            names = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] == "photostyle":
                inside = len(parts) > 1 and ((PACKAGE / parts[1]).is_dir() or (PACKAGE / f"{parts[1]}.py").is_file())
                found.add(parts[1] if inside else "__init__")
    return found


def test_every_module_has_its_layer() -> None:
    assert {unit(path) for path in FILES} <= set(LEVEL), "give the new module its row in LAYERS"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_downward(path: Path) -> None:
    here = unit(path)
    for there in imports(path) - {here}:
        assert LEVEL[there] < LEVEL[here], f"{here} imports {there}"


@pytest.mark.parametrize(
    ("module", "allowed"),
    [
        ("errors", set()),
        ("wording", set()),
        ("color/*", set()),
        ("solvers/*", set()),
        ("matting/laplacian", {"errors", "image"}),
        ("matting/alpha", {"errors", "image", "solvers"}),
        ("matting/metric", {"solvers"}),
        ("maps/lattice", {"color"}),
        ("maps/*", {"color", "matting", "solvers"}),
        ("terms/energy", set()),
        ("terms/mmd", set()),
        ("terms/*", {"color", "image", "maps", "matting", "solvers"}),
        ("descent/descend", {"errors", "terms"}),
        ("descent/checkpoint", {"errors", "files", "tensors"}),
        ("synthesis/field", set()),
        ("synthesis/*", {"descent", "errors", "image"}),
        ("measures/faults", {"color", "image", "matting"}),
        ("looks/local", {"_version", "errors", "files", "image", "matting"}),
    ],
)
def test_what_the_mathematics_knows(module: str, allowed: set[str]) -> None:
    """Energies know no network, descent knows no style, matting knows neither."""
    paths = list(PACKAGE.glob(f"{module}.py"))
    assert paths
    for path in paths:
        assert imports(path) - {unit(path)} <= allowed, path


def test_the_reader_of_imports_sees_them_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "PACKAGE", tmp_path)
    (tmp_path / "cli").mkdir()
    for name in ("vgg.py", "terms.py", "image.py", "color.py"):
        (tmp_path / name).touch()
    file = tmp_path / "cli" / "a.py"
    file.write_text(
        "import photostyle.vgg\nfrom photostyle import transfer\nfrom ..terms import style\n"
        "import torch\ndef f():\n    from photostyle import image\n    from .. import color\n"
    )
    assert imports(file) == {"vgg", "__init__", "terms", "image", "color"}
