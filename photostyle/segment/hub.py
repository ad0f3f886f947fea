"""Models of the `transformers` library (the extra `photostyle[learned]`), by a name on the hub or from a folder.

Nothing that comes with a model is run: its weights are safetensors, and its classes are the library's own.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from photostyle.errors import RegionsError
from photostyle.files import reason

_FILES = ("config.json", "model.safetensors", "preprocessor_config.json")


@dataclass(frozen=True)
class Kind:
    """What a model is to be: its class in `transformers`, and the words of the errors when there is none.

    `what` it is for, such as "Learned regions"; what it is `called`; the name of a model that serves; what to do
    `instead`. Weights in `spare` may lack, since the model has them twice.
    """

    of: str
    what: str
    called: str
    model: str
    instead: str
    spare: frozenset[str] = frozenset()


@dataclass(frozen=True, eq=False)
class Model:
    """A network of `transformers`, and the mean and deviation, 3×1×1, of the images it was trained on."""

    network: Any
    mean: Tensor
    std: Tensor

    def standard(self, image: Tensor) -> Tensor:
        """An image (3×H×W, sRGB in [0, 1]) as the network takes it, on its device: 1×3×H×W."""
        return ((image.to(self.mean) - self.mean) / self.std)[None]


def load_model(kind: Kind, model: str, device: str | torch.device) -> Model:
    """The model of a name on the hub (huggingface.co), fetched once and then kept in its cache, or of a folder.

    A folder holds config.json, preprocessor_config.json and model.safetensors.

    Raises RegionsError if `transformers` is not installed, if the model is out of reach, or if it is not of that kind.
    """
    try:
        transformers, hub = import_module("transformers"), import_module("huggingface_hub")
    except ImportError:
        raise RegionsError(
            f"{kind.what} need the transformers library: pip install 'photostyle[learned]', or {kind.instead}."
        ) from None
    with _silent(transformers.utils.logging):
        folder = Path(model) if os.path.isdir(model) else _fetched(kind, model, hub)
        lacking = [name for name in _FILES if not (folder / name).is_file()]
        if lacking:
            raise RegionsError(
                f"The model {model} lacks {', '.join(lacking)}: copy that from where it was published, "
                f"take another, such as {kind.model}, or {kind.instead}."
            )
        try:
            network, report = getattr(transformers, kind.of).from_pretrained(
                folder,
                use_safetensors=True,
                trust_remote_code=False,
                local_files_only=True,
                dtype=torch.float32,
                output_loading_info=True,
            )
            _check_whole(report["missing_keys"], kind.spare)
            prepare = json.loads((folder / "preprocessor_config.json").read_text(encoding="utf-8"))
            mean, std = (torch.tensor(prepare[key]).view(3, 1, 1).to(device) for key in ("image_mean", "image_std"))
        except Exception as error:  # a file can be wrong in any way, and transformers raises nearly anything
            raise RegionsError(
                f"The model {model} is not {kind.called} that can be used ({_words(error)}): "
                f"take another, such as {kind.model}, or {kind.instead}."
            ) from error
    return Model(network.to(device).eval(), mean, std)


def _check_whole(missing: Collection[str], spare: Collection[str]) -> None:
    """Raises ValueError if there are weights missing, which transformers would fill with noise."""
    if lacking := set(missing) - set(spare):
        raise ValueError(f"it lacks the weights {min(lacking)}")


def _fetched(kind: Kind, model: str, hub: Any) -> Path:
    """The folder of the hub's cache that holds a model, fetched if need be."""
    try:
        return Path(hub.snapshot_download(model, allow_patterns=list(_FILES)))
    except Exception as error:  # no network, no such name, no space: each library below has errors of its own
        raise RegionsError(
            f"The model {model} is neither a folder here nor within reach on the hub ({_words(error)}): "
            f"place its files {', '.join(_FILES)}, from its page on huggingface.co, in one folder and "
            f"give that folder as the model, or {kind.instead}."
        ) from error


def _words(error: Exception) -> str:
    """The first sentence of an error's own words."""
    return re.split(r"\n|\. ", reason(error))[0].rstrip(".:")


@contextmanager
def _silent(log: Any) -> Iterator[None]:
    """Keep transformers and the hub from printing."""
    level, bars = log.get_verbosity(), log.is_progress_bar_enabled()
    log.set_verbosity(log.CRITICAL)
    log.disable_progress_bar()
    try:
        yield
    finally:
        log.set_verbosity(level)
        if bars:
            log.enable_progress_bar()
