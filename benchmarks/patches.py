"""Times the patch term: the search for neighbours and its parts, and how often neighbours should be found anew.

    python benchmarks/patches.py

Prints medians at the layer sizes of a 384×256 photograph, then, for one octave from noise, the patch energy with
neighbours of its own that is reached. With faiss-cpu on the path, its indexes are timed beside the exact search.
"""

from __future__ import annotations

import time
from typing import Any

import torch
from numpy.typing import NDArray
from timing import describe_machine, header, installed, median_seconds, row
from torch import Tensor

from photostyle import load_image, load_weights
from photostyle.descent.descend import descend
from photostyle.image import fit
from photostyle.jobs.pair import example
from photostyle.network.vgg import VGG
from photostyle.recipes._starts import white_noise
from photostyle.recipes.li2016 import layer_weights, rematched
from photostyle.terms.energy import Energy, Features, energy
from photostyle.terms.patches import Patches, cut, nearest, patch_style

Table = NDArray[Any]

LAYERS = {"relu3_1": (256, 64, 96), "relu4_1": (512, 32, 48)}
BUDGETS = (2**22, 2**25, 2**28, 2**31)
STEPS = 60


def search() -> None:
    """Neighbours at two layers, by stride and by how much memory the search may take."""
    header("neighbours", "patches", *(f"{budget >> 20} MiB, ms" for budget in BUDGETS))
    for layer, (C, h, w) in LAYERS.items():
        for stride in (1, 2):
            O, S = (cut(torch.rand(C, h, w), torch.rand(3, h, w), 3, stride) for _ in "OS")
            times = [1000 * median_seconds(lambda O=O, S=S, b=b: nearest(O, S, budget=b), 3) for b in BUDGETS]
            row(f"{layer}, stride {stride}", str(len(O)), *(f"{ms:.0f}" for ms in times))


def indexes() -> None:
    """The exact search against what faiss offers, building and asking: shares of its time, and how many agree."""
    if not installed("faiss", "pip install faiss-cpu"):
        return
    import faiss

    faiss.omp_set_num_threads(torch.get_num_threads())
    kinds = {"flat": "Flat", "inverted lists": "IVF32,Flat", "graph": "HNSW16,Flat"}
    header("of the exact search's time", *(f"{kind} (agree)" for kind in kinds))
    vgg = VGG(load_weights("vgg16-hed"))
    photographs = example("palace-night")
    O, S = (fit(load_image(path), 240) for path in (photographs.content, photographs.style))
    with torch.no_grad():
        F_O, F_S = (vgg(image, LAYERS) for image in (O, S))
    for layer in LAYERS:
        ours, theirs = cut(F_O[layer], O), cut(F_S[layer], S)
        exact = median_seconds(lambda a=ours, b=theirs: nearest(a, b), 3)
        chosen = nearest(ours, theirs).numpy()
        asked, known = (directions(patches) for patches in (ours, theirs))

        def find(kind: str, asked: Table = asked, known: Table = known) -> Table:
            index = faiss.index_factory(known.shape[1], kind, faiss.METRIC_INNER_PRODUCT)
            index.train(known)
            index.add(known)
            found: Table = index.search(asked, 1)[1][:, 0]
            return found

        shares = {kind: median_seconds(lambda kind=kind: find(kind), 3) / exact for kind in kinds.values()}
        agree = {kind: (find(kind) == chosen).mean() for kind in kinds.values()}
        row(f"{layer}, {len(ours)} patches", *(f"{shares[kind]:.2f} ({agree[kind]:.2f})" for kind in kinds.values()))
    print()


def directions(patches: Patches) -> Table:
    """The features of each patch as a vector of length 1, a row each."""
    vectors = patches.pixels[patches.index].flatten(1)
    table: Table = (vectors / vectors.norm(dim=1, keepdim=True)).numpy()
    return table


def rematch() -> None:
    """One octave of 96 px from noise."""
    S = fit(load_image(example("palace-night").content), 96)
    vgg, layers = VGG(load_weights("vgg16-hed")), {"relu3_1", "relu4_1"}
    with torch.no_grad():
        F_S = vgg(S, layers)
    β, k = layer_weights(F_S, F_S, layers, 3)
    Ψ_S = {l: cut(F_S[l], S, k[l]) for l in β}

    def E(F_O: Features) -> Energy:
        return patch_style({l: cut(F_O[l], F_O["image"], k[l]) for l in β}, Ψ_S, β, color_weight=10.0)

    def now(F_O: Features) -> Tensor:
        """With the neighbours of the very image that is evaluated."""
        return torch.stack(list(E({l: F.detach() for l, F in F_O.items()}).parts(F_O).values())).sum()

    layers = {"image", *β}
    ways = {"evaluation": descend(energy("patches", layers, now), vgg, white_noise(S, 0), stage="", steps=STEPS)}
    for every in (1, 2, 5, 10, 20, STEPS):
        ways[f"{every} steps"] = rematched(E, layers, vgg, white_noise(S, 0), steps=STEPS, every=every)
    header("neighbours anew every", "energy", "steps", "seconds")
    for name, steps in ways.items():
        began, taken = time.perf_counter(), 0
        for step in steps:
            O, taken = step.image, taken + 1
        spent = time.perf_counter() - began
        with torch.no_grad():
            reached = now(vgg(O, layers))
        row(name, f"{float(reached):.4f}", str(taken), f"{spent:.1f}")


def main() -> None:
    describe_machine()
    search()
    print()
    indexes()
    rematch()


if __name__ == "__main__":
    main()
