"""All pretrained networks there are, by name, and which of them are used unless another is asked for."""

from __future__ import annotations

from photostyle.network.backbone import Backbone
from photostyle.network.lites import LITE2
from photostyle.network.vggs import VGGS

DEFAULT_BACKBONE = "vgg16-hed"
"""What a transfer looks through."""

SCENE_BACKBONE = LITE2.name
"""What sees what is shown, where regions are found."""

FINDERS = (SCENE_BACKBONE, DEFAULT_BACKBONE)
"""What regions are found by: what sees what is shown, and what sees edges."""

DEFAULTS = tuple(dict.fromkeys((DEFAULT_BACKBONE, *FINDERS)))
"""What is fetched when no network is named."""

BACKBONES: dict[str, Backbone] = {**VGGS, LITE2.name: LITE2}
