"""The page, its interface, and the command that serves them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest
from commands import run_command

pytest.importorskip("fastapi", reason="the extra studio is not installed")
from starlette.testclient import TestClient

from photostyle import RECIPES

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.usefixtures("small_network")


def test_the_page_asks_nobody_else(client: TestClient) -> None:
    policy = client.get("/").headers["content-security-policy"]
    assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy
    page = ROOT / "photostyle" / "studio" / "page"
    for path in sorted(path for path in page.rglob("*") if path.suffix in (".html", ".css", ".js", ".svg")):
        assert client.get(f"/{path.relative_to(page)}").status_code == 200
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|@import|//cdn", text), path.name


def test_every_recipe_has_its_controls(client: TestClient) -> None:
    recipes = {recipe["name"]: recipe for recipe in client.get("/api/about").json()["recipes"]}
    assert list(recipes) == list(RECIPES)
    size = recipes["photo"]["settings"][0]
    assert (size["kind"], size["min"], size["values"]) == ("whole", 32, {"draft": 96, "standard": 256, "best": 384})
    term = next(s for s in recipes["photo"]["settings"] if s["name"] == "style_term")
    assert term["kind"] == "choice" and "gram" in term["choices"]
    assert recipes["photo"]["balanced"] and not recipes["reinhard"]["balanced"]


def test_the_interface_is_described_and_the_docs_know_it(client: TestClient) -> None:
    described = client.get("/api/openapi.json").json()
    paths = described["paths"]
    docs = (ROOT / "docs" / "studio.md").read_text(encoding="utf-8")
    for path, methods in paths.items():
        for method, facts in methods.items():
            assert facts["description"], (path, method)
            if path.startswith("/api/sessions/{session}/"):
                assert path.removeprefix("/api/sessions/{session}") in docs, path
    assert "requestBody" in paths["/api/sessions/{session}/photographs/{side}"]["put"]
    json.dumps(described)


def test_the_command_tells_its_address_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """The real process: its page answers, and after a plain `kill` its temporary folder is gone."""
    words = [sys.executable, "-m", "photostyle", "studio", "--port", "0", "--no-browser"]
    environment = os.environ | {"TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout
        said = process.stdout.readline()
        address = re.search(r"http://127\.0\.0\.1:\d+/", said)
        assert address, said
        with urlopen(f"{address[0]}api/about", timeout=30) as answer:
            assert json.load(answer)["version"]
        assert len(list(tmp_path.glob("photostyle-studio-*"))) == 1
        process.terminate()
        assert process.wait(30) == 143  # as every other command that was ended by SIGTERM
    assert list(tmp_path.iterdir()) == []


def test_a_segmenter_that_is_not_there_is_told_before_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("transformers")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    result = run_command("studio", "--port", "0", "--no-browser", "--segmenter", "nobody/nothing")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Error: The model nobody/nothing is neither a folder here nor within reach" in result.stderr
