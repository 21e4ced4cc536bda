"""Errors of one line, and what they suggest."""

from __future__ import annotations

import pytest

from musicae.errors import MusicaeError, OutputError, did_you_mean


@pytest.mark.parametrize(
    ("names", "hint"),
    [(["vae", "ae"], "; did you mean 'vae'?"), (["x", "q"], "; choose from q, x"), ([], "; there is none")],
)
def test_the_closest_name_is_suggested_or_all_are_listed(names: list[str], hint: str) -> None:
    assert did_you_mean("vea", names) == hint
    assert did_you_mean("vea", iter(names)) == hint


def test_an_output_error_is_a_musicae_error() -> None:
    assert issubclass(OutputError, MusicaeError)
