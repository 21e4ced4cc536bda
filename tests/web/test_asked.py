"""What may be asked."""

from __future__ import annotations

import pytest

from musicae.errors import MusicaeError
from musicae.web.asked import Point, parsed


def test_what_is_left_out_has_its_usual_value() -> None:
    ask = parsed(b'{"preset": "a", "corners": ["draw:1", "draw:2"], "x": 1, "tempo": null}', Point)
    assert ask == Point("a", ["draw:1", "draw:2"], x=1.0)
    assert isinstance(ask.x, float)


def test_the_key_tells_points_apart_but_not_the_parts_that_sound() -> None:
    ask = Point("a", ["draw:1", "draw:2"])
    assert ask.key == Point("a", ["draw:1", "draw:2"], only=["drums"]).key
    assert ask.key != Point("a", ["draw:1", "draw:2"], seed=1).key
    assert Point("a", ["b", "c"], shift={"x": 1, "y": 2}).key == Point("a", ["b", "c"], shift={"y": 2, "x": 1}).key


def test_the_pad_does_not_depend_on_where_the_point_is() -> None:
    ask = Point("a", ["draw:1", "draw:2"], x=0.1, shift={"density": 1.0}, tempo=90)
    assert ask.pad == Point("a", ["draw:1", "draw:2"], chords="  ").pad
    others = [
        Point("b", ["draw:1", "draw:2"]),
        Point("a", ["draw:2", "draw:1"]),
        Point("a", ["draw:1", "draw:2"], chords="C"),
        Point("a", ["draw:1", "draw:2"], lock=["melody"]),
    ]
    assert ask.pad not in [other.pad for other in others]
    assert len({hash(other.pad) for other in others}) == 4


def test_errors_are_one_line_without_the_words_of_the_parser() -> None:
    with pytest.raises(MusicaeError, match=r"^this request cannot be understood: [^`$]*'preset'[^`$]*$"):
        parsed(b'{"preset": "", "corners": ["a", "b"]}', Point)
