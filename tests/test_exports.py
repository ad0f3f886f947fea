"""The public names: complete, in order, agreeing in all three places, and explained."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import photostyle

PACKAGE = Path(photostyle.__file__).parent
STUB = ast.parse((PACKAGE / "__init__.pyi").read_text(encoding="utf-8"))
FILES = sorted(PACKAGE.rglob("*.py"))


HOME = {alias.name: str(node.module) for node in STUB.body if isinstance(node, ast.ImportFrom) for alias in node.names}


def order(name: str) -> tuple[int, str]:
    """Constants, then classes, then the rest, each by name."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


def test_every_name_of_the_stub_is_public() -> None:
    (names,) = (ast.literal_eval(node.value) for node in STUB.body if isinstance(node, ast.Assign))
    assert names == sorted(photostyle.__all__, key=order)
    assert set(photostyle.__all__) == set(HOME) <= set(dir(photostyle))


@pytest.mark.parametrize("name", photostyle.__all__)
def test_every_name_is_there(name: str) -> None:
    thing = getattr(photostyle, name)
    home = HOME.get(name)
    if home and (inspect.isclass(thing) or inspect.isfunction(thing)):
        assert thing.__module__ == f"photostyle.{home}"
        assert inspect.getdoc(thing)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"photostyle.*paint"):
        _ = photostyle.paint


def test_every_error_is_public() -> None:
    from photostyle import errors

    made = {name for name, thing in vars(errors).items() if inspect.isclass(thing) and name.endswith("Error")}
    assert made <= set(photostyle.__all__)
    assert all(issubclass(getattr(errors, name), errors.PhotostyleError) for name in made)
    assert all(name in str(errors.__doc__) for name in made)


def test_importing_the_package_does_not_import_torch() -> None:
    code = "import sys, photostyle; print('torch' in sys.modules, photostyle.__version__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PACKAGE.parent)
    assert done.stdout.split() == ["False", photostyle.__version__]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_imports_the_compiler_of_pytorch(path: Path) -> None:
    """An optimiser of `torch.optim` does, and it takes seconds: longer than a transfer."""
    text = path.read_text(encoding="utf-8")
    assert not [name for name in ("torch.optim", "torch.compile", "torch._dynamo") if name in text]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_public_thing_is_explained(path: Path) -> None:
    """Every module, and every class and function whose name has no underscore."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    named = [node for node in tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))]
    unexplained = [node.name for node in named if not node.name.startswith("_") and not ast.get_docstring(node)]
    if path.name not in ("_version.py", "__main__.py") and not ast.get_docstring(tree):
        unexplained.append("the module")
    assert not unexplained, f"without docstring: {', '.join(unexplained)}"
