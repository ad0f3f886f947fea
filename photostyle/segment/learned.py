"""Regions of two photographs from a network that was trained to name what it sees, such as sky, water or road.

The network is any semantic segmenter that the `transformers` library (the extra `photostyle[learned]`) can load,
best one trained on the 150 classes of ADE20K (Zhou et al. 2017). Style transfer needs fewer: as Luan et al. 2017
(section 2.2) do, classes that take the same light are merged, by the table `GROUPS`. With p(c | x) the network's
probability of class c at pixel x, the label of a pixel is

    argmax over g in K of  Σ p(c | x), c in group g

K is every group for the content, and for the style only what the content has, so that the style has no label
without a partner. A group of the content without a partner in the style is merged into its neighbour.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from photostyle.errors import RegionsError
from photostyle.image import fit_size, resize
from photostyle.regions.pairing import Labels, check_names, merge_orphans, present
from photostyle.regions.regions import Regions
from photostyle.segment.cells import SIZE
from photostyle.segment.hub import Kind, Model, load_model

DEFAULT = "openmmlab/upernet-convnext-tiny"
"""UPerNet (Xiao et al. 2018) over ConvNeXt-T (Liu et al. 2022), ADE20K; MIT licence, 241 MB."""

GROUPS = {
    "sky": "sky",
    "water": "water, sea, river, lake, waterfall, swimming pool, fountain",
    "vegetation": "tree, grass, plant, field, flower, palm",
    "ground": "earth, sand, land, dirt track",
    "mountain": "mountain, hill, rock",
    "road": "road, sidewalk, path, runway",
    "building": "building, house, skyscraper, tower, hovel, bridge, pier, grandstand, stage, booth, tent, awning, "
    "canopy, column, base, stairs, stairway, step, escalator, railing, bannister, fence, pole, streetlight, "
    "traffic light, signboard, trade name, flag, sculpture, tank",
    "wall": "wall, ceiling, door, fireplace, painting, poster, bulletin board, mirror, clock, sconce, chandelier, "
    "fan, hood, radiator",
    "floor": "floor, rug",
    "window": "windowpane, blind, curtain, screen door",
    "furniture": "bed, cabinet, table, chair, sofa, shelf, armchair, seat, desk, wardrobe, lamp, bathtub, cushion, "
    "box, chest of drawers, counter, sink, refrigerator, case, pool table, pillow, bookcase, coffee table, toilet, "
    "book, bench, countertop, stove, kitchen island, computer, swivel chair, bar, arcade machine, towel, light, "
    "television receiver, ottoman, bottle, buffet, conveyer belt, washer, plaything, stool, barrel, basket, bag, "
    "cradle, oven, ball, food, microwave, pot, dishwasher, screen, blanket, vase, tray, ashcan, crt screen, plate, "
    "monitor, shower, glass",
    "person": "person, apparel",
    "animal": "animal",
    "vehicle": "car, bus, truck, van, minibike, bicycle, boat, ship, airplane",
}
"""The 150 classes of ADE20K by group. A class that is not here is a group of its own."""

_KIND = Kind(
    of="AutoModelForSemanticSegmentation",
    what="Learned regions",
    called="a segmentation model",
    model=DEFAULT,
    instead="have regions found by the method auto",
)
_GROUP = {member: group for group, members in GROUPS.items() for member in members.split(", ")}
_SHORT, _LONG = 512, 2048  # pixels, of the image that the network sees: the short side, but no more on the long one
_STRIDE = 32  # its sides are multiples of this
_SMALLEST = 0.01  # of its photograph: a smaller group is noise


def segment_learned(
    content: Tensor,
    style: Tensor,
    *,
    model: str = DEFAULT,
    match: Mapping[str, str] | None = None,
    drop: Collection[str] = (),
    device: str | torch.device = "cpu",
) -> Regions:
    """The regions of two photographs (3×H×W and 3×H′×W′, sRGB in [0, 1]), named by what they show.

    `model` is a name on the hub (huggingface.co), fetched once and then kept in its cache, or a folder with
    config.json, preprocessor_config.json and model.safetensors. It must be one that `transformers` loads as
    `AutoModelForSemanticSegmentation` and that takes images of any size (UPerNet, SegFormer, MobileViT). Nothing
    that comes with a model is run.

    Masks are hard, cover every pixel of both sides, and are 448 pixels large at most. A group under 1 % of
    the content, or with under 1 % of the style for a partner, is merged into the group with which it shares the
    longest border; what the style shows beyond that joins the likeliest of the other groups. `notes` says so.
    `match` gives a group of the content the look of another of the style; groups to `drop` are not paired.

    Raises RegionsError if `transformers` is not installed, if the model is out of reach, if it is no
    segmentation model, or for a group to match or to drop that it does not see.
    """
    network = _load(model, device)
    sides = (network(content), network(style))
    sizes = [fit_size(image.shape[1], image.shape[2], SIZE) for image in (content, style)]
    return _paired(network.names, sides, sizes, match or {}, drop)


@dataclass(frozen=True, eq=False)
class _Network:
    """A segmenter of N classes in G groups."""

    model: Model
    names: tuple[str, ...]  # of the groups
    members: Tensor  # G×N, 1 where a class belongs to a group

    @torch.no_grad()
    def __call__(self, image: Tensor) -> Tensor:
        """Image 3×H×W → probabilities G×h×w of the groups, on the processor."""
        seen = resize(image, _size(*image.shape[1:]))
        logits = self.model.network(self.model.standard(seen)).logits[0]  # N×h×w
        return torch.einsum("gn,nhw->ghw", self.members, logits.softmax(0)).cpu()


def _size(height: int, width: int) -> tuple[int, int]:
    scale = min(_SHORT / min(height, width), _LONG / max(height, width))
    return max(1, round(height * scale / _STRIDE)) * _STRIDE, max(1, round(width * scale / _STRIDE)) * _STRIDE


# --- loading -------------------------------------------------------------------------------------------


def _load(model: str, device: str | torch.device) -> _Network:
    loaded = load_model(_KIND, model, device)
    names, members = _groups(loaded.network.config.id2label)
    return _Network(loaded, names, members.to(device))


# --- groups --------------------------------------------------------------------------------------------


def _groups(classes: Mapping[int, str]) -> tuple[tuple[str, ...], Tensor]:
    """Names of a network's N classes → the names of their groups, and G×N with 1 where a class is in a group."""
    # ADE20K gives synonyms too: "building, edifice", in some copies "building;edifice"
    first = [re.split("[,;]", classes[n])[0].strip().lower() for n in range(len(classes))]
    groups = [_GROUP.get(name, name) for name in first]
    names = tuple(dict.fromkeys(groups))
    return names, torch.tensor([[float(group == name) for group in groups] for name in names])


