"""The documents say what is so: links, commands, examples, versions, and what contributors are told to do."""

from __future__ import annotations

import ast
import doctest
import importlib
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from test_layers import LAYERS, PACKAGE
from typer.main import get_command

import photostyle
from photostyle import RECIPES, load_image, save_image
from photostyle.cli import app
from photostyle.cli.settings import option
from photostyle.recipes.settings import settings_of

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*.md")])
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if ">>> " in path.read_text(encoding="utf-8"))
BLOCK = re.compile(r"^```([\w{}]+)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def anchors(page: Path) -> set[str]:
    """The headings of a page as links call them."""
    prose = BLOCK.sub("", text(page))
    heads = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", BLOCK.sub("", text(page))):
        if re.match(r"\w+:", link):
            continue
        file, _, place = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), link
        if place and target.suffix == ".md":
            assert place in anchors(target), link
        elif place:
            assert int(place.removeprefix("L")) <= len(text(target).splitlines()), link


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_files_that_are_named_exist(page: Path) -> None:
    made = re.findall(r"^`(\S+)`:$", text(page), re.MULTILINE) if page.name == "extending.md" else []
    for file in re.findall(r"`((?:[\w-]+/)+[\w-]*\.\w+)`", BLOCK.sub("", text(page))):
        if file.endswith((".py", ".md", ".txt", ".cff")):
            places = (page.parent / file, ROOT / file, PACKAGE / file, ROOT / "examples" / file)
            assert file in made or any(place.exists() for place in places), file


def test_the_site_has_every_page_that_links_lead_to() -> None:
    """Those of `docs/` by its tables of contents, and files of the package (`docs/_site/sources.py`)."""
    docs = ROOT / "docs"
    tables = "\n".join(blocks(docs / "index.md", "{toctree}"))
    listed = {docs / f"{line}.md" for line in tables.splitlines() if re.match(r"[\w/]+$", line)}
    assert listed | {docs / "index.md"} == {page for page in PAGES if docs in page.parents}
    for page in listed:
        for link in re.findall(r"\]\((?!\w+:)([^)\s#]+\.md)", BLOCK.sub("", text(page))):
            target = (page.parent / link).resolve()
            assert target in listed or PACKAGE in target.parents, f"{name(page)}: {link}"


def blocks(page: Path, *languages: str) -> Iterator[str]:
    """The fenced blocks of a page in these languages."""
    return (body for language, body in BLOCK.findall(text(page)) if language in languages)


def commands() -> dict[str, set[str]]:
    """Every command, as "photostyle look export", and its options."""
    found: dict[str, set[str]] = {}

    def add(command: object, path: str) -> None:
        found[path] = {"--help", *(o for p in command.params for o in (*p.opts, *p.secondary_opts))}
        for name, child in getattr(command, "commands", {}).items():
            add(child, f"{path} {name}")

    add(get_command(app), "photostyle")
    return found


COMMANDS = commands()
SETTINGS = {option(s) for recipe in RECIPES.values() for s in settings_of(recipe.settings)}
SETTINGS |= {o for pair in SETTINGS for o in pair.split("/")}  # --refine and --no-refine


def shown_commands() -> Iterator[tuple[str, str]]:
    """Each command line of a page that begins with `photostyle`."""
    for page in PAGES:
        for body in blocks(page, "sh"):
            for line in body.replace("\\\n", " ").splitlines():
                if line.startswith("photostyle "):
                    yield name(page), line
        for line in re.findall(r"`(photostyle [^`\n]+)`", text(page)):
            yield name(page), line


def test_command_lines_are_found() -> None:
    assert {page for page, _ in shown_commands()} >= {"README.md", "docs/looks.md", "docs/batch.md"}


@pytest.mark.parametrize(("page", "line"), list(shown_commands()))
def test_commands_and_options_exist(page: str, line: str) -> None:
    words = shlex.split(line, comments=True)
    path = words[0]
    while len(words) > 1 and f"{path} {words[1]}" in COMMANDS:
        path = f"{path} {words.pop(1)}"
    assert path != "photostyle" or len(words) == 1 or words[1].startswith("-"), f"no command {words[1]}"
    options = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
    assert options <= COMMANDS[path] | SETTINGS


def test_options_that_are_named_exist() -> None:
    known = SETTINGS.union(*COMMANDS.values())
    for page in PAGES:
        if page.name not in ("CHANGELOG.md", "CONTRIBUTING.md", "extending.md"):
            named = {word for code in re.findall(r"`(--[^`\n]+)`", text(page)) for word in code.split()}
            options = {word.partition("=")[0] for word in named if word.startswith("--")}
            assert options <= known, name(page)


