"""What belongs together in two photographs, region by region: paired by name, and what has no partner.

A region of the content without a model joins its neighbour; a region of the style without a use is left out
(Luan et al. 2017, section 2.2, "orphan semantic labels").
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from photostyle.errors import RegionsError
from photostyle.regions.regions import Regions

Labels = NDArray[np.int64]
"""H×W indices into a list of names; −1, in the style alone, where there is no region."""

Masks = NDArray[np.float32]
"""K×H×W, one for each of a list of names, adding up to 1 where there is a region."""

STRAY = 0.001  # of its photograph: a smaller region is taken for a stray brush mark


def pair_labels(
    labels: Labels,
    names: Sequence[str],
    style_labels: Labels,
    style_names: Sequence[str],
    *,
    match: Mapping[str, str] | None = None,
    drop: Collection[str] = (),
    strict: bool = False,
    masks: tuple[Masks, Masks] | None = None,
) -> Regions:
    """Regions from labels of the content (H×W) and of the style (H′×W′), paired by name.

    `match` pairs names that differ, content name → style name (several may go to one, and are one region then);
    `drop` names regions that are to be taken for unpaired. What only one side has is reported in `notes`: a
    region of the content alone is merged into the paired region with which it shares the longest border (into
    the largest when it touches none), so that every pixel has a model; a region of the style alone is left out,
    so that it colours nothing. With `strict` either is an error. Regions are hard unless soft `masks` of both sides,
    one of each name, are given: then these are added up.

    Raises RegionsError for an unknown name, or when nothing can be paired.
    """
    check_names(match or {}, drop, present(labels, names), present(style_labels, style_names))
    here, there = masks or (None, None)
    painted = labels
    names = [(match or {}).get(name, name) for name in names]  # a content region has the name of its model
    labels = np.array([names.index(name) for name in names])[labels]
    content_has, style_has = present(labels, names), present(style_labels, style_names)
    common = [name for name in content_has if name in style_has and name not in drop]
    if not common:
        raise RegionsError(
            f"Nothing can be paired: the content has {', '.join(content_has)}, the style {', '.join(style_has)}"
            f"{', less what is dropped' if drop else ''}. "
            "Paint what belongs together in the same colour, or match it by name."
        )
    into = merge_orphans(labels, names, common)
    notes = [
        f"Region {name} ({share:.1%} of the content) is {'dropped' if name in drop else 'not in the style'} "
        f"and is merged into {into[name]}."
        for name, share in content_has.items()
        if name not in common
    ] + [
        f"Region {name} ({share:.1%} of the style) is not in the content and is left out."
        for name, share in style_has.items()
        if name not in common and name not in drop
    ]
    if strict and notes:
        raise RegionsError(f"{notes[0][:-1]}: paint it on both sides.")
    content = np.zeros((len(common), *labels.shape), np.float32)
    for k in set(painted.ravel().tolist()):
        content[common.index(into.get(names[k], names[k]))] += _mask(painted, here, k)
    style = np.stack([_mask(style_labels, there, style_names.index(name)) for name in common])
    return Regions(tuple(common), torch.from_numpy(content), torch.from_numpy(style), tuple(notes))


def _mask(labels: Labels, masks: Masks | None, label: int) -> NDArray[np.float32]:
    """The soft mask of a label, or where there is none its hard one."""
    return (labels == label).astype(np.float32) if masks is None else masks[label]


def check_names(
    match: Mapping[str, str], drop: Collection[str], content: Collection[str], style: Collection[str]
) -> None:
    """Raises RegionsError for a region to match or to drop that is not there."""
    wanted = [(name, content, "content") for name in match] + [(name, style, "style") for name in match.values()]
    for name, there, side in [*wanted, *((name, {*content, *style}, "photographs") for name in drop)]:
        if name not in there:
            raise RegionsError(f"There is no region {name!r} in the {side}; there are {', '.join(sorted(there))}.")


def merge_orphans(labels: Labels, names: Sequence[str], keep: Sequence[str]) -> dict[str, str]:
    """For every region not in `keep`, the kept one with which it shares the longest border."""
    kept = np.isin(labels, [names.index(name) for name in keep])
    area = np.bincount(labels.ravel(), minlength=len(names))
    into = {}
    for label in set(labels[~kept].tolist()):
        around = ndimage.binary_dilation(labels == label) & kept  # the pixels across the border
        border = np.bincount(labels[around], minlength=len(names))
        rank = {name: (border[names.index(name)], area[names.index(name)]) for name in keep}
        into[names[label]] = max(keep, key=rank.__getitem__)
    return into


def present(labels: Labels, names: Sequence[str]) -> dict[str, float]:
    """The regions that are no stray brush marks, with their shares of the image."""
    shares = np.bincount(labels[labels >= 0], minlength=len(names)) / labels.size
    return {name: float(share) for name, share in zip(names, shares, strict=True) if share >= STRAY}