def _paired(
    names: Sequence[str],
    sides: Sequence[Tensor],
    sizes: Sequence[Sequence[int]],
    match: Mapping[str, str],
    drop: Collection[str],
) -> Regions:
    """Probabilities of G groups in content and style (G×h×w each) → regions at these sizes, H×W each."""
    content, shown = (_labels(side, size, names) for side, size in zip(sides, sizes, strict=True))
    check_names(match, drop, present(content, names), present(shown, names))
    content = np.array([names.index(match.get(name, name)) for name in names])[content]
    content_has, style_shows = present(content, names), present(shown, names)
    large = [name for name in _large(content_has) if name not in drop]
    if not large:
        raise RegionsError(f"Nothing is left of what the content shows: {', '.join(content_has)}. Drop less of it.")
    common = _large(present(_labels(sides[1], sizes[1], names, large), names))
    style = _labels(sides[1], sizes[1], names, common)
    into = merge_orphans(content, names, common)
    for name, other in into.items():
        content[content == names.index(name)] = names.index(other)
    notes = [
        f"Region {name} ({share:.1%} of the content) is "
        f"{'dropped' if name in drop else 'not in the style' if name in large else 'small'} "
        f"and is merged into {into[name]}."
        for name, share in content_has.items()
        if name in into
    ] + [
        f"Region {name} ({share:.1%} of the style) has no partner in the content and joins the likeliest that has."
        for name, share in style_shows.items()
        if name not in common and share >= _SMALLEST and name not in drop
    ]
    masks = [
        torch.stack([torch.from_numpy(labels == names.index(name)).float() for name in common])
        for labels in (content, style)
    ]
    return Regions(tuple(common), masks[0], masks[1], tuple(notes))


def _large(shares: Mapping[str, float]) -> list[str]:
    """The groups that are no noise; at least one."""
    least = min(_SMALLEST, max(shares.values()))
    return [name for name, share in shares.items() if share >= least]


def _labels(probabilities: Tensor, size: Sequence[int], names: Sequence[str], among: Iterable[str] = ()) -> Labels:
    """G×h×w → H×W indices of the likeliest group, of those `among` if given."""
    labels, best = torch.zeros(*size, dtype=torch.int64), torch.full(tuple(size), -1.0)
    for group in map(names.index, among or names):  # one at a time: all of them at full size would fill the memory
        p = F.interpolate(probabilities[None, None, group], tuple(size), mode="bilinear", align_corners=False)[0, 0]
        labels[p > best] = group
        best = torch.maximum(best, p)
    return labels.numpy()
