"""Errors of one line, and what they suggest."""

from __future__ import annotations

import copy

import pytest

from musicae.errors import Line, MusicaeError, OutputError, did_you_mean, elsewhere, line_of


@pytest.mark.parametrize(
    ("names", "hint"),
    [(["vae", "ae"], "; did you mean 'vae'?"), (["x", "q"], "; choose from q, x"), ([], "; there is none")],
)
def test_the_closest_name_is_suggested_or_all_are_listed(names: list[str], hint: str) -> None:
    assert did_you_mean("vea", names) == hint
    assert did_you_mean("vea", iter(names)) == hint


def test_an_output_error_is_a_musicae_error() -> None:
    assert issubclass(OutputError, MusicaeError)


def test_a_line_says_something_else_where_there_are_no_options() -> None:
    error = MusicaeError(line_of("it is long; ", Line("choose with --bars", "choose some")))
    wrapped = OutputError(line_of("a.mid: ", error, "!"))
    assert str(wrapped) == "a.mid: it is long; choose with --bars!"
    assert elsewhere(wrapped) == "a.mid: it is long; choose some!"
    assert elsewhere(line_of("as it is", MusicaeError("; so"))) == "as it is; so"
    assert elsewhere(MusicaeError()) == ""


def test_a_line_comes_through_to_another_process() -> None:
    (line,) = copy.deepcopy(MusicaeError(Line("a --b", "c"))).args  # Made anew from what a process would be sent.
    assert line == "a --b"
    assert line.elsewhere == "c"
