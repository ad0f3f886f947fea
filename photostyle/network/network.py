"""Which network looks at photographs, with which weights, and where it computes."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

import torch

from photostyle.errors import SettingsError
from photostyle.network.backbones import DEFAULT_BACKBONE
from photostyle.network.vgg import VGG, Pooling
from photostyle.network.vggs import check_vgg
from photostyle.network.weights import load_weights


@dataclass(frozen=True)
class Network:
    """A `backbone` by name, with its weights from the cache or from an original file (`weights_path`).

    `device` is auto, cpu, cuda or mps.
    """

    backbone: str = DEFAULT_BACKBONE
    weights_path: str | os.PathLike[str] | None = None
    pooling: Pooling = "average"
    device: str = "auto"

    def check(self) -> torch.device:
        """Where it computes. Raises SettingsError for a backbone, a pooling or a device that is not there."""
        check_vgg(self.backbone)
        if self.pooling not in get_args(Pooling):
            raise SettingsError(f"pooling must be one of {', '.join(get_args(Pooling))}, not {self.pooling!r}.")
        return find_device(self.device)

    def load(self) -> VGG:
        """The network, ready to look. Raises SettingsError or WeightsError."""
        place = self.check()
        return VGG(load_weights(self.backbone, self.weights_path), self.pooling, place)

    @property
    def facts(self) -> dict[str, str]:
        """What decides how it sees."""
        return {"backbone": self.backbone, "pooling": self.pooling}

    @property
    def files(self) -> list[Path]:
        """The file of weights that the user gave, if there is one."""
        return [Path(self.weights_path)] if self.weights_path else []

    @property
    def is_default(self) -> bool:
        """Whether it sees what the default network sees."""
        return self.backbone == DEFAULT_BACKBONE and not self.weights_path

    @property
    def options(self) -> dict[str, Any]:
        """It as keyword arguments of `transfer_steps`."""
        return asdict(self)


def find_device(name: str) -> torch.device:
    """auto (CUDA, then MPS, then CPU), cpu, cuda or mps; raises SettingsError for one that is not here."""
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device(next(d for d in ("cuda", "mps", "cpu") if available[d]))
    if name not in available:
        raise SettingsError(f"There is no device {name!r}; the devices are auto, {', '.join(available)}.")
    if not available[name]:
        raise SettingsError(f"The device {name} is not available here: use the device auto or cpu.")
    return torch.device(name)
