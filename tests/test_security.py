"""What the source may not do: run what it reads, ask a shell, or reach into the network unasked."""

from __future__ import annotations

import ast
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from torch import Tensor

from photostyle import load_image, transfer

PACKAGE = Path(__file__).parent.parent / "photostyle"
FILES = sorted(PACKAGE.rglob("*.py"))

# which of these a module may use, and no other may
NETWORK = {
    "requests": set(),
    "http": set(),
    "httpx": set(),
    "urllib.request": set(),
    "pooch": {"network/download.py"},  # weights that were asked for
    "huggingface_hub": {"segment/learned.py"},  # the model of --regions learned
    "transformers": {"segment/learned.py"},
    "socket": {"studio/serve.py"},  # the studio listens
    "webbrowser": {"cli/studio.py"},
    "fsspec": {"batch/storage.py"},  # batches whose photographs have an address
    "ray": {"batch/ray.py"},
}
RUNS_WHAT_IT_READS = {"marshal", "shelve", "dill", "cloudpickle", "joblib"}
SUBPROCESSES = {"network/download.py", "batch/local.py", "bench/worker.py"}


def faults(path: Path, name: str) -> Iterator[str]:
    """What a file does that it may not, one by one."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        modules: list[str] = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            modules = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for module in modules:
            for known, where in NETWORK.items():
                if (module == known or module.startswith(f"{known}.")) and name not in where:
                    yield f"imports {module}"
            if module.split(".")[0] in RUNS_WHAT_IT_READS or (
                module.startswith("pickle") and isinstance(node, ast.ImportFrom)
            ):
                yield f"imports {module}"
            if module.split(".")[0] == "subprocess" and name not in SUBPROCESSES:
                yield f"imports {module}"
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            called = f"{node.value.id}.{node.attr}"
            if node.value.id == "pickle" and node.attr != "UnpicklingError":  # an error may be caught
                yield called
            if called in ("os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"):
                yield called
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            options = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            if called in ("eval", "exec", "compile", "__import__"):
                yield called
            if options.get("shell", "False") != "False" or options.get("allow_pickle", "False") != "False":
                yield ast.unparse(node)
            if options.get("trust_remote_code", "False") != "False":
                yield ast.unparse(node)
            if called == "torch.load" and options.get("weights_only") != "True":
                yield ast.unparse(node)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_runs_what_it_reads_or_reaches_out(path: Path) -> None:
    assert list(faults(path, path.relative_to(PACKAGE).as_posix())) == []


@pytest.mark.parametrize(
    "code",
    [
        "import pickle\npickle.loads(data)",
        "from pickle import loads",
        "import torch\ntorch.load(path)",
        "torch.load(path, weights_only=False)",
        "np.load(path, allow_pickle=True)",
        "import subprocess",
        "subprocess.run(command, shell=True)",
        "import os\nos.system(command)",
        "eval(text)",
        "def f():\n    import requests.sessions",
        "from urllib import request",
        "import urllib.request as r",
        "AutoModel.from_pretrained(name, trust_remote_code=True)",
    ],
)
def test_the_reader_of_the_source_sees_it(tmp_path: Path, code: str) -> None:
    file = tmp_path / "a.py"
    file.write_text(code)
    assert list(faults(file, "a.py"))


def test_a_transfer_opens_no_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_network: Path, picture: Callable[..., Tensor]
) -> None:
    """Once the weights are here."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("something wants to talk to the network")

    for name in ("connect", "connect_ex", "sendto", "bind"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with pytest.raises(AssertionError, match="network"):
        socket.create_connection(("127.0.0.1", 9))
    result = transfer(picture(32, 40).float(), picture(32, 32, seed=1).float(), size=32, steps=3)
    assert result.shape == (3, 32, 40)


def test_a_photograph_at_an_address_is_no_photograph() -> None:
    with pytest.raises(Exception, match=r"There is no file http://localhost/x\.jpg"):
        load_image("http://localhost/x.jpg")
