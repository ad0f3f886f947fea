"""The scene of a look: where its regions lie, and how they are known again in another photograph.

A region is known by what it shows: the mean, over its cells, of a network's features, each photograph's own light taken
out of them (`vgg.kinds`), and by how high in the picture it lies. A cell of another photograph belongs to the
region that it is most like, and to none of them where it is like none.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from photostyle.color.spaces import adapted, luma
from photostyle.image import fit_size, shrink
from photostyle.looks.local import same_framing
from photostyle.matting.guided import apply_affine, guided_maps, window_mean

if TYPE_CHECKING:
    from photostyle.network.vgg import VGG

_STRIDE = 8  # pixels to a cell
_MARGIN = 32  # pixels
_HEIGHT = 0.3  # what a place at the other end of the picture costs, beside 1 − cosine
_SOFTNESS = 0.15  # of that sum, between one region and the next
_STRANGE = 1.05  # what is less like a region than this, as near to its opposite as to it, is none of it
_SMOOTH = 2  # cells over which what a place shows is averaged
_NEAR, _SURFACE = 24, 4e-3  # how far a border moves to follow the photograph, pixels; a variance of one surface
_FRAME = 64  # long side at which scenes are compared
_SAME = 0.5  # correlation of local contrast from which on two photographs are of one scene and framing


@dataclass(frozen=True, eq=False)
class Scene:
    """A photograph's thumbnail `before` (3×h×w), its regions' masks (K×H×W, small), and what each shows.

    `kinds` (K×(C + 1)) are what the network of that name has of each: C features of length 1, and the height of its
    middle, 0 at the top of the picture and 1 at the bottom. Without columns where there is one region.
    """

    before: Tensor
    masks: Tensor
    kinds: Tensor
    network: str

    @cached_property
    def vgg(self) -> VGG:
        """That network, loaded once: most looks never need it, and it takes a while. Raises WeightsError."""
        from photostyle.network.vgg import VGG
        from photostyle.network.weights import load_weights

        return VGG(load_weights(self.network))


def kinds_of(photograph: Tensor, masks: Tensor, vgg: VGG) -> Tensor:
    """What each region (masks K×h×w) of a photograph (3×h×w, small) shows: K×(C + 1), as `Scene` has it."""
    z, y = _cells(photograph, vgg)
    m = shrink(masks, z.shape[1:]).flatten(1)
    m = m / m.sum(1, keepdim=True).clamp(min=1e-6)
    return torch.cat([F.normalize(m @ z.flatten(1).T, dim=1), (m @ y)[:, None]], dim=1)


def find_again(scene: Scene, photograph: Tensor, vgg: VGG | None = None) -> Tensor:
    """Masks (K+1)×h×w of the scene's regions in another photograph (3×h×w, small), the last of what is none of them.

    Without the network `vgg`, the scene's own is loaded: raises WeightsError if its weights cannot be had.
    """
    z, y = _cells(photograph, vgg or scene.vgg)
    means, heights = scene.kinds[:, :-1], scene.kinds[:, -1:]
    unlike = 1 - means @ z.flatten(1) + _HEIGHT * (y - heights).abs()  # K×n
    strange = torch.full_like(unlike[:1], _STRANGE)
    soft = torch.softmax(-torch.cat([unlike, strange]) / _SOFTNESS, dim=0).view(-1, *z.shape[1:])
    masks = F.interpolate(soft[None], photograph.shape[1:], mode="bilinear", align_corners=False)[0]
    # a border goes where the photograph has one nearby
    masks = apply_affine(guided_maps(masks, adapted(photograph), _NEAR, _SURFACE), adapted(photograph)).clamp(0, 1)
    return masks / masks.sum(0).clamp(min=1e-6)


def same_scene(before: Tensor, photograph: Tensor) -> bool:
    """Whether a photograph (3×h×w) is of the scene and framing of a thumbnail (3×h×w), in whatever light.

    Compared is local contrast of luma, which neither exposure nor a moving thing in the picture changes much.
    """
    if not same_framing(before.shape[1:], photograph.shape[1:]):
        return False
    size = fit_size(before.shape[1], before.shape[2], _FRAME)
    one, other = (_contrast(shrink(image, size)) for image in (before, photograph))
    if not bool(one.any()) or not bool(other.any()):  # a plain picture: nothing speaks against it
        return True
    return float((one * other).sum() / (one.norm() * other.norm())) > _SAME


def _contrast(image: Tensor) -> Tensor:
    y = luma(image.clamp(0, 1)).sqrt()[None]
    rest = y - window_mean(y, 4)
    return rest / (window_mean(rest.square(), 4).sqrt() + 0.01)


@torch.no_grad()
def _cells(photograph: Tensor, vgg: VGG) -> tuple[Tensor, Tensor]:
    """What is shown in each cell, unit vectors C×h×w, and its height in the picture, h·w from 0 to 1."""
    from photostyle.network.vgg import KINDS, kinds

    h, w = vgg.size(KINDS, photograph.shape[1:])
    # continued beyond its edges, where the network would see black
    wide = F.pad(adapted(photograph)[None], (_MARGIN,) * 4, mode="replicate")[0]
    features = vgg(wide.to(vgg.device), {KINDS})[KINDS]
    edge = _MARGIN // _STRIDE
    z = kinds(features[:, edge : edge + h, edge : edge + w]).float()
    z = F.normalize(window_mean(z, _SMOOTH), dim=0)
    y = ((torch.arange(h) + 0.5) / h)[:, None].expand(h, w).flatten()
    return z, y
