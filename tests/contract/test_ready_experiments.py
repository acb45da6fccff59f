"""Every ready experiment is valid against the catalog, and differs from its twin in nothing but the method's switch."""

import pytest
from msgspec.structs import replace

from workbench.catalog.registry import load_registry
from workbench.spec.catalog import ReadyCard
from workbench.training.ready import check_ready

REGISTRY = load_registry()
ABLATIONS = {
    "simsiam-without-stop-gradient",
    "byol-without-predictor",
    "swav-without-sinkhorn",
    "moco-with-momentum-0",
}


def test_there_are_some_and_every_file_can_be_read() -> None:
    assert {card.name for card in REGISTRY.experiments} >= ABLATIONS
    assert not [entry for entry in REGISTRY.broken if "experiments" in entry.file]


@pytest.mark.parametrize("card", REGISTRY.experiments, ids=lambda card: card.name)
def test_every_ready_experiment_is_valid_against_the_catalog(card: ReadyCard) -> None:
    check_ready(card, REGISTRY)


@pytest.mark.parametrize(
    "card", [card for card in REGISTRY.experiments if card.beside], ids=lambda card: str(card.name)
)
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
