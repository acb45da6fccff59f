"""Every ready experiment is valid against the catalog, and differs from its twin in nothing but the method's switch."""

import pytest
from msgspec.structs import replace

from workbench.catalog.registry import load_registry
from workbench.spec.catalog import ReadyCard
from workbench.training.ready import check_ready

REGISTRY = load_registry()
AWAITED = ("simsiam-without-stop-gradient", "byol-without-predictor", "swav-without-sinkhorn", "swav-with-sinkhorn")
"""Of methods and switches that are not in the catalog yet. Strict: once they are there, this list must go."""


def _marked(card: ReadyCard) -> object:
    awaited = pytest.mark.xfail(strict=True, reason="its method or switch is not in the catalog yet")
    return pytest.param(card, id=card.name, marks=[awaited] if card.name in AWAITED else [])


def test_there_are_some_and_every_file_can_be_read() -> None:
    assert {card.name for card in REGISTRY.experiments} >= {*AWAITED, "moco-with-momentum-0"}
    assert not [entry for entry in REGISTRY.broken if "experiments" in entry.file]


@pytest.mark.parametrize("card", [_marked(card) for card in REGISTRY.experiments])
def test_every_ready_experiment_is_valid_against_the_catalog(card: ReadyCard) -> None:
    check_ready(card, REGISTRY)


@pytest.mark.parametrize("card", REGISTRY.experiments, ids=lambda card: card.name)
def test_a_twin_differs_in_the_parameters_of_the_method_and_in_nothing_else(card: ReadyCard) -> None:
    twin = REGISTRY.experiment(card.beside)
    assert twin.beside == card.name
    assert twin.method.name == card.method.name
    assert twin.method.params != card.method.params
    words = dict.fromkeys(("name", "title", "shows", "expect", "source", "beside"), "")
    assert replace(card, method=twin.method, **words) == replace(twin, **words)


@pytest.mark.parametrize("card", REGISTRY.experiments, ids=lambda card: card.name)
def test_its_words_are_for_a_person(card: ReadyCard) -> None:
    for text in (card.shows, card.expect):
        assert len(text) > 40
        assert text.endswith(".")
    assert card.source
