"""What many tests share: seeded pictures, a mock network of two convolutions, and VGG weights of a few channels."""

from __future__ import annotations

import math
import os
import signal
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from commands import run_command
from torch import Tensor
from typer.testing import Result

from photostyle import load_image
from photostyle.network import weights as weights_module
from photostyle.network.backbone import Backbone
from photostyle.network.backbones import BACKBONES, DEFAULTS
from photostyle.network.download import Progress
from photostyle.network.lites import STAGES, LiteBackbone
from photostyle.network.weights import Weights, cached_path
from photostyle.terms.energy import Extract, Features

Picture = Callable[..., Tensor]
FakeWeights = Callable[..., Weights]

EDGES = {"fuse.weight", *(f"side{block}.weight" for block in range(1, 6))}


def pytest_configure(config: pytest.Config) -> None:
    """The programs that tests start are as they would be in a terminal, whatever started the suite.

    A shell lets what it starts in the background ignore Ctrl-C, and that is inherited. Where Python is told to write no
    bytecode, each of them would compile all of PyTorch anew, for seconds: they share pytest's own cache. The device
    "auto" is the processor: on a graphics card sums come in no certain order, and bits differ from run to run.
    """
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    if signal.getsignal(signal.SIGINT) != signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    cache = getattr(config, "cache", None)  # none with -p no:cacheprovider
    if sys.dont_write_bytecode and cache:
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = str(cache.mkdir("bytecode"))


@pytest.fixture
def run() -> Callable[..., Result]:
    """`run("transfer", path, …)`: the command line in this process."""
    return run_command


@pytest.fixture(autouse=True)
def one_thread(request: pytest.FixtureRequest) -> Iterator[None]:
    """One thread where tensors are tiny: threads that wait for each other would take most of the time."""
    threads = torch.get_num_threads()
    if request.node.get_closest_marker("weights") is None:
        torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def picture() -> Picture:
    """`picture(H, W, seed=0, dtype=torch.float64)`: a 3×H×W image of smooth random colour with fine texture."""

    def make(height: int, width: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        coarse = torch.rand(1, 3, 3, 4, generator=generator, dtype=torch.float64)
        smooth = F.interpolate(coarse, (height, width), mode="bilinear", align_corners=False)[0]
        texture = torch.rand(3, height, width, generator=generator, dtype=torch.float64)
        return (0.1 + 0.6 * smooth + 0.2 * texture).to(dtype)

    return make


@pytest.fixture
def portrait() -> Tensor:
    """A photograph of an astronaut from head to chest, 3×256×256 in [0, 1]; `portraits/LICENSES.md` says whose."""
    return load_image(Path(__file__).parent / "portraits" / "astronaut.jpg")


@pytest.fixture
def network() -> Extract:
    """A mock network in float64: the image, then `one` (4 channels) and, at half the size, `two` (5 channels)."""
    generator = torch.Generator().manual_seed(42)
    first = torch.randn(4, 3, 3, 3, generator=generator, dtype=torch.float64) / 3
    second = torch.randn(5, 4, 3, 3, generator=generator, dtype=torch.float64) / 3

    def extract(image: Tensor, layers: Collection[str]) -> Features:
        one = torch.tanh(F.conv2d(image[None], first, padding=1))
        two = F.softplus(F.conv2d(F.avg_pool2d(one, 2, ceil_mode=True), second, padding=1))
        features = {"image": image, "one": one[0], "two": two[0]}
        return {layer: features[layer] for layer in layers}

    return extract


@pytest.fixture(scope="session")
def fake_weights() -> FakeWeights:
    """`fake_weights("vgg19")`: a backbone with seeded random tensors, and much smaller than the real one.

    A VGG has few channels. An EfficientNet-Lite has its own, for others read them, but does not expand them within its
    blocks.
    """

    def make(name: str = "vgg16-hed", seed: int = 0) -> Weights:
        backbone = BACKBONES[name]
        if isinstance(backbone, LiteBackbone):
            backbone = replace(backbone, stages=tuple(stage._replace(expansion=1) for stage in STAGES))
        else:
            backbone = replace(backbone, channels=(4, 5, 6, 7, 8))
        generator = torch.Generator().manual_seed(seed)
        tensors = {}
        for key, shape in backbone.shapes.items():
            fan_in = math.prod(shape[1:]) if len(shape) == 4 else 100
            if key in EDGES:
                fan_in *= 9  # faint, so that regions are found between edges
            tensors[key] = torch.randn(shape, generator=generator) * (2 / fan_in) ** 0.5
        return Weights(backbone, tensors)

    return make


@pytest.fixture
def little_network(monkeypatch: pytest.MonkeyPatch, fake_weights: FakeWeights) -> None:
    """The front doors load a network of few channels, whatever its name."""
    monkeypatch.setattr("photostyle.network.network.load_weights", lambda name, path=None: fake_weights(name))


@contextmanager
def _placed(folder: Path, networks: Iterable[Weights]) -> Iterator[Path]:
    """A cache in a folder, which holds these networks as those of their names."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PHOTOSTYLE_CACHE", str(folder))
        for network in networks:
            patch.setitem(BACKBONES, network.backbone.name, network.backbone)
            weights_module._write(network.backbone, network.tensors, cached_path(network.backbone.name))
        yield folder


@pytest.fixture
def small_network(tmp_path_factory: pytest.TempPathFactory, fake_weights: FakeWeights) -> Iterator[Path]:
    """A cache of the test's own that holds small stand-ins of the default networks: its folder."""
    with _placed(tmp_path_factory.mktemp("cache"), map(fake_weights, DEFAULTS)) as folder:
        yield folder


@pytest.fixture
def fetched(small_network: Path, monkeypatch: pytest.MonkeyPatch, fake_weights: FakeWeights) -> list[str]:
    """The names of the networks that are fetched, in their order: the cache is empty, and has what is fetched.

    In silence none may be.
    """
    names: list[str] = []

    def fill(backbone: Backbone, progress: Progress | None = None, online: bool = True) -> Path:
        assert progress, f"{backbone.name} is fetched in silence"
        names.append(backbone.name)
        weights_module._write(backbone, fake_weights(backbone.name).tensors, cached_path(backbone.name))
        return cached_path(backbone.name)

    for path in small_network.glob("*.safetensors"):
        path.unlink()
    monkeypatch.setattr(weights_module, "_fill_cache", fill)
    return names


@pytest.fixture(scope="module")
def shared_network(tmp_path_factory: pytest.TempPathFactory, fake_weights: FakeWeights) -> Iterator[Path]:
    """The same for all tests of a module."""
    with _placed(tmp_path_factory.mktemp("cache"), map(fake_weights, DEFAULTS)) as folder:
        yield folder