@pytest.mark.parametrize("page", [page for page in PAGES if any(blocks(page, "python"))], ids=name)
def test_names_that_are_imported_exist(page: Path) -> None:
    for body in blocks(page, "python"):
        for node in ast.walk(ast.parse(body)):
            if isinstance(node, ast.ImportFrom) and node.module == "photostyle":
                assert all(hasattr(photostyle, alias.name) for alias in node.names)


def test_the_example_of_the_readme_runs(picture, small_network, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for i, file in enumerate(("day.jpg", "night.jpg")):
        save_image(picture(48, 64, seed=i), file)
    (example,) = blocks(ROOT / "README.md", "python")
    exec(compile(example, "README.md", "exec"), {})
    assert load_image("evening.jpg").shape == (3, 48, 64)


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_examples_in_docstrings(path: Path) -> None:
    module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    failed, tried = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert tried and not failed


def test_every_public_name_is_in_the_reference() -> None:
    page = text(ROOT / "docs" / "reference.md")
    listed = re.findall(r"^\.\. auto\w+:: photostyle\.(\w+)$", page, re.MULTILINE)
    assert len(listed) == len(set(listed))
    data = set(re.findall(r"`([A-Z_]{2,}|Steps)`", page))  # which Sphinx cannot describe
    assert {*listed, *data} == set(photostyle.__all__) - {"__version__"}


def test_the_version_is_the_same_everywhere() -> None:
    (cited,) = re.findall(r"^version: (.+)$", text(ROOT / "CITATION.cff"), re.MULTILINE)
    released = re.findall(r"^## \[(\d.*?)\] - \d{4}-\d\d-\d\d$", text(ROOT / "CHANGELOG.md"), re.MULTILINE)
    assert cited == released[0] == photostyle.__version__


def test_the_readme_draws_every_folder_in_the_order_of_layers() -> None:
    drawn = re.findall(r"^[├└]── (\w+)/", text(ROOT / "README.md"), re.MULTILINE)
    folders = [room for layer in LAYERS for room in sorted(layer) if (PACKAGE / room).is_dir()]
    level = {room: i for i, layer in enumerate(LAYERS) for room in layer}
    assert sorted(drawn) == sorted(folders)
    assert [level[room] for room in drawn] == sorted(level[room] for room in folders)


def test_every_example_has_a_licence() -> None:
    licences = text(ROOT / "examples" / "LICENSES.md")
    for path in (ROOT / "examples").glob("*/*"):
        assert f"`{path.relative_to(ROOT / 'examples').as_posix()}`" in licences


def test_continuous_integration_calls_scripts_that_are_there() -> None:
    called = re.findall(r"run: (?:python )?(scripts/\w+)$", text(ROOT / ".github/workflows/ci.yml"), re.MULTILINE)
    assert {"scripts/test", "scripts/check", "scripts/site", "scripts/dist"} == set(called)
    assert all((ROOT / script).is_file() for script in called)


def apply(change: str, path: Path) -> None:
    """A block of lines that begin with a blank, + or -, carried out on a file in which the old ones are there once."""
    lines = [(line[0], line[1:]) for line in change.splitlines()]
    old = "\n".join(line for kind, line in lines if kind != "+")
    new = "\n".join(line for kind, line in lines if kind != "-")
    before = text(path)
    assert before.count(old) == 1, f"docs/extending.md does not fit {path.name} any more:\n{old}"
    path.write_text(before.replace(old, new), encoding="utf-8")


def test_what_contributors_are_told_works(small_network: Path, tmp_path: Path) -> None:
    """docs/extending.md carried out to the letter: a recipe, a term and a format, and the tests of them."""
    shutil.copytree(PACKAGE, tmp_path / "photostyle", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "tests").mkdir()
    path = tmp_path
    for line, language, body in re.findall(
        r"^`((?:photostyle|tests)/\S+)`:$|^```(python|diff)\n(.*?)^```",
        text(ROOT / "docs" / "extending.md"),
        re.M | re.S,
    ):
        if line:
            path = tmp_path / line
        elif language == "python":
            assert len(body.splitlines()) < 60
            path.write_text(body, encoding="utf-8")
        else:
            apply(body, path)
    for side in ("content", "style"):
        with Image.open(ROOT / "examples" / "palace-night" / f"{side}.jpg") as photograph:
            photograph.resize((80, 54)).save(tmp_path / f"{side}.jp2")
    options = ["transfer", "content.jp2", "style.jp2", "-o", "out.png", "--recipe", "histograms", "--levels", "20"]
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\nfilterwarnings = ['error']\n")
    code = "import pytest, sys; from photostyle.cli import main; sys.exit(pytest.main(['-q', 'tests']) or main())"
    done = subprocess.run([sys.executable, "-c", code, *options], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert load_image(tmp_path / "out.png").shape == (3, 54, 80)
