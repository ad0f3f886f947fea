"""The algebra of energies."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import Tensor

from photostyle.terms.energy import Energy, Features, energy


def squares(name: str = "squares", layer: str = "image") -> Energy:
    return energy(name, {layer}, lambda features: features[layer].square().sum())


def must_not_run(features: Features) -> Tensor:
    raise AssertionError("this term was computed")


IMAGE = torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64)  # squares: 1 + 4 + 9 = 14


def test_an_energy_is_one_term_of_weight_one() -> None:
    (term,) = squares("a", "relu1_1").terms
    assert (term.name, term.reads, term.weight) == ("a", frozenset({"relu1_1"}), 1.0)


def test_parts_are_keyed_by_name_and_weighted() -> None:
    L = 2 * squares("a") + 0.5 * squares("b")
    assert {name: float(part) for name, part in L.parts({"image": IMAGE}).items()} == {"a": 28.0, "b": 7.0}


def test_weights_multiply_and_reach_every_term() -> None:
    L = 3 * (2 * squares("a") + squares("b"))
    assert [term.weight for term in L.terms] == [6.0, 3.0]


def test_scaling_changes_neither_the_energy_nor_its_terms() -> None:
    E = squares()
    before = E.terms[0]
    _ = 5 * E
    assert E.terms[0] is before and before.weight == 1.0


def test_energies_and_terms_are_frozen() -> None:
    E = squares()
    with pytest.raises(dataclasses.FrozenInstanceError):
        E.terms = ()  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        E.terms[0].weight = 2.0  # type: ignore[misc]


def test_names_must_differ() -> None:
    with pytest.raises(ValueError, match=r"names must differ.*a, a"):
        squares("a") + squares("a")


def test_a_term_of_weight_zero_is_not_computed() -> None:
    L = squares("a") + 0 * energy("b", {"image"}, must_not_run)
    assert set(L.parts({"image": IMAGE})) == {"a"}


def test_reads_are_the_layers_of_all_terms() -> None:
    L = squares("a", "conv1_1") + squares("b", "conv2_1") + squares("c", "conv1_1")
    assert L.reads == {"conv1_1", "conv2_1"}


def test_a_term_of_weight_zero_asks_for_no_features() -> None:
    """Nobody should compute conv4_2 for a content weight of 0."""
    assert (squares("a", "image") + 0 * squares("b", "conv4_2")).reads == {"image"}


def test_scaling_an_energy_scales_its_gradient() -> None:
    def gradient(E: Energy) -> Tensor:
        x = IMAGE.clone().requires_grad_()
        torch.stack(list(E.parts({"image": x}).values())).sum().backward()
        assert x.grad is not None
        return x.grad

    assert torch.equal(gradient(squares()), 2 * IMAGE)
    assert torch.equal(gradient(8 * squares()), 16 * IMAGE)
    assert torch.equal(gradient(8 * squares("a") + squares("b")), 18 * IMAGE)
