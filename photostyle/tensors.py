"""Files of tensors, in the format safetensors."""

from __future__ import annotations

import torch
from safetensors import safe_open
from torch import Tensor

from photostyle.files import StrPath
from photostyle.wording import legible


def read_tensors(path: StrPath) -> tuple[dict[str, str], dict[str, Tensor]]:
    """The metadata and the tensors of a file, by name; mapped into memory, so that processes share them.

    Only of a name that is not UTF-8, which the mapping reader refuses, the tensors are copies. Raises OSError or
    SafetensorError if the file cannot be read.
    """
    framework = "pt" if legible(str(path)) == str(path) else "np"
    with safe_open(path, framework=framework) as file:
        tensors = {name: torch.as_tensor(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118 (not a dict)
        return file.metadata() or {}, tensors
