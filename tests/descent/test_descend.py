"""Descent: known minima, every term falls on a mock network, and what happens when numbers fail."""

from __future__ import annotations

import inspect
import signal
from collections.abc import Callable, Collection
from itertools import pairwise

import pytest
import torch
from torch import Tensor
from walking import walk

from photostyle.descent.descend import descend
from photostyle.errors import DescentError
from photostyle.matting.laplacian import matting_laplacian
from photostyle.terms import colors, content, grades, gram, photorealism, smoothness
from photostyle.terms.energy import Energy, Extract, Features, energy


def pixels(image: Tensor, layers: Collection[str]) -> Features:
    return {"image": image}


TARGET = torch.rand(3, 4, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
STIFFNESS = torch.logspace(0, 2, 60, dtype=torch.float64).view(3, 4, 5)


def bowl(name: str = "bowl") -> Energy:
    """½ Σ d (x − c)², condition number 100, minimum at c."""
    return energy(name, {"image"}, lambda f: (STIFFNESS * (f["image"] - TARGET).square()).sum() / 2)


def valley(features: Features) -> Tensor:
    """Rosenbrock's function in each channel, minimum 0 at (1, 1)."""
    x, y = features["image"][:, 0, 0], features["image"][:, 0, 1]
    return ((1 - x).square() + 100 * (y - x.square()).square()).sum()


@pytest.mark.parametrize("method", ["lbfgs", "adam"])
def test_finds_the_minimum_of_a_quadratic(method) -> None:
    steps = {"lbfgs": 100, "adam": 1000}[method]
    start = torch.zeros_like(TARGET)
    _, x = walk(descend(bowl(), pixels, start, stage="s", steps=steps, optimizer=method, rate=2e-3))
    torch.testing.assert_close(x, TARGET, rtol=0, atol={"lbfgs": 1e-6, "adam": 1e-3}[method])


def test_adam_takes_all_its_steps_though_energies_rise() -> None:
    seen, _ = walk(descend(bowl(), pixels, TARGET + 1e-3, stage="s", steps=40, optimizer="adam", rate=0.1))
    energies = [step.energy for step in seen]
    assert any(later >= earlier for earlier, later in zip(energies, energies[10:], strict=False))  # ten steps, no gain
    assert len(seen) == 40


def test_lbfgs_follows_a_curved_valley() -> None:
    start = torch.tensor([[-1.2, 1.0], [0.0, 0.0], [2.0, -1.0]], dtype=torch.float64).view(3, 1, 2)
    _, x = walk(descend(energy("valley", {"image"}, valley), pixels, start, stage="s", steps=300))
    torch.testing.assert_close(x, torch.ones_like(x), rtol=0, atol=1e-4)


def test_lbfgs_goes_downhill_at_every_step() -> None:
    start = torch.full((3, 1, 2), -1.2, dtype=torch.float64)
    seen, _ = walk(descend(energy("valley", {"image"}, valley), pixels, start, stage="s", steps=80))
    energies = [float(valley({"image": start}))] + [step.energy for step in seen]
    assert all(after < before for before, after in pairwise(energies))


def test_lbfgs_does_not_diverge_from_a_cliff() -> None:
    """A wall that rises a million times as fast as the slope leading to it."""

    def wall(features: Features) -> Tensor:
        x = features["image"]
        return (1 - x).square().sum() + 1e6 * (x - 0.5).clamp(min=0).square().sum()

    seen, x = walk(descend(energy("wall", {"image"}, wall), pixels, torch.zeros(3, 2, 2), stage="s", steps=60))
    assert seen[-1].energy < 12 and bool(x.isfinite().all())
    torch.testing.assert_close(x, torch.full_like(x, 0.5), rtol=0, atol=1e-3)


H, W = 9, 8


def two_masks() -> Tensor:
    left = torch.zeros(H, W).double()
    left[:, :3] = 1
    left[:, 3] = 0.4
    return torch.stack([left, 1 - left])


def halved(masks: Tensor) -> Tensor:
    return torch.nn.functional.avg_pool2d(masks, 2, ceil_mode=True)


BUILDERS: dict[str, Callable[[Features, Tensor], Energy]] = {
    "content": lambda f, image: content.content(f, {"one": 1.0, "two": 0.5}),
    "style": lambda f, image: gram.style(f, {"one": 1.0, "two": 0.5}),
    "augmented_style": lambda f, image: gram.augmented_style(
        f, *[{"one": two_masks(), "two": halved(two_masks())}] * 2, {"one": 1.0, "two": 0.5}
    ),
    "matting": lambda f, image: photorealism.matting(matting_laplacian(image, 1e-3)),
    "drift": lambda f, image: photorealism.drift(image, torch.ones_like(image[:1]), 1e-3),
    "saturated": lambda f, image: gram.saturated([content.content(f, {l: 1.0}) for l in ("one", "two")]),
    "total_variation": lambda f, image: smoothness.total_variation(),
    "chroma_variation": lambda f, image: smoothness.chroma_variation(),
    "smoothness": lambda f, image: smoothness.smoothness(image.numel(), 0.5, 30.0),
    "gamut": lambda f, image: photorealism.gamut(),
}


OF_MAPS = {
    "color_transport",
    "gain",
    "simplicity",
}  # which are of colour maps: tests/terms/test_terms.py and test_photo.py


def test_every_term_is_tried() -> None:
    modules = (content, gram, colors, grades, photorealism, smoothness)
    made = {
        name
        for module in modules
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__
        and not name.startswith("_")
        and inspect.signature(function).return_annotation == "Energy"
    }
    assert made == set(BUILDERS) | OF_MAPS


@pytest.mark.parametrize("method", ["lbfgs", "adam"])
@pytest.mark.parametrize("name", BUILDERS)
def test_every_term_falls(picture, network: Extract, name: str, method) -> None:
    """Whatever the term, descent from another picture lowers it to less than half."""
    size = (24, 25) if name == "drift" else (H, W)  # so that there is a smaller copy
    target = picture(*size)
    E = BUILDERS[name](network(target, {"one", "two"}), target)
    start = 2 * picture(*size, seed=5) - 0.4
    before = sum(float(part) for part in E.parts(network(start, E.reads)).values())
    seen, x = walk(descend(E, network, start, stage="s", steps=30, optimizer=method))
    after = sum(float(part) for part in E.parts(network(x, E.reads)).values())
    assert before > 0
    assert 0 <= after < 0.5 * before
    assert all(part >= 0 for step in seen for part in step.parts.values())


@pytest.mark.parametrize("method", ["lbfgs", "adam"])
def test_steps_say_where_they_are(method) -> None:
    L = 2 * bowl("a") + bowl("b")
    seen, x = walk(descend(L, pixels, torch.zeros_like(TARGET), stage="coarse", steps=5, optimizer=method))
    assert [(step.stage, step.iteration) for step in seen] == [("coarse", i) for i in range(1, 6)]
    assert torch.equal(x, seen[-1].image)
    for step in seen:
        assert set(step.parts) == {"a", "b"}
        assert step.parts["a"] == pytest.approx(2 * step.parts["b"])
        assert step.energy == pytest.approx(3 * step.parts["b"])


@pytest.mark.parametrize("method", ["lbfgs", "adam"])
def test_the_parts_of_a_step_are_those_of_its_image(method) -> None:
    seen, _ = walk(descend(bowl(), pixels, torch.zeros_like(TARGET), stage="s", steps=5, optimizer=method))
    for step in seen:
        assert step.parts["bowl"] == pytest.approx(float(bowl().parts({"image": step.image})["bowl"]))


@pytest.mark.parametrize("method", ["lbfgs", "adam"])
def test_the_given_image_is_not_changed(method) -> None:
    start = torch.zeros_like(TARGET)
    walk(descend(bowl(), pixels, start, stage="s", steps=3, optimizer=method))
    assert torch.equal(start, torch.zeros_like(TARGET)) and not start.requires_grad


@pytest.mark.parametrize("method", ["lbfgs", "adam"])
def test_the_same_descent_twice_gives_the_same_pixels(picture, network: Extract, method) -> None:
    target, start = picture(H, W), picture(H, W, seed=5).float().double()
    E = BUILDERS["style"](network(target, {"one", "two"}), target)
    (_, x), (_, y) = (walk(descend(E, network, start, stage="s", steps=8, optimizer=method)) for _ in "xy")
    assert torch.equal(x, y)


def test_single_precision_stays_single() -> None:
    E = energy("square", {"image"}, lambda f: (f["image"] - 0.5).square().sum())
    _, x = walk(descend(E, pixels, torch.zeros(3, 4, 4), stage="s", steps=20))
    assert x.dtype == torch.float32
    torch.testing.assert_close(x, torch.full_like(x, 0.5))


def test_from_the_minimum_there_is_nowhere_to_go() -> None:
    seen, x = walk(descend(bowl(), pixels, TARGET, stage="s", steps=5))
    assert seen == [] and torch.equal(x, TARGET)


@pytest.mark.parametrize("method", ["lbfgs", "adam"])
def test_without_any_term_the_image_stays(method) -> None:
    """All weights 0: every image is a minimum."""
    _, x = walk(descend(0 * bowl(), pixels, TARGET, stage="s", steps=5, optimizer=method))
    assert torch.equal(x, TARGET)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a timer signal")
def test_a_slope_too_small_to_square_ends_the_descent() -> None:
    """In single precision (10⁻²⁵)² is 0: no direction promises anything."""

    def overtime(*_: object) -> None:
        raise TimeoutError("the descent does not end")

    E = energy("plain", {"image"}, lambda f: 1e-25 * f["image"].sum())
    old = signal.signal(signal.SIGALRM, overtime)
    signal.setitimer(signal.ITIMER_REAL, 2)
    try:
        _, x = walk(descend(E, pixels, torch.full((3, 2, 2), 0.5), stage="s", steps=5))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    assert bool(x.isfinite().all())


def test_tolerance_stops_early() -> None:
    def steps(tolerance: float) -> int:
        start = torch.full((3, 1, 2), -1.2, dtype=torch.float64)
        L = energy("valley", {"image"}, valley) + energy("floor", {"image"}, lambda f: torch.tensor(1.0))
        return len(walk(descend(L, pixels, start, stage="s", steps=200, tolerance=tolerance))[0])

    assert 11 <= steps(0.5) < steps(1e-3) < 200
    assert steps(1.0) == 11  # the first time that ten steps lie between two energies


def test_closing_stops_without_fuss() -> None:
    evaluations = 0

    def counted(features: Features) -> Tensor:
        nonlocal evaluations
        evaluations += 1
        return features["image"].square().sum()

    steps = descend(energy("c", {"image"}, counted), pixels, TARGET, stage="s", steps=50)
    assert evaluations == 0  # nothing before the first step is asked for
    next(steps)
    before = evaluations
    steps.close()
    assert evaluations == before
    with pytest.raises(StopIteration):
        next(steps)


def failing(after: int, bad: float) -> Energy:
    """A quadratic that is `bad` from its evaluation number `after` on."""
    calls = 0

    def value(features: Features) -> Tensor:
        nonlocal calls
        calls += 1
        square = (STIFFNESS * (features["image"] - TARGET).square()).sum()
        return square * bad if calls > after else square

    return energy("fragile", {"image"}, value)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("method", ["lbfgs", "adam"])
def test_an_energy_that_fails_hands_back_the_last_good_image(method, bad: float) -> None:
    steps = descend(failing(6, bad), pixels, torch.zeros_like(TARGET), stage="s", steps=50, optimizer=method)
    with pytest.raises(DescentError, match=r"not finite .*fragile") as caught:
        for _ in steps:
            pass
    image = caught.value.image
    assert image is not None and bool(image.isfinite().all())
    # good means: no worse than the start
    assert float(bowl().parts({"image": image})["bowl"]) < float(bowl().parts({"image": 0 * TARGET})["bowl"])


@pytest.mark.parametrize("method", ["lbfgs", "adam"])
def test_an_energy_that_fails_at_once_has_no_good_image(method) -> None:
    steps = descend(failing(0, float("nan")), pixels, TARGET, stage="s", steps=5, optimizer=method)
    with pytest.raises(DescentError, match="fragile") as caught:
        next(steps)
    assert caught.value.image is None


@pytest.mark.parametrize("method", ["lbfgs", "adam"])
def test_a_gradient_that_fails_counts_too(method) -> None:
    """√x² at 0 is 0 with a gradient of NaN."""
    E = energy("root", {"image"}, lambda f: f["image"].square().sqrt().sum())
    with pytest.raises(DescentError, match="its gradient"):
        next(descend(E, pixels, torch.zeros(3, 2, 2), stage="s", steps=5, optimizer=method))


def test_a_hole_in_the_energy_is_stepped_around() -> None:
    """Infinite beyond 0.6, the minimum at 0.5: shorter steps stay on this side."""

    def value(features: Features) -> Tensor:
        x = features["image"]
        square = (x - 0.5).square().sum()
        return square if bool((x < 0.6).all()) else square + float("inf")

    _, x = walk(descend(energy("hole", {"image"}, value), pixels, torch.full((3, 2, 2), 0.3), stage="s", steps=40))
    torch.testing.assert_close(x, torch.full_like(x, 0.5), rtol=0, atol=1e-4)
