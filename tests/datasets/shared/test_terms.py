"""What is said of the data that a model was trained on."""

from __future__ import annotations

from musicae import registry
from musicae.datasets.shared.terms import TERMS, terms


def test_every_data_set_has_its_terms() -> None:
    assert TERMS.keys() == registry.BUILT_IN["datasets"].keys()
    assert all(text and "|" not in text and "\n" not in text for one in TERMS.values() for text in one)


def test_that_of_another_package_is_named_with_it() -> None:
    assert terms("toy-beats", "musicae-toy").source == "the package musicae-toy"
